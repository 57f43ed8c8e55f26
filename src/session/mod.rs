//! Floor 6. Sessions: every run recorded as it happens, listed, read back. Knows nothing of the terminal.
//!
//! A session is a folder:
//! - `session.toml`, what was started: see [`Metadata`];
//! - `events.jsonl`, a header line and then one event a line, appended as they happen: see [`format`](mod@format);
//! - `lock`, held by the process that writes.
//!
//! The [`Recorder`] writes one, the [`Store`] keeps them by name, [`read`] brings one back.

mod clock;
pub mod format;
mod metadata;
mod reader;
mod recorder;
mod store;

pub use metadata::{Branch, Metadata};
pub use reader::{Session, read};
pub use recorder::{Naming, Origin, Recorder};
pub use store::{Entry, Store};

#[cfg(test)]
mod tests;
