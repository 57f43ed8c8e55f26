//! Floor 2, models. nanochat's GPT: its configuration, its graph, and checkpoints read from and written to disk.
//! Knows nothing of curvature.

pub mod checkpoint;
pub mod config;
pub mod gpt;
mod pickle;
mod safetensors;
