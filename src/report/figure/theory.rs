//! Figures of the theory: Theorem 2, Corollary 4, Proposition 3.

use super::{NO_MODEL, Result, Shown, at_sigma, known_ks, panel, side_by_side};
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::IndexSet;
use crate::math::format::number;
use crate::report::chart::{At, Axis, Mark, Point, Series, Style};
use crate::report::exhibits::theory as exhibits;
use crate::report::exhibits::theory::{Bound, Corollary4, bound_table, corollary4_table};
use crate::report::table::{Cell, K, Kind, Table};

/// Theorem 2's bound over J_sub.
pub fn theorem2(readout: &Readout) -> Result {
    const MISSING: &str =
        "the session has no constants of Theorem 2; `eigentop measure --exhibits theory` computes them";
    let k = *known_ks(readout).last().ok_or(NO_MODEL)?;
    let n = readout.shown_n();
    let theory = exhibits::theory(readout).ok_or(MISSING)?;
    let constants = theory.constants;
    let mut panels = Vec::new();
    for &sigma in &readout.knobs.sigmas {
        let here = || theory.bounds.iter().filter(|b| (b.k, b.sigma) == (k, sigma));
        let [bound, measured] = [|b: &Bound| b.bound, |b: &Bound| b.measured]
            .map(|of| here().map(|b| Point::exact(b.n as f64 + 1.0, of(b))).collect());
        let series = vec![
            Series::new(Style::Dashed, 1, bound).named("bound"),
            Series::new(Style::Curve, 0, measured).named(format!("J_sub, k = {k}")),
        ];
        let x = Axis::log("n + 1, sequences with the one added");
        panels.push(panel(at_sigma(sigma), x, Axis::log("nats²"), series, vec![]));
    }
    let caption = format!(
        "Theorem 2, J_sub ≤ (12 M_ℓ² + 3σ² M_g² + 3σ⁴(k² + 2k) M_H²)/(n + 1)², with constants measured here: M_ℓ = {} \
         nats, M_g = {} nats per unit, M_H = {} nats per squared unit (largest Ritz value and residual together) at n = {n}.",
        number(constants.loss, 4),
        number(constants.gradient, 4),
        number(constants.curvature, 4)
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: bound_table(&theory.bounds) })
}

/// Corollary 4.
pub fn corollary4(readout: &Readout) -> Result {
    let all = exhibits::corollary4(readout);
    if all.is_empty() {
        return Err(NO_MODEL);
    }
    let mut panels = Vec::new();
    for &sigma in &readout.knobs.sigmas {
        let points = |of: fn(&Corollary4) -> f64| -> Vec<Point> {
            all.iter().filter(|c| c.sigma == sigma).map(|c| Point::exact(c.k as f64, of(c))).collect()
        };
        let series = vec![
            Series::new(Style::Curve, 6, points(|c| c.full)).named("J_sub"),
            Series::new(Style::Curve, 0, points(|c| c.signal)).named("a = 0, c = 0"),
            Series::new(Style::Dashed, 1, points(|c| c.diagonal)).named("and B diagonal (Corollary 4)"),
        ];
        panels.push(panel(at_sigma(sigma), Axis::log("k"), Axis::log("nats²"), series, vec![]));
    }
    let caption = format!(
        "Corollary 4 at n = {}: with a = 0, c = 0 and B diagonal, J = (σ⁴/4)(2Σμ² + (Σμ)²). Beside it the same with all \
         of B, and J_sub itself. All three follow from the coefficients and have no sampling error.",
        readout.shown_n()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: corollary4_table(&all) })
}

/// What an index set is called.
fn set_name(set: IndexSet) -> &'static str {
    match set {
        IndexSet::Leading => "leading",
        IndexSet::Trailing => "trailing",
        IndexSet::Spread => "spread",
    }
}

/// Proposition 3.
pub fn proposition3(readout: &Readout) -> Result {
    let ks = known_ks(readout);
    let most = *ks.last().ok_or(NO_MODEL)?;
    let sigma = readout.knobs.sigma;
    let all = readout.proposition3(most, sigma).ok_or(NO_MODEL)?;
    let increments = all.increments.iter().enumerate().map(|(i, mu)| Point::exact(i as f64 + 1.0, *mu)).collect();
    let zero = Mark { at: At::Y(0.0), label: String::new() };
    let y = Axis::linear("μ_j = u_jᵀAu_j, nats per squared unit");
    let mut panels = vec![panel(
        "eigenvalue increments",
        Axis::linear("j"),
        y,
        vec![Series::new(Style::Signs, 0, increments)],
        vec![zero],
    )];
    let mut rows = Vec::new();
    let mut by_set = IndexSet::ALL.map(|set| (set, Vec::new()));
    for &k in &ks {
        for (set, signal) in readout.proposition3(k, sigma).map(|p| p.signals).unwrap_or_default() {
            rows.push(vec![Cell::Count(k), set_name(set).into(), Cell::Value(signal)]);
            by_set.iter_mut().filter(|of| of.0 == set).for_each(|of| of.1.push(Point::exact(k as f64, signal)));
        }
    }
    let series = by_set.into_iter().enumerate().map(|(ink, (set, points))| {
        Series::new(Style::Curve, ink, points).named(format!("{} k eigenvectors", set_name(set)))
    });
    panels.push(panel(
        at_sigma(sigma),
        Axis::log("k"),
        Axis::log("pure quadratic signal, nats²"),
        series.collect(),
        vec![],
    ));
    let columns = [K, ("set", "eigenvectors", Kind::Plain), ("signal", "pure quadratic signal, nats²", Kind::Plain)];
    let caption = format!(
        "Proposition 3 asks for increments μ_j ≥ 0 and a shared eigenbasis; here {} of {} are ≥ 0. Right, the pure \
         quadratic signal (σ⁴/4)(2‖B‖² + (Tr B)²) of k of the {most} eigenvectors found, chosen three ways.",
        all.nonnegative,
        all.increments.len()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows) })
}
