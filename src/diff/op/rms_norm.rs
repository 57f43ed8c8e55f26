//! Root-mean-square norm without weights.

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{dot_row, put};

/// ε of the norm, 2⁻²³ in every precision, so that f32 and f64 are one function.
pub const EPSILON: f64 = 1.0 / (1u32 << 23) as f64;

/// y = gain · x / √(mean(x²) + ε) over groups of `width` elements: whole rows, or the heads inside them.
pub struct RmsNorm {
    /// Elements of a group.
    pub width: usize,
    /// Constant factor.
    pub gain: f64,
}

crate::kernel! {
    /// y = gain r x, keeping r = 1/√(mean(x²) + ε) per group.
    fn normed[T](op: &'a RmsNorm, x: &'a [T], y: &'a mut [T], r: &'a mut [T]) -> () {
        let (gain, share, epsilon) = (T::of(op.gain), T::of(1.0 / op.width as f64), T::of(EPSILON));
        for ((x, y), r) in x.chunks_exact(op.width).zip(y.chunks_exact_mut(op.width)).zip(r) {
            *r = T::one() / (dot_row(x, x) * share + epsilon).sqrt();
            let scale = gain * *r;
            put(Write::Set, y, [x], |[x]| scale * x);
        }
    }

    /// gain · r · (v − x̂ mean(x̂∘v)): the Jacobian, which is symmetric, applied to v.
    fn jacobian[T](op: &'a RmsNorm, x: &'a [T], r: &'a [T], v: &'a [T], write: Write, to: &'a mut [T]) -> () {
        let (w, gain, share) = (op.width, T::of(op.gain), T::of(1.0 / op.width as f64));
        for (g, &r) in r.iter().enumerate() {
            let group = g * w..(g + 1) * w;
            let (x, v) = (&x[group.clone()], &v[group.clone()]);
            let along = dot_row(x, v) * r * r * share;
            put(write, &mut to[group], [x, v], |[x, v]| gain * r * (v - x * along));
        }
    }

    /// With μ = r·mean(x̂∘ẋ): ṙ = −rμ and x̂˙ = rẋ − x̂μ, so
    /// x̄˙ = gain·r·( −μ(ȳ − x̂m) + ȳ˙ − x̂˙m − x̂ṁ ), m = mean(x̂∘ȳ), ṁ = mean(x̂˙∘ȳ + x̂∘ȳ˙).
    fn jacobian_tangent[T](op: &'a RmsNorm, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T], dybar: &'a [T],
        write: Write, to: &'a mut [T]) -> () {
        let (w, gain, share, two) = (op.width, T::of(op.gain), T::of(1.0 / op.width as f64), T::of(2.0));
        let (x, dx, r) = (at.x[0], dx[0], &at.kept[0]);
        for (g, &r) in r.iter().enumerate() {
            let group = g * w..(g + 1) * w;
            let (x, dx) = (&x[group.clone()], &dx[group.clone()]);
            let (ybar, dybar) = (&ybar[group.clone()], &dybar[group.clone()]);
            let mu = dot_row(x, dx) * r * r * share;
            let m = dot_row(x, ybar) * r * share;
            let dm = (dot_row(dx, ybar) + dot_row(x, dybar)) * r * share - m * mu;
            // Collected by vector: ȳ˙, ȳ, x = x̂/r and ẋ.
            let (scale, along, back) = (gain * r, r * (two * mu * m - dm), r * m);
            put(write, &mut to[group], [x, dx, ybar, dybar], |[x, dx, ybar, dybar]| {
                scale * (dybar - mu * ybar + along * x - back * dx)
            });
        }
    }
}

crate::kernel! {
    /// ⟨ẋ, x̄˙⟩ of `jacobian_tangent` with ȳ˙ = 0, from the groups' inner products alone.
    fn curvature[T](op: &'a RmsNorm, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T]) -> f64 {
        let (w, gain, share, two) = (op.width, T::of(op.gain), T::of(1.0 / op.width as f64), T::of(2.0));
        let (x, dx, r, mut total) = (at.x[0], dx[0], &at.kept[0], 0.0);
        for (g, &r) in r.iter().enumerate() {
            let group = g * w..(g + 1) * w;
            let (x, dx, ybar) = (&x[group.clone()], &dx[group.clone()], &ybar[group]);
            let (along, across) = (dot_row(x, dx), dot_row(dx, ybar));
            let mu = along * r * r * share;
            let m = dot_row(x, ybar) * r * share;
            let dm = across * r * share - m * mu;
            total += (gain * r * (r * (two * mu * m - dm) * along - mu * across - r * m * dot_row(dx, dx))).wide();
        }
        total
    }
}

impl<T: Real> Primitive<T> for RmsNorm {
    fn name(&self) -> &'static str {
        "rms-norm"
    }

    fn keeps(&self, _: &Batch) -> Vec<usize> {
        // One scale a group; the size is settled by `value`, which knows the input.
        vec![0]
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], kept: &mut [Vec<T>]) {
        kept[0].resize(y.len() / self.width, T::zero());
        normed(self, x[0], y, &mut kept[0]);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        jacobian(self, at.x[0], &at.kept[0], dx[0], Write::Set, dy);
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], kept: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        jacobian(self, x[0], &kept[0], ybar, out[0].write, out[0].to);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        jacobian_tangent(self, at, dx, ybar, dybar, out[0].write, out[0].to);
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        curvature(self, at, dx, ybar)
    }
}
