//! Floor 2, models. Each kind has its configuration and its graph ([`config`] and [`gpt`] are nanochat's, [`gpt2`],
//! [`llama`]); [`architecture`] is where they meet, [`checkpoint`] reads them from disk and writes them.
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
pub mod nanochat;
mod pytorch;
pub mod rope;
mod safetensors;
mod shards;
mod tensors;
