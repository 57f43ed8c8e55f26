//! Figures derived from the readout where they are drawn: nothing here is stored, so a moved σ answers within a frame.

use super::{AtN, DrawPair, Readout, Standing};
use crate::criteria::estimators::{self, Control, Pair};
use crate::criteria::increment::{increment, mean};
use crate::criteria::proxy::{self, Point, Sample};
use crate::criteria::quadratic::{Coefficients, Moments};
use crate::engine::event::{Stage, Target};
use crate::math::stats::{self, Estimate, Interval};

/// Draws from which a sample's standard error is worth showing: below, it is itself uncertain by more than a quarter.
const ENOUGH: usize = 8;

/// The estimates of J_sub(k, σ) side by side, in nats².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Subspace {
    /// Gaussian moment, closed form.
    pub gm: Moments,
    /// Direct Monte Carlo.
    pub direct: Option<Estimate>,
    /// Quadratic Monte Carlo on the same draws.
    pub quadratic: Option<Estimate>,
    /// Direct Monte Carlo with the quadratic model as control variate, its linear part refined by the draws.
    pub direct_cv: Option<Estimate>,
}

/// The estimates of J_full(σ) side by side, in nats².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Full {
    /// Direct Monte Carlo.
    pub mc: Option<Estimate>,
    /// Monte Carlo with the linear model as control variate.
    pub mc_cv: Option<Estimate>,
    /// Closed form with trace estimates.
    pub gm: Option<Interval>,
}

/// Closed-form moments of the full space with the uncertainty of the traces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FullMoments {
    /// The moments at the mean traces.
    pub moments: Moments,
    /// Tr A.
    pub trace: Estimate,
    /// ‖A‖_F².
    pub frob2: Estimate,
    /// Standard error of J.
    pub j_stderr: f64,
    /// Standard error of the mean, a + ½σ² Tr A, nats.
    pub mean_stderr: f64,
    /// Standard error of the variance part.
    pub variance_stderr: f64,
}

impl FullMoments {
    /// For an increment with a, ‖b‖², Tr A and ‖A‖_F², whose estimates have this covariance: 0 where it is not known,
    /// for over probes the two are nearly independent.
    pub(super) fn of(
        a: f64,
        b_norm2: f64,
        (trace, frob2): (Estimate, Estimate),
        covariance: f64,
        sigma: f64,
    ) -> FullMoments {
        let moments = Moments::of(a, b_norm2, trace.mean, frob2.mean, sigma);
        let s2 = sigma * sigma;
        let (mean_stderr, variance_stderr) = (0.5 * s2 * trace.stderr, 0.5 * s2 * s2 * frob2.stderr);
        // The delta method in both estimates, dJ/dTr A = σ² mean and dJ/d‖A‖² = ½σ⁴, to second order in the mean: its
        // square has an error even where the mean is 0.
        let mean2_variance = (2.0 * moments.mean * mean_stderr).powi(2) + 2.0 * mean_stderr.powi(4);
        let together = s2 * s2 * s2 * moments.mean * covariance;
        let j_stderr = (mean2_variance + variance_stderr.powi(2) + together).max(0.0).sqrt();
        FullMoments { moments, trace, frob2, j_stderr, mean_stderr, variance_stderr }
    }

    /// J = mean² + variance, nats², with a 95 % interval that never ends below the gradient part, which is exact.
    pub fn j(&self) -> Interval {
        let half = Estimate { mean: self.moments.j(), stderr: self.j_stderr, draws: self.trace.draws }.half_width();
        self.above_gradient(self.moments.j(), half)
    }

    /// Half of the 95 % interval of the mean a + ½σ² Tr A, nats.
    pub fn mean_half_width(&self) -> f64 {
        Estimate { mean: self.moments.mean, stderr: self.mean_stderr, draws: self.trace.draws }.half_width()
    }

    /// (a + ½σ² Tr A)², nats²: the square of the mean's interval.
    pub fn mean2(&self) -> Interval {
        Interval::around(self.moments.mean, self.mean_half_width()).squared()
    }

    /// σ²‖b‖² + ½σ⁴‖A‖_F², nats².
    pub fn variance(&self) -> Interval {
        self.above_gradient(self.moments.variance(), self.variance_estimate().half_width())
    }

    /// ½σ⁴‖A‖_F², nats²: what the variance has beside the gradient part.
    pub fn curvature(&self) -> Interval {
        let around = Interval::around(self.moments.curvature, self.variance_estimate().half_width());
        Interval { low: around.low.max(0.0), ..around }
    }

    /// The variance with its standard error.
    pub(super) fn variance_estimate(&self) -> Estimate {
        Estimate { mean: self.moments.variance(), stderr: self.variance_stderr, draws: self.frob2.draws }
    }

    fn above_gradient(&self, value: f64, half: f64) -> Interval {
        let around = Interval::around(value, half);
        Interval { low: around.low.max(self.moments.gradient), ..around }
    }
}

/// How much of the deformation lives in the subspace, each in [0, 1] up to sampling error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// Var_sub / Var_full.
    pub total: Interval,
    /// ‖c‖² / ‖b‖², exact.
    pub gradient: f64,
    /// ‖B‖_F² / ‖A‖_F².
    pub curvature: Interval,
}

impl Readout {
    /// How far `stage` is for the knobs in force.
    pub fn standing(&self, stage: Stage) -> Standing {
        self.stages.get(&stage).map_or(Standing::Waiting, |s| s.standing)
    }

    /// L_m(w*), nats per token.
    pub fn loss(&self, m: usize) -> Option<f64> {
        mean(&self.losses, m)
    }

    /// a = Δ_m(w*), nats.
    pub fn increment(&self, m: usize) -> Option<f64> {
        increment(&self.losses, m)
    }

    /// The n that the coefficients on the screen belong to: the knobs' n, or the former one while they are recomputed.
    pub fn shown_n(&self) -> usize {
        match &self.eigenspace {
            Some(e) if self.coefficients.contains_key(&e.n) => e.n,
            _ => self.knobs.n,
        }
    }

    /// The quadratic model on the latest basis at its own n.
    pub fn quadratic(&self) -> Option<&Coefficients> {
        self.coefficients.get(&self.shown_n())
    }

    /// Facts of the n on the screen.
    pub fn here(&self) -> Option<&AtN> {
        self.at.get(&self.shown_n())
    }

    /// The draws taken for a target at (n, σ), in order.
    pub fn draws(&self, target: Target, n: usize, sigma: f64) -> &[DrawPair] {
        self.draws.get(&(target, n, sigma.to_bits())).map_or(&[], Vec::as_slice)
    }

    /// The target of dimension k on the latest basis.
    pub fn subspace_target(&self, k: usize) -> Option<Target> {
        self.eigenspace.as_ref().map(|e| Target::Subspace { k, basis: e.basis })
    }

    /// The draws of a target as increments of Δ_m with their control variates, m ≤ n. The control belongs to m = n.
    pub fn pairs(&self, target: Target, n: usize, sigma: f64) -> Vec<Pair<'_>> {
        let a = self.increment(n).unwrap_or(0.0);
        self.draws(target, n, sigma)
            .iter()
            .filter_map(|d| {
                let even = a + 0.5 * sigma * sigma * d.quadratic;
                Some(Pair {
                    plus: increment(&d.plus, n)?,
                    minus: increment(&d.minus, n)?,
                    control_plus: even + sigma * d.linear,
                    control_minus: even - sigma * d.linear,
                    z: &d.z,
                })
            })
            .collect()
    }

    /// All estimates of J_sub(k, σ); `None` before the coefficients are known or beyond their k.
    pub fn subspace(&self, k: usize, sigma: f64) -> Option<Subspace> {
        let q = self.quadratic().filter(|q| k <= q.k())?;
        let gm = q.moments(k, sigma);
        let pairs = self.pairs(self.subspace_target(k)?, self.shown_n(), sigma);
        Some(Subspace {
            gm,
            direct: estimators::direct(&pairs),
            quadratic: estimators::quadratic(&pairs),
            direct_cv: estimators::with_control(&pairs, &Control::quadratic(q, k, sigma)),
        })
    }

    /// Tr A and ‖A‖_F² for increment m: by the estimator that knows the basis if it was asked at m, else from the probes
    /// taken at the n on the screen.
    pub fn traces(&self, m: usize) -> Option<(Estimate, Estimate)> {
        match self.exhibits.traces.get(&m) {
            Some(traces) => Some((traces.trace, traces.frob2)),
            None => self.probed_traces(m),
        }
    }

    /// The same from the plain probes alone.
    pub fn probed_traces(&self, m: usize) -> Option<(Estimate, Estimate)> {
        let probes = self.probes(m)?;
        Some((Estimate::of(probes.iter().map(|p| p.0))?, Estimate::of(probes.iter().map(|p| p.1))?))
    }

    /// vᵀA^(m)v and ‖A^(m)v‖² of every plain probe taken at the n on the screen.
    fn probes(&self, m: usize) -> Option<Vec<(f64, f64)>> {
        let place = m.checked_sub(1)?;
        let one = |p: &super::TraceProbe| Some((*p.quadratic.get(place)?, *p.square.get(place)?));
        Some(self.here()?.traces.iter().filter_map(one).collect())
    }

    /// Closed-form moments of the full space for increment m.
    pub fn full_moments(&self, m: usize, sigma: f64) -> Option<FullMoments> {
        let covariance = match self.exhibits.traces.contains_key(&m) {
            true => 0.0,
            false => self.probes(m).and_then(|probes| stats::covariance(&probes)).unwrap_or(0.0),
        };
        Some(FullMoments::of(self.increment(m)?, *self.b_norm2.get(&m)?, self.traces(m)?, covariance, sigma))
    }

    /// All estimates of J_full(σ) at the n on the screen.
    pub fn full(&self, sigma: f64) -> Full {
        let n = self.shown_n();
        let pairs = self.pairs(Target::Full, n, sigma);
        let linear = self.increment(n).zip(self.b_norm2.get(&n)).map(|(a, b)| Control::linear(a, *b, sigma));
        let gm = self.full_moments(n, sigma).map(|f| f.j());
        Full {
            mc: estimators::direct(&pairs),
            mc_cv: linear.and_then(|control| estimators::with_control(&pairs, &control)),
            gm,
        }
    }

    /// J_sub(k, σ)/J_full(σ): the true criteria by Monte Carlo with control variates once there are draws enough to
    /// know their spread, until then the closed forms.
    pub fn ratio(&self, k: usize, sigma: f64) -> Option<Interval> {
        let sub = self.subspace(k, sigma)?;
        let full = self.full(sigma);
        let drawn = |e: Option<Estimate>| e.filter(|e| e.draws >= ENOUGH);
        match (drawn(sub.direct_cv), drawn(full.mc_cv)) {
            (Some(s), Some(f)) => stats::ratio(s, f),
            _ => self.ratio_gm(self.shown_n(), k, sigma),
        }
    }

    /// The same ratio for increment m by the closed forms alone, with the uncertainty of the traces.
    pub fn ratio_gm(&self, m: usize, k: usize, sigma: f64) -> Option<Interval> {
        let sub = self.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j();
        let full = self.full_moments(m, sigma)?;
        let full = Estimate { mean: full.moments.j(), stderr: full.j_stderr, draws: full.trace.draws };
        stats::ratio(Estimate::exact(sub), full)
    }

    /// The shares of the deformation that live in the first k dimensions, by the quadratic model.
    pub fn shares(&self, m: usize, k: usize, sigma: f64) -> Option<Shares> {
        self.shares_of(self.coefficients.get(&m)?, m, k, sigma)
    }

    /// The same for the quadratic model `q` of increment m on any subspace.
    pub(super) fn shares_of(&self, q: &Coefficients, m: usize, k: usize, sigma: f64) -> Option<Shares> {
        if k > q.k() {
            return None;
        }
        let full = self.full_moments(m, sigma)?;
        Some(Shares {
            total: stats::ratio(Estimate::exact(q.moments(k, sigma).variance()), full.variance_estimate())?,
            gradient: q.c_norm2(k) / self.b_norm2.get(&m)?,
            // No curvature at all on the subspace is a share of 0, which no logarithm shows.
            curvature: stats::ratio(Estimate::exact(q.frob2(k).max(f64::MIN_POSITIVE)), full.frob2)?,
        })
    }

    /// Errors of the quadratic proxy by σ, ascending.
    pub fn proxy(&self) -> Vec<Point> {
        let Some(here) = self.here() else { return Vec::new() };
        let Some(base) = self.loss(self.shown_n()) else { return Vec::new() };
        let floor = here.floor.map_or(0.0, |(floor, _)| floor);
        let mut by_sigma: std::collections::BTreeMap<u64, (f64, Vec<Sample>)> = std::collections::BTreeMap::new();
        for d in here.proxy.values() {
            for &(sigma, loss) in d.losses.iter().filter(|(_, loss)| loss.is_finite()) {
                let sample = Sample { slope: d.slope, curvature: d.curvature, change: loss - base };
                // Positive floats sort as their bits do.
                by_sigma.entry(sigma.to_bits()).or_insert_with(|| (sigma, Vec::new())).1.push(sample);
            }
        }
        by_sigma.values().filter_map(|(sigma, samples)| proxy::point(*sigma, samples, floor)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::{Purpose, Stream};

    fn estimate(mean: f64, stderr: f64) -> Estimate {
        Estimate { mean, stderr, draws: 16 }
    }

    #[test]
    fn the_error_of_j_is_its_spread_over_estimates_of_the_traces() {
        // (a, correlation of both estimates): the mean of the increment large, and 0.
        for (a, correlation) in [(0.3, 0.0), (0.3, 0.8), (0.3, -0.8), (-0.5, 0.5)] {
            let (trace, frob2, sigma) = (estimate(1.0, 0.1), estimate(2.0, 0.2), 1.0);
            let covariance = correlation * trace.stderr * frob2.stderr;
            let full = FullMoments::of(a, 0.5, (trace, frob2), covariance, sigma);
            let js = (0..20_000).map(|i| {
                let z = Stream::new(3, Purpose::Full, i).normals(2);
                let other = correlation * z[0] + (1.0 - correlation * correlation).sqrt() * z[1];
                let (t, f) = (trace.mean + trace.stderr * z[0], frob2.mean + frob2.stderr * other);
                Moments::of(a, 0.5, t, f, sigma).j()
            });
            let spread = Estimate::of(js).unwrap();
            let expected = spread.stderr * (spread.draws as f64).sqrt();
            assert!((full.j_stderr / expected - 1.0).abs() < 0.03, "{a} {correlation}: {} {expected}", full.j_stderr);
        }
    }

    #[test]
    fn the_parts_of_j_have_intervals_of_their_own() {
        let full = FullMoments::of(0.1, 0.5, (estimate(1.0, 0.2), estimate(2.0, 3.0)), 0.0, 1.0);
        let half = full.mean_half_width();
        assert!((half - 0.5 * full.trace.half_width()).abs() < 1e-15 && half < 0.6);
        let mean2 = full.mean2();
        assert!((mean2.low, mean2.high) == ((0.6 - half).powi(2), (0.6 + half).powi(2)), "{mean2:?}");
        // An estimate of ‖A‖_F² as poor as this leaves the gradient part, which is exact.
        assert_eq!((full.variance().low, full.variance().value), (0.5, 1.5));
        assert!(full.j().low >= 0.5 && full.j().high > full.j().value);
        let exact = FullMoments::of(0.1, 0.5, (Estimate::exact(1.0), Estimate::exact(2.0)), 0.0, 1.0);
        assert_eq!(exact.j().width() + exact.mean2().width() + exact.variance().width(), 0.0);
    }
}
