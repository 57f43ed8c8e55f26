//! The decomposition that thick-restart Lanczos grows and shrinks:
//!
//! H V = V T + R S,  VᵀV = I, RᵀR = I, VᵀR = 0,
//!
//! with T = VᵀHV small and R a few pending directions, each with its couplings (a row of S). One step multiplies a block
//! of pending directions by H at once, moves them into V one after the other, and what is new in their images becomes
//! pending (Ruhe 1979, band Lanczos). With a single pending direction this is Lanczos' recurrence; a restart replaces V
//! by leading Ritz vectors and keeps R (Wu and Simon 2000); a fresh start vector is one more pending direction without
//! couplings. The relation stays exact to rounding through all of these, so residuals and images cost no products.
//!
//! V, R and the images lie in a [`Space`], and products with H are taken there; T and S are small and lie on the host.

use std::collections::VecDeque;

use super::operator::SymmetricOperator;
use super::solver::{Eigenspace, Order, not_finite};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::{SymmetricEigen, symmetric_eigen};
use crate::math::space::{Room, Space};
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;

/// out_i = H v_i for each of a block of vectors, where they lie.
pub(super) type Multiply<'a, V> = dyn FnMut(&[&V], &mut [&mut V]) -> Result<()> + 'a;

/// Vectors that Lanczos holds beside its columns when it multiplies `block` directions at once: those that are pending, a
/// fresh start, their images, and one that waits for its turn.
pub fn vectors_beside(block: usize) -> usize {
    2 * block + 2
}

/// Products of vectors on the host.
pub(super) fn on_host<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
) -> impl FnMut(&[&Vec<T>], &mut [&mut Vec<T>]) -> Result<()> {
    |v, out| {
        let v: Vec<&[T]> = v.iter().map(|v| &v[..]).collect();
        op.apply_block(&v, &mut out.iter_mut().map(|out| &mut out[..]).collect::<Vec<_>>())
    }
}

/// V, T, R and S.
pub(super) struct Krylov<S: Space> {
    space: S,
    v: S::Columns,
    /// Row j of T up to the diagonal.
    t: Vec<Vec<f64>>,
    pending: VecDeque<Pending<S::Vector>>,
    /// Buffers for images.
    spare: Vec<S::Vector>,
    block: usize,
    seed: u64,
    starts: u64,
    products: usize,
    scale: f64,
}

/// U, R and W.
pub(super) type Pairs<T> = (Basis<T>, Basis<T>, Vec<f64>);

/// A column of R with its row of S.
struct Pending<V> {
    direction: V,
    couplings: Vec<f64>,
}

/// Ritz pairs of H on the span of V, the leading ones first.
pub(super) struct Ritz {
    /// Values and coefficient vectors in the basis V.
    pub eigen: SymmetricEigen,
    /// ‖Hu − θu‖ of each pair, by the decomposition.
    pub residuals: Vec<f64>,
}

impl<S: Space> Krylov<S> {
    /// Empty, in `space` with this room, and steps that multiply up to `block` directions at once; it has no pending
    /// direction yet.
    ///
    /// # Errors
    /// If the space has no memory for the columns.
    pub fn new(space: S, room: Room, block: usize, seed: u64) -> Result<Krylov<S>> {
        Ok(Krylov {
            v: space.columns(room)?,
            space,
            t: Vec::with_capacity(room.columns),
            pending: VecDeque::new(),
            spare: Vec::new(),
            block,
            seed,
            starts: 0,
            products: 0,
            scale: 0.0,
        })
    }

    /// Columns of V.
    pub fn len(&self) -> usize {
        self.space.len(&self.v)
    }

    /// Dimensions of the whole space.
    pub fn dim(&self) -> usize {
        self.space.dim()
    }

    /// Products so far.
    pub fn products(&self) -> usize {
        self.products
    }

    /// The largest ‖Hv‖ met: a lower bound of ‖H‖₂ that is soon sharp.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// Whether V spans an invariant subspace: nothing is pending.
    pub fn is_closed(&self) -> bool {
        self.pending.is_empty()
    }

    /// Make a vector pending, less what V and R hold of it. Returns whether anything was left.
    pub fn add(&mut self, direction: Vec<S::Element>) -> Result<bool> {
        let Krylov { space, v, .. } = &*self;
        let mut direction = space.place(direction)?;
        let before = space.norm(&direction)?;
        space.orthogonalise(v, &mut direction)?;
        for _ in 0..2 {
            for other in &self.pending {
                take_out(space, &other.direction, &mut direction)?;
            }
        }
        let norm = space.norm(&direction)?;
        if norm <= 100.0 * S::Element::EPSILON * before {
            return Ok(false);
        }
        space.scale(1.0 / norm, &mut direction)?;
        self.pending.push_back(Pending { direction, couplings: vec![0.0; self.len()] });
        Ok(true)
    }

    /// Go on from Rayleigh–Ritz pairs of the same operator, at most the leading `columns` of them.
    pub fn resume(&mut self, from: &Eigenspace<S::Element>, columns: usize) -> Result<()> {
        let columns = columns.min(from.values.len());
        for u in from.vectors.cols().take(columns) {
            self.space.append(&mut self.v, u)?;
        }
        self.t = diagonal(&from.values[..columns]);
        for direction in from.remainder.cols() {
            self.add(direction.to_vec())?;
        }
        // The remainder's columns need not be orthonormal: express its weights in those that now are.
        for pending in &mut self.pending {
            let along = from.remainder.coefficients(&self.space.read(&pending.direction)?);
            for (row, along) in from.weights.chunks_exact(from.values.len()).zip(along) {
                pending.couplings.iter_mut().zip(row).for_each(|(s, w)| *s += along * w);
            }
        }
        Ok(())
    }

    /// Make up to `count` fresh random directions pending. False if there is none: V and R fill the whole space.
    pub fn add_random(&mut self, count: usize) -> Result<bool> {
        const TRIES: usize = 4;
        let before = self.pending.len();
        for _ in 0..TRIES * count {
            if self.pending.len() == before + count || self.len() + self.pending.len() == self.dim() {
                break;
            }
            let direction = random(self.dim(), self.seed, self.starts);
            self.starts += 1;
            self.add(direction)?;
        }
        Ok(self.pending.len() > before)
    }

    /// Columns that the next step adds, if the products allow.
    pub fn next_block(&self) -> usize {
        self.block.min(self.pending.len())
    }

    /// One block of products with H, at most `products` of them, of the directions that have waited longest, so that none
    /// hides what it holds. Needs a pending direction and room for the block.
    pub fn step(&mut self, multiply: &mut Multiply<'_, S::Vector>, products: usize) -> Result<()> {
        let count = self.next_block().min(products);
        let image = |_| self.spare.pop().map_or_else(|| self.space.vector(), Ok);
        let mut images = (0..count).map(image).collect::<Result<Vec<S::Vector>>>()?;
        let directions: Vec<&S::Vector> = self.pending.iter().take(count).map(|p| &p.direction).collect();
        multiply(&directions, &mut images.iter_mut().collect::<Vec<_>>())?;
        images.into_iter().try_for_each(|image| self.absorb(image))
    }

    /// Move the direction that has waited longest into V; `w` is its image.
    fn absorb(&mut self, mut w: S::Vector) -> Result<()> {
        let Pending { direction, couplings } = self.pending.pop_front().expect("an image is that of a direction");
        let space = &self.space;
        self.products += 1;
        let norm = space.norm(&w)?;
        if !norm.is_finite() {
            return Err(not_finite(self.products));
        }
        self.scale = self.scale.max(norm);

        // First the few large terms that symmetry foretells, then one full pass over V against rounding. While the
        // couplings are Lanczos' (all but the last are 0) the first part reads two columns only.
        let foretold: Vec<f64> = couplings.iter().map(|s| -s).collect();
        space.add_to(&self.v, &foretold, &mut w)?;
        let diagonal = take_out(space, &direction, &mut w)?;
        for other in &mut self.pending {
            other.couplings.push(take_out(space, &other.direction, &mut w)?);
        }
        space.push(&mut self.v, &direction)?;
        let rounding = space.orthogonalise(&self.v, &mut w)?;
        let mut norm = rounding.norm;
        for other in &mut self.pending {
            let last = other.couplings.len() - 1;
            other.couplings[last] += take_out(space, &other.direction, &mut w)?;
            norm = space.norm(&w)?;
        }

        let row = couplings.into_iter().chain([diagonal]).zip(rounding.coefficients).map(|(a, b)| a + b).collect();
        self.t.push(row);
        let columns = space.len(&self.v);
        if norm > 10.0 * S::Element::EPSILON * self.scale && columns + self.pending.len() < space.dim() {
            space.scale(1.0 / norm, &mut w)?;
            let mut couplings = vec![0.0; columns];
            couplings[columns - 1] = norm;
            self.pending.push_back(Pending { direction: w, couplings });
            self.spare.push(direction);
        } else {
            self.spare.push(w);
        }
        Ok(())
    }

    /// Ritz pairs of the present V, the leading ones first.
    pub fn ritz(&self, order: Order) -> Result<Ritz> {
        let n = self.len();
        let mut a = vec![0.0; n * n];
        for (j, row) in self.t.iter().enumerate() {
            a[j * n..j * n + row.len()].copy_from_slice(row);
        }
        let eigen = symmetric_eigen(n, &a)?;
        let eigen = match order {
            Order::Largest => eigen,
            Order::Magnitude => eigen.by_magnitude(),
        };
        let residuals =
            (0..n).map(|i| self.weights(eigen.vector(i)).iter().map(|w| w * w).sum::<f64>().sqrt()).collect();
        Ok(Ritz { eigen, residuals })
    }

    /// Replace V by its leading `keep` Ritz vectors.
    pub fn restart(&mut self, ritz: &Ritz, keep: usize) -> Result<()> {
        let weights: Vec<Vec<f64>> = (0..keep).map(|i| self.weights(ritz.eigen.vector(i))).collect();
        self.space.rotate(&mut self.v, &ritz.eigen.vectors[..keep * ritz.eigen.values.len()])?;
        self.t = diagonal(&ritz.eigen.values[..keep]);
        for (q, pending) in self.pending.iter_mut().enumerate() {
            pending.couplings = weights.iter().map(|w| w[q]).collect();
        }
        Ok(())
    }

    /// U (the leading `k` Ritz vectors), R and W with HU = UΛ + R W, on the host; W is row-major, one row per column of R.
    pub fn into_pairs(mut self, ritz: &Ritz, k: usize) -> Result<Pairs<S::Element>> {
        self.restart(ritz, k)?;
        let mut remainder = Basis::new(self.dim(), self.pending.len());
        let mut weights = Vec::with_capacity(self.pending.len() * k);
        for pending in self.pending {
            remainder.push(&self.space.read(&pending.direction)?);
            weights.extend(pending.couplings);
        }
        Ok((self.space.basis(self.v)?, remainder, weights))
    }

    /// S y: the residual of the Ritz vector V y in the directions R.
    fn weights(&self, y: &[f64]) -> Vec<f64> {
        self.pending.iter().map(|p| p.couplings.iter().zip(y).map(|(s, y)| s * y).sum()).collect()
    }
}

/// The rows up to the diagonal of a diagonal matrix.
fn diagonal(values: &[f64]) -> Vec<Vec<f64>> {
    values.iter().enumerate().map(|(i, value)| vec![0.0; i].into_iter().chain([*value]).collect()).collect()
}

/// Take the part along a unit vector out of w, and return its coefficient.
fn take_out<S: Space>(space: &S, unit: &S::Vector, w: &mut S::Vector) -> Result<f64> {
    let coefficient = space.dot(unit, w)?;
    space.axpy(-coefficient, unit, w)?;
    Ok(coefficient)
}

/// Start vector number `index`: standard normals.
pub(super) fn random<T: Real>(dim: usize, seed: u64, index: u64) -> Vec<T> {
    vector::normals(&mut Stream::new(seed, Purpose::Solver, index), dim)
}
