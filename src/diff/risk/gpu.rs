//! The sweeps on a GPU. The tape there adds over sequences itself; what it hands out is flat, and cut to a sequence's
//! share here.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::device::DeviceSweeps;
use super::{Sample, Sweeps};
use crate::diff::cuda::{DeviceSpace, DeviceVector, Tape};
use crate::diff::product::Products;
use crate::diff::share::Share;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::space::Room;

/// Put the sample on GPU number `ordinal`, with memory left for a solve.
///
/// # Errors
/// Those of [`Tape::new`].
pub(super) fn open<T: Real>(
    ordinal: usize,
    sample: &Sample<T>,
    products: Products,
    solve: Room,
) -> Result<Box<dyn Sweeps<T>>> {
    let tape = Tape::new((ordinal, products), &sample.graph, &sample.batches, &sample.w, solve)?;
    Ok(Box::new(Gpu { tape, ordinal, products, solve, keep: sample.batches.len() }))
}

/// A GPU with the sample's tape.
struct Gpu<T> {
    tape: Tape<T>,
    ordinal: usize,
    products: Products,
    /// What the tape left room for, as far as that went.
    solve: Room,
    /// What was asked for: the device's own memory decides.
    keep: usize,
}

impl<T: Real> Gpu<T> {
    /// H v of one range for one direction; returns gᵀv.
    fn product(&self, sample: &Sample<T>, range: Range<usize>, v: &[T], out: &mut [T]) -> Result<f64> {
        (sample.interrupt)()?;
        Ok(self.tape.hvps(&sample.graph, range, &[v], &mut [out])?[0])
    }
}

/// Sequence i's share of a flat vector.
fn cut<T: Real>(sample: &Sample<T>, i: usize, flat: &[T]) -> Share<T> {
    let mut share = sample.share(i);
    share.fill_from(flat);
    share
}

impl<T: Real> Sweeps<T> for Gpu<T> {
    fn keep(&mut self, sequences: usize) {
        self.keep = sequences;
    }

    fn kept(&self) -> usize {
        self.keep
    }

    fn moved(&mut self, sample: &Sample<T>) -> Result<()> {
        self.tape.move_to(&sample.w)
    }

    /// Linearisations lie in the device's memory.
    fn linearised_bytes(&self, _: &Sample<T>, _: Range<usize>) -> u64 {
        0
    }

    fn linearise(&mut self, sample: &Sample<T>, range: Range<usize>) -> Result<Vec<f64>> {
        (sample.interrupt)()?;
        self.tape.linearise(&sample.graph, range)
    }

    fn losses(&self, sample: &Sample<T>, points: &[&[T]], range: Range<usize>) -> Result<Vec<Vec<f64>>> {
        let at =
            |point: &&[T]| (sample.interrupt)().and_then(|()| self.tape.losses(&sample.graph, point, range.clone()));
        points.iter().map(at).collect()
    }

    fn gradient(&self, sample: &Sample<T>, range: Range<usize>, out: &mut [T]) -> Result<()> {
        (sample.interrupt)()?;
        self.tape.gradient(&sample.graph, range, out)
    }

    fn sequence_gradient<'a>(&'a self, sample: &Sample<T>, i: usize) -> Result<Cow<'a, Share<T>>> {
        let mut flat = vec![T::zero(); sample.parameters()];
        self.gradient(sample, i..i + 1, &mut flat)?;
        Ok(Cow::Owned(cut(sample, i, &flat)))
    }

    fn slopes(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<Vec<f64>> {
        (sample.interrupt)()?;
        self.tape.slopes(&sample.graph, range, v)
    }

    fn hvps(&self, sample: &Sample<T>, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        let together = self.tape.together(&range)?;
        v.chunks(together).zip(out.chunks_mut(together)).try_for_each(|(v, out)| {
            (sample.interrupt)()?;
            self.tape.hvps(&sample.graph, range.clone(), v, out).map(drop)
        })
    }

    fn each_hvp(
        &self,
        sample: &Sample<T>,
        range: Range<usize>,
        v: &[T],
        visit: &mut dyn FnMut(usize, &Share<T>) -> Result<()>,
    ) -> Result<()> {
        let mut flat = vec![T::zero(); sample.parameters()];
        for i in range {
            self.product(sample, i..i + 1, v, &mut flat)?;
            let lane = cut(sample, i, &flat);
            visit(i, &lane)?;
            sample.done_with(lane);
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
        let together = self.tape.together(&(i..i + 1))?.min(directions.len().max(1));
        let mut flats = vec![T::zero(); together * sample.parameters()];
        for (block, v) in directions.chunks(together).enumerate() {
            let mut out: Vec<&mut [T]> = flats.chunks_exact_mut(sample.parameters()).take(v.len()).collect();
            self.hvps(sample, i..i + 1, v, &mut out)?;
            out.into_par_iter().enumerate().for_each(|(j, flat)| {
                let lane = cut(sample, i, flat);
                visit(block * together + j, &lane);
                sample.done_with(lane);
            });
        }
        Ok(())
    }

    fn lacks(&self, solve: Room) -> Option<(usize, Products, Room)> {
        let most = Room { columns: solve.columns.max(self.solve.columns), beside: solve.beside.max(self.solve.beside) };
        (most != self.solve).then_some((self.ordinal, self.products, most))
    }

    fn on_device(&self) -> Option<&dyn DeviceSweeps<T>> {
        Some(self)
    }

    fn jet(&self, sample: &Sample<T>, range: Range<usize>, v: &[T]) -> Result<(f64, f64)> {
        (sample.interrupt)()?;
        self.tape.jet(&sample.graph, range, v)
    }
}

impl<T: Real> DeviceSweeps<T> for Gpu<T> {
    fn space(&self) -> Result<DeviceSpace<T>> {
        self.tape.space()
    }

    fn fitting(&self, room: Room) -> Result<Option<usize>> {
        self.tape.fitting(room)
    }

    fn products(
        &self,
        sample: &Sample<T>,
        range: Range<usize>,
        v: &[&DeviceVector<T>],
        out: &mut [&mut DeviceVector<T>],
    ) -> Result<()> {
        (sample.interrupt)()?;
        let v: Vec<_> = v.iter().map(|v| v.at()).collect();
        let out: Vec<_> = out.iter().map(|out| out.at()).collect();
        self.tape.products(&sample.graph, range, &v, &out)?;
        Ok(())
    }
}
