//! Figures of the theory: Theorem 2, Corollary 4, Proposition 3.

use super::{NO_MODEL, Result, Shown, at_sigma, known_ks, panel, side_by_side};
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::IndexSet;
use crate::math::format::number;
use crate::report::chart::{At, Axis, Mark, Point, Series, Style};
use crate::report::table::{Cell, Kind, Table};

/// Theorem 2's bound over J_sub.
pub fn theorem2(readout: &Readout) -> Result {
    const MISSING: &str =
        "the session has no constants of Theorem 2; `eigentop measure --exhibits theory` computes them";
    let k = *known_ks(readout).last().ok_or(NO_MODEL)?;
    let n = readout.shown_n();
    let constants = readout.theory(n, k, readout.knobs.sigma).ok_or(MISSING)?.constants;
    let (mut panels, mut rows) = (Vec::new(), Vec::new());
    for &sigma in &readout.knobs.sigmas {
        let mut curves = [Vec::new(), Vec::new()];
        for (&m, q) in &readout.coefficients {
            let (Some(bound), Some(slack)) = (readout.theory(m, k, sigma), readout.slack(m, k, sigma)) else {
                continue;
            };
            let j = q.moments(k, sigma).j();
            curves[0].push(Point::exact(m as f64 + 1.0, bound.value()));
            curves[1].push(Point::exact(m as f64 + 1.0, j));
            rows.push(vec![
                Cell::Knob(sigma),
                Cell::Count(k),
                Cell::Count(m),
                Cell::Value(j),
                Cell::Value(bound.value()),
                Cell::Value(slack),
                Cell::Value(bound.loss),
                Cell::Value(bound.gradient),
                Cell::Value(bound.curvature),
            ]);
        }
        let [bound, measured] = curves;
        let series = vec![
            Series::new(Style::Dashed, 1, bound).named("bound"),
            Series::new(Style::Curve, 0, measured).named(format!("J_sub, k = {k}")),
        ];
        let x = Axis::log("n + 1, sequences with the one added");
        panels.push(panel(at_sigma(sigma), x, Axis::log("nats²"), series, vec![]));
    }
    let columns = [
        ("sigma", "σ", Kind::Plain),
        ("k", "k", Kind::Plain),
        ("n", "n", Kind::Plain),
        ("j_sub", "J_sub, nats²", Kind::Plain),
        ("bound", "bound, nats²", Kind::Plain),
        ("slack", "bound/J_sub", Kind::Plain),
        ("bound_loss", "of it loss", Kind::Plain),
        ("bound_gradient", "gradient", Kind::Plain),
        ("bound_curvature", "curvature", Kind::Plain),
    ];
    let caption = format!(
        "Theorem 2, J_sub ≤ (12 M_ℓ² + 3σ² M_g² + 3σ⁴(k² + 2k) M_H²)/(n + 1)², with constants measured here: M_ℓ = {} \
         nats, M_g = {} nats per unit, M_H = {} nats per squared unit (largest Ritz value and residual together) at n = {n}.",
        number(constants.loss, 4),
        number(constants.gradient, 4),
        number(constants.curvature, 4)
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows) })
}

/// Corollary 4.
pub fn corollary4(readout: &Readout) -> Result {
    let ks = known_ks(readout);
    let (mut panels, mut rows) = (Vec::new(), Vec::new());
    for &sigma in &readout.knobs.sigmas {
        let known: Vec<_> = ks.iter().filter_map(|k| Some((*k, readout.corollary4(*k, sigma)?))).collect();
        let points = |of: fn(&crate::engine::readout::exhibits::Corollary4) -> f64| -> Vec<Point> {
            known.iter().map(|(k, c)| Point::exact(*k as f64, of(c))).collect()
        };
        let series = vec![
            Series::new(Style::Curve, 6, points(|c| c.full)).named("J_sub"),
            Series::new(Style::Curve, 0, points(|c| c.signal)).named("a = 0, c = 0"),
            Series::new(Style::Dashed, 1, points(|c| c.diagonal)).named("and B diagonal (Corollary 4)"),
        ];
        panels.push(panel(at_sigma(sigma), Axis::log("k"), Axis::log("nats²"), series, vec![]));
        for (k, c) in known {
            let values = [c.off_diagonal, c.diagonal, c.signal, c.full, c.diagonal / c.signal, c.signal / c.full];
            rows.push([Cell::Knob(sigma), Cell::Count(k)].into_iter().chain(values.map(Cell::Value)).collect());
        }
    }
    if rows.is_empty() {
        return Err(NO_MODEL);
    }
    let columns = [
        ("sigma", "σ", Kind::Plain),
        ("k", "k", Kind::Plain),
        ("off_diagonal", "share of ‖B‖² off the diagonal", Kind::Plain),
        ("diagonal", "diagonal formula, nats²", Kind::Plain),
        ("signal", "with all of B, nats²", Kind::Plain),
        ("j_sub", "J_sub, nats²", Kind::Plain),
        ("diagonal_over_signal", "diagonal/all of B", Kind::Plain),
        ("signal_over_j_sub", "quadratic signal/J_sub", Kind::Plain),
    ];
    let caption = format!(
        "Corollary 4 at n = {}: with a = 0, c = 0 and B diagonal, J = (σ⁴/4)(2Σμ² + (Σμ)²). Beside it the same with all \
         of B, and J_sub itself. All three follow from the coefficients and have no sampling error.",
        readout.shown_n()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows) })
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
    let columns = [
        ("k", "k", Kind::Plain),
        ("set", "eigenvectors", Kind::Plain),
        ("signal", "pure quadratic signal, nats²", Kind::Plain),
    ];
    let caption = format!(
        "Proposition 3 asks for increments μ_j ≥ 0 and a shared eigenbasis; here {} of {} are ≥ 0. Right, the pure \
         quadratic signal (σ⁴/4)(2‖B‖² + (Tr B)²) of k of the {most} eigenvectors found, chosen three ways.",
        all.nonnegative,
        all.increments.len()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows) })
}
