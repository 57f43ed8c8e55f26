//! Stage times, ours against the paper's method, in one run on one problem.
//!
//! The paper's public method differentiates a fresh gradient graph for every Hessian–vector product, finds eigenpairs by
//! deflated power iteration, compresses two Hessians on 2n + 1 sequences, and evaluates two mean losses a draw. Here both
//! methods run over the same tape, so the ratios are those of the method and not of the array library; and the power
//! iteration is the corrected one (signs, re-orthogonalisation), for the paper's own reaches no stated residual.

mod costs;
mod machine;
mod stages;

use serde::Serialize;

pub use costs::{Costs, costs};
pub use machine::{Machine, matmul_gflops};

use super::device::usable;
use super::event::Event;
use super::knobs::{Knobs, Precision};
use super::problem::Problem;
use super::worker::{self, Settings};
use crate::error::Result;

/// What is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// n, k, the tolerance, the distances σ and the draws (each one evaluation of the increment), and the seed. All
    /// solvers are measured, on the leading eigenpairs.
    pub knobs: Knobs,
    /// Runs of each short measurement, of which the median counts.
    pub runs: usize,
    /// How far to go.
    pub reach: Reach,
}

/// How far a measurement goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Reach {
    /// One product alone, for large models.
    Product,
    /// Everything but the paper's eigensolver, which takes longest by far.
    Ours,
    /// Everything.
    All,
}

/// Seconds of one method, by stage.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// Mean loss of n sequences at one point.
    pub forward: f64,
    /// Gradient of the mean loss, from scratch.
    pub gradient: f64,
    /// One Hessian–vector product.
    pub hvp: f64,
    /// Stage I: k eigenpairs to the residual asked for.
    pub subspace: Option<f64>,
    /// Stage II: c and B on the basis.
    pub coefficients: Option<f64>,
    /// Stage III: the increment at `draws` points.
    pub direct_mc: Option<f64>,
}

/// Both methods.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Both<T> {
    /// This program's.
    pub ours: T,
    /// The paper's.
    pub paper: T,
}

/// The paper's seconds over ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratios {
    /// Of one product.
    pub hvp: f64,
    /// Of stage I.
    pub subspace: Option<f64>,
    /// Of stage II.
    pub coefficients: Option<f64>,
    /// Of as many evaluations of the increment.
    pub direct_mc: Option<f64>,
}

/// One eigensolver on the problem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Solver {
    /// Which, with the block size if it has one.
    pub solver: String,
    /// Products with H^(n).
    pub products: usize,
    /// Seconds.
    pub seconds: f64,
    /// The largest residual over λ_1.
    pub residual: f64,
    /// Whether every residual is within the tolerance.
    pub converged: bool,
}

/// Variance of direct Monte Carlo of J_sub over ours at as many evaluations of a sequence's loss.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VarianceRatio {
    /// Standard deviation of the probe.
    pub sigma: f64,
    /// Plain sampling's variance over that with antithetic pairs and the refined quadratic control variate.
    pub ratio: f64,
}

/// The result.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bench {
    /// Model and sizes in words.
    pub problem: String,
    /// Number of parameters.
    pub parameters: usize,
    /// Training sequences.
    pub n: usize,
    /// Eigenpairs.
    pub k: usize,
    /// Precision of the computation.
    pub precision: Precision,
    /// Seconds by stage.
    pub seconds: Both<Seconds>,
    /// The paper's seconds over ours.
    pub ratios: Ratios,
    /// The paper's method of stage I.
    pub paper_subspace: Option<Solver>,
    /// The eigensolvers side by side.
    pub solvers: Vec<Solver>,
    /// Variance of direct Monte Carlo, plain over ours.
    pub variance_ratios: Vec<VarianceRatio>,
    /// Measured ceiling: large matrix products on all threads, 10⁹ operations a second.
    pub matmul_gflops: f64,
    /// The same of one product with H^(n).
    pub hvp_gflops: f64,
    /// Part of the product's time that its matrix products take.
    pub hvp_matmul_share: f64,
    /// Where it ran.
    pub machine: Machine,
    /// The system's load averages before the run.
    pub load: [f64; 3],
}

/// Measure. `tell` hears what is being measured.
///
/// # Errors
/// What the stages report; [`crate::error::Error::Knob`] for sizes that the problem does not have.
pub fn run(problem: &Problem, plan: &Plan, settings: &Settings, tell: &mut (dyn FnMut(&str) + Send)) -> Result<Bench> {
    plan.knobs.check(problem.sequences.rows(), problem.checkpoint.parameters.len())?;
    let load = machine::load();
    let (settings, note) = usable(settings)?;
    if let Some(Event::Warning { message, .. }) = &note {
        tell(message);
    }
    worker::pool(&settings)?.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => stages::measure::<f32>(problem, plan, &settings, load, tell),
        Precision::F64 => stages::measure::<f64>(problem, plan, &settings, load, tell),
    })
}
