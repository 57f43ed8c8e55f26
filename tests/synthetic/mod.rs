//! A run whose every figure is known in closed form: losses that are exactly quadratic in the parameters.
//!
//! ℓ_i(w* + δ) = l_i + g_iᵀδ + ½ δᵀH_iδ with small matrices H_i, diagonal but for one pair of entries outside the
//! subspace, so that the eigenvectors of H^(n) are the first coordinates.

pub mod exhibits;

use eigentop::criteria::increment::{increment, mean};
use eigentop::engine::event::{Event, Level, Stage, Stamped, Subject, Target, WarningName, Work};
use eigentop::engine::knobs::{Knobs, Law, Precision, SolverKind};
use eigentop::math::stream::{Purpose, Stream};

/// Parameters.
pub const P: usize = 6;
/// Sequences.
pub const ROWS: usize = 10;
/// n of the run.
pub const N: usize = 8;
/// Dimensions asked.
pub const KS: [usize; 2] = [1, 3];
/// Draws for each target and σ.
pub const DRAWS: usize = 12;
/// Trace probes.
pub const PROBES: usize = 9;

/// ℓ_i(w*).
pub fn loss(i: usize) -> f64 {
    2.0 + 0.1 * (i as f64).sin()
}

/// g_i.
pub fn gradient(i: usize) -> Vec<f64> {
    (0..P).map(|j| 0.05 * ((3 * i + 7 * j) as f64).cos()).collect()
}

/// H_i, row-major.
pub fn hessian(i: usize) -> Vec<f64> {
    let mut h = vec![0.0; P * P];
    for j in 0..P {
        h[j * P + j] = (P - j) as f64 + 0.3 * ((i + 2 * j) as f64).sin();
    }
    let corner = 0.2 * (i as f64).cos();
    (h[4 * P + 5], h[5 * P + 4]) = (corner, corner);
    h
}

/// Δ_n of any quantity that is linear in the losses, by element.
pub fn increments(of: fn(usize) -> Vec<f64>) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = (0..ROWS).map(of).collect();
    (0..rows[0].len()).filter_map(|j| increment(&rows.iter().map(|r| r[j]).collect::<Vec<_>>(), N)).collect()
}

/// Means over the first n sequences, by element.
pub fn means(of: fn(usize) -> Vec<f64>) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = (0..ROWS).map(of).collect();
    (0..rows[0].len()).filter_map(|j| mean(&rows.iter().map(|r| r[j]).collect::<Vec<_>>(), N)).collect()
}

/// δᵀMδ.
pub fn form(matrix: &[f64], delta: &[f64]) -> f64 {
    let row = |i: usize| (0..P).map(|j| matrix[i * P + j] * delta[j]).sum::<f64>();
    (0..P).map(|i| delta[i] * row(i)).sum()
}

/// xᵀy.
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// ℓ_i(w* + δ).
pub fn losses_at(delta: &[f64]) -> Vec<f64> {
    (0..ROWS).map(|i| loss(i) + dot(&gradient(i), delta) + 0.5 * form(&hessian(i), delta)).collect()
}

/// The knobs of the run.
pub fn knobs() -> Knobs {
    Knobs { n: N, ks: KS.to_vec(), draws: DRAWS, ..Knobs::default() }
}

/// What the run looks at.
pub fn subject() -> Subject {
    Subject {
        name: "quadratic".into(),
        model: "a paraboloid".into(),
        config: serde_json::json!({"n_embd": 6}),
        parameters: P,
        sequences: ROWS,
        tokens: 4,
        precision: Precision::F64,
        device: "cpu".into(),
        threads: 1,
        checkpoint: "c0ffee".into(),
        data: "da7a".into(),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// Every event of a whole run, one every tenth of a second.
pub fn run() -> Vec<Stamped> {
    let mut events = vec![Event::Opened(subject()), Event::Knobs(knobs())];
    let work = Work { seconds: 0.5, hvps: 4.0, passes: 10.0 };
    let (b, a) = (increments(gradient), increments(hessian));
    let (g, h) = (means(gradient), means(hessian));
    let k = KS[KS.len() - 1];
    let values: Vec<f64> = (0..k).map(|j| h[j * P + j]).collect();

    events.push(Event::Losses { first: 0, losses: (0..ROWS).map(loss).collect() });
    events.push(Event::Done { stage: Stage::Load, work });
    events.push(Event::Gradients { n: N, grad_norm: dot(&g, &g).sqrt(), b_norm2: dot(&b, &b) });
    events.push(Event::Done { stage: Stage::Linearise, work });
    for products in 1..=4 {
        let known = values.iter().copied().take(products).collect::<Vec<_>>();
        let residuals = known.iter().map(|v| Some(v / products as f64)).collect();
        let smallest = vec![h[P * P - 1]];
        events.push(Event::Progress { stage: Stage::Subspace, done: products, total: 4, work });
        events.push(Event::Iteration {
            solver: SolverKind::Lanczos,
            n: N,
            products,
            values: known,
            residuals,
            smallest,
        });
    }
    events.push(Event::Eigenspace {
        basis: 1,
        n: N,
        law: Law::Top,
        solver: SolverKind::Lanczos,
        values,
        residuals: vec![1e-9; k],
        smallest: vec![h[P * P - 1]],
        orthonormality: 1e-16,
        products: 4,
        next: Some(h[k * P + k]),
    });
    events.push(Event::Done { stage: Stage::Subspace, work });
    let block = (0..k).flat_map(|i| a[i * P..i * P + k].to_vec()).collect();
    let (c, b_norm2) = (b[..k].to_vec(), dot(&b, &b));
    events.push(Event::Coefficients { basis: 1, m: N, c, b: block, b_norm2, leakage: Some(0.0) });
    for probe in 0..PROBES {
        let v = Stream::new(0, Purpose::Trace, probe as u64).signs(P);
        let av: Vec<f64> = (0..P).map(|i| dot(&a[i * P..(i + 1) * P], &v)).collect();
        // Only m = n is asked of this run; the entries before it are never read.
        let at_n = |x: f64| [vec![f64::NAN; N - 1], vec![x]].concat();
        events.push(Event::Trace { n: N, probe, quadratic: at_n(dot(&v, &av)), square: at_n(dot(&av, &av)) });
    }
    events.push(Event::Done { stage: Stage::Coefficients, work });
    events.extend(draws());
    events.push(Event::Done { stage: Stage::Evaluate, work });
    events.extend(sweeps(&g, &h));
    events.push(Event::Done { stage: Stage::Sweeps, work });
    let message = "‖g‖ is 0.1".to_owned();
    events.push(Event::Warning { name: WarningName::FarFromMinimiser, message });
    events.push(Event::Log { level: Level::Info, text: "done".into() });
    events.push(Event::Idle);
    events.into_iter().enumerate().map(|(i, event)| Stamped { t: 0.1 * i as f64, event }).collect()
}

fn draws() -> Vec<Event> {
    let mut events = Vec::new();
    for sigma in knobs().sigmas {
        for index in 0..DRAWS {
            for k in KS {
                let mut z = Stream::new(0, Purpose::Subspace, index as u64).normals(k);
                z.resize(P, 0.0);
                events.push(draw(Target::Subspace { k, basis: 1 }, sigma, index, &z, vec![]));
            }
            let e = Stream::new(0, Purpose::Full, index as u64).normals(P);
            let slopes = (0..ROWS).map(|i| dot(&gradient(i), &e)).collect();
            events.push(draw(Target::Full, sigma, index, &e, slopes));
        }
    }
    events
}

fn draw(target: Target, sigma: f64, index: usize, unit: &[f64], slopes: Vec<f64>) -> Event {
    let at = |sigma: f64| losses_at(&unit.iter().map(|x| sigma * x).collect::<Vec<_>>());
    Event::Draw { target, n: N, sigma, index, plus: at(sigma), minus: at(-sigma), slopes }
}

fn sweeps(g: &[f64], h: &[f64]) -> Vec<Event> {
    let mut events = vec![Event::RoundingFloor { n: N, floor: 1e-15, points: 5 }];
    for index in 0..3 {
        let e = Stream::new(0, Purpose::Proxy, index as u64).normals(P);
        events.push(Event::ProxyDirection { n: N, index, slope: dot(g, &e), curvature: form(h, &e) });
        for sigma in [1e-3, 1e-2] {
            let delta: Vec<f64> = e.iter().map(|x| sigma * x).collect();
            let loss = losses_at(&delta).iter().take(N).sum::<f64>() / N as f64;
            events.push(Event::ProxyLoss { n: N, index, sigma, loss });
        }
    }
    events
}
