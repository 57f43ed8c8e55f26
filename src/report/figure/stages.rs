//! Table 3: what the stages cost.

use super::{Result, Shown, panel, side_by_side};
use crate::engine::event::Stage;
use crate::engine::readout::{Readout, Standing};
use crate::report::chart::{Axis, Point, Series, Style};
use crate::report::table::{Cell, Kind, Table};

/// Seconds, products and passes of every stage that has begun.
pub fn stages(readout: &Readout) -> Result {
    let begun: Vec<_> =
        readout.stages.iter().filter(|(stage, s)| **stage != Stage::Load && s.standing != Standing::Waiting).collect();
    if begun.is_empty() {
        return Err("the session ends before a stage was begun; `eigentop measure` runs them");
    }
    let names = begun.iter().map(|(stage, _)| stage.to_string()).collect();
    let points = begun.iter().enumerate().map(|(i, (_, s))| Point::exact(i as f64 + 1.0, s.work.seconds)).collect();
    let series = vec![Series::new(Style::Signs, 0, points)];
    let chart = side_by_side(vec![panel("", Axis::names("", names), Axis::log("seconds"), series, vec![])]);
    let columns = [
        ("stage", "stage", Kind::Plain),
        ("seconds", "seconds", Kind::Plain),
        ("hvps", "Hessian–vector products", Kind::Plain),
        ("sequence_passes", "forward passes of a sequence", Kind::Plain),
    ];
    let rows = begun.iter().map(|(stage, s)| {
        let work = [s.work.seconds, s.work.hvps, s.work.passes].map(Cell::Value);
        std::iter::once(Cell::Text(stage.to_string())).chain(work).collect()
    });
    let threads = readout.subject.as_ref().map_or(0, |s| s.threads);
    let caption = format!(
        "Seconds of computing by stage of this one run, on {threads} threads: subspace is the paper's stage I, coefficients \
         its stage II, evaluate its stage III."
    );
    Ok(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows.collect()) })
}
