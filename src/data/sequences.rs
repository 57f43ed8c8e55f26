//! Training sequences: rows of tokens and, shifted by one, their targets.

use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;

use crate::data::documents::{DocumentBatch, Documents};
use crate::data::packing;
use crate::data::text;
use crate::data::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::file::{Readers, read_plain, replace};
use crate::model::architecture::Limits;

/// Tokens in a row at least: in a row of one there is nothing to look back at.
pub const SHORTEST: usize = 2;

/// Refuse a length for rows of tokens.
///
/// # Errors
/// [`Error::Knob`], if one was asked for.
pub fn own_length(asked: Option<usize>) -> Result<()> {
    let what = "rows of tokens have a length of their own; leave it out";
    asked.map_or(Ok(()), |_| Err(Error::knob("--length", what)))
}

/// Tokens in each row that is cut from a text or packed from documents: as many as were asked for, otherwise as many as
/// the model takes.
///
/// # Errors
/// [`Error::Knob`], if that is fewer than [`SHORTEST`] or more than the model takes.
pub fn row_length(asked: Option<usize>, config: impl Into<Limits>) -> Result<usize> {
    let context = config.into().sequence_len;
    match asked {
        Some(length) if !(SHORTEST..=context).contains(&length) => {
            Err(Error::knob("--length", format!("rows of {length} tokens; this model takes {SHORTEST} to {context}")))
        }
        asked => Ok(asked.unwrap_or(context)),
    }
}

/// Rows of equal length: position t of a row of `inputs` is a token, and of `targets` the token that follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequences {
    /// Short name for the screen.
    pub name: String,
    /// Tokens, one row a sequence.
    pub inputs: Vec<Vec<u32>>,
    /// Next tokens, in the shape of `inputs`.
    pub targets: Vec<Vec<u32>>,
}

impl Sequences {
    /// Read `{"inputs": [[…]], "targets": [[…]]}`, the form of `--tokens`.
    ///
    /// # Errors
    /// An unreadable file; rows that are not of one length, longer than the model's sequences, or with a token outside
    /// its vocabulary, each naming the row and column.
    pub fn from_tokens(path: &Path, config: impl Into<Limits>) -> Result<Sequences> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Tokens {
            inputs: Vec<Vec<i64>>,
            targets: Vec<Vec<i64>>,
        }
        let limits = config.into();
        let text = read_plain(path, u64::MAX)?;
        let Tokens { inputs, targets } = serde_json::from_slice(&text)
            .map_err(|e| Error::file(path, format!("not token rows {{\"inputs\": [[…]], \"targets\": [[…]]}}: {e}")))?;
        let rows = |field, rows: Vec<Vec<i64>>| narrow(field, &rows, limits).map_err(|what| Error::file(path, what));
        let (inputs, targets) = (rows("inputs", inputs)?, rows("targets", targets)?);
        let sequences = Sequences { name: label(path), inputs, targets };
        sequences.check(limits).map_err(|what| Error::file(path, what))?;
        Ok(sequences)
    }

    /// Write the rows in the form of `--tokens`. The file appears whole or not at all.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn save(&self, path: &Path) -> Result<()> {
        let tokens = serde_json::json!({"inputs": self.inputs, "targets": self.targets});
        replace(path, format!("{tokens}\n").as_bytes(), Readers::Usual)
    }

    /// Read at most `rows` rows of a text, the form of `--text`: its tokens as they are, none added, cut as
    /// [`Sequences::cut`] does. What lies behind the tokens that are needed is not read, see [`text`].
    ///
    /// # Errors
    /// Those of [`text::first_tokens`]; a text too short for a single row.
    pub fn from_text(path: &Path, tokenizer: &Tokenizer, len: usize, rows: usize) -> Result<Sequences> {
        let tokens = text::first_tokens(path, tokenizer, rows.saturating_mul(len).saturating_add(1))?;
        Sequences::cut(&label(path), &tokens, len).map_err(|what| Error::file(path, what))
    }

    /// Cut tokens into consecutive rows of `len` that do not overlap; a row's last target is the first token of the next
    /// row. A rest too short for a row is left out.
    ///
    /// # Errors
    /// A message, when not one row can be cut; the caller knows the file.
    pub fn cut(name: &str, tokens: &[u32], len: usize) -> std::result::Result<Sequences, String> {
        if tokens.len() <= len {
            return Err(format!("{} tokens are too few: one row takes {} (--text)", tokens.len(), len + 1));
        }
        let rows = |tokens: &[u32]| tokens.chunks_exact(len).map(<[u32]>::to_vec).collect();
        Ok(Sequences { name: name.to_owned(), inputs: rows(&tokens[..tokens.len() - 1]), targets: rows(&tokens[1..]) })
    }

    /// Read at most `rows` rows from a parquet shard or a folder of shards, the form of `--shards`: documents packed as
    /// nanochat packs them, see [`packing`]. What lies behind the documents that are needed is not read.
    ///
    /// # Errors
    /// A shard that cannot be read; a tokenizer without a token that begins a sequence, as bytes are; documents too few
    /// for a row.
    pub fn from_shards(path: &Path, tokenizer: &Tokenizer, len: usize, rows: usize) -> Result<Sequences> {
        let beginning = tokenizer.beginning().ok_or_else(|| {
            let none = match tokenizer {
                Tokenizer::Bytes => "where each byte is a token there is none, for all 256 of them are bytes",
                Tokenizer::Bpe(_) | Tokenizer::Json(_) => "this tokenizer has none",
            };
            let what = format!("packed rows begin with a token for that, and {none}; give another, or --text");
            Error::knob("--tokenizer", what)
        })?;
        let mut documents = Documents::open(path)?;
        let tokens = |batch: DocumentBatch| {
            let document = |text: &[u8]| {
                let tokens = tokenizer.encode(text).map_err(|what| Error::file(&batch.shard, what))?;
                Ok(std::iter::once(beginning).chain(tokens).collect())
            };
            batch.texts.par_iter().map(|text| document(text.data())).collect::<Result<Vec<Vec<u32>>>>()
        };
        let packed = packing::pack(rows, len + 1, || documents.next_batch()?.map(tokens).transpose())?;
        if packed.is_empty() {
            return Err(Error::file(path, format!("the documents here are too few for one row of {} tokens", len + 1)));
        }
        Ok(Sequences {
            name: label(path),
            inputs: packed.iter().map(|row| row[..len].to_vec()).collect(),
            targets: packed.iter().map(|row| row[1..].to_vec()).collect(),
        })
    }

    /// Check the rows against a model.
    ///
    /// # Errors
    /// A message with the row and column at fault (both from 0); the caller knows the file.
    pub fn check(&self, config: impl Into<Limits>) -> std::result::Result<(), String> {
        let limits = config.into();
        if self.inputs.is_empty() {
            return Err("there are no rows".into());
        }
        if self.inputs.len() != self.targets.len() {
            return Err(format!("inputs has {} rows but targets has {}", self.inputs.len(), self.targets.len()));
        }
        let len = self.inputs[0].len();
        if len == 0 || len > limits.sequence_len {
            return Err(format!("rows have {len} tokens; this model takes 1 to {}", limits.sequence_len));
        }
        for (field, rows) in [("inputs", &self.inputs), ("targets", &self.targets)] {
            for (r, row) in rows.iter().enumerate() {
                if row.len() != len {
                    return Err(format!("{field} row {r} has {} tokens, but inputs row 0 has {len}", row.len()));
                }
                if let Some(c) = row.iter().position(|&token| token as usize >= limits.vocab_size) {
                    return Err(outside(field, r, c, i64::from(row[c]), limits));
                }
            }
        }
        Ok(())
    }

    /// Number of sequences.
    pub fn rows(&self) -> usize {
        self.inputs.len()
    }

    /// Tokens in each sequence.
    pub fn row_len(&self) -> usize {
        self.inputs.first().map_or(0, Vec::len)
    }

    /// Keep at most the first `rows` sequences.
    pub fn truncate(&mut self, rows: usize) {
        self.inputs.truncate(rows);
        self.targets.truncate(rows);
    }

    /// BLAKE3 of the rows (shape as u64, tokens as u32, little endian), in hexadecimal.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(self.rows() as u64).to_le_bytes()).update(&(self.row_len() as u64).to_le_bytes());
        for row in self.inputs.iter().chain(&self.targets) {
            let bytes: Vec<u8> = row.iter().flat_map(|token| token.to_le_bytes()).collect();
            hasher.update(&bytes);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Rows as they were written, as tokens; [`Sequences::check`] sees only what fits a token's type.
fn narrow(field: &str, rows: &[Vec<i64>], limits: Limits) -> std::result::Result<Vec<Vec<u32>>, String> {
    let token = |r, c, token: i64| u32::try_from(token).map_err(|_| outside(field, r, c, token, limits));
    rows.iter().enumerate().map(|(r, row)| row.iter().enumerate().map(|(c, &x)| token(r, c, x)).collect()).collect()
}

fn outside(field: &str, row: usize, column: usize, token: i64, limits: Limits) -> String {
    let vocab = limits.vocab_size;
    format!("{field} row {row}, column {column}: token {token} is outside the vocabulary of {vocab}")
}

/// The file's name without its folder.
fn label(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
