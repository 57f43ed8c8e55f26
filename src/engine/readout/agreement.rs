//! How far the draws bear out the closed form: estimates after more and more draws, and the gap that is left.

use super::Readout;
use crate::criteria::estimators::{self, Control};
use crate::math::stats::Estimate;

/// The Monte Carlo estimates of J_sub(k, σ) after the first draws, in nats².
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AfterDraws {
    /// Draws (antithetic pairs) behind all three.
    pub draws: usize,
    /// Direct Monte Carlo.
    pub direct: Estimate,
    /// Quadratic Monte Carlo on the same draws.
    pub quadratic: Estimate,
    /// Direct Monte Carlo with the quadratic model as control variate.
    pub direct_cv: Estimate,
}

/// How far direct Monte Carlo lies from the closed form, relative to it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// |direct − GM|/|direct|.
    pub size: f64,
    /// Half of the 95 % interval of direct, over |direct|.
    pub half: f64,
}

impl Gap {
    /// Whether the closed form lies in the interval of the draws.
    pub fn confirms(&self) -> bool {
        self.size <= self.half
    }
}

impl Readout {
    /// The estimates of J_sub(k, σ) against draws (the paper's S-curve), at numbers of draws that grow by about √2 from
    /// two; the last is all of them. Empty below two draws.
    pub fn s_curve(&self, k: usize, sigma: f64) -> Vec<AfterDraws> {
        let Some(model) = self.quadratic().filter(|q| k <= q.k()) else { return Vec::new() };
        let Some(target) = self.subspace_target(k) else { return Vec::new() };
        let control = Control::quadratic(model, k, sigma);
        let pairs = self.pairs(target, self.shown_n(), sigma);
        let at = |draws: usize| {
            let first = &pairs[..draws];
            Some(AfterDraws {
                draws,
                direct: estimators::direct(first)?,
                quadratic: estimators::quadratic(first)?,
                direct_cv: estimators::with_control(first, &control)?,
            })
        };
        stops(pairs.len()).into_iter().filter_map(at).collect()
    }

    /// The gap between direct Monte Carlo and the closed form at (k, σ); `None` below two draws.
    pub fn gap(&self, k: usize, sigma: f64) -> Option<Gap> {
        let sub = self.subspace(k, sigma)?;
        let direct = sub.direct.filter(|d| d.draws >= 2 && d.mean != 0.0)?;
        let size = (direct.mean - sub.gm.j()).abs() / direct.mean.abs();
        Some(Gap { size, half: direct.half_width() / direct.mean.abs() })
    }
}

/// Two, then about √2 times as many each, up to `draws`.
fn stops(draws: usize) -> Vec<usize> {
    let mut stops: Vec<usize> =
        (2..).map(|i| 2f64.powf(f64::from(i) / 2.0).round() as usize).take_while(|s| *s < draws).collect();
    stops.extend((draws >= 2).then_some(draws));
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_grow_and_end_with_all() {
        assert_eq!(stops(12), [2, 3, 4, 6, 8, 11, 12]);
        assert_eq!((stops(2), stops(1), stops(0)), (vec![2], vec![], vec![]));
    }

    #[test]
    fn a_gap_within_its_interval_confirms() {
        assert!(Gap { size: 0.01, half: 0.02 }.confirms());
        assert!(!Gap { size: 0.03, half: 0.02 }.confirms());
    }
}
