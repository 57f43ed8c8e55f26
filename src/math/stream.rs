//! Seeded random streams. Every random number in eigentop comes from a named stream of one seed, so a session can be
//! repeated digit for digit whatever the thread count, and extending a draw never changes the draws before it.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// What a stream of random numbers is for. The discriminants are part of the session format: never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Standard normals z of the subspace draws.
    Subspace = 1,
    /// Standard normals ε of the full-space draws.
    Full = 2,
    /// Rademacher probes of the trace estimators.
    Trace = 3,
    /// Perturbations of the proxy-validity curve.
    Proxy = 4,
    /// Start vectors of the eigensolvers.
    Solver = 5,
    /// Random probing laws.
    Law = 6,
    /// Initial weights and the order of batches in training.
    Training = 7,
    /// Unit-sphere directions of the paper's J_1.
    Sphere = 8,
    /// Choice of rows in the paper's method.
    Rows = 9,
    /// What differs between the two points of a pick-freeze pair.
    PickFreeze = 10,
    /// Test vectors of the trace estimator that sketches.
    Sketch = 11,
    /// Probes of the spectral density.
    Density = 12,
}

/// A stream of random numbers, fixed by seed, purpose and index.
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of `seed` for `purpose`, number `index` (below 2⁴⁸).
    pub fn new(seed: u64, purpose: Purpose, index: u64) -> Stream {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(((purpose as u64) << 48) | index);
        Stream(rng)
    }

    /// The next standard normal.
    pub fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    /// The next `len` standard normals.
    pub fn normals(&mut self, len: usize) -> Vec<f64> {
        (0..len).map(|_| self.normal()).collect()
    }

    /// The next `len` signs, each ±1 with equal chance (Rademacher).
    pub fn signs(&mut self, len: usize) -> Vec<f64> {
        let mut bits = 0u64;
        (0..len)
            .map(|i| {
                if i % 64 == 0 {
                    bits = self.0.next_u64();
                }
                let sign = if bits & 1 == 1 { 1.0 } else { -1.0 };
                bits >>= 1;
                sign
            })
            .collect()
    }

    /// A uniform integer below `bound` (Lemire's multiply-shift with rejection); `bound` must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = bound as u64;
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(bound);
            if (wide as u64) >= bound.wrapping_neg() % bound {
                return (wide >> 64) as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_fixed_by_seed_purpose_and_index_and_extend() {
        let draw = |seed, purpose, index, len| Stream::new(seed, purpose, index).normals(len);
        let long = draw(0, Purpose::Subspace, 3, 10);
        assert_eq!(long[..4], draw(0, Purpose::Subspace, 3, 4));
        assert_ne!(long[..4], draw(1, Purpose::Subspace, 3, 4));
        assert_ne!(long[..4], draw(0, Purpose::Full, 3, 4));
        assert_ne!(long[..4], draw(0, Purpose::Subspace, 4, 4));
    }

    #[test]
    fn moments_are_those_of_the_law() {
        let z = Stream::new(7, Purpose::Full, 0).normals(20_000);
        let mean = z.iter().sum::<f64>() / z.len() as f64;
        let var = z.iter().map(|x| x * x).sum::<f64>() / z.len() as f64;
        assert!(mean.abs() < 0.03 && (var - 1.0).abs() < 0.05, "{mean} {var}");
        let s = Stream::new(7, Purpose::Trace, 0).signs(20_000);
        assert!(s.iter().all(|x| x.abs() == 1.0) && s.iter().sum::<f64>().abs() < 600.0);
        let mut stream = Stream::new(7, Purpose::Rows, 0);
        assert!((0..1000).all(|_| stream.below(7) < 7));
    }
}
