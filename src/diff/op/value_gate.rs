//! Gated value embedding: a token's own embedding joins its attention values.

use super::smear::sigmoid_jet;
use crate::diff::primitive::{At, Batch, Extent, Out, Primitive, Scatter};
use crate::math::array::Real;
use crate::math::simd::{Write, dot_row, put};

/// The gate's range: 3 σ(·).
pub(in crate::diff) const RANGE: f64 = 3.0;

/// `y_t[j] = v_t[j] + 3 σ(w_j·u_t[..m]) E[token_t][j]` for each head j of `head` elements.
/// Inputs: v (rows × heads·`head`), u (rows × `width`), w (heads × `m`), E (vocabulary × heads·`head`).
pub struct ValueGate {
    /// Number of key–value heads.
    pub heads: usize,
    /// Elements of a head.
    pub head: usize,
    /// Elements of a row of u.
    pub width: usize,
    /// Leading elements of u that feed the gate.
    pub gate: usize,
}

/// Position of the table among the inputs.
const TABLE: usize = 3;

/// Where one (row, head) lies in each array.
struct Place {
    /// Range in v, y and their relatives.
    v: std::ops::Range<usize>,
    /// Range of the gate's input in u.
    u: std::ops::Range<usize>,
    /// Range of the gate's weights in w.
    w: std::ops::Range<usize>,
    /// Range in the table.
    e: std::ops::Range<usize>,
    /// Row of the batch.
    row: usize,
    /// Range in a row of the table.
    own: std::ops::Range<usize>,
}

impl ValueGate {
    fn places<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = Place> + 'a {
        batch.inputs.iter().enumerate().flat_map(move |(t, &token)| {
            (0..self.heads).map(move |j| {
                let at = |row: usize| (row * self.heads + j) * self.head;
                Place {
                    v: at(t)..at(t) + self.head,
                    u: t * self.width..t * self.width + self.gate,
                    w: j * self.gate..(j + 1) * self.gate,
                    e: at(token as usize)..at(token as usize) + self.head,
                    row: t,
                    own: j * self.head..(j + 1) * self.head,
                }
            })
        })
    }
}

crate::kernel! {
    fn gated[T](op: &'a ValueGate, batch: &'a Batch, x: &'a [&'a [T]], y: &'a mut [T]) -> () {
        let [_, u, w, table] = x else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        for p in op.places(batch) {
            let g = range * sigmoid_jet(dot_row(&w[p.w], &u[p.u])).0;
            put(Write::Add, &mut y[p.v], [&table[p.e]], |[e]| g * e);
        }
    }

    fn gated_tangent[T](op: &'a ValueGate, batch: &'a Batch, x: &'a [&'a [T]], dx: &'a [&'a [T]],
        dy: &'a mut [T]) -> () {
        let ([_, u, w, table], [_, du, dw, dtable]) = (x, dx) else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        for p in op.places(batch) {
            let (u, du, w, dw) = (&u[p.u.clone()], &du[p.u], &w[p.w.clone()], &dw[p.w]);
            let (g, g1, _) = sigmoid_jet(dot_row(w, u));
            let (g, dg) = (range * g, range * g1 * (dot_row(dw, u) + dot_row(w, du)));
            put(Write::Add, &mut dy[p.v], [&table[p.e.clone()], &dtable[p.e]], |[e, de]| dg * e + g * de);
        }
    }

    fn gated_adjoint[T](op: &'a ValueGate, batch: &'a Batch, x: &'a [&'a [T]], ybar: &'a [T], to: [&'a mut [T]; 2],
        to_table: Scatter<'a, T>) -> () {
        let ([to_u, to_w], mut to_table) = (to, to_table);
        let [_, u, w, table] = x else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        for p in op.places(batch) {
            let (ybar, e) = (&ybar[p.v], &table[p.e.clone()]);
            let (u, w, to_u, to_w) = (&u[p.u.clone()], &w[p.w.clone()], &mut to_u[p.u], &mut to_w[p.w]);
            let (g, g1, _) = sigmoid_jet(dot_row(w, u));
            let g = range * g;
            let sbar = range * g1 * dot_row(ybar, e);
            put(Write::Add, &mut to_table.row(p.row, op.heads * op.head)[p.own], [ybar], |[y]| g * y);
            put(Write::Add, to_w, [u], |[u]| sbar * u);
            put(Write::Add, to_u, [w], |[w]| sbar * w);
        }
    }

    fn gated_adjoint_tangent[T](op: &'a ValueGate, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T],
        dybar: &'a [T], to: [&'a mut [T]; 2], to_table: Scatter<'a, T>) -> () {
        let ([to_u, to_w], mut to_table) = (to, to_table);
        let ([_, u, w, table], [_, du, dw, dtable]) = (at.x, dx) else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        for p in op.places(at.batch) {
            let (ybar, dybar) = (&ybar[p.v.clone()], &dybar[p.v]);
            let (e, de) = (&table[p.e.clone()], &dtable[p.e.clone()]);
            let (u, du) = (&u[p.u.clone()], &du[p.u.clone()]);
            let (w, dw) = (&w[p.w.clone()], &dw[p.w.clone()]);
            let (g, g1, g2) = sigmoid_jet(dot_row(w, u));
            let ds = dot_row(dw, u) + dot_row(w, du);
            let gbar = range * dot_row(ybar, e);
            let dgbar = range * (dot_row(dybar, e) + dot_row(ybar, de));
            let (g, dg) = (range * g, range * g1 * ds);
            let (sbar, dsbar) = (gbar * g1, dgbar * g1 + gbar * g2 * ds);
            put(Write::Add, &mut to_table.row(p.row, op.heads * op.head)[p.own], [ybar, dybar], |[y, dy]| g * dy + dg * y);
            put(Write::Add, &mut to_w[p.w], [u, du], |[u, du]| dsbar * u + sbar * du);
            put(Write::Add, &mut to_u[p.u], [w, dw], |[w, dw]| dsbar * w + sbar * dw);
        }
    }

    /// Σ ⟨ȳ, g̈e + 2ġė⟩.
    fn gated_curvature[T](op: &'a ValueGate, at: &'a At<'a, T>, dx: &'a [&'a [T]], ybar: &'a [T]) -> f64 {
        let ([_, u, w, table], [_, du, dw, dtable]) = (at.x, dx) else { unreachable!("four inputs") };
        let (range, two, mut total) = (T::of(RANGE), T::of(2.0), 0.0);
        for p in op.places(at.batch) {
            let (u, du, w, dw) = (&u[p.u.clone()], &du[p.u], &w[p.w.clone()], &dw[p.w]);
            let (_, g1, g2) = sigmoid_jet(dot_row(w, u));
            let ds = dot_row(dw, u) + dot_row(w, du);
            let (dg, ddg) = (range * g1 * ds, range * (g2 * ds * ds + two * g1 * dot_row(dw, du)));
            let (ybar, e, de) = (&ybar[p.v], &table[p.e.clone()], &dtable[p.e]);
            total += (ddg * dot_row(ybar, e) + two * dg * dot_row(ybar, de)).wide();
        }
        total
    }
}

impl<T: Real> Primitive<T> for ValueGate {
    fn name(&self) -> &'static str {
        "value embedding"
    }

    fn extent(&self, input: usize) -> Extent {
        if input == TABLE { Extent::Touched } else { Extent::Whole }
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        y.copy_from_slice(x[0]);
        gated(self, batch, x, y);
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        dy.copy_from_slice(dx[0]);
        gated_tangent(self, at.batch, at.x, dx, dy);
    }

    fn adjoint(&self, batch: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_v, to_u, to_w, to_table] = out else { unreachable!("four inputs") };
        to_v.fill_with([ybar], |[ybar]| ybar);
        gated_adjoint(self, batch, x, ybar, [to_u.open(), to_w.open()], to_table.scatter(batch));
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_v, to_u, to_w, to_table] = out else { unreachable!("four inputs") };
        to_v.fill_with([dybar], |[dybar]| dybar);
        gated_adjoint_tangent(self, at, dx, ybar, dybar, [to_u.open(), to_w.open()], to_table.scatter(at.batch));
    }

    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], _: &mut [Vec<T>]) -> f64 {
        gated_curvature(self, at, dx, ybar)
    }
}
