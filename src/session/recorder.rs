//! Writing a session as it happens.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock;
use super::format::{self, EVENTS, Header};
use super::metadata::{Branch, Metadata};
use super::store::{self, Store};
use crate::engine::event::{Event, Level, Stamped};
use crate::engine::knobs::Knobs;
use crate::engine::source::Source;
use crate::engine::worker::Sink;
use crate::error::{Error, Result};

/// How a new session gets its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Naming {
    /// By date, time and subject, such as `2026-11-24_22-15_demo`.
    Automatic,
    /// As given.
    Given(String),
}

/// Writes one session. Clones write the same one.
///
/// Each event is one write to the system before [`Recorder::record`] returns, so that a process killed at any moment
/// loses nothing that was recorded. The folder appears with the first [`Event::Opened`]: a run that never opened its
/// checkpoint leaves no session.
#[derive(Clone)]
pub struct Recorder(Arc<Mutex<State>>);

struct State {
    store: Store,
    naming: Naming,
    knobs: Knobs,
    memory: Option<u64>,
    origin: Origin,
    stage: Stage,
}

/// Where a session comes from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Origin {
    /// Where checkpoint and data are read, with absolute paths.
    pub source: Option<Source>,
    /// The moment of another session from which it goes on.
    pub branched_from: Option<Branch>,
}

enum Stage {
    /// Nothing is open yet; lines wait in memory.
    Waiting(Vec<u8>),
    /// Lines go to the file.
    Writing(Files),
    /// The system refused a write, and the run goes on unrecorded.
    Broken,
}

struct Files {
    folder: PathBuf,
    events: File,
    /// Held locked for as long as this process may write.
    _lock: File,
}

impl Files {
    fn open(folder: PathBuf) -> Result<Files> {
        let _lock = store::lock(&folder)?;
        let path = folder.join(EVENTS);
        let events = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        Ok(Files { folder, events, _lock })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.events.write_all(bytes).map_err(|e| Error::io(&self.folder.join(EVENTS))(e))
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

impl Recorder {
    /// A recorder that will write into `store`. `knobs` and `memory` are those of the start, for the metadata.
    ///
    /// # Errors
    /// A given name that is no plain file name or is taken.
    pub fn new(store: Store, naming: Naming, knobs: Knobs, memory: Option<u64>) -> Result<Recorder> {
        if let Naming::Given(name) = &naming {
            // Better refused now than after the checkpoint was read.
            store.available(name)?;
        }
        let stage = Stage::Waiting(Vec::new());
        let origin = Origin::default();
        Ok(Recorder(Arc::new(Mutex::new(State { store, naming, knobs, memory, origin, stage }))))
    }

    /// Say where the session comes from; heard if nothing was recorded yet.
    pub fn set_origin(&self, origin: Origin) {
        self.state().origin = origin;
    }

    /// Record one event.
    ///
    /// # Errors
    /// What the system refuses, once: from then on nothing is recorded.
    pub fn record(&self, event: &Stamped) -> Result<()> {
        let mut state = self.state();
        let result = state.record(event);
        if result.is_err() {
            state.stage = Stage::Broken;
        }
        result
    }

    /// A sink that records every event and hands it on to `next`. If recording fails the run goes on, and `next` gets
    /// the reason as a line of the log.
    pub fn sink(&self, mut next: Sink) -> Sink {
        let recorder = self.clone();
        Box::new(move |event| {
            if let Err(e) = recorder.record(event) {
                let text = format!("recording stopped: {e}");
                next(&Stamped { t: event.t, event: Event::Log { level: Level::Error, text } });
            }
            next(event);
        })
    }

    /// The name of the session, once it exists.
    pub fn name(&self) -> Option<String> {
        match &self.state().stage {
            Stage::Writing(files) => Some(files.name()),
            Stage::Waiting(_) | Stage::Broken => None,
        }
    }

    /// Give the session another name, under which recording goes on, and return its folder.
    ///
    /// # Errors
    /// If the session does not exist yet, the name is taken or no plain file name, or the system refuses.
    pub fn save_as(&self, name: &str) -> Result<PathBuf> {
        let mut state = self.state();
        let State { store, stage, .. } = &mut *state;
        let files = match stage {
            Stage::Writing(files) if files.name() == name => return Ok(files.folder.clone()),
            Stage::Writing(files) => files,
            Stage::Waiting(_) => return Err(Error::Computation("there is nothing to save yet".into())),
            Stage::Broken => return Err(Error::Computation("recording stopped; there is nothing more to save".into())),
        };
        // Some systems do not rename a folder with open files, so they are closed meanwhile.
        let folder = files.folder.clone();
        store.path(name)?;
        *stage = Stage::Broken;
        let renamed = store.rename(&folder, name);
        *stage = Stage::Writing(Files::open(renamed.as_ref().map_or(folder, PathBuf::clone))?);
        renamed
    }

    /// A panic of another thread leaves at worst one line half written, which readers expect.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn record(&mut self, event: &Stamped) -> Result<()> {
        let folder = || self.store.folder().to_owned();
        let line = format::event_line(event).map_err(|e| Error::file(&folder(), e.to_string()))?;
        match &mut self.stage {
            Stage::Broken => Ok(()),
            Stage::Writing(files) => files.write(&line),
            Stage::Waiting(lines) => {
                lines.extend(line);
                let Event::Opened(subject) = &event.event else { return Ok(()) };
                let Origin { source, branched_from } = self.origin.clone();
                let now = Metadata::now(subject, &self.knobs, self.memory);
                let metadata = Metadata { source, branched_from, ..now };
                let folder = match &self.naming {
                    Naming::Given(name) => self.store.create(name)?,
                    Naming::Automatic => {
                        let stem = format!("{}_{}", clock::stamp(&metadata.created), store::file_name(&subject.name));
                        self.store.create_unique(&stem)?
                    }
                };
                let mut files = begin(&folder, &metadata)?;
                files.write(lines)?;
                self.stage = Stage::Writing(files);
                Ok(())
            }
        }
    }
}

/// Lock a new session's folder and write what comes before its first event.
fn begin(folder: &Path, metadata: &Metadata) -> Result<Files> {
    let mut files = Files::open(folder.to_owned())?;
    metadata.write(folder)?;
    let header = format::header_line(&Header::current()).map_err(|e| Error::file(folder, e.to_string()))?;
    files.write(&header)?;
    Ok(files)
}
