//! `eigentop` without a command: the dashboard.

use std::io::{IsTerminal, Write};

use clap::Args;
use tokio::sync::mpsc;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::recording::{SessionFlag, recorder};
use super::screen::ScreenFlags;
use crate::engine::event::Stamped;
use crate::engine::knobs::Knobs;
use crate::engine::readout::State;
use crate::engine::worker::{self, Run, Sink, Wanted};
use crate::error::{Error, Result};
use crate::session::Recorder;
use crate::ui;

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
/// No terminal; a theme that cannot be used; whatever stopped the run, in the words of the worker.
pub fn run(args: DashboardArgs, config: &Config) -> Result<Outcome> {
    terminal()?;
    let source = args.source.source();
    let options = args.options.or(&config.0);
    let (knobs, settings) = (spread(options.knobs()), options.settings());
    let mut screen = args.screen.options(options.theme.as_ref());
    let recorder = recorder(&options, args.session, &knobs)?;
    if let Some(recorder) = recorder.clone() {
        screen.save = Some(Box::new(move |name| recorder.save_as(name)));
    }

    let (send, events) = mpsc::unbounded_channel::<Stamped>();
    let forward: Sink = Box::new(move |event| {
        // The dashboard may have closed already; the recorder still gets what comes.
        let _ = send.send(event.clone());
    });
    let sink = match &recorder {
        Some(recorder) => recorder.sink(forward),
        None => forward,
    };
    let n = knobs.n;
    let worker = worker::spawn(move || source.open(n), settings, Wanted { knobs, run: Run::Going }, sink)?;
    let name = recorder.as_ref().and_then(Recorder::name);
    let outcome = ui::run(ui::Source::Live { worker, events, name }, screen)?;

    if let Some(name) = recorder.as_ref().and_then(Recorder::name) {
        // A terminal that went away with the dashboard has nobody to read this.
        let _ = writeln!(std::io::stdout(), "session {name}: eigentop replay {name}");
    }
    match outcome.readout.state {
        State::Failed(message) => Err(Error::Computation(message)),
        State::Loading | State::Running(_) | State::Idle => Ok(Outcome::Done),
    }
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
