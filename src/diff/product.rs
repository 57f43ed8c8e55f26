//! Matrix products of row-major slices, through faer. Each runs on the calling thread: parallelism is over sequences
//! and directions, where no result depends on the number of threads.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::primitive::Write;
use crate::math::array::Real;

/// A slice of whole rows of width `width` as a matrix.
pub fn rows<T: Real>(data: &[T], width: usize) -> MatRef<'_, T> {
    MatRef::from_row_major_slice(data, data.len() / width, width)
}

/// The same, to write into.
pub fn rows_mut<T: Real>(data: &mut [T], width: usize) -> MatMut<'_, T> {
    let count = data.len() / width;
    MatMut::from_row_major_slice_mut(data, count, width)
}

/// `to` ← α a b, or `to` += α a b.
pub fn product<T: Real>(to: MatMut<'_, T>, write: Write, alpha: f64, a: MatRef<'_, T>, b: MatRef<'_, T>) {
    let accum = match write {
        Write::Set => Accum::Replace,
        Write::Add => Accum::Add,
    };
    matmul(to, accum, a, b, T::of(alpha), Par::Seq);
}
