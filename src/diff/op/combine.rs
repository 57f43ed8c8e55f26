//! Sums of rows with scalar coefficients: residual additions, residual and x0 scalars, backout.

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::math::array::Real;
use crate::math::simd;

/// The coefficient of one term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coefficient {
    /// 1.
    One,
    /// `sign` times element `index` of the parameter given as input number `input`.
    Scalar {
        /// Which input holds the parameter.
        input: usize,
        /// Which of its elements.
        index: usize,
        /// +1 or −1.
        sign: f64,
    },
}

/// y = Σ_j s_j x_j. Inputs: x_1 … x_m of equal size, then the parameters that coefficients refer to.
pub struct Combine {
    /// One coefficient a term, in the order of the inputs.
    pub terms: Vec<Coefficient>,
}

impl Combine {
    /// s_j at the given inputs.
    fn coefficient<T: Real>(&self, j: usize, x: &[&[T]]) -> T {
        match self.terms[j] {
            Coefficient::One => T::one(),
            Coefficient::Scalar { input, index, sign } => T::of(sign) * x[input][index],
        }
    }

    /// ṡ_j; zero for a constant coefficient.
    fn slope<T: Real>(&self, j: usize, dx: &[&[T]]) -> T {
        match self.terms[j] {
            Coefficient::One => T::zero(),
            Coefficient::Scalar { .. } => self.coefficient(j, dx),
        }
    }

    /// Add `amount` · sign to the slot of a coefficient.
    fn add_to_scalar<T: Real>(&self, j: usize, amount: f64, out: &mut [Out<T>]) {
        if let Coefficient::Scalar { input, index, sign } = self.terms[j] {
            out[input].to[index] += T::of(sign * amount);
        }
    }

    /// Zero the parameters' slots that hold nothing yet.
    fn open_scalars<T: Real>(&self, out: &mut [Out<T>]) {
        for slot in &mut out[self.terms.len()..] {
            slot.open();
        }
    }
}

/// The first term is written, the others are added.
fn write(term: usize) -> Write {
    if term == 0 { Write::Set } else { Write::Add }
}

impl<T: Real> Primitive<T> for Combine {
    fn name(&self) -> &'static str {
        "combine"
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        for j in 0..self.terms.len() {
            let s = self.coefficient(j, x);
            simd::map(write(j), y, [x[j]], |[x]| s * x);
        }
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        for j in 0..self.terms.len() {
            let (s, ds) = (self.coefficient(j, at.x), self.slope(j, dx));
            match self.terms[j] {
                Coefficient::One => simd::map(write(j), dy, [dx[j]], |[dx]| dx),
                Coefficient::Scalar { .. } => simd::map(write(j), dy, [dx[j], at.x[j]], |[dx, x]| s * dx + ds * x),
            }
        }
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.open_scalars(out);
        for j in 0..self.terms.len() {
            let s = self.coefficient(j, x);
            out[j].fill_with([ybar], |[ybar]| s * ybar);
            if self.terms[j] != Coefficient::One {
                self.add_to_scalar(j, simd::dot(x[j], ybar), out);
            }
        }
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        self.open_scalars(out);
        for j in 0..self.terms.len() {
            let (s, ds) = (self.coefficient(j, at.x), self.slope(j, dx));
            match self.terms[j] {
                Coefficient::One => out[j].fill_with([dybar], |[dybar]| dybar),
                Coefficient::Scalar { .. } => {
                    out[j].fill_with([ybar, dybar], |[ybar, dybar]| s * dybar + ds * ybar);
                    self.add_to_scalar(j, simd::dot(dx[j], ybar) + simd::dot(at.x[j], dybar), out);
                }
            }
        }
    }

    /// f''[ẋ, ẋ] = 2 Σ ṡ_j ẋ_j.
    fn curvature(&self, _: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        (0..self.terms.len())
            .filter(|&j| self.terms[j] != Coefficient::One)
            .map(|j| 2.0 * self.slope(j, dx).wide() * simd::dot(dx[j], ybar))
            .sum()
    }
}
