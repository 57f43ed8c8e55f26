//! Floor 2, training: a small nanochat from its own initial weights, for the demo, for checkpoints to try things on and for
//! criteria followed along a training run.

pub mod curriculum;
mod descent;
pub mod init;
pub mod run;
