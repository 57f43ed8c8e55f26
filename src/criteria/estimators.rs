//! Monte Carlo estimators of J from antithetic pairs of draws, with and without a control variate.
//!
//! The control q is the quadratic model at w*. Under a probe as wide as σ it is not the best one: what is left of the
//! increment's odd part, t = ½(Δ(δ) − Δ(−δ)) − σcᵀz, holds third-order terms whose best linear fit is ηᵀz with
//! η = E[t z], which by Stein's lemma is how much the mean of the slope over the probe differs from the slope at w*. The
//! other draws of a sample tell η, and q + ηᵀz is a better control with a mean square that is just as well known. What a
//! small sample tells depends on its few widest draws, and so does its own account of the variance: there q alone serves.

use crate::criteria::quadratic::Coefficients;
use crate::math::simd::dot;
use crate::math::stats::Estimate;

/// One antithetic pair: the increment at w* ± δ and the value of its control variate there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<'a> {
    /// Δ_n(w* + δ).
    pub plus: f64,
    /// Δ_n(w* − δ).
    pub minus: f64,
    /// The control q(δ).
    pub control_plus: f64,
    /// The control q(−δ).
    pub control_minus: f64,
    /// The standard normals z of δ = σU_k z in a subspace; empty in the full space, where no sample tells η.
    pub z: &'a [f64],
}

/// What is known of a control variate q without drawing, for probes N(0, σ² I).
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// E q², nats².
    pub mean_square: f64,
    /// The slope of q along z, σc in nats; empty in the full space.
    pub slope: Vec<f64>,
}

impl Control {
    /// The quadratic model on the first `k` columns.
    pub fn quadratic(q: &Coefficients, k: usize, sigma: f64) -> Control {
        let slope = q.c[..k].iter().map(|c| sigma * c).collect();
        Control { mean_square: q.moments(k, sigma).j(), slope }
    }

    /// The linear model a + bᵀδ in the full space.
    pub fn linear(a: f64, b_norm2: f64, sigma: f64) -> Control {
        Control { mean_square: a * a + sigma * sigma * b_norm2, slope: Vec::new() }
    }
}

impl Pair<'_> {
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

    /// The odd part of q.
    fn odd_control(&self) -> f64 {
        0.5 * (self.control_plus - self.control_minus)
    }

    /// t, what the odd part of Δ − q leaves.
    fn odd_rest(&self) -> f64 {
        0.5 * (self.plus - self.minus) - self.odd_control()
    }
}

/// Pairs from which on η refines the control: with 64 pairs in 4 dimensions 95 % intervals of a refined estimate held the
/// truth in 89 % of samples (tests/coverage.rs), those of the bare one in 94 %.
const ENOUGH: usize = 512;

/// Sums over all pairs of a sample, from which η without any one pair follows.
struct Refinement<'a> {
    control: &'a Control,
    pairs: usize,
    /// Σ t z.
    sum: Vec<f64>,
    /// Σ t²‖z‖².
    squares: f64,
    sum_norm2: f64,
    sum_slope: f64,
}

impl<'a> Refinement<'a> {
    fn of(pairs: &[Pair], control: &'a Control) -> Refinement<'a> {
        let (mut sum, mut squares) = (vec![0.0; control.slope.len()], 0.0);
        for pair in pairs {
            let t = pair.odd_rest();
            sum.iter_mut().zip(pair.z).for_each(|(sum, z)| *sum += t * z);
            squares += t * t * dot(pair.z, pair.z);
        }
        let (sum_norm2, sum_slope) = (dot(&sum, &sum), dot(&sum, &control.slope));
        Refinement { control, pairs: pairs.len(), sum, squares, sum_norm2, sum_slope }
    }

    /// What the refined control adds to the draw E[q²] + Δ² − q² of one pair: E[(q + ηᵀz)²] − E[q²] less the pair's own
    /// (q + ηᵀz)² − q². Its mean is 0 whatever η is, for η comes from the other pairs alone: their mean of t z, shrunk
    /// toward 0 by the part of ‖η‖² that is sampling noise (James and Stein 1961, the positive part), so that few draws
    /// in many dimensions do no harm.
    fn at(&self, pair: &Pair) -> f64 {
        let others = self.pairs as f64 - 1.0;
        let (t, z2, along_sum) = (pair.odd_rest(), dot(pair.z, pair.z), dot(&self.sum, pair.z));
        let norm2 = (self.sum_norm2 - 2.0 * t * along_sum + t * t * z2) / others.powi(2);
        let noise = ((self.squares - t * t * z2) / others - norm2) / (others - 1.0);
        if norm2 <= noise.max(0.0) {
            return 0.0;
        }
        let shrink = 1.0 - noise.max(0.0) / norm2;
        let along = shrink * (along_sum - t * z2) / others;
        let slope = shrink * (self.sum_slope - t * dot(&self.control.slope, pair.z)) / others;
        2.0 * slope + shrink * shrink * norm2 - along * (2.0 * pair.odd_control() + along)
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

/// Control variate: `J = E[q²] + E[Δ² − q²]` with `E[q²]` known in closed form, and in a subspace with q refined by the
/// other draws where there are enough of them. Unbiased for the true criterion, and the second term alone estimates the
/// bias of the closed form.
pub fn with_control(pairs: &[Pair], control: &Control) -> Option<Estimate> {
    let refine = pairs.len() >= ENOUGH && pairs.iter().all(|p| !p.z.is_empty());
    let refinement = refine.then(|| Refinement::of(pairs, control));
    let refined = |p| refinement.as_ref().map_or(0.0, |r| r.at(p));
    Estimate::of(pairs.iter().map(|p| control.mean_square + p.excess() + refined(p)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::{Purpose, Stream};

    /// A sample of the increment Δ = q + t₁z₁³ + t₂z₁z₂² in three dimensions.
    struct Sample {
        q: Coefficients,
        sigma: f64,
        third: [f64; 2],
        z: Vec<Vec<f64>>,
    }

    impl Sample {
        fn new(sigma: f64, draws: u64, seed: u64) -> Sample {
            let b = vec![0.4, 0.1, 0.0, 0.1, -0.3, 0.0, 0.0, 0.0, 0.2];
            let q = Coefficients { a: 0.2, c: vec![0.7, -0.2, 0.1], b };
            let z = (0..draws).map(|i| Stream::new(seed, Purpose::Subspace, i).normals(3)).collect();
            Sample { q, sigma, third: [0.5, 0.3].map(|t| t * sigma.powi(3)), z }
        }

        fn pairs(&self) -> Vec<Pair<'_>> {
            let [t1, t2] = self.third;
            let pairs = self.z.iter().map(|z| {
                let [control_plus, control_minus] = [self.sigma, -self.sigma].map(|sigma| self.q.value(sigma, z));
                let odd = t1 * z[0].powi(3) + t2 * z[0] * z[1] * z[1];
                Pair { plus: control_plus + odd, minus: control_minus - odd, control_plus, control_minus, z }
            });
            pairs.collect()
        }

        /// The same pairs as the full space has them, with nothing to refine the control by.
        fn bare(&self) -> Vec<Pair<'_>> {
            self.pairs().into_iter().map(|pair| Pair { z: &[], ..pair }).collect()
        }

        fn control(&self) -> Control {
            Control::quadratic(&self.q, 3, self.sigma)
        }

        /// E Δ², for E z² = 1, E z⁴ = 3 and E z⁶ = 15.
        fn truth(&self) -> f64 {
            let [t1, t2] = self.third;
            let cross = 2.0 * self.sigma * self.q.c[0] * (3.0 * t1 + t2);
            self.control().mean_square + cross + 15.0 * t1 * t1 + 6.0 * t1 * t2 + 3.0 * t2 * t2
        }
    }

    #[test]
    fn every_estimator_finds_its_target() {
        let sample = Sample::new(0.3, 400, 0);
        let (pairs, control) = (sample.pairs(), sample.control());
        let within = |e: Estimate, target: f64| (e.mean - target).abs() < 4.0 * e.stderr;
        assert!(within(direct(&pairs).unwrap(), sample.truth()));
        assert!(within(quadratic(&pairs).unwrap(), control.mean_square));
        assert!(within(with_control(&pairs, &control).unwrap(), sample.truth()));
        assert!(within(with_control(&sample.bare(), &control).unwrap(), sample.truth()));
    }

    #[test]
    fn the_control_variate_removes_nearly_all_variance_at_small_sigma() {
        let sample = Sample::new(1e-2, 400, 0);
        let plain = direct(&sample.pairs()).unwrap().stderr;
        let controlled = with_control(&sample.bare(), &sample.control()).unwrap().stderr;
        assert!(controlled < 1e-2 * plain, "{controlled} {plain}");
        assert!(direct(&[]).is_none() && with_control(&[], &sample.control()).is_none());
    }

    #[test]
    fn the_other_pairs_refine_the_control() {
        let sample = Sample::new(0.5, 12, 0);
        let (pairs, control) = (sample.pairs(), sample.control());
        let refinement = Refinement::of(&pairs, &control);
        for (i, pair) in pairs.iter().enumerate() {
            // By the definitions, from the others alone.
            let others: Vec<&Pair> = pairs.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, p)| p).collect();
            let count = others.len() as f64;
            let mean = |of: &dyn Fn(&Pair) -> f64| others.iter().map(|p| of(p)).sum::<f64>() / count;
            let eta: Vec<f64> = (0..3).map(|d| mean(&|p| p.odd_rest() * p.z[d])).collect();
            let spread = mean(&|p| (0..3).map(|d| (p.odd_rest() * p.z[d] - eta[d]).powi(2)).sum());
            let shrink = (1.0 - spread / (count - 1.0) / dot(&eta, &eta)).max(0.0);
            let eta: Vec<f64> = eta.iter().map(|eta| shrink * eta).collect();
            let slope: Vec<f64> = control.slope.iter().zip(&eta).map(|(c, eta)| c + eta).collect();
            let known = dot(&slope, &slope) - dot(&control.slope, &control.slope);
            let own = dot(&slope, pair.z).powi(2) - pair.odd_control().powi(2);
            assert!((refinement.at(pair) - (known - own)).abs() < 1e-12 * known.abs().max(own.abs()), "{i}");
        }
    }

    #[test]
    fn a_refined_control_leaves_less_variance_and_knows_how_much() {
        let truth = Sample::new(0.5, 0, 0).truth();
        for (draws, most) in [(ENOUGH as u64 - 1, 1.0 + 1e-12), (ENOUGH as u64, 0.8)] {
            let samples: Vec<Sample> = (0..1000).map(|seed| Sample::new(0.5, draws, seed)).collect();
            let control = samples[0].control();
            let estimate = |pairs: &[Pair]| with_control(pairs, &control).unwrap();
            let refined: Vec<Estimate> = samples.iter().map(|s| estimate(&s.pairs())).collect();
            let means = Estimate::of(refined.iter().map(|e| e.mean)).unwrap();
            assert!((means.mean - truth).abs() < 4.0 * means.stderr, "{draws} draws: {means:?}, {truth}");
            // Variance over samples: of the estimate, as it says itself, and with the bare control.
            let variance = |e: Estimate| e.stderr.powi(2) * e.draws as f64;
            let said = Estimate::of(refined.iter().map(|e| e.stderr.powi(2))).unwrap().mean;
            let honest = variance(means) / said;
            assert!((0.75..1.33).contains(&honest), "{draws} draws: {honest} of the variance it says");
            let bare = variance(Estimate::of(samples.iter().map(|s| estimate(&s.bare()).mean)).unwrap());
            let left = variance(means) / bare;
            assert!(left < most, "{draws} draws: {left} of the variance");
        }
    }
}
