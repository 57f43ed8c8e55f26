//! Runs of the worker, followed event by event.

#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use eigentop::data::sequences::Sequences;
use eigentop::engine::event::{Event, Stamped};
use eigentop::engine::knobs::{Knobs, Precision};
use eigentop::engine::problem::{Landscape, Problem};
use eigentop::engine::readout::{Readout, State};
use eigentop::engine::worker::{Run, Settings, Wanted, Worker, spawn};
use eigentop::error::Result;
use eigentop::model::checkpoint::Checkpoint;
use serde_json::Value;

/// The folder of a fixture.
pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// What another implementation found on it.
pub fn golden(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder(name).join("golden.json")).unwrap()).unwrap()
}

/// Reads a fixture.
pub fn fixture(name: &'static str) -> impl FnOnce() -> Result<Problem> + Send + 'static {
    move || {
        let checkpoint = Checkpoint::open(&folder(name), None)?;
        let sequences = Sequences::from_tokens(&folder(name).join("tokens.json"), &checkpoint.config)?;
        Ok(Problem { checkpoint, sequences })
    }
}

/// Two threads on the processor, with as much memory as there is.
pub fn settings(precision: Precision) -> Settings {
    Settings { precision, device: "cpu".into(), threads: 2, memory: None }
}

/// Start a worker and listen to it.
pub fn start<L: Landscape + 'static>(
    open: impl FnOnce() -> Result<L> + Send + 'static,
    precision: Precision,
    knobs: Knobs,
) -> (Worker, mpsc::Receiver<Stamped>) {
    let (send, receive) = mpsc::channel();
    let sink = Box::new(move |e: &Stamped| {
        let _ = send.send(e.clone());
    });
    (spawn(open, settings(precision), Wanted { knobs, run: Run::Going }, sink).unwrap(), receive)
}

/// Fold events until `until` holds.
pub fn fold(readout: &mut Readout, events: &mpsc::Receiver<Stamped>, until: impl Fn(&Readout, &Event) -> bool) {
    loop {
        let stamped = events.recv_timeout(Duration::from_secs(300)).expect("the worker went silent");
        readout.apply(&stamped);
        if let State::Failed(message) = &readout.state {
            panic!("{message}");
        }
        if until(readout, &stamped.event) {
            return;
        }
    }
}

/// How far a run is followed.
#[derive(Clone, Copy, PartialEq)]
pub enum Depth {
    /// Until the quadratic model on the subspace is known.
    Coefficients,
    /// Until all stages are complete.
    Everything,
}

/// A run followed so far.
pub fn run<L: Landscape + 'static>(
    open: impl FnOnce() -> Result<L> + Send + 'static,
    precision: Precision,
    knobs: Knobs,
    depth: Depth,
) -> Readout {
    let (worker, events) = start(open, precision, knobs);
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| match depth {
        Depth::Coefficients => r.quadratic().is_some(),
        Depth::Everything => r.state == State::Idle,
    });
    worker.stop();
    readout
}
