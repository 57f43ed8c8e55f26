//! Power iteration as in the paper's public code, artefacts included, for `--method paper`.
//!
//! λ = ‖Hv‖ is never negative, so a negative eigenvalue is deflated with the wrong sign and doubles; nothing is
//! re-orthogonalised; the number of iterations is fixed, whatever the residual.

use super::krylov::random;
use super::operator::SymmetricOperator;
use super::solver::{Eigenspace, Iteration, Order, Request, identity, not_finite, outcome, remainder};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::vector;

/// Iterations the paper gives each vector.
pub const ITERATIONS: usize = 30;

/// A vector stops before that when λ changes by less than this share of itself.
pub const TOLERANCE: f64 = 1e-4;

/// `request.k` pairs by the paper's method, in the order found. One further product per pair measures its true residual,
/// so at most 31 k products are spent: `request.max_products` is no limit here, and `request.tol` only judges the outcome.
///
/// # Errors
/// As [`super::lanczos::lanczos`].
pub fn paper_power<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    request: &Request,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<T>> {
    let (k, dim) = (request.k, op.dim());
    request.validate(dim, &[Order::Largest])?;
    let mut vectors: Basis<T> = Basis::new(dim, k);
    let (mut values, mut residuals, mut products) = (Vec::new(), Vec::new(), 0);
    let mut w = vec![T::of(0.0); dim];
    for index in 0..k {
        let mut v: Vec<T> = random(dim, request.seed, index as u64);
        vector::scale(1.0 / vector::norm(&v), &mut v);
        values.push(0.0);
        residuals.push(None);
        for _ in 0..ITERATIONS {
            op.apply(&v, &mut w)?;
            products += 1;
            let along: Vec<f64> = vectors.coefficients(&v).iter().zip(&values).map(|(uv, value)| -uv * value).collect();
            let value = vectors.add_to(&along, &mut w);
            if !value.is_finite() {
                return Err(not_finite(products));
            }
            residuals[index] = Some(vector::distance(value, &v, &w));
            let settled = (value - values[index]).abs() < TOLERANCE * value.max(1e-12);
            values[index] = value;
            watch(&Iteration { products, values: &values, residuals: &residuals, smallest: &[] });
            if value > 0.0 {
                v.copy_from_slice(&w);
                vector::scale(1.0 / value, &mut v);
            }
            if settled {
                break;
            }
        }
        vectors.push(&v);
    }
    let mut images = Basis::new(dim, k);
    for (index, u) in vectors.cols().enumerate() {
        op.apply(u, &mut w)?;
        products += 1;
        images.push(&w);
        residuals[index] = Some(vector::distance(values[index], u, &w));
        watch(&Iteration { products, values: &values, residuals: &residuals, smallest: &[] });
    }
    let remainder = remainder(&vectors, &images, &values);
    let residuals: Vec<f64> = remainder.cols().map(vector::norm).collect();
    Ok(Eigenspace {
        outcome: outcome(request, &values, &residuals, 0.0, true),
        orthonormality: vectors.orthonormality(),
        values,
        residuals,
        vectors,
        remainder,
        weights: identity(k),
        smallest: Vec::new(),
        next: None,
        products,
    })
}
