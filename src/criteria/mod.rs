//! Floor 4. The increment field and its criteria J_1, J_full, J_sub: pure functions of losses, coefficients and draws.
//! Knows nothing of threads, events or models.

pub mod estimators;
pub mod growth;
pub mod increment;
pub mod pick_freeze;
pub mod prefix;
pub mod projection;
pub mod proxy;
pub mod quadratic;
pub mod theory;
