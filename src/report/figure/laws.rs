//! Figures of the shares: probing laws side by side, and the share with and without the quadratic model.

use super::{NO_MODEL, Result, Shown, at_sigma, known_ks, panel, side_by_side};
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::LawFigures;
use crate::math::stats::Interval;
use crate::report::chart::{Axis, Point, Series, Style};
use crate::report::exhibits::laws as exhibits;
use crate::report::exhibits::laws::{law_table, share_table};

/// The probing laws.
pub fn laws(readout: &Readout) -> Result {
    const MISSING: &str = "the session has one probing law only; `eigentop measure --exhibits laws` compares them";
    let ks = known_ks(readout);
    let k = *ks.last().ok_or(NO_MODEL)?;
    if readout.law_figures(k, readout.knobs.sigma).len() < 2 {
        return Err(MISSING);
    }
    let mut panels = Vec::new();
    for &sigma in &readout.knobs.sigmas {
        let figures = readout.law_figures(k, sigma);
        let names = figures.iter().map(|f| format!("{}, {}", f.law, f.k)).collect();
        let points = |of: &dyn Fn(&LawFigures) -> Option<Interval>, aside: f64| -> Vec<Point> {
            let one = |(i, f): (usize, &LawFigures)| Some(Point { x: i as f64 + 1.0 + aside, y: of(f)? });
            figures.iter().enumerate().filter_map(one).collect()
        };
        let series = vec![
            Series::new(Style::Signs, 0, points(&|f| f.share, -0.14)).named("share Var_sub/Var_full"),
            Series::new(Style::Signs, 1, points(&|f| f.gradient_share.map(Interval::exact), 0.0))
                .named("gradient ‖c‖²/‖b‖²"),
            Series::new(Style::Signs, 2, points(&|f| f.curvature_share, 0.14)).named("curvature ‖B‖²/‖A‖²"),
        ];
        panels.push(panel(at_sigma(sigma), Axis::names("law, dimensions", names), Axis::log("share"), series, vec![]));
    }
    let caption = format!(
        "What each probing law captures of the increment of n = {} in as many dimensions as it has, at most {k}: shares \
         of the variance, of its gradient and of its curvature, with 95 % intervals from the traces of A. Enrichment is \
         the share over k/P, 1 for a random subspace.",
        readout.shown_n()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: law_table(&exhibits::laws(readout)) })
}

/// The share with and without the quadratic model.
pub fn shares(readout: &Readout) -> Result {
    const MISSING: &str = "the session has no pick-freeze pairs; `eigentop measure --exhibits shares` takes them";
    let (ks, n) = (known_ks(readout), readout.shown_n());
    let mut panels = Vec::new();
    for &sigma in &readout.knobs.sigmas {
        let quadratic = |k: usize| Some(readout.shares(n, k, sigma)?.total);
        let known: Vec<usize> = ks.iter().copied().filter(|k| readout.pick_freeze_plain(*k, sigma).is_some()).collect();
        if known.is_empty() {
            continue;
        }
        let points = |of: &dyn Fn(usize) -> Option<Interval>, aside: f64| -> Vec<Point> {
            let one = |(i, k): (usize, &usize)| Some(Point { x: i as f64 + 1.0 + aside, y: of(*k)? });
            known.iter().enumerate().filter_map(one).collect()
        };
        let controlled = |k: usize| readout.pick_freeze_share(k, sigma);
        let plain = |k: usize| readout.pick_freeze_plain(k, sigma);
        let series = vec![
            Series::new(Style::Signs, 0, points(&quadratic, -0.14)).named("quadratic model"),
            Series::new(Style::Signs, 1, points(&controlled, 0.0)).named("pick-freeze, model as control variate"),
            Series::new(Style::Signs, 2, points(&plain, 0.14)).named("pick-freeze alone"),
        ];
        let names = known.iter().map(|k| format!("k = {k}")).collect();
        panels.push(panel(at_sigma(sigma), Axis::names("", names), Axis::linear("share"), series, vec![]));
    }
    if panels.is_empty() {
        return Err(MISSING);
    }
    let caption = format!(
        "Share of the variance of the increment of n = {n} in the top eigenspace: by the quadratic model, and as a Sobol \
         index without it, from pairs of points that agree in the subspace alone. 95 % intervals."
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: share_table(&exhibits::shares(readout)) })
}
