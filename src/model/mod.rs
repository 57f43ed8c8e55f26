//! Floor 2, models. nanochat's GPT: its configuration, its graph, and checkpoints read from and written to disk.
//! Knows nothing of curvature.

mod additions;
pub mod architecture;
mod assemble;
pub mod checkpoint;
pub mod config;
pub mod gpt;
pub mod gpt2;
mod layers;
pub mod llama;
mod nanochat;
mod pickle;
pub mod rope;
mod safetensors;
mod shards;
mod tensors;
