//! Lints on the exhibits.

use super::{at, named, sigmas};
use crate::criteria::theory::TOLERANCE;
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::DensityCurve;

/// Places of the density's curve.
const PLACES: usize = 161;

/// The norms ‖H_i‖₂ that Theorem 2 asks for.
pub(super) fn constants_not_converged(r: &Readout) -> Option<String> {
    let c = r.exhibits.constants.range(r.shown_n()..).next()?.1;
    let loose = |(norm, residual): (&f64, &f64)| *residual > TOLERANCE * norm.abs();
    let count = c.curvatures.iter().zip(&c.residuals).filter(|pair| loose(*pair)).count();
    (count > 0).then(|| {
        format!(
            "{count} of {} norms ‖H_i‖ did not reach a residual of {TOLERANCE:.0e}: the bound of Theorem 2 is not certain",
            c.curvatures.len()
        )
    })
}

/// A theorem is never violated, so a bound below what was measured has constants that are too small.
pub(super) fn bound_below_measured(r: &Readout) -> Option<String> {
    let n = r.shown_n();
    let below = r.knobs.places().filter(|(k, sigma)| r.slack(n, *k, *sigma).is_some_and(|slack| slack < 1.0));
    let places: Vec<String> = below.map(|(k, sigma)| at(k, sigma)).collect();
    (!places.is_empty()).then(|| {
        format!("J_sub exceeds the bound of Theorem 2 at {}: its constants are not large enough", named(&places))
    })
}

/// Whether Tr A and ‖A‖_F² are known well enough for what is made of them.
pub(super) fn wide_traces(r: &Readout) -> Option<String> {
    let n = r.shown_n();
    let (trace, frob2) = r.traces(n).filter(|(trace, _)| trace.draws > 1)?;
    if 2.0 * frob2.half_width() > frob2.mean {
        return Some(format!(
            "‖A‖_F² = {:.1e} has an interval of ±{:.1e}, wider than itself: take the exhibit traces",
            frob2.mean,
            frob2.half_width()
        ));
    }
    let drowned =
        |sigma: &f64| r.full_moments(n, *sigma).is_some_and(|f| 2.0 * f.mean_half_width() > f.moments.mean.abs());
    let drowned: Vec<f64> = r.knobs.sigmas.iter().copied().filter(drowned).collect();
    (!drowned.is_empty()).then(|| {
        format!(
            "Tr A = {:.1e} ± {:.1e} leaves the mean of the increment uncertain by more than itself at {}: take the exhibit \
             traces",
            trace.mean,
            trace.half_width(),
            sigmas(&drowned)
        )
    })
}

/// Shares by pick-freeze that lie outside [0, 1] or are less than their interval.
pub(super) fn wide_pick_freeze(r: &Readout) -> Option<String> {
    let known = r.knobs.places().filter_map(|(k, sigma)| Some((k, sigma, r.pick_freeze_share(k, sigma)?)));
    let wide: Vec<_> = known.filter(|(.., s)| s.is_wider_than(s.value) || !(0.0..=1.0).contains(&s.value)).collect();
    let (.., first) = *wide.first()?;
    let places: Vec<String> = wide.iter().map(|(k, sigma, _)| at(*k, *sigma)).collect();
    Some(format!(
        "the share by pick-freeze is less than its interval or outside 0–1 at {} (there {:.2}, {:.2}–{:.2}): take more \
         draws",
        named(&places),
        first.value,
        first.low,
        first.high
    ))
}

/// The area between the ends of the density's interval; the density itself has the area 1.
pub(super) fn wide_density(r: &Readout) -> Option<String> {
    let DensityCurve { x, low, high, .. } = r.density_curve(PLACES)?;
    let step = x.get(1)? - x.first()?;
    let area: f64 = low.iter().zip(&high).map(|(low, high)| (high - low) * step).sum();
    (area > 1.0)
        .then(|| format!("the spectral density is less certain than large: its interval has the area {area:.1}"))
}

/// Whether the eigenvalues of the bulk spread wider than what the curve is smoothed over.
pub(super) fn unresolved_density(r: &Readout) -> Option<String> {
    let DensityCurve { width, bulk: [low, high], .. } = r.density_curve(PLACES)?;
    let probes = r.exhibits.density.get(&r.shown_n())?;
    let nodes = probes.iter().flat_map(|p| p.nodes.iter().zip(&p.weights));
    let within = nodes.filter(|(node, _)| (low..=high).contains(*node));
    let (mass, first, second) = within.fold((0.0, 0.0, 0.0), |sum, (node, weight)| {
        (sum.0 + weight, sum.1 + weight * node, sum.2 + weight * node * node)
    });
    let spread = (second / mass - (first / mass).powi(2)).max(0.0).sqrt();
    (spread < width).then(|| {
        format!(
            "the spectral density is not resolved: the eigenvalues of its bulk spread by {spread:.1e}, less than the \
             smoothing {width:.1e}, whose shape the curve has there"
        )
    })
}
