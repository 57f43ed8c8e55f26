//! The tape on a GPU: the same graph, swept over whole batches of sequences and blocks of directions at once.
//!
//! A sequence's arrays are rows of the batch's, so a sweep over any run of sequences is one over a run of rows. The
//! linearisation of as many sequences as fit is kept; the others are linearised whenever they are needed. A direction's
//! arrays are a lane beside those of the others, and values are every direction's: each rule is one launch for the whole
//! block. Derivatives are added up over a batch by the matrix products themselves, in the precision of the run.

mod arrays;
mod attention;
mod blas;
mod columns;
mod device;
mod head;
mod lanes;
mod layers;
mod memory;
mod occurrences;
mod plan;
mod rules;
mod space;
mod state;
mod sweep;
mod units;

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::device::describe;
use self::lanes::Lanes;
use self::memory::Array;
pub use self::memory::Ptr;
use self::rules::Order;
pub use self::space::DeviceSpace;
use self::state::State;
use self::sweep::Block;
use super::graph::Graph;
use super::primitive::Batch;
use super::product::Products;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::space::Room;

/// A vector in a device's memory.
pub type DeviceVector<T> = Array<T>;

/// A model's sweeps on a GPU, at one checkpoint, over some sequences of equal length.
pub struct Tape<T>(Mutex<State<T>>);

impl<T: Real> Tape<T> {
    /// Put `graph` at `w` with its sequences on the GPU of that number, which multiplies as asked, and leave memory for a solve's vectors there before
    /// more than one sequence keeps its linearisation.
    ///
    /// # Errors
    /// [`crate::error::Error::Computation`]: no such device; too little memory for one sequence, with what it takes; a
    /// primitive that has no rule on the GPU, by name.
    pub fn new(gpu: (usize, Products), graph: &Graph<T>, batches: &[Batch], w: &[T], solve: Room) -> Result<Tape<T>> {
        Ok(Tape(Mutex::new(State::new(gpu, graph, batches, w, solve)?)))
    }

    /// The memory of the device, for vectors of P elements.
    ///
    /// # Errors
    /// What the device reports.
    pub fn space(&self) -> Result<DeviceSpace<T>> {
        let state = self.state()?;
        DeviceSpace::new(state.device.clone(), state.w.len())
    }

    /// Columns of a solve that find a place on the device now; none if what is beside them does not.
    ///
    /// # Errors
    /// What the device reports.
    pub fn fitting(&self, solve: Room) -> Result<Option<usize>> {
        let state = self.state()?;
        DeviceSpace::<T>::fitting(&state.device, state.w.len(), solve)
    }

    fn state(&self) -> Result<MutexGuard<'_, State<T>>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.device.bind()?;
        Ok(state)
    }

    /// Go to another checkpoint.
    ///
    /// # Errors
    /// What the device reports.
    pub fn move_to(&self, w: &[T]) -> Result<()> {
        self.state()?.move_to(w)
    }

    /// ℓ_i of the sequences of `range` at w*.
    ///
    /// # Errors
    /// What the device reports.
    pub fn linearise(&self, graph: &Graph<T>, range: Range<usize>) -> Result<Vec<f64>> {
        self.state()?.linearise(graph, range)
    }

    /// ℓ_i of the sequences of `range` at another point, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn losses(&self, graph: &Graph<T>, point: &[T], range: Range<usize>) -> Result<Vec<f64>> {
        let state = self.state()?;
        state.device.upload(point, state.v.at())?;
        state.losses(graph, state.v.at(), range)
    }

    /// Gradient of the mean loss of `range`, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn gradient(&self, graph: &Graph<T>, range: Range<usize>, out: &mut [T]) -> Result<()> {
        let mut state = self.state()?;
        let to = state.out.at();
        state.derivative(graph, Order::Value, &range, Block::values(to))?;
        state.device.download(to, out)
    }

    /// How many directions a sweep over `range` takes at once: more in one call are as many sweeps as they need.
    ///
    /// # Errors
    /// What the device reports.
    pub fn together(&self, range: &Range<usize>) -> Result<usize> {
        Ok(self.state()?.together(range))
    }

    /// H v of the mean loss of `range` for each of the directions `v`, into `out`; returns each gᵀv. Every pointer is an
    /// array of P elements on this device, and no two results overlap. Directions that lie at even distances, as their
    /// results do, are swept together.
    ///
    /// # Errors
    /// What the device reports.
    pub fn products(&self, graph: &Graph<T>, range: Range<usize>, v: &[Ptr<T>], out: &[Ptr<T>]) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        let blocks = even(v, out, state.together(&range), state.w.len());
        let slopes = blocks.into_iter().map(|block| state.products(graph, &range, block));
        Ok(slopes.collect::<Result<Vec<_>>>()?.concat())
    }

    /// The same for directions in the machine's memory, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn hvps(&self, graph: &Graph<T>, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        let (together, mut slopes) = (state.together(&range), Vec::with_capacity(v.len()));
        for (v, out) in v.chunks(together).zip(out.chunks_mut(together)) {
            let block = state.block(v.len());
            for (i, v) in v.iter().enumerate() {
                state.device.upload(v, block.v.first.plus(i * block.v.step))?;
            }
            slopes.extend(state.products(graph, &range, block)?);
            for (i, out) in out.iter_mut().enumerate() {
                state.device.download(block.out.first.plus(i * block.out.step), out)?;
            }
        }
        Ok(slopes)
    }

    /// (gᵀv, vᵀHv) of the mean loss of `range`, by a whole product: its price is that of the forward sweep's own curvature
    /// rules, which the GPU lacks.
    ///
    /// # Errors
    /// What the device reports.
    pub fn jet(&self, graph: &Graph<T>, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        let mut state = self.state()?;
        state.device.upload(v, state.v.at())?;
        let block = state.block(1);
        let slope = state.products(graph, &range, block)?[0];
        Ok((slope, state.dot(block.v.first, block.out.first)?))
    }

    /// g_iᵀv of each sequence of `range`, by forward sweeps alone.
    ///
    /// # Errors
    /// What the device reports.
    pub fn slopes(&self, graph: &Graph<T>, range: Range<usize>, v: &[T]) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        state.device.upload(v, state.v.at())?;
        let block = state.block(1);
        Ok(state.slopes(graph, &range, block)?.concat())
    }
}

/// Directions with their results in blocks of at most `most`, each at even distances; results of `dim` elements.
fn even<T>(v: &[Ptr<T>], out: &[Ptr<T>], most: usize, dim: usize) -> Vec<Block<T>> {
    let lanes = |all: &[Ptr<T>], first: usize, step| Lanes { first: all[first], step };
    let mut blocks = Vec::new();
    let mut first = 0;
    while first < v.len() {
        let step = |i: usize| {
            let steps = (v[i - 1].until(v[i])?, out[i - 1].until(out[i])?);
            (steps.1 >= dim).then_some(steps)
        };
        let end = (first + most).min(v.len());
        let even = (first + 1..end).take_while(|&i| step(i).is_some() && step(i) == step(first + 1)).count();
        let (from, to) = if even > 0 { step(first + 1).unwrap_or_default() } else { (dim, dim) };
        blocks.push(Block { directions: even + 1, v: lanes(v, first, from), out: lanes(out, first, to) });
        first += even + 1;
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_at_even_distances_go_together() {
        let at = |elements: usize| Ptr::<f64>::at(4096).plus(elements);
        let blocks = |v: &[usize], out: &[usize]| -> Vec<(usize, usize, usize)> {
            let pointers = |all: &[usize]| all.iter().map(|i| at(*i)).collect::<Vec<_>>();
            let blocks = even(&pointers(v), &pointers(out), 3, 10);
            blocks.iter().map(|b| (b.directions, b.v.step, b.out.step)).collect()
        };
        assert_eq!(blocks(&[0, 10, 20, 30], &[100, 110, 120, 130]), [(3, 10, 10), (1, 10, 10)]);
        assert_eq!(blocks(&[0, 10, 30], &[100, 110, 120]), [(2, 10, 10), (1, 10, 10)]);
        assert_eq!(blocks(&[20, 10], &[100, 110]), [(1, 10, 10), (1, 10, 10)]);
        // Results must not overlap; directions may.
        assert_eq!(blocks(&[0, 0], &[100, 120]), [(2, 0, 20)]);
        assert_eq!(blocks(&[0, 10], &[100, 105]), [(1, 10, 10), (1, 10, 10)]);
    }
}
