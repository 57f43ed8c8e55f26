//! Floor 0. Arrays as slices, vectorised loops, flat vectors, bases of them and where they lie, statistics with intervals,
//! seeded streams, numbers as text, small dense algebra. Knows nothing of models, curvature, threads or screens.

pub mod array;
pub mod basis;
pub mod dense;
pub mod flat;
pub mod format;
pub mod simd;
pub mod space;
pub mod stats;
pub mod stream;
pub mod vector;
