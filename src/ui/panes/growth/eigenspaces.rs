//! A view of the growth: how eigenspaces that follow each other sit to one another.

use std::collections::BTreeMap;

use ratatui::layout::{Constraint, Layout, Rect};

use super::{Course, PLOT, add, blank, fitted, focus_k, shade, sides};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::Position;
use crate::math::format::{measured_to, number};
use crate::math::stats::{Estimate, Interval};
use crate::ui::panes::Canvas;
use crate::ui::panes::sides::Role;
use crate::ui::plot::Mark;
use crate::ui::plot::axis::Scale;
use crate::ui::state::App;
use crate::ui::theme::Token;

pub(super) fn reading(app: &App) -> Option<String> {
    let (readout, k) = (&app.readout, focus_k(app));
    let by_hand = readout.overlaps().last().map_or(String::new(), |o| {
        format!(" Turned by hand, n {} to {}: {}.", o.former, o.n, number(o.mean_square(), 3))
    });
    Some(match overlaps(readout).last() {
        Some(last) => format!(
            "Overlap at the last step {}: 1 is the same space, {} a random one. Largest angle {:.0}°.{by_hand}",
            measured_to(last.overlap.mean, last.half(), 3),
            number(k as f64 / readout.subject.as_ref()?.parameters as f64, 1),
            last.angles.last()?.to_degrees()
        ),
        None => format!("The second eigenspace brings the first overlap.{by_hand}"),
    })
}

/// How the eigenspaces at one position sit to those of the position before, over the runs.
struct Step {
    at: Position,
    overlap: Estimate,
    /// Principal angles of all runs, radians, ascending.
    angles: Vec<f64>,
}

impl Step {
    /// Half of the interval over the runs; of one run none is known.
    fn half(&self) -> f64 {
        if self.overlap.draws > 1 { self.overlap.half_width() } else { 0.0 }
    }
}

fn overlaps(readout: &Readout) -> Vec<Step> {
    let mut by_position: BTreeMap<Position, (Vec<f64>, Vec<f64>)> = BTreeMap::new();
    for stability in readout.growth_overlaps() {
        let (overlaps, angles) = by_position.entry(stability.at).or_default();
        overlaps.push(stability.overlap);
        angles.extend(stability.angles);
    }
    let steps = by_position.into_iter().filter_map(|(at, (overlaps, mut angles))| {
        angles.sort_by(f64::total_cmp);
        Some(Step { at, overlap: Estimate::of(overlaps)?, angles })
    });
    steps.collect()
}

/// Overlaps above, principal angles below.
pub(super) fn draw(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let both = area.height >= 2 * PLOT;
    let [upper, lower] = match both {
        true => Layout::vertical([Constraint::Fill(1); 2]).spacing(1).areas(area),
        false => [area, Rect::ZERO],
    };
    let mut plot = blank(app);
    for (readout, role) in sides(app) {
        let mean = |s: &Step| Interval::around(s.overlap.mean, s.half());
        let course: Course = overlaps(readout).iter().map(|s| (s.at, mean(s))).collect();
        add(app, &mut plot, role, 0, &course, "overlap", "overlap ‖UᵀV‖²/k");
        if role == Role::Shown {
            shade(app, &mut plot, &course);
        }
    }
    if plot.curves.iter().all(|c| c.points.is_empty()) {
        return canvas.say(area, "The second eigenspace brings the first overlap.");
    }
    fitted(canvas, upper, plot, Scale::Linear, [0.0, 1.0]);
    let mut plot = blank(app);
    let steps = overlaps(&app.readout);
    let of = |angle: fn(&[f64]) -> Option<&f64>| -> Course {
        let degrees = |s: &Step| Some((s.at, Interval::exact(angle(&s.angles)?.to_degrees())));
        steps.iter().filter_map(degrees).collect()
    };
    let all = steps.iter().flat_map(|s| s.angles.iter().map(|a| (s.at as f64, a.to_degrees())));
    plot.marks.extend(all.map(|point| Mark { point, sign: '·', style: app.style(Token::Muted) }));
    add(app, &mut plot, Role::Shown, 1, &of(|a| a.last()), "largest", "largest angle, °");
    add(app, &mut plot, Role::Shown, 2, &of(|a| a.get(a.len() / 2)), "median", "median");
    add(app, &mut plot, Role::Shown, 0, &of(|a| a.first()), "smallest", "smallest");
    fitted(canvas, lower, plot, Scale::Linear, [0.0, 90.0]);
}
