//! `eigentop settle`: w* moved toward a minimiser of L_n.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::output::{self, OutputFlags};
use super::recording::{SessionFlag, recorder};
use super::values::Positive;
use super::watching::{self, Ended};
use crate::engine::knobs::Precision;
use crate::engine::problem::Problem;
use crate::engine::settle::run::{Job, spawn};
use crate::engine::settle::{self, Plan, Settling};
use crate::engine::worker::{Run, Wanted};
use crate::error::{Error, Result};
use crate::file;
use crate::model::checkpoint::Checkpoint;
use crate::report;

/// The sequences beside a settled checkpoint.
const TOKENS: &str = "tokens.json";

/// Flags that other commands share and that say nothing here.
const UNHEARD: [&str; 9] = ["k", "sigma", "draws", "solver", "tol", "law", "method", "seed", "exhibits"];

/// Move a checkpoint down L_n by trust-region Newton steps until ‖g^(n)‖ is small, and write it with its sequences. In
/// f64 unless --precision says otherwise.
#[derive(Debug, Args)]
#[command(mut_args(|arg| if UNHEARD.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg }))]
pub struct SettleArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    settle: SettleFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    session: SessionFlag,
    #[command(flatten)]
    output: OutputFlags,
}

/// How far, and where to.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settling")]
struct SettleFlags {
    /// Folder to write the settled checkpoint into: config.json, model.safetensors, and its sequences as tokens.json.
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// Write over a checkpoint that is there.
    #[arg(long)]
    overwrite: bool,
    /// ‖g^(n)‖ to come down to.
    #[arg(long, default_value = "1e-3", allow_negative_numbers = true)]
    until: Positive,
    /// Steps allowed.
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// Hessian–vector products allowed on the way to one step.
    #[arg(long, default_value = "200", value_name = "P")]
    products: NonZeroUsize,
}

impl SettleFlags {
    /// Found out now rather than after hours.
    fn check(&self) -> Result<()> {
        let to = self.to.display();
        if self.to.exists() && !self.to.is_dir() {
            return Err(Error::knob("--to", format!("{to} is a file; give a folder")));
        }
        if !Checkpoint::steps(&self.to).unwrap_or_default().is_empty() {
            return Err(Error::knob("--to", format!("{to} holds training steps of nanochat's; give another folder")));
        }
        if Checkpoint::is_saved_in(&self.to) && !self.overwrite {
            let what = format!("{to} holds a checkpoint already; give another folder, or --overwrite");
            return Err(Error::knob("--to", what));
        }
        Ok(())
    }
}

/// Run it.
///
/// # Errors
/// A folder that holds a checkpoint already; whatever stopped the run, in the words of the worker; an interrupt, with
/// where the lowest point is.
pub fn run(args: SettleArgs, config: &Config) -> Result<Outcome> {
    let SettleFlags { to, until, steps, products, .. } = &args.settle;
    args.settle.check()?;
    let plan = Plan { until: until.0, steps: *steps, products: products.get() };
    let source = args.source.source()?;
    let mut options = args.options.or(&config.0);
    options.precision = options.precision.or(Some(Precision::F64));
    let (knobs, settings) = (options.knobs(), options.settings());
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    let (n, folder) = (knobs.n, to.clone());
    let open = move || source.open(n);
    let job = Job { plan, open: Box::new(open), keep: Box::new(move |problem| keep(problem, &folder)) };
    let wanted = Wanted { knobs, run: Run::Going };
    let (readout, ended) = watching::follow(|sink| spawn(job, settings, wanted, sink), recorder.as_ref())?;
    let settling = readout.exhibits.settle.as_ref().filter(|settling| settling.outcome.is_some());
    let (Some(settling), Ended::Complete) = (settling, ended) else {
        let interrupted = watching::interrupted("its course", recorder.as_ref());
        return Err(match settling.and_then(|settling| settling.verdict(n)) {
            None => interrupted,
            Some(verdict) => Error::Computation(format!("{interrupted}; {}: {verdict}", to.display())),
        });
    };
    let shown = to.display();
    let look = format!("Look at it with --checkpoint {shown} --tokens {}\n", to.join(TOKENS).display());
    output::write(&report::settle(&readout, args.output.format)?, args.output.out.as_deref())?;
    if args.output.out.is_some() || args.output.format == report::Format::Table {
        output::write(&format!("\n{look}"), None)?;
    }
    Ok(outcome(settling))
}

/// Write the checkpoint with its sequences: a new folder whole or not at all, in an old one each file so.
fn keep(problem: &Problem, folder: &Path) -> Result<()> {
    file::folder(folder, |folder| {
        problem.sequences.save(&folder.join(TOKENS))?;
        problem.checkpoint.save(folder)
    })
}

/// How a run ended: one that did not come down as far as asked is in doubt.
pub fn outcome(settling: &Settling) -> Outcome {
    match settling.outcome {
        Some(settle::Outcome::Reached) => Outcome::Done,
        _ => Outcome::InDoubt,
    }
}
