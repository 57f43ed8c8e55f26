//! What stands for the GPU in a build without it: a device that cannot be opened.

use crate::error::{Error, Result};
use crate::math::space::Host;

/// A device's memory, of which there is none: no risk hands one out.
pub type DeviceSpace<T> = Host<T>;

/// A vector there.
pub type DeviceVector<T> = Vec<T>;

/// The error of whoever asks for a GPU here.
pub(super) fn absent(ordinal: usize) -> Error {
    let what = "needs a build with CUDA: use cpu, or `cargo build --release --features cuda`";
    Error::knob("--device", format!("cuda:{ordinal} {what}"))
}

/// GPUs are not to be had.
///
/// # Errors
/// Always.
pub fn describe(ordinal: usize) -> Result<(String, u64)> {
    Err(absent(ordinal))
}
