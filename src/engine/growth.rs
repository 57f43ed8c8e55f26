//! Growth: how criteria change as n grows, at one checkpoint or along a training run. What is here is the data; a run
//! emits one [`Point`] an event.

use serde::{Deserialize, Serialize};

use super::number;
use crate::math::stats::Estimate;

/// Where the checkpoints of a growth run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// One checkpoint for every n, with a basis of its own for each.
    Fixed,
    /// One checkpoint and one basis, that of the largest n, for every n.
    Frozen,
    /// A model trained on the sequences in order, looked at after each n of them (the paper's curriculum).
    Training,
    /// The checkpoints saved in one folder, at one n.
    Checkpoints,
}

/// One point of a growth run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Where the checkpoint comes from.
    pub mode: Mode,
    /// Number of the run: runs differ in their seed.
    pub run: usize,
    /// The run's seed.
    pub seed: u64,
    /// Training step of the checkpoint, where it has one.
    pub step: Option<u64>,
    /// Sequences in the empirical risk L_n.
    pub n: usize,
    /// L_n(w*), nats per token.
    #[serde(with = "number::one")]
    pub loss: f64,
    /// ‖g^(n)‖.
    #[serde(with = "number::one")]
    pub grad_norm: f64,
    /// Rayleigh quotients of the basis under H^(n), in the law's order.
    #[serde(with = "number::many")]
    pub values: Vec<f64>,
    /// Residuals ‖Hu − λu‖.
    #[serde(with = "number::many")]
    pub residuals: Vec<f64>,
    /// Products of the solve.
    pub products: usize,
    /// Cosines of the principal angles to the basis of the point before, largest first; empty for the first.
    #[serde(with = "number::many")]
    pub cosines: Vec<f64>,
    /// The increment that each held-out next sequence brings.
    pub next: Vec<Increment>,
    /// Median relative error of the quadratic model of L_n by σ, with its quartiles, where it was measured.
    pub proxy: Vec<Validity>,
    /// Seconds this point took.
    #[serde(with = "number::one")]
    pub seconds: f64,
}

/// The quadratic model of one increment, in the subspace and in the full space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Increment {
    /// a = Δ_n(w*), nats.
    #[serde(with = "number::one")]
    pub a: f64,
    /// ‖b‖².
    #[serde(with = "number::one")]
    pub b_norm2: f64,
    /// c = Uᵀb.
    #[serde(with = "number::many")]
    pub c: Vec<f64>,
    /// B = UᵀAU, row-major k × k.
    #[serde(with = "number::many")]
    pub b: Vec<f64>,
    /// Tr A.
    pub trace: Estimate,
    /// ‖A‖_F².
    pub frob2: Estimate,
}

/// Validity of the quadratic proxy at one σ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Validity {
    /// σ.
    #[serde(with = "number::one")]
    pub sigma: f64,
    /// Median over directions of |ΔL − model| / |ΔL|.
    #[serde(with = "number::one")]
    pub median: f64,
    /// Its first and third quartile.
    pub quartiles: [f64; 2],
    /// Rounding error relative to the median |ΔL|.
    #[serde(with = "number::one")]
    pub floor: f64,
}
