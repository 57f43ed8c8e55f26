//! Floor 3. Eigensolvers for symmetric operators, which are known through their products with vectors only. Knows
//! nothing of models.
//!
//! [`lanczos`] is the default, [`power`] the paper's method corrected, [`paper`] the paper's method as published. All
//! answer a [`solver::Request`] with a [`solver::Eigenspace`], and show every product on the way. [`trace`] and
//! [`density`] tell of the whole spectrum what a few random vectors see.

mod check;
pub mod density;
mod krylov;
pub mod lanczos;
pub mod lobpcg;
pub mod operator;
pub mod paper;
pub mod power;
pub mod solver;
pub mod trace;
