//! What stands for the sweeps on a GPU in a build that knows none.

use super::{Sample, Sweeps};
use crate::diff::cuda;
use crate::diff::product::Products;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::space::Room;

/// A GPU is not to be had.
///
/// # Errors
/// Always.
pub(super) fn open<T: Real>(ordinal: usize, _: &Sample<T>, _: Products, _: Room) -> Result<Box<dyn Sweeps<T>>> {
    Err(cuda::absent(ordinal))
}
