//! Growth: how criteria change as n grows, at one checkpoint or along a training run. What is here is the data: what is
//! asked, a [`Plan`], and what comes of it, one [`Point`] an event. `point` computes points at one checkpoint, [`run`]
//! goes from checkpoint to checkpoint, and `state` is what a run that was stopped needs to go on.

pub(in crate::engine) mod point;
pub mod run;
mod state;

use serde::{Deserialize, Serialize};

use super::number;
use crate::error::{Error, Result};
use crate::math::stats::Estimate;
use crate::train::curriculum::Curriculum;

/// Where the checkpoints of a growth run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
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

/// What a growth run is to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Where the checkpoints come from.
    pub mode: Mode,
    /// The n of the points, ascending; one n for all checkpoints of a folder.
    pub grid: Vec<usize>,
    /// Held-out next sequences at each n, those that follow the first n: the first is sequence n + 1.
    pub next: usize,
    /// Runs. The first takes the sequences as they stand, run r in an order shuffled by seed + r: runs over the same
    /// ones would share their noise, and agree about slopes that none of them knows. In training, run r also has the
    /// initial weights of seed + r.
    pub runs: usize,
    /// Rademacher probes of A.
    pub probes: usize,
    /// Directions of the proxy curve at every point; 0 for none.
    pub directions: usize,
    /// How to train.
    pub curriculum: Curriculum,
}

/// How the n of a grid are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// By equal factors of n + 1, which criteria depend on.
    Log,
    /// By equal steps.
    Linear,
}

impl Spacing {
    /// At most `points` n from 1 to `to`, both among them if two are allowed.
    pub fn grid(self, to: usize, points: usize) -> Vec<usize> {
        let last = points.saturating_sub(1).max(1) as f64;
        let at = |i: usize| match self {
            Spacing::Log => 2.0 * ((to as f64 + 1.0) / 2.0).powf(i as f64 / last) - 1.0,
            Spacing::Linear => 1.0 + (to as f64 - 1.0) * i as f64 / last,
        };
        let mut grid: Vec<usize> = match points {
            1 => vec![to],
            _ => (0..points).map(|i| at(i).round() as usize).collect(),
        };
        grid.dedup();
        grid
    }
}

/// The powers of two below n, and n: a grid that keeps most of its points as n moves.
pub fn doubling(n: usize) -> Vec<usize> {
    std::iter::successors(Some(1), |m| Some(m * 2)).take_while(|m| *m < n).chain([n]).collect()
}

impl Plan {
    /// The largest n.
    pub fn n(&self) -> usize {
        self.grid.last().copied().unwrap_or(0)
    }

    /// Sequences that a run looks at: the largest n and those that follow.
    pub fn sequences(&self) -> usize {
        self.n().saturating_add(self.next)
    }

    /// Check the plan against the number of sequences read.
    ///
    /// # Errors
    /// [`Error::Knob`] naming the flag, what is wrong and which values are accepted.
    pub fn check(&self, sequences: usize) -> Result<()> {
        let refuse = |flag: &'static str, what: String| Err(Error::knob(flag, what));
        if self.next == 0 || self.runs == 0 {
            let flag = if self.next == 0 { "--next" } else { "--runs" };
            return refuse(flag, "0 leaves nothing to compute; give 1 or more".into());
        }
        if self.probes < 2 {
            return refuse("--probes", "a trace with an error needs 2 probes or more".into());
        }
        if self.sequences() > sequences {
            let (n, next) = (self.n(), self.next);
            let most = sequences.saturating_sub(next);
            let what = format!(
                "{n} needs {} sequences (n and --next {next}) but {sequences} were read; use 1 to {most} or give more data",
                self.sequences()
            );
            return refuse("--n", what);
        }
        self.curriculum.check()
    }
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
    /// Residuals ‖Hu − λu‖; empty for a basis that is no eigenspace of this H^(n).
    #[serde(with = "number::many")]
    pub residuals: Vec<f64>,
    /// Products of the solve; 0 for a basis that was there.
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

impl Point {
    /// ‖g_next − g^(n)‖ of the first next sequence, against which ‖g^(n)‖ is large or small: (n + 1)‖b‖.
    pub fn next_norm(&self) -> Option<f64> {
        Some(self.next.first()?.b_norm2.sqrt() * (self.n + 1) as f64)
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::curriculum::Rows;

    #[test]
    fn grids_go_from_one_to_n_without_repeating() {
        assert_eq!(Spacing::Linear.grid(16, 4), [1, 6, 11, 16]);
        assert_eq!(Spacing::Log.grid(31, 5), [1, 3, 7, 15, 31]);
        assert_eq!(Spacing::Log.grid(4, 20), [1, 2, 3, 4]);
        assert_eq!((Spacing::Log.grid(9, 1), Spacing::Log.grid(1, 8)), (vec![9], vec![1]));
        assert_eq!((doubling(12), doubling(8), doubling(1)), (vec![1, 2, 4, 8, 12], vec![1, 2, 4, 8], vec![1]));
    }

    #[test]
    fn a_plan_that_cannot_be_done_names_the_flag() {
        let curriculum = Curriculum { rows: Rows::Newest, steps_per_sequence: 1, learning_rate: 1e-3 };
        let mode = Mode::Fixed;
        let plan = Plan { mode, grid: vec![1, 8], next: 2, runs: 1, probes: 4, directions: 0, curriculum };
        assert!(plan.check(10).is_ok());
        let said = |sequences: usize, change: fn(&mut Plan)| {
            let mut plan = plan.clone();
            change(&mut plan);
            plan.check(sequences).unwrap_err().to_string()
        };
        assert!(said(9, |_| ()).starts_with("--n: 8 needs 10 sequences (n and --next 2) but 9 were read; use 1 to 7"));
        assert!(said(10, |p| p.next = 0).starts_with("--next"));
        assert!(said(10, |p| p.runs = 0).starts_with("--runs"));
        assert!(said(10, |p| p.probes = 1).starts_with("--probes"));
        assert!(said(10, |p| p.curriculum.steps_per_sequence = 0).starts_with("--steps-per-sequence"));
    }
}
