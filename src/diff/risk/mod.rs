//! The empirical risk: means over sequences of losses, gradients and Hessian–vector products at one checkpoint.
//!
//! [`Risk`] is what the floors above see; `Sweeps` is the seam behind it, with one implementation on the processor
//! (`host`) and one on a GPU (`gpu`). This is the one place that adds over sequences: a sum over machines would stand behind
//! [`Risk::hvp`] and [`Risk::gradient`] and nowhere else.

mod device;
#[cfg(feature = "cuda")]
mod gpu;
#[cfg(not(feature = "cuda"))]
#[path = "no_gpu.rs"]
mod gpu;
mod host;
mod pool;
mod sum;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use self::device::DeviceSweeps;
pub use self::device::OnDevice;
use self::pool::Pool;
pub use self::sum::ROUND;
use super::graph::Graph;
use super::primitive::Batch;
use super::product::Products;
use super::share::{Footprint, Share};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::space::Room;

/// Asked before every slice (one sweep over one sequence): waits while paused, fails with [`Error::Cancelled`] when the
/// work is no longer wanted.
pub type Interrupt = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// A model at parameters w* with the sequences that make its risk: what every way of sweeping reads.
struct Sample<T> {
    graph: Graph<T>,
    batches: Vec<Batch>,
    footprints: Vec<Arc<Footprint>>,
    w: Vec<T>,
    interrupt: Interrupt,
    shares: Pool<Vec<T>>,
}

impl<T: Real> Sample<T> {
    fn parameters(&self) -> usize {
        self.w.len()
    }

    /// Room for sequence i's share, contents arbitrary.
    fn share(&self, i: usize) -> Share<T> {
        // Room for any sequence's share, so that none has to grow when it serves another.
        let room = || self.footprints.iter().map(|f| f.len()).max().unwrap_or(0);
        Share::over(self.footprints[i].clone(), self.shares.take(|| Vec::with_capacity(room())))
    }

    /// Take a share's memory back.
    fn done_with(&self, share: Share<T>) {
        self.shares.put(share.into_memory());
    }
}

/// A way of taking the sweeps over a sample. All means and products are those of the sample's parameters; the errors are
/// [`Error::Cancelled`] and what the device reports.
trait Sweeps<T>: Send + Sync {
    /// Let the first `sequences` sequences keep their linearisation.
    fn keep(&mut self, sequences: usize);

    /// How many do.
    fn kept(&self) -> usize;

    /// The parameters are others now.
    fn moved(&mut self, sample: &Sample<T>) -> Result<()>;

    /// Bytes of the machine's memory for one sequence's linearisation: the largest of `range`.
    fn linearised_bytes(&self, sample: &Sample<T>, range: Range<usize>) -> u64;

    /// Linearise what is to be kept of `range`; the losses of the range.
    fn linearise(&mut self, sample: &Sample<T>, range: Range<usize>) -> Result<Vec<f64>>;

    /// As [`Risk::losses`].
    fn losses(&self, sample: &Sample<T>, points: &[&[T]], range: Range<usize>) -> Result<Vec<Vec<f64>>>;

    /// As [`Risk::gradient`].
    fn gradient(&self, sample: &Sample<T>, range: Range<usize>, out: &mut [T]) -> Result<()>;

    /// As [`Risk::sequence_gradient`].
    fn sequence_gradient<'a>(&'a self, sample: &Sample<T>, i: usize) -> Result<Cow<'a, Share<T>>>
    where
        T: Clone;

    /// As [`Risk::slopes`].
    fn slopes(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<Vec<f64>>;

    /// As [`Risk::hvps`].
    fn hvps(&self, sample: &Sample<T>, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()>;

    /// As [`Risk::each_hvp`].
    fn each_hvp(
        &self,
        sample: &Sample<T>,
        range: Range<usize>,
        v: &[T],
        visit: &mut dyn FnMut(usize, &Share<T>) -> Result<()>,
    ) -> Result<()>;

    /// H_i v for each direction v, handed to `visit` with the direction's number on the thread that computed it.
    fn sequence_hvps(
        &self,
        sample: &Sample<T>,
        i: usize,
        directions: &[&[T]],
        visit: &(dyn Fn(usize, &Share<T>) + Sync),
    ) -> Result<()>;

    /// The GPU's number, its products and the room to make there, if a GPU takes the sweeps and has not been asked for as
    /// much.
    fn lacks(&self, _solve: Room) -> Option<(usize, Products, Room)> {
        None
    }

    /// The same for vectors on a device, where that is where the sweeps are taken.
    fn on_device(&self) -> Option<&dyn DeviceSweeps<T>>
    where
        T: Real,
    {
        None
    }

    /// As [`Risk::jet`].
    fn jet(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<(f64, f64)>;
}

/// The risk of a model on sequences at parameters w*.
pub struct Risk<T> {
    sample: Sample<T>,
    sweeps: Box<dyn Sweeps<T>>,
}

impl<T: Real> Risk<T> {
    /// The risk of `graph` on `batches` (one sequence each) at `w`, flat in the order of the graph's layout. All
    /// sequences keep their linearisation until told otherwise.
    pub fn new(graph: Graph<T>, batches: Vec<Batch>, w: Vec<T>, interrupt: Interrupt) -> Self {
        let footprint = |batch| Arc::new(Footprint::new(&graph.layout, &graph.extents, batch));
        let footprints = batches.iter().map(footprint).collect();
        let sweeps = Box::new(host::Host::new(batches.len()));
        Risk { sample: Sample { graph, batches, footprints, w, interrupt, shares: Pool::new() }, sweeps }
    }

    /// Take all sweeps on GPU number `ordinal` from now on; its memory decides how many linearisations are kept there beside
    /// the vectors of a solve.
    ///
    /// # Errors
    /// A GPU that cannot be used, or is too small for one sequence.
    pub fn use_gpu(&mut self, ordinal: usize, products: Products, solve: Room) -> Result<()> {
        self.sweeps = gpu::open(ordinal, &self.sample, products, solve)?;
        Ok(())
    }

    /// Have room on the device, if there is one, for a solve that may be larger than those before; linearisations give way and
    /// are made anew.
    ///
    /// # Errors
    /// Those of [`Risk::use_gpu`].
    pub fn make_room(&mut self, solve: Room) -> Result<()> {
        let Some((ordinal, products, solve)) = self.sweeps.lacks(solve) else { return Ok(()) };
        // The memory is given back before it is taken anew.
        self.sweeps = Box::new(host::Host::new(self.sample.batches.len()));
        self.use_gpu(ordinal, products, solve)
    }

    /// Let the first `sequences` sequences keep their linearisation; the others are linearised anew whenever they are
    /// needed, which saves memory, costs half a product more each time and changes no digit.
    pub fn keep(&mut self, sequences: usize) {
        self.sweeps.keep(sequences);
    }

    /// How many sequences keep their linearisation, the first ones.
    pub fn kept(&self) -> usize {
        self.sweeps.kept()
    }

    /// Move the checkpoint to other parameters; linearisations are made anew when they are next asked for.
    ///
    /// # Errors
    /// What a GPU reports.
    pub fn move_to(&mut self, w: &[T]) -> Result<()> {
        self.sample.w.copy_from_slice(w);
        self.sweeps.moved(&self.sample)
    }

    /// Number of parameters P.
    pub fn parameters(&self) -> usize {
        self.sample.parameters()
    }

    /// The checkpoint w*, flat.
    pub fn point(&self) -> &[T] {
        &self.sample.w
    }

    /// The model.
    pub fn graph(&self) -> &Graph<T> {
        &self.sample.graph
    }

    /// The tokens of each sequence.
    pub fn batches(&self) -> &[Batch] {
        &self.sample.batches
    }

    /// Bytes of one sequence's linearisation with its gradient, and of its share of a product: the largest of `range`.
    pub fn sequence_bytes(&self, range: Range<usize>) -> (u64, u64) {
        let footprints = self.sample.footprints[range.clone()].iter();
        let share = footprints.map(|f| (f.len() * size_of::<T>()) as u64).max().unwrap_or(0);
        (self.sweeps.linearised_bytes(&self.sample, range) + share, share)
    }

    /// Linearise the sequences of `range` that are to be kept and are not yet, and return the losses ℓ_i(w*) of the
    /// range.
    ///
    /// # Errors
    /// [`Error::NotFinite`] naming the first sequence whose loss is not finite; [`Error::Cancelled`].
    pub fn linearise(&mut self, range: Range<usize>) -> Result<Vec<f64>> {
        let losses = self.sweeps.linearise(&self.sample, range.clone())?;
        match losses.iter().position(|l| !l.is_finite()) {
            Some(bad) => Err(Error::NotFinite(format!(
                "the loss of sequence {} is {} at the checkpoint: its parameters or tokens cannot be used",
                range.start + bad + 1,
                losses[bad]
            ))),
            None => Ok(losses),
        }
    }

    /// Losses of the sequences of `range` at each of `points` (flat parameters): one row a point.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn losses(&self, points: &[&[T]], range: Range<usize>) -> Result<Vec<Vec<f64>>> {
        self.sweeps.losses(&self.sample, points, range)
    }

    /// Gradient of the mean loss of the sequences of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn gradient(&self, range: Range<usize>) -> Result<Vec<T>> {
        let mut out = vec![T::zero(); self.parameters()];
        self.sweeps.gradient(&self.sample, range, &mut out)?;
        Ok(out)
    }

    /// g_i, the gradient of one sequence's loss.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn sequence_gradient(&self, i: usize) -> Result<Cow<'_, Share<T>>> {
        self.sweeps.sequence_gradient(&self.sample, i)
    }

    /// g_iᵀv of each sequence of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn slopes(&self, range: Range<usize>, v: &[T]) -> Result<Vec<f64>> {
        self.sweeps.slopes(&self.sample, range, v)
    }

    /// H v of the mean loss of the sequences of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn hvp(&self, range: Range<usize>, v: &[T], out: &mut [T]) -> Result<()> {
        self.hvps(range, &[v], &mut [out])
    }

    /// H v of the mean loss of the sequences of `range` for a block of directions v: pairs of a sequence and a direction
    /// are shared out over the threads, or swept together on a GPU. The digits are those of one direction at a time, on a
    /// GPU where cuBLAS takes the same kernels for both.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn hvps(&self, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        self.sweeps.hvps(&self.sample, range, v, out)
    }

    /// The same risk for vectors in a device's memory, if a device takes the sweeps.
    pub fn on_device(&self) -> Option<OnDevice<'_, T>> {
        Some(OnDevice { sample: &self.sample, sweeps: self.sweeps.on_device()? })
    }

    /// H_i v of every sequence of `range`, visited in order.
    ///
    /// # Errors
    /// [`Error::Cancelled`], or what `visit` returns.
    pub fn each_hvp(
        &self,
        range: Range<usize>,
        v: &[T],
        mut visit: impl FnMut(usize, &Share<T>) -> Result<()>,
    ) -> Result<()> {
        self.sweeps.each_hvp(&self.sample, range, v, &mut visit)
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
        visit: impl Fn(usize, &Share<T>) -> R + Sync,
    ) -> Result<Vec<R>> {
        let results: Vec<Mutex<Option<R>>> = directions.iter().map(|_| Mutex::new(None)).collect();
        self.sweeps.sequence_hvps(&self.sample, i, directions, &|j, product| {
            let result = visit(j, product);
            *results[j].lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        })?;
        Ok(results.into_iter().filter_map(|r| r.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
    }

    /// Second-order jet of the mean loss of `range` along v: (gᵀv, vᵀHv), by forward sweeps alone where the device has
    /// rules for them.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn jet(&self, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        self.sweeps.jet(&self.sample, range, v)
    }
}
