//! Points of growth at one checkpoint: eigenspaces, traces and increments of some n.

use crate::criteria::increment::brought;
use crate::criteria::prefix::Ahead;
use crate::criteria::projection::{self, Sequence};
use crate::diff::risk::Risk;
use crate::engine::emitter::Emitter;
use crate::engine::growth::Increment;
use crate::engine::hessian::{Hessian, request, solve};
use crate::engine::knobs::Knobs;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::diagonal;
use crate::math::stats::Estimate;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::solver::{Eigenspace, Start};

/// Tr A and ‖A‖_F² of one increment.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Traces {
    pub trace: Estimate,
    pub frob2: Estimate,
}

/// The top eigenspace of H^(n), from the eigenspace of a neighbour where there is one.
pub(in crate::engine) fn eigenspace<T: Real>(
    risk: &Risk<T>,
    emitter: &mut Emitter,
    knobs: &Knobs,
    n: usize,
    columns: usize,
    near: Option<&Basis<T>>,
) -> Result<Eigenspace<T>> {
    let start = near.map_or(Start::Random, Start::Near);
    let request = request(knobs.k(), knobs.tol, knobs.seed, n, columns);
    let mut seen = 0;
    solve(&mut Hessian { risk, sequences: 0..n }, knobs.solver, &request, start, &mut |iteration| {
        emitter.work.hvps += (iteration.products - seen) as f64;
        seen = iteration.products;
        emitter.tick();
    })
}

/// Increments on an eigenspace of H^(n) that each of the sequences after n brings, one for each of `traces`.
pub(in crate::engine) fn increments<T: Real>(
    risk: &Risk<T>,
    emitter: &mut Emitter,
    losses: &[f64],
    n: usize,
    space: &Eigenspace<T>,
    traces: &[Traces],
) -> Result<Vec<Increment>> {
    let gradient = risk.gradient(0..n)?;
    let own = diagonal(&space.values);
    let one = |(j, traces): (usize, &Traces)| {
        let next = n + j;
        let c = projection::gradient_of(risk, &space.vectors, n, next)?;
        let b = projection::curvature_of(risk, space, &own, n, next)?.b;
        emitter.work.hvps += space.values.len() as f64 / n as f64;
        emitter.checkpoint()?;
        increment(risk, losses, n, next, &gradient, (c, b), traces)
    };
    traces.iter().enumerate().map(one).collect()
}

/// The increment that sequence `next` (from 0) brings to the first n, whose gradient and whose (c, B) are given.
pub(in crate::engine) fn increment<T: Real>(
    risk: &Risk<T>,
    losses: &[f64],
    n: usize,
    next: usize,
    gradient: &[T],
    (c, b): (Vec<f64>, Vec<f64>),
    traces: &Traces,
) -> Result<Increment> {
    let b_norm2 = risk.sequence_gradient(next)?.square_distance(gradient) / ((n + 1) as f64).powi(2);
    let a = brought(losses, n, next).unwrap_or(f64::NAN);
    Ok(Increment { a, b_norm2, c, b, trace: traces.trace, frob2: traces.frob2 })
}

/// Rademacher probes of A for every n of `grid` and each of the `next` sequences after it: all from one pass over the
/// sequences for a probe, at the price of one product on each. One row an n.
pub(in crate::engine) fn traces<T: Real>(
    risk: &Risk<T>,
    emitter: &mut Emitter,
    seed: u64,
    probes: usize,
    grid: &[usize],
    next: usize,
) -> Result<Vec<Vec<Traces>>> {
    let top = grid.last().copied().unwrap_or(0);
    // By n, next sequence and probe: vᵀAv and ‖Av‖².
    let mut found: Vec<Vec<Vec<(f64, f64)>>> = vec![vec![Vec::new(); next]; grid.len()];
    for probe in 0..probes {
        let signs = Stream::new(seed, Purpose::Trace, probe as u64).signs(risk.parameters());
        let v: Vec<T> = signs.into_iter().map(T::of).collect();
        let mut ahead = Ahead::new(risk.parameters(), next);
        let mut along = Vec::new();
        risk.each_hvp(0..top + next, &v, |_, product| {
            along.push(product.dot(&v));
            let Some(n) = ahead.push(product.clone()) else { return Ok(()) };
            if let Ok(place) = grid.binary_search(&n) {
                for (j, square) in ahead.increments().into_iter().enumerate() {
                    let quadratic = brought(&along, n, n + j).unwrap_or(f64::NAN);
                    found[place][j].push((quadratic, square));
                }
            }
            Ok(())
        })?;
        emitter.work.hvps += (top + next) as f64 / top as f64;
        emitter.checkpoint()?;
    }
    let unknown = Estimate { mean: f64::NAN, stderr: f64::INFINITY, draws: 0 };
    let estimate = |probes: &Vec<(f64, f64)>| Traces {
        trace: Estimate::of(probes.iter().map(|p| p.0)).unwrap_or(unknown),
        frob2: Estimate::of(probes.iter().map(|p| p.1)).unwrap_or(unknown),
    };
    Ok(found.iter().map(|row| row.iter().map(estimate).collect()).collect())
}

/// Derivatives of the first `sequences` sequences on a basis.
pub(in crate::engine) fn projected<T: Real>(
    risk: &Risk<T>,
    emitter: &mut Emitter,
    basis: &Basis<T>,
    sequences: usize,
    n: usize,
) -> Result<Vec<Sequence>> {
    let columns: Vec<&[T]> = basis.cols().collect();
    let one = |i| {
        let sequence = Sequence::of(risk, &columns, i, &*risk.sequence_gradient(i)?)?;
        emitter.work.hvps += columns.len() as f64 / n as f64;
        emitter.checkpoint()?;
        Ok(sequence)
    };
    (0..sequences).map(one).collect()
}

/// Rayleigh quotients of the columns under the mean Hessian of the first n sequences.
pub(in crate::engine) fn quotients(sequences: &[Sequence], n: usize) -> Vec<f64> {
    let k = sequences.first().map_or(0, |s| s.gradient.len());
    (0..k).map(|j| sequences[..n].iter().map(|s| s.hessian[j * k + j]).sum::<f64>() / n as f64).collect()
}

/// ‖g^(n)‖.
pub(in crate::engine) fn grad_norm<T: Real>(risk: &Risk<T>, n: usize) -> Result<f64> {
    Ok(vector::norm(&risk.gradient(0..n)?))
}
