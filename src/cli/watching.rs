//! Following a run without a screen: a line of progress, Ctrl-C in good order, the readout at the end.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use super::progress::{Progress, named};
use crate::engine::event::Stamped;
use crate::engine::readout::{Readout, State};
use crate::engine::worker::{Sink, Worker};
use crate::error::{Error, Result};
use crate::session::Recorder;

/// How often a silent worker is asked whether it is still there.
const POLL: Duration = Duration::from_millis(200);

/// What reaches the front end while the worker computes.
enum Message {
    Event(Box<Stamped>),
    Interrupted,
}

/// How a run ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All is complete.
    Complete,
    /// By Ctrl-C.
    Interrupted,
}

/// Start a worker, compute until all is complete, and fold what happens.
///
/// # Errors
/// Whatever stopped the run, in the words of the worker; an interrupt, with the session that keeps what was computed.
pub fn fold(spawn: impl FnOnce(Sink) -> Result<Worker>, recorder: Option<&Recorder>) -> Result<Readout> {
    fold_named("", spawn, recorder)
}

/// The same for one of several runs, named on the line of progress.
///
/// # Errors
/// As [`fold`].
pub fn fold_named(
    name: &str,
    spawn: impl FnOnce(Sink) -> Result<Worker>,
    recorder: Option<&Recorder>,
) -> Result<Readout> {
    match follow_named(name, spawn, recorder)? {
        (readout, Ended::Complete) => Ok(readout),
        (_, Ended::Interrupted) => Err(interrupted("what was computed", recorder)),
    }
}

/// The same, where an interrupt is an end like another: all that the worker still says on its way out is heard.
///
/// # Errors
/// Whatever stopped the run, in the words of the worker.
pub fn follow(spawn: impl FnOnce(Sink) -> Result<Worker>, recorder: Option<&Recorder>) -> Result<(Readout, Ended)> {
    follow_named("", spawn, recorder)
}

fn follow_named(
    name: &str,
    spawn: impl FnOnce(Sink) -> Result<Worker>,
    recorder: Option<&Recorder>,
) -> Result<(Readout, Ended)> {
    let (send, receive) = mpsc::channel();
    interrupts(send.clone())?;
    let forward: Sink = Box::new(move |event| {
        // The front end may have left already; the recorder still gets what comes.
        let _ = send.send(Message::Event(Box::new(event.clone())));
    });
    let worker = spawn(match recorder {
        Some(recorder) => recorder.sink(forward),
        None => forward,
    })?;

    let mut readout = Readout::default();
    let mut progress = Progress::new();
    let result = loop {
        match receive.recv_timeout(POLL) {
            Ok(Message::Event(event)) => readout.apply(&event),
            Ok(Message::Interrupted) => break Ok(Ended::Interrupted),
            // Asked in this order, a last word said between the two is heard in the next round.
            Err(RecvTimeoutError::Timeout) if !worker.is_finished() => (),
            Err(_) => break Err(Error::Computation("the engine ended without a word; this is a defect".into())),
        }
        match &readout.state {
            State::Idle => break Ok(Ended::Complete),
            State::Failed(message) => break Err(Error::Computation(message.clone())),
            State::Loading | State::Running(_) => progress.show(|| named(name, &readout)),
        }
    };
    progress.clear();
    worker.stop();
    let ended = result?;
    for message in receive.try_iter() {
        if let Message::Event(event) = message {
            readout.apply(&event);
        }
    }
    match &readout.state {
        State::Failed(message) => Err(Error::Computation(message.clone())),
        _ => Ok((readout, ended)),
    }
}

/// The error of an interrupted run of which `what` is kept in its session.
pub fn interrupted(what: &str, recorder: Option<&Recorder>) -> Error {
    Error::Computation(match recorder.and_then(Recorder::name) {
        Some(name) => format!("interrupted; {what} is kept as session {name}"),
        None => "interrupted".to_owned(),
    })
}

/// Send a message for the first Ctrl-C, so that the run ends in good order; end at once at the second.
fn interrupts(send: Sender<Message>) -> Result<()> {
    let system = |e| Error::Computation(format!("the system refused to watch for Ctrl-C: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let watch = async move {
        if tokio::signal::ctrl_c().await.is_ok() && send.send(Message::Interrupted).is_ok() {
            // The slice under way is still computed; who asks again does not want to wait for it.
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(1);
            }
        }
    };
    std::thread::Builder::new().name("interrupts".into()).spawn(move || runtime.block_on(watch)).map_err(system)?;
    Ok(())
}
