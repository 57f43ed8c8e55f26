//! What a run looks at, before it is read.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::event::Subject;
use super::problem::Problem;
use crate::data::demo;
use crate::data::sequences::Sequences;
use crate::error::{Error, Result};
use crate::model::checkpoint::Checkpoint;

/// Sequences kept of a text, unless n needs more: enough to turn n up, few enough to evaluate at once. A file of tokens
/// is read whole.
const TEXT_ROWS: usize = 32;

/// Where the sequences come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Data {
    /// The text that is built in.
    Demo,
    /// A file of token rows.
    Tokens(PathBuf),
    /// A text, read as bytes.
    Text(PathBuf),
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
    /// The sequences.
    pub data: Data,
}

impl Source {
    /// The built-in demo.
    pub fn demo() -> Source {
        Source { checkpoint: None, step: None, data: Data::Demo }
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
            data: match &self.data {
                Data::Demo => Data::Demo,
                Data::Tokens(file) => Data::Tokens(absolute(file)?),
                Data::Text(file) => Data::Text(absolute(file)?),
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
            let path = match &self.data {
                Data::Demo => demo,
                Data::Tokens(file) | Data::Text(file) => file,
            };
            return Err(changed(path, "data", &subject.data));
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

/// What is kept of a text. A text too short for n is left to [`super::knobs::Knobs::check`], which says so.
fn cut(mut text: Sequences, n: usize) -> Sequences {
    text.truncate(TEXT_ROWS.max(n.saturating_add(1)));
    text
}

fn changed(path: &Path, what: &str, recorded: &str) -> Error {
    let short: String = recorded.chars().take(8).collect();
    Error::file(
        path,
        format!("this is not the {what} of the session (fingerprint {short}…); put that one back to go on"),
    )
}
