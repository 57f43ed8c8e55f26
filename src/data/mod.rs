//! Floor 2, data. Token sequences with their next-token targets: what they are read from and how they are cut, and the
//! demo that is compiled in.

pub mod demo;
pub mod documents;
pub mod packing;
pub mod sequences;
pub mod text;
pub mod tokenizer;
