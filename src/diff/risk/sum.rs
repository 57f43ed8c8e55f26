//! Means over sequences of their shares of a derivative, in f64 and in an order that no machine changes.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::Sample;
use crate::diff::share::Share;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::simd;

/// Shares of products that are held at once before they are added up: a constant, so that the order of summation does
/// not depend on the machine.
pub const ROUND: usize = 16;

/// Elements added up by one task.
const CHUNK: usize = 1 << 11;

/// Each row of `out` receives the mean over the sequences of `range` of the shares that `lanes` gives for a round of
/// them, one row of shares for each row of `out`.
pub(super) fn mean<'a, T: Real>(
    sample: &Sample<T>,
    range: Range<usize>,
    out: &mut [&mut [T]],
    lanes: impl Fn(Range<usize>) -> Result<Vec<Vec<Cow<'a, Share<T>>>>>,
) -> Result<()> {
    let scale = 1.0 / range.len() as f64;
    let begun = || if range.len() <= ROUND { Sum::Whole } else { Sum::Begun(vec![0.0; sample.parameters()]) };
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
                    sample.done_with(lane);
                }
            }
        }
    }
    Ok(())
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
