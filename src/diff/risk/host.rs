//! The sweeps on the processor.
//!
//! Work is shared out by sequence (or by direction) over the threads of the rayon pool in force. Every sum over
//! sequences runs in a fixed order in f64, so digits do not depend on the number of threads.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::pool::Pool;
use super::sum::{ROUND, mean};
use super::{Sample, Sweeps};
use crate::diff::op::head;
use crate::diff::share::Share;
use crate::diff::sweep::{Linearised, Scratch, Values};
use crate::error::{Error, Result};
use crate::math::array::Real;

/// One sequence's linearisation: the sweeps' state and the gradient of its loss.
struct Sequence<T> {
    at: Linearised<T>,
    gradient: Share<T>,
}

/// The linearisations that are kept, and buffers between uses.
pub(super) struct Host<T> {
    sequences: Vec<Option<Sequence<T>>>,
    keep: usize,
    scratch: Pool<Scratch<T>>,
    values: Pool<(Values<T>, head::Work<T>)>,
    points: Pool<Linearised<T>>,
}

impl<T: Real> Host<T> {
    /// Nothing is linearised yet.
    pub(super) fn new(sequences: usize) -> Host<T> {
        Host {
            sequences: (0..sequences).map(|_| None).collect(),
            keep: sequences,
            scratch: Pool::new(),
            values: Pool::new(),
            points: Pool::new(),
        }
    }

    /// Sequence i linearised now.
    fn linearised(&self, sample: &Sample<T>, i: usize) -> Result<Sequence<T>> {
        (sample.interrupt)()?;
        let (graph, batch) = (&sample.graph, &sample.batches[i]);
        let mut at = self.points.take(|| graph.linearised(batch));
        let mut scratch = self.scratch.take(|| graph.scratch(batch));
        let mut gradient = sample.share(i);
        graph.linearise(batch, &graph.split(&sample.w), &mut at, &mut scratch, &mut gradient);
        self.scratch.put(scratch);
        Ok(Sequence { at, gradient })
    }

    /// Use sequence i's linearisation, kept or made for the occasion.
    fn with<R>(&self, sample: &Sample<T>, i: usize, work: impl FnOnce(&Sequence<T>) -> Result<R>) -> Result<R> {
        if let Some(sequence) = &self.sequences[i] {
            return work(sequence);
        }
        let sequence = self.linearised(sample, i)?;
        let result = work(&sequence);
        self.points.put(sequence.at);
        sample.done_with(sequence.gradient);
        result
    }

    /// H_i v of every sequence of `round` for every direction: one row a direction.
    fn products(&self, sample: &Sample<T>, round: Range<usize>, v: &[&[T]]) -> Result<Vec<Vec<Share<T>>>> {
        let count = round.len();
        let lanes: Vec<Share<T>> = if self.sequences[round.clone()].iter().all(Option::is_some) {
            let pairs = (0..v.len() * count).into_par_iter();
            let one = |pair: usize| {
                let i = round.start + pair % count;
                self.with(sample, i, |sequence| self.product(sample, i, sequence, v[pair / count]))
            };
            pairs.map(one).collect::<Result<_>>()?
        } else {
            // A sequence that is linearised for the occasion serves all directions, one after the other.
            let all = |i| {
                let each =
                    |s: &Sequence<T>| v.iter().map(|v| self.product(sample, i, s, v)).collect::<Result<Vec<_>>>();
                self.with(sample, i, each)
            };
            let by_sequence = round.into_par_iter().map(all).collect::<Result<Vec<_>>>()?;
            let mut columns: Vec<_> = by_sequence.into_iter().map(Vec::into_iter).collect();
            (0..v.len()).flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect()
        };
        let mut lanes = lanes.into_iter();
        Ok((0..v.len()).map(|_| lanes.by_ref().take(count).collect()).collect())
    }

    fn product(&self, sample: &Sample<T>, i: usize, sequence: &Sequence<T>, v: &[T]) -> Result<Share<T>> {
        (sample.interrupt)()?;
        let (graph, batch) = (&sample.graph, &sample.batches[i]);
        let mut scratch = self.scratch.take(|| graph.scratch(batch));
        let mut lane = sample.share(i);
        graph.hvp(batch, &graph.split(&sample.w), &sequence.at, &graph.split(v), &mut scratch, &mut lane);
        self.scratch.put(scratch);
        Ok(lane)
    }
}

impl<T: Real> Sweeps<T> for Host<T> {
    fn keep(&mut self, sequences: usize) {
        self.keep = sequences;
        self.sequences.iter_mut().skip(sequences).for_each(|slot| *slot = None);
    }

    fn kept(&self) -> usize {
        self.keep
    }

    fn moved(&mut self, sample: &Sample<T>) -> Result<()> {
        for sequence in self.sequences.iter_mut().filter_map(Option::take) {
            self.points.put(sequence.at);
            sample.done_with(sequence.gradient);
        }
        Ok(())
    }

    fn linearised_bytes(&self, sample: &Sample<T>, range: Range<usize>) -> u64 {
        sample.batches[range].iter().map(|b| sample.graph.linearised_bytes(b)).max().unwrap_or(0)
    }

    fn linearise(&mut self, sample: &Sample<T>, range: Range<usize>) -> Result<Vec<f64>> {
        let (kept, rest) =
            (range.start.min(self.keep)..range.end.min(self.keep), range.start.max(self.keep)..range.end);
        let mut sequences = std::mem::take(&mut self.sequences);
        let fill = kept.clone().zip(&mut sequences[kept.clone()]).collect::<Vec<_>>().into_par_iter().try_for_each(
            |(i, slot)| {
                if slot.is_none() {
                    *slot = Some(self.linearised(sample, i)?);
                }
                Ok::<(), Error>(())
            },
        );
        self.sequences = sequences;
        fill?;
        let mut losses: Vec<f64> = self.sequences[kept].iter().flatten().map(|s| s.at.losses[0]).collect();
        if !rest.is_empty() {
            losses.extend(self.losses(sample, &[&sample.w], rest)?.concat());
        }
        Ok(losses)
    }

    fn losses(&self, sample: &Sample<T>, points: &[&[T]], range: Range<usize>) -> Result<Vec<Vec<f64>>> {
        let (graph, count) = (&sample.graph, range.len());
        let flat = (0..points.len() * count)
            .into_par_iter()
            .map(|task| {
                (sample.interrupt)()?;
                let batch = &sample.batches[range.start + task % count];
                let (mut values, mut work) = self.values.take(|| (graph.values(batch), head::Work::default()));
                let loss = graph.losses(batch, &graph.split(points[task / count]), &mut values, &mut work)[0];
                self.values.put((values, work));
                Ok(loss)
            })
            .collect::<Result<Vec<f64>>>()?;
        Ok(flat.chunks(count.max(1)).map(<[f64]>::to_vec).collect())
    }

    fn gradient(&self, sample: &Sample<T>, range: Range<usize>, out: &mut [T]) -> Result<()> {
        mean(sample, range, &mut [out], |round| {
            let one = |i| self.sequence_gradient(sample, i);
            Ok(vec![round.into_par_iter().map(one).collect::<Result<Vec<_>>>()?])
        })
    }

    fn sequence_gradient<'a>(&'a self, sample: &Sample<T>, i: usize) -> Result<Cow<'a, Share<T>>> {
        if let Some(sequence) = &self.sequences[i] {
            return Ok(Cow::Borrowed(&sequence.gradient));
        }
        let sequence = self.linearised(sample, i)?;
        self.points.put(sequence.at);
        Ok(Cow::Owned(sequence.gradient))
    }

    fn slopes(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<Vec<f64>> {
        range.into_par_iter().map(|i| self.with(sample, i, |sequence| Ok(sequence.gradient.dot(v)))).collect()
    }

    fn hvps(&self, sample: &Sample<T>, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        let together = (ROUND / range.len().max(1)).max(1);
        for (v, out) in v.chunks(together).zip(out.chunks_mut(together)) {
            mean(sample, range.clone(), out, |round| {
                let lanes = self.products(sample, round, v)?;
                Ok(lanes.into_iter().map(|lane| lane.into_iter().map(Cow::Owned).collect()).collect())
            })?;
        }
        Ok(())
    }

    fn each_hvp(
        &self,
        sample: &Sample<T>,
        range: Range<usize>,
        v: &[T],
        visit: &mut dyn FnMut(usize, &Share<T>) -> Result<()>,
    ) -> Result<()> {
        for start in range.clone().step_by(ROUND) {
            let round = start..(start + ROUND).min(range.end);
            for (i, lane) in round.clone().zip(self.products(sample, round, &[v])?.into_iter().flatten()) {
                visit(i, &lane)?;
                sample.done_with(lane);
            }
        }
        Ok(())
    }

    fn sequence_hvps(
        &self,
        sample: &Sample<T>,
        i: usize,
        directions: &[&[T]],
        visit: &(dyn Fn(usize, &Share<T>) + Sync),
    ) -> Result<()> {
        let one = |sequence: &Sequence<T>, (j, v): (usize, &&[T])| {
            let lane = self.product(sample, i, sequence, v)?;
            visit(j, &lane);
            sample.done_with(lane);
            Ok(())
        };
        let each = |sequence: &Sequence<T>| directions.par_iter().enumerate().try_for_each(|task| one(sequence, task));
        self.with(sample, i, each)
    }

    fn jet(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        let (w, v) = (sample.graph.split(&sample.w), sample.graph.split(v));
        let one = |i: usize, sequence: &Sequence<T>| {
            (sample.interrupt)()?;
            let batch = &sample.batches[i];
            let mut scratch = self.scratch.take(|| sample.graph.scratch(batch));
            let jet = sample.graph.jet(batch, &w, &sequence.at, &v, &mut scratch);
            self.scratch.put(scratch);
            Ok(jet)
        };
        let jets = range
            .clone()
            .into_par_iter()
            .map(|i| self.with(sample, i, |sequence| one(i, sequence)))
            .collect::<Result<Vec<_>>>()?;
        let (slope, curvature) = jets.iter().fold((0.0, 0.0), |sum, jet| (sum.0 + jet.0, sum.1 + jet.1));
        Ok((slope / range.len() as f64, curvature / range.len() as f64))
    }
}
