//! `session.toml`: what a session is of, readable by a person and without reading its events.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::value::Datetime;

use super::clock;
use super::format::METADATA;
use crate::engine::event::{FORMAT, Subject};
use crate::engine::knobs::Knobs;
use crate::error::{Error, Result};

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
    /// The knobs at the start.
    pub knobs: Knobs,
    /// What was looked at, with the fingerprints of checkpoint and data.
    pub subject: Subject,
}

impl Metadata {
    /// The metadata of a session that starts now.
    pub fn now(subject: &Subject, knobs: &Knobs, memory: Option<u64>) -> Metadata {
        Metadata {
            created: clock::now(),
            eigentop: env!("CARGO_PKG_VERSION").into(),
            format: FORMAT,
            memory,
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
