//! Floor 2, models. nanochat's GPT: its configuration, its graph, checkpoints read from and written to disk, and training.
//! Knows nothing of curvature.

pub mod checkpoint;
pub mod config;
pub mod gpt;
pub mod init;
mod pickle;
mod safetensors;
pub mod train;
