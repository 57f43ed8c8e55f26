//! Figures against n: decay, what is left without the algebra, slopes, ratio and share, and ‖g^(n)‖.

use super::against_n::{AgainstN, distance_from_minimisers};
use super::{Result, Shown, at_sigma, panel, side_by_side};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::{Position, Quantity};
use crate::math::format::number;
use crate::math::stats::Interval;
use crate::report::chart::{At, Axis, Mark, Point, Scale, Series, Style};
use crate::report::table::{Cell, K, Kind, SIGMA, Table, within};
use crate::report::verdict::Verdict;

const NO_CURVES: &str =
    "the session has nothing against n; `eigentop growth`, or `measure` with --n 2 or more, computes it";

/// One curve of the figure: a criterion, with k where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    quantity: Quantity,
    k: Option<usize>,
}

impl Line {
    fn label(self) -> String {
        match (self.quantity, self.k) {
            (Quantity::J1, _) => "J₁".into(),
            (Quantity::JFull, _) => "J_full".into(),
            (Quantity::JSub, k) => format!("J_sub, k = {}", k.unwrap_or(0)),
        }
    }

    fn key(self) -> &'static str {
        match self.quantity {
            Quantity::J1 => "j1",
            Quantity::JFull => "j_full",
            Quantity::JSub => "j_sub",
        }
    }

    /// What stands in for k where the criterion has none is not looked at.
    fn k(self) -> usize {
        self.k.unwrap_or(1)
    }

    fn k_cell(self) -> Cell {
        self.k.map_or(Cell::Blank, Cell::Count)
    }
}

/// All curves at one σ: J_1, J_full and J_sub for each k.
fn lines(curves: &AgainstN) -> Vec<Line> {
    let sub = curves.ks().into_iter().map(|k| Line { quantity: Quantity::JSub, k: Some(k) });
    [Quantity::J1, Quantity::JFull].map(|quantity| Line { quantity, k: None }).into_iter().chain(sub).collect()
}

/// The horizontal axis: n + 1, on which power laws are straight, or the training step.
fn horizontal(curves: &AgainstN) -> Axis {
    if curves.by_step() { Axis::linear("training step") } else { Axis::log("n + 1, sequences with the one added") }
}

fn points(curves: &AgainstN, curve: &[(Position, Interval)]) -> Vec<Point> {
    let shift = if curves.by_step() { 0.0 } else { 1.0 };
    curve.iter().map(|(at, y)| Point { x: *at as f64 + shift, y: *y }).collect()
}

/// The guide ∝ (n + 1)^rate through the first point of a curve.
fn guide(points: &[Point], rate: f64) -> Option<Series> {
    let first = points.first()?;
    let at = |p: &Point| Point::exact(p.x, first.y.value * (p.x / first.x).powf(rate));
    let exponent = if rate == -1.0 { "⁻¹" } else { "⁻²" };
    let guide = Series::new(Style::Guide, 0, points.iter().map(at).collect());
    Some(guide.named(format!("∝ (n + 1){exponent}")))
}

/// Fig. 2.
pub fn decay(readout: &Readout) -> Result {
    let curves = AgainstN::of(readout).ok_or(NO_CURVES)?;
    let one = |sigma: f64| {
        let mut series = Vec::new();
        for (ink, line) in lines(&curves).into_iter().enumerate() {
            let points = points(&curves, &curves.curve(line.quantity, line.k(), sigma));
            if !curves.by_step() && ink < 2 {
                series.extend(guide(&points, line.quantity.rate()));
            }
            let slope = curves.law(line.quantity, line.k(), sigma).map(|law| format!(", slope {}", within(&law.slope)));
            series.push(Series::new(Style::Curve, ink, points).named(line.label() + &slope.unwrap_or_default()));
        }
        panel(at_sigma(sigma), horizontal(&curves), Axis::log("J₁ in nats, J_full and J_sub in nats²"), series, vec![])
    };
    let panels = readout.knobs.sigmas.iter().map(|sigma| one(*sigma)).collect();
    let caption = format!(
        "Criteria against n: {}. Bands are 95 % intervals. Slopes are those of log J against log(n + 1), with 95 % \
         intervals over runs, or over residuals where there is one run.",
        curves.source()
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: table(&curves, AgainstN::curve, "j", "J") })
}

/// C_n.
pub fn constants(readout: &Readout) -> Result {
    let curves = AgainstN::of(readout).ok_or(NO_CURVES)?;
    let one = |sigma: f64| {
        let series = lines(&curves).into_iter().enumerate().map(|(ink, line)| {
            let points = points(&curves, &curves.constant(line.quantity, line.k(), sigma));
            Series::new(Style::Curve, ink, points).named(line.label())
        });
        panel(at_sigma(sigma), horizontal(&curves), Axis::log("C_n, nats or nats²"), series.collect(), vec![])
    };
    let panels = readout.knobs.sigmas.iter().map(|sigma| one(*sigma)).collect();
    let caption = format!(
        "What is left of the criteria once the algebra is taken out, (n + 1)·J₁ and (n + 1)²·J: level where a criterion \
         falls at its rate. {}. Bands are 95 % intervals.",
        capital(&curves.source())
    );
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: table(&curves, AgainstN::constant, "c", "C_n") })
}

type Curve<'a> = fn(&AgainstN<'a>, Quantity, usize, f64) -> Vec<(Position, Interval)>;

/// Every point of every curve; J_1 once, for it does not depend on σ.
fn table<'a>(curves: &AgainstN<'a>, of: Curve<'a>, key: &'static str, head: &'static str) -> Table {
    let mut rows = Vec::new();
    for (i, &sigma) in curves.readout().knobs.sigmas.iter().enumerate() {
        for line in lines(curves).into_iter().filter(|line| line.quantity != Quantity::J1 || i == 0) {
            let at_sigma = if line.quantity == Quantity::J1 { Cell::Blank } else { Cell::Knob(sigma) };
            for (at, value) in of(curves, line.quantity, line.k(), sigma) {
                rows.push(vec![
                    line.key().into(),
                    line.k_cell(),
                    at_sigma.clone(),
                    Cell::Count(at),
                    Cell::Within(value),
                ]);
            }
        }
    }
    let (at_key, at_head) = position(curves);
    let columns =
        [("quantity", "criterion", Kind::Plain), K, SIGMA, (at_key, at_head, Kind::Plain), (key, head, Kind::Interval)];
    Table::new(&columns, rows)
}

fn position(curves: &AgainstN) -> (&'static str, &'static str) {
    if curves.by_step() { ("step", "training step") } else { ("n", "n") }
}

/// The slopes.
pub fn rates(readout: &Readout) -> Result {
    let curves = AgainstN::of(readout).filter(|curves| !curves.by_step()).ok_or(NO_CURVES)?;
    let mut rows = Vec::new();
    for (i, &sigma) in readout.knobs.sigmas.iter().enumerate() {
        for line in lines(&curves).into_iter().filter(|line| line.quantity != Quantity::J1 || i == 0) {
            let Some(law) = curves.law(line.quantity, line.k(), sigma) else { continue };
            let at_sigma = if line.quantity == Quantity::J1 { Cell::Blank } else { Cell::Knob(sigma) };
            let theory = line.quantity.rate();
            rows.push(vec![
                line.key().into(),
                line.k_cell(),
                at_sigma,
                Cell::Within(law.slope),
                Cell::Value(theory),
                Cell::Text(Verdict::of_rate(&law.slope, theory).to_string()),
            ]);
        }
    }
    let columns = [
        ("quantity", "criterion", Kind::Plain),
        K,
        SIGMA,
        ("slope", "slope", Kind::Interval),
        ("theory", "theory", Kind::Plain),
        ("verdict", "verdict", Kind::Plain),
    ];
    let caption = format!(
        "Slopes of log J against log(n + 1) with 95 % intervals, beside what the paper predicts; not decided where the \
         interval holds the next smaller power too. {}.",
        capital(&curves.source())
    );
    Ok(Shown { caption, chart: None, table: Table::new(&columns, rows) })
}

/// Fig. 3, with the share that a² hides below it.
pub fn ratio(readout: &Readout) -> Result {
    let curves = AgainstN::of(readout).ok_or(NO_CURVES)?;
    let (sigmas, ks) = (&readout.knobs.sigmas, curves.ks());
    let (at_key, at_head) = position(&curves);
    let mut rows = Vec::new();
    let mut panels = Vec::new();
    for &sigma in sigmas {
        let series = ks.iter().enumerate().map(|(ink, &k)| {
            Series::new(Style::Curve, ink, points(&curves, &curves.ratio(k, sigma))).named(format!("k = {k}"))
        });
        let one = Mark { at: At::Y(1.0), label: String::new() };
        panels.push(panel(
            at_sigma(sigma),
            horizontal(&curves),
            Axis::linear("J_sub/J_full"),
            series.collect(),
            vec![one],
        ));
    }
    for &sigma in sigmas {
        let series = ks.iter().enumerate().map(|(ink, &k)| {
            Series::new(Style::Curve, ink, points(&curves, &curves.share(k, sigma))).named(format!("k = {k}"))
        });
        panels.push(panel(
            at_sigma(sigma),
            horizontal(&curves),
            Axis::log("share Var_sub/Var_full"),
            series.collect(),
            vec![],
        ));
        for &k in &ks {
            let shares = curves.share(k, sigma);
            for (at, ratio) in curves.ratio(k, sigma) {
                let share = shares.iter().find(|share| share.0 == at).map(|share| share.1);
                rows.push(vec![Cell::Knob(sigma), Cell::Count(k), Cell::Count(at), Cell::Within(ratio), share.into()]);
            }
        }
    }
    let columns = [
        SIGMA,
        K,
        (at_key, at_head, Kind::Plain),
        ("ratio", "J_sub/J_full", Kind::Interval),
        ("share", "share", Kind::Interval),
    ];
    let caption = format!(
        "Above, J_sub/J_full, which is near 1 wherever a² = Δ_n(w*)² decides both. Below, the share of the variance of \
         the increment that lies in the top eigenspace, which a² does not touch. {}. Bands are 95 % intervals.",
        capital(&curves.source())
    );
    let mut chart = side_by_side(panels);
    chart.columns = sigmas.len().max(1);
    Ok(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows) })
}

/// ‖g^(n)‖.
pub fn gradient(readout: &Readout) -> Result {
    const MISSING: &str = "the session has ‖g‖ at one n only; `eigentop growth` follows it";
    let curves = AgainstN::of(readout).ok_or(MISSING)?;
    let norms = curves.grad_norm();
    let (distance, count) = distance_from_minimisers(readout).ok_or(MISSING)?;
    let series = vec![Series::new(Style::Curve, 0, points(&curves, &norms))];
    let y = Axis { label: "‖g^(n)‖, nats per unit".into(), scale: Scale::Log };
    let (at_key, at_head) = position(&curves);
    let columns = [(at_key, at_head, Kind::Plain), ("grad_norm", "‖g^(n)‖, nats per unit", Kind::Interval)];
    let rows = norms.iter().map(|(at, norm)| vec![Cell::Count(*at), Cell::Within(*norm)]).collect();
    let caption = format!(
        "‖g^(n)‖ at every checkpoint; the theory assumes 0. Relative to ‖g_next − g^(n)‖ its median over {count} points is \
         {} (quartiles {} … {}). {}.",
        number(distance.value, 3),
        number(distance.low, 3),
        number(distance.high, 3),
        capital(&curves.source())
    );
    let chart = side_by_side(vec![panel("", horizontal(&curves), y, series, vec![])]);
    Ok(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows) })
}

/// A sentence's first letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_a_power_law_through_the_first_point() {
        let points = [Point::exact(2.0, 8.0), Point::exact(4.0, 1.0)];
        let guide = guide(&points, -2.0).unwrap();
        assert_eq!(guide.points, [Point::exact(2.0, 8.0), Point::exact(4.0, 2.0)]);
    }
}
