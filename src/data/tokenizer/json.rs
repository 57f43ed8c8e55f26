//! Tokenizers in the form of Hugging Face's `tokenizer.json`.

use std::panic::catch_unwind;
use std::path::Path;

use super::{BEGINNINGS, Cuts};
use crate::error::{Error, Result};
use crate::file;

/// The largest tokenizer in use takes some 35 MB.
const LARGEST_FILE: u64 = 512 << 20;

/// Whitespace on end, in bytes. Beyond a million characters the library's pattern gives up without a word, and the tokens
/// would be others.
const LONGEST_BLANK: usize = 500_000;

/// A tokenizer read from `tokenizer.json`.
#[derive(Debug)]
pub struct JsonTokenizer {
    tokenizer: tokenizers::Tokenizer,
    cuts: Cuts,
    vocabulary: usize,
    beginning: Option<u32>,
}

impl JsonTokenizer {
    /// Read the file.
    ///
    /// # Errors
    /// A file that is missing or describes no tokenizer.
    pub fn open(path: &Path) -> Result<JsonTokenizer> {
        let bytes = file::read_plain(path, LARGEST_FILE)?;
        let wrong = |e: tokenizers::Error| Error::file(path, format!("not a tokenizer of Hugging Face's kind: {e}"));
        let not_json = |e: serde_json::Error| Error::file(path, format!("not a tokenizer of Hugging Face's kind: {e}"));
        let described: serde_json::Value = serde_json::from_slice(&bytes).map_err(not_json)?;
        // The library unwraps some of what it reads, so a file that is JSON but no tokenizer can panic it.
        let read = catch_unwind(|| tokenizers::Tokenizer::from_bytes(&bytes));
        let read = read.map_err(|_| Error::file(path, "not a tokenizer of Hugging Face's kind; copy it again"))?;
        let mut tokenizer = read.map_err(wrong)?;
        // What belongs to serving: rows are cut here, and a text is data.
        tokenizer.with_truncation(None).map_err(wrong)?;
        tokenizer.with_padding(None);
        tokenizer.set_encode_special_tokens(true);
        let largest = tokenizer.get_vocab(true).into_values().max();
        let largest = largest.ok_or_else(|| Error::file(path, "this tokenizer has no tokens"))?;
        let first = tokenizer.encode_fast("", true).map_err(wrong)?.get_ids().first().copied();
        let by_name = || BEGINNINGS.iter().find_map(|name| tokenizer.token_to_id(name));
        let beginning = first.or_else(by_name);
        let cuts = Cuts::of_json(&described);
        Ok(JsonTokenizer { tokenizer, cuts, vocabulary: largest as usize + 1, beginning })
    }

    /// The tokens of a text; none is added, and nothing in it is a special token.
    ///
    /// # Errors
    /// What the library says; whitespace that goes on for longer than its patterns can be matched over.
    pub fn encode(&self, text: &str) -> std::result::Result<Vec<u32>, String> {
        let longest = text.split(|c: char| !c.is_whitespace()).map(str::len).max().unwrap_or(0);
        if longest > LONGEST_BLANK {
            return Err(format!(
                "it has {longest} bytes of whitespace on end, more than the {LONGEST_BLANK} that tokenizer.json can be \
                 trusted with; shorten them"
            ));
        }
        let encoding = self.tokenizer.encode_fast(text, false);
        encoding.map(|e| e.get_ids().to_vec()).map_err(|e| format!("the tokenizer cannot split it: {e}"))
    }

    /// Number of tokens, special ones among them.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Where texts can be cut.
    pub(super) fn cuts(&self) -> Cuts {
        self.cuts
    }

    /// The token that begins a sequence, if there is one.
    pub fn beginning(&self) -> Option<u32> {
        self.beginning
    }
}
