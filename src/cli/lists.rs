//! Commands that only tell: the themes, the keys, the configuration.

use clap::{Args, Subcommand, ValueEnum};

use super::Outcome;
use super::config::Config;
use super::flags::Options;
use super::folders;
use super::output;
use crate::error::{Error, Result};
use crate::report::{Section, markdown, table};
use crate::ui::action::Context;
use crate::ui::colour::Colours;
use crate::ui::key::written;
use crate::ui::keymap::Keymap;
use crate::ui::theme::{self, Theme};

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
    let row = |(name, theme): (String, std::result::Result<Theme, String>)| {
        vec![name, theme.map_or_else(|why| format!("✗ {why}"), |theme| theme.about)]
    };
    let rows = theme::all(folders::themes().as_deref(), Colours::True).into_iter().map(row).collect();
    let own = folders::themes().map_or(String::new(), |f| format!("\nYour own: {}/NAME.toml\n", f.display()));
    output::write(&(table(&[Section { title: "Themes".into(), columns: Vec::new(), rows }]) + &own), None)?;
    Ok(Outcome::Done)
}

/// How to list the keys.
#[derive(Debug, Args)]
pub struct KeysArgs {
    /// A table to read, or the page of the documentation.
    #[arg(long, value_enum, default_value = "table")]
    format: KeysFormat,
}

/// Forms of the list of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KeysFormat {
    /// Aligned columns.
    Table,
    /// A Markdown page.
    Md,
}

/// Run `eigentop keys`.
///
/// # Errors
/// A keymap that cannot be used; what the system refuses.
pub fn keys(args: &KeysArgs) -> Result<Outcome> {
    let keymap = Keymap::load(folders::keymap().as_deref())?;
    let sections = Context::ALL.map(|context| {
        let rows = keymap.held(std::slice::from_ref(&context)).map(|bound| {
            let keys = match args.format {
                KeysFormat::Table => bound.written(),
                KeysFormat::Md => {
                    bound.chords.iter().map(|c| format!("`{}`", written(c))).collect::<Vec<_>>().join(" ")
                }
            };
            let keys = if keys.is_empty() { "–".to_owned() } else { keys };
            vec![keys, bound.binding.action.name(), bound.binding.description.to_owned()]
        });
        let title = format!("{} [{}]", context.heading(), context.name());
        let columns = ["keys", "action", "what it does"].map(String::from).into();
        Section { title, columns, rows: rows.collect() }
    });
    let text = match args.format {
        KeysFormat::Table => {
            let plain = sections.map(|section| Section { columns: Vec::new(), ..section });
            let own = folders::keymap().map_or(String::new(), |f| format!("\nYour own: {}\n", f.display()));
            table(&plain) + &own
        }
        KeysFormat::Md => format!("{KEYS_PAGE}\n{}", markdown(&sections)),
    };
    output::write(&text, None)?;
    Ok(Outcome::Done)
}

/// What the page of keys says before its tables.
const KEYS_PAGE: &str = "# Keys

Written by `eigentop keys --format md` from the table that the program itself goes by. `keymap.toml` in the
configuration folder (`eigentop doctor` says where) gives any action other keys:

```toml
[dashboard]                  # where it holds: the word in brackets below
quit = [\"q\", \"ctrl-q\"]       # these keys instead of the table's
zoom = \"z z\"                 # a chord: one key after the other
log = []                     # no key; the palette still finds it
```

A key is a sign such as `g`, `G` or `?`, or a name: `space`, `enter`, `esc`, `tab`, `backtab`, `backspace`, `delete`,
`insert`, `left`, `right`, `up`, `down`, `home`, `end`, `pageup`, `pagedown`, `f1` to `f24`; before it `ctrl-`, `alt-`
or `shift-`. A key that would mean two things is refused, with the line that says so.
";
