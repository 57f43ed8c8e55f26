//! What an eigensolver needs to know of a matrix: its dimension and its product with a vector.

use crate::diff::cuda::{DeviceSpace, DeviceVector};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::space::{Room, Space};
use crate::math::vector::scale;

/// Vectors that are handed over together where many are at hand: enough to share work among them, few enough to hold
/// their images too.
pub const BLOCK: usize = 4;

/// A symmetric linear operator H on vectors of `dim` elements, known through its products only.
pub trait SymmetricOperator<T: Real> {
    /// Number of rows and columns.
    fn dim(&self) -> usize;

    /// out = H v; both have `dim` elements, and `out` arrives with arbitrary contents.
    ///
    /// # Errors
    /// [`crate::error::Error::Cancelled`] when the product was superseded; whatever else stopped it.
    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()>;

    /// out_i = H v_i for each of a block of vectors. An operator that can share work among them, or its threads among
    /// the products, does so here; the digits are those of [`SymmetricOperator::apply`].
    ///
    /// # Errors
    /// As [`SymmetricOperator::apply`].
    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        assert_eq!(v.len(), out.len(), "a block of products needs one place for each");
        v.iter().zip(out).try_for_each(|(v, out)| self.apply(v, out))
    }

    /// The operator on vectors in a device's memory, where it is computed there and those of the solve have room; a
    /// solver then need not bring its vectors to the host.
    ///
    /// # Errors
    /// What the device reports.
    fn on_device(&mut self, _solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        Ok(None)
    }
}

/// A symmetric linear operator on vectors in the memory of a device.
pub trait DeviceOperator<T: Real> {
    /// That memory.
    ///
    /// # Errors
    /// What the device reports.
    fn space(&self) -> Result<DeviceSpace<T>>;

    /// As [`SymmetricOperator::apply_block`].
    ///
    /// # Errors
    /// As [`SymmetricOperator::apply_block`].
    fn apply_block(&mut self, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()>;
}

impl<T: Real, O: SymmetricOperator<T> + ?Sized> SymmetricOperator<T> for &mut O {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        (**self).apply(v, out)
    }

    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        (**self).apply_block(v, out)
    }

    fn on_device(&mut self, solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        (**self).on_device(solve)
    }
}

/// −H: its largest eigenvalues are H's smallest with the sign turned, and the eigenvectors are the same.
pub struct Negated<O>(pub O);

impl<T: Real, O: SymmetricOperator<T>> SymmetricOperator<T> for Negated<O> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.0.apply(v, out)?;
        scale(-1.0, out);
        Ok(())
    }

    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        self.0.apply_block(v, out)?;
        out.iter_mut().for_each(|out| scale(-1.0, out));
        Ok(())
    }

    fn on_device(&mut self, solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        let Some(op) = self.0.on_device(solve)? else { return Ok(None) };
        Ok(Some(Box::new(NegatedThere { space: op.space()?, op })))
    }
}

/// [`Negated`] on a device.
struct NegatedThere<'a, T: Real> {
    op: Box<dyn DeviceOperator<T> + 'a>,
    space: DeviceSpace<T>,
}

impl<T: Real> DeviceOperator<T> for NegatedThere<'_, T> {
    fn space(&self) -> Result<DeviceSpace<T>> {
        self.op.space()
    }

    fn apply_block(&mut self, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()> {
        self.op.apply_block(v, out)?;
        out.iter_mut().try_for_each(|out| self.space.scale(-1.0, out))
    }
}

/// (I − UUᵀ)H on the complement of an orthonormal basis U, where it is symmetric: vectors that come must lie there.
pub struct Complement<'a, T, O> {
    /// H.
    pub op: O,
    /// U.
    pub basis: &'a Basis<T>,
}

impl<T: Real, O: SymmetricOperator<T>> SymmetricOperator<T> for Complement<'_, T, O> {
    fn dim(&self) -> usize {
        self.op.dim()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.op.apply(v, out)?;
        self.basis.orthogonalise(out);
        Ok(())
    }

    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        self.op.apply_block(v, out)?;
        out.iter_mut().for_each(|out| {
            self.basis.orthogonalise(out);
        });
        Ok(())
    }

    fn on_device(&mut self, solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        let both = Room { columns: solve.columns + self.basis.len(), ..solve };
        let Some(op) = self.op.on_device(both)? else { return Ok(None) };
        let space = op.space()?;
        // The columns of the solve are still to come.
        let mut basis = space.columns(Room { columns: self.basis.len(), beside: solve.columns + solve.beside })?;
        self.basis.cols().try_for_each(|u| space.append(&mut basis, u))?;
        Ok(Some(Box::new(ComplementThere { op, space, basis })))
    }
}

/// [`Complement`] on a device.
struct ComplementThere<'a, T: Real> {
    op: Box<dyn DeviceOperator<T> + 'a>,
    space: DeviceSpace<T>,
    basis: <DeviceSpace<T> as Space>::Columns,
}

impl<T: Real> DeviceOperator<T> for ComplementThere<'_, T> {
    fn space(&self) -> Result<DeviceSpace<T>> {
        self.op.space()
    }

    fn apply_block(&mut self, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()> {
        self.op.apply_block(v, out)?;
        out.iter_mut().try_for_each(|out| self.space.orthogonalise(&self.basis, out).map(drop))
    }
}
