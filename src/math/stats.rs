//! Monte Carlo estimates with their uncertainty.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A Monte Carlo mean with its standard error and the number of independent draws behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// Sample mean, in the unit of the draws.
    pub mean: f64,
    /// Standard error of the mean; infinite below two draws, where nothing is known of the spread.
    #[serde(deserialize_with = "infinite_if_null")]
    pub stderr: f64,
    /// Independent draws.
    pub draws: usize,
}

/// JSON has no infinity: serde_json writes `null` for it.
fn infinite_if_null<'de, D: serde::Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(d)?.unwrap_or(f64::INFINITY))
}

impl Estimate {
    /// Mean and standard error of independent draws, by Welford's update; `None` without draws.
    pub fn of(draws: impl IntoIterator<Item = f64>) -> Option<Estimate> {
        let (mut count, mut mean, mut m2) = (0usize, 0.0, 0.0);
        for x in draws {
            count += 1;
            let delta = x - mean;
            mean += delta / count as f64;
            m2 += delta * (x - mean);
        }
        (count > 0).then(|| {
            let n = count as f64;
            let stderr = if count > 1 { (m2 / (n - 1.0) / n).sqrt() } else { f64::INFINITY };
            Estimate { mean, stderr, draws: count }
        })
    }

    /// What is known exactly: no sampling error, whatever the draws.
    pub fn exact(mean: f64) -> Estimate {
        Estimate { mean, stderr: 0.0, draws: 1 }
    }

    /// Half-width of the two-sided 95 % Student interval; none of what is exact.
    pub fn half_width(&self) -> f64 {
        if self.stderr == 0.0 { 0.0 } else { t95(self.draws) * self.stderr }
    }
}

/// Covariance of the means of two quantities over the same independent draws; `None` below two draws.
pub fn covariance(draws: &[(f64, f64)]) -> Option<f64> {
    let n = draws.len() as f64;
    let (x, y) = draws.iter().fold((0.0, 0.0), |sum, d| (sum.0 + d.0 / n, sum.1 + d.1 / n));
    let cross: f64 = draws.iter().map(|d| (d.0 - x) * (d.1 - y)).sum();
    (draws.len() > 1).then(|| cross / (n - 1.0) / n)
}

/// The 97.5 % quantile of Student's t for the mean of `draws` draws (infinite below two).
pub fn t95(draws: usize) -> f64 {
    if draws < 2 {
        return f64::INFINITY;
    }
    t95_of((draws - 1) as f64)
}

/// The 97.5 % quantile of Student's t with so many degrees of freedom, which need not be whole (infinite without any).
pub fn t95_of(freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975))
}

/// A value with a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Point estimate.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Of a value that is exact.
    pub fn exact(value: f64) -> Interval {
        Interval { value, low: value, high: value }
    }

    /// The value ± half a width.
    pub fn around(value: f64, half: f64) -> Interval {
        Interval { value, low: value - half, high: value + half }
    }

    /// The same in another unit, `factor` > 0 of which make the old one.
    pub fn scaled(self, factor: f64) -> Interval {
        Interval { value: factor * self.value, low: factor * self.low, high: factor * self.high }
    }

    /// Length from end to end.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Whether it is longer than `size`, or has no ends at all.
    pub fn is_wider_than(&self, size: f64) -> bool {
        self.width() > size || !self.width().is_finite()
    }

    /// The squares of what lies between the ends: down to 0 where they have different signs.
    pub fn squared(self) -> Interval {
        let (low, high) = (self.low * self.low, self.high * self.high);
        let across = self.low < 0.0 && self.high > 0.0;
        Interval { value: self.value * self.value, low: if across { 0.0 } else { low.min(high) }, high: low.max(high) }
    }
}

/// Ratio of two positive independent estimates with the interval of the log-ratio delta method:
/// var(log x̄/ȳ) ≈ (s_x/x̄)² + (s_y/ȳ)². `None` unless both means are positive.
pub fn ratio(numerator: Estimate, denominator: Estimate) -> Option<Interval> {
    if !(numerator.mean > 0.0 && denominator.mean > 0.0) {
        return None;
    }
    let value = numerator.mean / denominator.mean;
    // An exact (closed-form) side carries no sampling error and does not limit the degrees of freedom.
    let relative = [numerator, denominator].map(|e| if e.stderr == 0.0 { 0.0 } else { e.stderr / e.mean });
    let draws = [numerator, denominator].iter().filter(|e| e.stderr > 0.0).map(|e| e.draws).min();
    let spread = draws.map_or(0.0, |d| t95(d) * relative[0].hypot(relative[1]));
    Some(Interval { value, low: value * (-spread).exp(), high: value * spread.exp() })
}

/// The median; `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The quantile at `p` in [0, 1], linear between order statistics; `None` of nothing.
pub fn quantile(values: &[f64], p: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = p.clamp(0.0, 1.0) * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + place.fract() * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welford_agrees_with_the_definition() {
        let e = Estimate::of([1.0, 2.0, 4.0, 7.0]).unwrap();
        assert_eq!((e.mean, e.draws), (3.5, 4));
        let sd = ((2.5f64.powi(2) + 1.5f64.powi(2) + 0.5f64.powi(2) + 3.5f64.powi(2)) / 3.0).sqrt();
        assert!((e.stderr - sd / 2.0).abs() < 1e-14);
        // t_{0.975, 3} = 3.18245 (standard table)
        assert!((e.half_width() / e.stderr - 3.182446).abs() < 1e-5);
    }

    #[test]
    fn one_draw_has_no_known_spread_and_survives_json() {
        let e = Estimate::of([1.0]).unwrap();
        let back: Estimate = serde_json::from_str(&serde_json::to_string(&e).unwrap()).unwrap();
        assert_eq!(back, e);
        assert!(back.stderr.is_infinite());
    }

    #[test]
    fn a_ratio_of_exact_values_has_no_width_and_of_nonpositive_ones_none() {
        let exact = |mean| Estimate { mean, stderr: 0.0, draws: 1 };
        assert_eq!(ratio(exact(3.0), exact(2.0)), Some(Interval { value: 1.5, low: 1.5, high: 1.5 }));
        assert_eq!(ratio(exact(-1.0), exact(2.0)), None);
    }

    #[test]
    fn the_covariance_of_a_mean_with_itself_is_its_variance() {
        let draws: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 7.0].map(|x| (x, -2.0 * x)).to_vec();
        let e = Estimate::of(draws.iter().map(|d| d.0)).unwrap();
        assert!((covariance(&draws).unwrap() + 2.0 * e.stderr * e.stderr).abs() < 1e-15);
        assert_eq!(covariance(&draws[..1]), None);
    }

    #[test]
    fn squares_of_intervals() {
        let squared = |value, half| Interval::around(value, half).squared();
        assert_eq!(squared(3.0, 1.0), Interval { value: 9.0, low: 4.0, high: 16.0 });
        assert_eq!(squared(-3.0, 1.0), Interval { value: 9.0, low: 4.0, high: 16.0 });
        assert_eq!(squared(1.0, 2.0), Interval { value: 1.0, low: 0.0, high: 9.0 });
        assert_eq!(Interval::exact(2.0).squared(), Interval::exact(4.0));
        assert_eq!(Interval::around(2.0, 1.0).scaled(3.0).width(), 6.0);
        assert!(Interval::around(2.0, f64::INFINITY).is_wider_than(1e300) && !Interval::exact(2.0).is_wider_than(1.0));
    }

    #[test]
    fn medians() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0]), Some(2.0));
        assert_eq!(median(&[3.0, 1.0, 9.0]), Some(3.0));
        assert_eq!(quantile(&[4.0, 1.0, 2.0, 3.0, 5.0], 0.25), Some(2.0));
        assert_eq!((quantile(&[1.0, 2.0], 0.0), quantile(&[1.0, 2.0], 1.0)), (Some(1.0), Some(2.0)));
    }
}
