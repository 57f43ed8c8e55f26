//! Sends events out, stamped, and keeps the worker's own readout of them.

use std::sync::Arc;
use std::time::Instant;

use super::control::Control;
use super::event::{Event, Level, Stage, Stamped, Work};
use super::ladder::invalidated;
use super::lints;
use super::readout::{Readout, Standing};
use super::worker::Sink;
use crate::error::{Error, Result};

/// The worker's mouth.
pub(super) struct Emitter {
    sink: Sink,
    began: Instant,
    /// What the front ends know, for the warnings and to see which draws exist.
    pub(super) readout: Readout,
    pub(super) control: Arc<Control>,
    /// Work done in the stage under way; `seconds` is filled in when it is sent.
    pub(super) work: Work,
    stage: Stage,
    stage_began: f64,
}

impl Emitter {
    pub(super) fn new(sink: Sink, control: Arc<Control>) -> Emitter {
        let readout = Readout::default();
        let work = Work::default();
        Emitter { sink, began: Instant::now(), readout, control, work, stage: Stage::Load, stage_began: 0.0 }
    }

    pub(super) fn emit(&mut self, event: Event) {
        let stamped = Stamped { t: self.began.elapsed().as_secs_f64(), event };
        self.readout.apply(&stamped);
        (self.sink)(&stamped);
    }

    pub(super) fn log(&mut self, text: impl Into<String>) {
        self.emit(Event::Log { level: Level::Info, text: text.into() });
    }

    /// Begin a stage that expects `total` steps.
    pub(super) fn begin(&mut self, stage: Stage, total: usize) {
        self.control.enter(stage);
        (self.stage, self.work, self.stage_began) = (stage, Work::default(), self.computing());
        self.progress(0, total);
    }

    /// Report progress in the stage under way.
    pub(super) fn progress(&mut self, done: usize, total: usize) {
        let (stage, work) = (self.stage, self.spent());
        self.emit(Event::Progress { stage, done, total: total.max(done), work });
    }

    /// The stage under way is complete.
    pub(super) fn complete(&mut self) {
        let (stage, work) = (self.stage, self.spent());
        self.emit(Event::Done { stage, work });
        self.warn();
    }

    /// Every warning that holds now and is not yet in force.
    fn warn(&mut self) {
        for (name, message) in lints::check(&self.readout) {
            if self.readout.warnings.get(&name) != Some(&message) {
                self.emit(Event::Warning { name, message });
            }
        }
    }

    /// What `stage` found before still holds: say so where moved knobs had put it in question.
    pub(super) fn still_holds(&mut self, stage: Stage) {
        if self.readout.standing(stage) != Standing::Complete {
            let work = self.readout.stages.get(&stage).map_or(Work::default(), |s| s.work);
            self.emit(Event::Done { stage, work });
            // Moved knobs took the warnings back; those of what still holds are due again.
            self.warn();
        }
    }

    /// Put moved knobs into force if the stage under way does not depend on them; called between slices on the worker's
    /// own thread.
    pub(super) fn tick(&mut self) {
        if let Some(knobs) = self.control.moved() {
            let first = invalidated(&self.control.knobs(), &knobs);
            if first.is_none_or(|first| first > self.stage) {
                self.adopt();
            }
        }
    }

    /// Put the wanted knobs into force if they can be used; otherwise say why and keep those in force.
    pub(super) fn adopt(&mut self) {
        let Some(knobs) = self.control.moved() else { return };
        let (sequences, parameters) =
            self.readout.subject.as_ref().map_or((usize::MAX, usize::MAX), |s| (s.sequences, s.parameters));
        match knobs.check(sequences, parameters) {
            Ok(()) => {
                self.control.adopt(knobs.clone());
                self.emit(Event::Knobs(knobs));
            }
            Err(error) => {
                self.control.reject(knobs);
                self.emit(Event::Log { level: Level::Error, text: error.to_string() });
            }
        }
    }

    /// Fail if the work is no longer wanted, then take up knobs that do not disturb it.
    pub(super) fn checkpoint(&mut self) -> Result<()> {
        self.control.check()?;
        self.tick();
        Ok(())
    }

    pub(super) fn fail(&mut self, error: &Error) {
        self.emit(Event::Failed { message: error.to_string() });
    }

    /// Seconds since the start without pauses.
    fn computing(&self) -> f64 {
        (self.began.elapsed() - self.control.paused().min(self.began.elapsed())).as_secs_f64()
    }

    /// Work in the stage under way so far.
    pub(super) fn spent(&self) -> Work {
        Work { seconds: self.computing() - self.stage_began, ..self.work }
    }
}
