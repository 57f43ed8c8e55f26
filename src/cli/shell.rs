//! What other programs read of the command line: completions for shells, manual pages.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Outcome, output};
use crate::error::{Error, Result};

/// Flags of `eigentop completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Run `eigentop completions`.
///
/// # Errors
/// What the system refuses.
pub fn completions(args: &CompletionsArgs) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "eigentop", &mut script);
    output::write(&String::from_utf8_lossy(&script), None)?;
    Ok(Outcome::Done)
}

/// Flags of `eigentop man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write the pages of all commands into this folder instead of the main page to standard output.
    #[arg(long, value_name = "FOLDER")]
    to: Option<PathBuf>,
}

/// Run `eigentop man`.
///
/// # Errors
/// What the system refuses.
pub fn man(args: &ManArgs) -> Result<Outcome> {
    if let Some(folder) = &args.to {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        clap_mangen::generate_to(Cli::command(), folder).map_err(Error::io(folder))?;
        return Ok(Outcome::Done);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|e| Error::Computation(e.to_string()))?;
    output::write(&String::from_utf8_lossy(&page), None)?;
    Ok(Outcome::Done)
}
