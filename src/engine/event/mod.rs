//! Events: all that ever happens, as the worker emits it, the recorder writes it and the [`super::readout::Readout`]
//! folds it. Each is one JSON line of a session; [`FORMAT`] changes when an old reader would misread a new line.
//! Floats that JSON cannot hold are written as [`number`] says.

mod stage;
mod subject;
mod warning;

pub use stage::{Stage, Work};
pub use subject::Subject;
pub use warning::WarningName;

use serde::{Deserialize, Serialize};

use super::growth::{Plan, Point};
use super::knobs::{Knobs, Law, SolverKind};
use super::{number, settle};
use crate::math::stats::Estimate;

/// Version of the event format.
pub const FORMAT: u32 = 1;

/// Where the draws of a Monte Carlo estimate live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// δ = U_k z with the first k columns of basis number `basis`, z ~ N(0, σ² I_k).
    Subspace {
        /// Dimension k.
        k: usize,
        /// Number of the basis ([`Event::Eigenspace`]).
        basis: u32,
    },
    /// δ ~ N(0, σ² I_P).
    Full,
}

/// How loud a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Routine.
    Info,
    /// A result is in doubt.
    Warning,
    /// Something could not be done.
    Error,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// First event of a run: what is being looked at.
    Opened(Subject),
    /// The knobs in force from here on.
    Knobs(Knobs),
    /// Memory planned, in bytes by purpose, before the first product.
    Memory {
        /// (purpose, bytes), such as ("basis", 12345).
        plan: Vec<(String, u64)>,
    },
    /// A stage began or moved; `total` is an estimate in the stage's own steps.
    Progress {
        /// Which stage.
        stage: Stage,
        /// Steps done.
        done: usize,
        /// Steps expected.
        total: usize,
        /// Work so far in this stage.
        work: Work,
    },
    /// A stage is complete for the knobs in force.
    Done {
        /// Which stage.
        stage: Stage,
        /// Its whole work.
        work: Work,
    },
    /// Losses ℓ_i(w*) of sequences `first`, `first` + 1, … in nats per token.
    Losses {
        /// Index of the first loss.
        first: usize,
        /// The losses.
        #[serde(with = "number::many")]
        losses: Vec<f64>,
    },
    /// First-order facts at w* for one n.
    Gradients {
        /// n.
        n: usize,
        /// ‖g^(n)‖.
        #[serde(with = "number::one")]
        grad_norm: f64,
        /// ‖b‖², b = (g_{n+1} − g^(n))/(n+1).
        #[serde(with = "number::one")]
        b_norm2: f64,
    },
    /// One iteration of the eigensolver.
    Iteration {
        /// Which solver.
        solver: SolverKind,
        /// n of the Hessian.
        n: usize,
        /// Hessian–vector products so far in this solve.
        products: usize,
        /// Eigenvalue estimates, largest first.
        #[serde(with = "number::many")]
        values: Vec<f64>,
        /// Residual norms ‖Hu − λu‖ beside them; `None` where not yet known.
        #[serde(with = "number::many_maybe")]
        residuals: Vec<Option<f64>>,
        /// The algebraically smallest estimates so far, smallest first.
        #[serde(with = "number::many")]
        smallest: Vec<f64>,
    },
    /// A probing subspace is ready: columns of U for n and the law in force.
    Eigenspace {
        /// Number of this basis within the session, counting up.
        basis: u32,
        /// n of the Hessian.
        n: usize,
        /// The law that chose it.
        law: Law,
        /// The solver that found it.
        solver: SolverKind,
        /// Rayleigh quotients of the columns under H^(n), in the law's order.
        #[serde(with = "number::many")]
        values: Vec<f64>,
        /// Residuals ‖Hu − λu‖.
        #[serde(with = "number::many")]
        residuals: Vec<f64>,
        /// The algebraically smallest eigenvalue estimates found on the way, smallest first.
        #[serde(with = "number::many")]
        smallest: Vec<f64>,
        /// max |UᵀU − I|.
        #[serde(with = "number::one")]
        orthonormality: f64,
        /// Products spent.
        products: usize,
        /// Estimate of λ_{k+1}, if the solver has one.
        #[serde(with = "number::maybe")]
        next: Option<f64>,
    },
    /// Quadratic model of the increment Δ_m on a basis, q(Uz) = a + cᵀz + ½ zᵀBz, for one m ≤ n.
    Coefficients {
        /// Number of the basis.
        basis: u32,
        /// m: the increment Δ_m goes from m to m + 1 sequences.
        m: usize,
        /// c = Uᵀ b, length k.
        #[serde(with = "number::many")]
        c: Vec<f64>,
        /// B = Uᵀ A U, row-major k × k.
        #[serde(with = "number::many")]
        b: Vec<f64>,
        /// ‖b‖².
        #[serde(with = "number::one")]
        b_norm2: f64,
        /// ‖(I − UUᵀ)AU‖_F / ‖AU‖_F, where it was computed.
        #[serde(with = "number::maybe")]
        leakage: Option<f64>,
    },
    /// One Rademacher probe v of A^(m) for every m = 1…n (index 0 is m = 1).
    Trace {
        /// n at which it was taken.
        n: usize,
        /// Number of the probe.
        probe: usize,
        /// vᵀA v.
        #[serde(with = "number::many")]
        quadratic: Vec<f64>,
        /// ‖A v‖².
        #[serde(with = "number::many")]
        square: Vec<f64>,
    },
    /// One antithetic pair of draws: losses of sequences 1…n+1 at w* ± δ.
    Draw {
        /// Where δ lives.
        target: Target,
        /// n.
        n: usize,
        /// σ.
        #[serde(with = "number::one")]
        sigma: f64,
        /// Number of the draw.
        index: usize,
        /// ℓ_i(w* + δ).
        #[serde(with = "number::many")]
        plus: Vec<f64>,
        /// ℓ_i(w* − δ).
        #[serde(with = "number::many")]
        minus: Vec<f64>,
        /// Full-space draws: g_iᵀδ/σ per sequence, the linear control variate. Empty in the subspace.
        #[serde(with = "number::many")]
        slopes: Vec<f64>,
    },
    /// One direction of the proxy curve: first and second derivative of L_n along ε ~ N(0, I_P).
    ProxyDirection {
        /// n.
        n: usize,
        /// Number of the direction.
        index: usize,
        /// gᵀε.
        #[serde(with = "number::one")]
        slope: f64,
        /// εᵀHε.
        #[serde(with = "number::one")]
        curvature: f64,
    },
    /// L_n(w* + σε) for one direction and σ.
    ProxyLoss {
        /// n.
        n: usize,
        /// Number of the direction.
        index: usize,
        /// σ.
        #[serde(with = "number::one")]
        sigma: f64,
        /// L_n there.
        #[serde(with = "number::one")]
        loss: f64,
    },
    /// Root mean square rounding error of a computed L_n difference in this precision, in nats.
    RoundingFloor {
        /// n.
        n: usize,
        /// Error of one difference L_n(w*+δ) − L_n(w*).
        #[serde(with = "number::one")]
        floor: f64,
        /// Points it was measured on.
        points: usize,
    },
    /// The paper's J_1: mean of |Δ_n(w* + 0.02 d)| over directions d uniform on the unit sphere.
    SphereJ1 {
        /// n.
        n: usize,
        /// |Δ_n| per direction.
        #[serde(with = "number::many")]
        values: Vec<f64>,
    },
    /// Traces of A^(n) in the full space by an estimator that knows the basis, with its leave-one-out or sample error.
    Traces {
        /// n.
        n: usize,
        /// Tr A, nats per squared parameter unit.
        trace: Estimate,
        /// ‖A‖_F², its square.
        frob2: Estimate,
        /// Products with A spent.
        products: usize,
    },
    /// Cosines of the principal angles between a new eigenspace and the one before it, largest first.
    Overlap {
        /// Number of the new basis.
        basis: u32,
        /// n of the former basis.
        former: usize,
        /// n of the new one.
        n: usize,
        /// The cosines, as many as the smaller of the two has columns.
        #[serde(with = "number::many")]
        cosines: Vec<f64>,
    },
    /// One probe of the spectral density of H^(n) by stochastic Lanczos quadrature.
    Density {
        /// n.
        n: usize,
        /// Number of the probe.
        probe: usize,
        /// Ritz values, ascending.
        #[serde(with = "number::many")]
        nodes: Vec<f64>,
        /// Their weights, which add up to 1.
        #[serde(with = "number::many")]
        weights: Vec<f64>,
    },
    /// Quadratic model of Δ_n on the subspace of a probing law that is compared with the one in force.
    LawCoefficients {
        /// The law.
        law: Law,
        /// n.
        n: usize,
        /// c = Uᵀb, one for each column the law has.
        #[serde(with = "number::many")]
        c: Vec<f64>,
        /// B = UᵀAU, row-major.
        #[serde(with = "number::many")]
        b: Vec<f64>,
        /// ‖(I − UUᵀ)AU‖_F / ‖AU‖_F.
        #[serde(with = "number::maybe")]
        leakage: Option<f64>,
    },
    /// The constants of Theorem 2 that losses alone do not give, for sequences 1…n+1.
    Constants {
        /// n.
        n: usize,
        /// ‖g_i‖.
        #[serde(with = "number::many")]
        gradients: Vec<f64>,
        /// ‖H_i‖₂, each the largest |Ritz value| and so a lower bound until its residual is small.
        #[serde(with = "number::many")]
        curvatures: Vec<f64>,
        /// Residuals of those.
        #[serde(with = "number::many")]
        residuals: Vec<f64>,
    },
    /// One pick-freeze pair: losses of sequences 1…n+1 at two points that agree in the subspace and nowhere else,
    /// w* + σ(Uz + (I − UUᵀ)ε) and w* + σ(Uz + (I − UUᵀ)ε').
    PickFreeze {
        /// Number of the basis.
        basis: u32,
        /// Dimension k.
        k: usize,
        /// n.
        n: usize,
        /// σ.
        #[serde(with = "number::one")]
        sigma: f64,
        /// Number of the pair.
        index: usize,
        /// ℓ_i at the first point.
        #[serde(with = "number::many")]
        one: Vec<f64>,
        /// ℓ_i at the second.
        #[serde(with = "number::many")]
        other: Vec<f64>,
        /// bᵀδ + ½δᵀAδ, the quadratic model of Δ_n less a, at the first and the second.
        #[serde(with = "number::many")]
        model: Vec<f64>,
    },
    /// What a growth run is going to do.
    GrowthPlan(Plan),
    /// One point of a growth run.
    Growth(Box<Point>),
    /// How w* is going to be moved toward a minimiser of L_n.
    SettlePlan(settle::Plan),
    /// A step toward it, the start being step 0.
    Settle(settle::Step),
    /// w* stays where it is now.
    Settled(settle::Outcome),
    /// A figure should not be trusted, and why.
    Warning {
        /// Which warning.
        name: WarningName,
        /// What, where, how much.
        message: String,
    },
    /// A line for the log.
    Log {
        /// How loud.
        level: Level,
        /// The line.
        text: String,
    },
    /// All stages are complete for the knobs in force.
    Idle,
    /// The worker stopped on an error; the message says what and what to do.
    Failed {
        /// The message.
        message: String,
    },
}

/// An event with the time it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stamped {
    /// Seconds since the run began.
    pub t: f64,
    /// What happened.
    pub event: Event,
}
