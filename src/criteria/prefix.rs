//! Increments of a running mean of vectors: the b and A v of every m ≤ n from one pass over the sequences.

use rayon::prelude::*;

use crate::math::array::Real;
use crate::math::simd::vectorised;

/// Vectors x_1, x_2, … taken one by one. After m of them the next one gives the increment of the mean,
/// (x_{m+1} − mean_{i≤m} x_i)/(m+1), whose squared norm is returned.
pub struct Prefix {
    sums: Vec<Vec<f64>>,
    count: usize,
}

impl Prefix {
    /// Nothing taken; vectors arrive cut into parts of these lengths.
    pub fn new(parts: impl IntoIterator<Item = usize>) -> Prefix {
        Prefix { sums: parts.into_iter().map(|len| vec![0.0; len]).collect(), count: 0 }
    }

    /// Take the next vector; the squared norm of the increment it brings, `None` for the first.
    pub fn push<T: Real>(&mut self, vector: &[Vec<T>]) -> Option<f64> {
        let (inverse, first) = (1.0 / self.count.max(1) as f64, self.count == 0);
        let squares: Vec<f64> = self
            .sums
            .par_iter_mut()
            .zip(vector)
            .map(|(sums, x)| {
                vectorised(|| {
                    let mut square = 0.0;
                    for (sums, x) in sums.chunks_mut(256).zip(x.chunks(256)) {
                        let mut lanes = [0.0; 256];
                        for ((lane, sum), x) in lanes.iter_mut().zip(sums).zip(x) {
                            let difference = x.wide() - *sum * inverse;
                            *lane = difference * difference;
                            *sum += x.wide();
                        }
                        square += lanes.iter().sum::<f64>();
                    }
                    square
                })
            })
            .collect();
        self.count += 1;
        (!first).then(|| squares.iter().sum::<f64>() / (self.count as f64).powi(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_of_increments_follow_from_the_definition() {
        let xs = [[1.0, 2.0, -1.0], [0.5, 0.0, 3.0], [2.0, -2.0, 1.0]];
        let mut prefix = Prefix::new([2, 1]);
        let got: Vec<_> = xs.iter().map(|x| prefix.push(&[x[..2].to_vec(), x[2..].to_vec()])).collect();
        assert_eq!(got[0], None);
        for (m, got) in got.iter().enumerate().skip(1) {
            let mean = |count: usize, i: usize| xs[..count].iter().map(|x| x[i]).sum::<f64>() / count as f64;
            let square: f64 = (0..3).map(|i| (mean(m + 1, i) - mean(m, i)).powi(2)).sum();
            assert!((got.unwrap() - square).abs() < 1e-14);
        }
    }
}
