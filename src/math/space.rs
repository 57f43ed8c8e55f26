//! Where the vectors of an iteration lie, and what is done with them there.
//!
//! An eigensolver written over a [`Space`] does not know whether its vectors lie in the host's memory ([`Host`]) or in
//! that of a device, from which they would be slow to fetch. Every sum is in f64 and in an order that shapes alone decide.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::array::Real;
use super::basis::{Basis, Projection, gram_schmidt};
use super::vector;
use crate::error::Result;

/// Vectors that a solve holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Columns of its basis, of which some may lie on the host where a device has no room for all.
    pub columns: usize,
    /// Vectors beside them.
    pub beside: usize,
}

/// A place for vectors of one length. Every operation fails with what a device reports, and on the host with nothing.
pub trait Space {
    /// What vectors consist of.
    type Element: Real;
    /// A vector.
    type Vector;
    /// Vectors that are worked on together: the columns of a matrix V.
    type Columns;

    /// Elements of a vector.
    fn dim(&self) -> usize;

    /// A vector of arbitrary contents.
    ///
    /// # Errors
    /// No memory for it.
    fn vector(&self) -> Result<Self::Vector>;

    /// A vector with these elements.
    ///
    /// # Errors
    /// No memory for it.
    fn place(&self, elements: Vec<Self::Element>) -> Result<Self::Vector>;

    /// The elements of a vector, on the host.
    ///
    /// # Errors
    /// As for all.
    fn read<'a>(&self, x: &'a Self::Vector) -> Result<Cow<'a, [Self::Element]>>;

    /// x · y.
    ///
    /// # Errors
    /// As for all.
    fn dot(&self, x: &Self::Vector, y: &Self::Vector) -> Result<f64>;

    /// ‖x‖.
    ///
    /// # Errors
    /// As for all.
    fn norm(&self, x: &Self::Vector) -> Result<f64> {
        Ok(self.dot(x, x)?.sqrt())
    }

    /// y ← y + a x, each element in f64 and rounded once.
    ///
    /// # Errors
    /// As for all.
    fn axpy(&self, a: f64, x: &Self::Vector, y: &mut Self::Vector) -> Result<()>;

    /// x ← a x, each element in f64 and rounded once.
    ///
    /// # Errors
    /// As for all.
    fn scale(&self, a: f64, x: &mut Self::Vector) -> Result<()>;

    /// No columns yet, with room for those of `room` and for its vectors, which are still to come.
    ///
    /// # Errors
    /// No memory for them.
    fn columns(&self, room: Room) -> Result<Self::Columns>;

    /// Number of columns.
    fn len(&self, v: &Self::Columns) -> usize;

    /// Append a copy of x.
    ///
    /// # Errors
    /// As for all.
    fn push(&self, v: &mut Self::Columns, x: &Self::Vector) -> Result<()>;

    /// Append a column of these elements.
    ///
    /// # Errors
    /// As for all.
    fn append(&self, v: &mut Self::Columns, elements: &[Self::Element]) -> Result<()>;

    /// w ← w + Σ_i `coefficients[i]` · column i over the leading columns; returns ‖w‖ afterwards. Columns whose
    /// coefficient is 0 are not read.
    ///
    /// # Errors
    /// As for all.
    fn add_to(&self, v: &Self::Columns, coefficients: &[f64], w: &mut Self::Vector) -> Result<f64>;

    /// w ← w − V(Vᵀw), once.
    ///
    /// # Errors
    /// As for all.
    fn project_out(&self, v: &Self::Columns, w: &mut Self::Vector) -> Result<Projection>;

    /// w ← (I − VVᵀ) w, for orthonormal columns, by [`gram_schmidt`].
    ///
    /// # Errors
    /// As for all.
    fn orthogonalise(&self, v: &Self::Columns, w: &mut Self::Vector) -> Result<Projection> {
        gram_schmidt(self.len(v), self.norm(w)?, || self.project_out(v, w))
    }

    /// V ← V Q for a small Q whose columns are given one after another (`len` elements each); there may be fewer
    /// columns afterwards, never more. Works in place.
    ///
    /// # Errors
    /// As for all.
    fn rotate(&self, v: &mut Self::Columns, q: &[f64]) -> Result<()>;

    /// The columns, brought to the host.
    ///
    /// # Errors
    /// As for all.
    fn basis(&self, v: Self::Columns) -> Result<Basis<Self::Element>>;
}

/// The host's memory.
#[derive(Debug, Clone, Copy)]
pub struct Host<T> {
    dim: usize,
    element: PhantomData<T>,
}

impl<T> Host<T> {
    /// For vectors of `dim` elements.
    pub fn new(dim: usize) -> Host<T> {
        Host { dim, element: PhantomData }
    }
}

impl<T: Real> Space for Host<T> {
    type Element = T;
    type Vector = Vec<T>;
    type Columns = Basis<T>;

    fn dim(&self) -> usize {
        self.dim
    }

    fn vector(&self) -> Result<Vec<T>> {
        Ok(vec![T::zero(); self.dim])
    }

    fn place(&self, elements: Vec<T>) -> Result<Vec<T>> {
        Ok(elements)
    }

    fn read<'a>(&self, x: &'a Vec<T>) -> Result<Cow<'a, [T]>> {
        Ok(Cow::Borrowed(x))
    }

    fn dot(&self, x: &Vec<T>, y: &Vec<T>) -> Result<f64> {
        Ok(vector::dot(x, y))
    }

    fn axpy(&self, a: f64, x: &Vec<T>, y: &mut Vec<T>) -> Result<()> {
        vector::axpy(a, x, y);
        Ok(())
    }

    fn scale(&self, a: f64, x: &mut Vec<T>) -> Result<()> {
        vector::scale(a, x);
        Ok(())
    }

    fn columns(&self, room: Room) -> Result<Basis<T>> {
        Ok(Basis::new(self.dim, room.columns))
    }

    fn len(&self, v: &Basis<T>) -> usize {
        v.len()
    }

    fn push(&self, v: &mut Basis<T>, x: &Vec<T>) -> Result<()> {
        v.push(x);
        Ok(())
    }

    fn append(&self, v: &mut Basis<T>, elements: &[T]) -> Result<()> {
        v.push(elements);
        Ok(())
    }

    fn add_to(&self, v: &Basis<T>, coefficients: &[f64], w: &mut Vec<T>) -> Result<f64> {
        Ok(v.add_to(coefficients, w))
    }

    fn project_out(&self, v: &Basis<T>, w: &mut Vec<T>) -> Result<Projection> {
        Ok(v.project_out(w))
    }

    fn rotate(&self, v: &mut Basis<T>, q: &[f64]) -> Result<()> {
        v.rotate(q);
        Ok(())
    }

    fn basis(&self, mut v: Basis<T>) -> Result<Basis<T>> {
        v.shrink_to_fit();
        Ok(v)
    }
}
