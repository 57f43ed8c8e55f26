//! Floor 3. Eigensolvers and trace estimators on symmetric operators, which are known through their products with
//! vectors only. Knows nothing of models.

pub mod basis;
mod check;
mod krylov;
pub mod lanczos;
pub mod operator;
pub mod paper;
pub mod power;
pub mod solver;
