//! A recording being played: which event is next, at which time, how fast.

use std::sync::Arc;

use crate::engine::event::{Event, Stage, Stamped};

use super::way::Way;

/// What stands at a moment on the time line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// A stage began.
    Stage(Stage),
    /// The knobs were turned.
    Knobs,
    /// A figure came into doubt.
    Warning,
}

impl Mark {
    /// Its sign.
    pub fn sign(self) -> char {
        match self {
            Mark::Stage(_) => '┼',
            Mark::Knobs => '◆',
            Mark::Warning => '⚠',
        }
    }
}

/// The moments of a recording that stand out, with their times.
fn marks(events: &[Stamped]) -> Vec<(f64, Mark)> {
    let mut marks = Vec::new();
    let (mut under_way, mut opened) = (None, false);
    for Stamped { t, event } in events {
        let mark = match event {
            Event::Progress { stage, .. } if under_way != Some(*stage) => {
                under_way = Some(*stage);
                Some(Mark::Stage(*stage))
            }
            // The first knobs are those of the start; a turn makes the stage under way begin anew.
            Event::Knobs(_) => {
                under_way = None;
                std::mem::replace(&mut opened, true).then_some(Mark::Knobs)
            }
            Event::Warning { .. } => Some(Mark::Warning),
            _ => None,
        };
        marks.extend(mark.map(|mark| (*t, mark)));
    }
    marks
}

/// Whether the recording runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Motion {
    /// Running.
    Playing,
    /// Held.
    Held,
}

/// Speeds run from this …
pub const SLOWEST: f64 = 0.125;
/// … to this many recorded seconds a second.
pub const FASTEST: f64 = 1024.0;

/// A recording and the place in it.
#[derive(Debug, Clone)]
pub struct Playback {
    events: Arc<[Stamped]>,
    marks: Arc<[(f64, Mark)]>,
    next: usize,
    /// Recorded seconds up to which events have been shown.
    pub position: f64,
    /// Recorded seconds a second.
    pub speed: f64,
    /// Whether it runs.
    pub motion: Motion,
}

impl Playback {
    /// A recording at its start, running. Times must not descend; a speed that cannot be used becomes 1.
    pub fn new(events: Vec<Stamped>, speed: f64) -> Playback {
        let speed = if speed.is_finite() && speed > 0.0 { speed.clamp(SLOWEST, FASTEST) } else { 1.0 };
        let marks = marks(&events).into();
        Playback { events: events.into(), marks, next: 0, position: 0.0, speed, motion: Motion::Playing }
    }

    /// Recorded seconds in all.
    pub fn duration(&self) -> f64 {
        self.events.last().map_or(0.0, |e| e.t).max(0.0)
    }

    /// The moments that stand out, in order.
    pub fn marks(&self) -> &[(f64, Mark)] {
        &self.marks
    }

    /// The place among all events: how many have been shown, of how many.
    pub fn place(&self) -> (usize, usize) {
        (self.next, self.events.len())
    }

    /// Hold and go to the next event, or back to the one before, however close in time they are.
    pub fn step(&mut self, way: Way) -> Seek {
        self.motion = Motion::Held;
        let shown = match way {
            Way::On => (self.next + 1).min(self.events.len()),
            Way::Back => self.next.saturating_sub(1),
        };
        let from = if shown < self.next { 0 } else { self.next };
        let events = Arc::from(&self.events[from..shown]);
        let back = shown < self.next;
        self.next = shown;
        self.position = shown.checked_sub(1).map_or(0.0, |last| self.events[last].t);
        if back { Seek::Anew(events) } else { Seek::Forward(events) }
    }

    /// The time of the next mark, or of the one before; a mark at hand does not count.
    pub fn next_mark(&self, way: Way) -> Option<f64> {
        let times = || self.marks.iter().map(|(t, _)| *t);
        match way {
            Way::On => times().find(|t| *t > self.position),
            Way::Back => times().rfind(|t| *t < self.position),
        }
    }

    /// Whether every event has been shown.
    pub fn ended(&self) -> bool {
        self.next == self.events.len()
    }

    /// Go on by `seconds` of the watcher's time and return the events that fall due. Holds at the end.
    pub fn advance(&mut self, seconds: f64) -> Arc<[Stamped]> {
        if self.motion == Motion::Held {
            return Arc::from([]);
        }
        let due = self.seek_forward(self.position + seconds * self.speed);
        if self.ended() {
            self.motion = Motion::Held;
        }
        due
    }

    /// Move to `position`, kept within the recording, and say how to get there from what is shown.
    pub fn seek(&mut self, position: f64) -> Seek {
        let position = position.clamp(0.0, self.duration());
        if position >= self.position {
            return Seek::Forward(self.seek_forward(position));
        }
        self.next = 0;
        Seek::Anew(self.seek_forward(position))
    }

    fn seek_forward(&mut self, position: f64) -> Arc<[Stamped]> {
        self.position = position.min(self.duration());
        let due = self.events[self.next..].partition_point(|e| e.t <= self.position);
        let range = self.next..self.next + due;
        self.next = range.end;
        Arc::from(&self.events[range])
    }
}

/// How to reach a place in a recording.
#[derive(Debug, Clone)]
pub enum Seek {
    /// Fold these events into what is shown.
    Forward(Arc<[Stamped]>),
    /// Forget what is shown and fold these.
    Anew(Arc<[Stamped]>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::Event;

    fn recording() -> Playback {
        Playback::new((0..=10).map(|i| Stamped { t: f64::from(i), event: Event::Idle }).collect(), 2.0)
    }

    #[test]
    fn plays_at_its_speed_and_holds_at_the_end() {
        let mut p = recording();
        assert_eq!(p.advance(1.0).len(), 3);
        assert_eq!(p.advance(0.25).len(), 0);
        assert_eq!(p.advance(0.25).len(), 1);
        assert_eq!(p.advance(60.0).len(), 7);
        assert_eq!((p.position, p.motion, p.ended()), (10.0, Motion::Held, true));
        assert_eq!(p.advance(1.0).len(), 0);
    }

    #[test]
    fn stepping_goes_event_by_event_even_at_one_moment() {
        let event = |t| Stamped { t, event: Event::Idle };
        let mut p = Playback::new(vec![event(0.0), event(1.0), event(1.0), event(3.0)], 1.0);
        let mut shown = Vec::new();
        for _ in 0..6 {
            assert!(matches!(p.step(Way::On), Seek::Forward(e) if e.len() <= 1));
            shown.push((p.place().0, p.position));
        }
        assert_eq!(shown, [(1, 0.0), (2, 1.0), (3, 1.0), (4, 3.0), (4, 3.0), (4, 3.0)]);
        assert_eq!(p.motion, Motion::Held);
        assert!(matches!(p.step(Way::Back), Seek::Anew(e) if e.len() == 3));
        assert!(matches!(p.step(Way::Back), Seek::Anew(e) if e.len() == 2));
        assert_eq!((p.place(), p.position), ((2, 4), 1.0));
        for _ in 0..5 {
            p.step(Way::Back);
        }
        assert_eq!((p.place(), p.position), ((0, 4), 0.0));
    }

    #[test]
    fn stages_turned_knobs_and_warnings_are_marked() {
        use crate::engine::event::{WarningName, Work};
        use crate::engine::knobs::Knobs;
        let progress = |stage| Event::Progress { stage, done: 0, total: 1, work: Work::default() };
        let warning = Event::Warning { name: WarningName::WideInterval, message: String::new() };
        let events = [
            Event::Knobs(Knobs::default()),
            progress(Stage::Subspace),
            progress(Stage::Subspace),
            progress(Stage::Evaluate),
            warning,
            Event::Knobs(Knobs { n: 4, ..Knobs::default() }),
            progress(Stage::Subspace),
        ];
        let stamped = events.into_iter().enumerate().map(|(t, event)| Stamped { t: t as f64, event });
        let mut p = Playback::new(stamped.collect(), 1.0);
        use Mark::{Knobs as Turned, Warning};
        let expected = [
            (1.0, Mark::Stage(Stage::Subspace)),
            (3.0, Mark::Stage(Stage::Evaluate)),
            (4.0, Warning),
            (5.0, Turned),
            (6.0, Mark::Stage(Stage::Subspace)),
        ];
        assert_eq!(p.marks(), expected);
        p.seek(3.0);
        assert_eq!((p.next_mark(Way::On), p.next_mark(Way::Back)), (Some(4.0), Some(1.0)));
        p.seek(6.0);
        assert_eq!(p.next_mark(Way::On), None);
    }

    #[test]
    fn seeking_back_starts_anew() {
        let mut p = recording();
        p.advance(2.5);
        assert!(matches!(p.seek(7.0), Seek::Forward(e) if e.len() == 2));
        assert!(matches!(p.seek(1.5), Seek::Anew(e) if e.len() == 2));
        assert!(matches!(p.seek(-4.0), Seek::Anew(e) if e.len() == 1));
        assert_eq!(p.position, 0.0);
    }

    #[test]
    fn an_empty_recording_and_odd_speeds_are_harmless() {
        let mut p = Playback::new(Vec::new(), f64::NAN);
        assert_eq!((p.speed, p.duration(), p.ended()), (1.0, 0.0, true));
        assert_eq!(p.advance(1.0).len(), 0);
        assert!(matches!(p.seek(3.0), Seek::Forward(_)));
        assert_eq!(Playback::new(Vec::new(), 1e9).speed, FASTEST);
    }
}
