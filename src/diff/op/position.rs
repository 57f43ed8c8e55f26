//! Learned position embedding: every row takes up the table's row of its place in the sequence.

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::put;

/// `y_t = x_t + P[t]`, t the position in the sequence. Inputs: x (rows × `width`), the table P (positions × `width`).
pub struct Position {
    /// Elements of a row.
    pub width: usize,
}

crate::kernel! {
    /// y += P[t] in every row.
    fn placed[T](width: usize, length: usize, table: &'a [T], y: &'a mut [T]) -> () {
        for y in y.chunks_exact_mut(width * length) {
            put(Write::Add, y, [&table[..width * length]], |[p]| p);
        }
    }

    /// P̄[t] += ȳ of every row.
    fn gathered[T](width: usize, length: usize, ybar: &'a [T], table: &'a mut [T]) -> () {
        for ybar in ybar.chunks_exact(width * length) {
            put(Write::Add, &mut table[..width * length], [ybar], |[y]| y);
        }
    }
}

impl Position {
    fn back<T: Real>(&self, batch: &Batch, ybar: &[T], out: &mut [Out<T>]) {
        let [to_x, to_table] = out else { unreachable!("two inputs") };
        to_x.fill_with([ybar], |[y]| y);
        gathered(self.width, batch.length, ybar, to_table.open());
    }
}

impl<T: Real> Primitive<T> for Position {
    fn name(&self) -> &'static str {
        "position embedding"
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        y.copy_from_slice(x[0]);
        placed(self.width, batch.length, x[1], y);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        dy.copy_from_slice(dx[0]);
        placed(self.width, at.batch.length, dx[1], dy);
    }

    fn adjoint(&self, batch: &Batch, _: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.back(batch, ybar, out);
    }

    fn adjoint_tangent(&self, at: &At<T>, _: &[&[T]], _: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.back(at.batch, dybar, out);
    }

    fn curvature(&self, _: &At<T>, _: &[&[T]], _: &[T], _: &mut [Vec<T>]) -> f64 {
        0.0
    }
}
