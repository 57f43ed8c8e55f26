//! Rotary position embedding on every head.

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd::put;

/// Rotation by θ_j(t) = t ω_j of the pair (x_j, x_{j+width/2}) of each head of `width` elements:
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

/// Frequency `base`^(−2j/`width`) of pair j of a head (Su et al. 2021).
pub fn frequency(base: f64, width: usize, j: usize) -> f64 {
    base.powf(-2.0 * j as f64 / width as f64)
}

impl<T: Real> HeadRotary<T> {
    /// Heads of even `width`, positions up to `length`, frequencies ω_j for j < width/2; a negative one turns the other
    /// way.
    pub fn new(width: usize, length: usize, frequency: impl Fn(usize) -> f64) -> Self {
        let half = width / 2;
        let frequencies: Vec<f64> = (0..half).map(frequency).collect();
        let angle = |t: usize, j: usize| t as f64 * frequencies[j];
        let table = |f: fn(f64) -> f64| {
            let angle = &angle;
            (0..length).flat_map(|t| (0..half).map(move |j| T::of(f(angle(t, j))))).collect()
        };
        HeadRotary { width, cos: table(f64::cos), sin: table(f64::sin) }
    }

    fn rotate(&self, batch: &Batch, x: &[T], way: Way, write: Write, to: &mut [T]) {
        rotate(self, batch, x, if way == Way::Forward { T::one() } else { -T::one() }, write, to);
    }
}

crate::kernel! {
    fn rotate[T](op: &'a HeadRotary<T>, batch: &'a Batch, x: &'a [T], sign: T, write: Write, to: &'a mut [T]) -> () {
        let (width, half) = (op.width, op.width / 2);
        let row_width = x.len() / batch.rows();
        for (row, (x, to)) in x.chunks_exact(row_width).zip(to.chunks_exact_mut(row_width)).enumerate() {
            let t = row % batch.length;
            let (cos, sin) = (&op.cos[t * half..(t + 1) * half], &op.sin[t * half..(t + 1) * half]);
            for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
                let ((x1, x2), (y1, y2)) = (x.split_at(half), to.split_at_mut(half));
                put(write, y1, [x1, x2, cos, sin], |[x1, x2, c, s]| x1 * c + x2 * (sign * s));
                put(write, y2, [x1, x2, cos, sin], |[x1, x2, c, s]| x2 * c - x1 * (sign * s));
            }
        }
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

    fn adjoint(&self, batch: &Batch, _: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.rotate(batch, ybar, Way::Back, out[0].write, out[0].to);
    }

    fn adjoint_tangent(&self, at: &At<T>, _: &[&[T]], _: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.rotate(at.batch, dybar, Way::Back, out[0].write, out[0].to);
    }

    fn curvature(&self, _: &At<T>, _: &[&[T]], _: &[T], _: &mut [Vec<T>]) -> f64 {
        0.0
    }
}
