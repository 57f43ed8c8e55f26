//! Table 3 from repeats: what each stage costs, and what the closed form saves.

use super::{Claim, Paper};
use crate::engine::bench::Costs;
use crate::math::format::number;
use crate::math::stats::{Estimate, Interval, ratio};
use crate::report::chart::{Axis, Point, Series, Style};
use crate::report::figure::{Shown, panel, side_by_side};
use crate::report::table::{Cell, Kind, Table, within};
use crate::report::verdict::Verdict;

/// A stage of Table 3.
struct Row {
    name: &'static str,
    estimator: &'static str,
    /// Seconds in the paper, on its GPU, at k = 45.
    paper: f64,
    of: fn(&Costs) -> f64,
}

const ROWS: [Row; 5] = [
    Row { name: "I, subspace", estimator: "all", paper: 17.53, of: |c| c.subspace },
    Row { name: "II, coefficients", estimator: "quadratic, closed form", paper: 1.777, of: |c| c.coefficients },
    Row { name: "III, evaluation", estimator: "direct Monte Carlo", paper: 2.197, of: |c| c.direct },
    Row { name: "III, evaluation", estimator: "quadratic Monte Carlo", paper: 3.68e-3, of: |c| c.quadratic },
    Row { name: "III, evaluation", estimator: "closed form", paper: 1.22e-4, of: |c| c.moment },
];

/// End to end: stages I and III by direct Monte Carlo; I, II and III by the closed form.
fn end_to_end(costs: &[Costs]) -> [Option<Estimate>; 2] {
    [
        Estimate::of(costs.iter().map(|c| c.subspace + c.direct)),
        Estimate::of(costs.iter().map(|c| c.subspace + c.coefficients + c.moment)),
    ]
}

/// Standard deviation of the repeats behind a mean.
fn deviation(e: &Estimate) -> f64 {
    e.stderr * (e.draws as f64).sqrt()
}

/// Table 3.
pub fn shown(costs: &[Costs]) -> Option<Shown> {
    let first = costs.first()?;
    let line = |name: &str, estimator: &str, e: Estimate, paper: Option<f64>| {
        let sd = if e.draws > 1 { Cell::Value(deviation(&e)) } else { Cell::Blank };
        vec![name.into(), estimator.into(), Cell::Value(e.mean), sd, Cell::Count(e.draws), paper.into()]
    };
    let mut rows = Vec::new();
    let mut points = Vec::new();
    for (i, row) in ROWS.iter().enumerate() {
        let e = Estimate::of(costs.iter().map(row.of))?;
        let sd = if e.draws > 1 { deviation(&e) } else { 0.0 };
        points.push(Point { x: i as f64 + 1.0, y: Interval { value: e.mean, low: e.mean - sd, high: e.mean + sd } });
        rows.push(line(row.name, row.estimator, e, Some(row.paper)));
    }
    let [direct, moment] = end_to_end(costs);
    rows.push(line("end to end", "direct Monte Carlo", direct?, Some(ROWS[0].paper + ROWS[2].paper)));
    let paper = ROWS[0].paper + ROWS[1].paper + ROWS[4].paper;
    rows.push(line("end to end", "closed form", moment?, Some(paper)));
    let columns = [
        ("stage", "stage", Kind::Plain),
        ("estimator", "estimator", Kind::Plain),
        ("seconds", "seconds, mean", Kind::Plain),
        ("seconds_sd", "sd", Kind::Plain),
        ("repeats", "repeats", Kind::Plain),
        ("paper_seconds", "in the paper", Kind::Plain),
    ];
    let names = ["I", "II", "III direct", "III quadratic", "III closed form"].map(str::to_owned).to_vec();
    let series = vec![Series::new(Style::Signs, 0, points)];
    let chart = side_by_side(vec![panel("", Axis::names("", names), Axis::log("seconds, mean ± sd"), series, vec![])]);
    let caption = format!(
        "Seconds by stage, mean ± standard deviation over {} repeats with other random starts and draws, n = {}, k = {}, \
         {} draws. The paper's are those of its GPU, its model and k = 45.",
        costs.len(),
        first.n,
        first.k,
        first.draws
    );
    Some(Shown { caption, chart: Some(chart), table: Table::new(&columns, rows) })
}

/// What is claimed of the costs.
pub fn claims(costs: &[Costs]) -> Vec<Claim> {
    let estimate = |row: &Row| Estimate::of(costs.iter().map(row.of));
    let third = estimate(&ROWS[2]).zip(estimate(&ROWS[4])).and_then(|(direct, moment)| ratio(direct, moment));
    let [direct, moment] = end_to_end(costs);
    let whole = direct.zip(moment).and_then(|(direct, moment)| ratio(direct, moment));
    let claim = |title: &str, paper: &str, factor: Interval, limit: f64, what: &str| Claim {
        title: title.to_owned(),
        paper: Paper::says(paper, "Table 3"),
        verdict: Verdict::above(&factor, limit),
        found: vec![format!("{what}: direct Monte Carlo takes {} times as long as the closed form", within(&factor))],
    };
    let first = third.map(|factor| {
        let paper =
            "stage III by the closed form is orders of magnitude (18 000 times) faster than by direct Monte Carlo";
        claim("Stage III by the closed form is at least 1000 times faster", paper, factor, 1e3, "Stage III alone")
    });
    let second = whole.map(|factor| {
        let paper = "the closed form makes the criterion orders of magnitude cheaper";
        let mut claim = claim("End to end it is at least 10 times faster", paper, factor, 10.0, "End to end");
        if let (Some(subspace), Some(moment)) = (estimate(&ROWS[0]), moment) {
            let part = 100.0 * subspace.mean / moment.mean;
            claim
                .found
                .push(format!("Stage I takes {} % of the time of the closed form, so it decides", number(part, 3)));
        }
        claim
    });
    first.into_iter().chain(second).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(direct: f64, moment: f64, jitter: f64) -> Costs {
        let scale = 1.0 + jitter;
        Costs {
            checkpoint: String::new(),
            seed: 0,
            n: 8,
            k: 16,
            draws: 32,
            subspace: 10.0 * scale,
            products: 50,
            coefficients: scale,
            direct: direct * scale,
            quadratic: 1e-3,
            moment: moment * scale,
        }
    }

    #[test]
    fn a_fast_closed_form_saves_little_end_to_end() {
        let costs = [0.0, 0.01, -0.01].map(|jitter| repeat(2.0, 1e-4, jitter));
        let claims = claims(&costs);
        assert_eq!(claims.iter().map(|c| c.verdict).collect::<Vec<_>>(), [Verdict::Agrees, Verdict::Disagrees]);
        assert!(claims[0].found[0].contains("20000"), "{:?}", claims[0].found);
        let table = shown(&costs).unwrap().table;
        assert_eq!(table.rows.len(), 7);
        assert_eq!(table.rows[5][2], Cell::Value(costs.iter().map(|c| c.subspace + c.direct).sum::<f64>() / 3.0));
    }

    #[test]
    fn a_slow_direct_estimator_makes_the_other_case() {
        let costs = [0.0, 0.01, -0.01].map(|jitter| repeat(2e4, 100.0, jitter));
        let verdicts: Vec<_> = claims(&costs).iter().map(|c| c.verdict).collect();
        assert_eq!(verdicts, [Verdict::Disagrees, Verdict::Agrees]);
        // One repeat has no spread and decides nothing.
        assert!(claims(&costs[..1]).iter().all(|c| c.verdict == Verdict::Undecided));
        assert!(shown(&[]).is_none() && claims(&[]).is_empty());
    }
}
