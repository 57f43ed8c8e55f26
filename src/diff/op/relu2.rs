//! Squared rectifier: y = max(x, 0)².

use crate::diff::primitive::{At, Batch, Dot, Out, Primitive};
use crate::math::array::Real;
use crate::math::simd::vectorised;

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
        vectorised(|| y.iter_mut().zip(x[0]).for_each(|(y, x)| *y = relu(*x) * relu(*x)));
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let two = T::of(2.0);
        vectorised(|| dy.iter_mut().zip(at.x[0]).zip(dx[0]).for_each(|((dy, x), dx)| *dy = two * relu(*x) * *dx));
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], _: &[T], ybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let (two, x) = (T::of(2.0), &x[0][..ybar.len()]);
        vectorised(|| out[0].fill_with(|i| two * relu(x[i]) * ybar[i]));
    }

    fn adjoint_tangent(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T], dybar: &[T], out: &mut [Out<T>]) {
        let (two, n) = (T::of(2.0), ybar.len());
        let (x, dx, dybar) = (&at.x[0][..n], &dot.x[0][..n], &dybar[..n]);
        vectorised(|| out[0].fill_with(|i| two * (relu(x[i]) * dybar[i] + step(x[i]) * dx[i] * ybar[i])));
    }
}
