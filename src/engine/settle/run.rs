//! The run itself: Newton steps on L_n, each recorded, the lowest point kept whatever ends it.

use std::sync::Arc;

use super::{Outcome, Plan, Step, Taken};
use crate::criteria::increment::mean;
use crate::diff::risk::Risk;
use crate::engine::device::{Place, placed};
use crate::engine::emitter::Emitter;
use crate::engine::event::{Event, Stage, WarningName};
use crate::engine::knobs::{Knobs, Precision};
use crate::engine::memory;
use crate::engine::problem::Problem;
use crate::engine::worker::{self, Settings, Sink, Wanted, Worker};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::vector;
use crate::newton::trust_region::{Smooth, TrustRegion};
use crate::spectrum::operator::SymmetricOperator;

/// Pairs whose solve would hold as many vectors as a step does: the memory plan knows solves.
const LIKE_A_SOLVE_FOR: usize = 4;

/// Takes the problem where w* came to rest.
pub type Keep = Box<dyn FnOnce(&Problem) -> Result<()> + Send>;

/// What settling needs to begin.
pub struct Job {
    /// How far to go.
    pub plan: Plan,
    /// Reads the problem; on the worker's thread.
    pub open: Box<dyn FnOnce() -> Result<Problem> + Send>,
    /// Takes the problem at the lowest point, however the run ended.
    pub keep: Keep,
}

/// Start a worker that settles w* and then ends.
///
/// # Errors
/// If the system refuses a thread. Later errors arrive as [`Event::Failed`].
pub fn spawn(job: Job, settings: Settings, wanted: Wanted, sink: Sink) -> Result<Worker> {
    worker::thread(wanted, sink, move |emitter| begin(job, &settings, emitter))
}

fn begin(job: Job, settings: &Settings, mut emitter: Emitter) {
    let Job { plan, open, keep } = job;
    let (problem, pool, place) = match worker::opened(open, settings, &mut emitter, |_| plan.check()) {
        Ok(ready) => ready,
        Err(error) => return emitter.fail(&error),
    };
    emitter.emit(Event::SettlePlan(plan));
    emitter.complete();
    let limit = memory::limit(settings.memory);
    let result = pool.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => settle::<f32>(problem, &place, &plan, limit, keep, &mut emitter),
        Precision::F64 => settle::<f64>(problem, &place, &plan, limit, keep, &mut emitter),
    });
    match result {
        Ok(()) => emitter.emit(Event::Idle),
        Err(Error::Cancelled) => {}
        Err(error) => emitter.fail(&error),
    }
}

/// Go all steps and keep the lowest point.
fn settle<T: Real>(
    mut problem: Problem,
    place: &Place,
    plan: &Plan,
    limit: u64,
    keep: Keep,
    emitter: &mut Emitter,
) -> Result<()> {
    let knobs = emitter.control.knobs();
    let n = knobs.n;
    let control = emitter.control.clone();
    let mut risk: Risk<T> = placed(problem.risk(Arc::new(move || control.check())), place, None)?;
    let memory = memory::plan(&risk, &Knobs { ks: vec![LIKE_A_SOLVE_FOR], ..knobs }, limit)?;
    risk.keep(memory.kept.min(n));
    emitter.emit(Event::Memory { plan: memory.parts });
    emitter.begin(Stage::Settle, plan.steps);
    let start = risk.point().to_vec();
    let mut f = MeanLoss { risk, n, emitter, step: 0, steps: plan.steps };
    let mut region = TrustRegion::new(&mut f, start)?;
    let ended = f.descend(&mut region, plan);
    problem.checkpoint.parameters = vector::convert(region.point());
    // Whatever went wrong on the way, what was gained is not lost.
    keep(&problem)?;
    let outcome = match ended {
        Err(Error::Cancelled) => Outcome::Stopped,
        Err(Error::NotFinite(what)) => {
            return Err(Error::NotFinite(format!("{what}; the lowest point before it was written")));
        }
        other => other?,
    };
    f.emitter.emit(Event::Settled(outcome));
    match outcome {
        Outcome::Stopped => Err(Error::Cancelled),
        Outcome::Reached | Outcome::OutOfSteps | Outcome::OutOfPrecision => f.conclude(outcome, plan),
    }
}

/// L_n as a function of w, its work told as it is done.
struct MeanLoss<'a, T> {
    risk: Risk<T>,
    n: usize,
    emitter: &'a mut Emitter,
    step: usize,
    steps: usize,
}

impl<T: Real> MeanLoss<'_, T> {
    fn descend(&mut self, region: &mut TrustRegion<T>, plan: &Plan) -> Result<Outcome> {
        self.tell(region, None)?;
        loop {
            if region.gradient_norm() <= plan.until {
                return Ok(Outcome::Reached);
            }
            if self.step == plan.steps {
                return Ok(Outcome::OutOfSteps);
            }
            let step = region.step(self, plan.products)?;
            if step.length == 0.0 {
                return Ok(Outcome::OutOfPrecision);
            }
            self.step += 1;
            let taken = Taken {
                length: step.length,
                radius: region.radius().unwrap_or(step.length),
                agreement: step.agreement,
                products: step.products,
                tries: step.tries,
                curvature: step.curvature,
                end: step.end.into(),
            };
            self.tell(region, Some(taken))?;
        }
    }

    /// Tell where w* is now.
    fn tell(&mut self, region: &TrustRegion<T>, taken: Option<Taken>) -> Result<()> {
        let (loss, grad_norm) = (region.value(), region.gradient_norm());
        let next_norm = self.next_norm(region.gradient())?;
        self.emitter.emit(Event::Settle(Step { step: self.step, loss, grad_norm, next_norm, taken }));
        self.emitter.progress(self.step, self.steps);
        Ok(())
    }

    /// ‖g_{n+1} − g^(n)‖.
    fn next_norm(&self, gradient: &[T]) -> Result<f64> {
        Ok(self.risk.sequence_gradient(self.n)?.square_distance(gradient).sqrt())
    }

    /// What holds where w* came to rest, and the warnings that follow from it.
    fn conclude(&mut self, outcome: Outcome, plan: &Plan) -> Result<()> {
        let n = self.n;
        let losses = self.risk.losses(&[self.risk.point()], 0..n + 1)?.concat();
        let gradient = self.risk.gradient(0..n)?;
        let grad_norm = vector::norm(&gradient);
        let b_norm2 = (self.next_norm(&gradient)? / (n + 1) as f64).powi(2);
        self.emitter.emit(Event::Losses { first: 0, losses });
        self.emitter.emit(Event::Gradients { n, grad_norm, b_norm2 });
        if outcome != Outcome::Reached {
            let until = plan.until;
            let why = match outcome {
                Outcome::OutOfPrecision => "no lower L_n can be told apart in this precision; use --precision f64",
                Outcome::Reached | Outcome::OutOfSteps | Outcome::Stopped => {
                    "all steps are taken; allow more with --steps"
                }
            };
            let message = format!("w* did not settle: ‖g^({n})‖ = {grad_norm:.2e} where {until:.0e} was asked; {why}");
            self.emitter.emit(Event::Warning { name: WarningName::NotConverged, message });
        }
        self.emitter.complete();
        Ok(())
    }
}

impl<T: Real> SymmetricOperator<T> for MeanLoss<'_, T> {
    fn dim(&self) -> usize {
        self.risk.parameters()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.risk.hvp(0..self.n, v, out)?;
        self.emitter.work.hvps += 1.0;
        self.emitter.progress(self.step, self.steps);
        Ok(())
    }
}

impl<T: Real> Smooth<T> for MeanLoss<'_, T> {
    fn value(&mut self, w: &[T]) -> Result<f64> {
        self.emitter.work.passes += self.n as f64;
        Ok(mean(&self.risk.losses(&[w], 0..self.n)?.concat(), self.n).unwrap_or(f64::NAN))
    }

    fn expand(&mut self, w: &[T]) -> Result<Vec<T>> {
        self.risk.move_to(w)?;
        self.risk.linearise(0..self.n)?;
        self.risk.gradient(0..self.n)
    }
}
