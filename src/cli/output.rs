//! Writing results: to standard output, or whole or not at all to a file.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{Error, Result};
use crate::file::{Readers, replace};
use crate::report::Format;

/// Where and how to write a result.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputFlags {
    /// Form of the result.
    #[arg(long, value_enum, default_value = "table")]
    pub format: Format,
    /// Write to this file instead of standard output; the file appears whole or not at all.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Write `text` to `out`, or to standard output.
///
/// # Errors
/// What the system refuses. A reader that closed standard output has had enough, which is no error.
pub fn write(text: &str, out: Option<&Path>) -> Result<()> {
    let Some(path) = out else {
        let mut stdout = std::io::stdout().lock();
        return match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(e) if e.kind() != ErrorKind::BrokenPipe => Err(Error::io(Path::new("standard output"))(e)),
            _ => Ok(()),
        };
    };
    replace(path, text.as_bytes(), Readers::Usual)
}
