//! The document of `eigentop measure`. Field names are a contract: scripts and papers read them.
//!
//! Figures that are not known (a run cut short, a session still young) are `null` or missing from their list. Floats
//! that JSON cannot hold, such as the standard error of a single draw, are `null` too.

use serde::Serialize;

use super::decomposition::{self, Decomposition};
use super::exhibits::{Audience, Exhibits, Titled};
use crate::engine::event::{FORMAT, Stage, WarningName};
use crate::engine::knobs::{Law, Method, Precision, SolverKind};
use crate::engine::probe::HvpProbe;
use crate::engine::readout::{Readout, Standing};
use crate::math::stats::Estimate;

/// All figures of a run. Losses are in nats per token, criteria J in nats².
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// The model's configuration, as read.
    pub config: serde_json::Value,
    /// Number of parameters P.
    pub parameters: usize,
    /// Training sequences in L_n.
    pub n: usize,
    /// Dimension of the subspace solved for.
    pub k: usize,
    /// Seed of every random stream.
    pub seed: u64,
    /// Precision of values and derivatives.
    pub precision: Precision,
    /// Device in words.
    pub device: String,
    /// Exact or the paper's method.
    pub method: Method,
    /// Probing law.
    pub law: Law,
    /// Versions of what computed and wrote this.
    pub versions: Versions,
    /// Fingerprints (BLAKE3, hex) of what was looked at.
    pub fingerprints: Fingerprints,
    /// ℓ_i(w*) of every sequence read.
    pub losses: Vec<f64>,
    /// L_n(w*).
    pub loss_n: Option<f64>,
    /// L_{n+1}(w*).
    pub loss_n1: Option<f64>,
    /// a = Δ_n(w*).
    pub a: Option<f64>,
    /// J_1 = |a|.
    pub j1: Option<f64>,
    /// ‖g^(n)‖.
    pub grad_norm: Option<f64>,
    /// ‖b‖².
    pub b_norm2: Option<f64>,
    /// Rayleigh quotients of the basis under H^(n), in the law's order.
    pub eigenvalues: Vec<f64>,
    /// ‖Hu − λu‖ of each.
    pub residuals: Vec<f64>,
    /// max |UᵀU − I|.
    pub orthonormality: Option<f64>,
    /// Hessian–vector products the solver took.
    pub hvp_count: Option<usize>,
    /// The solver that found the basis.
    pub solver: SolverKind,
    /// J_sub for each k asked.
    pub subspace: Vec<Subspace>,
    /// Traces of the increment's Hessian A in the full space.
    pub full_traces: Option<FullTraces>,
    /// J_full for each σ asked.
    pub full: Vec<Full>,
    /// J_sub/J_full and shares for each k and σ asked.
    pub ratio: Vec<Ratio>,
    /// J = mean² + variance for each k and σ asked and in the full space.
    pub decomposition: Vec<Decomposition>,
    /// Error of the quadratic model by σ.
    pub proxy: Vec<Proxy>,
    /// What was computed beside, and what needs no computing more.
    pub exhibits: Exhibits,
    /// Time and work of each stage.
    pub stages: Vec<StageCost>,
    /// When not to trust a figure.
    pub warnings: Vec<Warning>,
    /// One Hessian–vector product that another implementation can repeat, where it was asked for.
    #[serde(flatten)]
    pub probe: Option<HvpProbe>,
}

/// Versions of what computed and wrote a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// Version of eigentop that computed the figures.
    pub eigentop: String,
    /// Version of the event format they were folded from.
    pub format: u32,
}

/// Fingerprints (BLAKE3, hex).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fingerprints {
    /// Of the checkpoint's parameters and configuration.
    pub checkpoint: String,
    /// Of the sequences.
    pub data: String,
}

/// J_sub for one k.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Subspace {
    /// Dimension.
    pub k: usize,
    /// ‖c‖².
    pub c_norm2: f64,
    /// Tr B.
    pub trace_b: f64,
    /// ‖B‖_F².
    pub frob2_b: f64,
    /// The criterion for each σ asked.
    pub j: Vec<SubspaceJ>,
}

/// J_sub(k, σ) by every estimator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SubspaceJ {
    /// σ.
    pub sigma: f64,
    /// Gaussian moment, closed form.
    pub gm: f64,
    /// Quadratic Monte Carlo.
    pub quadratic: Option<Estimate>,
    /// Direct Monte Carlo.
    pub direct: Option<Estimate>,
    /// Direct Monte Carlo with the quadratic model as control variate.
    pub direct_cv: Option<Estimate>,
}

/// Traces of A in the full space.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FullTraces {
    /// Tr A.
    pub trace_a: Estimate,
    /// ‖A‖_F².
    pub frob2_a: Estimate,
}

/// J_full(σ) by every estimator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Full {
    /// σ.
    pub sigma: f64,
    /// Direct Monte Carlo.
    pub mc: Option<Estimate>,
    /// Monte Carlo with the linear model as control variate.
    pub mc_cv: Option<Estimate>,
    /// Closed form at the mean traces.
    pub gm: Option<f64>,
    /// Standard error of `gm`, from that of the traces.
    pub gm_stderr: Option<f64>,
}

/// J_sub/J_full for one k and σ, with 95 % interval, and how much of the deformation lives in the subspace.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ratio {
    /// Dimension.
    pub k: usize,
    /// σ.
    pub sigma: f64,
    /// J_sub/J_full.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Var_sub/Var_full.
    pub share: Option<f64>,
    /// Lower end of its interval.
    pub share_low: Option<f64>,
    /// Upper end.
    pub share_high: Option<f64>,
    /// ‖c‖²/‖b‖².
    pub gradient_share: Option<f64>,
    /// ‖B‖_F²/‖A‖_F².
    pub curvature_share: Option<f64>,
    /// Lower end of its interval.
    pub curvature_share_low: Option<f64>,
    /// Upper end.
    pub curvature_share_high: Option<f64>,
}

/// Error of L_n's quadratic model at one σ of isotropic perturbations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Proxy {
    /// σ.
    pub sigma: f64,
    /// |ΔL − model|, nats.
    pub abs_err: Estimate,
    /// |ΔL − model| / |ΔL|.
    pub rel_err: Estimate,
    /// Median of the relative error.
    pub rel_err_median: f64,
    /// Rounding error of one computed loss difference, nats.
    pub rounding_floor: f64,
}

/// Time and work of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageCost {
    /// Which stage.
    pub stage: Stage,
    /// Seconds of computing.
    pub seconds: f64,
    /// Hessian–vector products on n sequences.
    pub hvps: f64,
    /// Forward passes of one sequence.
    pub sequence_passes: f64,
}

/// When not to trust a figure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Its name.
    pub name: WarningName,
    /// What, where, how much.
    pub message: String,
}

impl Document {
    /// All figures known to a readout; `None` before the checkpoint was opened.
    pub fn of(readout: &Readout) -> Option<Document> {
        let subject = readout.subject.as_ref()?;
        let knobs = &readout.knobs;
        let n = readout.shown_n();
        let a = readout.increment(n);
        let gradients = readout.here().and_then(|here| here.gradients);
        let eigenspace = readout.eigenspace.as_ref();
        Some(Document {
            config: subject.config.clone(),
            parameters: subject.parameters,
            n,
            k: knobs.k(),
            seed: knobs.seed,
            precision: subject.precision,
            device: subject.device.clone(),
            method: knobs.method,
            law: knobs.law,
            versions: Versions { eigentop: subject.version.clone(), format: FORMAT },
            fingerprints: Fingerprints { checkpoint: subject.checkpoint.clone(), data: subject.data.clone() },
            losses: readout.losses.clone(),
            loss_n: readout.loss(n),
            loss_n1: readout.loss(n + 1),
            a,
            j1: a.map(f64::abs),
            grad_norm: gradients.map(|g| g.grad_norm),
            b_norm2: readout.b_norm2.get(&n).copied(),
            eigenvalues: eigenspace.map(|e| e.values.clone()).unwrap_or_default(),
            residuals: eigenspace.map(|e| e.residuals.clone()).unwrap_or_default(),
            orthonormality: eigenspace.map(|e| e.orthonormality),
            hvp_count: eigenspace.map(|e| e.products),
            solver: eigenspace.map_or(knobs.solver, |e| e.solver),
            subspace: knobs.ks.iter().filter_map(|k| subspace(readout, *k)).collect(),
            // The traces do not depend on σ: any will do.
            full_traces: readout
                .full_moments(n, knobs.sigma)
                .map(|f| FullTraces { trace_a: f.trace, frob2_a: f.frob2 }),
            full: knobs.sigmas.iter().map(|sigma| full(readout, *sigma)).collect(),
            ratio: knobs.places().filter_map(|(k, sigma)| ratio(readout, k, sigma)).collect(),
            decomposition: decomposition::of(readout),
            proxy: readout.proxy().into_iter().map(Proxy::from).collect(),
            exhibits: Exhibits::of(readout),
            stages: stages(readout),
            warnings: warnings(readout),
            probe: None,
        })
    }

    /// The decomposition and every exhibit but growth as tables; those without rows are left out.
    pub fn tables(&self) -> Vec<Titled> {
        let decomposition = decomposition::table(&self.decomposition);
        let known = (!decomposition.table.rows.is_empty()).then_some(decomposition);
        known.into_iter().chain(self.exhibits.tables()).collect()
    }

    /// Those that are short enough to read.
    pub(super) fn short_tables(&self) -> impl Iterator<Item = Titled> {
        self.tables().into_iter().filter(|exhibit| exhibit.audience == Audience::Everyone)
    }
}

fn subspace(readout: &Readout, k: usize) -> Option<Subspace> {
    let q = readout.quadratic().filter(|q| k <= q.k())?;
    let j = |sigma: f64| {
        let s = readout.subspace(k, sigma)?;
        let (gm, quadratic, direct, direct_cv) = (s.gm.j(), s.quadratic, s.direct, s.direct_cv);
        Some(SubspaceJ { sigma, gm, quadratic, direct, direct_cv })
    };
    Some(Subspace {
        k,
        c_norm2: q.c_norm2(k),
        trace_b: q.trace(k),
        frob2_b: q.frob2(k),
        j: readout.knobs.sigmas.iter().filter_map(|sigma| j(*sigma)).collect(),
    })
}

fn full(readout: &Readout, sigma: f64) -> Full {
    let estimates = readout.full(sigma);
    let moments = readout.full_moments(readout.shown_n(), sigma);
    Full {
        sigma,
        mc: estimates.mc,
        mc_cv: estimates.mc_cv,
        gm: moments.map(|f| f.moments.j()),
        gm_stderr: moments.map(|f| f.j_stderr),
    }
}

fn ratio(readout: &Readout, k: usize, sigma: f64) -> Option<Ratio> {
    let ratio = readout.ratio(k, sigma)?;
    let shares = readout.shares(readout.shown_n(), k, sigma);
    Some(Ratio {
        k,
        sigma,
        value: ratio.value,
        low: ratio.low,
        high: ratio.high,
        share: shares.map(|s| s.total.value),
        share_low: shares.map(|s| s.total.low),
        share_high: shares.map(|s| s.total.high),
        gradient_share: shares.map(|s| s.gradient),
        curvature_share: shares.map(|s| s.curvature.value),
        curvature_share_low: shares.map(|s| s.curvature.low),
        curvature_share_high: shares.map(|s| s.curvature.high),
    })
}

/// The warnings in force.
pub(super) fn warnings(readout: &Readout) -> Vec<Warning> {
    readout.warnings.iter().map(|(name, message)| Warning { name: *name, message: message.clone() }).collect()
}

fn stages(readout: &Readout) -> Vec<StageCost> {
    let begun = readout.stages.iter().filter(|(_, state)| state.standing != Standing::Waiting);
    begun
        .map(|(stage, state)| StageCost {
            stage: *stage,
            seconds: state.work.seconds,
            hvps: state.work.hvps,
            sequence_passes: state.work.passes,
        })
        .collect()
}

impl From<crate::criteria::proxy::Point> for Proxy {
    fn from(point: crate::criteria::proxy::Point) -> Proxy {
        Proxy {
            sigma: point.sigma,
            abs_err: point.absolute,
            rel_err: point.relative,
            rel_err_median: point.relative_median,
            rounding_floor: point.floor,
        }
    }
}
