//! Long columns that the eigensolvers keep orthonormal.
//!
//! At the sizes of interest every operation here is bound by reading the columns from memory, so each makes one pass
//! over them, in chunks of rows that stay in cache while all columns are visited. Reductions are in f64 and in chunk
//! order: the digits do not depend on the thread count.

use std::convert::Infallible;

use rayon::prelude::*;

use super::array::Real;
use super::dense::singular_values;
use super::vector::{self, CHUNK, dot_chunk, ordered_sum};
use crate::error::Result;

/// A matrix of `dim` rows whose columns lie one after another in one allocation.
#[derive(Debug, Clone, PartialEq)]
pub struct Basis<T> {
    dim: usize,
    data: Vec<T>,
}

/// What [`gram_schmidt`] took out of a vector and what it left.
#[derive(Debug, Clone, PartialEq)]
pub struct Projection {
    /// Coefficient of each column that was subtracted.
    pub coefficients: Vec<f64>,
    /// Norm of what remains.
    pub norm: f64,
}

impl<T: Real> Basis<T> {
    /// No columns yet, with room for `columns` of `dim` elements.
    pub fn new(dim: usize, columns: usize) -> Basis<T> {
        Basis { dim, data: Vec::with_capacity(dim * columns) }
    }

    /// Number of rows.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.data.len().checked_div(self.dim).unwrap_or(0)
    }

    /// Whether there are no columns.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// Column `i`.
    pub fn col(&self, i: usize) -> &[T] {
        &self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// Column `i`, to write into.
    pub fn col_mut(&mut self, i: usize) -> &mut [T] {
        &mut self.data[i * self.dim..(i + 1) * self.dim]
    }

    /// All columns in order.
    pub fn cols(&self) -> impl DoubleEndedIterator<Item = &[T]> + ExactSizeIterator {
        self.data.chunks_exact(self.dim.max(1))
    }

    /// Append a column of `dim` elements.
    pub fn push(&mut self, column: &[T]) {
        assert_eq!(column.len(), self.dim, "a column of another length");
        self.data.extend_from_slice(column);
    }

    /// Append `count` columns of zeros and lend them to be written.
    pub fn grow(&mut self, count: usize) -> Vec<&mut [T]> {
        let before = self.data.len();
        self.data.resize(before + count * self.dim, T::of(0.0));
        self.data[before..].chunks_exact_mut(self.dim.max(1)).collect()
    }

    /// Keep the first `columns` columns, and the room of the others.
    pub fn truncate(&mut self, columns: usize) {
        self.data.truncate(columns * self.dim);
    }

    /// Give back the room beyond the last column.
    pub fn shrink_to_fit(&mut self) {
        self.data.shrink_to_fit();
    }

    /// Vᵀ w, one product per column.
    pub fn coefficients(&self, w: &[T]) -> Vec<f64> {
        assert_eq!(w.len(), self.dim, "a vector of another length");
        let partials: Vec<Vec<f64>> = w
            .par_chunks(CHUNK)
            .enumerate()
            .map(|(chunk, w)| {
                let wide = Scratch::of(w);
                let rows = chunk * CHUNK..chunk * CHUNK + w.len();
                self.cols().map(|col| dot_chunk(&wide.0[..w.len()], &col[rows.clone()])).collect()
            })
            .collect();
        add_up(self.len(), &partials)
    }

    /// w ← w + Σ_i `coefficients[i]` · column i over the leading columns; returns ‖w‖ afterwards. Columns whose
    /// coefficient is 0 are not read.
    pub fn add_to(&self, coefficients: &[f64], w: &mut [T]) -> f64 {
        assert!(coefficients.len() <= self.len() && w.len() == self.dim, "a combination that does not fit the basis");
        let partial = |(chunk, w): (usize, &mut [T])| {
            let rows = chunk * CHUNK..chunk * CHUNK + w.len();
            let mut wide = Scratch::of(w);
            let wide = &mut wide.0[..w.len()];
            let read = coefficients.iter().zip(self.cols()).filter(|(h, _)| **h != 0.0);
            accumulate(read.map(|(h, col)| (*h, &col[rows.clone()])), wide);
            narrow(wide, w);
            dot_chunk::<T, T>(w, w)
        };
        ordered_sum(w.par_chunks_mut(CHUNK).enumerate().map(partial)).sqrt()
    }

    /// The linear combination Σ_i `coefficients[i]` · column i of the leading columns.
    pub fn combine(&self, coefficients: &[f64]) -> Vec<T> {
        let mut out = vec![T::of(0.0); self.dim];
        self.add_to(coefficients, &mut out);
        out
    }

    /// w ← (I − VVᵀ) w, for orthonormal columns, by [`gram_schmidt`].
    pub fn orthogonalise(&self, w: &mut [T]) -> Projection {
        let Ok(projection) = gram_schmidt::<Infallible>(self.len(), vector::norm(w), || Ok(self.project_out(w)));
        projection
    }

    /// w ← w − V(Vᵀw), once: in floating point some of the projection is left where V takes most of w.
    pub fn project_out(&self, w: &mut [T]) -> Projection {
        let coefficients = self.coefficients(w);
        let taken: Vec<f64> = coefficients.iter().map(|h| -h).collect();
        let norm = self.add_to(&taken, w);
        Projection { coefficients, norm }
    }

    /// V ← V Q for a small Q whose columns are given one after another (`len` elements each); there may be fewer
    /// columns afterwards, never more. Works in place, a chunk of rows at a time.
    pub fn rotate(&mut self, q: &[f64]) {
        let old = self.len();
        if old == 0 {
            return;
        }
        let new = q.len() / old;
        assert!(q.len() == new * old && new <= old, "a rotation that does not fit the basis");
        // Each task owns one chunk of rows in every column, so threads write side by side without overlap.
        let mut tasks: Vec<Vec<&mut [T]>> = (0..self.dim.div_ceil(CHUNK)).map(|_| Vec::with_capacity(old)).collect();
        for col in self.data.chunks_exact_mut(self.dim) {
            tasks.iter_mut().zip(col.chunks_mut(CHUNK)).for_each(|(task, rows)| task.push(rows));
        }
        tasks.into_par_iter().for_each(|mut cols| {
            let rows = cols[0].len();
            let mut rotated = vec![0.0; new * rows];
            for (q, out) in q.chunks_exact(old).zip(rotated.chunks_exact_mut(rows)) {
                accumulate(q.iter().zip(&cols).map(|(q, col)| (*q, &**col)), out);
            }
            for (col, rotated) in cols.iter_mut().zip(rotated.chunks_exact(rows)) {
                narrow(rotated, col);
            }
        });
        self.truncate(new);
    }

    /// UᵀV, row-major `self.len()` × `other.len()`.
    pub fn products(&self, other: &Basis<T>) -> Vec<f64> {
        self.selected_products(other, |_| other.len())
    }

    /// UᵀV where it is symmetric, of as many columns each: the products of the lower triangle, mirrored.
    pub fn symmetric_products(&self, other: &Basis<T>) -> Vec<f64> {
        let n = self.len();
        let triangle = self.selected_products(other, |i| i + 1);
        (0..n * n).map(|at| (at / n, at % n)).map(|(i, j)| triangle[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)]).collect()
    }

    /// max |VᵀV − I|, the largest departure from orthonormal columns.
    pub fn orthonormality(&self) -> f64 {
        let triangle = self.selected_products(self, |i| i + 1);
        let unit = (0..self.len()).flat_map(|i| (0..=i).map(move |j| if i == j { 1.0 } else { 0.0 }));
        triangle.iter().zip(unit).map(|(product, unit)| (product - unit).abs()).fold(0.0, f64::max)
    }

    /// Products of each column i with the first `count(i)` columns of `other`.
    fn selected_products(&self, other: &Basis<T>, count: impl Fn(usize) -> usize + Sync) -> Vec<f64> {
        assert_eq!(self.dim, other.dim, "bases of different dimension");
        let size = (0..self.len()).map(&count).sum();
        let block = |chunk: usize| {
            let rows = chunk * CHUNK..((chunk + 1) * CHUNK).min(self.dim);
            let mut block = Vec::with_capacity(size);
            for (i, u) in self.cols().enumerate() {
                let wide = Scratch::of(&u[rows.clone()]);
                let wide = &wide.0[..rows.len()];
                block.extend(other.cols().take(count(i)).map(|v| dot_chunk(wide, &v[rows.clone()])));
            }
            block
        };
        let partials: Vec<Vec<f64>> = (0..self.dim.div_ceil(CHUNK)).into_par_iter().map(block).collect();
        add_up(size, &partials)
    }
}

/// w ← (I − VVᵀ) w for `columns` orthonormal columns by classical Gram–Schmidt, wherever they lie: `pass` takes the
/// projection out of w once, whose norm is `before`. The pass is repeated while it takes more than it leaves: then rounding
/// of what was taken could outweigh what is left (Daniel, Gragg, Kaufman and Stewart 1976; "twice is enough"). A remainder
/// at rounding level of the original means that w lay in the span.
///
/// # Errors
/// Those of `pass`.
pub fn gram_schmidt<E>(
    columns: usize,
    mut before: f64,
    mut pass: impl FnMut() -> std::result::Result<Projection, E>,
) -> std::result::Result<Projection, E> {
    const PASSES: usize = 4;
    let mut coefficients = vec![0.0; columns];
    for _ in 0..PASSES {
        let Projection { coefficients: taken, norm } = pass()?;
        coefficients.iter_mut().zip(&taken).for_each(|(sum, h)| *sum += h);
        let settled = norm >= before * std::f64::consts::FRAC_1_SQRT_2;
        before = norm;
        if settled {
            break;
        }
    }
    Ok(Projection { coefficients, norm: before })
}

/// Cosines of the principal angles between the spans of two orthonormal bases, largest first: the singular values of
/// UᵀV (Björck and Golub 1973), as many as the smaller basis has columns.
///
/// # Errors
/// [`crate::error::Error::NotFinite`] if a product is not finite.
pub fn cosines<T: Real>(u: &Basis<T>, v: &Basis<T>) -> Result<Vec<f64>> {
    // Rounding must not make a cosine of more than 1.
    Ok(singular_values(v.len(), &u.products(v))?.into_iter().map(|c| c.min(1.0)).collect())
}

/// Mean squared cosine of principal angles, ‖UᵀV‖_F² over the smaller dimension: 1 for nested subspaces, k/P for random
/// ones; NaN without angles.
pub fn overlap(cosines: &[f64]) -> f64 {
    cosines.iter().map(|c| c * c).sum::<f64>() / cosines.len() as f64
}

/// The principal angles of these cosines, radians in [0, π/2].
pub fn angles(cosines: &[f64]) -> Vec<f64> {
    cosines.iter().map(|c| c.clamp(0.0, 1.0).acos()).collect()
}

/// Sum of partial results of `len` elements each, in the order of their chunks.
fn add_up(len: usize, partials: &[Vec<f64>]) -> Vec<f64> {
    let mut sums = vec![0.0; len];
    for partial in partials {
        sums.iter_mut().zip(partial).for_each(|(sum, x)| *sum += x);
    }
    sums
}

/// One chunk of a vector in double precision, on the stack.
struct Scratch([f64; CHUNK]);

impl Scratch {
    fn of<T: Real>(x: &[T]) -> Scratch {
        let mut wide = Scratch([0.0; CHUNK]);
        widen(x, &mut wide.0[..x.len()]);
        wide
    }
}

crate::kernel! {
    fn widen[T](x: &'a [T], wide: &'a mut [f64]) -> () {
        for (wide, x) in wide.iter_mut().zip(x) {
            *wide = x.wide();
        }
    }

    fn narrow[T](wide: &'a [f64], x: &'a mut [T]) -> () {
        for (x, wide) in x.iter_mut().zip(wide) {
            *x = T::of(*wide);
        }
    }

    /// acc += a x + b y: two columns at a time halve the traffic of the accumulator.
    fn add_two[T](a: f64, x: &'a [T], b: f64, y: &'a [T], acc: &'a mut [f64]) -> () {
        for ((acc, x), y) in acc.iter_mut().zip(x).zip(y) {
            *acc += a * x.wide() + b * y.wide();
        }
    }

    fn add_one[T](a: f64, x: &'a [T], acc: &'a mut [f64]) -> () {
        for (acc, x) in acc.iter_mut().zip(x) {
            *acc += a * x.wide();
        }
    }
}

/// acc += Σ coefficient · column over the pairs given.
fn accumulate<'a, T: Real>(mut terms: impl Iterator<Item = (f64, &'a [T])>, acc: &mut [f64]) {
    while let Some((a, x)) = terms.next() {
        match terms.next() {
            Some((b, y)) => add_two(a, x, b, y, acc),
            None => add_one(a, x, acc),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::stream::{Purpose, Stream};

    const DIM: usize = 2 * CHUNK + 7;

    fn random(index: u64) -> Vec<f32> {
        vector::normals(&mut Stream::new(5, Purpose::Solver, index), DIM)
    }

    fn orthonormal(columns: u64) -> Basis<f32> {
        let mut basis = Basis::new(DIM, columns as usize);
        for i in 0..columns {
            let mut w = random(i);
            let norm = basis.orthogonalise(&mut w).norm;
            vector::scale(1.0 / norm, &mut w);
            basis.push(&w);
        }
        basis
    }

    #[test]
    fn gram_schmidt_is_orthonormal_to_rounding_and_accounts_for_what_it_took() {
        let basis = orthonormal(6);
        assert!(basis.orthonormality() < 1e-6, "{}", basis.orthonormality());
        let w = random(9);
        let mut rest = w.clone();
        let projection = basis.orthogonalise(&mut rest);
        assert!((projection.norm - vector::norm(&rest)).abs() < 1e-4);
        basis.add_to(&projection.coefficients, &mut rest);
        assert!(vector::distance(1.0, &w, &rest) < 1e-4);
    }

    #[test]
    fn a_vector_in_the_span_leaves_only_rounding() {
        let basis = orthonormal(4);
        let mut inside = basis.combine(&[1.0, -2.0, 0.0, 3.0]);
        let projection = basis.orthogonalise(&mut inside);
        assert!(projection.norm < 1e-5);
        assert!((projection.coefficients[1] + 2.0).abs() < 1e-5);
    }

    #[test]
    fn rotating_gives_the_combinations_and_keeps_the_rest_of_the_room() {
        let mut basis = orthonormal(3);
        let q = [0.6, 0.8, 0.0, 0.0, 0.0, 1.0];
        let expected = [basis.combine(&q[..3]), basis.combine(&q[3..])];
        basis.rotate(&q);
        assert_eq!(basis.len(), 2);
        assert_eq!([basis.col(0), basis.col(1)], [&expected[0][..], &expected[1][..]]);
        assert!(basis.orthonormality() < 1e-6);
    }

    #[test]
    fn a_basis_that_is_not_orthonormal_says_so() {
        let mut basis = orthonormal(2);
        let twin = basis.col(0).to_vec();
        basis.push(&twin);
        assert!((basis.orthonormality() - 1.0).abs() < 1e-6);
    }
}
