//! The lines of `events.jsonl`: first a header, then one [`Stamped`] event a line.

use serde::{Deserialize, Serialize};

use crate::engine::event::{FORMAT, Stamped};

/// Name of the file of events in a session's folder.
pub const EVENTS: &str = "events.jsonl";

/// Name of the file that describes the session.
pub const METADATA: &str = "session.toml";

/// Name of the file that its writer holds locked.
pub const LOCK: &str = "lock";

/// The first line: who wrote the session, and in which format. Later versions may add keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of eigentop that wrote it.
    pub eigentop: String,
    /// Version of the event format.
    pub format: u32,
}

impl Header {
    /// The header this program writes.
    pub fn current() -> Header {
        Header { eigentop: env!("CARGO_PKG_VERSION").into(), format: FORMAT }
    }
}

/// The header as a line, newline included.
///
/// # Errors
/// Never for a header; the signature is serde's.
pub fn header_line(header: &Header) -> serde_json::Result<Vec<u8>> {
    line(header)
}

/// An event as a line, newline included.
///
/// # Errors
/// Never for an event: every one has a JSON form.
pub fn event_line(event: &Stamped) -> serde_json::Result<Vec<u8>> {
    line(event)
}

fn line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}
