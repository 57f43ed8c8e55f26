//! A benchmark as JSON, or as tables to read.

use super::Format;
use super::sections::{Section, section};
use super::text;
use crate::engine::bench::{Bench, Solver};
use crate::math::format::{exact, number, span};

/// Write a benchmark, with a newline at its end.
pub fn render(bench: &Bench, format: Format) -> String {
    match format {
        Format::Json => super::json(bench),
        Format::Csv => csv(bench),
        Format::Table => text::table(&sections(bench)),
        Format::Md => text::markdown(&sections(bench)),
    }
}

/// A stage with its seconds by both methods.
type Row = (&'static str, Option<f64>, Option<f64>);

fn stages(bench: &Bench) -> [Row; 6] {
    let (ours, paper) = (&bench.seconds.ours, &bench.seconds.paper);
    [
        ("forward", Some(ours.forward), Some(paper.forward)),
        ("gradient", Some(ours.gradient), Some(paper.gradient)),
        ("hvp", Some(ours.hvp), Some(paper.hvp)),
        ("subspace", ours.subspace, paper.subspace),
        ("coefficients", ours.coefficients, paper.coefficients),
        ("direct_mc", ours.direct_mc, paper.direct_mc),
    ]
}

fn ratio((_, ours, paper): Row) -> Option<f64> {
    Some(paper? / ours?)
}

/// `stage,ours,paper,ratio`, in seconds; empty where it was not measured.
fn csv(bench: &Bench) -> String {
    let field = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
    let line = |row: Row| format!("{},{},{},{}\n", row.0, field(row.1), field(row.2), field(ratio(row)));
    format!("stage,ours,paper,ratio\n{}", stages(bench).map(line).concat())
}

fn sections(bench: &Bench) -> Vec<Section> {
    let seconds = |x: Option<f64>| x.map_or("–".to_owned(), span);
    let times = stages(bench).map(|row| {
        let ratio = ratio(row).map_or("–".to_owned(), |r| number(r, 3));
        vec![row.0.to_owned(), seconds(row.1), seconds(row.2), ratio]
    });
    let solver = |s: &Solver| {
        let reached = if s.converged { "" } else { " not reached" };
        let residual = format!("{}{reached}", number(s.residual, 2));
        vec![s.solver.clone(), s.products.to_string(), span(s.seconds), residual]
    };
    let paper = bench.paper_subspace.iter().map(|s| Solver { solver: "the paper's".into(), ..s.clone() });
    let solvers: Vec<_> = bench.solvers.iter().cloned().chain(paper).map(|s| solver(&s)).collect();
    let variances = bench.variance_ratios.iter().map(|v| vec![exact(v.sigma), number(v.ratio, 2)]);
    let share = bench.hvp_gflops / bench.matmul_gflops;
    let load = bench.load.map(|load| number(load, 2)).join(" ");
    let facts = [
        ("problem", format!("{}, n = {}, k = {}, {}", bench.problem, bench.n, bench.k, bench.precision)),
        ("matrix products", format!("{} GFLOP/s", number(bench.matmul_gflops, 3))),
        ("one product Hv", format!("{} GFLOP/s, {} % of that", number(bench.hvp_gflops, 3), number(100.0 * share, 2))),
        ("spent multiplying", format!("{} % of its time", number(100.0 * bench.hvp_matmul_share, 2))),
        (
            "machine",
            format!("{}, {} threads, {}", bench.machine.processor, bench.machine.threads, bench.machine.system),
        ),
        ("load", load),
    ];
    let facts = facts.into_iter().map(|(name, value)| vec![name.to_owned(), value]);
    let all = [
        section("eigentop bench", &[], facts.collect()),
        section("seconds", &["stage", "ours", "the paper's", "ratio"], times.to_vec()),
        section("stage I to the same residual", &["solver", "products", "seconds", "residual/λ₁"], solvers),
        section("variance of direct Monte Carlo, plain over ours", &["σ", "ratio"], variances.collect()),
    ];
    all.into_iter().filter(|section| !section.rows.is_empty()).collect()
}
