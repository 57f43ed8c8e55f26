//! `eigentop bench`: stage times, ours against the paper's method, in one run.

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::output::{self, OutputFlags};
use super::progress::Progress;
use crate::engine::bench::{self, Plan, Reach};
use crate::engine::knobs::Knobs;
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
    reach: Reach,
}

/// Pairs and draws of a quick run, unless the flags say otherwise.
const QUICK: (usize, usize) = (2, 16);
/// Runs of a measurement whose median counts, and those of a quick run.
const RUNS: (usize, usize) = (7, 3);

/// Run it.
///
/// # Errors
/// What the stages report.
pub fn run(args: BenchArgs, config: &Config) -> Result<Outcome> {
    let (k_asked, draws_asked) = (args.options.k.is_some(), args.options.draws.is_some());
    let options = args.options.or(&config.0);
    let settings = options.settings();
    let Knobs { solver, law, method, .. } = Knobs::default();
    let mut knobs = Knobs { solver, law, method, ..options.knobs() };
    if args.quick && !k_asked {
        knobs.ks = vec![QUICK.0];
    }
    if args.quick && !draws_asked {
        knobs.draws = QUICK.1;
    }
    let plan = Plan { knobs, runs: if args.quick { RUNS.1 } else { RUNS.0 }, reach: args.reach };
    let problem = args.source.source()?.open(plan.knobs.n)?;
    let mut progress = Progress::new();
    let result = bench::run(&problem, &plan, &settings, &mut |what| progress.show(|| what.to_owned()));
    progress.clear();
    output::write(&report::bench(&result?, args.output.format), args.output.out.as_deref())?;
    Ok(Outcome::Done)
}
