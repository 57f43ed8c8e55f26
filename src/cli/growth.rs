//! `eigentop growth`: criteria against n, at one checkpoint, along a training run or over saved checkpoints.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SOURCE, SourceFlags};
use super::folders;
use super::output::{self, OutputFlags};
use super::recording::{SessionFlag, recorder};
use super::watching;
use crate::engine::event::Event;
use crate::engine::growth::run::{Job, STATE, spawn};
use crate::engine::growth::{Mode, Plan, Point, Spacing};
use crate::engine::knobs::{Knobs, Law, Method};
use crate::engine::source::Source;
use crate::engine::worker::{Run, Settings, Wanted};
use crate::error::{Error, Result};
use crate::report;
use crate::session::{self, Branch, Metadata, Origin, Recorder, Session, Store};
use crate::train::curriculum::{Curriculum, Rows};

/// The largest n unless it is set.
const N: usize = 32;
/// Directions of the proxy curve where checkpoints change.
const DIRECTIONS: usize = 4;
/// What --resume leaves no room for: the session says it.
const OF_PLAN: [&str; 11] =
    [SOURCE, "mode", "grid", "points", "next", "runs", "probes", "directions", "learn", "steps_per_sequence", "lr"];

/// How criteria change as n grows to --n (32 unless set): J_1, J_full and J_sub, their rates, the eigenspaces.
#[derive(Debug, Args)]
pub struct GrowthArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    growth: GrowthFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    session: SessionFlag,
    #[command(flatten)]
    output: OutputFlags,
}

/// What is followed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Growth")]
struct GrowthFlags {
    /// Where the checkpoints come from: one for every n (each n with a basis of its own, or frozen to that of the
    /// largest), a model trained on the sequences in order, or all steps in a nanochat folder at n = --n.
    #[arg(long, value_enum, default_value = "fixed")]
    mode: Mode,
    /// How the n are spaced.
    #[arg(long, value_enum, default_value = "log")]
    grid: Spacing,
    /// How many n, at most.
    #[arg(long, default_value = "8", value_name = "P")]
    points: NonZeroUsize,
    /// Held-out next sequences to average over at each n: the first of them is sequence n + 1.
    #[arg(long, default_value_t = 1, value_name = "M")]
    next: usize,
    /// Runs: each but the first with the sequences in another order, in training with other initial weights too.
    #[arg(long, default_value_t = 1, value_name = "R")]
    runs: usize,
    /// Random probes for the traces of A in J_full.
    #[arg(long, default_value_t = 16)]
    probes: usize,
    /// Random directions of the proxy curve at each point [default: 4 where checkpoints change, else 0].
    #[arg(long)]
    directions: Option<usize>,
    /// Training: what each step goes down, the newest sequence's loss (a single pass, as the paper trains) or all of L_n.
    #[arg(long, value_enum, default_value = "newest")]
    learn: Rows,
    /// Training: optimiser steps after each new sequence.
    #[arg(long, default_value_t = 4, value_name = "STEPS")]
    steps_per_sequence: usize,
    /// Training: learning rate.
    #[arg(long, default_value_t = 1e-3)]
    lr: f64,
    /// Go on with a session of growth that was stopped, everything as it was: points it has are not computed again.
    #[arg(long, value_name = "NAME", conflicts_with_all = OF_PLAN)]
    resume: Option<String>,
}

impl GrowthFlags {
    fn plan(&self, n: usize) -> Plan {
        let grid = match self.mode {
            Mode::Checkpoints => vec![n],
            Mode::Fixed | Mode::Frozen | Mode::Training => self.grid.grid(n, self.points.get()),
        };
        let directions = self.directions.unwrap_or(match self.mode {
            Mode::Fixed | Mode::Frozen => 0,
            Mode::Training | Mode::Checkpoints => DIRECTIONS,
        });
        let (rows, steps_per_sequence, learning_rate) = (self.learn, self.steps_per_sequence, self.lr);
        let curriculum = Curriculum { rows, steps_per_sequence, learning_rate };
        Plan { mode: self.mode, grid, next: self.next, runs: self.runs, probes: self.probes, directions, curriculum }
    }
}

/// What is run.
struct Begun {
    job: Job,
    knobs: Knobs,
    settings: Settings,
    recorder: Option<Recorder>,
}

/// Run it.
///
/// # Errors
/// Whatever stopped the run, in the words of the worker.
pub fn run(args: GrowthArgs, config: &Config) -> Result<Outcome> {
    let output = args.output.clone();
    let Begun { job, knobs, settings, recorder } = match args.growth.resume.clone() {
        None => begin(args, config)?,
        Some(name) => resume(&name, args, config)?,
    };
    let wanted = Wanted { knobs, run: Run::Going };
    let readout = watching::fold(|sink| spawn(job, settings, wanted, sink), recorder.as_ref())?;
    output::write(&report::growth::render(&readout, output.format)?, output.out.as_deref())?;
    Ok(Outcome::of(&readout))
}

fn begin(args: GrowthArgs, config: &Config) -> Result<Begun> {
    let source = args.source.source()?;
    let mut options = args.options.or(&config.0);
    options.n = options.n.or(NonZeroUsize::new(N));
    let knobs = options.knobs();
    if knobs.law != Law::Top || knobs.method != Method::Exact {
        let flag = if knobs.law == Law::Top { "--method" } else { "--law" };
        return Err(Error::knob(flag, "growth follows the top eigenspaces by the exact method; leave it out"));
    }
    if args.growth.mode == Mode::Checkpoints && source.step.is_some() {
        return Err(Error::knob("--step", "mode checkpoints goes over all steps; leave it out"));
    }
    let plan = args.growth.plan(knobs.n);
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    let (open, rows) = (source.clone(), plan.sequences().saturating_sub(1));
    let job = Job {
        plan,
        source,
        open: Box::new(move || open.open(rows)),
        known: Vec::new(),
        left: None,
        leave: leave(recorder.clone())?,
    };
    Ok(Begun { job, knobs, settings: options.settings(), recorder })
}

/// Where a run leaves what it needs to go on: beside its events.
fn leave(recorder: Option<Recorder>) -> Result<Leave> {
    let Some(recorder) = recorder else { return Ok(Box::new(|| None)) };
    Ok(beside(recorder, folders::sessions()?))
}

/// Where a run leaves it.
pub(super) type Leave = Box<dyn Fn() -> Option<PathBuf> + Send>;

/// Beside the events that `recorder` writes into `store`.
pub(super) fn beside(recorder: Recorder, store: Store) -> Leave {
    Box::new(move || Some(store.path(&recorder.name()?).ok()?.join(STATE)))
}

/// A run that goes on where a session was stopped, recorded as a session of its own that holds all points.
fn resume(name: &str, args: GrowthArgs, config: &Config) -> Result<Begun> {
    let session = session::read(&folders::sessions()?.find(name)?)?;
    let metadata = Metadata::read(&session.folder)?;
    let (plan, known) = left_off(&session)?;
    let source: Source = metadata.source()?;
    let rows = plan.sequences().saturating_sub(1);
    let problem = source.reopen(rows, &metadata.subject)?;
    let options = args.options.or(&config.0);
    let knobs = metadata.knobs.clone();
    let recorded = metadata.settings();
    let Settings { threads, memory, .. } = options.settings();
    let settings = Settings { threads, memory: memory.or(recorded.memory), ..recorded };
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    if let Some(recorder) = &recorder {
        let t = session.events.last().map_or(0.0, |event| event.t);
        let branched_from = Some(Branch { session: session.name(), t });
        recorder.set_origin(Origin { source: Some(source.clone()), branched_from });
    }
    let job = Job {
        plan,
        source,
        open: Box::new(move || Ok(problem)),
        known,
        left: Some(session.folder.join(STATE)),
        leave: leave(recorder.clone())?,
    };
    Ok(Begun { job, knobs, settings, recorder })
}

/// What a session was to do and which points it has.
pub(super) fn left_off(session: &Session) -> Result<(Plan, Vec<Point>)> {
    let plan = session.events.iter().rev().find_map(|event| match &event.event {
        Event::GrowthPlan(plan) => Some(plan.clone()),
        _ => None,
    });
    let points = session.events.iter().filter_map(|event| match &event.event {
        Event::Growth(point) => Some((**point).clone()),
        _ => None,
    });
    let plan = plan.ok_or_else(|| Error::knob("--resume", format!("{} is no session of growth", session.name())))?;
    Ok((plan, points.collect()))
}
