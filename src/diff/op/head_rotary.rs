//! Rotary position embedding on every head.

use crate::diff::primitive::{At, Batch, Dot, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::vectorised;

/// Rotation by θ_j(t) = t · base^(−2j/width) of the pair (x_j, x_{j+width/2}) of each head of `width` elements:
/// (y₁, y₂) = (x₁ cos θ + x₂ sin θ, −x₁ sin θ + x₂ cos θ), t the position in the sequence. Linear and orthogonal.
pub struct HeadRotary<T> {
    width: usize,
    /// cos θ_j(t), row-major tokens × width/2.
    cos: Vec<T>,
    /// sin θ_j(t).
    sin: Vec<T>,
}

/// Which way to rotate: the adjoint of an orthogonal map is its inverse.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Forward,
    Back,
}

impl<T: Real> HeadRotary<T> {
    /// Heads of even `width`, positions up to `length`; nanochat's base is 100 000.
    pub fn new(width: usize, length: usize, base: f64) -> Self {
        let half = width / 2;
        let angle = |t: usize, j: usize| t as f64 * base.powf(-2.0 * j as f64 / width as f64);
        let table =
            |f: fn(f64) -> f64| (0..length).flat_map(|t| (0..half).map(move |j| T::of(f(angle(t, j))))).collect();
        HeadRotary { width, cos: table(f64::cos), sin: table(f64::sin) }
    }

    fn rotate(&self, batch: &Batch, x: &[T], way: Way, write: Write, to: &mut [T]) {
        let half = self.width / 2;
        let row_width = x.len() / batch.rows();
        let sign = if way == Way::Forward { T::one() } else { -T::one() };
        vectorised(|| {
            for (row, (x, to)) in x.chunks_exact(row_width).zip(to.chunks_exact_mut(row_width)).enumerate() {
                let t = row % batch.length;
                let (cos, sin) = (&self.cos[t * half..(t + 1) * half], &self.sin[t * half..(t + 1) * half]);
                for (x, to) in x.chunks_exact(self.width).zip(to.chunks_exact_mut(self.width)) {
                    let ((x1, x2), (y1, y2)) = (x.split_at(half), to.split_at_mut(half));
                    for j in 0..half {
                        let (c, s) = (cos[j], sign * sin[j]);
                        let (a, b) = (x1[j] * c + x2[j] * s, x2[j] * c - x1[j] * s);
                        match write {
                            Write::Set => (y1[j], y2[j]) = (a, b),
                            Write::Add => (y1[j], y2[j]) = (y1[j] + a, y2[j] + b),
                        }
                    }
                }
            }
        });
    }
}

impl<T: Real> Primitive<T> for HeadRotary<T> {
    fn name(&self) -> &'static str {
        "rotary"
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        self.rotate(batch, x[0], Way::Forward, Write::Set, y);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        self.rotate(at.batch, dx[0], Way::Forward, Write::Set, dy);
    }

    fn adjoint(&self, batch: &Batch, _: &[&[T]], _: &[T], ybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.rotate(batch, ybar, Way::Back, out[0].write, out[0].to);
    }

    fn adjoint_tangent(&self, at: &At<T>, _: &Dot<T>, _: &[T], dybar: &[T], out: &mut [Out<T>]) {
        self.rotate(at.batch, dybar, Way::Back, out[0].write, out[0].to);
    }

    fn curvature(&self, _: &At<T>, _: &Dot<T>, _: &[T]) -> f64 {
        0.0
    }
}
