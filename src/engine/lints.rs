//! Warnings by name: when not to trust a figure. Each lint looks at the readout and speaks or stays silent.

use super::event::WarningName;
use super::knobs::{Law, Method, Precision};
use super::readout::Readout;
use crate::criteria::proxy;

/// A gradient of this share of the next sequence's is too large to be dropped, as the theory does at a minimiser.
const FAR: f64 = 0.1;
/// A residual of this share of the gap to the next eigenvalue turns the last eigenvector by about as much (Davis–Kahan).
const TURNED: f64 = 0.1;
/// How far above the rounding floor a figure must lie.
const ABOVE_FLOOR: f64 = 10.0;

/// A lint: silent, or a message that says what, where and how much.
type Lint = fn(&Readout) -> Option<String>;

/// Every lint with its name.
const LINTS: [(WarningName, Lint); 8] = [
    (WarningName::NotConverged, not_converged),
    (WarningName::LostOrthogonality, lost_orthogonality),
    (WarningName::FarFromMinimiser, far_from_minimiser),
    (WarningName::NoSpectralGap, no_spectral_gap),
    (WarningName::BelowRoundingFloor, below_rounding_floor),
    (WarningName::OutsideValidSigma, outside_valid_sigma),
    (WarningName::WideInterval, wide_interval),
    (WarningName::PaperMethod, paper_method),
];

/// All warnings that hold now.
pub fn check(readout: &Readout) -> Vec<(WarningName, String)> {
    LINTS.iter().filter_map(|(name, lint)| Some((*name, lint(readout)?))).collect()
}

fn not_converged(r: &Readout) -> Option<String> {
    let e = r.eigenspace.as_ref().filter(|e| matches!(e.law, Law::Top | Law::Bottom))?;
    let scale = e.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let loose = e.residuals.iter().filter(|x| **x > r.knobs.tol * scale).count();
    let worst = e.residuals.iter().fold(0.0f64, |m, x| m.max(*x));
    (loose > 0).then(|| {
        format!(
            "{loose} of {} eigenpairs did not reach the tolerance {:.0e}·λ₁: the largest residual is {:.1e}·λ₁",
            e.residuals.len(),
            r.knobs.tol,
            worst / scale
        )
    })
}

fn lost_orthogonality(r: &Readout) -> Option<String> {
    let e = r.eigenspace.as_ref()?;
    let limit = match r.subject.as_ref()?.precision {
        Precision::F32 => 1e-4,
        Precision::F64 => 1e-9,
    };
    (e.orthonormality > limit)
        .then(|| format!("the basis is not orthonormal: max |UᵀU − I| = {:.1e} (limit {limit:.0e})", e.orthonormality))
}

fn far_from_minimiser(r: &Readout) -> Option<String> {
    let n = r.knobs.n;
    let g = r.at.get(&n)?.gradients?;
    // ‖b‖(n+1) = ‖g_{n+1} − g^(n)‖.
    let next = g.b_norm2.sqrt() * (n + 1) as f64;
    (g.grad_norm > FAR * next).then(|| {
        format!(
            "w* is far from a minimiser of L_{n}: ‖g‖ = {:.2e} against ‖g_next − g‖ = {next:.2e}; \
             the theory assumes g = 0 (eigentop keeps the difference)",
            g.grad_norm
        )
    })
}

fn no_spectral_gap(r: &Readout) -> Option<String> {
    let e = r.eigenspace.as_ref().filter(|e| e.law == Law::Top)?;
    let (last, residual, next) = (*e.values.last()?, *e.residuals.last()?, e.next?);
    let gap = (last - next).max(f64::MIN_POSITIVE);
    (residual > TURNED * gap).then(|| {
        format!(
            "k = {} is not at a spectral gap: λ_k − λ_(k+1) ≈ {gap:.1e} against a residual of {residual:.1e}, so the last \
             columns of U are not settled; use a smaller --tol or another k",
            e.values.len()
        )
    })
}

fn below_rounding_floor(r: &Readout) -> Option<String> {
    let (floor, _) = r.here()?.floor?;
    let moments = r.quadratic()?.moments(r.knobs.k().min(r.quadratic()?.k()), r.knobs.sigma);
    let spread = moments.variance().sqrt();
    (spread < ABOVE_FLOOR * floor / (r.shown_n() + 1) as f64).then(|| {
        format!(
            "at σ = {:.1e} the increment varies by {spread:.1e} nats, near the rounding floor {:.1e}: use --precision f64 \
             or a larger σ",
            r.knobs.sigma,
            floor / (r.shown_n() + 1) as f64
        )
    })
}

fn outside_valid_sigma(r: &Readout) -> Option<String> {
    let points = r.proxy();
    let last = points.last()?.sigma;
    let to = proxy::valid_to(&points).unwrap_or(0.0);
    (r.knobs.sigma > to && r.knobs.sigma <= last).then(|| {
        format!(
            "σ = {:.1e} lies outside the validated range (quadratic model within {:.0} % up to σ = {to:.1e})",
            r.knobs.sigma,
            100.0 * proxy::VALID
        )
    })
}

fn wide_interval(r: &Readout) -> Option<String> {
    let shares = r.shares(r.shown_n(), r.knobs.k(), r.knobs.sigma)?;
    let width = shares.total.high - shares.total.low;
    (width > shares.total.value).then(|| {
        format!(
            "the share {:.2} of k = {} has the interval {:.2}–{:.2}, wider than itself: take more draws",
            shares.total.value,
            r.knobs.k(),
            shares.total.low,
            shares.total.high
        )
    })
}

fn paper_method(r: &Readout) -> Option<String> {
    (r.knobs.method == Method::Paper).then(|| {
        "the paper's method: unsigned power iteration without re-orthogonalisation, Hessians of four unrelated rows; \
         B is inflated"
            .to_owned()
    })
}
