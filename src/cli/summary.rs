//! What stays on the normal screen when the dashboard has closed.

use crate::engine::readout::{Readout, State};
use crate::math::format::{clock, exact, measured};

/// Eigenvalues named.
const EIGENVALUES: usize = 4;

/// A few lines: what was looked at and how far the run came, the largest eigenvalues with their residuals, the ratio
/// in focus with its 95 % interval, the warnings. Empty if no checkpoint was opened.
pub fn of(readout: &Readout) -> String {
    let Some(subject) = &readout.subject else { return String::new() };
    let knobs = &readout.knobs;
    let how_far = match &readout.state {
        State::Idle => "complete".to_owned(),
        State::Running(stage) => format!("stopped in stage {stage}"),
        State::Loading => "stopped while reading".to_owned(),
        State::Failed(_) => "failed".to_owned(),
    };
    let mut lines =
        vec![format!("{} · n {} · k {} · {how_far} after {}", subject.name, knobs.n, knobs.k(), clock(readout.t))];
    lines.extend(eigenvalues(readout));
    lines.extend(ratio(readout));
    lines.extend(readout.warnings.values().map(|message| format!("⚠ {message}")));
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// The largest eigenvalues of the latest solve.
fn eigenvalues(readout: &Readout) -> Option<String> {
    let solve = readout.solve.as_ref()?;
    let last = solve.iterations.last()?;
    let wanted = readout.knobs.k().min(EIGENVALUES);
    let values = last.values.iter().enumerate().take(wanted).map(|(i, value)| {
        let residual = last.residuals.get(i).copied().flatten();
        measured(*value, residual.unwrap_or(f64::INFINITY))
    });
    Some(format!("λ of H^({}): {}", solve.n, values.collect::<Vec<_>>().join(",  ")))
}

/// The ratio for the largest k at the σ in focus.
fn ratio(readout: &Readout) -> Option<String> {
    let (k, sigma) = (readout.knobs.k(), readout.knobs.sigma);
    let r = readout.ratio(k, sigma)?;
    let half = (r.high - r.value).max(r.value - r.low);
    Some(format!("J_sub/J_full at k = {k}, σ = {}: {}", exact(sigma), measured(r.value, half)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::event::{Event, Stamped, WarningName};
    use crate::engine::knobs::{Knobs, Precision, SolverKind};

    #[test]
    fn it_says_what_is_known_and_no_more() {
        let mut readout = Readout::default();
        assert_eq!(of(&readout), "");
        let mut happens = |event| {
            readout.apply(&Stamped { t: 12.0, event });
            of(&readout)
        };
        let subject = crate::engine::event::Subject {
            name: "demo".into(),
            model: "nanochat 4×96".into(),
            config: serde_json::Value::Null,
            parameters: 10,
            sequences: 4,
            tokens: 8,
            precision: Precision::F32,
            device: "cpu".into(),
            threads: 1,
            checkpoint: String::new(),
            data: String::new(),
            version: String::new(),
        };
        happens(Event::Opened(subject));
        let knobs = Knobs { n: 3, ks: vec![1, 2], ..Knobs::default() };
        assert_eq!(happens(Event::Knobs(knobs)), "demo · n 3 · k 2 · stopped while reading after 0:12\n");
        let (values, residuals) = (vec![9.5, 4.25, 1.0], vec![Some(1e-3), None, None]);
        let iteration =
            Event::Iteration { solver: SolverKind::Lanczos, n: 3, products: 5, values, residuals, smallest: vec![] };
        assert!(happens(iteration).ends_with("after 0:12\nλ of H^(3): 9.5000 ±0.0010,  4.2500\n"));
        let message = "the interval is wide".to_owned();
        assert!(
            happens(Event::Warning { name: WarningName::WideInterval, message })
                .ends_with("\n⚠ the interval is wide\n")
        );
        assert!(happens(Event::Idle).starts_with("demo · n 3 · k 2 · complete after 0:12\n"));
    }
}
