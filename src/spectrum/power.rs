//! Deflated power iteration with the signs right: the paper's method, corrected.
//!
//! Power iteration finds eigenpairs in the order of |λ|. The Rayleigh quotient tells the sign, and every iterate is
//! orthogonalised against the pairs found before, which deflates them whatever their sign. Negative pairs are kept aside
//! until k others are found. A last Rayleigh–Ritz step on all that was found, which needs no product, untangles pairs of
//! nearly equal |λ| and makes UᵀR = 0.

use super::krylov::random;
use super::operator::SymmetricOperator;
use super::solver::{
    Eigenspace, Iteration, Order, Request, SMALLEST, identity, keep_smallest, not_finite, outcome, remainder,
    rounding_level,
};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::{symmetric_eigen, symmetric_part};
use crate::math::vector;

/// Most iterations for one vector: one that has not converged by then has a neighbour of nearly the same |λ|.
const ITERATIONS: usize = 500;

/// A vector stops at this share of the tolerance, because the final rotation mixes residuals of close pairs.
const SHARE: f64 = 0.5;

/// A value that still changes by more than this share of itself has not found its eigenvalue, however small the residual:
/// in many dimensions the residual of a random vector, ‖H‖_F/√dim, is within a loose tolerance by itself.
const SETTLED: f64 = 0.1;

/// The `request.k` algebraically largest eigenpairs of `op` by deflated power iteration; fewer if the products run out.
/// `watch` sees every product: the pairs found so far that are not negative, and the one in work.
///
/// # Errors
/// As [`super::lanczos::lanczos`].
pub fn power<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    request: &Request,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<T>> {
    let dim = op.dim();
    request.validate(dim, &[Order::Largest])?;
    let mut found = Found::new(dim, request.k);
    let (mut starts, mut w, mut next) = (0, vec![T::of(0.0); dim], vec![T::of(0.0); dim]);
    while found.wanted(request.tol) < request.k && found.len() < dim && found.products < request.max_products {
        let mut v: Vec<T> = random(dim, request.seed, starts);
        starts += 1;
        let norm = found.vectors.orthogonalise(&mut v).norm;
        vector::scale(1.0 / norm, &mut v);
        let mut before = f64::INFINITY;
        for iteration in 1..=ITERATIONS {
            op.apply(&v, &mut w)?;
            found.products += 1;
            let value = vector::dot(&v, &w);
            if !value.is_finite() {
                return Err(not_finite(found.products));
            }
            next.copy_from_slice(&w);
            let norm = found.vectors.orthogonalise(&mut next).norm;
            let residual = vector::distance(value, &v, &next);
            found.show(request, value, residual, watch);
            let floor = rounding_level::<T>(found.scale(value));
            let settled = (value - before).abs() <= SETTLED * value.abs();
            let within = residual <= SHARE * request.tol * found.leading(value);
            let accepted = residual <= floor || (settled && within);
            before = value;
            if accepted || iteration == ITERATIONS || found.products == request.max_products {
                found.push(&v, &w, value, residual);
                break;
            }
            vector::scale(1.0 / norm, &mut next);
            std::mem::swap(&mut v, &mut next);
        }
    }
    let done = found.wanted(request.tol) >= request.k || found.len() == dim;
    found.rayleigh_ritz(request, done)
}

/// The pairs found so far, of either sign.
struct Found<T> {
    vectors: Basis<T>,
    images: Basis<T>,
    values: Vec<f64>,
    residuals: Vec<f64>,
    products: usize,
}

impl<T: Real> Found<T> {
    fn new(dim: usize, columns: usize) -> Found<T> {
        let (vectors, images) = (Basis::new(dim, columns), Basis::new(dim, columns));
        Found { vectors, images, values: Vec::new(), residuals: Vec::new(), products: 0 }
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    fn push(&mut self, vector: &[T], image: &[T], value: f64, residual: f64) {
        self.vectors.push(vector);
        self.images.push(image);
        self.values.push(value);
        self.residuals.push(residual);
    }

    /// How many are known not to be negative, as far as the tolerance can tell. A vector that ran out of iterations
    /// counts only if its value stands well clear of its residual: a mixture of two opposite eigenvalues never converges.
    fn wanted(&self, tol: f64) -> usize {
        const CLEAR: f64 = 0.1;
        let zero = tol * self.leading(0.0);
        let known = |(value, residual): &(&f64, &f64)| **value >= -zero && **residual <= zero.max(CLEAR * **value);
        self.values.iter().zip(&self.residuals).filter(known).count()
    }

    /// The best estimate of |λ_1|, with `current` in work.
    fn leading(&self, current: f64) -> f64 {
        let largest = self.values.iter().fold(current, |a, b| a.max(*b));
        if largest > 0.0 { largest } else { self.scale(current) }
    }

    /// The best estimate of ‖H‖₂, with `current` in work.
    fn scale(&self, current: f64) -> f64 {
        self.values.iter().fold(current.abs(), |a, b| a.max(b.abs()))
    }

    fn show(&self, request: &Request, value: f64, residual: f64, watch: &mut dyn FnMut(&Iteration<'_>)) {
        let found = self.values.iter().copied().zip(self.residuals.iter().copied()).filter(|(value, _)| *value >= 0.0);
        let mut pairs: Vec<(f64, f64)> = found.chain([(value, residual)]).collect();
        pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
        pairs.truncate(request.k);
        let (values, residuals): (Vec<f64>, Vec<Option<f64>>) = pairs.into_iter().map(|(v, r)| (v, Some(r))).unzip();
        let mut smallest: Vec<f64> = self.values.iter().copied().chain([value]).collect();
        smallest.sort_by(f64::total_cmp);
        smallest.truncate(SMALLEST);
        watch(&Iteration { products: self.products, values: &values, residuals: &residuals, smallest: &smallest });
    }

    /// The k largest Ritz pairs of all that was found.
    fn rayleigh_ritz(mut self, request: &Request, done: bool) -> Result<Eigenspace<T>> {
        let (n, k) = (self.len(), request.k.min(self.len()));
        let gram = self.vectors.products(&self.images);
        let eigen = symmetric_eigen(n, &symmetric_part(n, &gram))?;
        let mut smallest = Vec::new();
        keep_smallest(&mut smallest, eigen.values.clone());
        let floor = rounding_level::<T>(self.scale(0.0));
        let values = eigen.values[..k].to_vec();
        self.vectors.rotate(&eigen.vectors[..k * n]);
        self.images.rotate(&eigen.vectors[..k * n]);
        let remainder = remainder(&self.vectors, &self.images, &values);
        let residuals: Vec<f64> = remainder.cols().map(|r| vector::norm(r).max(floor)).collect();
        Ok(Eigenspace {
            outcome: outcome(request, &values, &residuals, floor, done),
            orthonormality: self.vectors.orthonormality(),
            values,
            residuals,
            vectors: self.vectors,
            remainder,
            weights: identity(k),
            smallest,
            next: None,
            products: self.products,
        })
    }
}
