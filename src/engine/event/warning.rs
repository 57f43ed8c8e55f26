//! What warnings are called, and which of them put a result in doubt.

use serde::{Deserialize, Serialize};

/// Names of the warnings: when not to trust a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WarningName {
    /// Some eigenpairs did not reach the tolerance, or w* the gradient it was to settle to.
    NotConverged,
    /// The basis is not orthonormal to working precision.
    LostOrthogonality,
    /// ‖g^(n)‖ is far from 0, so w* is no minimiser of L_n.
    FarFromMinimiser,
    /// A figure lies below the rounding floor.
    BelowRoundingFloor,
    /// σ lies beyond the largest at which the quadratic model is valid.
    OutsideValidSigma,
    /// An interval is wider than the effect it measures.
    WideInterval,
    /// λ_k and λ_{k+1} are not separated: the subspace is not well defined.
    NoSpectralGap,
    /// A spectral density whose bulk is narrower than what it is smoothed over.
    UnresolvedDensity,
    /// The bound of Theorem 2 lies below what it bounds: its constants are too small.
    BoundBelowMeasured,
    /// Matrix products round their factors to TF32.
    RoundedProducts,
    /// Numbers computed the paper's way carry its artefacts.
    PaperMethod,
    /// The last line of a session was torn and dropped.
    TornSession,
    /// The GPU asked for cannot be used, so the processor computes.
    NoGpu,
}

impl WarningName {
    /// Whether it puts a result in doubt; the others say under which conditions a sound result was obtained.
    pub fn doubts_a_result(self) -> bool {
        !matches!(self, WarningName::FarFromMinimiser | WarningName::PaperMethod) && !self.lasts()
    }

    /// Whether it speaks of the whole run: no knob does away with it.
    pub fn lasts(self) -> bool {
        matches!(self, WarningName::TornSession | WarningName::NoGpu)
    }
}
