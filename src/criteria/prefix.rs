//! Increments of a running mean of vectors: the b and A v of every m ≤ n from one pass over the sequences.

use std::collections::VecDeque;

use rayon::prelude::*;

use crate::diff::share::Share;
use crate::math::array::Real;
use crate::math::simd::sum;

/// Vectors x_1, x_2, … taken one by one. After m of them the next one gives the increment of the mean,
/// (x_{m+1} − mean_{i≤m} x_i)/(m+1), whose squared norm is returned.
pub struct Prefix {
    sums: Vec<f64>,
    count: usize,
}

/// Elements taken by one task.
const TASK: usize = 1 << 14;

impl Prefix {
    /// Nothing taken; vectors have `dim` elements.
    pub fn new(dim: usize) -> Prefix {
        Prefix { sums: vec![0.0; dim], count: 0 }
    }

    /// Take the next vector; the squared norm of the increment it brings, `None` for the first.
    pub fn push<T: Real>(&mut self, vector: &Share<T>) -> Option<f64> {
        let (inverse, first) = (1.0 / self.count.max(1) as f64, self.count == 0);
        let task = |(task, sums): (usize, &mut [f64])| {
            let (start, mut square) = (task * TASK, 0.0);
            vector.visit(start..start + sums.len(), |range, piece| {
                let sums = &mut sums[range.start - start..range.end - start];
                square += match piece {
                    Some(x) => take(inverse, x, sums),
                    None => inverse * inverse * sum([&*sums], |[s]| s * s),
                };
            });
            square
        };
        let squares: Vec<f64> = self.sums.par_chunks_mut(TASK).enumerate().map(task).collect();
        self.count += 1;
        (!first).then(|| squares.iter().sum::<f64>() / (self.count as f64).powi(2))
    }

    /// The squared norm of the increment that a vector would bring, without taking it. There must be a mean.
    fn brought<T: Real>(&self, vector: &Share<T>) -> f64 {
        let inverse = 1.0 / self.count as f64;
        let task = |(task, sums): (usize, &[f64])| {
            let (start, mut square) = (task * TASK, 0.0);
            vector.visit(start..start + sums.len(), |range, piece| {
                let sums = &sums[range.start - start..range.end - start];
                square += match piece {
                    Some(x) => distance(inverse, x, sums),
                    None => inverse * inverse * sum([sums], |[s]| s * s),
                };
            });
            square
        };
        let squares: Vec<f64> = self.sums.par_chunks(TASK).enumerate().map(task).collect();
        squares.iter().sum::<f64>() / (self.count as f64 + 1.0).powi(2)
    }
}

/// The same with `width` vectors in view beyond those taken, each of which could be the next.
pub struct Ahead<T> {
    prefix: Prefix,
    view: VecDeque<Share<T>>,
    width: usize,
}

impl<T: Real> Ahead<T> {
    /// Nothing taken and nothing in view; vectors have `dim` elements.
    pub fn new(dim: usize, width: usize) -> Ahead<T> {
        Ahead { prefix: Prefix::new(dim), view: VecDeque::with_capacity(width), width }
    }

    /// Bring the next vector into view, taking the first there if the view was full. How many are taken, once the view
    /// is full.
    pub fn push(&mut self, vector: Share<T>) -> Option<usize> {
        if self.view.len() == self.width {
            self.view.pop_front().and_then(|first| self.prefix.push(&first));
        }
        self.view.push_back(vector);
        (self.view.len() == self.width).then_some(self.prefix.count)
    }

    /// The squared norms of the increments that each vector in view would bring to those taken, of which there must be
    /// one.
    pub fn increments(&self) -> Vec<f64> {
        self.view.iter().map(|vector| self.prefix.brought(vector)).collect()
    }
}

/// Elements whose squares are held at once.
const CHUNK: usize = 256;

crate::kernel! {
    /// sums += x; returns ‖x − inverse · sums‖² with the sums as they were.
    fn take[T](inverse: f64, x: &'a [T], sums: &'a mut [f64]) -> f64 {
        let mut square = 0.0;
        for (sums, x) in sums.chunks_mut(CHUNK).zip(x.chunks(CHUNK)) {
            let mut differences = [0.0; CHUNK];
            for ((difference, so_far), x) in differences.iter_mut().zip(sums).zip(x) {
                *difference = x.wide() - *so_far * inverse;
                *so_far += x.wide();
            }
            square += sum([&differences], |[d]| d * d);
        }
        square
    }

    /// ‖x − inverse · sums‖².
    fn distance[T](inverse: f64, x: &'a [T], sums: &'a [f64]) -> f64 {
        let mut square = 0.0;
        for (sums, x) in sums.chunks(CHUNK).zip(x.chunks(CHUNK)) {
            let mut differences = [0.0; CHUNK];
            for ((difference, so_far), x) in differences.iter_mut().zip(sums).zip(x) {
                *difference = x.wide() - *so_far * inverse;
            }
            square += sum([&differences], |[d]| d * d);
        }
        square
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diff::primitive::{Batch, Extent};
    use crate::diff::share::Footprint;
    use crate::math::flat::Layout;

    #[test]
    fn norms_of_increments_follow_from_the_definition() {
        // A table of five rows of one element, and a whole vector of two.
        let mut layout = Layout::default();
        layout.push("table", &[5, 1]);
        layout.push("whole", &[2]);
        let share = |tokens: &[u32], data: &[f64]| {
            let batch = Batch::new(tokens.to_vec(), vec![0; tokens.len()], tokens.len());
            let footprint = Footprint::new(&layout, &[Extent::Touched, Extent::Whole], &batch);
            Share::over(Arc::new(footprint), data.to_vec())
        };
        let shares =
            [share(&[0, 3], &[1.0, 2.0, -1.0, 0.5]), share(&[3], &[0.5, 0.0, 3.0]), share(&[4], &[2.0, -2.0, 1.0])];
        let xs: Vec<Vec<f64>> = shares.iter().map(Share::to_flat).collect();
        let mut prefix = Prefix::new(7);
        let got: Vec<_> = shares.iter().map(|x| prefix.push(x)).collect();
        assert_eq!(got[0], None);
        for (m, got) in got.iter().enumerate().skip(1) {
            let mean = |count: usize, i: usize| xs[..count].iter().map(|x| x[i]).sum::<f64>() / count as f64;
            let square: f64 = (0..7).map(|i| (mean(m + 1, i) - mean(m, i)).powi(2)).sum();
            assert!((got.unwrap() - square).abs() < 1e-14);
        }
        // Two in view after the first: what each of them would bring.
        let mut ahead = Ahead::new(7, 2);
        let taken: Vec<_> = shares.iter().map(|x| ahead.push(x.clone())).collect();
        assert_eq!(taken, [None, Some(0), Some(1)]);
        for (got, next) in ahead.increments().iter().zip(&xs[1..]) {
            let square: f64 = next.iter().zip(&xs[0]).map(|(x, mean)| ((x - mean) / 2.0).powi(2)).sum();
            assert!((got - square).abs() < 1e-14);
        }
    }
}
