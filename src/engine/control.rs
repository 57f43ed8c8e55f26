//! What the worker's threads ask between slices: go on, hold, or give up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::event::Stage;
use super::knobs::Knobs;
use super::ladder::invalidated;
use super::worker::{Run, Wanted};
use crate::error::{Error, Result};

/// How often a paused thread looks whether it may go on.
const POLL: Duration = Duration::from_millis(20);

/// What the worker is at, as the threads that interrupt it need to know.
struct Current {
    knobs: Knobs,
    stage: Stage,
    /// Knobs that could not be used; asking for them again is no reason to stop.
    rejected: Option<Knobs>,
    paused_since: Option<Instant>,
    paused: Duration,
}

/// Shared by the worker and its threads.
pub(super) struct Control {
    wanted: watch::Receiver<Wanted>,
    current: Mutex<Current>,
}

impl Control {
    pub(super) fn new(wanted: watch::Receiver<Wanted>) -> Control {
        let knobs = wanted.borrow().knobs.clone();
        let current = Current { knobs, stage: Stage::Load, rejected: None, paused_since: None, paused: Duration::ZERO };
        Control { wanted, current: Mutex::new(current) }
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Called before every slice: waits while paused.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when the worker should stop or the stage under way depends on a knob that has moved.
    pub(super) fn check(&self) -> Result<()> {
        loop {
            if self.wanted.has_changed().is_err() {
                return Err(Error::Cancelled);
            }
            let wanted = self.wanted.borrow().clone();
            let mut current = self.current();
            match wanted.run {
                Run::Stopping => return Err(Error::Cancelled),
                Run::Paused => {
                    current.paused_since.get_or_insert_with(Instant::now);
                }
                Run::Going => {
                    if let Some(since) = current.paused_since.take() {
                        current.paused += since.elapsed();
                    }
                    let moved = current.rejected.as_ref() != Some(&wanted.knobs)
                        && invalidated(&current.knobs, &wanted.knobs).is_some_and(|first| first <= current.stage);
                    return if moved { Err(Error::Cancelled) } else { Ok(()) };
                }
            }
            drop(current);
            std::thread::sleep(POLL);
        }
    }

    /// The wanted knobs, if they differ from those in force and were not rejected.
    pub(super) fn moved(&self) -> Option<Knobs> {
        let wanted = self.wanted.borrow().knobs.clone();
        let current = self.current();
        (wanted != current.knobs && current.rejected.as_ref() != Some(&wanted)).then_some(wanted)
    }

    /// Put knobs into force.
    pub(super) fn adopt(&self, knobs: Knobs) {
        let mut current = self.current();
        current.knobs = knobs;
        current.rejected = None;
    }

    /// Remember knobs that cannot be used.
    pub(super) fn reject(&self, knobs: Knobs) {
        self.current().rejected = Some(knobs);
    }

    /// The knobs in force.
    pub(super) fn knobs(&self) -> Knobs {
        self.current().knobs.clone()
    }

    /// Say which stage is under way.
    pub(super) fn enter(&self, stage: Stage) {
        self.current().stage = stage;
    }

    /// Time spent paused so far.
    pub(super) fn paused(&self) -> Duration {
        self.current().paused
    }

    /// Whether the worker should end.
    pub(super) fn stopping(&self) -> bool {
        self.wanted.has_changed().is_err() || self.wanted.borrow().run == Run::Stopping
    }

    /// Block until the worker should end or knobs are wanted that are neither in force nor rejected.
    pub(super) fn wait(&self) {
        let mut wanted = self.wanted.clone();
        loop {
            // Seen before it is looked at, so that a change in between is not slept through.
            wanted.mark_unchanged();
            if self.stopping() || self.moved().is_some() || futures::executor::block_on(wanted.changed()).is_err() {
                return;
            }
        }
    }
}
