//! What the terminal shows, one thing after the other: a run, a recording, the list of sessions. Each ends with where
//! the user wants to go next.

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::Outcome;
use super::folders;
use super::progress::Progress;
use super::summary;
use crate::engine::event::{Event, Stamped};
use crate::engine::knobs::Knobs;
use crate::engine::problem::Problem;
use crate::engine::readout::State;
use crate::engine::worker::{self, Run, Settings, Sink, Wanted};
use crate::error::{Error, Result};
use crate::session::{self, Branch, Metadata, Naming, Origin, Recorder, Session};
use crate::ui;
use crate::ui::knob::Knob;
use crate::ui::state::{Next, Notice};

/// Reading that takes longer than this is said.
const AT_ONCE: Duration = Duration::from_millis(200);

/// What to show.
pub enum Show {
    /// A run.
    Live(Live),
    /// A recording.
    Replay(Replay),
    /// The list of sessions.
    Sessions,
}

/// A run to begin.
pub struct Live {
    /// Reads checkpoint and data.
    pub open: Box<dyn FnOnce() -> Result<Problem> + Send>,
    /// The knobs at the start.
    pub knobs: Knobs,
    /// What is fixed for the run.
    pub settings: Settings,
    /// Records it, if it is to be recorded.
    pub recorder: Option<Recorder>,
}

/// A recording to play.
pub struct Replay {
    /// The recording.
    pub session: Session,
    /// Recorded seconds a second.
    pub speed: f64,
    /// Recorded seconds at which to begin, held.
    pub at: Option<f64>,
}

/// Show `first`, and then whatever the user goes to from there.
///
/// # Errors
/// What cannot be opened at the first; the terminal; whatever stopped a run. A session from which no run can branch is
/// shown again with the reason.
pub fn run(first: Show, mut options: ui::Options) -> Result<Outcome> {
    let mut show = first;
    loop {
        let (left, from) = match show {
            Show::Live(live) => (self::live(live, options)?, None),
            Show::Sessions => (ui::run(ui::Source::Sessions, options)?, None),
            Show::Replay(replay) => (self::replay(&replay, options)?, Some(replay)),
        };
        options = left.options;
        show = match (left.next, from) {
            (None, _) | (Some(Next::Branch { .. }), None) => return Ok(Outcome::Done),
            (Some(Next::Replay(name)), _) => {
                let session = session::read(&folders::sessions()?.find(&name)?)?;
                Show::Replay(Replay { session, speed: 1.0, at: None })
            }
            (Some(Next::Branch { t, knobs }), Some(from)) => match branch(&from.session, t, knobs) {
                Ok(live) => Show::Live(live),
                Err(e) => {
                    options.notice = Some(Notice::Refused(e.to_string()));
                    Show::Replay(Replay { at: Some(t), ..from })
                }
            },
        };
    }
}

fn replay(replay: &Replay, options: ui::Options) -> Result<ui::Outcome> {
    let (events, name) = (replay.session.events.clone(), replay.session.name());
    ui::run(ui::Source::Replay { events, speed: replay.speed, name, at: replay.at }, options)
}

/// A run that goes on from a moment of a session: same checkpoint, same data, the knobs of that moment.
///
/// # Errors
/// Files that are gone or no longer those of the session.
fn branch(session: &Session, t: f64, knobs: Knobs) -> Result<Live> {
    let metadata = Metadata::read(&session.folder)?;
    let source = metadata.source()?;
    // A text is cut for the n of the start, so the same n gives the same sequences.
    let problem = source.reopen(metadata.knobs.n, &metadata.subject)?;
    let settings = metadata.settings();
    let recorder = Recorder::new(folders::sessions()?, Naming::Automatic, knobs.clone(), metadata.memory)?;
    let branched_from = Some(Branch { session: session.name(), t });
    recorder.set_origin(Origin { source: Some(source), branched_from });
    Ok(Live { open: Box::new(move || Ok(problem)), knobs, settings, recorder: Some(recorder) })
}

fn live(live: Live, mut options: ui::Options) -> Result<ui::Outcome> {
    let Live { open, knobs, settings, recorder } = live;
    for knob in Knob::ALL {
        let setting = options.settings.iter_mut().find(|setting| setting.key == knob.command());
        setting.into_iter().for_each(|setting| setting.value = knob.setting(&knobs));
    }
    let save = recorder.clone().map(|recorder| Box::new(move |name: &str| recorder.save_as(name)) as ui::Save);
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
    let worker = worker::spawn(open, settings, Wanted { knobs, run: Run::Going }, sink)?;
    opened(&opening)?;
    let name = recorder.as_ref().and_then(Recorder::name);
    let outcome = ui::run(ui::Source::Live { worker, events, name, save }, options)?;

    let mut farewell = summary::of(&outcome.readout);
    if let Some(name) = recorder.as_ref().and_then(Recorder::name) {
        farewell += &format!("session {name}: eigentop replay {name}\n");
    }
    // A terminal that went away with the dashboard has nobody to read this.
    let _ = std::io::stdout().write_all(farewell.as_bytes());
    match &outcome.readout.state {
        State::Failed(message) => Err(Error::Computation(message.clone())),
        State::Loading | State::Running(_) | State::Idle => Ok(outcome),
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
