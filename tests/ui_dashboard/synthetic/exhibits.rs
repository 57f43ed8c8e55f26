//! What the made-up run shows beside its answer, and a made-up growth run.

use eigentop::engine::event::{Event, Stage, Work};
use eigentop::engine::growth::{Increment, Mode, Plan, Point, Validity};
use eigentop::engine::knobs::Law;
use eigentop::math::stats::Estimate;
use eigentop::math::stream::{Purpose, Stream};
use eigentop::train::curriculum::{Curriculum, Rows};

use super::{K, N, Tape, b_norm2, curvature, eigenvalue, increment_at, losses, moved, slope};

/// Steps of the whole stage.
const STEPS: usize = 5;

/// Every exhibit, on basis number `basis`.
pub fn all(tape: &mut Tape, basis: u32) {
    let parts: [fn(&mut Tape, u32); STEPS] = [traces_and_constants, shares, laws, density, growth];
    for (i, part) in parts.into_iter().enumerate() {
        part(tape, basis);
        let work = Work { seconds: 2.4 * (i + 1) as f64, hvps: 31.0 * (i + 1) as f64, passes: 400.0 };
        tape.push(0.1, Event::Progress { stage: Stage::Exhibits, done: i + 1, total: STEPS, work });
    }
    tape.push(0.0, Event::Done { stage: Stage::Exhibits, work: Work { seconds: 12.0, hvps: 155.0, passes: 400.0 } });
}

fn frob2(m: usize) -> f64 {
    curvature(m).iter().map(|b| b * b).sum::<f64>() / 0.18
}

fn estimate(mean: f64, relative: f64) -> Estimate {
    Estimate { mean, stderr: relative * mean, draws: 16 }
}

fn traces_and_constants(tape: &mut Tape, _: u32) {
    let (trace, frob2) = (estimate(60.0 / 9.0, 0.02), estimate(frob2(N), 0.04));
    tape.push(0.8, Event::Traces { n: N, trace, frob2, products: 32 });
    let gradients = (0..=N).map(|i| 1.4 + 0.3 * (2.3 * i as f64).sin()).collect();
    let curvatures = (0..=N).map(|i| 22.0 + 6.0 * (1.7 * i as f64).cos()).collect();
    tape.push(0.9, Event::Constants { n: N, gradients, curvatures, residuals: vec![0.2; N + 1] });
}

/// Pairs whose increments are the linear model and a little more: what they share is their part in the subspace.
fn shares(tape: &mut Tape, basis: u32) {
    let a = increment_at(&losses(), N);
    for k in [1, 4, K] {
        let inside: f64 = (0..k).map(|j| slope(N, j).powi(2)).sum();
        let (inside, outside) = (inside.sqrt(), (b_norm2(N) - inside).sqrt());
        for sigma in [1e-4, 1e-3, 1e-2] {
            for index in 0..32 {
                let z = Stream::new(3, Purpose::PickFreeze, index as u64).normals(3);
                let model = [1, 2].map(|other| sigma * (inside * z[0] + outside * z[other]));
                let [one, other] = model.map(|q| moved(a + q * (1.0 + 0.4 * sigma * z[0])));
                tape.push(0.002, Event::PickFreeze { basis, k, n: N, sigma, index, one, other, model: model.to_vec() });
            }
        }
    }
}

/// Each law with a part of the top eigenspace's gradient and curvature; increment has one dimension.
fn laws(tape: &mut Tape, _: u32) {
    for (law, k, linear, quadratic) in [
        (Law::Top, K, 1.0, 1.0),
        (Law::Bottom, K, 0.05, 0.2),
        (Law::Random, K, 3e-3, 2e-3),
        (Law::Gradients, N, 0.9, 0.7),
        (Law::Frozen, K, 0.8, 0.9),
        (Law::Increment, 1, 2.6, 0.5),
        (Law::Deformation, K, 0.7, 1.3),
    ] {
        let c = (0..k).map(|j| linear * slope(N, j)).collect();
        let whole = curvature(N);
        let b =
            (0..k).flat_map(|i| whole[i * K..i * K + k].iter().map(|b| quadratic * b).collect::<Vec<_>>()).collect();
        let leakage = Some(1.0 - 0.29 * f64::min(quadratic, 1.0));
        tape.push(0.3, Event::LawCoefficients { law, n: N, c, b, leakage });
    }
}

/// A bulk about zero and the known eigenvalues above it.
fn density(tape: &mut Tape, _: u32) {
    const NODES: usize = 40;
    let each = 1.0 / 917_634.0;
    for probe in 0..6 {
        let wobble = Stream::new(7, Purpose::Density, probe as u64).normals(NODES);
        let bulk = (0..NODES).map(|i| {
            let x = -0.42 + 2.0 * i as f64 / NODES as f64;
            (x, (-(6.0 * x).abs()).exp() * (1.0 + 0.2 * wobble[i]).abs())
        });
        let mut pairs: Vec<(f64, f64)> = bulk.collect();
        let whole: f64 = pairs.iter().map(|p| p.1).sum::<f64>() / (1.0 - K as f64 * each);
        pairs.iter_mut().for_each(|p| p.1 /= whole);
        pairs.extend((0..K).map(|j| (eigenvalue(j), each)));
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let (nodes, weights) = pairs.into_iter().unzip();
        tape.push(0.3, Event::Density { n: N, probe, nodes, weights });
    }
}

fn growth(tape: &mut Tape, _: u32) {
    for (i, n) in [1, 2, 4, 8].into_iter().enumerate() {
        let point = point(Mode::Fixed, 0, n, i);
        tape.push(0.7, Event::Growth(Box::new(point)));
    }
}

/// The point of n, the `i`th of its run.
fn point(mode: Mode, run: usize, n: usize, i: usize) -> Point {
    let shift = Stream::new(11, Purpose::Full, (10 * run + i) as u64).normals(2);
    let next = Increment {
        a: increment_at(&losses(), n) * (1.0 + 0.2 * run as f64 * shift[0]),
        b_norm2: b_norm2(n) * (0.2 * shift[1]).exp(),
        c: (0..K).map(|j| slope(n, j)).collect(),
        b: curvature(n),
        trace: estimate(60.0 / (n as f64 + 1.0), 0.05),
        frob2: estimate(frob2(n), 0.08),
    };
    let turned = |j: usize| (0.05 + 0.9 * j as f64 / K as f64 / (1.0 + i as f64)).cos();
    let sigmas = [1e-4, 1e-3, 1e-2, 1e-1];
    let validity = |sigma: &f64| {
        let median = 2e-3 * (1.0 + 4e4 * sigma * sigma) / (1.0 + 0.5 * i as f64);
        Validity { sigma: *sigma, median, quartiles: [0.6 * median, 1.8 * median], floor: 1e-4 / (sigma / 1e-4) }
    };
    Point {
        mode,
        run,
        seed: run as u64,
        step: (mode == Mode::Training).then_some(4 * n as u64),
        n,
        loss: 2.3,
        grad_norm: 0.31 * (8.0 / n as f64).powf(0.3),
        values: (0..K).map(eigenvalue).collect(),
        residuals: vec![1e-3; K],
        products: 48,
        cosines: if i == 0 { Vec::new() } else { (0..K).map(turned).collect() },
        next: vec![next],
        proxy: if mode == Mode::Training { sigmas.iter().map(validity).collect() } else { Vec::new() },
        seconds: 0.7,
    }
}

/// Three trainings, each looked at after 1, 2, 4 and 8 sequences.
pub fn growth_run(tape: &mut Tape) {
    const RUNS: usize = 3;
    let grid = vec![1, 2, 4, 8];
    let curriculum = Curriculum { rows: Rows::Newest, steps_per_sequence: 4, learning_rate: 1e-3 };
    let mode = Mode::Training;
    let plan = Plan { mode, grid: grid.clone(), next: 1, runs: RUNS, probes: 16, directions: 4, curriculum };
    tape.push(0.0, Event::GrowthPlan(plan));
    let total = RUNS * grid.len();
    for run in 0..RUNS {
        for (i, n) in grid.iter().enumerate() {
            tape.push(0.9, Event::Growth(Box::new(point(mode, run, *n, i))));
            let done = run * grid.len() + i + 1;
            let work = Work { seconds: 0.9 * done as f64, hvps: 60.0 * done as f64, passes: 300.0 * done as f64 };
            tape.push(0.0, Event::Progress { stage: Stage::Growth, done, total, work });
        }
    }
    let work = Work { seconds: 0.9 * total as f64, hvps: 60.0 * total as f64, passes: 300.0 * total as f64 };
    tape.push(0.0, Event::Done { stage: Stage::Growth, work });
}
