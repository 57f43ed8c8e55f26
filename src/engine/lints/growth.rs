//! Lints on growth, of a run and of the exhibit.

use super::{FAR, at, named, sigmas};
use crate::criteria::proxy;
use crate::engine::growth::{Mode, Point};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::Quantity;
use crate::math::format::exact;

/// A point as a message names it.
fn name(point: &Point) -> String {
    let run = if point.run > 0 { format!("run {}, ", point.run) } else { String::new() };
    match (point.mode, point.step) {
        (Mode::Checkpoints, Some(step)) => format!("{run}step {step}"),
        _ => format!("{run}n = {}", point.n),
    }
}

/// The points for which `doubtful` holds, named; `None` if there are none.
fn points(r: &Readout, doubtful: impl Fn(&Point) -> bool) -> Option<String> {
    let all = r.growth_points();
    let doubted: Vec<String> = all.iter().filter(|point| doubtful(point)).map(|point| name(point)).collect();
    (!doubted.is_empty())
        .then(|| format!("at {} of {} points of growth ({})", doubted.len(), all.len(), named(&doubted)))
}

/// Whether every point's basis is converged. A frozen basis has no residuals: it is none of that n.
pub(super) fn not_converged(r: &Readout) -> Option<String> {
    let loose = |point: &Point| {
        let scale = point.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        point.residuals.iter().any(|residual| *residual > r.knobs.tol * scale)
    };
    let points = points(r, loose)?;
    Some(format!("{points} the basis did not reach the tolerance {:.0e}·λ₁", r.knobs.tol))
}

pub(super) fn far_from_minimiser(r: &Readout) -> Option<String> {
    let points = points(r, |point| point.next_norm().is_some_and(|next| point.grad_norm > FAR * next))?;
    Some(format!("{points} w* is far from a minimiser of L_n, as the theory assumes it to be"))
}

pub(super) fn outside_valid_sigma(r: &Readout) -> Option<String> {
    let valid_to = |point: &Point| {
        let valid = point.proxy.iter().filter(|v| v.median < proxy::VALID).map(|v| v.sigma);
        valid.fold(0.0, f64::max)
    };
    let beyond = |sigma: f64| points(r, |point| !point.proxy.is_empty() && sigma > valid_to(point));
    let doubted: Vec<f64> = r.knobs.sigmas.iter().copied().filter(|sigma| beyond(*sigma).is_some()).collect();
    let points = beyond(*doubted.last()?)?;
    Some(format!("{points} {} outside the range where the quadratic model holds", sigmas(&doubted)))
}

/// Slopes that are less than their interval, or have none.
pub(super) fn wide_slopes(r: &Readout) -> Option<String> {
    let slope = |name: String, quantity, k, sigma| Some((name, r.growth_slope(quantity, k, sigma)?));
    let largest = r.growth_k()?;
    let full = r.knobs.sigmas.iter().map(|s| slope(format!("J_full, σ = {}", exact(*s)), Quantity::JFull, 1, *s));
    let sub = r.knobs.places().filter(|(k, _)| *k <= largest);
    let sub = sub.map(|(k, s)| slope(format!("J_sub, {}", at(k, s)), Quantity::JSub, k, s));
    let all = std::iter::once(slope("J_1".to_owned(), Quantity::J1, 1, 1.0)).chain(full).chain(sub);
    let wide: Vec<_> = all.flatten().filter(|(_, s)| s.is_wider_than(s.value.abs())).collect();
    let (_, first) = wide.first()?;
    let names: Vec<String> = wide.iter().map(|(name, _)| name.clone()).collect();
    Some(format!(
        "the slope against n has an interval wider than itself: {} (the first {:.1}, {:.1} … {:.1}); take more n, next \
         sequences or runs",
        named(&names),
        first.value,
        first.low,
        first.high
    ))
}
