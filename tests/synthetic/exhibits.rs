//! The exhibits of the same run, each from the same matrices: what they show is known in closed form too.

use std::f64::consts::PI;

use eigentop::criteria::increment::{increment, mean};
use eigentop::engine::event::{Event, Stage, Stamped, Work};
use eigentop::engine::growth::{Increment, Mode, Point};
use eigentop::engine::knobs::Law;
use eigentop::math::stats::Estimate;
use eigentop::math::stream::{Purpose, Stream};

use super::{DRAWS, KS, N, P, dot, form, gradient, hessian, increments, knobs, loss, losses_at, means, run};

/// Largest dimension.
const K: usize = KS[KS.len() - 1];
/// n of the points of growth.
pub const GRID: [usize; 4] = [1, 2, 4, 8];
/// Cosines of the one pair of eigenspaces.
pub const COSINES: [f64; 3] = [1.0, 0.9, 0.6];
/// Pairs of pick-freeze, as many as draws.
pub const PAIRS: usize = DRAWS;

/// The run with all exhibits after it.
pub fn with_exhibits() -> Vec<Stamped> {
    let mut events = run();
    let t = events.last().map_or(0.0, |event| event.t);
    let exhibits = all().into_iter().enumerate().map(|(i, event)| Stamped { t: t + 0.1 * (i + 1) as f64, event });
    events.extend(exhibits);
    events
}

fn all() -> Vec<Event> {
    let mut events = vec![traces()];
    events.push(Event::Overlap { basis: 1, former: 7, n: N, cosines: COSINES.to_vec() });
    events.extend(pick_freeze());
    events.extend([(Law::Bottom, vec![5, 4, 3]), (Law::Random, vec![1, 3, 5])].map(|(law, columns)| on(law, &columns)));
    events.push(on_increment());
    events.push(constants());
    events.extend(density());
    events.extend(GRID.map(|n| Event::Growth(Box::new(point(n)))));
    events.push(Event::Done { stage: Stage::Exhibits, work: Work { seconds: 0.5, hvps: 40.0, passes: 10.0 } });
    events.push(Event::Idle);
    events
}

/// What an estimator with a relative standard error of 1e-3 would say of an exact figure.
fn known_to(mean: f64) -> Estimate {
    Estimate { mean, stderr: 1e-3 * mean.abs(), draws: 16 }
}

fn traces() -> Event {
    let a = increments(hessian);
    let trace = (0..P).map(|i| a[i * P + i]).sum();
    Event::Traces { n: N, trace: known_to(trace), frob2: known_to(dot(&a, &a)), products: 32 }
}

/// The model on some of the coordinates.
fn on(law: Law, columns: &[usize]) -> Event {
    let (b, a) = (increments(gradient), increments(hessian));
    let c = columns.iter().map(|i| b[*i]).collect();
    let block = columns.iter().flat_map(|i| columns.iter().map(|j| a[i * P + j]).collect::<Vec<_>>()).collect();
    Event::LawCoefficients { law, n: N, c, b: block, leakage: Some(0.25) }
}

/// The model along b.
fn on_increment() -> Event {
    let (b, a) = (increments(gradient), increments(hessian));
    let length = dot(&b, &b).sqrt();
    let along = form(&a, &b) / (length * length);
    Event::LawCoefficients { law: Law::Increment, n: N, c: vec![length], b: vec![along], leakage: None }
}

fn constants() -> Event {
    let norm = |x: &[f64]| dot(x, x).sqrt();
    let largest = |i: usize| hessian(i).into_iter().fold(0.0, |m: f64, h| m.max(h.abs()));
    Event::Constants {
        n: N,
        gradients: (0..=N).map(|i| norm(&gradient(i))).collect(),
        // The largest entry is the first on the diagonal, with no neighbour in its row.
        curvatures: (0..=N).map(largest).collect(),
        residuals: vec![1e-4; N + 1],
    }
}

fn pick_freeze() -> Vec<Event> {
    let (b, a) = (increments(gradient), increments(hessian));
    let at = |sigma: f64, unit: &[f64]| -> Vec<f64> { unit.iter().map(|x| sigma * x).collect() };
    let mut events = Vec::new();
    for index in 0..PAIRS {
        for k in KS {
            let z = Stream::new(0, Purpose::Subspace, index as u64).normals(k);
            let points = [0, 1].map(|side| {
                let mut unit = Stream::new(0, Purpose::PickFreeze, 2 * index as u64 + side).normals(P);
                unit[..k].copy_from_slice(&z);
                unit
            });
            for sigma in knobs().sigmas {
                let [one, other] = points.each_ref().map(|unit| losses_at(&at(sigma, unit))[..=N].to_vec());
                let model = points.each_ref().map(|unit| {
                    let delta = at(sigma, unit);
                    dot(&b, &delta) + 0.5 * form(&a, &delta)
                });
                let model = model.to_vec();
                events.push(Event::PickFreeze { basis: 1, k, n: N, sigma, index, one, other, model });
            }
        }
    }
    events
}

/// Nodes at the diagonal of H^(n), with the weights of a random vector.
fn density() -> Vec<Event> {
    let h = means(hessian);
    let mut nodes: Vec<f64> = (0..P).map(|i| h[i * P + i]).collect();
    nodes.sort_by(f64::total_cmp);
    let probe = |probe: usize| {
        let v = Stream::new(0, Purpose::Density, probe as u64).normals(P);
        let weights = v.iter().map(|x| x * x / dot(&v, &v)).collect();
        Event::Density { n: N, probe, nodes: nodes.clone(), weights }
    };
    (0..4).map(probe).collect()
}

/// The point of growth at n.
pub fn point(n: usize) -> Point {
    let at_n = |of: fn(usize) -> Vec<f64>, figure: &dyn Fn(&[f64]) -> Option<f64>| -> Vec<f64> {
        let rows: Vec<Vec<f64>> = (0..=n).map(of).collect();
        (0..rows[0].len()).filter_map(|j| figure(&rows.iter().map(|r| r[j]).collect::<Vec<_>>())).collect()
    };
    let (g, h) = (at_n(gradient, &|x| mean(x, n)), at_n(hessian, &|x| mean(x, n)));
    let (b, a) = (at_n(gradient, &|x| increment(x, n)), at_n(hessian, &|x| increment(x, n)));
    let losses: Vec<f64> = (0..=n).map(loss).collect();
    let next = Increment {
        a: increment(&losses, n).unwrap_or(f64::NAN),
        b_norm2: dot(&b, &b),
        c: b[..K].to_vec(),
        b: (0..K).flat_map(|i| a[i * P..i * P + K].to_vec()).collect(),
        trace: known_to((0..P).map(|i| a[i * P + i]).sum()),
        frob2: known_to(dot(&a, &a)),
    };
    Point {
        mode: Mode::Fixed,
        run: 0,
        seed: 0,
        step: None,
        n,
        loss: mean(&losses, n).unwrap_or(f64::NAN),
        grad_norm: dot(&g, &g).sqrt(),
        values: (0..K).map(|j| h[j * P + j]).collect(),
        residuals: vec![1e-9; K],
        products: 4,
        cosines: if n > 1 { vec![1.0, 1.0, (PI / 3.0).cos()] } else { Vec::new() },
        next: vec![next],
        proxy: Vec::new(),
        seconds: 0.25,
    }
}
