//! A made-up run with the shapes of a real one: a power-law spectrum found by a Lanczos-like solve, increments that are
//! a known quadratic plus a small cubic, and a proxy curve with a rounding floor.

use eigentop::engine::event::{Event, Level, Stage, Stamped, Subject, Target, WarningName, Work};
use eigentop::engine::knobs::{Exhibit, Knobs, Law, Precision, SolverKind};
use eigentop::math::stream::{Purpose, Stream};

mod exhibits;

const N: usize = 8;
const K: usize = 16;
const PRODUCTS: usize = 48;

/// λ_j, j from 0.
fn eigenvalue(j: usize) -> f64 {
    9.3033 * (j as f64 + 1.0).powf(-0.9)
}

/// c_j of the increment Δ_m.
fn slope(m: usize, j: usize) -> f64 {
    let sign = if j.is_multiple_of(3) { -1.0 } else { 1.0 };
    sign * 0.9 / (m as f64 + 1.0) * (j as f64 + 1.0).powf(-0.4)
}

/// B of the increment Δ_m, row-major.
fn curvature(m: usize) -> Vec<f64> {
    let entry = |i: usize, j: usize| {
        let size = 24.0 / (m as f64 + 1.0) / (1.0 + (i.max(j)) as f64).powf(0.8);
        if i == j { size } else { 0.12 * size * ((i * 7 + j * 7 + i * j) as f64).cos() }
    };
    (0..K).flat_map(|i| (0..K).map(move |j| entry(i, j))).collect()
}

/// ℓ_i(w*).
fn losses() -> Vec<f64> {
    (0..16).map(|i| 2.31 + 0.14 * (1.9 * f64::from(i)).sin() + 0.05 * f64::from(i % 3)).collect()
}

fn increment_at(losses: &[f64], m: usize) -> f64 {
    (losses[m] - losses[..m].iter().sum::<f64>() / m as f64) / (m + 1) as f64
}

/// Losses of sequences 1…N+1 that all move so that Δ_N is `increment`.
fn moved(increment: f64) -> Vec<f64> {
    let mut moved = losses()[..N].to_vec();
    let mean = moved.iter().sum::<f64>() / N as f64;
    moved.push(mean + (N + 1) as f64 * increment);
    moved
}

struct Tape {
    t: f64,
    events: Vec<Stamped>,
}

impl Tape {
    fn push(&mut self, after: f64, event: Event) {
        self.t += after;
        self.events.push(Stamped { t: self.t, event });
    }
}

/// The knobs of the run.
pub fn knobs() -> Knobs {
    Knobs { exhibits: Exhibit::ALL.into(), ..Knobs::default() }
}

/// The whole run, to the end, with every exhibit.
pub fn run() -> Vec<Stamped> {
    let mut events = without_exhibits(&knobs());
    let idle = events.pop().unwrap();
    let mut tape = Tape { t: idle.t, events };
    exhibits::all(&mut tape, 1);
    tape.push(0.01, Event::Idle);
    tape.events
}

/// A growth run: three trainings, their points and the validity of the proxy at each.
pub fn growth_run() -> Vec<Stamped> {
    let mut tape = Tape { t: 0.0, events: Vec::new() };
    tape.push(0.0, Event::Opened(subject()));
    tape.push(0.0, Event::Knobs(Knobs::default()));
    exhibits::growth_run(&mut tape);
    tape.push(0.01, Event::Idle);
    tape.events
}

/// The whole run without any exhibit.
pub fn without_exhibits(knobs: &Knobs) -> Vec<Stamped> {
    let mut tape = Tape { t: 0.0, events: Vec::new() };
    open(&mut tape, knobs);
    solve(&mut tape, SolverKind::Lanczos, PRODUCTS);
    eigenspace(&mut tape, 1, SolverKind::Lanczos, PRODUCTS);
    coefficients(&mut tape, 1);
    evaluate(&mut tape, 1);
    sweeps(&mut tape);
    tape.push(0.01, Event::Idle);
    tape.events
}

/// The run up to the first event that `stop` says yes to, that one included.
pub fn until(stop: impl Fn(&Event) -> bool) -> Vec<Stamped> {
    let mut events = run();
    let end = events.iter().position(|e| stop(&e.event)).map_or(events.len(), |i| i + 1);
    events.truncate(end);
    events
}

/// The run, then the same solve by power iteration, under way.
pub fn with_power() -> Vec<Stamped> {
    let mut events = run();
    let mut tape = Tape { t: events.last().map_or(0.0, |e| e.t), events: Vec::new() };
    tape.push(3.0, Event::Knobs(Knobs { solver: SolverKind::Power, ..knobs() }));
    solve(&mut tape, SolverKind::Power, 180);
    events.extend(tape.events);
    events
}

fn subject() -> Subject {
    Subject {
        name: "demo".into(),
        model: "nanochat 4×128".into(),
        config: serde_json::json!({"n_layer": 4}),
        parameters: 917_634,
        sequences: 16,
        tokens: 256,
        precision: Precision::F32,
        device: "cpu".into(),
        threads: 2,
        checkpoint: "0".repeat(64),
        data: "1".repeat(64),
        version: "0.1.0".into(),
    }
}

fn open(tape: &mut Tape, knobs: &Knobs) {
    tape.push(0.0, Event::Opened(subject()));
    tape.push(0.0, Event::Knobs(knobs.clone()));
    tape.push(0.3, Event::Losses { first: 0, losses: losses() });
    tape.push(0.2, Event::Gradients { n: N, grad_norm: 0.31, b_norm2: b_norm2(N) });
    tape.push(
        0.0,
        Event::Warning {
            name: WarningName::FarFromMinimiser,
            message: "w* is far from a minimiser (‖g‖ = 0.31)".into(),
        },
    );
    tape.push(0.0, Event::Log { level: Level::Info, text: "linearised at w*: 16 sequences of 256 tokens".into() });
    tape.push(0.0, Event::Done { stage: Stage::Linearise, work: Work { seconds: 0.4, hvps: 0.0, passes: 16.0 } });
}

fn b_norm2(m: usize) -> f64 {
    (0..K).map(|j| slope(m, j).powi(2)).sum::<f64>() / 0.31
}

fn solve(tape: &mut Tape, solver: SolverKind, products: usize) {
    let rate = if solver == SolverKind::Lanczos { 1.0 } else { 0.12 };
    for p in 1..=products {
        let known = ((p as f64 * rate).ceil() as usize).clamp(1, K);
        let at = |j: usize| {
            let started = j as f64 / rate;
            let age = (p as f64 - started).max(0.0) * rate;
            (-age / (2.0 + 0.06 * j as f64)).exp()
        };
        let values = (0..known).map(|j| eigenvalue(j) * (1.0 - 0.7 * at(j))).collect();
        let residuals = (0..known).map(|j| Some(eigenvalue(j) * (0.8 * at(j).powf(0.7) + 1e-7))).collect();
        let smallest = vec![-0.42 * (1.0 - (-(p as f64) / 9.0).exp())];
        let (n, products) = (N, p);
        tape.push(0.14, Event::Iteration { solver, n, products, values, residuals, smallest });
        let done = (0..known).filter(|j| 0.8 * eigenvalue(*j) * at(*j).powf(0.7) < 9.3e-3).count();
        let work = Work { seconds: p as f64 * 0.14, hvps: p as f64, passes: 0.0 };
        tape.push(0.0, Event::Progress { stage: Stage::Subspace, done, total: K, work });
    }
}

fn eigenspace(tape: &mut Tape, basis: u32, solver: SolverKind, products: usize) {
    let values: Vec<f64> = (0..K).map(eigenvalue).collect();
    let residuals = values.iter().enumerate().map(|(j, v)| v * 2e-7 * (j as f64 + 1.0).powi(2)).collect();
    tape.push(
        0.0,
        Event::Eigenspace {
            basis,
            n: N,
            law: Law::Top,
            solver,
            values,
            residuals,
            smallest: vec![-0.42],
            orthonormality: 3e-7,
            products,
            next: Some(eigenvalue(K)),
        },
    );
    let work = Work { seconds: products as f64 * 0.14, hvps: products as f64, passes: 0.0 };
    tape.push(0.0, Event::Done { stage: Stage::Subspace, work });
}

fn coefficients(tape: &mut Tape, basis: u32) {
    for (i, m) in (1..=N).rev().enumerate() {
        let c = (0..K).map(|j| slope(m, j)).collect();
        let leakage = (m == N).then_some(0.71);
        tape.push(0.05, Event::Coefficients { basis, m, c, b: curvature(m), b_norm2: b_norm2(m), leakage });
        let work = Work { seconds: 0.05 * (i + 1) as f64, hvps: 0.2 * (i + 1) as f64, passes: 0.0 };
        tape.push(0.0, Event::Progress { stage: Stage::Coefficients, done: i + 1, total: N + 32, work });
    }
    for probe in 0..32 {
        let wobble = Stream::new(5, Purpose::Trace, probe as u64).normals(2);
        let frob2 = |m: usize| curvature(m).iter().map(|b| b * b).sum::<f64>() / 0.18;
        let quadratic = (1..=N).map(|m| (60.0 + 9.0 * wobble[0]) / (m as f64 + 1.0)).collect();
        let square = (1..=N).map(|m| frob2(m) * (1.0 + 0.2 * wobble[1])).collect();
        tape.push(0.07, Event::Trace { n: N, probe, quadratic, square });
        let work = Work { seconds: 0.4 + 0.07 * probe as f64, hvps: 1.6 + probe as f64, passes: 0.0 };
        tape.push(0.0, Event::Progress { stage: Stage::Coefficients, done: N + probe + 1, total: N + 32, work });
    }
    tape.push(0.0, Event::Done { stage: Stage::Coefficients, work: Work { seconds: 2.6, hvps: 33.6, passes: 0.0 } });
}

fn evaluate(tape: &mut Tape, basis: u32) {
    let (draws, knobs) = (64, knobs());
    let a = increment_at(&losses(), N);
    let (c, b): (Vec<f64>, _) = ((0..K).map(|j| slope(N, j)).collect(), curvature(N));
    let total = draws * knobs.sigmas.len() * (knobs.ks.len() + 1);
    let mut done = 0;
    for index in 0..draws {
        for &sigma in &knobs.sigmas {
            for &k in &knobs.ks {
                let z = Stream::new(knobs.seed, Purpose::Subspace, index as u64).normals(k);
                let linear: f64 = c.iter().zip(&z).map(|(c, z)| c * z).sum();
                let row = |i: usize| -> f64 { z.iter().enumerate().map(|(j, zj)| b[i * K + j] * zj).sum() };
                let quadratic: f64 = z.iter().enumerate().map(|(i, zi)| zi * row(i)).sum();
                let at = |s: f64| a + s * linear + 0.5 * s * s * quadratic + 400.0 * (s * z[0]).powi(3);
                let target = Target::Subspace { k, basis };
                let (plus, minus) = (moved(at(sigma)), moved(at(-sigma)));
                tape.push(0.002, Event::Draw { target, n: N, sigma, index, plus, minus, slopes: Vec::new() });
                done += 1;
            }
            let g = Stream::new(knobs.seed, Purpose::Full, index as u64).normals(2);
            let linear = b_norm2(N).sqrt() * g[0];
            let bend = 0.5 * (60.0 / 9.0 + 5.0 * g[1]);
            let at = |s: f64| a + s * linear + s * s * bend;
            let (target, slopes) = (Target::Full, slopes(linear));
            let (plus, minus) = (moved(at(sigma)), moved(at(-sigma)));
            tape.push(0.002, Event::Draw { target, n: N, sigma, index, plus, minus, slopes });
            done += 1;
        }
        let work = Work { seconds: 0.08 * (index + 1) as f64, hvps: 0.0, passes: 18.0 * done as f64 };
        tape.push(0.06, Event::Progress { stage: Stage::Evaluate, done, total, work });
    }
    let work = Work { seconds: 5.1, hvps: 0.0, passes: 18.0 * total as f64 };
    tape.push(0.0, Event::Done { stage: Stage::Evaluate, work });
}

/// Slopes of N+1 sequences whose increment is `linear`.
fn slopes(linear: f64) -> Vec<f64> {
    let mut slopes = vec![0.2; N];
    slopes.push(0.2 + (N + 1) as f64 * linear);
    slopes
}

fn sweeps(tape: &mut Tape) {
    let base = losses()[..N].iter().sum::<f64>() / N as f64;
    let floor = 2.2e-8;
    tape.push(0.1, Event::RoundingFloor { n: N, floor, points: 16 });
    for index in 0..8 {
        let g = Stream::new(0, Purpose::Proxy, index as u64).normals(60);
        let (slope, curvature, cubic) = (0.31 * g[0], 120.0 + 20.0 * g[1], 900.0 * (1.0 + 0.4 * g[2].abs()));
        tape.push(0.1, Event::ProxyDirection { n: N, index, slope, curvature });
        for i in 0..25usize {
            let sigma = 10f64.powf(-7.0 + i as f64 / 4.0);
            let change = sigma * slope + 0.5 * sigma * sigma * curvature + cubic * sigma.powi(3) + floor * g[i + 4];
            tape.push(0.01, Event::ProxyLoss { n: N, index, sigma, loss: base + change });
        }
        let work = Work { seconds: 0.35 * (index + 1) as f64, hvps: 0.0, passes: 200.0 * (index + 1) as f64 };
        tape.push(0.0, Event::Progress { stage: Stage::Sweeps, done: index + 1, total: 8, work });
    }
    tape.push(0.0, Event::Done { stage: Stage::Sweeps, work: Work { seconds: 2.8, hvps: 0.0, passes: 1600.0 } });
}
