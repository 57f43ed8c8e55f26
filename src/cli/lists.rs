//! Commands that only tell: the themes, the configuration.

use clap::Subcommand;

use super::Outcome;
use super::config::Config;
use super::flags::Options;
use super::folders;
use super::output;
use crate::error::{Error, Result};

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print every key with the value in force, as a configuration file.
    Print(Box<Options>),
}

/// Run `eigentop config`.
///
/// # Errors
/// What the system refuses.
pub fn config(command: ConfigCommand, config: &Config) -> Result<Outcome> {
    let ConfigCommand::Print(options) = command;
    let text = Config(options.or(&config.0)).print().map_err(|e| Error::Computation(e.to_string()))?;
    let place = folders::config().map_or(String::new(), |f| format!("# {}\n", f.join("config.toml").display()));
    output::write(&format!("{place}{text}"), None)?;
    Ok(Outcome::Done)
}

/// Run `eigentop themes`.
pub fn themes() -> Result<Outcome> {
    Ok(Outcome::Done)
}
