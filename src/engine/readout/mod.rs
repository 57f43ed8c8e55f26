//! The readout: all that is known so far, as a pure fold over events. Every front end draws from it and from nothing
//! else, so a replay shows what the live run showed.
//!
//! This file folds; [`views`] derives the figures (estimates, ratios, shares, curves) from what was folded. What a run
//! computes beside its question has a place of its own, [`exhibits`], and growth its own curves, [`growth`].

pub mod agreement;
pub mod exhibits;
pub mod growth;
pub mod views;

use std::collections::{BTreeMap, HashMap, VecDeque};

use self::exhibits::Exhibits;
use super::event::{Event, Level, Stage, Stamped, Subject, Target, WarningName, Work};
use super::knobs::{Knobs, Law, SolverKind};
use super::ladder;
use crate::criteria::increment::increment;
use crate::criteria::quadratic::Coefficients;
use crate::math::stream::{Purpose, Stream};

/// Lines of log kept.
const LOG_LINES: usize = 2000;

/// How far a stage is, for the knobs in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// Not begun: nothing to show, or what is shown belongs to former knobs.
    #[default]
    Waiting,
    /// Under way.
    Running,
    /// Complete.
    Complete,
}

/// Progress of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StageState {
    /// How far it is.
    pub standing: Standing,
    /// Steps done.
    pub done: usize,
    /// Steps expected.
    pub total: usize,
    /// Work so far; of the latest complete pass once complete.
    pub work: Work,
}

/// What the worker is doing as a whole.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum State {
    /// Reading the checkpoint.
    #[default]
    Loading,
    /// In a stage.
    Running(Stage),
    /// All stages complete for the knobs in force.
    Idle,
    /// Stopped on an error.
    Failed(String),
}

/// One iteration of an eigensolver.
#[derive(Debug, Clone, PartialEq)]
pub struct Iteration {
    /// Products so far.
    pub products: usize,
    /// Eigenvalue estimates, largest first.
    pub values: Vec<f64>,
    /// Residuals, where known.
    pub residuals: Vec<Option<f64>>,
}

/// The course of one solve.
#[derive(Debug, Clone, PartialEq)]
pub struct Solve {
    /// Which solver.
    pub solver: SolverKind,
    /// n of the Hessian.
    pub n: usize,
    /// Iterations in order.
    pub iterations: Vec<Iteration>,
    /// The algebraically smallest estimates so far, smallest first.
    pub smallest: Vec<f64>,
}

/// A finished probing subspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenspace {
    /// Its number.
    pub basis: u32,
    /// n of the Hessian.
    pub n: usize,
    /// The law that chose it.
    pub law: Law,
    /// The solver that found it.
    pub solver: SolverKind,
    /// Rayleigh quotients.
    pub values: Vec<f64>,
    /// Residuals.
    pub residuals: Vec<f64>,
    /// The negative end found on the way, smallest first.
    pub smallest: Vec<f64>,
    /// max |UᵀU − I|.
    pub orthonormality: f64,
    /// Products spent.
    pub products: usize,
    /// Estimate of λ_{k+1}.
    pub next: Option<f64>,
}

/// First-order facts at w* for one n.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gradients {
    /// ‖g^(n)‖.
    pub grad_norm: f64,
    /// ‖b‖².
    pub b_norm2: f64,
}

/// One antithetic pair of draws.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawPair {
    /// Number of the draw.
    pub index: usize,
    /// ℓ_i(w* + δ), i = 1…n+1.
    pub plus: Vec<f64>,
    /// ℓ_i(w* − δ).
    pub minus: Vec<f64>,
    /// Linear part of the control variate at σ = 1: cᵀz in the subspace, bᵀε in the full space.
    pub linear: f64,
    /// Quadratic part zᵀBz in the subspace; 0 in the full space, where the control is linear.
    pub quadratic: f64,
    /// The standard normals z in the subspace; empty in the full space.
    pub z: Vec<f64>,
}

/// One Rademacher probe: figures for m = 1…n at index m − 1.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceProbe {
    /// vᵀA^(m)v.
    pub quadratic: Vec<f64>,
    /// ‖A^(m)v‖².
    pub square: Vec<f64>,
}

/// One direction of the proxy curve.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyDirection {
    /// gᵀε.
    pub slope: f64,
    /// εᵀHε.
    pub curvature: f64,
    /// (σ, L_n(w* + σε)).
    pub losses: Vec<(f64, f64)>,
}

/// Facts that belong to one n.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AtN {
    /// First-order facts.
    pub gradients: Option<Gradients>,
    /// Trace probes.
    pub traces: Vec<TraceProbe>,
    /// Proxy directions by number.
    pub proxy: BTreeMap<usize, ProxyDirection>,
    /// Rounding error of one loss difference, nats, and the points it was measured on.
    pub floor: Option<(f64, usize)>,
    /// |Δ_n| on the paper's sphere.
    pub sphere: Vec<f64>,
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Seconds since the run began.
    pub t: f64,
    /// How loud.
    pub level: Level,
    /// The line.
    pub text: String,
}

/// All that is known so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readout {
    /// Time of the last event, seconds since the run began.
    pub t: f64,
    /// What is being looked at.
    pub subject: Option<Subject>,
    /// The knobs in force.
    pub knobs: Knobs,
    /// What the worker is doing.
    pub state: State,
    /// Stages by their standing.
    pub stages: BTreeMap<Stage, StageState>,
    /// Memory planned: (purpose, bytes).
    pub memory: Vec<(String, u64)>,
    /// ℓ_i(w*) of all sequences read.
    pub losses: Vec<f64>,
    /// The solve under way or last finished.
    pub solve: Option<Solve>,
    /// The solve before it, kept as a dimmed trace.
    pub former: Option<Solve>,
    /// The latest finished subspace; it may belong to former knobs while a new one is sought.
    pub eigenspace: Option<Eigenspace>,
    /// Coefficients of the latest basis by m.
    pub coefficients: BTreeMap<usize, Coefficients>,
    /// ‖(I − UUᵀ)AU‖_F / ‖AU‖_F of the latest basis at its n.
    pub leakage: Option<f64>,
    /// ‖b‖² by m.
    pub b_norm2: BTreeMap<usize, f64>,
    /// Facts by n.
    pub at: BTreeMap<usize, AtN>,
    /// Warnings in force.
    pub warnings: BTreeMap<WarningName, String>,
    /// The log, oldest first.
    pub log: VecDeque<LogLine>,
    /// What was computed beside.
    pub exhibits: Exhibits,
    draws: HashMap<(Target, usize, u64), Vec<DrawPair>>,
}

impl Readout {
    /// Fold one event.
    pub fn apply(&mut self, stamped: &Stamped) {
        self.t = self.t.max(stamped.t);
        match &stamped.event {
            Event::Opened(subject) => {
                // A new run: nothing of a former one may be mistaken for it.
                *self = Readout { t: self.t, subject: Some(subject.clone()), ..Readout::default() };
            }
            Event::Knobs(knobs) => self.turn(knobs),
            Event::Memory { plan } => self.memory.clone_from(plan),
            Event::Progress { stage, done, total, work } => {
                self.state = State::Running(*stage);
                let state = StageState { standing: Standing::Running, done: *done, total: *total, work: *work };
                self.stages.insert(*stage, state);
            }
            Event::Done { stage, work } => {
                let state = self.stages.entry(*stage).or_default();
                *state =
                    StageState { standing: Standing::Complete, done: state.total, total: state.total, work: *work };
            }
            Event::Losses { first, losses } => {
                self.losses.truncate(*first);
                self.losses.extend(losses);
            }
            Event::Gradients { n, grad_norm, b_norm2 } => {
                self.at.entry(*n).or_default().gradients = Some(Gradients { grad_norm: *grad_norm, b_norm2: *b_norm2 });
                self.b_norm2.insert(*n, *b_norm2);
            }
            Event::Iteration { solver, n, products, values, residuals, smallest } => {
                let iteration = Iteration { products: *products, values: values.clone(), residuals: residuals.clone() };
                self.iterate(*solver, *n, iteration, smallest);
            }
            Event::Eigenspace {
                basis,
                n,
                law,
                solver,
                values,
                residuals,
                smallest,
                orthonormality,
                products,
                next,
            } => {
                self.eigenspace = Some(Eigenspace {
                    basis: *basis,
                    n: *n,
                    law: *law,
                    solver: *solver,
                    values: values.clone(),
                    residuals: residuals.clone(),
                    smallest: smallest.clone(),
                    orthonormality: *orthonormality,
                    products: *products,
                    next: *next,
                });
            }
            Event::Coefficients { basis, m, c, b, b_norm2, leakage } => {
                if self.eigenspace.as_ref().is_some_and(|e| e.basis == *basis) {
                    self.set_coefficients(*basis, *m, c, b, *leakage);
                }
                self.b_norm2.insert(*m, *b_norm2);
            }
            Event::Trace { n, quadratic, square, .. } => {
                let probe = TraceProbe { quadratic: quadratic.clone(), square: square.clone() };
                self.at.entry(*n).or_default().traces.push(probe);
            }
            Event::Draw { target, n, sigma, index, plus, minus, slopes } => {
                self.draw(*target, *n, *sigma, *index, plus, minus, slopes);
            }
            Event::ProxyDirection { n, index, slope, curvature } => {
                let direction = ProxyDirection { slope: *slope, curvature: *curvature, losses: Vec::new() };
                self.at.entry(*n).or_default().proxy.insert(*index, direction);
            }
            Event::ProxyLoss { n, index, sigma, loss } => {
                if let Some(direction) = self.at.entry(*n).or_default().proxy.get_mut(index) {
                    direction.losses.push((*sigma, *loss));
                }
            }
            Event::RoundingFloor { n, floor, points } => {
                self.at.entry(*n).or_default().floor = Some((*floor, *points));
            }
            Event::SphereJ1 { n, values } => self.at.entry(*n).or_default().sphere.clone_from(values),
            Event::Traces { .. }
            | Event::Overlap { .. }
            | Event::Density { .. }
            | Event::LawCoefficients { .. }
            | Event::Constants { .. }
            | Event::PickFreeze { .. }
            | Event::GrowthPlan(_)
            | Event::Growth(_)
            | Event::SettlePlan(_)
            | Event::Settle(_)
            | Event::Settled(_) => self.exhibit(&stamped.event),
            Event::Warning { name, message } => {
                self.warnings.insert(*name, message.clone());
                self.note(stamped.t, Level::Warning, message);
            }
            Event::Log { level, text } => self.note(stamped.t, *level, text),
            Event::Idle => self.state = State::Idle,
            Event::Failed { message } => {
                self.state = State::Failed(message.clone());
                self.note(stamped.t, Level::Error, message);
            }
        }
    }

    /// New knobs: stages from the first one they invalidate on are waiting again; their old results stay, as stale.
    fn turn(&mut self, knobs: &Knobs) {
        let first = ladder::invalidated(&self.knobs, knobs);
        if let Some(first) = first {
            for (_, state) in self.stages.range_mut(first..) {
                state.standing = Standing::Waiting;
            }
            // Warnings speak of figures; those computed anew will warn anew.
            self.warnings.retain(|name, _| name.lasts());
        }
        if knobs.seed != self.knobs.seed {
            self.draws.clear();
            self.at.clear();
            self.exhibits = Exhibits::default();
        }
        self.knobs = knobs.clone();
    }

    fn iterate(&mut self, solver: SolverKind, n: usize, iteration: Iteration, smallest: &[f64]) {
        let goes_on = self.solve.as_ref().is_some_and(|s| {
            s.solver == solver && s.n == n && s.iterations.last().is_some_and(|i| i.products < iteration.products)
        });
        if !goes_on {
            self.former = self.solve.take();
            self.solve = Some(Solve { solver, n, iterations: Vec::new(), smallest: Vec::new() });
        }
        if let Some(solve) = &mut self.solve {
            solve.iterations.push(iteration);
            solve.smallest = smallest.to_vec();
        }
    }

    fn set_coefficients(&mut self, basis: u32, m: usize, c: &[f64], b: &[f64], leakage: Option<f64>) {
        let Some(a) = increment(&self.losses, m) else { return };
        if m == self.eigenspace.as_ref().map_or(0, |e| e.n) {
            // The first coefficients of a new basis: curves and draws of the former one are no longer comparable.
            self.coefficients.clear();
            self.exhibits.pick_freeze.clear();
            self.leakage = leakage;
            self.draws.retain(|(target, ..), _| match target {
                Target::Subspace { basis: of, .. } => *of == basis,
                Target::Full => true,
            });
        }
        self.coefficients.insert(m, Coefficients { a, c: c.to_vec(), b: b.to_vec() });
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of one event")]
    fn draw(
        &mut self,
        target: Target,
        n: usize,
        sigma: f64,
        index: usize,
        plus: &[f64],
        minus: &[f64],
        slopes: &[f64],
    ) {
        let (linear, quadratic, z) = match target {
            Target::Subspace { k, basis } => {
                let current = self.eigenspace.as_ref().is_some_and(|e| e.basis == basis);
                match self.coefficients.get(&n) {
                    Some(q) if current && k <= q.k() => {
                        let z = Stream::new(self.knobs.seed, Purpose::Subspace, index as u64).normals(k);
                        let (linear, quadratic) = q.parts(&z);
                        (linear, quadratic, z)
                    }
                    _ => return,
                }
            }
            Target::Full => (increment(slopes, n).unwrap_or(0.0), 0.0, Vec::new()),
        };
        let pair = DrawPair { index, plus: plus.to_vec(), minus: minus.to_vec(), linear, quadratic, z };
        self.draws.entry((target, n, sigma.to_bits())).or_default().push(pair);
    }

    fn note(&mut self, t: f64, level: Level, text: &str) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(LogLine { t, level, text: text.to_owned() });
    }
}
