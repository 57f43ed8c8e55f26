//! `eigentop doctor`: what the program finds on this machine, for a bug report or a first look.

use std::io::IsTerminal;
use std::path::Path;

use super::Outcome;
use super::config::Config;
use super::folders;
use super::output;
use crate::error::{Error, Result};
use crate::report::{Section, table};
use crate::ui::colour::Colours;
use crate::ui::theme::Theme;

/// Run it.
///
/// # Errors
/// If something that was found cannot be used; everything else is told first.
pub fn run(config: Option<&Path>) -> Result<Outcome> {
    let read = Config::load(config);
    let theme = read.as_ref().ok().and_then(|config| config.0.theme.clone());
    let theme = Theme::load(theme.as_deref().unwrap_or("dark"), folders::themes().as_deref());
    let sessions = folders::sessions().and_then(|store| Ok((store.folder().to_owned(), store.list()?.len())));

    let rows = [
        ("eigentop", env!("CARGO_PKG_VERSION").to_owned()),
        ("system", format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH)),
        ("threads", std::thread::available_parallelism().map_or("unknown".into(), |n| n.to_string())),
        ("terminal", terminal()),
        ("configuration", told(&read, |_| place(config))),
        ("theme", told(&theme, |theme| theme.name.clone())),
        ("sessions", told(&sessions, |(folder, count)| format!("{count} in {}", folder.display()))),
    ];
    let rows: Vec<_> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    output::write(&table(&[Section { title: "eigentop doctor".into(), columns: Vec::new(), rows }]), None)?;
    let faults = [read.err(), theme.err(), sessions.err()].into_iter().flatten().count();
    if faults == 0 { Ok(Outcome::Done) } else { Err(Error::Computation(format!("{faults} of these cannot be used"))) }
}

fn told<T>(found: &Result<T>, tell: impl FnOnce(&T) -> String) -> String {
    match found {
        Ok(found) => tell(found),
        Err(e) => format!("✗ {e}"),
    }
}

fn place(given: Option<&Path>) -> String {
    let file = given.map(Path::to_owned).or_else(|| folders::config().map(|folder| folder.join("config.toml")));
    match file {
        Some(file) if file.exists() => file.display().to_string(),
        Some(file) => format!("{} (not there: defaults)", file.display()),
        None => "no home folder: defaults".to_owned(),
    }
}

fn terminal() -> String {
    if !std::io::stdout().is_terminal() {
        return "none on standard output".to_owned();
    }
    let size = crossterm::terminal::size().map_or("of unknown size".into(), |(c, r)| format!("{c}x{r}"));
    let colours = Colours::of_terminal().name();
    format!("{size}, {colours}")
}
