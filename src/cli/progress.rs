//! One line on standard error that says how far a run is, where a terminal shows it.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::engine::readout::{Readout, State};

/// Time between two drawings.
const PERIOD: Duration = Duration::from_millis(100);

/// The line.
pub struct Progress {
    drawn: Option<Instant>,
    line: Line,
}

enum Line {
    /// Nobody watches.
    Unwatched,
    /// The cursor stands at the start of an empty line.
    Clear,
    /// The line is on the terminal.
    Shown,
}

impl Progress {
    /// A line that is drawn only if standard error is a terminal.
    pub fn new() -> Progress {
        let line = if std::io::stderr().is_terminal() { Line::Clear } else { Line::Unwatched };
        Progress { drawn: None, line }
    }

    /// Draw a text, unless one was drawn a moment ago.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let recent = self.drawn.is_some_and(|drawn| drawn.elapsed() < PERIOD);
        if matches!(self.line, Line::Unwatched) || recent {
            return;
        }
        self.drawn = Some(Instant::now());
        self.line = Line::Shown;
        put(&format!("\r\x1b[K{}", text()));
    }

    /// Leave the terminal as it was, before anything else is written.
    pub fn clear(&mut self) {
        if matches!(self.line, Line::Shown) {
            self.line = Line::Clear;
            put("\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A terminal that went away is no reason to stop computing.
fn put(text: &str) {
    let mut stderr = std::io::stderr();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// How far one of several runs is: its name with a bar for the stage under way, then the words. A run without a name
/// has the words alone.
pub fn named(name: &str, readout: &Readout) -> String {
    if name.is_empty() {
        return of_run(readout);
    }
    let part = match readout.state {
        State::Running(stage) => readout.stages.get(&stage).map_or(0.0, |s| s.done as f64 / s.total.max(1) as f64),
        _ => 0.0,
    };
    format!("{name} {} {}", bar(part), of_run(readout))
}

/// A bar that is full at 1.
fn bar(part: f64) -> String {
    const WIDTH: usize = 20;
    let full = ((WIDTH as f64 * part) as usize).min(WIDTH);
    format!("{}{}", "█".repeat(full), "░".repeat(WIDTH - full))
}

/// How far a run is, in words.
pub fn of_run(readout: &Readout) -> String {
    let State::Running(stage) = readout.state else { return "reading".to_owned() };
    let Some(state) = readout.stages.get(&stage) else { return stage.to_string() };
    let mut text = format!("{stage} {}/{}", state.done, state.total);
    if let Some(at) = readout.exhibits.settle.as_ref().and_then(|settling| settling.steps.last()) {
        text += &format!("   L_{} {:.6}   ‖g‖ {:.2e}", readout.knobs.n, at.loss, at.grad_norm);
    }
    if state.work.hvps > 0.0 && state.work.seconds > 0.0 {
        text += &format!("   {:.1} HVP/s", state.work.hvps / state.work.seconds);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Event, Stage, Stamped, Work};
    use crate::engine::settle::{Plan, Step};

    #[test]
    fn it_names_stage_steps_and_speed() {
        let mut readout = Readout::default();
        assert_eq!(of_run(&readout), "reading");
        let work = Work { seconds: 2.0, hvps: 14.0, passes: 0.0 };
        let event = Event::Progress { stage: Stage::Subspace, done: 14, total: 40, work };
        readout.apply(&Stamped { t: 1.0, event });
        assert_eq!(of_run(&readout), "subspace 14/40   7.0 HVP/s");
        for event in [
            Event::SettlePlan(Plan { until: 1e-3, steps: 9, products: 9 }),
            Event::Settle(Step { step: 0, loss: 0.25, grad_norm: 0.125, next_norm: 0.5, taken: None }),
            Event::Progress { stage: Stage::Settle, done: 1, total: 9, work },
        ] {
            readout.apply(&Stamped { t: 2.0, event });
        }
        assert_eq!(of_run(&readout), "settle 1/9   L_8 0.250000   ‖g‖ 1.25e-1   7.0 HVP/s");
    }
}
