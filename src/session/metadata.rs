//! `session.toml`: what a session is of, readable by a person and without reading its events.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::clock;
use super::format::METADATA;
use crate::engine::event::{FORMAT, Subject};
use crate::engine::knobs::Knobs;
use crate::engine::source::Source;
use crate::engine::worker::Settings;
use crate::error::{Error, Result};
use crate::file::{Readers, replace};

/// What a session is of, as it was started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// When it was started (Coordinated Universal Time).
    pub created: Datetime,
    /// Version of eigentop that recorded it.
    pub eigentop: String,
    /// Version of the event format.
    pub format: u32,
    /// Memory that could be used, bytes; absent when it was left to the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// The user's note.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// The user's tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The moment of another session from which this one goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branched_from: Option<Branch>,
    /// Where checkpoint and data were read; absent in sessions of the first versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The knobs at the start.
    pub knobs: Knobs,
    /// What was looked at, with the fingerprints of checkpoint and data.
    pub subject: Subject,
}

/// A moment of a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// The session's name.
    pub session: String,
    /// Seconds since it began.
    pub t: f64,
}

impl Metadata {
    /// The metadata of a session that starts now.
    pub fn now(subject: &Subject, knobs: &Knobs, memory: Option<u64>) -> Metadata {
        Metadata {
            created: clock::now(),
            eigentop: env!("CARGO_PKG_VERSION").into(),
            format: FORMAT,
            memory,
            note: String::new(),
            tags: Vec::new(),
            branched_from: None,
            source: None,
            knobs: knobs.clone(),
            subject: subject.clone(),
        }
    }

    /// Write `session.toml` into a folder.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(METADATA);
        let mut plain = self.clone();
        // TOML has no null: a configuration key without a value is left out.
        strip_nulls(&mut plain.subject.config);
        let text = toml::to_string(&plain).map_err(|e| Error::file(&path, e.to_string()))?;
        std::fs::write(&path, text).map_err(Error::io(&path))
    }

    /// What a run that goes on from here computes with; as many threads as the machine has.
    pub fn settings(&self) -> Settings {
        let Subject { precision, device, .. } = &self.subject;
        Settings { precision: *precision, device: device.clone(), threads: 0, memory: self.memory }
    }

    /// Where checkpoint and data can be read again.
    ///
    /// # Errors
    /// If the session does not say where.
    pub fn source(&self) -> Result<Source> {
        match &self.source {
            Some(source) => Ok(source.clone()),
            None if self.subject.name == "demo" => Ok(Source::demo()),
            None => Err(Error::Computation(format!(
                "this session of {} does not say where its checkpoint lies, for it was recorded by an early version; \
                 open it with --checkpoint",
                self.subject.name
            ))),
        }
    }

    /// Write another note and other tags into `session.toml` of a folder. Everything else there stays, also what this
    /// version does not know; the file is replaced whole or not at all.
    ///
    /// # Errors
    /// A missing or malformed file, by name; what the system refuses.
    pub fn describe(folder: &Path, note: &str, tags: &[String]) -> Result<()> {
        let path = folder.join(METADATA);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        let mut table: toml::Table = toml::from_str(&text).map_err(|e| Error::file(&path, e.message().to_owned()))?;
        let mut set = |key: &str, value: Option<toml::Value>| match value {
            Some(value) => table.insert(key.into(), value),
            None => table.remove(key),
        };
        set("note", (!note.is_empty()).then(|| note.into()));
        set("tags", (!tags.is_empty()).then(|| tags.to_vec().into()));
        let text = toml::to_string(&table).map_err(|e| Error::file(&path, e.to_string()))?;
        replace(&path, text.as_bytes(), Readers::Owner)
    }

    /// Read `session.toml` of a folder.
    ///
    /// # Errors
    /// A missing or malformed file, by name.
    pub fn read(folder: &Path) -> Result<Metadata> {
        let path = folder.join(METADATA);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        toml::from_str(&text).map_err(|e| Error::file(&path, e.message().to_owned()))
    }
}

fn strip_nulls(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(strip_nulls);
        }
        serde_json::Value::Array(items) => {
            items.retain(|v| !v.is_null());
            items.iter_mut().for_each(strip_nulls);
        }
        _ => (),
    }
}
