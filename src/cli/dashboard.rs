//! `eigentop` without a command: the dashboard.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use clap::Args;
use tokio::sync::mpsc;

use super::flags::{Options, SourceFlags};
use super::progress::Progress;
use super::recording::{SessionFlag, recorder};
use super::screen::ScreenFlags;
use super::{Invoked, Outcome, summary};
use crate::engine::event::{Event, Stamped};
use crate::engine::knobs::Knobs;
use crate::engine::readout::State;
use crate::engine::worker::{self, Run, Sink, Wanted};
use crate::error::{Error, Result};
use crate::session::Recorder;
use crate::ui::{self, knob::Knob};

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

/// Reading that takes longer than this is said.
const AT_ONCE: Duration = Duration::from_millis(200);

/// Run it.
///
/// # Errors
/// No terminal; a theme that cannot be used; what cannot be opened, in the words of the worker; these before the
/// terminal is touched. Whatever stopped the run later.
pub fn run(args: DashboardArgs, invoked: &Invoked) -> Result<Outcome> {
    terminal()?;
    let source = args.source.source();
    let options = args.options.or(&invoked.config.0);
    let (knobs, settings) = (spread(options.knobs()), options.settings());
    let mut screen = args.screen.options(invoked, &options)?;
    for knob in Knob::ALL {
        let setting = screen.settings.iter_mut().find(|setting| setting.key == knob.command());
        setting.into_iter().for_each(|setting| setting.value = knob.setting(&knobs));
    }
    let recorder = recorder(&options, args.session, &knobs)?;
    if let Some(recorder) = recorder.clone() {
        screen.save = Some(Box::new(move |name| recorder.save_as(name)));
    }

    let (send, events) = mpsc::unbounded_channel::<Stamped>();
    let (tell, opening) = std::sync::mpsc::channel();
    let forward: Sink = Box::new(move |event| {
        // Nobody listens to the first once it is open, nor to the second once the dashboard has closed; the recorder
        // still gets what comes.
        let _ = match &event.event {
            Event::Opened(_) => tell.send(Ok(())),
            Event::Failed { message } => tell.send(Err(Error::Computation(message.clone()))),
            _ => Ok(()),
        };
        let _ = send.send(event.clone());
    });
    let sink = match &recorder {
        Some(recorder) => recorder.sink(forward),
        None => forward,
    };
    let n = knobs.n;
    let worker = worker::spawn(move || source.open(n), settings, Wanted { knobs, run: Run::Going }, sink)?;
    opened(&opening)?;
    let name = recorder.as_ref().and_then(Recorder::name);
    let outcome = ui::run(ui::Source::Live { worker, events, name }, screen)?;

    let mut farewell = summary::of(&outcome.readout);
    if let Some(name) = recorder.as_ref().and_then(Recorder::name) {
        farewell += &format!("session {name}: eigentop replay {name}\n");
    }
    // A terminal that went away with the dashboard has nobody to read this.
    let _ = std::io::stdout().write_all(farewell.as_bytes());
    match outcome.readout.state {
        State::Failed(message) => Err(Error::Computation(message)),
        State::Loading | State::Running(_) | State::Idle => Ok(Outcome::Done),
    }
}

/// Wait until the checkpoint is open, so that what is wrong with it is said where the command was typed.
fn opened(opening: &Receiver<Result<()>>) -> Result<()> {
    let mut progress = Progress::new();
    loop {
        match opening.recv_timeout(AT_ONCE) {
            Ok(opened) => return opened,
            Err(RecvTimeoutError::Timeout) => progress.show(|| "reading the checkpoint".to_owned()),
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Error::Computation("the engine ended without a word; this is a defect".into()));
            }
        }
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
