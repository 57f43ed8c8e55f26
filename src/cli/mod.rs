//! Floor 7. The command line: flags, the configuration file, and what each command does.
//!
//! Results go to standard output, messages to standard error. Exit status: 0 done; 1 could not be done; 2 wrong usage;
//! 3 done, with warnings that put a result in doubt.

mod bench;
mod config;
mod dashboard;
mod doctor;
mod export;
mod flags;
mod folders;
mod growth;
mod lists;
mod measure;
mod output;
mod progress;
mod recording;
mod replay;
mod reproduce;
mod screen;
mod sessions;
mod settings;
mod settle;
mod shell;
mod show;
mod summary;
mod train;
mod values;
mod watching;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::engine::readout::Readout;
use crate::error::{Error, Result};
use config::Config;

/// htop for the Hessian: how the loss landscape around a transformer checkpoint moves when one more training sequence
/// is added, and how much of that movement lives in its dominant curvature directions.
#[derive(Debug, Parser)]
#[command(name = "eigentop", version)]
#[command(
    after_help = "With no command the dashboard opens; with no checkpoint, on a small nanochat that is built in."
)]
struct Cli {
    /// Read defaults from this file instead of config.toml in the configuration folder.
    #[arg(long, global = true, value_name = "FILE", env = "EIGENTOP_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    dashboard: dashboard::DashboardArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compute everything the dashboard shows and write it, without a screen.
    Measure(measure::MeasureArgs),
    /// Time every stage, ours against the paper's method, in one run.
    Bench(bench::BenchArgs),
    /// Show a recorded session again.
    Replay(replay::ReplayArgs),
    /// Look through recorded sessions; list, show and remove them.
    Sessions(sessions::SessionsArgs),
    /// Follow the criteria as n grows, at one checkpoint, along a training run or over saved checkpoints.
    Growth(Box<growth::GrowthArgs>),
    /// Move a checkpoint toward a minimiser of L_n, as the theory assumes it, and write it.
    Settle(Box<settle::SettleArgs>),
    /// Write the figures and tables of a recorded session as SVG, PNG, CSV, Markdown and JSON.
    Export(export::ExportArgs),
    /// Run what the paper's exhibits need, draw them and say what was found of each of its claims.
    Reproduce(Box<reproduce::ReproduceArgs>),
    /// Train a small nanochat and write its checkpoint.
    Train(train::TrainArgs),
    /// List the colour themes.
    Themes,
    /// List the keys of the dashboard.
    Keys(lists::KeysArgs),
    /// Look into the configuration.
    #[command(subcommand)]
    Config(lists::ConfigCommand),
    /// Say what the program finds on this machine, with advice where something is off.
    Doctor(doctor::DoctorArgs),
    /// Print the completions of a shell.
    Completions(shell::CompletionsArgs),
    /// Print the manual page.
    Man(shell::ManArgs),
}

/// How a command ended that could be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nothing to add.
    Done,
    /// There are warnings that put a result in doubt.
    InDoubt,
}

impl Outcome {
    /// How a run ended that gave this readout.
    fn of(readout: &Readout) -> Outcome {
        if readout.warnings.keys().any(|name| name.doubts_a_result()) { Outcome::InDoubt } else { Outcome::Done }
    }
}

/// How the program was called, beside the flags themselves.
struct Invoked {
    /// Where each flag of the command came from.
    matches: ArgMatches,
    /// The configuration file, if one was named.
    config_file: Option<PathBuf>,
    /// What it says.
    config: Config,
}

/// Run the command line.
pub fn main() -> ExitCode {
    let (cli, matches) = parse();
    match run(cli, matches) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::InDoubt) => ExitCode::from(3),
        Err(e) => {
            eprintln!("eigentop: {e}");
            ExitCode::from(match e {
                Error::Knob { .. } => 2,
                _ => 1,
            })
        }
    }
}

/// Parse the command line. The dashboard's flags before a command would go unheard, so they are refused.
fn parse() -> (Cli, ArgMatches) {
    let mut command = Cli::command();
    let matches = command.get_matches_mut();
    if let Some((name, _)) = matches.subcommand() {
        let given = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        let stray = command.get_arguments().find(|arg| !arg.is_global_set() && given(arg.get_id().as_str()));
        if let Some(what) = stray.map(|arg| format!("'{arg}' must stand after '{name}', not before it")) {
            command.error(ErrorKind::ArgumentConflict, what).exit();
        }
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|e| e.exit());
    let matches = matches.subcommand().map(|(_, of_command)| of_command.clone()).unwrap_or(matches);
    (cli, matches)
}

fn run(cli: Cli, matches: ArgMatches) -> Result<Outcome> {
    let config = || Config::load(cli.config.as_deref());
    let invoked = || Ok::<_, Error>(Invoked { matches, config_file: cli.config.clone(), config: config()? });
    match cli.command {
        None => dashboard::run(cli.dashboard, &invoked()?),
        Some(Command::Measure(args)) => measure::run(args, &config()?),
        Some(Command::Bench(args)) => bench::run(args, &config()?),
        Some(Command::Replay(args)) => replay::run(args, &invoked()?),
        Some(Command::Sessions(args)) => sessions::run(args, invoked),
        Some(Command::Growth(args)) => growth::run(*args, &config()?),
        Some(Command::Settle(args)) => settle::run(*args, &config()?),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Reproduce(args)) => reproduce::run(*args, &config()?),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Themes) => lists::themes(),
        Some(Command::Keys(args)) => lists::keys(&args),
        Some(Command::Config(command)) => lists::config(command, &config()?),
        Some(Command::Doctor(args)) => doctor::run(&args, cli.config.as_deref()),
        Some(Command::Completions(args)) => shell::completions(&args),
        Some(Command::Man(args)) => shell::man(&args),
    }
}
