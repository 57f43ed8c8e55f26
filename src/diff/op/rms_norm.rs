//! Root-mean-square norm without weights.

use crate::diff::primitive::{At, Batch, Dot, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::{dot_row, vectorised};

/// ε of the norm, 2⁻²³ in every precision, so that f32 and f64 are one function.
pub const EPSILON: f64 = 1.0 / (1u32 << 23) as f64;

/// y = gain · x / √(mean(x²) + ε) over groups of `width` elements: whole rows, or the heads inside them.
pub struct RmsNorm {
    /// Elements of a group.
    pub width: usize,
    /// Constant factor.
    pub gain: f64,
}

/// Set or add a group's result.
#[inline(always)]
fn put<T: Real>(write: Write, to: &mut [T], f: impl Fn(usize) -> T) {
    match write {
        Write::Set => to.iter_mut().enumerate().for_each(|(i, o)| *o = f(i)),
        Write::Add => to.iter_mut().enumerate().for_each(|(i, o)| *o += f(i)),
    }
}

impl RmsNorm {
    fn groups(&self, elements: usize) -> usize {
        elements / self.width
    }

    /// gain · r · (v − x̂ mean(x̂∘v)): the Jacobian, which is symmetric, applied to v. `kept` holds r per group.
    fn jacobian<T: Real>(&self, x: &[T], r: &[T], v: &[T], write: Write, to: &mut [T]) {
        let (w, gain, share) = (self.width, T::of(self.gain), T::of(1.0 / self.width as f64));
        vectorised(|| {
            for (g, &r) in r.iter().enumerate() {
                let group = g * w..(g + 1) * w;
                let (x, v, to) = (&x[group.clone()], &v[group.clone()], &mut to[group]);
                let along = dot_row(x, v) * r * r * share;
                put(write, to, |i| gain * r * (v[i] - x[i] * along));
            }
        });
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
        let (w, x, gain, share) = (self.width, x[0], T::of(self.gain), T::of(1.0 / self.width as f64));
        let epsilon = T::of(EPSILON);
        kept[0].resize(self.groups(x.len()), T::zero());
        let scales = &mut kept[0];
        vectorised(|| {
            for (g, r) in scales.iter_mut().enumerate() {
                let group = g * w..(g + 1) * w;
                let (x, y) = (&x[group.clone()], &mut y[group]);
                *r = T::one() / (dot_row(x, x) * share + epsilon).sqrt();
                let scale = gain * *r;
                y.iter_mut().zip(x).for_each(|(y, x)| *y = scale * *x);
            }
        });
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        self.jacobian(at.x[0], &at.kept[0], dx[0], Write::Set, dy);
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], _: &[T], ybar: &[T], kept: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.jacobian(x[0], &kept[0], ybar, out[0].write, out[0].to);
    }

    /// With μ = r·mean(x̂∘ẋ): ṙ = −rμ and x̂˙ = rẋ − x̂μ, so
    /// x̄˙ = gain·r·( −μ(ȳ − x̂m) + ȳ˙ − x̂˙m − x̂ṁ ), m = mean(x̂∘ȳ), ṁ = mean(x̂˙∘ȳ + x̂∘ȳ˙).
    fn adjoint_tangent(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T], dybar: &[T], out: &mut [Out<T>]) {
        let (w, gain, share) = (self.width, T::of(self.gain), T::of(1.0 / self.width as f64));
        let (x, dx, write) = (at.x[0], dot.x[0], out[0].write);
        let to = &mut *out[0].to;
        vectorised(|| {
            for (g, &r) in at.kept[0].iter().enumerate() {
                let group = g * w..(g + 1) * w;
                let (x, dx) = (&x[group.clone()], &dx[group.clone()]);
                let (ybar, dybar) = (&ybar[group.clone()], &dybar[group.clone()]);
                let mu = dot_row(x, dx) * r * r * share;
                let m = dot_row(x, ybar) * r * share;
                let dm = (dot_row(dx, ybar) + dot_row(x, dybar)) * r * share - m * mu;
                // Collected by vector: ȳ˙, ȳ, x = x̂/r and ẋ.
                let (scale, along) = (gain * r, r * (T::of(2.0) * mu * m - dm));
                put(write, &mut to[group], |i| scale * (dybar[i] - mu * ybar[i] + along * x[i] - r * m * dx[i]));
            }
        });
    }
}
