//! Thick-restart Lanczos for the eigenpairs that are algebraically largest, or largest in magnitude (Wu and Simon 2000),
//! fully re-orthogonalised. Where a device multiplies, all vectors lie in its memory until the end.

use super::check::{Check, Leading};
pub use super::krylov::vectors_beside;
use super::krylov::{Krylov, Multiply, on_host, random};
use super::operator::SymmetricOperator;
use super::solver::{Eigenspace, Iteration, Order, Request, Start, keep_smallest, outcome, rounding_level};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::space::{Host, Room, Space};
use crate::math::vector;

/// Columns that Lanczos keeps for `k` eigenpairs in `dim` dimensions unless told otherwise; beside them it needs
/// [`vectors_beside`]. With room for about twice the wanted pairs the first restart comes when most have converged.
pub fn columns(k: usize, dim: usize) -> usize {
    (2 * k + 16).min(dim)
}

/// Fewest columns that Lanczos can do with: the wanted pairs and two blocks.
pub fn fewest_columns(k: usize, block: usize, dim: usize) -> usize {
    (k + 2 * block).min(dim)
}

/// The `request.k` leading eigenpairs of `op` in the request's order; `watch` sees the state after every product.
///
/// Residuals follow from the Lanczos relation, without products of their own. They are never given below the rounding
/// level of `T` (see [`super::solver::Outcome::Rounding`]), where the relation no longer describes the stored vectors.
///
/// # Errors
/// What `op` returns, such as [`crate::error::Error::Cancelled`]; [`crate::error::Error::NotFinite`] when a product is
/// not finite; [`crate::error::Error::Computation`] when k does not lie between 1 and the dimension or exceeds
/// `max_products`.
pub fn lanczos<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    request: &Request,
    start: Start<'_, T>,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<T>> {
    request.validate(op.dim(), &[Order::Largest, Order::Magnitude])?;
    let (k, dim, block) = (request.k, op.dim(), request.block);
    let columns = request.columns.unwrap_or(columns(k, dim)).clamp(fewest_columns(k, block, dim), dim);
    let room = Room { columns, beside: vectors_beside(block) };
    if let Some(mut there) = op.on_device(room)? {
        return solve(there.space()?, &mut |v, out| there.apply_block(v, out), request, room, start, watch);
    }
    solve(Host::new(dim), &mut on_host(op), request, room, start, watch)
}

/// [`lanczos`] with all its vectors in `space`, where `multiply` takes the products and which has this room.
fn solve<S: Space>(
    space: S,
    multiply: &mut Multiply<'_, S::Vector>,
    request: &Request,
    room: Room,
    start: Start<'_, S::Element>,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<S::Element>> {
    let (k, dim, block) = (request.k, space.dim(), request.block);
    let mut krylov = Krylov::new(space, room, block, request.seed)?;
    let room = room.columns;
    let mut smallest = Vec::new();
    match start {
        Start::Random => {}
        Start::Near(vectors) => {
            krylov.add(blend(vectors, request.seed))?;
        }
        Start::Resume(space) => {
            krylov.resume(space, room - block.min(room))?;
            smallest.clone_from(&space.smallest);
        }
    }
    if krylov.is_closed() {
        krylov.add_random(block)?;
    }
    let mut check = Check::new(request);
    loop {
        krylov.step(multiply, request.max_products - krylov.products())?;
        let ritz = krylov.ritz(request.order)?;
        let values = &ritz.eigen.values[..k.min(krylov.len())];
        let floor = rounding_level::<S::Element>(krylov.scale());
        let residuals: Vec<f64> = ritz.residuals.iter().take(k).map(|r| r.max(floor)).collect();
        keep_smallest(&mut smallest, ritz.eigen.values.clone());
        let shown: Vec<Option<f64>> = residuals.iter().copied().map(Some).collect();
        watch(&Iteration { products: krylov.products(), values, residuals: &shown, smallest: &smallest });

        let tolerance = (request.tol * values[0].abs()).max(floor);
        let settled = values.len() == k && residuals.iter().all(|r| *r <= tolerance);
        let closed = ritz.residuals.iter().all(|r| *r <= tolerance);
        let leading = Leading { values, settled, closed, tolerance };
        let done = krylov.len() == dim || check.accepts(&mut krylov, &leading)?;
        if done || krylov.products() >= request.max_products {
            let (products, next) = (krylov.products(), ritz.eigen.values.get(k).copied());
            let outcome = outcome(request, values, &residuals, floor, done);
            let (vectors, remainder, weights) = krylov.into_pairs(&ritz, values.len())?;
            return Ok(Eigenspace {
                values: values.to_vec(),
                residuals,
                orthonormality: vectors.orthonormality(),
                vectors,
                remainder,
                weights,
                smallest,
                next,
                products,
                outcome,
            });
        }
        if krylov.len() + krylov.next_block() > room {
            // Beside the wanted pairs half of the rest: those next in line converge too and speed up the others.
            krylov.restart(&ritz, k + (room - k) / 2)?;
        }
    }
}

/// One start vector rich in all of a neighbouring problem's eigenvectors. A block start needs a product per column before
/// it learns anything; one blended vector needed fewer products on every perturbation tried. A little of everything is
/// mixed in, so that a pair that the neighbour lacked is not shut out.
fn blend<T: Real>(vectors: &Basis<T>, seed: u64) -> Vec<T> {
    const SHARE: f64 = 0.1;
    let mut start = vectors.combine(&vec![1.0; vectors.len()]);
    let noise: Vec<T> = random(start.len(), seed, 0);
    let share = SHARE * vector::norm(&start) / vector::norm(&noise);
    vector::axpy(share, &noise, &mut start);
    start
}
