//! The quadratic model of the increment on a subspace, q(Uz) = a + cᵀz + ½ zᵀBz, and its closed-form moments.

use serde::{Deserialize, Serialize};

/// a, c and B on a basis of dimension k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coefficients {
    /// a = Δ_n(w*), nats.
    pub a: f64,
    /// c = Uᵀ b, nats per parameter unit.
    pub c: Vec<f64>,
    /// B = Uᵀ A U, row-major k × k, nats per squared parameter unit.
    pub b: Vec<f64>,
}

/// Moments of q under a Gaussian probe: J = mean² + variance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// E q = a + ½ σ² Tr B, nats.
    pub mean: f64,
    /// Gradient part of the variance, σ²‖c‖², nats².
    pub gradient: f64,
    /// Curvature part of the variance, ½ σ⁴ ‖B‖_F², nats².
    pub curvature: f64,
}

impl Moments {
    /// The Gaussian moment (GM) closed form of E q² for given invariants:
    /// J = (a + ½σ² Tr B)² + σ²‖c‖² + ½σ⁴‖B‖_F², which equals
    /// a² + aσ² Tr B + σ²‖c‖² + (σ⁴/4)(2 Tr(B²) + (Tr B)²).
    pub fn of(a: f64, c_norm2: f64, trace: f64, frob2: f64, sigma: f64) -> Moments {
        let s2 = sigma * sigma;
        Moments { mean: a + 0.5 * s2 * trace, gradient: s2 * c_norm2, curvature: 0.5 * s2 * s2 * frob2 }
    }

    /// The same on the first `k` columns of a basis, from c and row-major B on all of it.
    pub fn on(a: f64, c: &[f64], b: &[f64], k: usize, sigma: f64) -> Moments {
        Moments::of(a, square(&c[..k]), trace(b, c.len(), k), frob2(b, c.len(), k), sigma)
    }

    /// Var q, nats².
    pub fn variance(&self) -> f64 {
        self.gradient + self.curvature
    }

    /// J = E q², nats².
    pub fn j(&self) -> f64 {
        self.mean * self.mean + self.variance()
    }
}

/// ‖x‖².
fn square(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

/// The trace of the leading k × k part of a row-major matrix of `dim` columns.
fn trace(b: &[f64], dim: usize, k: usize) -> f64 {
    (0..k).map(|i| b[i * dim + i]).sum()
}

/// Its squared Frobenius norm.
fn frob2(b: &[f64], dim: usize, k: usize) -> f64 {
    (0..k).flat_map(|i| &b[i * dim..i * dim + k]).map(|b| b * b).sum()
}

impl Coefficients {
    /// Dimension of the whole basis.
    pub fn k(&self) -> usize {
        self.c.len()
    }

    /// ‖c‖² on the first `k` columns.
    pub fn c_norm2(&self, k: usize) -> f64 {
        square(&self.c[..k])
    }

    /// Tr B on the first `k` columns.
    pub fn trace(&self, k: usize) -> f64 {
        trace(&self.b, self.k(), k)
    }

    /// ‖B‖_F² on the first `k` columns.
    pub fn frob2(&self, k: usize) -> f64 {
        frob2(&self.b, self.k(), k)
    }

    /// Moments of q on the first `k` columns: the GM estimator of J_sub(k, σ).
    pub fn moments(&self, k: usize, sigma: f64) -> Moments {
        Moments::on(self.a, &self.c, &self.b, k, sigma)
    }

    /// q(σ U_k z) for standard normals `z`; dimension k is `z.len()`.
    pub fn value(&self, sigma: f64, z: &[f64]) -> f64 {
        let (linear, quadratic) = self.parts(z);
        self.a + sigma * linear + 0.5 * sigma * sigma * quadratic
    }

    /// (cᵀz, zᵀBz) on the first `z.len()` columns.
    pub fn parts(&self, z: &[f64]) -> (f64, f64) {
        let linear = self.c.iter().zip(z).map(|(c, z)| c * z).sum();
        let quadratic = z
            .iter()
            .enumerate()
            .map(|(i, zi)| zi * self.b[i * self.k()..].iter().zip(z).map(|(b, zj)| b * zj).sum::<f64>())
            .sum();
        (linear, quadratic)
    }

    /// The model on some of the columns, in the order given.
    pub fn select(&self, columns: &[usize]) -> Coefficients {
        let c = columns.iter().map(|i| self.c[*i]).collect();
        let b = columns.iter().flat_map(|i| columns.iter().map(move |j| self.b[i * self.k() + j])).collect();
        Coefficients { a: self.a, c, b }
    }

    /// The diagonal of B on the first `k` columns: the eigenvalue increments μ_j, if the eigenbasis is shared.
    pub fn diagonal(&self, k: usize) -> Vec<f64> {
        (0..k).map(|i| self.b[i * self.k() + i]).collect()
    }

    /// The pure quadratic signal of the first `k` columns, E(½ σ² zᵀBz)² = (σ⁴/4)(2‖B‖_F² + (Tr B)²), nats²: what is left
    /// of J where a = 0 and c = 0 (the paper's Proposition 3).
    pub fn signal(&self, k: usize, sigma: f64) -> f64 {
        Moments::of(0.0, 0.0, self.trace(k), self.frob2(k), sigma).j()
    }

    /// The same from the diagonal of B alone, (σ⁴/4)(2Σμ_j² + (Σμ_j)²), which is all of it where the eigenbasis is shared
    /// (the paper's Corollary 4).
    pub fn diagonal_signal(&self, k: usize, sigma: f64) -> f64 {
        Moments::of(0.0, 0.0, self.trace(k), square(&self.diagonal(k)), sigma).j()
    }

    /// Share of ‖B‖_F² off the diagonal: 0 when the eigenbasis is shared (the paper's Corollary 4).
    pub fn off_diagonal(&self, k: usize) -> f64 {
        let all = self.frob2(k);
        if all > 0.0 { 1.0 - square(&self.diagonal(k)) / all } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stats::Estimate;
    use crate::math::stream::{Purpose, Stream};

    fn example() -> Coefficients {
        Coefficients { a: 0.3, c: vec![0.5, -1.0, 0.25], b: vec![2.0, 0.5, 0.0, 0.5, -1.0, 0.3, 0.0, 0.3, 0.7] }
    }

    #[test]
    fn both_forms_of_the_closed_form_agree() {
        let (q, s) = (example(), 0.7f64);
        for k in 1..=3 {
            let (c, t, f) = (q.c_norm2(k), q.trace(k), q.frob2(k));
            let paper = q.a * q.a + q.a * s * s * t + s * s * c + s.powi(4) / 4.0 * (2.0 * f + t * t);
            assert!((q.moments(k, s).j() - paper).abs() < 1e-14);
        }
    }

    #[test]
    fn the_closed_form_is_the_mean_of_the_square() {
        let (q, s) = (example(), 0.6);
        let draws = (0..40_000).map(|i| q.value(s, &Stream::new(1, Purpose::Subspace, i).normals(3)).powi(2));
        let e = Estimate::of(draws).unwrap();
        assert!((e.mean - q.moments(3, s).j()).abs() < 4.0 * e.stderr, "{e:?} {}", q.moments(3, s).j());
    }

    #[test]
    fn a_selection_is_the_model_on_those_columns() {
        let (q, s) = (example(), 0.8f64);
        let chosen = q.select(&[2, 0]);
        assert!((chosen.value(s, &[0.3, -1.1]) - q.value(s, &[-1.1, 0.0, 0.3])).abs() < 1e-15);
        // σ⁴/4 (2(0.7² + 2² + 0) + 2.7²)
        assert!((chosen.signal(2, s) - s.powi(4) / 4.0 * (2.0 * 4.49 + 7.29)).abs() < 1e-14);
        // Without the entries off the diagonal: μ = 2, −1.
        assert_eq!(q.diagonal(2), [2.0, -1.0]);
        assert!((q.diagonal_signal(2, s) - s.powi(4) / 4.0 * (2.0 * 5.0 + 1.0)).abs() < 1e-14);
    }

    #[test]
    fn off_diagonal_share() {
        assert_eq!(example().off_diagonal(1), 0.0);
        assert!((example().off_diagonal(2) - 0.5 / 5.5).abs() < 1e-15);
    }
}
