//! Gaussian error linear unit in its tanh form (Hendrycks and Gimpel 2016), GPT-2's `gelu_new`.

use super::smear::sigmoid_jet;
use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{self, sum};

/// y = ½x(1 + tanh(√(2/π)(x + 0.044715x³))), element by element. It is x·σ(s) with s twice tanh's argument.
pub struct Gelu;

/// √(8/π).
const SLOPE: f64 = 1.595_769_121_605_730_7;
/// The cubic term's coefficient.
const CUBIC: f64 = 0.044_715;

/// y and its first two derivatives at x.
#[inline(always)]
fn jet<T: Real>(x: T) -> (T, T, T) {
    let (slope, cubic, one) = (T::of(SLOPE), T::of(CUBIC), T::one());
    let square = cubic * x * x;
    let (g, g1, g2) = sigmoid_jet(slope * x * (one + square));
    let s1 = slope * (one + T::of(3.0) * square);
    let s2 = T::of(6.0) * slope * cubic * x;
    (x * g, g + x * g1 * s1, T::of(2.0) * g1 * s1 + x * (g2 * s1 * s1 + g1 * s2))
}

impl<T: Real> Primitive<T> for Gelu {
    fn name(&self) -> &'static str {
        "gelu"
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        simd::map(Write::Set, y, [x[0]], |[x]| jet(x).0);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        simd::map(Write::Set, dy, [at.x[0], dx[0]], |[x, dx]| jet(x).1 * dx);
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        out[0].fill_with([x[0], ybar], |[x, ybar]| jet(x).1 * ybar);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        out[0].fill_with([at.x[0], dx[0], ybar, dybar], |[x, dx, ybar, dybar]| {
            let (_, first, second) = jet(x);
            first * dybar + second * dx * ybar
        });
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        curvature(at.x[0], dx[0], ybar)
    }
}

crate::kernel! {
    /// Σ ȳ f''(x) ẋ².
    fn curvature[T](x: &'a [T], dx: &'a [T], ybar: &'a [T]) -> f64 {
        sum([x, dx, ybar], |[x, dx, ybar]| (jet(x).2 * dx * dx * ybar).wide())
    }
}
