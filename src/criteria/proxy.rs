//! Validity of the quadratic proxy: error of L_n(w*) + gᵀδ + ½ δᵀHδ against L_n(w* + δ), δ ~ N(0, σ² I_P).

use crate::math::stats::{Estimate, median, quantile};

/// Relative error below which the quadratic model counts as valid.
pub const VALID: f64 = 1e-2;

/// The 25 points σ = 1e-7 … 1e-1 of the paper's grid, four to a decade.
pub fn grid() -> Vec<f64> {
    (0..25).map(|i| 10f64.powf(-7.0 + i as f64 / 4.0)).collect()
}

/// One direction ε: derivatives of L_n along it, and loss changes at some σ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// gᵀε.
    pub slope: f64,
    /// εᵀHε.
    pub curvature: f64,
    /// L_n(w* + σε) − L_n(w*).
    pub change: f64,
}

impl Sample {
    /// The quadratic model's loss change at σ.
    pub fn model(&self, sigma: f64) -> f64 {
        sigma * self.slope + 0.5 * sigma * sigma * self.curvature
    }
}

/// Errors of the quadratic model at one σ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// σ.
    pub sigma: f64,
    /// |ΔL − model|, nats.
    pub absolute: Estimate,
    /// |ΔL − model| / |ΔL|.
    pub relative: Estimate,
    /// Median of the relative error: robust against a ΔL near 0.
    pub relative_median: f64,
    /// Quartiles of the relative error: the middle half of the directions.
    pub relative_quartiles: [f64; 2],
    /// Rounding error of one computed loss difference, nats.
    pub floor: f64,
    /// The floor relative to the median |ΔL|: errors below it say nothing of the model.
    pub relative_floor: f64,
}

/// The errors over all directions at one σ; `None` without samples.
pub fn point(sigma: f64, samples: &[Sample], floor: f64) -> Option<Point> {
    let absolute: Vec<f64> = samples.iter().map(|s| (s.change - s.model(sigma)).abs()).collect();
    let relative: Vec<f64> =
        absolute.iter().zip(samples).map(|(e, s)| e / s.change.abs().max(f64::MIN_POSITIVE)).collect();
    let changes: Vec<f64> = samples.iter().map(|s| s.change.abs()).collect();
    Some(Point {
        sigma,
        absolute: Estimate::of(absolute.iter().copied())?,
        relative: Estimate::of(relative.iter().copied())?,
        relative_median: median(&relative)?,
        relative_quartiles: [quantile(&relative, 0.25)?, quantile(&relative, 0.75)?],
        floor,
        relative_floor: floor / median(&changes)?.max(f64::MIN_POSITIVE),
    })
}

/// The largest σ at which the quadratic model is valid: the median relative error is below [`VALID`]. Errors at much
/// smaller σ may be larger again, because there rounding decides and not the model. `None` if no point qualifies.
pub fn valid_to(points: &[Point]) -> Option<f64> {
    points.iter().rev().find(|p| p.relative_median < VALID).map(|p| p.sigma)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// L = s·x + ½ c·x² + x³ along each direction, with a rounding error of `floor`.
    fn curve(floor: f64) -> Vec<Point> {
        let at = |sigma: f64| -> Vec<Sample> {
            (1..6)
                .map(|i| {
                    let (slope, curvature) = (f64::from(i), 2.0);
                    let rounding = floor * if i % 2 == 0 { 1.0 } else { -1.0 };
                    let change = sigma * slope + 0.5 * sigma * sigma * curvature + sigma.powi(3) * 1e3 + rounding;
                    Sample { slope, curvature, change }
                })
                .collect()
        };
        grid().iter().map(|&s| point(s, &at(s), floor).unwrap()).collect()
    }

    #[test]
    fn exact_arithmetic_is_valid_up_to_the_cubic_term() {
        // Median direction: 1e3 σ³ / (3 σ) < 1e-2 for σ < 5.5e-3; the grid point below is 3.2e-3.
        let to = valid_to(&curve(0.0)).unwrap();
        assert!((to / 10f64.powf(-2.5) - 1.0).abs() < 1e-9, "{to}");
    }

    #[test]
    fn rounding_at_small_sigma_does_not_hide_the_valid_range() {
        let points = curve(1e-8);
        assert!(points[0].relative_median > VALID, "rounding dominates the smallest σ");
        assert!(points[0].relative_floor > 1e-2);
        assert!((valid_to(&points).unwrap() / 10f64.powf(-2.5) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn nothing_valid_is_none() {
        assert_eq!(valid_to(&[]), None);
    }
}
