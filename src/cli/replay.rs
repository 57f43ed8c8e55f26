//! `eigentop replay`: a recorded session, shown or reported again.

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::folders;
use super::output::{self, OutputFlags};
use super::values::Positive;
use crate::error::{Error, Result};
use crate::report::{self, Document};
use crate::session::{self, Session};

/// Flags of `eigentop replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Name of a session, or the path of its folder.
    session: String,
    /// Write the report of the session instead of showing it.
    #[arg(long)]
    headless: bool,
    #[command(flatten)]
    output: OutputFlags,
}

/// Run it.
///
/// # Errors
/// A session that does not exist or cannot be read.
pub fn run(args: ReplayArgs, _config: &Config) -> Result<Outcome> {
    let session = session::read(&folders::sessions()?.find(&args.session)?)?;
    headless(&session, &args.output)
}

fn headless(session: &Session, output: &OutputFlags) -> Result<Outcome> {
    let document = Document::of(&session.readout())
        .ok_or_else(|| Error::file(&session.folder, "the session ends before a checkpoint was opened"))?;
    output::write(&report::render(&document, output.format), output.out.as_deref())?;
    Ok(if document.warnings.is_empty() { Outcome::Done } else { Outcome::InDoubt })
}
