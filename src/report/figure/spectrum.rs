//! Figures of the spectrum: eigenvalues, density, and how eigenspaces follow each other.

use super::{Result, Shown, panel, side_by_side};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::Stability;
use crate::math::basis::angles;
use crate::math::format::number;
use crate::math::stats::Interval;
use crate::report::chart::{At, Axis, Mark, Point, Series, Style};
use crate::report::table::{Cell, Kind, Table};

/// Points of a density's curve.
const POINTS: usize = 241;

/// Eigenvalues with their residuals.
pub fn spectrum(readout: &Readout) -> Result {
    let e = readout.eigenspace.as_ref();
    let e = e.ok_or("the session ends before an eigenspace was found; `eigentop measure` computes it")?;
    let pair = |(i, value): (usize, &f64)| {
        let residual = e.residuals.get(i).copied().unwrap_or(f64::NAN);
        (i + 1, Interval { value: *value, low: value - residual, high: value + residual }, residual)
    };
    let pairs: Vec<_> = e.values.iter().enumerate().map(pair).collect();
    let leading = pairs.iter().map(|(i, y, _)| Point { x: *i as f64, y: *y }).collect();
    let smallest = e.smallest.iter().enumerate().map(|(i, value)| Point::exact(i as f64 + 1.0, *value)).collect();
    let mut series = vec![Series::new(Style::Signs, 0, leading).named(format!("law {} ± residual", e.law))];
    if !e.smallest.is_empty() {
        series.push(Series::new(Style::Signs, 1, smallest).named("smallest, as found on the way"));
    }
    let zero = Mark { at: At::Y(0.0), label: String::new() };
    let y = Axis::linear("λ_i, nats per squared unit");
    let chart = side_by_side(vec![panel(format!("n = {}", e.n), Axis::linear("i"), y, series, vec![zero])]);
    let columns = [
        ("i", "i", Kind::Plain),
        ("eigenvalue", "λ_i ± residual, nats per squared unit", Kind::Interval),
        ("residual", "residual ‖Hu − λu‖", Kind::Plain),
    ];
    let rows = pairs.iter().map(|(i, y, residual)| vec![Cell::Count(*i), Cell::Within(*y), Cell::Value(*residual)]);
    let caption = format!(
        "Rayleigh quotients of the basis under H^(n), n = {}, law {}, found by {} with {} products. Some true eigenvalue \
         lies within the residual of each. max |UᵀU − I| = {}.",
        e.n,
        e.law,
        e.solver,
        e.products,
        number(e.orthonormality, 2)
    );
    Ok(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows.collect()) })
}

/// The spectral density.
pub fn density(readout: &Readout) -> Result {
    const MISSING: &str = "the session has no spectral density; `eigentop measure --exhibits density` computes it";
    let curve = readout.density_curve(POINTS).ok_or(MISSING)?;
    let probes = readout.exhibits.density.get(&readout.shown_n()).map_or(0, Vec::len);
    let parameters = readout.subject.as_ref().map_or(1, |s| s.parameters);
    // One eigenvalue alone makes a bell of this height; a tenth of that is as good as nothing.
    let one = 1.0 / (parameters as f64 * curve.width * (2.0 * std::f64::consts::PI).sqrt());
    let floor = 0.1 * one;
    let all: Vec<Point> = (0..curve.x.len())
        .map(|i| Point {
            x: curve.x[i],
            y: Interval {
                value: curve.mean[i].max(floor),
                low: curve.low[i].max(floor),
                high: curve.high[i].max(floor),
            },
        })
        .collect();
    let outliers = curve.outliers.iter().map(|x| Point::exact(*x, one)).collect();
    let series = vec![
        Series::new(Style::Line, 0, all).named("density"),
        Series::new(Style::Signs, 1, outliers).named("eigenvalues outside the bulk"),
    ];
    let marks = curve.bulk.iter().map(|end| Mark { at: At::X(*end), label: String::new() }).collect();
    let (x, y) = (Axis::linear("λ, nats per squared unit"), Axis::log("density"));
    let chart = side_by_side(vec![panel(format!("n = {}", readout.shown_n()), x, y, series, marks)]);
    let columns = [("eigenvalue", "λ", Kind::Plain), ("density", "density", Kind::Interval)];
    let rows = (0..curve.x.len()).map(|i| {
        let y = Interval { value: curve.mean[i], low: curve.low[i], high: curve.high[i] };
        vec![Cell::Value(curve.x[i]), Cell::Within(y)]
    });
    let outliers: Vec<String> = curve.outliers.iter().map(|x| number(*x, 4)).collect();
    let caption = format!(
        "Spectral density of H^(n), n = {}, by stochastic Lanczos quadrature: the mean of {probes} probes with its 95 % \
         interval, each node widened to {}. Dashed, the ends of the bulk, {} … {}; outside it lie {} of the eigenvalues \
         known: {}.",
        readout.shown_n(),
        number(curve.width, 2),
        number(curve.bulk[0], 3),
        number(curve.bulk[1], 3),
        outliers.len(),
        if outliers.is_empty() { "none".to_owned() } else { outliers.join(", ") }
    );
    Ok(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows.collect()) })
}

/// Overlap and principal angles.
pub fn stability(readout: &Readout) -> Result {
    let mut all: Vec<Stability> = readout.growth_overlaps();
    if all.is_empty() {
        // A run whose n was turned has the overlaps of its own eigenspaces.
        all = readout
            .overlaps()
            .iter()
            .map(|o| Stability { run: 0, at: o.n, overlap: o.mean_square(), angles: angles(&o.cosines) })
            .collect();
    }
    if all.is_empty() {
        return Err(
            "the session has one eigenspace only; `eigentop growth`, or `measure --exhibits growth`, follows it",
        );
    }
    let runs: std::collections::BTreeSet<usize> = all.iter().map(|s| s.run).collect();
    let of_run = |run: usize, y: &dyn Fn(&Stability) -> f64| -> Vec<Point> {
        all.iter().filter(|s| s.run == run).map(|s| Point::exact(s.at as f64, y(s))).collect()
    };
    let overlaps = runs
        .iter()
        .map(|run| Series::new(Style::Curve, *run, of_run(*run, &|s| s.overlap)).named(format!("run {run}")));
    let largest = |s: &Stability| s.angles.last().copied().unwrap_or(f64::NAN).to_degrees();
    let middle = |s: &Stability| s.angles.get(s.angles.len() / 2).copied().unwrap_or(f64::NAN).to_degrees();
    let angles = runs.iter().flat_map(|run| {
        let label = |what: &str| format!("{what}, run {run}");
        [
            Series::new(Style::Curve, *run, of_run(*run, &largest)).named(label("largest")),
            Series::new(Style::Dashed, *run, of_run(*run, &middle)).named(label("middle")),
        ]
    });
    let x = || {
        Axis::log(if readout.growth_mode() == Some(crate::engine::growth::Mode::Checkpoints) {
            "training step"
        } else {
            "n"
        })
    };
    let panels = vec![
        panel("overlap with the eigenspace before", x(), Axis::linear("‖UᵀU'‖²/k"), overlaps.collect(), vec![]),
        panel("principal angles", x(), Axis::linear("degrees"), angles.collect(), vec![]),
    ];
    let columns = [
        ("run", "run", Kind::Plain),
        ("at", "n or step", Kind::Plain),
        ("overlap", "overlap ‖UᵀU'‖²/k", Kind::Plain),
        ("angle_smallest", "smallest angle, degrees", Kind::Plain),
        ("angle_middle", "middle angle, degrees", Kind::Plain),
        ("angle_largest", "largest angle, degrees", Kind::Plain),
    ];
    let rows = all.iter().map(|s| {
        let smallest = s.angles.first().map(|angle| angle.to_degrees());
        let angles: [Cell; 3] = [smallest.into(), Cell::Value(middle(s)), Cell::Value(largest(s))];
        [Cell::Count(s.run), Cell::Count(s.at), Cell::Value(s.overlap)].into_iter().chain(angles).collect()
    });
    let caption =
        "How each eigenspace sits to that of the point before it in its run: the mean squared cosine of their \
                   principal angles, 1 for the same space and k/P for random ones, and the angles themselves."
            .to_owned();
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows.collect()) })
}
