//! The empirical risk: means over sequences of losses, gradients and Hessian–vector products at one checkpoint.
//!
//! Work is shared out by sequence (or by direction) over the threads of the rayon pool in force. Every sum over
//! sequences runs in a fixed order in f64, so digits do not depend on the number of threads. This is the one place that
//! adds over sequences: a sum over machines would stand behind [`Risk::hvp`] and [`Risk::gradient`] and nowhere else.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::graph::Graph;
use super::primitive::Batch;
use super::sweep::{Linearised, PerParameter, Scratch, Values};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::simd;

/// Asked before every slice (one sweep over one sequence): waits while paused, fails with [`Error::Cancelled`] when the
/// work is no longer wanted.
pub type Interrupt = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// Sequences whose products are held at once before they are added up: a constant, so that the order of summation does
/// not depend on the machine.
pub const ROUND: usize = 16;

/// Elements added up by one task.
const CHUNK: usize = 1 << 11;

/// What one sequence's linearisation leaves: the sweeps' state and the gradient of its loss.
struct Sequence<T> {
    linearised: Linearised<T>,
    gradient: PerParameter<T>,
}

/// The risk of a model on sequences at parameters w*.
pub struct Risk<T> {
    graph: Graph<T>,
    batches: Vec<Batch>,
    w: Vec<T>,
    sequences: Vec<Option<Sequence<T>>>,
    interrupt: Interrupt,
    scratch: Mutex<Vec<Scratch<T>>>,
    products: Mutex<Vec<PerParameter<T>>>,
    values: Mutex<Vec<Values<T>>>,
}

/// Take a buffer from a pool, or make one.
fn borrow<B>(pool: &Mutex<Vec<B>>, make: impl FnOnce() -> B) -> B {
    let pooled = pool.lock().unwrap_or_else(PoisonError::into_inner).pop();
    pooled.unwrap_or_else(make)
}

/// Return a buffer to its pool.
fn put_back<B>(pool: &Mutex<Vec<B>>, buffer: B) {
    pool.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
}

impl<T: Real> Risk<T> {
    /// The risk of `graph` on `batches` (one sequence each) at `w`, flat in the order of the graph's layout.
    pub fn new(graph: Graph<T>, batches: Vec<Batch>, w: Vec<T>, interrupt: Interrupt) -> Self {
        let sequences = batches.iter().map(|_| None).collect();
        let (scratch, products, values) = Default::default();
        Risk { graph, batches, w, sequences, interrupt, scratch, products, values }
    }

    /// Number of parameters P.
    pub fn parameters(&self) -> usize {
        self.w.len()
    }

    /// The checkpoint w*, flat.
    pub fn point(&self) -> &[T] {
        &self.w
    }

    /// The model.
    pub fn graph(&self) -> &Graph<T> {
        &self.graph
    }

    /// Linearise the sequences of `range` that are not yet, and return the losses ℓ_i(w*) of the range.
    ///
    /// # Errors
    /// [`Error::NotFinite`] naming the first sequence whose loss is not finite; [`Error::Cancelled`].
    pub fn linearise(&mut self, range: Range<usize>) -> Result<Vec<f64>> {
        let w = self.graph.split(&self.w);
        let (graph, batches, interrupt) = (&self.graph, &self.batches, &self.interrupt);
        self.sequences[range.clone()].par_iter_mut().zip(&batches[range.clone()]).try_for_each(|(slot, batch)| {
            if slot.is_none() {
                interrupt()?;
                let mut gradient = graph.per_parameter();
                let linearised = graph.linearise(batch, &w, &mut gradient);
                *slot = Some(Sequence { linearised, gradient });
            }
            Ok::<(), Error>(())
        })?;
        let losses: Vec<f64> = range.clone().map(|i| self.sequence(i).linearised.losses[0]).collect();
        match losses.iter().position(|l| !l.is_finite()) {
            Some(bad) => Err(Error::NotFinite(format!(
                "the loss of sequence {} is {} at the checkpoint: its parameters or tokens cannot be used",
                range.start + bad + 1,
                losses[bad]
            ))),
            None => Ok(losses),
        }
    }

    fn sequence(&self, i: usize) -> &Sequence<T> {
        self.sequences[i].as_ref().unwrap_or_else(|| panic!("sequence {i} is used before it is linearised"))
    }

    /// Losses of the sequences of `range` at each of `points` (flat parameters): one row a point.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn losses(&self, points: &[&[T]], range: Range<usize>) -> Result<Vec<Vec<f64>>> {
        let count = range.len();
        let flat = (0..points.len() * count)
            .into_par_iter()
            .map(|task| {
                (self.interrupt)()?;
                let batch = &self.batches[range.start + task % count];
                let mut values = borrow(&self.values, || self.graph.values(batch));
                let loss = self.graph.losses(batch, &self.graph.split(points[task / count]), &mut values)[0];
                put_back(&self.values, values);
                Ok(loss)
            })
            .collect::<Result<Vec<f64>>>()?;
        Ok(flat.chunks(count.max(1)).map(<[f64]>::to_vec).collect())
    }

    /// Gradient of the mean loss of the (linearised) sequences of `range`.
    pub fn gradient(&self, range: Range<usize>) -> Vec<T> {
        let mut out = vec![T::zero(); self.parameters()];
        let lanes: Vec<&PerParameter<T>> = range.clone().map(|i| &self.sequence(i).gradient).collect();
        self.add_up(&lanes, &mut Sum::Whole, 1.0 / range.len() as f64, &mut out);
        out
    }

    /// g_i, the gradient of one (linearised) sequence's loss, cut into parameters.
    pub fn sequence_gradient(&self, i: usize) -> &PerParameter<T> {
        &self.sequence(i).gradient
    }

    /// g_iᵀv of each sequence of `range`.
    pub fn slopes(&self, range: Range<usize>, v: &[T]) -> Vec<f64> {
        let v = self.graph.split(v);
        range
            .into_par_iter()
            .map(|i| self.sequence(i).gradient.iter().zip(&v).map(|(g, v)| simd::dot(g, v)).sum())
            .collect()
    }

    /// H v of the mean loss of the (linearised) sequences of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn hvp(&self, range: Range<usize>, v: &[T], out: &mut [T]) -> Result<()> {
        let scale = 1.0 / range.len() as f64;
        let mut sum = if range.len() <= ROUND { Sum::Whole } else { Sum::Begun(vec![0.0; v.len()]) };
        for start in range.clone().step_by(ROUND) {
            let round = start..(start + ROUND).min(range.end);
            if round.end == range.end {
                sum = sum.last();
            }
            let lanes = self.products(round.map(|i| (i, v)).collect())?;
            self.add_up(&lanes.iter().collect::<Vec<_>>(), &mut sum, scale, out);
            lanes.into_iter().for_each(|lane| put_back(&self.products, lane));
        }
        Ok(())
    }

    /// H_i v of every sequence of `range`, visited in order.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or what `visit` returns.
    pub fn each_hvp(
        &self,
        range: Range<usize>,
        v: &[T],
        mut visit: impl FnMut(usize, &PerParameter<T>) -> Result<()>,
    ) -> Result<()> {
        for start in range.clone().step_by(ROUND) {
            let round = start..(start + ROUND).min(range.end);
            let lanes = self.products(round.clone().map(|i| (i, v)).collect())?;
            for (i, lane) in round.zip(lanes) {
                visit(i, &lane)?;
                put_back(&self.products, lane);
            }
        }
        Ok(())
    }

    /// H_i v for each direction v at one sequence, each handed to `visit` on the thread that computed it; results in
    /// the order of the directions.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn map_hvps<R: Send>(
        &self,
        i: usize,
        directions: &[&[T]],
        visit: impl Fn(usize, &PerParameter<T>) -> R + Sync,
    ) -> Result<Vec<R>> {
        directions
            .par_iter()
            .enumerate()
            .map(|(j, v)| {
                let lane = self.product(i, v)?;
                let result = visit(j, &lane);
                put_back(&self.products, lane);
                Ok(result)
            })
            .collect()
    }

    /// Second-order jet of the mean loss of `range` along v: (gᵀv, vᵀHv), by forward sweeps alone.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn jet(&self, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        let (w, v) = (self.graph.split(&self.w), self.graph.split(v));
        let jets = range
            .clone()
            .into_par_iter()
            .map(|i| {
                (self.interrupt)()?;
                let batch = &self.batches[i];
                let mut scratch = borrow(&self.scratch, || self.graph.scratch(batch));
                let jet = self.graph.jet(batch, &w, &self.sequence(i).linearised, &v, &mut scratch);
                put_back(&self.scratch, scratch);
                Ok(jet)
            })
            .collect::<Result<Vec<_>>>()?;
        let (slope, curvature) = jets.iter().fold((0.0, 0.0), |sum, jet| (sum.0 + jet.0, sum.1 + jet.1));
        Ok((slope / range.len() as f64, curvature / range.len() as f64))
    }

    fn products(&self, tasks: Vec<(usize, &[T])>) -> Result<Vec<PerParameter<T>>> {
        tasks.into_par_iter().map(|(i, v)| self.product(i, v)).collect()
    }

    fn product(&self, i: usize, v: &[T]) -> Result<PerParameter<T>> {
        (self.interrupt)()?;
        let batch = &self.batches[i];
        let mut scratch = borrow(&self.scratch, || self.graph.scratch(batch));
        let mut lane = borrow(&self.products, || self.graph.per_parameter());
        let (w, v) = (self.graph.split(&self.w), self.graph.split(v));
        self.graph.hvp(batch, &w, &self.sequence(i).linearised, &v, &mut scratch, &mut lane);
        put_back(&self.scratch, scratch);
        Ok(lane)
    }

    /// Add lanes in order; `out` receives `scale` times the total once the sum is complete.
    fn add_up(&self, lanes: &[&PerParameter<T>], sum: &mut Sum, scale: f64, out: &mut [T]) {
        for (p, entry) in self.graph.layout.entries().iter().enumerate() {
            let range = entry.range();
            let add = |chunk: usize, total: &mut [f64]| {
                for lane in lanes {
                    simd::add_wide(&lane[p][chunk * CHUNK..][..total.len()], total);
                }
            };
            match sum {
                Sum::Whole => out[range].par_chunks_mut(CHUNK).enumerate().for_each(|(c, out)| {
                    let total = &mut [0.0; CHUNK][..out.len()];
                    add(c, total);
                    simd::narrow(scale, total, out);
                }),
                Sum::Begun(so_far) => {
                    so_far[range].par_chunks_mut(CHUNK).enumerate().for_each(|(c, so_far)| add(c, so_far));
                }
                Sum::Last(so_far) => {
                    let chunks = so_far[range.clone()].par_chunks_mut(CHUNK).zip(out[range].par_chunks_mut(CHUNK));
                    chunks.enumerate().for_each(|(c, (so_far, out))| {
                        add(c, so_far);
                        simd::narrow(scale, so_far, out);
                    });
                }
            }
        }
    }
}

/// How far a sum over rounds of sequences is.
enum Sum {
    /// One round holds all of it.
    Whole,
    /// More rounds follow; the total so far in f64.
    Begun(Vec<f64>),
    /// This round completes it.
    Last(Vec<f64>),
}

impl Sum {
    fn last(self) -> Sum {
        match self {
            Sum::Begun(so_far) => Sum::Last(so_far),
            other => other,
        }
    }
}
