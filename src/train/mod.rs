//! Floor 2, training: a small nanochat from its own initial weights, for the demo and for checkpoints to try things on.

pub mod init;
pub mod run;
