//! Floor 5. The worker thread, its commands and events, and the readout folded from them. Knows nothing of the terminal.

pub mod bench;
mod climb;
mod control;
mod emitter;
pub mod event;
pub mod growth;
mod hessian;
pub mod knobs;
pub mod ladder;
pub mod lints;
pub mod memory;
pub mod number;
pub mod probe;
pub mod problem;
pub mod readout;
pub mod settle;
pub mod source;
mod stages;
pub mod worker;
