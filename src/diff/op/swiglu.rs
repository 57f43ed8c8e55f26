//! The gate of a SwiGLU (Shazeer 2020): one half of the hidden units, through a sigmoid unit, times the other half.

use super::smear::sigmoid_jet;
use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{self, sum};

/// y = silu(g) ∘ u, element by element, silu(g) = g·σ(g). Inputs: g and u of equal size.
pub struct SwiGlu;

/// silu and its first two derivatives at g.
#[inline(always)]
fn jet<T: Real>(g: T) -> (T, T, T) {
    let (s, s1, s2) = sigmoid_jet(g);
    (g * s, s + g * s1, T::of(2.0) * s1 + g * s2)
}

impl<T: Real> Primitive<T> for SwiGlu {
    fn name(&self) -> &'static str {
        "swiglu"
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        simd::map(Write::Set, y, [x[0], x[1]], |[g, u]| jet(g).0 * u);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        simd::map(Write::Set, dy, [at.x[0], at.x[1], dx[0], dx[1]], |[g, u, dg, du]| {
            let (f, first, _) = jet(g);
            first * dg * u + f * du
        });
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_g, to_u] = out else { unreachable!("two inputs") };
        to_g.fill_with([x[0], x[1], ybar], |[g, u, ybar]| jet(g).1 * u * ybar);
        to_u.fill_with([x[0], ybar], |[g, ybar]| jet(g).0 * ybar);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let ([g, u], [dg, du]) = (at.x, dx) else { unreachable!("two inputs") };
        let [to_g, to_u] = out else { unreachable!("two inputs") };
        to_g.fill_with([g, u, dg, du, ybar, dybar], |[g, u, dg, du, ybar, dybar]| {
            let (_, first, second) = jet(g);
            first * (u * dybar + du * ybar) + second * dg * u * ybar
        });
        to_u.fill_with([g, dg, ybar, dybar], |[g, dg, ybar, dybar]| {
            let (f, first, _) = jet(g);
            f * dybar + first * dg * ybar
        });
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        curvature(at.x, dx, ybar)
    }
}

crate::kernel! {
    /// Σ ȳ (f''(g) ġ² u + 2 f'(g) ġ u̇).
    fn curvature[T](x: &'a [&'a [T]], dx: &'a [&'a [T]], ybar: &'a [T]) -> f64 {
        let two = T::of(2.0);
        sum([x[0], x[1], dx[0], dx[1], ybar], |[g, u, dg, du, ybar]| {
            let (_, first, second) = jet(g);
            (dg * ybar * (second * dg * u + two * first * du)).wide()
        })
    }
}
