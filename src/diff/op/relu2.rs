//! Squared rectifier: y = max(x, 0)².

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{self, sum};

/// y = max(x, 0)², element by element. Its second derivative is taken as 0 at x = 0.
pub struct Relu2;

/// max(x, 0).
#[inline(always)]
fn relu<T: Real>(x: T) -> T {
    if x > T::zero() { x } else { T::zero() }
}

/// The step: 1 for x > 0, else 0.
#[inline(always)]
fn step<T: Real>(x: T) -> T {
    if x > T::zero() { T::one() } else { T::zero() }
}

impl<T: Real> Primitive<T> for Relu2 {
    fn name(&self) -> &'static str {
        "relu²"
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        simd::map(Write::Set, y, [x[0]], |[x]| relu(x) * relu(x));
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let two = T::of(2.0);
        simd::map(Write::Set, dy, [at.x[0], dx[0]], |[x, dx]| two * relu(x) * dx);
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let two = T::of(2.0);
        out[0].fill_with([x[0], ybar], |[x, ybar]| two * relu(x) * ybar);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let two = T::of(2.0);
        out[0].fill_with([at.x[0], dx[0], ybar, dybar], |[x, dx, ybar, dybar]| {
            two * (relu(x) * dybar + step(x) * dx * ybar)
        });
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        curvature(at.x[0], dx[0], ybar)
    }
}

crate::kernel! {
    /// Σ ȳ f''(x) ẋ².
    fn curvature[T](x: &'a [T], dx: &'a [T], ybar: &'a [T]) -> f64 {
        let two = T::of(2.0);
        sum([x, dx, ybar], |[x, dx, ybar]| (two * step(x) * dx * dx * ybar).wide())
    }
}
