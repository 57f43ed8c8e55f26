//! The stages and the work they take.

use serde::{Deserialize, Serialize};

/// The stages of the ladder, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Checkpoint and sequences into memory.
    Load,
    /// Values and adjoints at w*, kept for every later product.
    Linearise,
    /// Stage I: the eigenspace.
    Subspace,
    /// Stage II: a, c and B on the subspace; traces in the full space.
    Coefficients,
    /// Stage III: Monte Carlo.
    Evaluate,
    /// Curves against σ and n.
    Sweeps,
    /// What was asked for beside: [`crate::engine::knobs::Exhibit`].
    Exhibits,
    /// Points of a growth run, each with a basis and often a checkpoint of its own.
    Growth,
    /// w* on its way to a minimiser of L_n.
    Settle,
}

impl Stage {
    /// All stages in order.
    pub const ALL: [Stage; 9] = [
        Stage::Load,
        Stage::Linearise,
        Stage::Subspace,
        Stage::Coefficients,
        Stage::Evaluate,
        Stage::Sweeps,
        Stage::Exhibits,
        Stage::Growth,
        Stage::Settle,
    ];
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Stage::Load => "load",
            Stage::Linearise => "linearise",
            Stage::Subspace => "subspace",
            Stage::Coefficients => "coefficients",
            Stage::Evaluate => "evaluate",
            Stage::Sweeps => "sweeps",
            Stage::Exhibits => "exhibits",
            Stage::Growth => "growth",
            Stage::Settle => "settle",
        })
    }
}

/// Work done in a stage so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Work {
    /// Seconds of computing (pauses excluded).
    pub seconds: f64,
    /// Hessian–vector products on n sequences; products on fewer sequences count in proportion.
    pub hvps: f64,
    /// Forward passes of one sequence.
    pub passes: f64,
}
