//! Gated value embedding: a token's own embedding joins its attention values.

use super::smear::sigmoid_jet;
use crate::diff::primitive::{At, Batch, Dot, Out, Primitive};
use crate::math::array::Real;
use crate::math::simd::{dot_row, vectorised};

/// The gate's range: 3 σ(·).
const RANGE: f64 = 3.0;

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
                }
            })
        })
    }
}

impl<T: Real> Primitive<T> for ValueGate {
    fn name(&self) -> &'static str {
        "value embedding"
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        let [v, u, w, table] = x else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        y.copy_from_slice(v);
        vectorised(|| {
            for p in self.places(batch) {
                let g = range * sigmoid_jet(dot_row(&w[p.w], &u[p.u])).0;
                y[p.v].iter_mut().zip(&table[p.e]).for_each(|(y, e)| *y += g * *e);
            }
        });
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let ([_, u, w, table], [dv, du, dw, dtable]) = (at.x, dx) else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        dy.copy_from_slice(dv);
        vectorised(|| {
            for p in self.places(at.batch) {
                let (u, du, w, dw) = (&u[p.u.clone()], &du[p.u], &w[p.w.clone()], &dw[p.w]);
                let (g, g1, _) = sigmoid_jet(dot_row(w, u));
                let (g, dg) = (range * g, range * g1 * (dot_row(dw, u) + dot_row(w, du)));
                let (e, de) = (&table[p.e.clone()], &dtable[p.e]);
                dy[p.v].iter_mut().zip(e).zip(de).for_each(|((y, e), de)| *y += dg * *e + g * *de);
            }
        });
    }

    fn adjoint(&self, batch: &Batch, x: &[&[T]], _: &[T], ybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [_, u, w, table] = x else { unreachable!("four inputs") };
        let [to_v, to_u, to_w, to_table] = out else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        vectorised(|| {
            to_v.fill_with(|i| ybar[i]);
            let (to_u, to_w, to_table) = (to_u.open(), to_w.open(), to_table.open());
            for p in self.places(batch) {
                let (ybar, e) = (&ybar[p.v], &table[p.e.clone()]);
                let (g, g1, _) = sigmoid_jet(dot_row(&w[p.w.clone()], &u[p.u.clone()]));
                let g = range * g;
                let sbar = range * g1 * dot_row(ybar, e);
                to_table[p.e].iter_mut().zip(ybar).for_each(|(o, y)| *o += g * *y);
                for i in 0..self.gate {
                    to_w[p.w.start + i] += sbar * u[p.u.start + i];
                    to_u[p.u.start + i] += sbar * w[p.w.start + i];
                }
            }
        });
    }

    fn adjoint_tangent(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T], dybar: &[T], out: &mut [Out<T>]) {
        let ([_, u, w, table], [_, du, dw, dtable]) = (at.x, dot.x) else { unreachable!("four inputs") };
        let [to_v, to_u, to_w, to_table] = out else { unreachable!("four inputs") };
        let range = T::of(RANGE);
        vectorised(|| {
            to_v.fill_with(|i| dybar[i]);
            let (to_u, to_w, to_table) = (to_u.open(), to_w.open(), to_table.open());
            for p in self.places(at.batch) {
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
                let to_table = &mut to_table[p.e];
                for i in 0..self.head {
                    to_table[i] += g * dybar[i] + dg * ybar[i];
                }
                for i in 0..self.gate {
                    to_w[p.w.start + i] += dsbar * u[i] + sbar * du[i];
                    to_u[p.u.start + i] += dsbar * w[i] + sbar * dw[i];
                }
            }
        });
    }
}
