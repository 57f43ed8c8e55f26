//! H^(n), the Hessian of the mean loss of n sequences, as an operator.

use crate::diff::risk::Risk;
use crate::error::Result;
use crate::math::array::Real;
use crate::spectrum::operator::SymmetricOperator;

/// H^(n) at the risk's checkpoint.
pub(super) struct Hessian<'a, T> {
    /// The risk.
    pub risk: &'a Risk<T>,
    /// Sequences in the mean.
    pub n: usize,
}

impl<T: Real> SymmetricOperator<T> for Hessian<'_, T> {
    fn dim(&self) -> usize {
        self.risk.parameters()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.risk.hvp(0..self.n, v, out)
    }
}
