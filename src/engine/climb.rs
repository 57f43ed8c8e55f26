//! One climb of the ladder: runs the stages in order and keeps what later climbs can reuse.

use std::collections::BTreeSet;

use super::emitter::Emitter;
use super::event::{Event, Level};
use super::knobs::{Knobs, Law, Method, SolverKind};
use super::memory;
use super::problem::Landscape;
use crate::diff::risk::Risk;
use crate::error::Result;
use crate::math::array::Real;
use crate::spectrum::solver::Eigenspace;

/// A probing subspace with what it was found for.
pub(super) struct Found<T> {
    /// Its number in the session.
    pub number: u32,
    /// What it depends on.
    pub key: SubspaceKey,
    /// U with Rayleigh quotients and images H^(n)U.
    pub space: Eigenspace<T>,
    /// Whether U is a Rayleigh–Ritz basis, so that UᵀH^(n)U = Λ exactly.
    pub ritz: Ritz,
}

/// Whether a basis makes the projected Hessian diagonal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ritz {
    /// UᵀHU = Λ.
    Diagonal,
    /// UᵀHU has to be computed.
    Full,
}

/// The knobs that stage I depends on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SubspaceKey {
    pub n: usize,
    pub k: usize,
    pub solver: SolverKind,
    pub tol: f64,
    pub law: Law,
    pub method: Method,
    pub seed: u64,
}

impl SubspaceKey {
    pub(super) fn of(knobs: &Knobs) -> SubspaceKey {
        let Knobs { n, solver, tol, law, method, seed, .. } = *knobs;
        SubspaceKey { n, k: knobs.k().min(law.most(n)), solver, tol, law, method, seed }
    }
}

/// The worker's state for one landscape in one precision.
pub(super) struct Climb<T> {
    pub landscape: Box<dyn Landscape>,
    pub risk: Risk<T>,
    pub emitter: Emitter,
    /// Bytes that may be used.
    memory: u64,
    /// Columns that the eigensolver may hold, by the memory plan.
    pub columns: usize,
    pub found: Option<Found<T>>,
    /// Number of the basis whose coefficients are out.
    pub coefficients_of: Option<u32>,
    /// ‖AU‖_F² of that basis, where its B is exact.
    pub image2: Option<f64>,
    /// Number of the basis whose curves against n are out.
    pub swept: Option<u32>,
    /// What the compared laws were solved for, whatever its law, and which of them are out.
    pub compared: Option<(SubspaceKey, BTreeSet<Law>)>,
    pub bases: u32,
}

impl<T: Real> Climb<T> {
    /// At the foot of `landscape`, whose risk in this precision is `risk`, with so many bytes of memory.
    pub(super) fn new(risk: Risk<T>, landscape: Box<dyn Landscape>, emitter: Emitter, memory: u64) -> Climb<T> {
        let (found, coefficients_of, image2, swept, compared) = Default::default();
        let (columns, bases) = (0, 0);
        Climb { landscape, risk, emitter, memory, columns, found, coefficients_of, image2, swept, compared, bases }
    }

    /// Climb from the first stage that the knobs in force ask for to the last.
    ///
    /// # Errors
    /// [`crate::error::Error::Cancelled`] when the work was superseded; what stopped it otherwise.
    pub(super) fn ascend(&mut self) -> Result<()> {
        self.emitter.adopt();
        self.plan_memory()?;
        self.linearise()?;
        self.emitter.checkpoint()?;
        self.subspace()?;
        self.emitter.checkpoint()?;
        self.coefficients()?;
        self.emitter.checkpoint()?;
        self.evaluate()?;
        self.emitter.checkpoint()?;
        self.sweeps()?;
        self.emitter.checkpoint()?;
        self.exhibits()?;
        self.emitter.emit(Event::Idle);
        Ok(())
    }

    /// The knobs in force.
    pub(super) fn knobs(&self) -> Knobs {
        self.emitter.control.knobs()
    }

    /// Make the memory plan, announce a new one, and let the risk keep as many linearisations as it says.
    fn plan_memory(&mut self) -> Result<()> {
        let knobs = self.knobs();
        self.risk.make_room(memory::solve_room(&knobs, self.risk.parameters()))?;
        let plan = memory::plan(&self.risk, &knobs, self.memory)?;
        self.risk.keep(plan.kept);
        self.columns = plan.columns;
        if plan.parts != self.emitter.readout.memory {
            let parts: Vec<String> = plan.parts.iter().map(|(p, b)| format!("{p} {}", memory::human(*b))).collect();
            let kept = if plan.kept > knobs.n {
                "all linearisations are kept".to_owned()
            } else {
                format!("{} of {} linearisations are kept, the others made for every product", plan.kept, knobs.n + 1)
            };
            let place = match plan.on_device {
                None => String::new(),
                Some(all) if all == plan.columns => ", all in the GPU's memory".to_owned(),
                Some(some) => format!(", {some} in the GPU's memory and {} on the host", plan.columns - some),
            };
            self.emitter.log(format!(
                "memory plan, of {}: {}; {kept}; the solver may hold {} columns{place}",
                memory::human(self.memory),
                parts.join(", "),
                plan.columns
            ));
            self.emitter.emit(Event::Memory { plan: plan.parts });
        }
        Ok(())
    }

    pub(super) fn warn(&mut self, text: String) {
        self.emitter.emit(Event::Log { level: Level::Warning, text });
    }
}
