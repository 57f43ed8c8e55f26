//! Floor 5. The worker thread, its commands and events, and the readout folded from them. Knows nothing of the terminal.

pub mod event;
pub mod knobs;
pub mod ladder;
pub mod number;
pub mod readout;
pub mod worker;
