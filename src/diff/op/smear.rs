//! Smear: each token takes up a gated share of the token before it.

use crate::diff::primitive::{At, Batch, Dot, Out, Primitive};
use crate::math::array::{Real, sigmoid};
use crate::math::simd::{dot_row, vectorised};

/// `y_t = x_t + λ σ(w·x_t[..m]) x_{t−1}` for t ≥ 1 in each sequence, y_0 = x_0; x on the right is as before smearing.
/// Inputs: x (rows × `width`), w (1 × `m`), λ (1).
pub struct Smear {
    /// Elements of a row.
    pub width: usize,
    /// Leading elements of a row that feed the gate.
    pub gate: usize,
}

/// σ and its first two derivatives at s.
#[inline(always)]
pub fn sigmoid_jet<T: Real>(s: T) -> (T, T, T) {
    let e = sigmoid(s);
    let first = e * (T::one() - e);
    (e, first, first * (T::one() - T::of(2.0) * e))
}

impl Smear {
    /// Rows that have a row before them in their sequence.
    fn smeared(batch: &Batch) -> impl Iterator<Item = usize> + '_ {
        (0..batch.rows()).filter(|row| !row.is_multiple_of(batch.length))
    }
}

impl<T: Real> Primitive<T> for Smear {
    fn name(&self) -> &'static str {
        "smear"
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        let (w, [x, gate, lambda]) = (self.width, x) else { unreachable!("three inputs") };
        y.copy_from_slice(x);
        vectorised(|| {
            for t in Smear::smeared(batch) {
                let (before, here) = (&x[(t - 1) * w..t * w], &x[t * w..(t + 1) * w]);
                let g = lambda[0] * sigmoid(dot_row(gate, &here[..self.gate]));
                y[t * w..(t + 1) * w].iter_mut().zip(before).for_each(|(y, b)| *y += g * *b);
            }
        });
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let (w, m) = (self.width, self.gate);
        let ([x, gate, lambda], [dx, dgate, dlambda]) = (at.x, dx) else { unreachable!("three inputs") };
        dy.copy_from_slice(dx);
        vectorised(|| {
            for t in Smear::smeared(at.batch) {
                let (here, dhere) = (&x[t * w..t * w + m], &dx[t * w..t * w + m]);
                let (before, dbefore) = (&x[(t - 1) * w..t * w], &dx[(t - 1) * w..t * w]);
                let (e, e1, _) = sigmoid_jet(dot_row(gate, here));
                let ds = dot_row(dgate, here) + dot_row(gate, dhere);
                let (g, dg) = (lambda[0] * e, dlambda[0] * e + lambda[0] * e1 * ds);
                let dy = &mut dy[t * w..(t + 1) * w];
                for i in 0..w {
                    dy[i] += dg * before[i] + g * dbefore[i];
                }
            }
        });
    }

    fn adjoint(&self, batch: &Batch, x: &[&[T]], _: &[T], ybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let (w, m) = (self.width, self.gate);
        let ([x, gate, lambda], [to_x, to_gate, to_lambda]) = (x, out) else { unreachable!("three inputs") };
        vectorised(|| {
            to_x.fill_with(|i| ybar[i]);
            let (to_x, to_gate, to_lambda) = (&mut *to_x.to, to_gate.open(), to_lambda.open());
            for t in Smear::smeared(batch) {
                let (before, here) = (&x[(t - 1) * w..t * w], &x[t * w..t * w + m]);
                let ybar = &ybar[t * w..(t + 1) * w];
                let (e, e1, _) = sigmoid_jet(dot_row(gate, here));
                let gbar = dot_row(ybar, before);
                let sbar = gbar * lambda[0] * e1;
                to_lambda[0] += gbar * e;
                let g = lambda[0] * e;
                to_x[(t - 1) * w..t * w].iter_mut().zip(ybar).for_each(|(o, y)| *o += g * *y);
                for i in 0..m {
                    to_gate[i] += sbar * here[i];
                    to_x[t * w + i] += sbar * gate[i];
                }
            }
        });
    }

    fn adjoint_tangent(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T], dybar: &[T], out: &mut [Out<T>]) {
        let (w, m) = (self.width, self.gate);
        let ([x, gate, lambda], [dx, dgate, dlambda]) = (at.x, dot.x) else { unreachable!("three inputs") };
        let [to_x, to_gate, to_lambda] = out else { unreachable!("three inputs") };
        vectorised(|| {
            to_x.fill_with(|i| dybar[i]);
            let (to_x, to_gate, to_lambda) = (&mut *to_x.to, to_gate.open(), to_lambda.open());
            for t in Smear::smeared(at.batch) {
                let (here, dhere) = (&x[t * w..t * w + m], &dx[t * w..t * w + m]);
                let (before, dbefore) = (&x[(t - 1) * w..t * w], &dx[(t - 1) * w..t * w]);
                let (ybar, dybar) = (&ybar[t * w..(t + 1) * w], &dybar[t * w..(t + 1) * w]);
                let (e, e1, e2) = sigmoid_jet(dot_row(gate, here));
                let ds = dot_row(dgate, here) + dot_row(gate, dhere);
                let (l, dl) = (lambda[0], dlambda[0]);
                let (g, dg) = (l * e, dl * e + l * e1 * ds);
                let gbar = dot_row(ybar, before);
                let dgbar = dot_row(dybar, before) + dot_row(ybar, dbefore);
                let sbar = gbar * l * e1;
                let dsbar = (dgbar * l + gbar * dl) * e1 + gbar * l * e2 * ds;
                to_lambda[0] += dgbar * e + gbar * e1 * ds;
                let to_before = &mut to_x[(t - 1) * w..t * w];
                for i in 0..w {
                    to_before[i] += g * dybar[i] + dg * ybar[i];
                }
                for i in 0..m {
                    to_gate[i] += dsbar * here[i] + sbar * dhere[i];
                    to_x[t * w + i] += dsbar * gate[i] + sbar * dgate[i];
                }
            }
        });
    }
}
