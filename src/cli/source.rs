//! What a run looks at, before it is read.

use std::path::PathBuf;

use crate::data::demo;
use crate::data::sequences::Sequences;
use crate::engine::problem::Problem;
use crate::error::Result;
use crate::model::checkpoint::Checkpoint;

/// Sequences read from a text, unless n needs more: enough to turn n up, few enough to evaluate at once. A file of
/// tokens is read whole.
const TEXT_ROWS: usize = 32;

/// Where the sequences come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The text that is built in.
    Demo,
    /// A file of token rows.
    Tokens(PathBuf),
    /// A text, read as bytes.
    Text(PathBuf),
}

/// A checkpoint and sequences, not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The checkpoint's folder; `None` is the demo.
    pub checkpoint: Option<PathBuf>,
    /// The training step of a nanochat folder; `None` is the newest.
    pub step: Option<u64>,
    /// The sequences.
    pub data: Data,
}

impl Source {
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

    /// Read everything, for L_n and one sequence more.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`] and of [`Sequences`]; each names the file.
    pub fn open(&self, n: usize) -> Result<Problem> {
        let checkpoint = self.checkpoint()?;
        let rows = TEXT_ROWS.max(n + 1);
        let sequences = match &self.data {
            Data::Demo => demo::sequences(&checkpoint.config, rows)?,
            Data::Tokens(file) => Sequences::from_tokens(file, &checkpoint.config)?,
            Data::Text(file) => {
                let mut sequences = Sequences::from_text(file, &checkpoint.config)?;
                sequences.truncate(rows);
                sequences
            }
        };
        Ok(Problem { checkpoint, sequences })
    }
}
