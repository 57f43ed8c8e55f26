//! What an eigensolver needs to know of a matrix: its dimension and its product with a vector.

use crate::error::Result;

/// A symmetric linear operator H on vectors of `dim` elements, known through its products only.
pub trait SymmetricOperator<T> {
    /// Number of rows and columns.
    fn dim(&self) -> usize;

    /// out = H v; both have `dim` elements, and `out` arrives with arbitrary contents.
    ///
    /// # Errors
    /// [`crate::error::Error::Cancelled`] when the product was superseded; whatever else stopped it.
    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()>;
}

impl<T, O: SymmetricOperator<T> + ?Sized> SymmetricOperator<T> for &mut O {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        (**self).apply(v, out)
    }
}

/// −H: its largest eigenvalues are H's smallest with the sign turned, and the eigenvectors are the same.
pub struct Negated<O>(pub O);

impl<T: crate::math::array::Real, O: SymmetricOperator<T>> SymmetricOperator<T> for Negated<O> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.0.apply(v, out)?;
        crate::math::vector::scale(-1.0, out);
        Ok(())
    }
}
