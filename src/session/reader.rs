//! Reading a session back.

use std::path::{Path, PathBuf};

use super::format::{EVENTS, Header};
use crate::engine::event::{Event, FORMAT, Stamped, WarningName};
use crate::engine::readout::Readout;
use crate::error::{Error, Result};

/// A session as it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    /// Its folder.
    pub folder: PathBuf,
    /// Who wrote it.
    pub header: Header,
    /// Every event in order. Where the last line was torn, a [`WarningName::TornSession`] stands in its place.
    pub events: Vec<Stamped>,
}

impl Session {
    /// Its name: the folder's.
    pub fn name(&self) -> String {
        self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned()
    }

    /// All that is known at its end.
    pub fn readout(&self) -> Readout {
        let mut readout = Readout::default();
        self.events.iter().for_each(|event| readout.apply(event));
        readout
    }
}

/// Read the session in `folder`.
///
/// A process that is killed can leave its last line half written: such a line is dropped, and a warning takes its
/// place. A line that cannot be read anywhere else means that the file was changed or damaged, and is an error.
///
/// # Errors
/// A folder without events; a session of a newer format, naming the version that wrote it; a damaged line, with its
/// number.
pub fn read(folder: &Path) -> Result<Session> {
    let path = folder.join(EVENTS);
    let bytes = std::fs::read(&path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::file(folder, format!("no session here: it has no {EVENTS}")),
        _ => Error::io(&path)(e),
    })?;
    // A whole file ends with a newline, after which nothing follows.
    let mut lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    if lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    let Some((first, rest)) = lines.split_first() else {
        return Err(Error::file(&path, "empty: nothing was recorded"));
    };
    let header: Header = serde_json::from_slice(first)
        .map_err(|e| Error::file(&path, format!("line 1 is not the header of a session: {e}")))?;
    if header.format > FORMAT {
        let what = format!(
            "recorded by eigentop {} in session format {}, but this is eigentop {}, which reads formats up to {FORMAT}; \
             replay it with the newer version",
            header.eigentop,
            header.format,
            env!("CARGO_PKG_VERSION"),
        );
        return Err(Error::file(&path, what));
    }

    let mut events: Vec<Stamped> = Vec::with_capacity(rest.len() + 1);
    for (i, line) in rest.iter().enumerate() {
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(_) if i + 1 == rest.len() => {
                let message = format!("the last line of {} was torn and dropped", path.display());
                let t = events.last().map_or(0.0, |e| e.t);
                events.push(Stamped { t, event: Event::Warning { name: WarningName::TornSession, message } });
            }
            Err(e) => return Err(Error::file(&path, format!("line {} is damaged: {e}", i + 2))),
        }
    }
    Ok(Session { folder: folder.to_owned(), header, events })
}
