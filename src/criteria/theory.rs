//! Theorem 2 of the paper: a bound on J_sub(k, σ) that falls with 1/(n+1)².
//!
//! (x + y + z)² ≤ 3(x² + y² + z²) on a, cᵀz and ½zᵀBz, each bounded by what one sequence can bring:
//! J_sub ≤ (12 M_ℓ² + 3σ² M_g² + 3σ⁴(k² + 2k) M_H²)/(n+1)².

/// Residual, as a share of ‖H_i‖₂, to which that norm is sought: the residual is added to the norm, so this is by how
/// much at most the bound is loosened.
pub const TOLERANCE: f64 = 1e-2;

/// What the bound is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    /// M_ℓ ≥ |ℓ_i(w*)| for i ≤ n + 1, nats.
    pub loss: f64,
    /// M_g ≥ ‖g_{n+1} − g^(n)‖, nats per parameter unit. At a minimiser of L_n that is ‖g_{n+1}‖.
    pub gradient: f64,
    /// M_H ≥ ‖H_i‖₂ for i ≤ n + 1, nats per squared parameter unit.
    pub curvature: f64,
}

/// The bound with its three parts, nats².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// The constants.
    pub constants: Constants,
    /// 12 M_ℓ²/(n+1)².
    pub loss: f64,
    /// 3σ² M_g²/(n+1)².
    pub gradient: f64,
    /// 3σ⁴(k² + 2k) M_H²/(n+1)².
    pub curvature: f64,
}

impl Constants {
    /// The bound on J_sub(k, σ) at n.
    pub fn bound(self, n: usize, k: usize, sigma: f64) -> Bound {
        let (scale, s2, k) = (((n + 1) as f64).powi(-2), sigma * sigma, k as f64);
        Bound {
            constants: self,
            loss: 12.0 * self.loss * self.loss * scale,
            gradient: 3.0 * s2 * self.gradient * self.gradient * scale,
            curvature: 3.0 * s2 * s2 * (k * k + 2.0 * k) * self.curvature * self.curvature * scale,
        }
    }
}

impl Bound {
    /// The whole bound, nats².
    pub fn value(&self) -> f64 {
        self.loss + self.gradient + self.curvature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::increment::increment;
    use crate::criteria::quadratic::Coefficients;
    use crate::math::stream::{Purpose, Stream};

    #[test]
    fn the_bound_is_the_papers() {
        let bound = Constants { loss: 2.0, gradient: 0.5, curvature: 3.0 }.bound(4, 2, 0.1);
        let by_hand = (12.0 * 4.0 + 3.0 * 0.01 * 0.25 + 3.0 * 1e-4 * 8.0 * 9.0) / 25.0;
        assert!((bound.value() - by_hand).abs() < 1e-15);
    }

    /// Random per-sequence models on one basis: the bound holds for each, whatever σ decides which part is largest.
    #[test]
    fn the_bound_holds() {
        const K: usize = 3;
        for case in 0..50 {
            let n = 1 + case % 5;
            let mut stream = Stream::new(case as u64, Purpose::Subspace, 0);
            let losses: Vec<f64> = stream.normals(n + 1).iter().map(|x| 2.0 + x).collect();
            let gradients: Vec<Vec<f64>> = (0..=n).map(|_| stream.normals(K)).collect();
            // Diagonal Hessians: their norms are plain.
            let hessians: Vec<Vec<f64>> = (0..=n).map(|_| stream.normals(K)).collect();
            let along =
                |rows: &[Vec<f64>], j: usize| increment(&rows.iter().map(|row| row[j]).collect::<Vec<_>>(), n).unwrap();
            let c: Vec<f64> = (0..K).map(|j| along(&gradients, j)).collect();
            let b = crate::math::dense::diagonal(&(0..K).map(|j| along(&hessians, j)).collect::<Vec<_>>());
            let constants = Constants {
                loss: losses.iter().fold(0.0, |m, x| x.abs().max(m)),
                gradient: (n + 1) as f64 * c.iter().map(|c| c * c).sum::<f64>().sqrt(),
                curvature: hessians.concat().iter().fold(0.0, |m, x| x.abs().max(m)),
            };
            let q = Coefficients { a: increment(&losses, n).unwrap(), c, b };
            for sigma in [1e-3, 1.0, 30.0] {
                assert!(q.moments(K, sigma).j() <= constants.bound(n, K, sigma).value(), "case {case}, σ {sigma}");
            }
        }
    }
}
