//! What the paper's Table 3 compares: the three stages of J_sub, and stage III by each estimator.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::stages::{PRODUCTS_PER_PAIR, draws};
use crate::criteria::increment::increment;
use crate::criteria::projection;
use crate::criteria::quadratic::Coefficients;
use crate::diff::risk::{Interrupt, Risk};
use crate::engine::hessian::{Hessian, block, solve};
use crate::engine::knobs::{Knobs, Precision};
use crate::engine::memory;
use crate::engine::problem::Problem;
use crate::engine::worker::{self, Settings};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::dense::diagonal;
use crate::math::stream::{Purpose, Stream};
use crate::spectrum::solver::{Request, Start};

/// Seconds of one repeat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Fingerprint (BLAKE3, hex) of the checkpoint.
    pub checkpoint: String,
    /// Seed of the start and the draws.
    pub seed: u64,
    /// Training sequences.
    pub n: usize,
    /// Dimension of the subspace.
    pub k: usize,
    /// Draws of the two Monte Carlo estimators, each one evaluation of the increment or of its model.
    pub draws: usize,
    /// Stage I: the top eigenspace from a random start.
    pub subspace: f64,
    /// Its products.
    pub products: usize,
    /// Stage II: c and B.
    pub coefficients: f64,
    /// Stage III by direct Monte Carlo, the mean loss on n + 1 and on n sequences at every draw.
    pub direct: f64,
    /// Stage III by quadratic Monte Carlo.
    pub quadratic: f64,
    /// Stage III by the closed form.
    pub moment: f64,
}

/// The closed form is over before a clock has moved: it is timed this many times in a row.
const MOMENTS: usize = 1000;

impl Costs {
    /// Whether it is a repeat of what `knobs` ask on this problem.
    pub fn is_of(&self, problem: &Problem, knobs: &Knobs) -> bool {
        let asked = (knobs.seed, knobs.n, knobs.k(), knobs.draws);
        self.checkpoint == problem.checkpoint.fingerprint() && (self.seed, self.n, self.k, self.draws) == asked
    }
}

/// Measure one repeat at the first σ; repeats differ in `knobs.seed`.
///
/// # Errors
/// What the stages report; [`crate::error::Error::Knob`] for sizes that the problem does not have.
pub fn costs(problem: &Problem, knobs: &Knobs, settings: &Settings) -> Result<Costs> {
    knobs.check(problem.sequences.rows(), problem.checkpoint.parameters.len())?;
    worker::pool(settings)?.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => measure::<f32>(problem, knobs, settings),
        Precision::F64 => measure::<f64>(problem, knobs, settings),
    })
}

fn measure<T: Real>(problem: &Problem, knobs: &Knobs, settings: &Settings) -> Result<Costs> {
    let never: Interrupt = Arc::new(|| Ok(()));
    let mut risk: Risk<T> = problem.risk(never);
    let memory = memory::plan(&risk, knobs, memory::limit(settings.memory))?;
    risk.keep(memory.kept);
    let (n, k, sigma) = (knobs.n, knobs.k(), knobs.sigmas.first().copied().unwrap_or(knobs.sigma));
    let losses = risk.linearise(0..n + 1)?;
    let request = Request {
        columns: Some(memory.columns),
        block: block(n),
        ..Request::new(k, knobs.tol, PRODUCTS_PER_PAIR * k, knobs.seed)
    };
    let began = Instant::now();
    let mut hessian = Hessian { risk: &risk, sequences: 0..n };
    let space = solve(&mut hessian, knobs.solver, &request, Start::Random, &mut |_| ())?;
    let subspace = began.elapsed().as_secs_f64();

    let began = Instant::now();
    let c = projection::gradient(&risk, &space.vectors, n)?;
    let b = projection::curvature(&risk, &space, &diagonal(&space.values), n)?.b;
    let coefficients = began.elapsed().as_secs_f64();

    // Fills the buffers.
    risk.losses(&[risk.point()], 0..n + 1)?;
    let began = Instant::now();
    draws(&risk, knobs, &space.vectors)?;
    let direct = began.elapsed().as_secs_f64();

    let model = Coefficients { a: increment(&losses, n).unwrap_or(f64::NAN), c, b };
    let began = Instant::now();
    let square = |index: usize| {
        let z = Stream::new(knobs.seed, Purpose::Subspace, index as u64).normals(k);
        model.value(sigma, &z).powi(2)
    };
    std::hint::black_box((0..knobs.draws).map(square).sum::<f64>());
    let quadratic = began.elapsed().as_secs_f64();

    let began = Instant::now();
    for _ in 0..MOMENTS {
        std::hint::black_box(std::hint::black_box(&model).moments(k, std::hint::black_box(sigma)).j());
    }
    let moment = began.elapsed().as_secs_f64() / MOMENTS as f64;
    Ok(Costs {
        checkpoint: problem.checkpoint.fingerprint(),
        seed: knobs.seed,
        n,
        k,
        draws: knobs.draws,
        subspace,
        products: space.products,
        coefficients,
        direct,
        quadratic,
        moment,
    })
}
