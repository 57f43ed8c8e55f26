//! Fig. 4: error of the quadratic proxy against σ, at the checkpoint and over the checkpoints of a growth run.

use super::{Result, Shown, panel, side_by_side};
use crate::criteria::proxy::{self, VALID};
use crate::engine::readout::Readout;
use crate::math::format::number;
use crate::math::stats::Interval;
use crate::report::chart::{At, Axis, Mark, Panel, Point, Series, Style};
use crate::report::table::{Cell, Kind, SIGMA, Table};

/// Checkpoints drawn: as many as there are inks.
const CHECKPOINTS: usize = 6;

/// One point of one curve.
struct Error {
    sigma: f64,
    median: f64,
    quartiles: [f64; 2],
    floor: f64,
}

impl Error {
    fn point(&self) -> Point {
        let [low, high] = self.quartiles;
        Point { x: self.sigma, y: Interval { value: self.median, low, high } }
    }

    fn row(&self, place: [Cell; 2]) -> Vec<Cell> {
        let [low, high] = self.quartiles;
        let median = Cell::Within(Interval { value: self.median, low, high });
        place.into_iter().chain([Cell::Value(self.sigma), median, Cell::Value(self.floor)]).collect()
    }
}

/// Fig. 4.
pub fn proxy(readout: &Readout) -> Result {
    let points = readout.proxy();
    let here: Vec<Error> = points
        .iter()
        .map(|p| Error {
            sigma: p.sigma,
            median: p.relative_median,
            quartiles: p.relative_quartiles,
            floor: p.relative_floor,
        })
        .collect();
    let course = readout.growth_proxy();
    if here.is_empty() && course.is_empty() {
        return Err("the session has no proxy curve; `eigentop measure`, or `growth` with --directions, computes it");
    }
    let (mut panels, mut rows, mut caption) = (Vec::new(), Vec::new(), String::new());
    if !here.is_empty() {
        let valid = proxy::valid_to(&points);
        let title = match valid {
            Some(sigma) => format!("at the checkpoint: valid to σ = {}", number(sigma, 2)),
            None => "at the checkpoint".to_owned(),
        };
        panels.push(errors(&title, vec![("median".to_owned(), &here)], valid));
        rows.extend(here.iter().map(|error| error.row([Cell::Blank, Cell::Blank])));
        let to = valid.map_or("nowhere".to_owned(), |sigma| format!("up to σ = {}", number(sigma, 2)));
        caption += &format!(
            "Relative error |ΔL − model|/|ΔL| of the quadratic model of L_n, n = {}, over {} directions δ ~ N(0, σ² I): \
             median with its quartiles. Dashed, the rounding error of {} arithmetic over the median |ΔL|: below it \
             nothing can be said of the model. The model is valid within {} % {to}. ",
            readout.shown_n(),
            points.first().map_or(0, |p| p.relative.draws),
            readout.subject.as_ref().map_or(String::new(), |s| s.precision.to_string()),
            100.0 * VALID
        );
    }
    let by_place: Vec<(usize, usize, Vec<Error>)> = course
        .iter()
        .map(|(run, at, curve)| {
            let error = |v: &crate::engine::growth::Validity| Error {
                sigma: v.sigma,
                median: v.median,
                quartiles: v.quartiles,
                floor: v.floor,
            };
            (*run, *at, curve.iter().map(error).collect())
        })
        .collect();
    if !by_place.is_empty() {
        let first: Vec<&(usize, usize, Vec<Error>)> =
            by_place.iter().filter(|place| place.0 == by_place[0].0).collect();
        let drawn = (0..first.len().min(CHECKPOINTS)).map(|i| first[spread(i, first.len())]);
        let curves = drawn.map(|(_, at, errors)| (format!("at {at}"), errors)).collect();
        panels.push(errors("over the checkpoints of run 0", curves, None));
        for (run, at, errors) in &by_place {
            rows.extend(errors.iter().map(|error| error.row([Cell::Count(*run), Cell::Count(*at)])));
        }
        caption += "Over checkpoints: the same after n sequences of a training run, or at its steps.";
    }
    let columns = [
        ("run", "run", Kind::Plain),
        ("at", "checkpoint", Kind::Plain),
        SIGMA,
        ("rel_err_median", "median relative error (quartiles)", Kind::Interval),
        ("rel_floor", "relative rounding floor", Kind::Plain),
    ];
    let caption = caption.trim_end().to_owned();
    Ok(Shown { caption, chart: Some(side_by_side(panels)), table: Table::new(&columns, rows) })
}

/// The i-th of at most [`CHECKPOINTS`] places spread over `count`, both ends among them.
fn spread(i: usize, count: usize) -> usize {
    if count <= CHECKPOINTS { i } else { i * (count - 1) / (CHECKPOINTS - 1) }
}

fn errors(title: &str, curves: Vec<(String, &Vec<Error>)>, valid: Option<f64>) -> Panel {
    let mut series = Vec::new();
    for (ink, (label, errors)) in curves.iter().enumerate() {
        series.push(Series::new(Style::Curve, ink, errors.iter().map(Error::point).collect()).named(label.clone()));
    }
    if let Some((_, errors)) = curves.first() {
        let floor = errors.iter().map(|e| Point::exact(e.sigma, e.floor)).collect();
        series.push(Series::new(Style::Dashed, 6, floor).named("rounding floor"));
    }
    let mut marks = vec![Mark { at: At::Y(VALID), label: format!("{} %", 100.0 * VALID) }];
    marks.extend(valid.map(|to| Mark { at: At::X(to), label: String::new() }));
    panel(title, Axis::log("σ, parameter units"), Axis::log("relative error"), series, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_drawn_hold_both_ends() {
        assert_eq!((0..CHECKPOINTS).map(|i| spread(i, 20)).collect::<Vec<_>>(), [0, 3, 7, 11, 15, 19]);
        assert_eq!((0..3).map(|i| spread(i, 3)).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
