//! `eigentop replay`: a recorded session, shown, reported or pictured again.

use std::path::{Path, PathBuf};

use clap::Args;

use super::dashboard::terminal;
use super::screen::ScreenFlags;
use super::show::{self, Replay, Show};
use super::values::{Positive, Size};
use super::{Invoked, Outcome, folders, output, settle};
use crate::error::{Error, Result};
use crate::report::{self, Document, Format};
use crate::session::{self, Session};
use crate::ui;
use crate::ui::state::{App, Compared};

/// Flags of `eigentop replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Name of a session, or the path of its folder.
    session: String,
    /// Recorded seconds shown in a second.
    #[arg(long, default_value = "1", allow_negative_numbers = true)]
    speed: Positive,
    /// Draw this session beside it, told apart by sign and label.
    #[arg(long, value_name = "SESSION", conflicts_with = "headless")]
    compare: Option<String>,
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
    /// Columns and rows of the picture; of several, such as 120x40,200x60, each goes to a file that carries its size.
    #[arg(long, default_value = "120x40", value_delimiter = ',', requires = "picture")]
    size: Vec<Size>,
    #[command(flatten)]
    screen: ScreenFlags,
}

/// Run it.
///
/// # Errors
/// A session that does not exist or cannot be read; no terminal; a theme that cannot be used.
pub fn run(args: ReplayArgs, invoked: &Invoked) -> Result<Outcome> {
    let store = folders::sessions()?;
    let session = session::read(&store.find(&args.session)?)?;
    if args.headless {
        return headless(&session, args.format.unwrap_or(Format::Table), args.out.as_deref());
    }
    let compared = match &args.compare {
        Some(name) => {
            let other = session::read(&store.find(name)?)?;
            Some(Compared { name: other.name(), readout: other.readout() })
        }
        None => None,
    };
    if let Some(path) = args.picture {
        // A picture is the same whatever terminal it is asked for in, and has signs for everything.
        let theme = args.screen.theme(&invoked.config.0, || "dark".to_owned())?;
        let marker = args.screen.over(&invoked.config.0).marker.unwrap_or_default();
        let mut app = App::still(session.readout(), theme);
        (app.marker, app.compared) = (marker, compared);
        for size in &args.size {
            let file = if args.size.len() > 1 { sized(&path, *size) } else { path.clone() };
            output::write(&ui::picture::of_app(&app, (size.0, size.1)), Some(&file))?;
        }
        return Ok(Outcome::Done);
    }
    terminal()?;
    let options = ui::Options { compared, ..args.screen.options(invoked, &invoked.config.0)? };
    show::run(Show::Replay(Replay { session, speed: args.speed.0, at: None }), options)
}

/// `dashboard.svg` as `dashboard-120x40.svg`.
fn sized(path: &Path, size: Size) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = PathBuf::from(format!("{stem}-{}x{}", size.0, size.1));
    path.with_file_name(match path.extension() {
        Some(extension) => name.with_extension(extension),
        None => name,
    })
}

fn headless(session: &Session, format: Format, out: Option<&Path>) -> Result<Outcome> {
    let readout = session.readout();
    if let Some(settling) = &readout.exhibits.settle {
        output::write(&report::settle(&readout, format)?, out)?;
        return Ok(settle::outcome(settling));
    }
    let document = Document::of(&readout)
        .ok_or_else(|| Error::file(&session.folder, "the session ends before a checkpoint was opened"))?;
    output::write(&report::render(&document, format), out)?;
    Ok(Outcome::of(&readout))
}
