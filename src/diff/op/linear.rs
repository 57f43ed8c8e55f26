//! Linear map with or without bias: y = x Wᵀ + b.

use faer::{MatMut, MatRef};

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::diff::product::{product, rows, rows_mut};
use crate::math::array::Real;
use crate::math::simd::{self, put};

/// y = x M + b with M made of W. Inputs: x (rows × `from`), W as `weights` says, and optionally b, as wide as M or, where
/// M is a part of W's columns, as W.
pub struct Linear {
    /// Width of x.
    pub from: usize,
    /// Width of y.
    pub to: usize,
    /// How W holds M (`from` × `to`).
    pub weights: Weights,
}

/// How a weight tensor holds the matrix M of y = x M.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// W = Mᵀ (`to` × `from`), as PyTorch's linear layers are stored.
    OutIn,
    /// W is `from` × `columns`, and M its columns from `first` on; so is GPT-2 stored, queries, keys and values in one.
    InOut {
        /// Columns of W.
        columns: usize,
        /// The first that is M's.
        first: usize,
    },
}

/// Rows whose second derivative is held at once.
const STRIP: usize = 64;

impl Linear {
    /// A map whose weights are stored (out, in).
    pub fn new(from: usize, to: usize) -> Linear {
        Linear { from, to, weights: Weights::OutIn }
    }

    /// M as W holds it.
    fn matrix<'a, T: Real>(&self, w: &'a [T]) -> MatRef<'a, T> {
        match self.weights {
            Weights::OutIn => rows(w, self.from).transpose(),
            Weights::InOut { columns, first } => rows(w, columns).submatrix(0, first, self.from, self.to),
        }
    }

    /// M̄ ← xᵀȳ, set or added.
    fn back_to_weights<T: Real>(&self, write: Write, x: MatRef<'_, T>, ybar: MatRef<'_, T>, to: &mut [T]) {
        match self.weights {
            Weights::OutIn => product(rows_mut(to, self.from), write, 1.0, ybar.transpose(), x),
            Weights::InOut { columns, first } => {
                let to: MatMut<'_, T> = rows_mut(to, columns).submatrix_mut(0, first, self.from, self.to);
                product(to, write, 1.0, x.transpose(), ybar);
            }
        }
    }

    /// How M̄ is written first: columns of W that are not M's must be zeroed where the slot holds nothing yet.
    fn open<T: Real>(&self, slot: &mut Out<T>) -> Write {
        match self.weights {
            Weights::InOut { columns, .. } if columns != self.to => {
                slot.open();
                Write::Add
            }
            _ => slot.write,
        }
    }

    /// The part of a bias, or of its slot, that belongs to M.
    fn part(&self) -> std::ops::Range<usize> {
        match self.weights {
            Weights::OutIn => 0..self.to,
            Weights::InOut { first, .. } => first..first + self.to,
        }
    }

    /// Begin y with the bias in every row, if there is one; the product is then added.
    fn begin<T: Real>(&self, x: &[&[T]], y: &mut [T]) -> Write {
        let Some(bias) = x.get(2) else { return Write::Set };
        for y in y.chunks_exact_mut(self.to) {
            y.copy_from_slice(&bias[self.part()]);
        }
        Write::Add
    }

    /// b̄ ← Σ ȳ over the rows, if there is a bias.
    fn back_to_bias<T: Real>(&self, ybar: &[T], out: &mut [Out<T>]) {
        if let [to_b] = out {
            columns(ybar, &mut to_b.open()[self.part()]);
        }
    }
}

crate::kernel! {
    /// to += Σ of the rows, which are as long as it.
    pub fn columns[T](from: &'a [T], to: &'a mut [T]) -> () {
        for row in from.chunks_exact(to.len()) {
            put(Write::Add, to, [row], |[x]| x);
        }
    }
}

impl<T: Real> Primitive<T> for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn works(&self, batch: &Batch) -> Vec<usize> {
        vec![batch.rows().min(STRIP) * self.to]
    }

    fn value(&self, _: &Batch, x: &[&[T]], y: &mut [T], _: &mut [Vec<T>]) {
        let write = self.begin(x, y);
        product(rows_mut(y, self.to), write, 1.0, rows(x[0], self.from), self.matrix(x[1]));
    }

    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], _: &mut [Vec<T>]) {
        let write = self.begin(dx, dy);
        product(rows_mut(dy, self.to), write, 1.0, rows(dx[0], self.from), self.matrix(at.x[1]));
        product(rows_mut(dy, self.to), Write::Add, 1.0, rows(at.x[0], self.from), self.matrix(dx[1]));
    }

    fn adjoint(&self, _: &Batch, x: &[&[T]], ybar: &[T], _: &mut [Vec<T>], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_w, to_b @ ..] = out else { unreachable!("two inputs or three") };
        self.back_to_bias(ybar, to_b);
        let ybar = rows(ybar, self.to);
        product(rows_mut(to_x.to, self.from), to_x.write, 1.0, ybar, self.matrix(x[1]).transpose());
        let write = self.open(to_w);
        self.back_to_weights(write, rows(x[0], self.from), ybar, to_w.to);
    }

    fn adjoint_tangent(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], dybar: &[T], _: &mut [Vec<T>], out: &mut [Out<T>]) {
        let [to_x, to_w, to_b @ ..] = out else { unreachable!("two inputs or three") };
        self.back_to_bias(dybar, to_b);
        let (ybar, dybar) = (rows(ybar, self.to), rows(dybar, self.to));
        product(rows_mut(to_x.to, self.from), to_x.write, 1.0, dybar, self.matrix(at.x[1]).transpose());
        product(rows_mut(to_x.to, self.from), Write::Add, 1.0, ybar, self.matrix(dx[1]).transpose());
        let write = self.open(to_w);
        self.back_to_weights(write, rows(at.x[0], self.from), dybar, to_w.to);
        self.back_to_weights(Write::Add, rows(dx[0], self.from), ybar, to_w.to);
    }

    /// f''[ẋ, ẋ] = 2 ẋ Ṁ: one product instead of two.
    fn curvature(&self, _: &At<T>, dx: &[&[T]], ybar: &[T], work: &mut [Vec<T>]) -> f64 {
        let dw = self.matrix(dx[1]);
        let parts = dx[0].chunks(STRIP * self.from).zip(ybar.chunks(STRIP * self.to));
        let strip = |(dx, ybar): (&[T], &[T])| {
            let second = &mut work[0][..ybar.len()];
            product(rows_mut(second, self.to), Write::Set, 2.0, rows(dx, self.from), dw);
            simd::dot(second, ybar)
        };
        parts.map(strip).sum()
    }
}
