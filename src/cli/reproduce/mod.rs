//! `eigentop reproduce`: the paper's exhibits on one model, from runs that are recorded in the folder and not made twice.

mod plan;
mod runs;

use std::path::{Path, PathBuf};

use clap::Args;

use self::plan::{Kind, What};
use self::runs::Maker;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::progress::Progress;
use super::{Outcome, output};
use crate::engine::bench::{self, Costs};
use crate::engine::knobs::Knobs;
use crate::engine::readout::Readout;
use crate::error::{Error, Result};
use crate::math::format::span;
use crate::report::export;
use crate::report::figure::Figure;
use crate::report::reproduction::{self, Evidence, RunLine};

/// Flags of other commands that a reproduction sets itself.
const SET: [&str; 6] = ["law", "method", "exhibits", "record", "solver", "precision"];

/// Run what the paper's exhibits need, draw them, and say in REPORT.md what was found of each claim. Every run is recorded
/// in the folder: what is complete is not computed again, and growth goes on where it was stopped.
#[derive(Debug, Args)]
#[command(mut_args(|arg| if SET.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg }))]
pub struct ReproduceArgs {
    /// Which of the paper's exhibits.
    #[arg(value_enum, default_value = "all")]
    what: What,
    /// Folder for sessions, figures and REPORT.md; made if need be.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    size: SizeFlags,
    #[command(flatten)]
    options: Options,
}

/// How much is done.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Size")]
pub(super) struct SizeFlags {
    /// Largest n of the growth runs.
    #[arg(long, default_value_t = 16, value_name = "N")]
    grow_to: usize,
    /// Growth runs, over which intervals are taken.
    #[arg(long, default_value_t = 3, value_name = "R")]
    runs: usize,
    /// Repeats of the stage times.
    #[arg(long, default_value_t = 5, value_name = "R")]
    repeats: usize,
}

/// Run it.
///
/// # Errors
/// Flags that a reproduction sets itself; a folder with runs of other settings; whatever stops a run; what the system
/// refuses.
pub fn run(args: ReproduceArgs, config: &Config) -> Result<Outcome> {
    let options = options(args.options, config)?;
    let maker = Maker {
        folder: args.to.clone(),
        source: args.source.source()?.absolute()?,
        settings: options.settings(),
        memory: options.memory.map(|m| m.0),
    };
    let mut asked = args.what.runs();
    if asked.contains(&Kind::Training) && maker.source.checkpoint()?.config.nanochat().is_none() {
        eprintln!("eigentop: no training runs: they start a nanochat anew, and this model is none");
        asked.retain(|kind| *kind != Kind::Training);
    }
    let steps = asked.len() + usize::from(args.what.has_costs());
    std::fs::create_dir_all(&args.to).map_err(Error::io(&args.to))?;
    let (mut evidence, mut lines, mut outcome, mut step) = (Evidence::default(), Vec::new(), Outcome::Done, 0);
    for kind in Kind::ALL {
        let (knobs, plan) = (kind.knobs(&options), kind.growth(&options, &args.size));
        let readout = if asked.contains(&kind) {
            step += 1;
            let label = format!("[{step}/{steps}] {kind}");
            let readout = maker.make(kind, &knobs, plan, &label)?;
            draw(&readout, &args.to.join("figures").join(kind.to_string()), &label)?;
            readout
        } else {
            // The report is of all that is known.
            let Some(readout) = maker.kept(kind, &knobs, plan.as_ref()) else { continue };
            readout
        };
        lines.push(RunLine { name: kind.to_string(), about: reproduction::about(&readout) });
        if Outcome::of(&readout) == Outcome::InDoubt {
            outcome = Outcome::InDoubt;
        }
        *kind.place(&mut evidence) = Some(readout);
    }
    let label = args.what.has_costs().then(|| format!("[{steps}/{steps}] table3"));
    evidence.costs = costs(&maker, &Kind::Measure.knobs(&options), args.size.repeats, label.as_deref())?;
    if label.is_some()
        && let Some(shown) = reproduction::stage_table(&evidence.costs)
    {
        let folder = args.to.join("figures/table3");
        std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        export::write_figure(Figure::Stages, &shown, &folder)?;
    }
    let path = args.to.join("REPORT.md");
    output::write(&reproduction::report(&evidence, &lines), Some(&path))?;
    let verdicts = reproduction::claims(&evidence);
    let widest = verdicts.iter().map(|claim| claim.title.chars().count()).max().unwrap_or(0);
    for claim in &verdicts {
        let pad = " ".repeat(widest - claim.title.chars().count());
        println!("{}{pad}   {}", claim.title, claim.verdict);
    }
    println!("{}", path.display());
    Ok(outcome)
}

/// The options in force; of the configuration file only what says how to compute and not what.
fn options(given: Options, config: &Config) -> Result<Options> {
    let Options { law, method, exhibits, record, solver, precision, .. } = &given;
    let set = [
        ("--law", law.is_some()),
        ("--method", method.is_some()),
        ("--exhibits", exhibits.is_some()),
        ("--record", record.is_some()),
        ("--solver", solver.is_some()),
        ("--precision", precision.is_some()),
    ];
    if let Some((flag, _)) = set.into_iter().find(|(_, set)| *set) {
        return Err(Error::knob(flag, "a reproduction sets this itself for each of its runs; leave it out"));
    }
    let Options { threads, memory, device, .. } = config.0.clone();
    Ok(given.or(&Options { threads, memory, device, ..Options::default() }))
}

/// All figures of a run.
fn draw(readout: &Readout, folder: &Path, label: &str) -> Result<()> {
    let mut progress = Progress::new();
    let drawn = export::write(readout, folder, &mut |what| progress.show(|| format!("{label}: drawing {what}")));
    progress.clear();
    drawn.map(drop)
}

/// Repeats of the stages, each kept in a file of its own and not measured again if it is of the same settings. Without a
/// label only those that are kept.
fn costs(maker: &Maker, knobs: &Knobs, repeats: usize, label: Option<&str>) -> Result<Vec<Costs>> {
    let folder = maker.folder.join("table3");
    if label.is_none() && !folder.exists() {
        return Ok(Vec::new());
    }
    std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    let (problem, mut progress, mut all) = (maker.source.open(knobs.n)?, Progress::new(), Vec::new());
    for repeat in 0..repeats {
        let path = folder.join(format!("repeat-{repeat}.json"));
        let knobs = Knobs { seed: knobs.seed.wrapping_add(repeat as u64), ..knobs.clone() };
        let kept = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice::<Costs>(&bytes).ok());
        if let Some(kept) = kept.filter(|costs| costs.is_of(&problem, &knobs)) {
            all.push(kept);
            continue;
        }
        let Some(label) = label else { continue };
        progress.show(|| format!("{label}: repeat {}/{repeats}", repeat + 1));
        let measured = bench::costs(&problem, &knobs, &maker.settings)?;
        let text = serde_json::to_string_pretty(&measured).map_err(|e| Error::file(&path, e.to_string()))?;
        output::write(&(text + "\n"), Some(&path))?;
        all.push(measured);
    }
    progress.clear();
    let seconds: f64 = all.iter().map(|c| c.subspace + c.coefficients + c.direct).sum();
    if let Some(label) = label {
        eprintln!("{label}: {} repeats, {}", all.len(), span(seconds));
    }
    Ok(all)
}
