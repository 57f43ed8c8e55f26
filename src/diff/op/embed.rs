//! Embedding: row t of the output is the table's row of token t.

use crate::diff::primitive::{At, Batch, Extent, Out, Primitive};
use crate::math::array::Real;

/// `y_t = W[token_t]`. Input: the table W (vocabulary × width).
pub struct Embed {
    /// Elements of a row.
    pub width: usize,
}

impl Embed {
    fn gather<T: Real>(&self, batch: &Batch, table: &[T], y: &mut [T]) {
        for (row, &token) in y.chunks_exact_mut(self.width).zip(&batch.inputs) {
            row.copy_from_slice(&table[token as usize * self.width..][..self.width]);
        }
    }

    fn scatter<T: Real>(&self, batch: &Batch, ybar: &[T], out: &mut [Out<T>]) {
        let mut table = out[0].scatter(batch);
        for (t, row) in ybar.chunks_exact(self.width).enumerate() {
            table.row(t, self.width).iter_mut().zip(row).for_each(|(o, y)| *o += *y);
        }
    }
}

impl<T: Real> Primitive<T> for Embed {
    fn name(&self) -> &'static str {
        "embed"
    }

    fn extent(&self, _: usize) -> Extent {
        Extent::Touched
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        self.gather(batch, x[0], y);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        self.gather(at.batch, dx[0], dy);
    }

    fn adjoint(&self, batch: &Batch, _: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.scatter(batch, ybar, out);
    }

    fn adjoint_tangent(&self, at: &At<T>, _: &[&[T]], _: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.scatter(at.batch, dybar, out);
    }

    fn curvature(&self, _: &At<T>, _: &[&[T]], _: &[T], _: &mut [Vec<T>]) -> f64 {
        0.0
    }
}
