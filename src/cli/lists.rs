//! Commands that only tell: the themes, the keys, the configuration.

use clap::Subcommand;

use super::Outcome;
use super::config::Config;
use super::flags::Options;
use super::folders;
use super::output;
use crate::error::{Error, Result};
use crate::report::{Section, table};
use crate::ui::action::{BINDINGS, Context};
use crate::ui::theme;

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
///
/// # Errors
/// What the system refuses.
pub fn themes() -> Result<Outcome> {
    let folder = folders::themes();
    let names: String = theme::names(folder.as_deref()).iter().map(|name| format!("{name}\n")).collect();
    output::write(&names, None)?;
    Ok(Outcome::Done)
}

/// Run `eigentop keys`.
///
/// # Errors
/// What the system refuses.
pub fn keys() -> Result<Outcome> {
    let sections = Context::ALL.map(|context| {
        let rows = BINDINGS.iter().filter(|binding| binding.context == context).map(|binding| {
            let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
            vec![keys.join(" "), binding.description.to_owned()]
        });
        Section { title: context.heading().to_owned(), columns: Vec::new(), rows: rows.collect() }
    });
    output::write(&table(&sections), None)?;
    Ok(Outcome::Done)
}
