//! Whether intervals hold what they promise: over many seeds, how often the 95 % intervals of fixture A cover a long-run
//! value. Slow, so run on request: `cargo test --release --test coverage -- --ignored --nocapture`. BENCHMARKS.md has the
//! result.

mod worker;

use std::collections::BTreeSet;

use eigentop::engine::knobs::{Exhibit, Knobs, Precision};
use eigentop::engine::readout::Readout;
use eigentop::math::stats::{Estimate, Interval};
use worker::{Depth, fixture};

const SEEDS: u64 = 200;
const K: usize = 4;
const SIGMAS: [f64; 2] = [1e-3, 1e-2];

/// A run on fixture A with so tight a basis that every seed looks at the same subspace.
fn run(seed: u64) -> Readout {
    let exhibits = BTreeSet::from([Exhibit::Shares]);
    let knobs = Knobs { ks: vec![K], sigmas: SIGMAS.to_vec(), tol: 1e-8, seed, exhibits, ..Knobs::default() };
    worker::run(fixture("A"), Precision::F64, knobs, Depth::Everything)
}

/// An interval of one run.
fn around(e: Estimate) -> Interval {
    Interval { value: e.mean, low: e.mean - e.half_width(), high: e.mean + e.half_width() }
}

/// The figures whose intervals are promised, at one σ: name, and interval by run.
fn intervals(r: &Readout, sigma: f64) -> Vec<(&'static str, Interval)> {
    let (sub, full) = (r.subspace(K, sigma).unwrap(), r.full(sigma));
    let shares = r.shares(8, K, sigma).unwrap();
    vec![
        ("J_full", around(full.mc_cv.unwrap())),
        ("J_full, plain draws", around(full.mc.unwrap())),
        ("J_sub", around(sub.direct_cv.unwrap())),
        ("J_sub, plain draws", around(sub.direct.unwrap())),
        ("ratio", r.ratio(K, sigma).unwrap()),
        ("share", shares.total),
        ("curvature share", shares.curvature),
        ("share by pick-freeze", r.pick_freeze_share(K, sigma).unwrap()),
        ("the same, plain", r.pick_freeze_plain(K, sigma).unwrap()),
    ]
}

#[test]
#[ignore = "takes 10 to 20 minutes"]
fn intervals_cover_what_they_promise() {
    let runs: Vec<Readout> = (0..SEEDS).map(run).collect();
    let mut failed = Vec::new();
    for sigma in SIGMAS {
        let by_run: Vec<_> = runs.iter().map(|r| intervals(r, sigma)).collect();
        let mean = |i: usize| by_run.iter().map(|run| run[i].1.value).sum::<f64>() / SEEDS as f64;
        for (i, (name, _)) in by_run[0].iter().enumerate() {
            // The pooled runs are the long run. Quotients are pooled above and below the line.
            let truth = match *name {
                "ratio" => mean(2) / mean(0),
                // Of both estimates of the same share the long run of the narrow one is the better known.
                "the same, plain" => mean(i - 1),
                "share" | "curvature share" => {
                    1.0 / (by_run.iter().map(|run| 1.0 / run[i].1.value).sum::<f64>() / SEEDS as f64)
                }
                _ => mean(i),
            };
            let covered = by_run.iter().filter(|run| (run[i].1.low..=run[i].1.high).contains(&truth)).count();
            let [below, above] = [
                by_run.iter().filter(|run| run[i].1.high < truth).count(),
                by_run.iter().filter(|run| run[i].1.low > truth).count(),
            ];
            let width = by_run.iter().map(|run| (run[i].1.high - run[i].1.low) / truth).sum::<f64>() / SEEDS as f64;
            let part = covered as f64 / SEEDS as f64;
            println!(
                "σ = {sigma:.0e} {name:20} {:5.1} % of {SEEDS} (below {below}, above {above}), {truth:.6e}, width {:.2} %",
                100.0 * part,
                100.0 * width
            );
            if !(0.91..=0.98).contains(&part) {
                failed.push(format!("{name} at σ = {sigma:e}: {part}"));
            }
        }
    }
    assert!(failed.is_empty(), "coverage outside 91–98 %: {failed:#?}");
}
