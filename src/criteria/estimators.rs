//! Monte Carlo estimators of J from antithetic pairs of draws, with and without a control variate.

use crate::math::stats::Estimate;

/// One antithetic pair: the increment at w* ± δ and the value of its control variate there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Δ_n(w* + δ).
    pub plus: f64,
    /// Δ_n(w* − δ).
    pub minus: f64,
    /// The control q(δ).
    pub control_plus: f64,
    /// The control q(−δ).
    pub control_minus: f64,
}

impl Pair {
    /// Pair mean of Δ².
    fn square(&self) -> f64 {
        0.5 * (self.plus * self.plus + self.minus * self.minus)
    }

    /// Pair mean of q².
    fn control(&self) -> f64 {
        0.5 * (self.control_plus * self.control_plus + self.control_minus * self.control_minus)
    }

    /// Pair mean of Δ² − q², as (Δ − q)(Δ + q) so that nothing cancels.
    fn excess(&self) -> f64 {
        0.5 * ((self.plus - self.control_plus) * (self.plus + self.control_plus)
            + (self.minus - self.control_minus) * (self.minus + self.control_minus))
    }
}

/// Direct Monte Carlo: the mean of Δ². One draw is one pair.
pub fn direct(pairs: &[Pair]) -> Option<Estimate> {
    Estimate::of(pairs.iter().map(Pair::square))
}

/// Quadratic Monte Carlo: the mean of q² over the same draws.
pub fn quadratic(pairs: &[Pair]) -> Option<Estimate> {
    Estimate::of(pairs.iter().map(Pair::control))
}

/// Control variate: `J = E[q²] + E[Δ² − q²]` with `E[q²] = exact` known in closed form. Unbiased for the true criterion,
/// and the second term alone estimates the bias of the closed form.
pub fn with_control(pairs: &[Pair], exact: f64) -> Option<Estimate> {
    Estimate::of(pairs.iter().map(|p| exact + p.excess()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::quadratic::Coefficients;
    use crate::math::stream::{Purpose, Stream};

    /// An increment with a small cubic term, so that q is its quadratic model and E Δ² is known in closed form.
    fn pairs(sigma: f64, cubic: f64) -> (Vec<Pair>, f64, f64) {
        let q = Coefficients { a: 0.2, c: vec![0.7], b: vec![0.4] };
        let truth = |z: f64| q.value(sigma, &[z]) + cubic * (sigma * z).powi(3);
        let pairs = (0..400)
            .map(|i| {
                let z = Stream::new(0, Purpose::Subspace, i).normal();
                let (p, m) = (q.value(sigma, &[z]), q.value(sigma, &[-z]));
                Pair { plus: truth(z), minus: truth(-z), control_plus: p, control_minus: m }
            })
            .collect();
        // E[(q + t z³)²] = E q² + 2 t c σ E z⁴ + t² E z⁶, with t = cubic σ³, E z⁴ = 3, E z⁶ = 15.
        let t = cubic * sigma.powi(3);
        let gm = q.moments(1, sigma).j();
        (pairs, gm, gm + 2.0 * t * 0.7 * sigma * 3.0 + 15.0 * t * t)
    }

    #[test]
    fn every_estimator_finds_its_target() {
        let (pairs, gm, truth) = pairs(0.3, 0.5);
        let within = |e: Estimate, target: f64| (e.mean - target).abs() < 4.0 * e.stderr;
        assert!(within(direct(&pairs).unwrap(), truth));
        assert!(within(quadratic(&pairs).unwrap(), gm));
        assert!(within(with_control(&pairs, gm).unwrap(), truth));
    }

    #[test]
    fn the_control_variate_removes_nearly_all_variance_at_small_sigma() {
        let (pairs, gm, _) = pairs(1e-2, 0.5);
        let plain = direct(&pairs).unwrap().stderr;
        let controlled = with_control(&pairs, gm).unwrap().stderr;
        assert!(controlled < 1e-2 * plain, "{controlled} {plain}");
        assert!(direct(&[]).is_none());
    }
}
