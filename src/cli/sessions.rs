//! `eigentop sessions`: what is recorded.

use std::fmt::Write;

use clap::Subcommand;

use super::Outcome;
use super::folders;
use super::output;
use super::values::Memory;
use crate::error::Result;
use crate::report::{Section, table};
use crate::session::{self, Entry, Metadata};

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
pub fn run(command: SessionsCommand) -> Result<Outcome> {
    let store = folders::sessions()?;
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
                _ => ["session", "started (UTC)", "checkpoint", "n", "k", "events", "size"].map(str::to_owned).to_vec(),
            };
            output::write(&table(&[Section { title, columns, rows }]), None)?;
        }
        SessionsCommand::Show { session } => {
            let folder = store.find(&session)?;
            // The events come first: they say whether this version can read the session at all.
            let session = session::read(&folder)?;
            output::write(&show(&session, &Metadata::read(&folder)?), None)?;
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
    let [started, subject, n, k] = match &entry.metadata {
        Ok(m) => [started(m), m.subject.name.clone(), m.knobs.n.to_string(), m.knobs.k().to_string()],
        Err(e) => ["–".to_owned(), e.to_string(), "–".to_owned(), "–".to_owned()],
    };
    vec![entry.name.clone(), started, subject, n, k, entry.events.to_string(), size(entry.bytes)]
}

/// The start without the letters that only machines need.
fn started(metadata: &Metadata) -> String {
    metadata.created.to_string().replace('T', " ").replace('Z', "")
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

fn show(session: &session::Session, m: &Metadata) -> String {
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
        ("events", format!("{} over {:.1} s", session.events.len(), readout.t)),
        ("ends", format!("{:?}", readout.state).to_lowercase()),
    ];
    let rows = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut text = table(&[Section { title: session.name(), columns: Vec::new(), rows }]);
    for message in readout.warnings.values() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  ⚠ {message}");
    }
    text
}
