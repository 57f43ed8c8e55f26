//! `eigentop bench`: stage times, ours against the paper's method, in one run.

use clap::{Args, ValueEnum};

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::output::{self, OutputFlags};
use super::progress::Progress;
use crate::engine::bench::{self, Plan, Reach};
use crate::error::Result;
use crate::report;

/// Flags of `eigentop bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    output: OutputFlags,
    /// Fewer pairs and runs, to end within a minute.
    #[arg(long)]
    quick: bool,
    /// How far to go.
    #[arg(long, value_enum, default_value = "all")]
    reach: ReachFlag,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReachFlag {
    /// One product alone, for large models.
    Product,
    /// Everything but the paper's eigensolver, which takes longest by far.
    Ours,
    /// Everything.
    All,
}

/// Pairs and draws of a quick run, unless the flags say otherwise.
const QUICK: (usize, usize, usize) = (2, 16, 3);
/// Runs of a measurement whose median counts.
const RUNS: usize = 7;

/// Run it.
///
/// # Errors
/// What the stages report.
pub fn run(args: BenchArgs, config: &Config) -> Result<Outcome> {
    let asked = args.options.k.is_some();
    let draws_asked = args.options.draws.is_some();
    let options = args.options.or(&config.0);
    let (knobs, settings) = (options.knobs(), options.settings());
    let (k, draws, runs) = QUICK;
    let plan = Plan {
        n: knobs.n,
        k: if args.quick && !asked { k } else { knobs.k() },
        tol: knobs.tol,
        sigmas: knobs.sigmas,
        draws: if args.quick && !draws_asked { draws } else { knobs.draws },
        seed: knobs.seed,
        runs: if args.quick { runs } else { RUNS },
        reach: match args.reach {
            ReachFlag::Product => Reach::Product,
            ReachFlag::Ours => Reach::Ours,
            ReachFlag::All => Reach::All,
        },
    };
    let problem = args.source.source().open(plan.n)?;
    let mut progress = Progress::new();
    let result = bench::run(&problem, &plan, &settings, &mut |what| progress.show(|| what.to_owned()));
    progress.clear();
    output::write(&report::bench(&result?, args.output.format), args.output.out.as_deref())?;
    Ok(Outcome::Done)
}
