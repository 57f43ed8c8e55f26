//! What a session is of.

use serde::{Deserialize, Serialize};

use crate::engine::knobs::Precision;

/// What is being looked at: fixed for a whole session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subject {
    /// Short name of the checkpoint, such as `demo` or a folder's name.
    pub name: String,
    /// The model's shape in words, such as `nanochat 4×96`.
    pub model: String,
    /// The checkpoint's configuration, as read.
    pub config: serde_json::Value,
    /// Number of parameters P.
    pub parameters: usize,
    /// Sequences read.
    pub sequences: usize,
    /// Tokens per sequence.
    pub tokens: usize,
    /// Precision of values and derivatives.
    pub precision: Precision,
    /// Device in words, such as `cpu`.
    pub device: String,
    /// Worker threads.
    pub threads: usize,
    /// Fingerprint (BLAKE3, hex) of the checkpoint's parameters and configuration.
    pub checkpoint: String,
    /// Fingerprint (BLAKE3, hex) of the sequences.
    pub data: String,
    /// Version of eigentop that computed.
    pub version: String,
}
