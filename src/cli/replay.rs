//! `eigentop replay`: a recorded session, shown, reported or pictured again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::dashboard::terminal;
use super::screen::ScreenFlags;
use super::values::{Positive, Size};
use super::{Invoked, Outcome, folders, output};
use crate::error::{Error, Result};
use crate::report::{self, Document, Format};
use crate::session::{self, Session};
use crate::ui;

/// Flags of `eigentop replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Name of a session, or the path of its folder.
    session: String,
    /// Recorded seconds shown in a second.
    #[arg(long, default_value = "1", allow_negative_numbers = true)]
    speed: Positive,
    /// Write the report of the session instead of showing it.
    #[arg(long)]
    headless: bool,
    /// Form of the report [default: table].
    #[arg(long, value_enum, requires = "headless")]
    format: Option<Format>,
    /// Write the report to this file instead of standard output; it appears whole or not at all.
    #[arg(long, value_name = "FILE", requires = "headless")]
    out: Option<PathBuf>,
    /// Draw the dashboard as it stood at the end into this SVG file instead of showing it.
    #[arg(long, value_name = "FILE", conflicts_with = "headless")]
    picture: Option<PathBuf>,
    /// Columns and rows of the picture.
    #[arg(long, default_value = "120x40", requires = "picture")]
    size: Size,
    #[command(flatten)]
    screen: ScreenFlags,
}

/// Run it.
///
/// # Errors
/// A session that does not exist or cannot be read; no terminal; a theme that cannot be used.
pub fn run(args: ReplayArgs, invoked: &Invoked) -> Result<Outcome> {
    let session = session::read(&folders::sessions()?.find(&args.session)?)?;
    if args.headless {
        return headless(&session, args.format.unwrap_or(Format::Table), args.out.as_deref());
    }
    if let Some(path) = args.picture {
        // A picture is the same whatever terminal it is asked for in.
        let theme = args.screen.theme(&invoked.config.0, || "dark".to_owned())?;
        let svg = ui::picture(&session.readout(), (args.size.0, args.size.1), &theme);
        output::write(&svg, Some(&path))?;
        return Ok(Outcome::Done);
    }
    terminal()?;
    let options = args.screen.options(invoked, &invoked.config.0)?;
    let name = session.name();
    ui::run(ui::Source::Replay { events: session.events, speed: args.speed.0, name }, options)?;
    Ok(Outcome::Done)
}

fn headless(session: &Session, format: Format, out: Option<&Path>) -> Result<Outcome> {
    let document = Document::of(&session.readout())
        .ok_or_else(|| Error::file(&session.folder, "the session ends before a checkpoint was opened"))?;
    output::write(&report::render(&document, format), out)?;
    Ok(Outcome::of(&document))
}
