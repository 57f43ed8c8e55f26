//! Linear map without bias: y = x Wᵀ, W stored (out, in).

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::diff::product::{product, rows, rows_mut};
use crate::math::array::Real;
use crate::math::simd;

/// y = x Wᵀ. Inputs: x (rows × `from`), W (`to` × `from`).
pub struct Linear {
    /// Width of x.
    pub from: usize,
    /// Width of y.
    pub to: usize,
}

/// Rows whose second derivative is held at once.
const STRIP: usize = 64;

impl<T: Real> Primitive<T> for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn works(&self, batch: &Batch) -> Vec<usize> {
        vec![batch.rows().min(STRIP) * self.to]
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        product(rows_mut(y, self.to), Write::Set, 1.0, rows(x[0], self.from), rows(x[1], self.from).transpose());
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let (x, w) = (rows(at.x[0], self.from), rows(at.x[1], self.from));
        let (dx, dw) = (rows(dx[0], self.from), rows(dx[1], self.from));
        product(rows_mut(dy, self.to), Write::Set, 1.0, dx, w.transpose());
        product(rows_mut(dy, self.to), Write::Add, 1.0, x, dw.transpose());
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let (x, w, ybar) = (rows(x[0], self.from), rows(x[1], self.from), rows(ybar, self.to));
        let [to_x, to_w] = out else { unreachable!("two inputs") };
        product(rows_mut(to_x.to, self.from), to_x.write, 1.0, ybar, w);
        product(rows_mut(to_w.to, self.from), to_w.write, 1.0, ybar.transpose(), x);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let (x, w) = (rows(at.x[0], self.from), rows(at.x[1], self.from));
        let (dx, dw) = (rows(dx[0], self.from), rows(dx[1], self.from));
        let (ybar, dybar) = (rows(ybar, self.to), rows(dybar, self.to));
        let [to_x, to_w] = out else { unreachable!("two inputs") };
        product(rows_mut(to_x.to, self.from), to_x.write, 1.0, dybar, w);
        product(rows_mut(to_x.to, self.from), Write::Add, 1.0, ybar, dw);
        product(rows_mut(to_w.to, self.from), to_w.write, 1.0, dybar.transpose(), x);
        product(rows_mut(to_w.to, self.from), Write::Add, 1.0, ybar.transpose(), dx);
    }

    /// f''[ẋ, ẋ] = 2 ẋ Ẇᵀ: one product instead of two.
    fn curvature(&self, _: &At<T>, dx: &[&[T]], ybar: &[T], work: &mut [Vec<T>]) -> f64 {
        let dw = rows(dx[1], self.from).transpose();
        let parts = dx[0].chunks(STRIP * self.from).zip(ybar.chunks(STRIP * self.to));
        let strip = |(dx, ybar): (&[T], &[T])| {
            let second = &mut work[0][..ybar.len()];
            product(rows_mut(second, self.to), Write::Set, 2.0, rows(dx, self.from), dw);
            simd::dot(second, ybar)
        };
        parts.map(strip).sum()
    }
}
