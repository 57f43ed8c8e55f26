//! What a run looks at, before it is read.

use std::path::PathBuf;

use crate::data::demo;
use crate::data::sequences::Sequences;
use crate::engine::problem::Problem;
use crate::error::Result;
use crate::model::checkpoint::Checkpoint;

/// Sequences kept of a text, unless n needs more: enough to turn n up, few enough to evaluate at once. A file of tokens
/// is read whole.
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

    /// Read everything, for L_n and one sequence more if there are as many.
    ///
    /// # Errors
    /// Those of [`Checkpoint::open`] and of [`Sequences`]; each names the file.
    pub fn open(&self, n: usize) -> Result<Problem> {
        let checkpoint = self.checkpoint()?;
        let sequences = match &self.data {
            Data::Demo => cut(demo::text(&checkpoint.config)?, n),
            Data::Tokens(file) => Sequences::from_tokens(file, &checkpoint.config)?,
            Data::Text(file) => cut(Sequences::from_text(file, &checkpoint.config)?, n),
        };
        Ok(Problem { checkpoint, sequences })
    }
}

/// What is kept of a text. A text too short for n is left to [`crate::engine::knobs::Knobs::check`], which says so.
fn cut(mut text: Sequences, n: usize) -> Sequences {
    text.truncate(TEXT_ROWS.max(n.saturating_add(1)));
    text
}
