//! `eigentop` without a command: the dashboard.

use std::io::IsTerminal;

use clap::Args;

use super::flags::{Options, SourceFlags};
use super::recording::{SessionFlag, recorder};
use super::screen::ScreenFlags;
use super::show::{self, Live, Show};
use super::values::Exhibits;
use super::{Invoked, Outcome};
use crate::engine::knobs::Knobs;
use crate::error::{Error, Result};

/// Flags of the dashboard.
#[derive(Debug, Args)]
pub struct DashboardArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    session: SessionFlag,
    #[command(flatten)]
    screen: ScreenFlags,
}

/// Run it.
///
/// # Errors
/// No terminal; a theme that cannot be used; what cannot be opened, in the words of the worker; these before the
/// terminal is touched. Whatever stopped the run later.
pub fn run(args: DashboardArgs, invoked: &Invoked) -> Result<Outcome> {
    terminal()?;
    let source = args.source.source()?;
    let mut options = args.options.or(&invoked.config.0);
    // The panes have room for all of it, and it comes last: nothing waits for it.
    options.exhibits.get_or_insert_with(Exhibits::all);
    let (knobs, settings) = (spread(options.knobs()), options.settings());
    let screen = args.screen.options(invoked, &options)?;
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    let n = knobs.n;
    show::run(Show::Live(Live { open: Box::new(move || source.open(n)), knobs, settings, recorder }), screen)
}

/// Refuse to draw where nobody would see it.
///
/// # Errors
/// If standard output is no terminal.
pub fn terminal() -> Result<()> {
    if std::io::stdout().is_terminal() {
        return Ok(());
    }
    let what = "standard output is no terminal; use `eigentop measure` or `eigentop replay SESSION --headless`";
    Err(Error::Computation(what.into()))
}

/// A single k fills the ratio pane with the dimensions below it, as turning the knob does.
fn spread(mut knobs: Knobs) -> Knobs {
    if let [k] = knobs.ks[..] {
        knobs.set_k(k);
    }
    knobs
}
