//! Matrix products of row-major slices, through faer. Each runs on the calling thread: parallelism is over sequences
//! and directions, where no result depends on the number of threads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use super::primitive::Write;
use crate::math::array::Real;

/// How a GPU multiplies matrices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Products {
    /// In the precision of the run.
    #[default]
    Full,
    /// In single precision from factors rounded to TF32, 10 bits after the point: several times as fast where the GPU has
    /// units for it. Double precision knows no such thing.
    Tf32,
}

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
    let metered = METERED.load(Relaxed).then(|| (2 * a.nrows() * a.ncols() * b.ncols(), Instant::now()));
    matmul(to, accum, a, b, T::of(alpha), Par::Seq);
    if let Some((operations, began)) = metered {
        OPERATIONS.fetch_add(operations as u64, Relaxed);
        NANOSECONDS.fetch_add(began.elapsed().as_nanos() as u64, Relaxed);
    }
}

static METERED: AtomicBool = AtomicBool::new(false);
static OPERATIONS: AtomicU64 = AtomicU64::new(0);
static NANOSECONDS: AtomicU64 = AtomicU64::new(0);

/// What matrix products cost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Floating-point operations.
    pub operations: f64,
    /// Seconds, added up over the threads.
    pub thread_seconds: f64,
}

/// Run something and tell what the matrix products of this process cost meanwhile: for benchmarks, one at a time.
pub fn metered(run: impl FnOnce()) -> Cost {
    OPERATIONS.store(0, Relaxed);
    NANOSECONDS.store(0, Relaxed);
    METERED.store(true, Relaxed);
    run();
    METERED.store(false, Relaxed);
    Cost { operations: OPERATIONS.load(Relaxed) as f64, thread_seconds: NANOSECONDS.load(Relaxed) as f64 * 1e-9 }
}
