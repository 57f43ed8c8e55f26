//! Smear: each token takes up a gated share of the token before it.

use crate::diff::primitive::{At, Batch, Out, Primitive};
use crate::math::array::{Real, sigmoid};
use crate::math::simd::{Write, dot_row, put};

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
    fn rows(batch: &Batch) -> impl Iterator<Item = usize> + '_ {
        (0..batch.rows()).filter(|row| !row.is_multiple_of(batch.length))
    }
}

crate::kernel! {
    fn smeared[T](op: &'a Smear, batch: &'a Batch, x: &'a [&'a [T]], y: &'a mut [T]) -> () {
        let (w, [x, gate, lambda]) = (op.width, x) else { unreachable!("three inputs") };
        for t in Smear::rows(batch) {
            let (before, here) = (&x[(t - 1) * w..t * w], &x[t * w..(t + 1) * w]);
            let g = lambda[0] * sigmoid(dot_row(gate, &here[..op.gate]));
            put(Write::Add, &mut y[t * w..(t + 1) * w], [before], |[b]| g * b);
        }
    }

    fn smeared_tangent[T](op: &'a Smear, batch: &'a Batch, x: &'a [&'a [T]], dx: &'a [&'a [T]],
        dy: &'a mut [T]) -> () {
        let (w, m) = (op.width, op.gate);
        let ([x, gate, lambda], [dx, dgate, dlambda]) = (x, dx) else { unreachable!("three inputs") };
        for t in Smear::rows(batch) {
            let (here, dhere) = (&x[t * w..t * w + m], &dx[t * w..t * w + m]);
            let (before, dbefore) = (&x[(t - 1) * w..t * w], &dx[(t - 1) * w..t * w]);
            let (e, e1, _) = sigmoid_jet(dot_row(gate, here));
            let ds = dot_row(dgate, here) + dot_row(gate, dhere);
            let (g, dg) = (lambda[0] * e, dlambda[0] * e + lambda[0] * e1 * ds);
            put(Write::Add, &mut dy[t * w..(t + 1) * w], [before, dbefore], |[b, db]| dg * b + g * db);
        }
    }

    fn smeared_adjoint[T](op: &'a Smear, batch: &'a Batch, x: &'a [&'a [T]], ybar: &'a [T], to: [&'a mut [T]; 3]) -> () {
        let [to_x, to_gate, to_lambda] = to;
        let (w, m) = (op.width, op.gate);
        let [x, gate, lambda] = x else { unreachable!("three inputs") };
        for t in Smear::rows(batch) {
            let (before, here) = (&x[(t - 1) * w..t * w], &x[t * w..t * w + m]);
            let ybar = &ybar[t * w..(t + 1) * w];
            let (e, e1, _) = sigmoid_jet(dot_row(gate, here));
            let gbar = dot_row(ybar, before);
            let sbar = gbar * lambda[0] * e1;
            to_lambda[0] += gbar * e;
            let g = lambda[0] * e;
            put(Write::Add, &mut to_x[(t - 1) * w..t * w], [ybar], |[y]| g * y);
            put(Write::Add, to_gate, [here], |[x]| sbar * x);
            put(Write::Add, &mut to_x[t * w..t * w + m], [gate], |[gate]| sbar * gate);
        }
    }

    fn smeared_adjoint_tangent[T](op: &'a Smear, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T],
        dybar: &'a [T], to: [&'a mut [T]; 3]) -> () {
        let [to_x, to_gate, to_lambda] = to;
        let (w, m) = (op.width, op.gate);
        let ([x, gate, lambda], [dx, dgate, dlambda]) = (at.x, dx) else { unreachable!("three inputs") };
        for t in Smear::rows(at.batch) {
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
            put(Write::Add, &mut to_x[(t - 1) * w..t * w], [ybar, dybar], |[y, dy]| g * dy + dg * y);
            put(Write::Add, to_gate, [here, dhere], |[x, dx]| dsbar * x + sbar * dx);
            put(Write::Add, &mut to_x[t * w..t * w + m], [gate, dgate], |[gate, dgate]| dsbar * gate + sbar * dgate);
        }
    }
}

crate::kernel! {
    /// Σ ⟨ȳ, g̈ x_{t−1} + 2ġ ẋ_{t−1}⟩ with the gate g = λσ(s).
    fn smeared_curvature[T](op: &'a Smear, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T]) -> f64 {
        let (w, m, two, mut total) = (op.width, op.gate, T::of(2.0), 0.0);
        let ([x, gate, lambda], [dx, dgate, dlambda]) = (at.x, dx) else { unreachable!("three inputs") };
        for t in Smear::rows(at.batch) {
            let (here, dhere) = (&x[t * w..t * w + m], &dx[t * w..t * w + m]);
            let (before, dbefore) = (&x[(t - 1) * w..t * w], &dx[(t - 1) * w..t * w]);
            let ybar = &ybar[t * w..(t + 1) * w];
            let (e, e1, e2) = sigmoid_jet(dot_row(gate, here));
            let (ds, dds) = (dot_row(dgate, here) + dot_row(gate, dhere), two * dot_row(dgate, dhere));
            let (l, dl) = (lambda[0], dlambda[0]);
            let (dg, ddg) = (dl * e + l * e1 * ds, two * dl * e1 * ds + l * (e2 * ds * ds + e1 * dds));
            total += (ddg * dot_row(ybar, before) + two * dg * dot_row(ybar, dbefore)).wide();
        }
        total
    }
}

impl<T: Real> Primitive<T> for Smear {
    fn name(&self) -> &'static str {
        "smear"
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        y.copy_from_slice(x[0]);
        smeared(self, batch, x, y);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        dy.copy_from_slice(dx[0]);
        smeared_tangent(self, at.batch, at.x, dx, dy);
    }

    fn adjoint(&self, batch: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_gate, to_lambda] = out else { unreachable!("three inputs") };
        to_x.fill_with([ybar], |[ybar]| ybar);
        smeared_adjoint(self, batch, x, ybar, [to_x.to, to_gate.open(), to_lambda.open()]);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_gate, to_lambda] = out else { unreachable!("three inputs") };
        to_x.fill_with([dybar], |[dybar]| dybar);
        smeared_adjoint_tangent(self, at, dx, ybar, dybar, [to_x.to, to_gate.open(), to_lambda.open()]);
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        smeared_curvature(self, at, dx, ybar)
    }
}
