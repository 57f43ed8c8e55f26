//! Figures of the estimators: against draws (Fig. 5), their gap over k and σ (Fig. 6), what J is made of, and all of them
//! side by side.

use super::{NO_MODEL, Result, Shown, at_sigma, interval, known_ks, panel, side_by_side as in_a_row};
use crate::criteria::quadratic::Moments;
use crate::engine::readout::Readout;
use crate::engine::readout::agreement::AfterDraws;
use crate::engine::readout::views::FullMoments;
use crate::math::format::{deviation, exact, number};
use crate::math::stats::{Estimate, Interval};
use crate::report::chart::{At, Axis, Chart, Content, Map, MapCell, Mark, Panel, Point, Series, Style};
use crate::report::table::{Cell, K, Kind, SIGMA, Table};

const NO_DRAWS: &str =
    "the session has no two draws in the subspace; `eigentop measure` with --draws 2 or more takes them";

/// Points of a curve over σ.
const FINE: usize = 61;
/// Part of the draws from which on intervals decide the heights: early ones are as wide as the sky.
const SETTLED: usize = 6;

/// The three Monte Carlo estimators.
type Kinds = [(&'static str, fn(&AfterDraws) -> Estimate); 3];
const KINDS: Kinds = [
    ("direct", |after| after.direct),
    ("quadratic", |after| after.quadratic),
    ("direct with control variate", |after| after.direct_cv),
];

/// Fig. 5.
pub fn s_curve(readout: &Readout) -> Result {
    let sigmas = &readout.knobs.sigmas;
    let k = known_ks(readout).into_iter().rev().find(|k| sigmas.iter().any(|s| !readout.s_curve(*k, *s).is_empty()));
    let k = k.ok_or(NO_DRAWS)?;
    let (mut panels, mut rows) = (Vec::new(), Vec::new());
    for &sigma in sigmas {
        let curve = readout.s_curve(k, sigma);
        let Some(gm) = readout.subspace(k, sigma).map(|sub| sub.gm.j()).filter(|_| !curve.is_empty()) else { continue };
        let least = curve.last().map_or(0, |after| after.draws) / SETTLED;
        let relative = |e: &Estimate| {
            let Interval { value, low, high } = interval(e);
            Interval { value: value / gm - 1.0, low: low / gm - 1.0, high: high / gm - 1.0 }
        };
        let series = KINDS.iter().enumerate().map(|(ink, (name, of))| {
            let settled = curve.iter().filter(|after| after.draws >= least);
            let points = settled.map(|after| Point { x: after.draws as f64, y: relative(&of(after)) });
            Series::new(Style::Curve, ink, points.collect()).named(*name)
        });
        let zero = Mark { at: At::Y(0.0), label: "closed form".into() };
        let y = Axis::linear("J_sub/GM − 1");
        panels.push(panel(at_sigma(sigma), Axis::log("draws S, antithetic pairs"), y, series.collect(), vec![zero]));
        for after in &curve {
            let all = KINDS.iter().map(|(_, of)| Cell::Drawn(of(after)));
            let place = [Cell::Knob(sigma), Cell::Count(k), Cell::Count(after.draws), Cell::Value(gm)];
            rows.push(place.into_iter().chain(all).collect());
        }
    }
    let columns = [
        SIGMA,
        K,
        ("draws", "draws", Kind::Plain),
        ("gm", "closed form, nats²", Kind::Plain),
        ("direct", "direct, nats²", Kind::Estimate),
        ("quadratic", "quadratic, nats²", Kind::Estimate),
        ("direct_cv", "direct with control variate, nats²", Kind::Estimate),
    ];
    let caption = format!(
        "Estimators of J_sub(k = {k}, σ) after S draws, relative to the closed form (GM): quadratic Monte Carlo must come \
         to 0, direct Monte Carlo comes to the bias of the quadratic model, and the control variate brings it there \
         sooner. Bands are 95 % intervals."
    );
    Ok(Shown { caption, chart: Some(in_a_row(panels)), table: Table::new(&columns, rows) })
}

/// Fig. 6.
pub fn map(readout: &Readout) -> Result {
    let (ks, sigmas) = (known_ks(readout), &readout.knobs.sigmas);
    let gap = |k: usize, sigma: f64| readout.gap(k, sigma);
    let part = |x: f64| deviation(x).trim_start_matches(['+', '−']).to_owned();
    let cell = |k: usize, sigma: f64| {
        let gap = gap(k, sigma)?;
        let sign = if gap.confirms() { "≈ " } else { "" };
        Some(MapCell {
            value: gap.size,
            lines: vec![format!("{sign}{}", part(gap.size)), format!("±{}", part(gap.half))],
        })
    };
    let cells: Vec<Vec<Option<MapCell>>> =
        sigmas.iter().map(|sigma| ks.iter().map(|k| cell(*k, *sigma)).collect()).collect();
    if cells.iter().flatten().all(Option::is_none) {
        return Err(NO_DRAWS);
    }
    let map = Map {
        columns: ks.iter().map(ToString::to_string).collect(),
        rows: sigmas.iter().map(|sigma| exact(*sigma)).collect(),
        cells,
    };
    let (x, y) = (Axis::linear("k"), Axis::linear("σ, parameter units"));
    let panel = Panel { title: "|direct − GM|/|direct|".into(), x, y, content: Content::Map(map) };
    let mut rows = Vec::new();
    for &sigma in sigmas {
        for &k in &ks {
            let Some((gap, sub)) = gap(k, sigma).zip(readout.subspace(k, sigma)) else { continue };
            rows.push(vec![
                Cell::Knob(sigma),
                Cell::Count(k),
                Cell::Value(gap.size),
                Cell::Value(gap.half),
                if gap.confirms() { "yes" } else { "no" }.into(),
                Cell::Value(sub.gm.j()),
                sub.direct.into(),
            ]);
        }
    }
    let columns = [
        SIGMA,
        K,
        ("gap", "|direct − GM|/|direct|", Kind::Plain),
        ("gap_half", "half of its 95 % interval", Kind::Plain),
        ("confirmed", "within the interval", Kind::Plain),
        ("gm", "closed form, nats²", Kind::Plain),
        ("direct", "direct, nats²", Kind::Estimate),
    ];
    let caption =
        "How far direct Monte Carlo of J_sub lies from the closed form, with half of its own 95 % interval behind \
                   ±. ≈ marks cells whose interval holds the closed form: there the draws show no difference."
            .to_owned();
    Ok(Shown { caption, chart: Some(Chart { panels: vec![panel], columns: 1 }), table: Table::new(&columns, rows) })
}

/// J = mean² + variance in the subspace and in the full space, against σ.
pub fn decomposition(readout: &Readout) -> Result {
    let q = readout.quadratic().ok_or(NO_MODEL)?;
    let (n, ks) = (readout.shown_n(), known_ks(readout));
    let k = *ks.last().ok_or(NO_MODEL)?;
    let (from, to) =
        (readout.knobs.sigmas.first().ok_or(NO_MODEL)? / 10.0, readout.knobs.sigmas.last().ok_or(NO_MODEL)? * 10.0);
    let grid: Vec<f64> = (0..FINE).map(|i| from * (to / from).powf(i as f64 / (FINE - 1) as f64)).collect();
    let of = |part: fn(&Moments) -> f64| -> Vec<Point> {
        grid.iter().map(|sigma| Point::exact(*sigma, part(&q.moments(k, *sigma)))).collect()
    };
    let named = |style, ink, points, label: &str| Series::new(style, ink, points).named(label);
    let sub = vec![
        named(Style::Line, 6, of(|m| m.j()), "J_sub"),
        named(Style::Dashed, 0, of(|m| m.mean * m.mean), "mean², (a + ½σ² Tr B)²"),
        named(Style::Dashed, 1, of(|m| m.gradient), "gradient, σ²‖c‖²"),
        named(Style::Dashed, 2, of(|m| m.curvature), "curvature, ½σ⁴‖B‖²"),
    ];
    let (x, y) = (|| Axis::log("σ, parameter units"), || Axis::log("nats²"));
    let mut panels = vec![panel(format!("top eigenspace, k = {k}"), x(), y(), sub, vec![])];
    let full: Vec<(f64, _)> = grid.iter().filter_map(|s| Some((*s, readout.full_moments(n, *s)?))).collect();
    let series = |of: fn(&FullMoments) -> Interval| -> Vec<Point> {
        full.iter().map(|(sigma, f)| Point { x: *sigma, y: of(f) }).collect()
    };
    if !full.is_empty() {
        let all = vec![
            named(Style::Line, 6, series(FullMoments::j), "J_full"),
            named(Style::Dashed, 0, series(|f| Interval::exact(f.moments.mean.powi(2))), "mean², (a + ½σ² Tr A)²"),
            named(Style::Dashed, 1, series(|f| Interval::exact(f.moments.gradient)), "gradient, σ²‖b‖²"),
            named(Style::Dashed, 2, series(|f| Interval::exact(f.moments.curvature)), "curvature, ½σ⁴‖A‖²"),
        ];
        panels.push(panel(
            format!("all {} parameters", readout.subject.as_ref().map_or(0, |s| s.parameters)),
            x(),
            y(),
            all,
            vec![],
        ));
    }
    let mut rows = Vec::new();
    for &sigma in &readout.knobs.sigmas {
        for &k in &ks {
            let m = q.moments(k, sigma);
            let parts = [m.j(), m.mean * m.mean, m.gradient, m.curvature].map(Cell::Value);
            rows.push(["subspace".into(), Cell::Count(k), Cell::Knob(sigma)].into_iter().chain(parts).collect());
        }
        if let Some(f) = readout.full_moments(n, sigma) {
            rows.push(vec![
                "full".into(),
                Cell::Blank,
                Cell::Knob(sigma),
                Cell::Within(f.j()),
                Cell::Value(f.moments.mean.powi(2)),
                Cell::Value(f.moments.gradient),
                Cell::Within(f.curvature()),
            ]);
        }
    }
    let columns = [
        ("space", "space", Kind::Plain),
        K,
        SIGMA,
        ("j", "J, nats²", Kind::Interval),
        ("mean2", "mean²", Kind::Plain),
        ("gradient", "gradient part", Kind::Plain),
        ("curvature", "curvature part", Kind::Interval),
    ];
    let caption = format!(
        "The closed forms as mean² + variance, n = {n}. What probing can tell of the subspace is in the variance; mean² \
         holds a² = {} nats², which is the same in every subspace. The parts in the full space rest on {} probes of A.",
        number(q.a * q.a, 3),
        readout.traces(n).map_or(0, |traces| traces.0.draws)
    );
    Ok(Shown { caption, chart: Some(in_a_row(panels)), table: Table::new(&columns, rows) })
}

/// All estimators of J_sub and J_full.
pub fn side_by_side(readout: &Readout) -> Result {
    let ks = known_ks(readout);
    let (mut rows, mut panels) = (Vec::new(), Vec::new());
    for &sigma in &readout.knobs.sigmas {
        let full = readout.full(sigma);
        let sub: Vec<_> = ks.iter().filter_map(|k| Some((*k, readout.subspace(*k, sigma)?))).collect();
        for (k, s) in &sub {
            rows.push(vec![
                "subspace".into(),
                Cell::Count(*k),
                Cell::Knob(sigma),
                Cell::Within(Interval::exact(s.gm.j())),
                s.direct_cv.into(),
                s.direct.into(),
                s.quadratic.into(),
            ]);
        }
        if full.gm.is_some() || full.mc.is_some() {
            rows.push(vec![
                "full".into(),
                Cell::Blank,
                Cell::Knob(sigma),
                full.gm.into(),
                full.mc_cv.into(),
                full.mc.into(),
                Cell::Blank,
            ]);
        }
        let names: Vec<String> = ks.iter().map(|k| format!("k = {k}")).chain(["full".to_owned()]).collect();
        let points = |of: &dyn Fn(usize) -> Option<Interval>| -> Vec<Point> {
            (0..names.len()).filter_map(|i| Some(Point { x: i as f64 + 1.0, y: of(i)? })).collect()
        };
        let drawn = |e: Option<Estimate>| e.filter(|e| e.draws > 1).map(|e| interval(&e));
        let at = |i: usize| sub.get(i).map(|s| s.1);
        let kinds = [
            ("closed form", points(&|i| if i < sub.len() { Some(Interval::exact(at(i)?.gm.j())) } else { full.gm })),
            ("with control variate", points(&|i| drawn(if i < sub.len() { at(i)?.direct_cv } else { full.mc_cv }))),
            ("direct", points(&|i| drawn(if i < sub.len() { at(i)?.direct } else { full.mc }))),
        ];
        // Beside each other rather than upon each other.
        let series = kinds.into_iter().enumerate().map(|(ink, (name, points))| {
            let aside = 0.14 * (ink as f64 - 1.0);
            let points = points.into_iter().map(|p| Point { x: p.x + aside, ..p }).collect();
            Series::new(Style::Signs, ink, points).named(name)
        });
        panels.push(panel(
            at_sigma(sigma),
            Axis::names("", names.clone()),
            Axis::log("J, nats²"),
            series.collect(),
            vec![],
        ));
    }
    if rows.is_empty() {
        return Err(NO_MODEL);
    }
    let columns = [
        ("space", "space", Kind::Plain),
        K,
        SIGMA,
        ("gm", "closed form, nats²", Kind::Interval),
        ("direct_cv", "with control variate, nats²", Kind::Estimate),
        ("direct", "direct, nats²", Kind::Estimate),
        ("quadratic", "quadratic, nats²", Kind::Estimate),
    ];
    let caption = format!(
        "J_sub and J_full by every estimator, n = {}, with 95 % intervals. In the subspace the control variate is the \
         quadratic model, in the full space the linear one.",
        readout.shown_n()
    );
    Ok(Shown { caption, chart: Some(in_a_row(panels)), table: Table::new(&columns, rows) })
}
