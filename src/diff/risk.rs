//! The empirical risk: means over sequences of losses, gradients and Hessian–vector products at one checkpoint.
//!
//! Work is shared out by sequence (or by direction) over the threads of the rayon pool in force. Every sum over
//! sequences runs in a fixed order in f64, so digits do not depend on the number of threads. This is the one place that
//! adds over sequences: a sum over machines would stand behind [`Risk::hvp`] and [`Risk::gradient`] and nowhere else.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use super::graph::Graph;
use super::op::head;
use super::primitive::Batch;
use super::share::{Footprint, Share};
use super::sweep::{Linearised, Scratch, Values};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::simd;

/// Asked before every slice (one sweep over one sequence): waits while paused, fails with [`Error::Cancelled`] when the
/// work is no longer wanted.
pub type Interrupt = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// Shares of products that are held at once before they are added up: a constant, so that the order of summation does
/// not depend on the machine.
pub const ROUND: usize = 16;

/// Elements added up by one task.
const CHUNK: usize = 1 << 11;

/// One sequence's linearisation: the sweeps' state and the gradient of its loss.
struct Sequence<T> {
    at: Linearised<T>,
    gradient: Share<T>,
}

/// The risk of a model on sequences at parameters w*.
pub struct Risk<T> {
    graph: Graph<T>,
    batches: Vec<Batch>,
    footprints: Vec<Arc<Footprint>>,
    w: Vec<T>,
    sequences: Vec<Option<Sequence<T>>>,
    keep: usize,
    interrupt: Interrupt,
    pools: Pools<T>,
}

/// Buffers between uses.
struct Pools<T> {
    scratch: Pool<Scratch<T>>,
    values: Pool<(Values<T>, head::Work<T>)>,
    points: Pool<Linearised<T>>,
    shares: Pool<Vec<T>>,
}

/// Buffers of one kind.
struct Pool<B>(Mutex<Vec<B>>);

impl<B> Pool<B> {
    fn new() -> Pool<B> {
        Pool(Mutex::new(Vec::new()))
    }

    /// Take a buffer, or make one.
    fn take(&self, make: impl FnOnce() -> B) -> B {
        let pooled = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        pooled.unwrap_or_else(make)
    }

    fn put(&self, buffer: B) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

impl<T: Real> Risk<T> {
    /// The risk of `graph` on `batches` (one sequence each) at `w`, flat in the order of the graph's layout. All
    /// sequences keep their linearisation until told otherwise.
    pub fn new(graph: Graph<T>, batches: Vec<Batch>, w: Vec<T>, interrupt: Interrupt) -> Self {
        let footprint = |batch| Arc::new(Footprint::new(&graph.layout, &graph.extents, batch));
        let footprints = batches.iter().map(footprint).collect();
        let sequences = batches.iter().map(|_| None).collect();
        let pools = Pools { scratch: Pool::new(), values: Pool::new(), points: Pool::new(), shares: Pool::new() };
        Risk { graph, footprints, keep: batches.len(), batches, w, sequences, interrupt, pools }
    }

    /// Let the first `sequences` sequences keep their linearisation; the others are linearised anew whenever they are
    /// needed, which saves memory, costs half a product more each time and changes no digit.
    pub fn keep(&mut self, sequences: usize) {
        self.keep = sequences;
        self.sequences.iter_mut().skip(sequences).for_each(|slot| *slot = None);
    }

    /// How many sequences keep their linearisation, the first ones.
    pub fn kept(&self) -> usize {
        self.keep
    }

    /// Move the checkpoint to other parameters; linearisations are made anew when they are next asked for.
    pub fn move_to(&mut self, w: &[T]) {
        self.w.copy_from_slice(w);
        for sequence in self.sequences.iter_mut().filter_map(Option::take) {
            self.pools.points.put(sequence.at);
            self.pools.shares.put(sequence.gradient.into_memory());
        }
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

    /// The tokens of each sequence.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Bytes of one sequence's linearisation with its gradient, and of its share of a product: the largest of `range`.
    pub fn sequence_bytes(&self, range: Range<usize>) -> (u64, u64) {
        let share = self.footprints[range.clone()].iter().map(|f| (f.len() * size_of::<T>()) as u64).max().unwrap_or(0);
        let linearised = self.batches[range].iter().map(|b| self.graph.linearised_bytes(b)).max().unwrap_or(0);
        (linearised + share, share)
    }

    /// Linearise the sequences of `range` that are to be kept and are not yet, and return the losses ℓ_i(w*) of the
    /// range.
    ///
    /// # Errors
    /// [`Error::NotFinite`] naming the first sequence whose loss is not finite; [`Error::Cancelled`].
    pub fn linearise(&mut self, range: Range<usize>) -> Result<Vec<f64>> {
        let (kept, rest) =
            (range.start.min(self.keep)..range.end.min(self.keep), range.start.max(self.keep)..range.end);
        let mut sequences = std::mem::take(&mut self.sequences);
        let fill = kept.clone().zip(&mut sequences[kept.clone()]).collect::<Vec<_>>().into_par_iter().try_for_each(
            |(i, slot)| {
                if slot.is_none() {
                    *slot = Some(self.linearised(i)?);
                }
                Ok::<(), Error>(())
            },
        );
        self.sequences = sequences;
        fill?;
        let mut losses: Vec<f64> = self.sequences[kept].iter().flatten().map(|s| s.at.losses[0]).collect();
        if !rest.is_empty() {
            losses.extend(self.losses(&[&self.w], rest)?.concat());
        }
        match losses.iter().position(|l| !l.is_finite()) {
            Some(bad) => Err(Error::NotFinite(format!(
                "the loss of sequence {} is {} at the checkpoint: its parameters or tokens cannot be used",
                range.start + bad + 1,
                losses[bad]
            ))),
            None => Ok(losses),
        }
    }

    /// Sequence i linearised now.
    fn linearised(&self, i: usize) -> Result<Sequence<T>> {
        (self.interrupt)()?;
        let (graph, batch) = (&self.graph, &self.batches[i]);
        let mut at = self.pools.points.take(|| graph.linearised(batch));
        let mut scratch = self.pools.scratch.take(|| graph.scratch(batch));
        let mut gradient = self.share(i);
        graph.linearise(batch, &graph.split(&self.w), &mut at, &mut scratch, &mut gradient);
        self.pools.scratch.put(scratch);
        Ok(Sequence { at, gradient })
    }

    /// Use sequence i's linearisation, kept or made for the occasion.
    fn with<R>(&self, i: usize, work: impl FnOnce(&Sequence<T>) -> Result<R>) -> Result<R> {
        if let Some(sequence) = &self.sequences[i] {
            return work(sequence);
        }
        let sequence = self.linearised(i)?;
        let result = work(&sequence);
        self.pools.points.put(sequence.at);
        self.pools.shares.put(sequence.gradient.into_memory());
        result
    }

    fn share(&self, i: usize) -> Share<T> {
        // Room for any sequence's share, so that none has to grow when it serves another.
        let room = || self.footprints.iter().map(|f| f.len()).max().unwrap_or(0);
        Share::over(self.footprints[i].clone(), self.pools.shares.take(|| Vec::with_capacity(room())))
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
                let (mut values, mut work) =
                    self.pools.values.take(|| (self.graph.values(batch), head::Work::default()));
                let w = self.graph.split(points[task / count]);
                let loss = self.graph.losses(batch, &w, &mut values, &mut work)[0];
                self.pools.values.put((values, work));
                Ok(loss)
            })
            .collect::<Result<Vec<f64>>>()?;
        Ok(flat.chunks(count.max(1)).map(<[f64]>::to_vec).collect())
    }

    /// Gradient of the mean loss of the sequences of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn gradient(&self, range: Range<usize>) -> Result<Vec<T>> {
        let mut out = vec![T::zero(); self.parameters()];
        self.mean(range, &mut [&mut out], |round| {
            Ok(vec![round.into_par_iter().map(|i| self.sequence_gradient(i)).collect::<Result<Vec<_>>>()?])
        })?;
        Ok(out)
    }

    /// g_i, the gradient of one sequence's loss.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn sequence_gradient(&self, i: usize) -> Result<Cow<'_, Share<T>>> {
        if let Some(sequence) = &self.sequences[i] {
            return Ok(Cow::Borrowed(&sequence.gradient));
        }
        let sequence = self.linearised(i)?;
        self.pools.points.put(sequence.at);
        Ok(Cow::Owned(sequence.gradient))
    }

    /// g_iᵀv of each sequence of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn slopes(&self, range: Range<usize>, v: &[T]) -> Result<Vec<f64>> {
        range.into_par_iter().map(|i| self.with(i, |sequence| Ok(sequence.gradient.dot(v)))).collect()
    }

    /// H v of the mean loss of the sequences of `range`.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn hvp(&self, range: Range<usize>, v: &[T], out: &mut [T]) -> Result<()> {
        self.hvps(range, &[v], &mut [out])
    }

    /// H v of the mean loss of the sequences of `range` for a block of directions v: pairs of a sequence and a direction
    /// are shared out over the threads.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn hvps(&self, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        let together = (ROUND / range.len().max(1)).max(1);
        for (v, out) in v.chunks(together).zip(out.chunks_mut(together)) {
            self.mean(range.clone(), out, |round| {
                let lanes = self.products(round, v)?;
                Ok(lanes.into_iter().map(|lane| lane.into_iter().map(Cow::Owned).collect()).collect())
            })?;
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
        mut visit: impl FnMut(usize, &Share<T>) -> Result<()>,
    ) -> Result<()> {
        for start in range.clone().step_by(ROUND) {
            let round = start..(start + ROUND).min(range.end);
            for (i, lane) in round.clone().zip(self.products(round, &[v])?.into_iter().flatten()) {
                visit(i, &lane)?;
                self.pools.shares.put(lane.into_memory());
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
        visit: impl Fn(usize, &Share<T>) -> R + Sync,
    ) -> Result<Vec<R>> {
        let one = |sequence: &Sequence<T>, (j, v): (usize, &&[T])| {
            let lane = self.product(i, sequence, v)?;
            let result = visit(j, &lane);
            self.pools.shares.put(lane.into_memory());
            Ok(result)
        };
        self.with(i, |sequence| directions.par_iter().enumerate().map(|task| one(sequence, task)).collect())
    }

    /// Second-order jet of the mean loss of `range` along v: (gᵀv, vᵀHv), by forward sweeps alone.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn jet(&self, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        let (w, v) = (self.graph.split(&self.w), self.graph.split(v));
        let one = |i: usize, sequence: &Sequence<T>| {
            (self.interrupt)()?;
            let batch = &self.batches[i];
            let mut scratch = self.pools.scratch.take(|| self.graph.scratch(batch));
            let jet = self.graph.jet(batch, &w, &sequence.at, &v, &mut scratch);
            self.pools.scratch.put(scratch);
            Ok(jet)
        };
        let jets = range
            .clone()
            .into_par_iter()
            .map(|i| self.with(i, |sequence| one(i, sequence)))
            .collect::<Result<Vec<_>>>()?;
        let (slope, curvature) = jets.iter().fold((0.0, 0.0), |sum, jet| (sum.0 + jet.0, sum.1 + jet.1));
        Ok((slope / range.len() as f64, curvature / range.len() as f64))
    }

    /// H_i v of every sequence of `round` for every direction: one row a direction.
    fn products(&self, round: Range<usize>, v: &[&[T]]) -> Result<Vec<Vec<Share<T>>>> {
        let count = round.len();
        let lanes: Vec<Share<T>> = if self.sequences[round.clone()].iter().all(Option::is_some) {
            let pairs = (0..v.len() * count).into_par_iter();
            let one = |pair: usize| {
                let i = round.start + pair % count;
                self.with(i, |sequence| self.product(i, sequence, v[pair / count]))
            };
            pairs.map(one).collect::<Result<_>>()?
        } else {
            // A sequence that is linearised for the occasion serves all directions, one after the other.
            let all = |i| self.with(i, |s| v.iter().map(|v| self.product(i, s, v)).collect::<Result<Vec<_>>>());
            let by_sequence = round.into_par_iter().map(all).collect::<Result<Vec<_>>>()?;
            let mut columns: Vec<_> = by_sequence.into_iter().map(Vec::into_iter).collect();
            (0..v.len()).flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
        };
        let mut lanes = lanes.into_iter();
        Ok((0..v.len()).map(|_| lanes.by_ref().take(count).collect()).collect())
    }

    fn product(&self, i: usize, sequence: &Sequence<T>, v: &[T]) -> Result<Share<T>> {
        (self.interrupt)()?;
        let batch = &self.batches[i];
        let mut scratch = self.pools.scratch.take(|| self.graph.scratch(batch));
        let mut lane = self.share(i);
        let (w, v) = (self.graph.split(&self.w), self.graph.split(v));
        self.graph.hvp(batch, &w, &sequence.at, &v, &mut scratch, &mut lane);
        self.pools.scratch.put(scratch);
        Ok(lane)
    }

    /// Each row of `out` receives the mean over the sequences of `range` of the shares that `lanes` gives for a round of
    /// them, one row of shares for each row of `out`.
    fn mean<'a>(
        &'a self,
        range: Range<usize>,
        out: &mut [&mut [T]],
        lanes: impl Fn(Range<usize>) -> Result<Vec<Vec<Cow<'a, Share<T>>>>>,
    ) -> Result<()> {
        let scale = 1.0 / range.len() as f64;
        let begun = || if range.len() <= ROUND { Sum::Whole } else { Sum::Begun(vec![0.0; self.parameters()]) };
        let mut sums: Vec<Sum> = out.iter().map(|_| begun()).collect();
        for start in range.clone().step_by(ROUND) {
            let round = start..(start + ROUND).min(range.end);
            let last = round.end == range.end;
            for ((lanes, sum), out) in lanes(round)?.into_iter().zip(&mut sums).zip(out.iter_mut()) {
                if last {
                    *sum = std::mem::replace(sum, Sum::Whole).last();
                }
                add_up(&lanes, sum, scale, out);
                for lane in lanes {
                    if let Cow::Owned(lane) = lane {
                        self.pools.shares.put(lane.into_memory());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Add lanes in order; `out` receives `scale` times the total once the sum is complete.
fn add_up<T: Real>(lanes: &[Cow<'_, Share<T>>], sum: &mut Sum, scale: f64, out: &mut [T]) {
    let add = |chunk: usize, total: &mut [f64]| {
        let start = chunk * CHUNK;
        for lane in lanes {
            lane.visit(start..start + total.len(), |range, piece| {
                if let Some(piece) = piece {
                    simd::add_wide(piece, &mut total[range.start - start..range.end - start]);
                }
            });
        }
    };
    match sum {
        Sum::Whole => out.par_chunks_mut(CHUNK).enumerate().for_each(|(c, out)| {
            let total = &mut [0.0; CHUNK][..out.len()];
            add(c, total);
            simd::narrow(scale, total, out);
        }),
        Sum::Begun(so_far) => so_far.par_chunks_mut(CHUNK).enumerate().for_each(|(c, so_far)| add(c, so_far)),
        Sum::Last(so_far) => {
            let chunks = so_far.par_chunks_mut(CHUNK).zip(out.par_chunks_mut(CHUNK));
            chunks.enumerate().for_each(|(c, (so_far, out))| {
                add(c, so_far);
                simd::narrow(scale, so_far, out);
            });
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
