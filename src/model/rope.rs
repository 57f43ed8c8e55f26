//! Frequencies of Llama's rotary embedding and their scaling to longer contexts.

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::diff::op::head_rotary::frequency;

/// How the frequencies are stretched, under the keys of `rope_scaling`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "rope_type", rename_all = "lowercase")]
pub enum RopeScaling {
    /// Not at all.
    Default,
    /// All divided by one factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Llama 3.1: low frequencies divided by a factor, high ones kept, those between blended.
    Llama3 {
        /// The factor of the low frequencies.
        factor: f64,
        /// Frequencies that turn less often than this in the original context are low.
        low_freq_factor: f64,
        /// Those that turn more often than this are high.
        high_freq_factor: f64,
        /// The original context, in tokens.
        original_max_position_embeddings: f64,
    },
}

impl RopeScaling {
    /// Check the numbers.
    pub(super) fn check(self) -> Result<(), String> {
        let positive = |key: &str, value: f64| {
            let good = value.is_finite() && value > 0.0;
            if good { Ok(()) } else { Err(format!("rope_scaling: {key} is {value}; it must be positive")) }
        };
        match self {
            RopeScaling::Default => Ok(()),
            RopeScaling::Linear { factor } => positive("factor", factor),
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } => {
                positive("factor", factor)?;
                positive("low_freq_factor", low_freq_factor)?;
                positive("original_max_position_embeddings", original_max_position_embeddings)?;
                if high_freq_factor.is_finite() && high_freq_factor > low_freq_factor {
                    return Ok(());
                }
                Err(format!(
                    "rope_scaling: high_freq_factor {high_freq_factor} must lie above low_freq_factor {low_freq_factor}"
                ))
            }
        }
    }

    /// The frequency of pair `j` of a head of `width` channels, radians per token.
    pub fn frequency(self, theta: f64, width: usize, j: usize) -> f64 {
        let plain = frequency(theta, width, j);
        match self {
            RopeScaling::Default => plain,
            RopeScaling::Linear { factor } => plain / factor,
            RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_position_embeddings } => {
                let turns = original_max_position_embeddings * plain / TAU;
                let blend = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
                let blend = blend.clamp(0.0, 1.0);
                (1.0 - blend) * plain / factor + blend * plain
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_keeps_high_frequencies_divides_low_ones_and_blends_between() {
        let scaling = RopeScaling::Llama3 {
            factor: 8.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original_max_position_embeddings: 8192.0,
        };
        assert_eq!(scaling.check(), Ok(()));
        let ratio = |j| scaling.frequency(500_000.0, 128, j) / frequency(500_000.0, 128, j);
        assert_eq!((ratio(0), ratio(63)), (1.0, 0.125));
        let between: Vec<f64> = (0..64).map(ratio).filter(|r| *r > 0.125 && *r < 1.0).collect();
        assert!(!between.is_empty() && between.is_sorted_by(|a, b| a > b), "{between:?}");
        assert_eq!(RopeScaling::Linear { factor: 4.0 }.frequency(1e4, 8, 0), 0.25);
    }
}
