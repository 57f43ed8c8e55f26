//! The share of a subspace in the variance of the increment without its quadratic model: the closed Sobol index by
//! pick-freeze pairs, two points that agree in the subspace and nowhere else.
//!
//! The estimate is Cov(Y, Y′)/Var Y with the mean and the variance taken over both points (Janon, Klein, Lagnoux, Nodet
//! and Prieur 2014), which is asymptotically efficient. Controls enter as regressors: the mean of a quantity less its
//! controls is the intercept of its regression on (control − known mean), so leaving one pair out is a closed formula,
//! slopes and all.
//!
//! Products and squares of increments have heavy tails: a few pairs decide the mean, and samples without them look more
//! certain than they are. Two corrections answer that: every residual is taken as if its own pair had not been fitted
//! (the jackknife, HC3 of MacKinnon and White 1985); or the variance is the unbiased one (HC2), and Student's t has the
//! degrees of freedom that the spread of its terms leaves it (Satterthwaite 1946). With controls the first is mostly the
//! larger, without them the second. The larger is taken: together they would be too wide.

use crate::math::stats::{Estimate, Interval, t95, t95_of};

/// The increment at the two points of a pair and its quadratic model there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Δ_n at both points, nats.
    pub values: [f64; 2],
    /// bᵀδ + ½δᵀAδ at both, nats.
    pub model: [f64; 2],
    /// The same model on what they have in common, σcᵀz + ½σ²zᵀBz, nats.
    pub common: f64,
}

/// Products and squares of pairs about the common mean of all their values.
struct Centred {
    products: Vec<f64>,
    squares: Vec<f64>,
}

impl Centred {
    fn of(pairs: impl Iterator<Item = [f64; 2]> + Clone) -> Centred {
        let count = 2 * pairs.clone().count();
        let mean = pairs.clone().flatten().sum::<f64>() / count as f64;
        let pairs = pairs.map(|[x, y]| (x - mean, y - mean));
        Centred {
            products: pairs.clone().map(|(x, y)| x * y).collect(),
            squares: pairs.map(|(x, y)| 0.5 * (x * x + y * y)).collect(),
        }
    }
}

/// The share from the values alone. `None` below four pairs, or where nothing varies.
pub fn janon(pairs: &[Pair]) -> Option<Interval> {
    share(pairs, &Regression::on(pairs.len(), []), None)
}

/// The share with the quadratic model as control variate: in the model the product of both points and the square of what
/// they have in common have the mean `sub` exactly, and squares have the mean `full` with its standard error. What the
/// pairs add is the difference between the increment and its model, with slopes fitted to the pairs, so that a model that
/// does not hold does no harm. `None` below seven pairs, or where nothing varies.
pub fn with_model(pairs: &[Pair], sub: f64, full: Estimate) -> Option<Interval> {
    let model = Centred::of(pairs.iter().map(|p| p.model));
    let common = Centred::of(pairs.iter().map(|p| [p.common; 2]));
    // The mean that is not exact comes last: the last slope is its own effect.
    let controls = [(model.products, sub), (common.squares, sub), (model.squares, full.mean)];
    share(pairs, &Regression::on(pairs.len(), controls), Some(full))
}

/// A control in its part that is orthogonal to those before it.
struct Direction {
    /// Its unit vector over the pairs, of mean 0.
    unit: Vec<f64>,
    /// How far the mean over the pairs is from the known one, in its units.
    offset: f64,
    /// Length of that part.
    length: f64,
}

/// Controls to be regressed on.
struct Regression {
    directions: Vec<Direction>,
    /// What a pair's residual adds to the intercept.
    weights: Vec<f64>,
    /// The part of a pair's residual that the fit takes away.
    leverages: Vec<f64>,
}

/// An intercept with what is left.
struct Fit {
    mean: f64,
    residuals: Vec<f64>,
    /// Change of the intercept with the known mean of the last control.
    last_slope: f64,
}

impl Regression {
    /// On draws of controls with their known means.
    fn on<const N: usize>(count: usize, controls: [(Vec<f64>, f64); N]) -> Regression {
        /// Part of a control's length below which the others say all it says.
        const NOTHING_NEW: f64 = 1e-10;
        let each = 1.0 / count as f64;
        let (mut weights, mut leverages) = (vec![each; count], vec![each; count]);
        let mut directions: Vec<Direction> = Vec::new();
        for (mut draws, known) in controls {
            let mut offset = centre(&mut draws) - known;
            let before = dot(&draws, &draws).sqrt();
            for earlier in &directions {
                let along = dot(&draws, &earlier.unit);
                subtract(along, &earlier.unit, &mut draws);
                offset -= along * earlier.offset;
            }
            let length = dot(&draws, &draws).sqrt();
            if length <= NOTHING_NEW * before {
                continue;
            }
            draws.iter_mut().for_each(|x| *x /= length);
            offset /= length;
            for ((x, weight), leverage) in draws.iter().zip(&mut weights).zip(&mut leverages) {
                *weight -= offset * x;
                *leverage += x * x;
            }
            directions.push(Direction { unit: draws, offset, length });
        }
        Regression { directions, weights, leverages }
    }

    fn fit(&self, draws: &[f64]) -> Fit {
        let mut residuals = draws.to_vec();
        let mut fit = Fit { mean: centre(&mut residuals), residuals, last_slope: 0.0 };
        for Direction { unit, offset, length } in &self.directions {
            let along = dot(&fit.residuals, unit);
            subtract(along, unit, &mut fit.residuals);
            fit.mean -= along * offset;
            fit.last_slope = along / length;
        }
        fit
    }

    /// Draws that the fit leaves free.
    fn freedom(&self) -> usize {
        self.weights.len().saturating_sub(1 + self.directions.len())
    }
}

/// Take the mean out, and return it.
fn centre(draws: &mut [f64]) -> f64 {
    let mean = draws.iter().sum::<f64>() / draws.len() as f64;
    draws.iter_mut().for_each(|x| *x -= mean);
    mean
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

fn subtract(a: f64, x: &[f64], y: &mut [f64]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y -= a * x);
}

/// Where ends are equally far from a share.
#[derive(Clone, Copy)]
enum Scale {
    /// Fisher's artanh S, which keeps the ends within [−1, 1].
    Fisher {
        /// Shares are moved no closer to ±1 than this.
        most: f64,
    },
    /// Beyond, where only sampling error leads.
    Plain,
}

impl Scale {
    fn of(share: f64) -> Scale {
        /// So much closer to ±1 than the estimate may a share come that leaves a pair out: its artanh stays finite.
        const CLOSER: f64 = 1e-3;
        if share.abs() < 1.0 { Scale::Fisher { most: 1.0 - CLOSER * (1.0 - share.abs()) } } else { Scale::Plain }
    }

    fn to(self, share: f64) -> f64 {
        match self {
            Scale::Fisher { most } => share.clamp(-most, most).atanh(),
            Scale::Plain => share,
        }
    }

    fn back(self, x: f64) -> f64 {
        match self {
            Scale::Fisher { .. } => x.tanh(),
            Scale::Plain => x,
        }
    }

    /// d scale/d share.
    fn slope(self, share: f64) -> f64 {
        match self {
            Scale::Fisher { .. } => 1.0 / (1.0 - share * share),
            Scale::Plain => 1.0,
        }
    }
}

/// The share with its interval; `last` is what is known of the last control's mean, if that is not exact.
fn share(pairs: &[Pair], regression: &Regression, last: Option<Estimate>) -> Option<Interval> {
    const FEWEST: usize = 3;
    if regression.freedom() < FEWEST {
        return None;
    }
    let values = Centred::of(pairs.iter().map(|p| p.values));
    let (over, under) = (regression.fit(&values.products), regression.fit(&values.squares));
    if under.mean <= 0.0 {
        return None;
    }
    let value = over.mean / under.mean;
    let scale = Scale::of(value);
    let place = scale.to(value);
    // How much a pair's residuals move the share, each divided by a power of what the fit leaves of it.
    let moves = |power: f64| -> Vec<f64> {
        let one = |i: usize| {
            let part = regression.weights[i] / (1.0 - regression.leverages[i]).max(f64::EPSILON).powf(power);
            let (x, y) = (over.mean - part * over.residuals[i], under.mean - part * under.residuals[i]);
            place - scale.to(if y > 0.0 { x / y } else { f64::INFINITY.copysign(x) })
        };
        (0..pairs.len()).map(one).collect()
    };
    let (left_out, unbiased) = (moves(1.0), moves(0.5));
    let variance = dot(&unbiased, &unbiased);
    let fourth = unbiased.iter().map(|d| d.powi(4)).sum::<f64>() - variance * variance / pairs.len() as f64;
    let most = regression.freedom() as f64;
    let freedom = if fourth > 0.0 { (2.0 * variance * variance / fourth).clamp(1.0, most) } else { most };
    let half = f64::max(t95_of(most) * dot(&left_out, &left_out).sqrt(), t95_of(freedom) * variance.sqrt());
    let known = last.map_or(0.0, |mean| {
        let slope = (over.last_slope - value * under.last_slope) / under.mean * scale.slope(value);
        if mean.stderr == 0.0 { 0.0 } else { t95(mean.draws) * slope * mean.stderr }
    });
    let half = half.hypot(known);
    Some(Interval { value, low: scale.back(place - half), high: scale.back(place + half) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::quadratic::Moments;
    use crate::math::stream::{Purpose, Stream};

    /// An increment on three dimensions, the first of them probed, with a cubic term of weight `cubic`.
    struct Known {
        b: [f64; 3],
        a: [f64; 3],
        sigma: f64,
        cubic: f64,
    }

    impl Known {
        fn model(&self, z: &[f64]) -> f64 {
            let s = self.sigma;
            (0..3).map(|i| s * self.b[i] * z[i] + 0.5 * s * s * self.a[i] * z[i] * z[i]).sum()
        }

        fn pairs(&self, seed: u64, count: u64) -> Vec<Pair> {
            let at = |z: &[f64]| {
                let model = self.model(z);
                (model + self.cubic * z.iter().map(|z| (self.sigma * z).powi(3)).sum::<f64>(), model)
            };
            (0..count)
                .map(|i| {
                    let z = Stream::new(seed, Purpose::PickFreeze, i).normals(5);
                    let (one, other) = (at(&[z[0], z[1], z[2]]), at(&[z[0], z[3], z[4]]));
                    let common = self.model(&[z[0], 0.0, 0.0]);
                    Pair { values: [one.0, other.0], model: [one.1, other.1], common }
                })
                .collect()
        }

        fn variance(&self, range: std::ops::Range<usize>) -> f64 {
            let norm2 = |x: &[f64]| x.iter().map(|x| x * x).sum();
            Moments::of(0.0, norm2(&self.b[range.clone()]), 0.0, norm2(&self.a[range]), self.sigma).variance()
        }

        /// With a term t z³ each dimension adds 2·3·s b t + 15 t² to its variance; its covariance with z² is 0.
        fn share(&self) -> f64 {
            let t = self.cubic * self.sigma.powi(3);
            let part = |i: usize| self.variance(i..i + 1) + 6.0 * self.sigma * self.b[i] * t + 15.0 * t * t;
            part(0) / (0..3).map(part).sum::<f64>()
        }
    }

    const QUADRATIC: Known = Known { b: [0.6, -0.8, 0.3], a: [2.0, 1.0, -1.5], sigma: 0.7, cubic: 0.0 };

    fn exact(mean: f64) -> Estimate {
        Estimate { mean, stderr: 0.0, draws: 1 }
    }

    #[test]
    fn a_quadratic_increment_has_the_share_of_the_closed_form() {
        let truth = QUADRATIC.variance(0..1) / QUADRATIC.variance(0..3);
        assert!((truth - QUADRATIC.share()).abs() < 1e-15);
        let pairs = QUADRATIC.pairs(0, 4000);
        let plain = janon(&pairs).unwrap();
        assert!(plain.low < truth && truth < plain.high, "{plain:?} {truth}");
        assert!(plain.high - plain.low < 0.1, "{plain:?}");
        // The model is the increment: nothing is left to chance.
        let sure = with_model(&pairs[..16], QUADRATIC.variance(0..1), exact(QUADRATIC.variance(0..3))).unwrap();
        assert!((sure.value - truth).abs() < 1e-12 && sure.high - sure.low < 1e-9, "{sure:?}");
    }

    /// How often the intervals of the values alone and of those with the model hold the truth, and their mean widths.
    fn coverage(cubic: f64, count: u64) -> ([f64; 2], [f64; 2]) {
        const RUNS: u64 = 400;
        let known = Known { cubic, ..QUADRATIC };
        let (mut held, mut widths) = ([0.0; 2], [0.0; 2]);
        for seed in 1..=RUNS {
            let pairs = known.pairs(seed, count);
            let intervals = [janon(&pairs), with_model(&pairs, known.variance(0..1), exact(known.variance(0..3)))];
            for (i, interval) in intervals.into_iter().flatten().enumerate() {
                let holds = (interval.low - 1e-9..=interval.high + 1e-9).contains(&known.share());
                held[i] += f64::from(u8::from(holds)) / RUNS as f64;
                widths[i] += (interval.high - interval.low) / RUNS as f64;
            }
        }
        (held, widths)
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say_in_heavy_tails_too() {
        // 95 % of 400 runs, with a standard error of 1.1 %; the bounds are those that every interval has to keep.
        const KEPT: std::ops::RangeInclusive<f64> = 0.91..=0.98;
        for cubic in [0.0, 0.1, 0.3, 1.0] {
            for count in [64, 128] {
                let ([plain, controlled], widths) = coverage(cubic, count);
                assert!(KEPT.contains(&plain), "{cubic}, {count} pairs: {plain}");
                // A model that is the increment leaves nothing to miss.
                let held = if cubic == 0.0 { controlled > 0.999 } else { KEPT.contains(&controlled) };
                assert!(held, "{cubic}, {count} pairs: {controlled}");
                let narrower = if count == 128 { 0.6 } else { 0.65 };
                assert!(cubic > 0.3 || widths[1] < narrower * widths[0], "{cubic}, {count} pairs: {widths:?}");
            }
        }
    }

    #[test]
    fn too_few_pairs_or_no_variance_give_nothing() {
        assert_eq!(janon(&QUADRATIC.pairs(0, 3)), None);
        assert_eq!(janon(&[Pair { values: [1.0; 2], model: [0.0; 2], common: 0.0 }; 8]), None);
    }
}
