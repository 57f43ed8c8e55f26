//! What a run looks at, before it is read.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::event::Subject;
use super::problem::Problem;
use crate::data::demo;
use crate::data::sequences::{Sequences, own_length, row_length};
use crate::data::tokenizer::{Tokenizer, TokenizerChoice};
use crate::error::{Error, Result};
use crate::model::architecture::Limits;
use crate::model::checkpoint::Checkpoint;

/// Sequences kept of a text or of shards, unless n needs more: enough to turn n up, few enough to evaluate at once. A
/// file of tokens is read whole.
const TEXT_ROWS: usize = 32;

/// Where the sequences come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// The text that is built in.
    Demo,
    /// A file of token rows.
    Tokens(PathBuf),
    /// A text.
    Text(PathBuf),
    /// A parquet shard, or a folder of them.
    Shards(PathBuf),
}

impl Data {
    /// Where it is read; `None` is the demo.
    fn path(&self) -> Option<&Path> {
        match self {
            Data::Demo => None,
            Data::Tokens(path) | Data::Text(path) | Data::Shards(path) => Some(path),
        }
    }
}

/// A checkpoint and sequences, not yet read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The checkpoint's folder; `None` is the demo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<PathBuf>,
    /// The training step of a nanochat folder; `None` is the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// What texts are read with; `None` is what fits the checkpoint, see [`TokenizerChoice::of_model`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<TokenizerChoice>,
    /// How many sequences are read; `None` leaves it to n and the kind of data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<NonZeroUsize>,
    /// Tokens in each sequence; `None` is as many as the model takes. Rows of tokens have a length of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<usize>,
    /// The sequences.
    pub data: Data,
}

impl Source {
    /// The built-in demo.
    pub fn demo() -> Source {
        Source { checkpoint: None, step: None, tokenizer: None, rows: None, length: None, data: Data::Demo }
    }

    /// The same source with paths that hold wherever the program is started next.
    ///
    /// # Errors
    /// If the present folder cannot be found out.
    pub fn absolute(&self) -> Result<Source> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(Error::io(path));
        Ok(Source {
            checkpoint: self.checkpoint.as_deref().map(absolute).transpose()?,
            step: self.step,
            tokenizer: self.tokenizer.as_ref().map(TokenizerChoice::absolute).transpose()?,
            rows: self.rows,
            length: self.length,
            data: match &self.data {
                Data::Demo => Data::Demo,
                Data::Tokens(file) => Data::Tokens(absolute(file)?),
                Data::Text(file) => Data::Text(absolute(file)?),
                Data::Shards(path) => Data::Shards(absolute(path)?),
            },
        })
    }

    /// Read everything again that a session of `subject` was begun with at `n`.
    ///
    /// # Errors
    /// Files that are gone, or whose contents are no longer those of the session: by name.
    pub fn reopen(&self, n: usize, subject: &Subject) -> Result<Problem> {
        let problem = self.open(n)?;
        let demo = Path::new("the built-in demo");
        if problem.checkpoint.fingerprint() != subject.checkpoint {
            let path = self.checkpoint.as_deref().unwrap_or(demo);
            return Err(changed(path, "checkpoint", &subject.checkpoint));
        }
        if problem.sequences.fingerprint() != subject.data {
            return Err(changed(self.data.path().unwrap_or(demo), "data", &subject.data));
        }
        Ok(problem)
    }

    /// Read the checkpoint.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`].
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        match &self.checkpoint {
            Some(folder) => Checkpoint::open(folder, self.step),
            None => demo::checkpoint(),
        }
    }

    /// Read everything, for L_n and one sequence more if there are as many.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`], of [`TokenizerChoice`] and of [`Sequences`], each naming the file; a length that the
    /// model does not take or the data does not leave open; fewer sequences than were asked for by number.
    pub fn open(&self, n: usize) -> Result<Problem> {
        let checkpoint = self.checkpoint()?;
        let config = &checkpoint.config;
        let Limits { vocab_size: known, .. } = config.limits();
        if matches!(self.data, Data::Tokens(_)) {
            own_length(self.length)?;
        }
        let len = row_length(self.length, config)?;
        let enough = self.rows.map_or(TEXT_ROWS.max(n.saturating_add(1)), NonZeroUsize::get);
        let mut sequences = match &self.data {
            Data::Demo => demo::text(config, self.length)?,
            Data::Tokens(file) => Sequences::from_tokens(file, config)?,
            Data::Text(file) => Sequences::from_text(file, &self.tokenizer(known)?, len, enough)?,
            Data::Shards(path) => Sequences::from_shards(path, &self.tokenizer(known)?, len, enough)?,
        };
        if let Some(asked) = self.rows.filter(|asked| asked.get() > sequences.rows()) {
            let (name, rows, len) = (&sequences.name, sequences.rows(), sequences.row_len());
            let what = format!("{asked} were asked for, but {name} has {rows} rows of {len} tokens");
            return Err(Error::knob("--rows", what));
        }
        // Too few for n are left to [`super::knobs::Knobs::check`], which says so.
        if self.rows.is_some() || !matches!(self.data, Data::Tokens(_)) {
            sequences.truncate(enough);
        }
        Ok(Problem { checkpoint, sequences })
    }

    /// The tokenizer for a model of `known` tokens.
    fn tokenizer(&self, known: usize) -> Result<Tokenizer> {
        match &self.tokenizer {
            Some(choice) => choice.open_for(known),
            None => TokenizerChoice::of_model(self.checkpoint.as_deref(), known)?.open_for(known),
        }
    }
}

fn changed(path: &Path, what: &str, recorded: &str) -> Error {
    let short: String = recorded.chars().take(8).collect();
    Error::file(
        path,
        format!("this is not the {what} of the session (fingerprint {short}…); put that one back to go on"),
    )
}
