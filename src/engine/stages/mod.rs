//! The stages of the ladder, one a file.

mod coefficients;
mod evaluate;
mod exhibits;
mod linearise;
mod subspace;
mod sweeps;
