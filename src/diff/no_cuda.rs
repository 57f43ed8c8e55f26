//! What stands for the GPU in a build without it: a device that cannot be opened.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Range;

use super::graph::Graph;
use super::primitive::Batch;
use crate::error::{Error, Result};
use crate::math::array::Real;

/// A tape that cannot be made.
pub struct Tape<T>(Infallible, PhantomData<T>);

fn absent(ordinal: usize) -> Error {
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

impl<T: Real> Tape<T> {
    /// A tape on a GPU is not to be had.
    ///
    /// # Errors
    /// Always.
    pub fn new(ordinal: usize, _graph: &Graph<T>, _batches: &[Batch], _w: &[T]) -> Result<Tape<T>> {
        Err(absent(ordinal))
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn move_to(&self, _w: &[T]) -> Result<()> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn linearise(&self, _graph: &Graph<T>, _range: Range<usize>) -> Result<Vec<f64>> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn losses(&self, _graph: &Graph<T>, _point: &[T], _range: Range<usize>) -> Result<Vec<f64>> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn gradient(&self, _graph: &Graph<T>, _range: Range<usize>, _out: &mut [T]) -> Result<()> {
        match self.0 {}
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn hvp(&self, _graph: &Graph<T>, _range: Range<usize>, _v: &[T], _out: &mut [T]) -> Result<f64> {
        match self.0 {}
    }
}
