//! `eigentop measure`: the run of the dashboard without a screen.

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::output::{self, OutputFlags};
use super::recording::{SessionFlag, recorder};
use super::watching;
use crate::engine::probe;
use crate::engine::worker::{self, Run, Wanted};
use crate::error::{Error, Result};
use crate::report::{self, Document};

/// Flags of `eigentop measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    session: SessionFlag,
    #[command(flatten)]
    output: OutputFlags,
    /// Add one Hessian–vector product along v_i = sin(i), normalised, that another implementation can repeat.
    #[arg(long)]
    probe_hvp: bool,
    /// Print the name, shape and place of every parameter tensor in the flat vector, and compute nothing.
    #[arg(long, conflicts_with = "probe_hvp")]
    print_parameters: bool,
}

/// Run it.
///
/// # Errors
/// Whatever stopped the run, in the words of the worker.
pub fn run(args: MeasureArgs, config: &Config) -> Result<Outcome> {
    let source = args.source.source()?;
    if args.print_parameters {
        let layout = source.checkpoint()?.config.layout();
        output::write(&report::parameters(&layout, args.output.format), args.output.out.as_deref())?;
        return Ok(Outcome::Done);
    }
    let options = args.options.or(&config.0);
    let (knobs, settings) = (options.knobs(), options.settings());
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    let n = knobs.n;
    let (open, wanted) = (source.clone(), Wanted { knobs, run: Run::Going });
    let of_run = settings.clone();
    let readout = watching::fold(|sink| worker::spawn(move || open.open(n), of_run, wanted, sink), recorder.as_ref())?;
    let mut document = Document::of(&readout).ok_or_else(|| Error::Computation("nothing was opened".into()))?;
    if args.probe_hvp {
        document.probe = Some(probe::hvp(&source.open(n)?, n, &settings)?);
    }
    output::write(&report::render(&document, args.output.format), args.output.out.as_deref())?;
    Ok(Outcome::of(&readout))
}
