//! A recording being played: which event is next, at which time, how fast.

use std::sync::Arc;

use crate::engine::event::Stamped;

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
        Playback { events: events.into(), next: 0, position: 0.0, speed, motion: Motion::Playing }
    }

    /// Recorded seconds in all.
    pub fn duration(&self) -> f64 {
        self.events.last().map_or(0.0, |e| e.t).max(0.0)
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
