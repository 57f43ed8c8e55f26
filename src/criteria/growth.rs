//! Rates of growth: how a criterion falls as n rises, from a few noisy points of a few runs.
//!
//! n enters every criterion through Δ_n = (ℓ_{n+1} − L_n)/(n + 1), so a rate is the slope of log J against log(n + 1):
//! the factor (n + 1)^rate is algebra, and what is left, C_n = (n + 1)^−rate · J, is what a run can teach.
//!
//! The noise of log J is that of the one sequence added and has about the same spread at every n, so points weigh alike
//! (ordinary least squares). Points of one run share their checkpoint's history and are no independent draws; runs are.

use crate::math::stats::{Estimate, Interval, quantile, t95};

/// A power law J ≈ C (n + 1)^slope.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// Its exponent with a 95 % interval; without ends where the points cannot give them.
    pub slope: Interval,
    /// log C.
    pub intercept: f64,
}

impl PowerLaw {
    /// Its value at n.
    pub fn at(&self, n: usize) -> f64 {
        (self.intercept + self.slope.value * abscissa(n)).exp()
    }
}

/// log(n + 1), against which log J is fitted.
fn abscissa(n: usize) -> f64 {
    (n as f64 + 1.0).ln()
}

/// Fit a power law to runs of points (n, J).
///
/// Several runs: the mean of their slopes, with Student's t over the runs, which are the only independent draws: an
/// interval from the residuals of all points together would take every point for a fresh one. One run: its slope, with
/// Student's t over its residuals on two degrees of freedom less than it has points, which is honest only as far as
/// the residuals are independent.
///
/// Points with J ≤ 0 have no logarithm and are left out; `None` if no run has two different n left.
pub fn fit(runs: &[Vec<(usize, f64)>]) -> Option<PowerLaw> {
    let lines: Vec<Line> = runs.iter().filter_map(|run| Line::of(run)).collect();
    let slopes = Estimate::of(lines.iter().map(|line| line.slope))?;
    let intercept = Estimate::of(lines.iter().map(|line| line.intercept))?.mean;
    let half = match &lines[..] {
        [line] => line.half_width,
        _ => slopes.half_width(),
    };
    let slope = Interval { value: slopes.mean, low: slopes.mean - half, high: slopes.mean + half };
    Some(PowerLaw { slope, intercept })
}

/// The least-squares line of log J against log(n + 1).
struct Line {
    slope: f64,
    intercept: f64,
    /// Half of the slope's 95 % interval; infinite for two points, which no line misses.
    half_width: f64,
}

impl Line {
    fn of(run: &[(usize, f64)]) -> Option<Line> {
        let points: Vec<(f64, f64)> = run.iter().filter(|p| p.1 > 0.0).map(|(n, j)| (abscissa(*n), j.ln())).collect();
        let mean = |f: fn(&(f64, f64)) -> f64| Some(Estimate::of(points.iter().map(f))?.mean);
        let (x, y) = (mean(|p| p.0)?, mean(|p| p.1)?);
        let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
        if spread <= f64::EPSILON {
            return None;
        }
        let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
        let intercept = y - slope * x;
        let half_width = match points.len() {
            2 => f64::INFINITY,
            count => {
                let rest: f64 = points.iter().map(|p| (p.1 - intercept - slope * p.0).powi(2)).sum();
                t95(count - 1) * (rest / (count - 2) as f64 / spread).sqrt()
            }
        };
        Some(Line { slope, intercept, half_width })
    }
}

/// The mean of positive values in logarithms (their geometric mean), with Student's t over them; a single value keeps
/// the ends `alone` gives, factors below and above it in logarithms. `None` of nothing, or where a value is not
/// positive.
pub fn log_mean(values: &[f64], alone: f64) -> Option<Interval> {
    if values.iter().any(|v| *v <= 0.0) {
        return None;
    }
    let log = Estimate::of(values.iter().map(|v| v.ln()))?;
    let half = if values.len() == 1 { alone } else { log.half_width() };
    Some(Interval { value: log.mean.exp(), low: (log.mean - half).exp(), high: (log.mean + half).exp() })
}

/// The median with the quartiles as ends; `None` of nothing.
pub fn quartiles(values: &[f64]) -> Option<Interval> {
    Some(Interval { value: quantile(values, 0.5)?, low: quantile(values, 0.25)?, high: quantile(values, 0.75)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::{Purpose, Stream};

    fn power_law(slope: f64, noise: &mut dyn FnMut(usize) -> f64, ns: &[usize]) -> Vec<(usize, f64)> {
        ns.iter().map(|&n| (n, 3.0 * (n as f64 + 1.0).powf(slope) * noise(n).exp())).collect()
    }

    #[test]
    fn an_exact_power_law_is_found_exactly() {
        let fit = fit(&[power_law(-2.0, &mut |_| 0.0, &[1, 2, 4, 8])]).unwrap();
        assert!((fit.slope.value + 2.0).abs() < 1e-12 && fit.slope.high - fit.slope.low < 1e-12);
        assert!((fit.at(16) / (3.0 / 289.0) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_fitted_is_none_and_two_points_have_no_error() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[vec![(4, 1.0)], vec![(4, 2.0)]]), None);
        assert_eq!(fit(&[vec![(4, 1.0), (8, 0.0)]]), None);
        let two = fit(&[vec![(1, 1.0), (3, 0.25)]]).unwrap();
        assert!((two.slope.value + 2.0).abs() < 1e-12 && two.slope.high == f64::INFINITY);
    }

    /// How often the interval of the slope holds the truth.
    fn coverage(runs: usize, noise: impl Fn(&mut Stream, &mut f64) -> f64) -> f64 {
        let trials = 1000;
        let held = (0..trials).filter(|trial| {
            let mut stream = Stream::new(*trial, Purpose::Full, 0);
            let curves: Vec<_> = (0..runs)
                .map(|_| {
                    let mut memory = 0.0;
                    power_law(-2.0, &mut |_| noise(&mut stream, &mut memory), &[1, 2, 3, 5, 8, 12, 16])
                })
                .collect();
            let slope = fit(&curves).unwrap().slope;
            (slope.low..slope.high).contains(&-2.0)
        });
        held.count() as f64 / trials as f64
    }

    #[test]
    fn intervals_hold_the_truth_as_often_as_they_say() {
        // 95 % of 1000 trials, give or take three standard errors of 0.7 %.
        let fresh = |stream: &mut Stream, _: &mut f64| 0.7 * stream.normal();
        // A random walk: what a run has missed once, it goes on missing.
        let walk = |stream: &mut Stream, memory: &mut f64| {
            *memory += 0.4 * stream.normal();
            *memory
        };
        for (what, got) in [
            ("one run", coverage(1, fresh)),
            ("three runs", coverage(3, fresh)),
            ("three runs that remember", coverage(3, walk)),
        ] {
            assert!((0.93..0.97).contains(&got), "{what}: {got}");
        }
        // Why several runs are worth their price.
        assert!(coverage(1, walk) < 0.9);
    }

    #[test]
    fn aggregates() {
        let mean = log_mean(&[1.0, 4.0], 0.0).unwrap();
        assert!((mean.value - 2.0).abs() < 1e-12 && mean.low < 1e-2 && mean.high > 1e2);
        let alone = log_mean(&[2.0], 0.5).unwrap();
        assert!((alone.high / alone.value - 0.5f64.exp()).abs() < 1e-12);
        assert_eq!((log_mean(&[], 0.0), log_mean(&[1.0, 0.0], 0.0)), (None, None));
        assert_eq!(quartiles(&[1.0, 2.0, 3.0, 4.0, 5.0]).map(|i| (i.low, i.value, i.high)), Some((2.0, 3.0, 4.0)));
    }
}
