//! Floor 3. Newton's method within a trust region, for functions that are known by their values, gradients and the
//! products of their Hessians with vectors. Knows nothing of models.
//!
//! [`trust_region`] goes from point to point and never uphill; [`steihaug`] finds where to go next by conjugate gradients
//! on the quadratic model, however its curvature turns.

pub mod steihaug;
pub mod trust_region;
