//! One sequence's share of a gradient or of a Hessian–vector product: only where it can be other than zero.
//!
//! A sequence reads a few hundred rows of an embedding table that may have fifty thousand. Its share of the table's
//! derivative holds those rows and no others, so that a product costs nothing for tokens that do not occur.

use std::ops::Range;
use std::sync::Arc;

use super::primitive::{Batch, Extent};
use crate::math::array::Real;
use crate::math::flat::Layout;
use crate::math::simd;

/// Where in the flat vector a sequence's derivatives can be other than zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Ranges of the flat vector, ascending and apart.
    spans: Vec<Range<usize>>,
    /// Where each span begins among the share's own elements; one more for the end.
    starts: Vec<usize>,
    /// Where each parameter begins among them; one more for the end.
    cuts: Vec<usize>,
    /// Elements of the flat vector.
    dim: usize,
}

impl Footprint {
    /// Of the sequences of `batch`, whose derivatives fill each parameter as `extents` says.
    pub fn new(layout: &Layout, extents: &[Extent], batch: &Batch) -> Footprint {
        let mut footprint = Footprint { spans: Vec::new(), starts: vec![0], cuts: vec![0], dim: layout.len() };
        for (entry, extent) in layout.entries().iter().zip(extents) {
            match extent {
                Extent::Whole => footprint.add(entry.range()),
                Extent::Touched => {
                    let width = entry.len() / entry.shape[0];
                    for &token in batch.touched() {
                        let first = entry.offset + token as usize * width;
                        footprint.add(first..first + width);
                    }
                }
            }
            footprint.cuts.push(footprint.len());
        }
        footprint
    }

    /// Elements of a share.
    pub fn len(&self) -> usize {
        self.starts[self.spans.len()]
    }

    /// Whether a share has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn add(&mut self, range: Range<usize>) {
        let end = self.len() + range.len();
        match self.spans.last_mut().filter(|last| last.end == range.start) {
            Some(last) => {
                last.end = range.end;
                self.starts.pop();
            }
            None => self.spans.push(range),
        }
        self.starts.push(end);
    }
}

/// A vector of the flat vector's dimension that is zero outside its footprint.
#[derive(Debug, Clone)]
pub struct Share<T> {
    footprint: Arc<Footprint>,
    data: Vec<T>,
}

impl<T: Real> Share<T> {
    /// A share in memory that may have served another one; its contents are arbitrary.
    pub fn over(footprint: Arc<Footprint>, mut memory: Vec<T>) -> Share<T> {
        memory.resize(footprint.len(), T::zero());
        Share { footprint, data: memory }
    }

    /// The memory, for the next share.
    pub fn into_memory(self) -> Vec<T> {
        self.data
    }

    /// The elements of each parameter, in the order of the layout, to write into.
    pub fn parameters_mut(&mut self) -> Vec<&mut [T]> {
        let mut rest = self.data.as_mut_slice();
        let lengths = self.footprint.cuts.windows(2).map(|cut| cut[1] - cut[0]);
        lengths.map(|len| rest.split_off_mut(..len).unwrap_or_default()).collect()
    }

    /// Visit the range `within` of the flat vector from left to right, in pieces that this share holds (with their
    /// elements) and gaps where it is zero.
    pub fn visit(&self, within: Range<usize>, mut see: impl FnMut(Range<usize>, Option<&[T]>)) {
        let Footprint { spans, starts, .. } = &*self.footprint;
        let mut at = within.start;
        let first = spans.partition_point(|span| span.end <= within.start);
        for (span, start) in spans[first..].iter().zip(&starts[first..]) {
            if span.start >= within.end {
                break;
            }
            if at < span.start {
                see(at..span.start, None);
                at = span.start;
            }
            let end = span.end.min(within.end);
            see(at..end, Some(&self.data[start + at - span.start..start + end - span.start]));
            at = end;
        }
        if at < within.end {
            see(at..within.end, None);
        }
    }

    /// Its product with a flat vector.
    pub fn dot(&self, flat: &[T]) -> f64 {
        let spans = self.footprint.spans.iter().zip(&self.footprint.starts);
        spans.map(|(span, &start)| simd::dot(&self.data[start..start + span.len()], &flat[span.clone()])).sum()
    }

    /// ‖x − flat‖².
    pub fn square_distance(&self, flat: &[T]) -> f64 {
        let mut total = 0.0;
        self.visit(0..self.footprint.dim, |range, piece| {
            let there = &flat[range];
            total += piece.map_or_else(|| simd::dot(there, there), |piece| simd::square_distance(piece, there));
        });
        total
    }

    /// Take the elements of a flat vector that this share holds.
    pub fn fill_from(&mut self, flat: &[T]) {
        for (span, &start) in self.footprint.spans.iter().zip(&self.footprint.starts) {
            self.data[start..start + span.len()].copy_from_slice(&flat[span.clone()]);
        }
    }

    /// As a flat vector.
    pub fn to_flat(&self) -> Vec<T> {
        let mut flat = vec![T::zero(); self.footprint.dim];
        for (span, &start) in self.footprint.spans.iter().zip(&self.footprint.starts) {
            flat[span.clone()].copy_from_slice(&self.data[start..start + span.len()]);
        }
        flat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parameters: a whole vector of 2, a table of 5 rows of 2 of which tokens 0, 3 and 4 occur, a whole vector of 1.
    fn share() -> Share<f64> {
        let mut layout = Layout::default();
        layout.push("a", &[2]);
        layout.push("table", &[5, 2]);
        layout.push("b", &[1]);
        let batch = Batch::new(vec![3, 0, 4, 3], vec![0; 4], 4);
        let extents = [Extent::Whole, Extent::Touched, Extent::Whole];
        let footprint = Arc::new(Footprint::new(&layout, &extents, &batch));
        Share::over(footprint, (1..=9).map(f64::from).collect())
    }

    #[test]
    fn a_share_is_a_flat_vector_with_gaps() {
        let mut share = share();
        let flat = share.to_flat();
        assert_eq!(flat, [1.0, 2.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        let lengths: Vec<usize> = share.parameters_mut().iter().map(|p| p.len()).collect();
        assert_eq!(lengths, [2, 6, 1]);
        let ones = [1.0; 13];
        assert_eq!(share.dot(&ones), 45.0);
        assert_eq!(share.square_distance(&ones), flat.iter().map(|x| (x - 1.0f64).powi(2)).sum::<f64>());
    }

    #[test]
    fn any_range_is_visited_from_left_to_right_without_holes() {
        let share = share();
        let flat = share.to_flat();
        for start in 0..13 {
            for end in start..=13 {
                let mut seen = Vec::new();
                share.visit(start..end, |range, piece| {
                    assert_eq!(range.start, start + seen.len());
                    seen.extend(piece.map_or(vec![0.0; range.len()], <[f64]>::to_vec));
                });
                assert_eq!(seen, flat[start..end]);
            }
        }
    }
}
