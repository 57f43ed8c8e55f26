//! Warnings by name: when not to trust a figure. Each lint looks at the readout and speaks or stays silent; what several
//! have to say under one name goes into one warning.

mod exhibits;
mod growth;

use std::collections::BTreeMap;

use super::event::{Stage, WarningName};
use super::knobs::{Method, Precision};
use super::readout::{Readout, Standing};
use crate::criteria::proxy;
use crate::math::format::exact;

/// A gradient of this share of the next sequence's is too large to be dropped, as the theory does at a minimiser.
const FAR: f64 = 0.1;
/// A residual of this share of the gap to the next eigenvalue turns the last eigenvector by about as much (Davis–Kahan).
const TURNED: f64 = 0.1;
/// A gap of this share of the eigenvalue lets a change of the Hessian as small as that exchange the eigenvectors.
const NARROW: f64 = 1e-2;
/// How far above the rounding floor a figure must lie.
const ABOVE_FLOOR: f64 = 10.0;
/// Places that a message names.
const NAMED: usize = 3;

/// A lint: silent, or a message that says what, where and how much.
type Lint = fn(&Readout) -> Option<String>;

/// Every lint with the name it speaks under.
const LINTS: [(WarningName, Lint); 20] = [
    (WarningName::NotConverged, not_converged),
    (WarningName::NotConverged, exhibits::constants_not_converged),
    (WarningName::NotConverged, growth::not_converged),
    (WarningName::LostOrthogonality, lost_orthogonality),
    (WarningName::FarFromMinimiser, far_from_minimiser),
    (WarningName::FarFromMinimiser, growth::far_from_minimiser),
    (WarningName::NoSpectralGap, no_spectral_gap),
    (WarningName::BelowRoundingFloor, below_rounding_floor),
    (WarningName::OutsideValidSigma, outside_valid_sigma),
    (WarningName::OutsideValidSigma, growth::outside_valid_sigma),
    (WarningName::WideInterval, wide_shares),
    (WarningName::WideInterval, wide_criteria),
    (WarningName::WideInterval, exhibits::wide_traces),
    (WarningName::WideInterval, exhibits::wide_pick_freeze),
    (WarningName::WideInterval, exhibits::wide_density),
    (WarningName::WideInterval, growth::wide_slopes),
    (WarningName::UnresolvedDensity, exhibits::unresolved_density),
    (WarningName::BoundBelowMeasured, exhibits::bound_below_measured),
    (WarningName::RoundedProducts, rounded_products),
    (WarningName::PaperMethod, paper_method),
];

/// All warnings that hold now.
pub fn check(readout: &Readout) -> Vec<(WarningName, String)> {
    let mut spoken: BTreeMap<WarningName, Vec<String>> = BTreeMap::new();
    for (name, lint) in LINTS {
        spoken.entry(name).or_default().extend(lint(readout));
    }
    let said = spoken.into_iter().filter(|(_, messages)| !messages.is_empty());
    said.map(|(name, messages)| (name, messages.join("; "))).collect()
}

/// Places as a message names them: the first few, and how many more.
fn named(places: &[String]) -> String {
    let first = places.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match places.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// A place at k and σ.
fn at(k: usize, sigma: f64) -> String {
    format!("k = {k}, σ = {}", exact(sigma))
}

/// σ of these.
fn sigmas(sigmas: &[f64]) -> String {
    format!("σ = {}", named(&sigmas.iter().map(|sigma| exact(*sigma)).collect::<Vec<_>>()))
}

fn not_converged(r: &Readout) -> Option<String> {
    let e = r.eigenspace.as_ref().filter(|e| e.law.is_eigenspace())?;
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
        Precision::F32 | Precision::Tf32 => 1e-4,
        Precision::F64 => 1e-9,
    };
    (e.orthonormality > limit)
        .then(|| format!("the basis is not orthonormal: max |UᵀU − I| = {:.1e} (limit {limit:.0e})", e.orthonormality))
}

/// TF32 keeps 10 bits after the point, so products are off by up to 2⁻¹¹ of their size for each factor.
fn rounded_products(r: &Readout) -> Option<String> {
    let rounded = r.subject.as_ref()?.precision == Precision::Tf32;
    rounded.then(|| {
        "matrix products round their factors to TF32: figures are good to about 1e-3 of the largest they come from, and \
         residuals do not show it; use --precision f32 to be sure"
            .to_owned()
    })
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

/// Whether λ_k and λ_{k+1} are told apart, for every k asked.
fn no_spectral_gap(r: &Readout) -> Option<String> {
    let e = r.eigenspace.as_ref().filter(|e| e.law.is_eigenspace())?;
    let narrow = |k: usize| {
        let (value, residual) = (*e.values.get(k.checked_sub(1)?)?, *e.residuals.get(k - 1)?);
        let next = e.values.get(k).copied().or(e.next.filter(|_| k == e.values.len()))?;
        let residual = e.residuals.get(k).map_or(residual, |below| residual.max(*below));
        let gap = (value - next).abs();
        let unsettled = residual > TURNED * gap || gap < NARROW * value.abs();
        unsettled.then(|| format!("k = {k} (λ_k − λ_(k+1) ≈ {gap:.1e}, λ_k ≈ {value:.1e}, residual {residual:.1e})"))
    };
    let narrow: Vec<String> = r.knobs.ks.iter().filter_map(|k| narrow(*k)).collect();
    (!narrow.is_empty()).then(|| {
        format!(
            "not at a spectral gap: {}, so the last columns of U are not settled; use a smaller --tol or another k",
            named(&narrow)
        )
    })
}

fn below_rounding_floor(r: &Readout) -> Option<String> {
    let (floor, _) = r.here()?.floor?;
    let (floor, q) = (floor / (r.shown_n() + 1) as f64, r.quadratic()?);
    let spread = |(k, sigma)| (q.moments(k, sigma).variance().sqrt(), k, sigma);
    let mut low: Vec<_> = r.knobs.places().filter(|(k, _)| *k <= q.k()).map(spread).collect();
    low.retain(|(spread, ..)| *spread < ABOVE_FLOOR * floor);
    let least = low.iter().map(|(spread, ..)| *spread).fold(f64::INFINITY, f64::min);
    let places: Vec<String> = low.iter().map(|(_, k, sigma)| at(*k, *sigma)).collect();
    (!low.is_empty()).then(|| {
        format!(
            "at {} the increment varies by no more than {least:.1e} nats, near the rounding floor {floor:.1e}: use \
             --precision f64 or a larger σ",
            named(&places)
        )
    })
}

fn outside_valid_sigma(r: &Readout) -> Option<String> {
    let points = r.proxy();
    let last = points.last()?.sigma;
    let to = proxy::valid_to(&points);
    // While the sweep is under way, what lies beyond its points may still be tried.
    let tried = |sigma: f64| sigma <= last || r.standing(Stage::Sweeps) == Standing::Complete;
    let beyond: Vec<f64> = r.knobs.sigmas.iter().copied().filter(|s| *s > to.unwrap_or(0.0) && tried(*s)).collect();
    let range = to.map_or("not at any σ tried".to_owned(), |to| format!("up to σ = {to:.1e}"));
    (!beyond.is_empty()).then(|| {
        format!(
            "{} outside the validated range (quadratic model within {:.0} % {range})",
            sigmas(&beyond),
            100.0 * proxy::VALID
        )
    })
}

fn wide_shares(r: &Readout) -> Option<String> {
    let wide: Vec<_> = r
        .knobs
        .places()
        .filter_map(|(k, sigma)| Some((k, sigma, r.shares(r.shown_n(), k, sigma)?.total)))
        .filter(|(.., share)| share.is_wider_than(share.value))
        .collect();
    let (.., worst) = *wide.first()?;
    let places: Vec<String> = wide.iter().map(|(k, sigma, _)| at(*k, *sigma)).collect();
    Some(format!(
        "the share has an interval wider than itself at {} (there {:.2}, {:.2}–{:.2}): take the exhibit traces",
        named(&places),
        worst.value,
        worst.low,
        worst.high
    ))
}

/// The best Monte Carlo estimates of J_full and J_sub against themselves.
fn wide_criteria(r: &Readout) -> Option<String> {
    let full = r.knobs.sigmas.iter().map(|sigma| (format!("J_full, σ = {}", exact(*sigma)), r.full(*sigma).mc_cv));
    let sub =
        r.knobs.places().map(|(k, s)| (format!("J_sub, {}", at(k, s)), r.subspace(k, s).and_then(|j| j.direct_cv)));
    let wide = full.chain(sub).filter(|(_, e)| e.is_some_and(|e| e.draws > 1 && 2.0 * e.half_width() > e.mean));
    let places: Vec<String> = wide.map(|(place, _)| place).collect();
    (!places.is_empty())
        .then(|| format!("Monte Carlo has an interval wider than its estimate: {}; take more draws", named(&places)))
}

fn paper_method(r: &Readout) -> Option<String> {
    (r.knobs.method == Method::Paper).then(|| {
        "the paper's method: unsigned power iteration without re-orthogonalisation, Hessians of four unrelated rows; \
         B is inflated"
            .to_owned()
    })
}
