//! The locally optimal block preconditioned conjugate gradient method (Knyazev 2001) without a preconditioner, for the
//! algebraically largest eigenpairs.
//!
//! Each iteration is a Rayleigh–Ritz step on the span of X, the present Ritz vectors, W, their residuals, and P, the
//! steps that led to X. All three are kept orthonormal as one basis: residuals are orthogonalised as they join it, and P
//! is chosen among the Ritz coefficients, orthogonal to the new X (Hetmaniuk and Lehoucq 2006; Duersch, Shao, Yang and
//! Gu 2018), so no Gram matrix is ever close to singular. Rounding is taken out of the small problem in f64, so that
//! nothing drifts over the iterations. Converged columns stay in X, but their residuals cost no more products.

use super::krylov::random;
use super::operator::SymmetricOperator;
use super::solver::{
    Eigenspace, Iteration, Order, Request, Start, identity, keep_smallest, not_finite, outcome, remainder,
    rounding_level,
};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::symmetric_eigen;
use crate::math::vector;

/// Columns of X beyond the wanted pairs. They widen the gap that the last wanted pairs converge by, and they start at
/// random: what a warm start, or chance, has shut out comes in through them.
const GUARDS: usize = 4;

/// Iterations before a result is accepted. By then a random start has turned to the leading directions of what the
/// wanted pairs leave.
const DEPTH: usize = 3;

/// A value that is neither certain within this share of itself nor changed by less in an iteration has not found its
/// eigenvalue, however small the residual: in many dimensions the residual of a random vector, ‖H‖_F/√dim, is within a
/// loose tolerance by itself.
const SETTLED: f64 = 0.1;

/// Columns of X for `k` eigenpairs in `dim` dimensions: the directions that an iteration multiplies at once, at first.
pub fn block(k: usize, dim: usize) -> usize {
    (k + GUARDS).min(dim)
}

/// Vectors of `dim` elements held at most: X, P and W with their images, and one residual.
pub fn columns(k: usize, dim: usize) -> usize {
    6 * block(k, dim) + 1
}

/// The `request.k` algebraically largest eigenpairs of `op`; `watch` sees the state after every iteration.
///
/// `request.block`, `request.columns` and `request.check` are Lanczos' own: an iteration multiplies the residuals of all
/// columns that have not converged, at most [`block`], and the random columns beside the wanted ones are the check.
///
/// # Errors
/// As [`super::lanczos::lanczos`].
pub fn lobpcg<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    request: &Request,
    start: Start<'_, T>,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<T>> {
    let (k, dim) = (request.k, op.dim());
    request.validate(dim, &[Order::Largest])?;
    let mut state = State::new(dim, block(k, dim).min(request.max_products), request, start);
    state.multiply(op)?;
    state.rayleigh_ritz(&[])?;
    for iteration in 0.. {
        let norms = state.residual_norms();
        let floor = rounding_level::<T>(state.scale);
        let residuals: Vec<f64> = norms[..k].iter().map(|r| r.max(floor)).collect();
        let shown: Vec<Option<f64>> = residuals.iter().copied().map(Some).collect();
        let (products, values) = (state.products, &state.values[..k]);
        watch(&Iteration { products, values, residuals: &shown, smallest: &state.smallest });

        let tolerance = request.tol * values[0].abs();
        let settled = |i: usize| (state.values[i] - state.before[i]).abs() <= SETTLED * state.values[i].abs();
        let converged = |i: usize| {
            let certain = norms[i] <= SETTLED * state.values[i].abs() || settled(i);
            norms[i] <= floor || (norms[i] <= tolerance && certain)
        };
        let guards = |i: usize| norms[i] <= floor || (iteration >= DEPTH && settled(i));
        let done = (0..k).all(converged) && (k..state.width).all(guards);
        let spare = request.max_products - products;
        let active: Vec<usize> =
            (0..state.width).filter(|&i| norms[i] > floor && (i >= k || !converged(i))).take(spare).collect();
        if done || !state.add_residuals(&active) {
            return Ok(state.into_eigenspace(request, residuals, floor, done));
        }
        state.multiply(op)?;
        state.rayleigh_ritz(&active)?;
    }
    unreachable!("the products run out")
}

/// The basis X, P, W with its images.
struct State<T> {
    basis: Basis<T>,
    images: Basis<T>,
    /// Columns of X.
    width: usize,
    /// Ritz values of X, largest first.
    values: Vec<f64>,
    /// Those of the iteration before.
    before: Vec<f64>,
    smallest: Vec<f64>,
    products: usize,
    /// The largest ‖Hv‖ met: a lower bound of ‖H‖₂ that is soon sharp.
    scale: f64,
}

impl<T: Real> State<T> {
    /// `width` start vectors, of which those of a former solve of the same operator bring their images.
    fn new(dim: usize, width: usize, request: &Request, start: Start<'_, T>) -> State<T> {
        let mut state = State {
            basis: Basis::new(dim, 3 * width),
            images: Basis::new(dim, 3 * width),
            width,
            values: vec![f64::NAN; width],
            before: Vec::new(),
            smallest: Vec::new(),
            products: 0,
            scale: 0.0,
        };
        match start {
            Start::Random => {}
            Start::Near(vectors) => vectors.cols().take(request.k).for_each(|u| {
                state.add(u.to_vec());
            }),
            Start::Resume(space) => {
                for (i, u) in space.vectors.cols().enumerate().take(request.k) {
                    state.basis.push(u);
                    state.images.push(&space.image(i));
                    state.scale = state.scale.max(vector::norm(state.images.col(i)));
                }
                state.smallest.clone_from(&space.smallest);
            }
        }
        let mut index = 0;
        while state.basis.len() < width {
            state.add(random(dim, request.seed, index));
            index += 1;
        }
        state
    }

    /// Take a vector into the basis, less what the basis holds of it. Returns whether anything was left.
    fn add(&mut self, mut v: Vec<T>) -> bool {
        let before = vector::norm(&v);
        let norm = self.basis.orthogonalise(&mut v).norm;
        let left = norm > 100.0 * <T as num_traits::Float>::epsilon().wide() * before;
        if left {
            vector::scale(1.0 / norm, &mut v);
            self.basis.push(&v);
        }
        left
    }

    /// Take the residuals of these columns of X into the basis. False if it holds them all.
    fn add_residuals(&mut self, columns: &[usize]) -> bool {
        columns
            .iter()
            .filter(|&&i| {
                let mut residual = self.images.col(i).to_vec();
                vector::axpy(-self.values[i], self.basis.col(i), &mut residual);
                self.add(residual)
            })
            .count()
            > 0
    }

    /// Images of the columns that have none yet.
    fn multiply(&mut self, op: &mut dyn SymmetricOperator<T>) -> Result<()> {
        let known = self.images.len();
        let directions: Vec<&[T]> = self.basis.cols().skip(known).collect();
        let mut images = self.images.grow(directions.len());
        op.apply_block(&directions, &mut images)?;
        for image in images {
            self.products += 1;
            let norm = vector::norm(image);
            if !norm.is_finite() {
                return Err(not_finite(self.products));
            }
            self.scale = self.scale.max(norm);
        }
        Ok(())
    }

    /// X ← the leading Ritz vectors of the basis; P ← what these columns gained in the step, orthogonal to the new X.
    fn rayleigh_ritz(&mut self, gained: &[usize]) -> Result<()> {
        let (n, m) = (self.basis.len(), self.width);
        // The basis is orthonormal to rounding, so one step of Newton's iteration for G^(−1/2), (3I − G)/2, leaves the
        // square of that.
        let gram = self.basis.symmetric_products(&self.basis);
        let whiten: Vec<f64> =
            (0..n * n).map(|at| 0.5 * (if at / n == at % n { 3.0 } else { 0.0 } - gram[at])).collect();
        let projected = self.basis.symmetric_products(&self.images);
        let eigen = symmetric_eigen(n, &times(n, &whiten, &times(n, &projected, &whiten)))?;
        let mut y = eigen.vectors[..m * n].to_vec();
        for &i in gained {
            let mut step = eigen.vector(i).to_vec();
            step[..m].fill(0.0);
            if orthonormalise(&y, &mut step) {
                y.extend(step);
            }
        }
        let q = times(n, &whiten, &y);
        self.basis.rotate(&q);
        self.images.rotate(&q);
        self.before = std::mem::replace(&mut self.values, eigen.values[..m].to_vec());
        keep_smallest(&mut self.smallest, eigen.values);
        Ok(())
    }

    /// ‖Hx − θx‖ of each column of X.
    fn residual_norms(&self) -> Vec<f64> {
        let pairs = self.values.iter().zip(self.basis.cols().zip(self.images.cols()));
        pairs.map(|(value, (x, image))| vector::distance(*value, x, image)).collect()
    }

    fn into_eigenspace(mut self, request: &Request, residuals: Vec<f64>, floor: f64, done: bool) -> Eigenspace<T> {
        let k = request.k;
        let next = self.values.get(k).copied();
        self.values.truncate(k);
        self.basis.truncate(k);
        self.basis.shrink_to_fit();
        Eigenspace {
            outcome: outcome(request, &self.values, &residuals, floor, done),
            orthonormality: self.basis.orthonormality(),
            remainder: remainder(&self.basis, &self.images, &self.values),
            weights: identity(k),
            values: self.values,
            residuals,
            vectors: self.basis,
            smallest: self.smallest,
            next,
            products: self.products,
        }
    }
}

/// A B of small matrices, A of n × n, stored by columns.
fn times(n: usize, a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; b.len()];
    for (out, b) in product.chunks_exact_mut(n).zip(b.chunks_exact(n)) {
        for (b, a) in b.iter().zip(a.chunks_exact(n)) {
            out.iter_mut().zip(a).for_each(|(out, a)| *out += a * b);
        }
    }
    product
}

/// Make a small vector orthonormal to the columns of `y`. False if it lies in their span.
fn orthonormalise(y: &[f64], v: &mut [f64]) -> bool {
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let before = norm(v);
    for _ in 0..2 {
        for column in y.chunks_exact(v.len()) {
            let along: f64 = column.iter().zip(&*v).map(|(y, v)| y * v).sum();
            v.iter_mut().zip(column).for_each(|(v, y)| *v -= along * y);
        }
    }
    let left = norm(v);
    v.iter_mut().for_each(|x| *x /= left);
    left > 1e-8 * before
}
