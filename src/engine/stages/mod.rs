//! The stages of the ladder, one a file.

mod coefficients;
mod evaluate;
mod exhibits;
mod growth;
mod linearise;
mod subspace;
mod sweeps;

pub(super) use sweeps::floor;
