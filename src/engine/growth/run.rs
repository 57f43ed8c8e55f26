//! A growth run: from checkpoint to checkpoint, one risk at a time.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::point::{self, Traces, eigenspace, increment, increments};
use super::{Increment, Mode, Plan, Point, Validity, state};
use crate::criteria::increment::mean;
use crate::criteria::projection::{self, Sequence};
use crate::criteria::proxy::{self, Sample};
use crate::diff::risk::{Interrupt, Risk};
use crate::engine::device::{Place, placed};
use crate::engine::emitter::Emitter;
use crate::engine::event::{Event, Level, Stage, Subject};
use crate::engine::knobs::{Knobs, Precision};
use crate::engine::memory;
use crate::engine::problem::Problem;
use crate::engine::source::Source;
use crate::engine::stages::floor;
use crate::engine::worker::{self, Settings, Sink, Wanted, Worker};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::basis::{Basis, cosines};
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::model::checkpoint::Checkpoint;
use crate::train::curriculum::Pupil;

/// Name of the file that a stopped run leaves beside its events.
pub const STATE: &str = "growth.safetensors";

/// σ of the proxy curve at each point, two to a decade around the paper's.
const SIGMAS: [f64; 7] = [1e-4, 3.162277660168379e-4, 1e-3, 3.162277660168379e-3, 1e-2, 3.162277660168379e-2, 1e-1];
/// Points the rounding floor is measured on, in directions of their own.
const FLOOR_POINTS: u64 = 2;

/// What a growth run needs to begin, or to go on.
pub struct Job {
    /// What to do.
    pub plan: Plan,
    /// Where checkpoints and sequences are read.
    pub source: Source,
    /// Reads the problem; on the worker's thread.
    pub open: Box<dyn FnOnce() -> Result<Problem> + Send>,
    /// Points that are known already, in order; they are told again and not computed.
    pub known: Vec<Point>,
    /// The file that the stopped run left.
    pub left: Option<PathBuf>,
    /// Where to leave such a file, once it is known.
    pub leave: Box<dyn Fn() -> Option<PathBuf> + Send>,
}

/// Start a worker that makes the points of a plan and then ends.
///
/// # Errors
/// If the system refuses a thread. Later errors arrive as [`Event::Failed`].
pub fn spawn(job: Job, settings: Settings, wanted: Wanted, sink: Sink) -> Result<Worker> {
    worker::thread(wanted, sink, move |emitter| begin(job, &settings, emitter))
}

fn begin(job: Job, settings: &Settings, mut emitter: Emitter) {
    let Job { plan, source, open, known, left, leave } = job;
    let check = |subject: &Subject| plan.check(subject.sequences);
    let (problem, pool, place) = match worker::opened(open, settings, &mut emitter, check) {
        Ok(ready) => ready,
        Err(error) => return emitter.fail(&error),
    };
    let knobs = emitter.control.knobs();
    emitter.emit(Event::GrowthPlan(plan.clone()));
    known.iter().for_each(|point| emitter.emit(Event::Growth(Box::new(point.clone()))));
    emitter.complete();
    let limit = memory::limit(settings.memory);
    let shared = Shared { plan, source, knobs, problem, known, left, leave, limit, place };
    pool.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => Run::<f32>::new(shared, emitter).finish(),
        Precision::F64 => Run::<f64>::new(shared, emitter).finish(),
    });
}

/// What does not depend on the precision.
struct Shared {
    plan: Plan,
    source: Source,
    knobs: Knobs,
    problem: Problem,
    known: Vec<Point>,
    left: Option<PathBuf>,
    leave: Box<dyn Fn() -> Option<PathBuf> + Send>,
    limit: u64,
    /// Where sweeps are made.
    place: Place,
}

struct Run<T> {
    shared: Shared,
    emitter: Emitter,
    /// The latest point's basis, and the number of its run.
    former: Option<(usize, Basis<T>)>,
    done: usize,
    total: usize,
}

/// A checkpoint to look at.
struct Stop<'a> {
    problem: &'a Problem,
    run: usize,
    step: Option<u64>,
    /// n of the points, ascending.
    grid: &'a [usize],
}

impl<T: Real> Run<T> {
    fn new(shared: Shared, emitter: Emitter) -> Run<T> {
        Run { shared, emitter, former: None, done: 0, total: 0 }
    }

    /// Run to the end, and say how it ended.
    fn finish(mut self) {
        match self.go() {
            Ok(()) => self.emitter.emit(Event::Idle),
            Err(Error::Cancelled) => {}
            Err(error) => self.emitter.fail(&error),
        }
    }

    fn go(&mut self) -> Result<()> {
        let steps = self.steps()?;
        let Plan { mode, runs, .. } = self.shared.plan;
        let a_run = if mode == Mode::Checkpoints { steps.len() } else { self.shared.plan.grid.len() };
        (self.done, self.total) = (self.shared.known.len(), a_run * runs);
        self.emitter.begin(Stage::Growth, self.total);
        self.emitter.progress(self.done, self.total);
        self.take_up()?;
        for run in 0..runs {
            match mode {
                Mode::Fixed | Mode::Frozen => self.at_one_checkpoint(run)?,
                Mode::Training => self.along_training(run)?,
                Mode::Checkpoints => self.over_checkpoints(run, &steps)?,
            }
        }
        if let Some(path) = (self.shared.leave)() {
            // Nothing will go on from here.
            state::remove(&path);
        }
        self.emitter.complete();
        Ok(())
    }

    /// The training steps to look at, of a folder that has several.
    fn steps(&self) -> Result<Vec<u64>> {
        if self.shared.plan.mode != Mode::Checkpoints {
            return Ok(Vec::new());
        }
        let folder = self.shared.source.checkpoint.as_deref();
        let steps = folder.map_or(Ok(Vec::new()), Checkpoint::steps)?;
        if steps.is_empty() {
            let what = "mode checkpoints goes over the training steps of a nanochat folder, model_NNNNNN.pt; give one";
            return Err(Error::knob("--checkpoint", what));
        }
        Ok(steps)
    }

    /// Take up the basis that a stopped run left.
    fn take_up(&mut self) -> Result<()> {
        let Some(last) = self.shared.known.last().filter(|last| last.mode != Mode::Frozen) else { return Ok(()) };
        let basis = match &self.shared.left {
            Some(path) => state::load(path, last)?,
            None => None,
        };
        match basis {
            Some(basis) => self.former = Some((last.run, basis)),
            None => self.emitter.log(
                "the last point's basis was not kept: the next solve starts at random, and later digits may differ \
                 within the tolerance",
            ),
        }
        Ok(())
    }

    fn is_known(&self, run: usize, n: usize, step: Option<u64>) -> bool {
        self.shared.known.iter().any(|p| (p.run, p.n, p.step) == (run, n, step))
    }

    fn seed(&self, run: usize) -> u64 {
        self.shared.knobs.seed.wrapping_add(run as u64)
    }

    fn interrupt(&self) -> Interrupt {
        let control = self.emitter.control.clone();
        Arc::new(move || control.check())
    }

    /// The problem of a run: the first takes the sequences as they stand, the others as they fall.
    fn problem(&self, run: usize) -> Problem {
        let mut problem = self.shared.problem.clone();
        if run > 0 {
            let mut stream = Stream::new(self.seed(run), Purpose::Rows, 0);
            for i in (1..problem.sequences.rows()).rev() {
                let j = stream.below(i + 1);
                problem.sequences.inputs.swap(i, j);
                problem.sequences.targets.swap(i, j);
            }
        }
        problem
    }

    fn at_one_checkpoint(&mut self, run: usize) -> Result<()> {
        let open = |n: &usize| !self.is_known(run, *n, None);
        let grid: Vec<usize> = self.shared.plan.grid.iter().copied().filter(open).collect();
        if grid.is_empty() {
            return Ok(());
        }
        let problem = self.problem(run);
        self.look(&Stop { problem: &problem, run, step: None, grid: &grid })
    }

    fn over_checkpoints(&mut self, run: usize, steps: &[u64]) -> Result<()> {
        let mut problem = self.problem(run);
        let n = self.shared.plan.n();
        for &step in steps {
            if self.is_known(run, n, Some(step)) {
                continue;
            }
            let at = Source { step: Some(step), ..self.shared.source.clone() };
            problem.checkpoint = at.checkpoint()?;
            self.look(&Stop { problem: &problem, run, step: Some(step), grid: &[n] })?;
        }
        Ok(())
    }

    fn along_training(&mut self, run: usize) -> Result<()> {
        let Plan { grid, curriculum, .. } = self.shared.plan.clone();
        let step = |n: usize| Some((n * curriculum.steps_per_sequence) as u64);
        if grid.iter().all(|n| self.is_known(run, *n, step(*n))) {
            return Ok(());
        }
        let mut problem = self.problem(run);
        let Some(config) = problem.checkpoint.config.nanochat().cloned() else {
            let what = format!(
                "training runs start a nanochat anew; {} is none: give another mode",
                problem.checkpoint.config
            );
            return Err(Error::knob("--mode", what));
        };
        let mut pupil = Pupil::new(&config, problem.sequences.clone(), curriculum, self.seed(run))?;
        for n in grid {
            if self.is_known(run, n, step(n)) {
                continue;
            }
            let control = self.emitter.control.clone();
            pupil.learn(n, &move || control.check())?;
            problem.checkpoint.parameters = pupil.weights()?;
            self.look(&Stop { problem: &problem, run, step: step(n), grid: &[n] })?;
        }
        Ok(())
    }

    /// All points of a checkpoint.
    fn look(&mut self, stop: &Stop<'_>) -> Result<()> {
        let began = Instant::now();
        let Plan { mode, next, probes, .. } = self.shared.plan;
        let knobs = Knobs { seed: self.seed(stop.run), ..self.shared.knobs.clone() };
        let top = stop.grid.last().copied().unwrap_or(0);
        let needed = Knobs { n: top + next - 1, ..knobs.clone() };
        let mut risk: Risk<T> = placed(stop.problem.risk(self.interrupt()), &self.shared.place, Some(&needed))?;
        let (_, share) = risk.sequence_bytes(0..top + next);
        let ahead = next as u64 * share;
        let plan = memory::plan(&risk, &needed, self.shared.limit.saturating_sub(ahead))?;
        risk.keep(plan.kept);
        let losses = risk.linearise(0..top + next)?;
        let traces = point::traces(&risk, &mut self.emitter, knobs.seed, probes, stop.grid, next)?;
        let looked = Looked { risk, losses, knobs, columns: plan.columns };
        let frozen = match mode {
            Mode::Frozen => Some(self.freeze(&looked, top + next)?),
            Mode::Fixed | Mode::Training | Mode::Checkpoints => None,
        };
        let common = began.elapsed().as_secs_f64() / stop.grid.len() as f64;
        for (&n, traces) in stop.grid.iter().zip(&traces) {
            let began = Instant::now();
            let on = match &frozen {
                Some(sequences) => looked.on_frozen(sequences, n, traces)?,
                None => self.on_own(&looked, stop.run, n, traces)?,
            };
            let proxy = self.proxy(&looked, stop.problem, n)?;
            let point = Point {
                mode,
                run: stop.run,
                seed: looked.knobs.seed,
                step: stop.step,
                n,
                loss: mean(&looked.losses, n).unwrap_or(f64::NAN),
                grad_norm: point::grad_norm(&looked.risk, n)?,
                values: on.values,
                residuals: on.residuals,
                products: on.products,
                cosines: on.cosines,
                next: on.next,
                proxy,
                seconds: common + began.elapsed().as_secs_f64(),
            };
            self.tell(point)?;
        }
        Ok(())
    }

    /// A point is done: leave behind what the next one starts from, and tell it.
    fn tell(&mut self, point: Point) -> Result<()> {
        if let (Some(path), Some((_, basis))) = ((self.shared.leave)(), &self.former)
            && let Err(error) = state::save(&path, &point, basis)
        {
            let text = format!("a stopped run will not go on digit for digit: {error}");
            self.emitter.emit(Event::Log { level: Level::Warning, text });
        }
        self.emitter.emit(Event::Growth(Box::new(point)));
        self.done += 1;
        self.emitter.progress(self.done, self.total);
        self.emitter.checkpoint()
    }

    /// On the eigenspace of n itself.
    fn on_own(&mut self, looked: &Looked<T>, run: usize, n: usize, traces: &[Traces]) -> Result<On> {
        let Looked { risk, losses, knobs, columns } = looked;
        let former = self.former.take().filter(|former| former.0 == run).map(|former| former.1);
        let space = eigenspace(risk, &mut self.emitter, knobs, n, *columns, former.as_ref())?;
        let cosines = former.map_or(Ok(Vec::new()), |former| cosines(&former, &space.vectors))?;
        let next = increments(risk, &mut self.emitter, losses, n, &space, traces)?;
        let on = On { values: space.values, residuals: space.residuals, products: space.products, cosines, next };
        self.former = Some((run, space.vectors));
        Ok(on)
    }

    /// The derivatives of all sequences on the eigenspace of the largest n.
    fn freeze(&mut self, looked: &Looked<T>, sequences: usize) -> Result<Vec<Sequence>> {
        let n = self.shared.plan.n();
        let space = eigenspace(&looked.risk, &mut self.emitter, &looked.knobs, n, looked.columns, None)?;
        point::projected(&looked.risk, &mut self.emitter, &space.vectors, sequences, n)
    }

    /// Validity of the quadratic model of L_n around the checkpoint, by σ.
    fn proxy(&mut self, looked: &Looked<T>, problem: &Problem, n: usize) -> Result<Vec<Validity>> {
        let directions = self.shared.plan.directions as u64;
        if directions == 0 {
            return Ok(Vec::new());
        }
        let Looked { risk, losses, knobs, .. } = looked;
        let base = mean(losses, n).unwrap_or(f64::NAN);
        let stream = |i: u64| Stream::new(knobs.seed, Purpose::Proxy, i);
        let floor = floor(problem, risk, n, (0..FLOOR_POINTS).map(|i| stream(directions + i)), self.interrupt())?;
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); SIGMAS.len()];
        for direction in 0..directions {
            let epsilon: Vec<T> = vector::normals(&mut stream(direction), risk.parameters());
            let (slope, curvature) = risk.jet(0..n, &epsilon)?;
            for (sigma, samples) in SIGMAS.iter().zip(&mut samples) {
                let there = vector::moved(risk.point(), *sigma, &epsilon);
                let loss = mean(&risk.losses(&[&there], 0..n)?.concat(), n).unwrap_or(f64::NAN);
                // An overflow far out is a direction less at that σ.
                if loss.is_finite() {
                    samples.push(Sample { slope, curvature, change: loss - base });
                }
            }
            self.emitter.work.passes += (SIGMAS.len() * n) as f64;
            self.emitter.checkpoint()?;
        }
        let valid = |(sigma, samples): (&f64, &Vec<Sample>)| {
            let point = proxy::point(*sigma, samples, floor)?;
            let (median, quartiles, floor) = (point.relative_median, point.relative_quartiles, point.relative_floor);
            Some(Validity { sigma: *sigma, median, quartiles, floor })
        };
        Ok(SIGMAS.iter().zip(&samples).filter_map(valid).collect())
    }
}

/// A checkpoint under the lens.
struct Looked<T> {
    risk: Risk<T>,
    losses: Vec<f64>,
    knobs: Knobs,
    columns: usize,
}

/// What a point's basis gives.
struct On {
    values: Vec<f64>,
    residuals: Vec<f64>,
    products: usize,
    cosines: Vec<f64>,
    next: Vec<Increment>,
}

impl<T: Real> Looked<T> {
    /// On a basis that is none of n's own.
    fn on_frozen(&self, sequences: &[Sequence], n: usize, traces: &[Traces]) -> Result<On> {
        let gradient = self.risk.gradient(0..n)?;
        let one = |(j, traces): (usize, &Traces)| {
            let on = projection::brought(sequences, n, n + j);
            increment(&self.risk, &self.losses, n, n + j, &gradient, on, traces)
        };
        let next = traces.iter().enumerate().map(one).collect::<Result<_>>()?;
        let values = point::quotients(sequences, n);
        Ok(On { values, residuals: Vec::new(), products: 0, cosines: Vec::new(), next })
    }
}
