//! `eigentop sessions`: what is recorded.

use std::fmt::Write;
use std::io::IsTerminal;

use clap::{Args, Subcommand};

use super::folders;
use super::output;
use super::screen::ScreenFlags;
use super::show::{self, Show};
use super::values::Memory;
use super::{Invoked, Outcome};
use crate::error::Result;
use crate::math::format::size;
use crate::report::{Section, table};
use crate::session::{self, Entry, Metadata};

/// Flags of `eigentop sessions`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SessionsArgs {
    /// Without one, a terminal shows the sessions to search, describe, replay and compare; elsewhere they are listed.
    #[command(subcommand)]
    command: Option<SessionsCommand>,
    #[command(flatten)]
    screen: ScreenFlags,
}

/// What to do with recorded sessions.
#[derive(Debug, Subcommand)]
pub enum SessionsCommand {
    /// List all sessions, oldest first.
    List,
    /// Say what a session is of and how far it came.
    Show {
        /// Name of the session, or the path of its folder.
        session: String,
    },
    /// Delete sessions.
    Remove {
        /// Their names.
        #[arg(required = true, value_name = "SESSION")]
        sessions: Vec<String>,
    },
    /// Print the folder of a session, or the one that holds them all.
    Path {
        /// Name of the session.
        session: Option<String>,
    },
}

/// Run it.
///
/// # Errors
/// A session that does not exist, is being recorded or cannot be read.
pub fn run(args: SessionsArgs, invoked: impl FnOnce() -> Result<Invoked>) -> Result<Outcome> {
    let store = folders::sessions()?;
    let command = match args.command {
        Some(command) => command,
        None if std::io::stdout().is_terminal() => {
            let invoked = invoked()?;
            return show::run(Show::Sessions, args.screen.options(&invoked, &invoked.config.0)?);
        }
        None => SessionsCommand::List,
    };
    match command {
        SessionsCommand::List => {
            let entries = store.list()?;
            let rows: Vec<_> = entries.iter().map(row).collect();
            let title = match rows.len() {
                0 => format!("no sessions in {}", store.folder().display()),
                count => format!("{count} in {}", store.folder().display()),
            };
            let columns = match rows.len() {
                0 => Vec::new(),
                _ => ["session", "started (UTC)", "checkpoint", "n", "k", "events", "size", "tags"]
                    .map(str::to_owned)
                    .to_vec(),
            };
            output::write(&table(&[Section { title, columns, rows }]), None)?;
        }
        SessionsCommand::Show { session } => {
            let folder = store.find(&session)?;
            // The events come first: they say whether this version can read the session at all.
            let session = session::read(&folder)?;
            output::write(&described(&session, &Metadata::read(&folder)?), None)?;
        }
        SessionsCommand::Remove { sessions } => sessions.iter().try_for_each(|name| store.remove(name))?,
        SessionsCommand::Path { session: Some(name) } => {
            output::write(&format!("{}\n", store.find(&name)?.display()), None)?;
        }
        SessionsCommand::Path { session: None } => output::write(&format!("{}\n", store.folder().display()), None)?,
    }
    Ok(Outcome::Done)
}

fn row(entry: &Entry) -> Vec<String> {
    let [started, subject, n, k, tags] = match &entry.metadata {
        Ok(m) => {
            let (n, k) = (m.knobs.n.to_string(), m.knobs.k().to_string());
            [started(m), m.subject.name.clone(), n, k, m.tags.join(" ")]
        }
        Err(e) => ["–".to_owned(), e.to_string(), "–".to_owned(), "–".to_owned(), String::new()],
    };
    vec![entry.name.clone(), started, subject, n, k, entry.events.to_string(), size(entry.bytes), tags]
}

/// The start without the letters that only machines need.
fn started(metadata: &Metadata) -> String {
    metadata.created.to_string().replace('T', " ").replace('Z', "")
}

fn described(session: &session::Session, m: &Metadata) -> String {
    let readout = session.readout();
    let (knobs, subject) = (&m.knobs, &m.subject);
    let memory = m.memory.map_or("not limited".to_owned(), |bytes| Memory(bytes).to_string());
    let rows = [
        ("folder", session.folder.display().to_string()),
        ("started (UTC)", started(m)),
        ("recorded by", format!("eigentop {}, session format {}", session.header.eigentop, session.header.format)),
        ("checkpoint", format!("{}, {}, {} parameters", subject.name, subject.model, subject.parameters)),
        ("", subject.checkpoint.clone()),
        ("sequences", format!("{} of {} tokens", subject.sequences, subject.tokens)),
        ("", subject.data.clone()),
        (
            "computed",
            format!("{} on {}, {} threads, memory {memory}", subject.precision, subject.device, subject.threads),
        ),
        ("knobs at start", format!("n {}, k {:?}, σ {:?}, S {}", knobs.n, knobs.ks, knobs.sigmas, knobs.draws)),
        ("", format!("solver {}, law {}, method {}, seed {}", knobs.solver, knobs.law, knobs.method, knobs.seed)),
        ("tags", m.tags.join(" ")),
        ("note", m.note.clone()),
        ("branched from", m.branched_from.as_ref().map_or(String::new(), |b| format!("{} at {:.1} s", b.session, b.t))),
        ("events", format!("{} over {:.1} s", session.events.len(), readout.t)),
        ("ends", format!("{:?}", readout.state).to_lowercase()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text = table(&[Section { title: session.name(), columns: Vec::new(), rows }]);
    for message in readout.warnings.values() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  ⚠ {message}");
    }
    text
}
