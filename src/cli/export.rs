//! `eigentop export`: the figures and tables of a session as files.

use std::path::PathBuf;

use clap::Args;

use super::progress::Progress;
use super::{Outcome, folders};
use crate::error::Result;
use crate::report::export;
use crate::session;

/// Flags of `eigentop export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Name of a session, or the path of its folder.
    session: String,
    /// Folder for the files; made if need be, files of the same names are replaced.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// Run it.
///
/// # Errors
/// A session that cannot be read or has nothing in it; what the system refuses.
pub fn run(args: &ExportArgs) -> Result<Outcome> {
    let session = session::read(&folders::sessions()?.find(&args.session)?)?;
    let readout = session.readout();
    let mut progress = Progress::new();
    let exported = export::write(&readout, &args.to, &mut |what| progress.show(|| format!("drawing {what}")));
    progress.clear();
    let exported = exported?;
    for (figure, missing) in &exported.missing {
        eprintln!("eigentop: no {}: {missing}", figure.name());
    }
    println!("{} figures of {} in {}", exported.figures.len(), session.name(), args.to.display());
    Ok(Outcome::of(&readout))
}
