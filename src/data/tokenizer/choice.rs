//! Which tokenizer is meant, before it is read.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{BYTE_VOCAB, Bpe, JsonTokenizer, Tokenizer};
use crate::error::{Error, Result};

const PICKLE: &str = "tokenizer.pkl";
const JSON: &str = "tokenizer.json";
/// nanochat's folder of the tokenizer that all its checkpoints share.
const SHARED: &str = "tokenizer";

/// Which tokenizer is meant, written `bytes`, `gpt2` or as a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TokenizerChoice {
    /// One token a byte.
    Bytes,
    /// GPT-2's byte pairs, which are built in.
    Gpt2,
    /// `tokenizer.pkl`, `tokenizer.json` or a folder that has one of them.
    Path(PathBuf),
}

impl FromStr for TokenizerChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "" => Err("write bytes, gpt2 or a path".into()),
            "bytes" => Ok(TokenizerChoice::Bytes),
            "gpt2" => Ok(TokenizerChoice::Gpt2),
            path => Ok(TokenizerChoice::Path(path.into())),
        }
    }
}

impl TryFrom<String> for TokenizerChoice {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl std::fmt::Display for TokenizerChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TokenizerChoice::Bytes => f.pad("bytes"),
            TokenizerChoice::Gpt2 => f.pad("gpt2"),
            TokenizerChoice::Path(path) => f.pad(&path.display().to_string()),
        }
    }
}

impl From<TokenizerChoice> for String {
    fn from(choice: TokenizerChoice) -> String {
        choice.to_string()
    }
}

impl TokenizerChoice {
    /// What the texts of a model of `known` tokens are read with when nothing is said: bytes for a model of bytes,
    /// otherwise the tokenizer that lies beside its checkpoint, in that folder or, as nanochat keeps it, in `tokenizer/`
    /// of a folder around it.
    ///
    /// # Errors
    /// If there is none, with what to give.
    pub fn of_model(folder: Option<&Path>, known: usize) -> Result<TokenizerChoice> {
        if known == BYTE_VOCAB {
            return Ok(TokenizerChoice::Bytes);
        }
        folder.and_then(TokenizerChoice::beside).ok_or_else(|| {
            let what = format!(
                "this model's vocabulary has {known} tokens, and no {PICKLE} or {JSON} lies beside it; give a path, gpt2 \
                 or bytes (or sequences by --tokens)"
            );
            Error::knob("--tokenizer", what)
        })
    }

    /// The tokenizer beside a checkpoint, if there is one.
    pub fn beside(folder: &Path) -> Option<TokenizerChoice> {
        /// nanochat's checkpoints lie two folders below what they share.
        const AROUND: usize = 3;
        // A path such as `.` has its parents only in full.
        let folder = folder.canonicalize().ok()?;
        let shared = folder.ancestors().take(AROUND).map(|around| around.join(SHARED));
        std::iter::once(folder.clone()).chain(shared).find_map(|place| file_in(&place)).map(TokenizerChoice::Path)
    }

    /// The same choice with a path that holds wherever the program is started next.
    ///
    /// # Errors
    /// If the present folder cannot be found out.
    pub fn absolute(&self) -> Result<TokenizerChoice> {
        Ok(match self {
            TokenizerChoice::Path(path) => TokenizerChoice::Path(std::path::absolute(path).map_err(Error::io(path))?),
            other => other.clone(),
        })
    }

    /// Read it.
    ///
    /// # Errors
    /// A missing file, or one that is no tokenizer, by name.
    pub fn open(&self) -> Result<Tokenizer> {
        match self {
            TokenizerChoice::Bytes => Ok(Tokenizer::Bytes),
            TokenizerChoice::Gpt2 => Ok(Tokenizer::Bpe(Box::new(Bpe::gpt2()?))),
            TokenizerChoice::Path(path) => open(path),
        }
    }

    /// Read it for a model of `known` tokens.
    ///
    /// # Errors
    /// As [`TokenizerChoice::open`]; a vocabulary larger than the model's.
    pub fn open_for(&self, known: usize) -> Result<Tokenizer> {
        let tokenizer = self.open()?;
        tokenizer.check(known).map_err(|what| match self {
            TokenizerChoice::Path(path) => Error::file(path, what),
            built_in => Error::knob("--tokenizer", format!("{built_in}: {what}")),
        })?;
        Ok(tokenizer)
    }
}

/// The tokenizer's file in a folder.
fn file_in(folder: &Path) -> Option<PathBuf> {
    [PICKLE, JSON].map(|name| folder.join(name)).into_iter().find(|file| file.is_file())
}

fn open(path: &Path) -> Result<Tokenizer> {
    let file = match path.metadata().map_err(Error::io(path))?.is_dir() {
        true => {
            file_in(path).ok_or_else(|| Error::file(path, format!("neither {PICKLE} nor {JSON} is in this folder")))?
        }
        false => path.to_owned(),
    };
    match file.extension().and_then(|e| e.to_str()) {
        Some("pkl" | "pickle") => Ok(Tokenizer::Bpe(Box::new(Bpe::from_pickle(&file)?))),
        Some("json") => Ok(Tokenizer::Json(Box::new(JsonTokenizer::open(&file)?))),
        _ => Err(Error::file(&file, format!("not a tokenizer by its name; {PICKLE} or {JSON} is expected"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_as_it_is_written() {
        for (text, choice) in [
            ("bytes", TokenizerChoice::Bytes),
            ("gpt2", TokenizerChoice::Gpt2),
            ("./gpt2", TokenizerChoice::Path("./gpt2".into())),
        ] {
            assert_eq!(text.parse(), Ok(choice.clone()));
            assert_eq!(choice.to_string(), text);
        }
        assert!("".parse::<TokenizerChoice>().is_err());
    }

    #[test]
    fn the_tokenizer_beside_a_checkpoint_is_found_where_nanochat_and_others_keep_it() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("base_checkpoints/d6");
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(TokenizerChoice::beside(&folder), None);
        let put = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            Some(TokenizerChoice::Path(path.canonicalize().unwrap()))
        };
        let shared = put(base.path().join("tokenizer/tokenizer.pkl"));
        assert_eq!(TokenizerChoice::beside(&folder), shared);
        let own = put(folder.join("tokenizer.json"));
        assert_eq!(TokenizerChoice::beside(&folder), own);
    }
}
