//! Floor 2, data. Token sequences with their next-token targets, and the demo that is compiled in.

pub mod demo;
pub mod sequences;
