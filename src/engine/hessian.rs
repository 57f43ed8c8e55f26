//! H^(n), the Hessian of the mean loss of n sequences, as an operator, and the eigensolvers that the knob chooses from.

use std::ops::Range;

use super::knobs::SolverKind;
use crate::diff::cuda::{DeviceSpace, DeviceVector};
use crate::diff::risk::{OnDevice, Risk};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::space::{Room, Space};
use crate::math::vector;
use crate::spectrum::lanczos::lanczos;
use crate::spectrum::lobpcg::lobpcg;
use crate::spectrum::operator::{BLOCK, DeviceOperator, SymmetricOperator};
use crate::spectrum::power::power;
use crate::spectrum::solver::{Eigenspace, Iteration, Request, Start};

/// Solve with the solver of that kind. Power iteration knows no start but a random one.
///
/// # Errors
/// As [`lanczos`].
pub(super) fn solve<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    kind: SolverKind,
    request: &Request,
    start: Start<'_, T>,
    watch: &mut dyn FnMut(&Iteration<'_>),
) -> Result<Eigenspace<T>> {
    match kind {
        SolverKind::Lanczos => lanczos(op, request, start, watch),
        SolverKind::Power => power(op, request, watch),
        SolverKind::Lobpcg => lobpcg(op, request, start, watch),
    }
}

/// Directions that a solve multiplies at once when the solver leaves the choice open. One needs the fewest products, and
/// stacking directions makes no product of matrices faster here; but one direction is shared out by sequences, and fewer
/// than four of them leave threads idle. The choice looks at shapes alone, so that digits do not depend on the machine.
pub(super) fn block(n: usize) -> usize {
    const SHARES: usize = 4;
    SHARES.div_ceil(n)
}

/// Most products per wanted pair before a solver gives up, and a floor for small k.
const PRODUCTS_PER_PAIR: usize = 100;
const FEWEST_PRODUCTS: usize = 400;
/// Products Lanczos spends on a fresh random start once converged, so that a missed or repeated pair shows.
const CHECK: usize = 8;

/// What is asked of a solver for k pairs of H^(n), within `columns` columns.
pub(super) fn request(k: usize, tol: f64, seed: u64, n: usize, columns: usize) -> Request {
    Request {
        check: CHECK,
        columns: Some(columns),
        block: block(n),
        ..Request::new(k, tol, (PRODUCTS_PER_PAIR * k).max(FEWEST_PRODUCTS), seed)
    }
}

/// The mean Hessian of some sequences at the risk's checkpoint: H^(n) of the first n, H_i of one.
pub(super) struct Hessian<'a, T> {
    /// The risk.
    pub risk: &'a Risk<T>,
    /// Sequences in the mean.
    pub sequences: Range<usize>,
}

impl<T: Real> SymmetricOperator<T> for Hessian<'_, T> {
    fn dim(&self) -> usize {
        self.risk.parameters()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.risk.hvp(self.sequences.clone(), v, out)
    }

    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        self.risk.hvps(self.sequences.clone(), v, out)
    }

    fn on_device(&mut self, solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        let there = with_room(self.risk, solve)?;
        Ok(there.map(|there| Box::new(HessianThere { there, sequences: self.sequences.clone() }) as _))
    }
}

/// A risk on a device that has room for a solve.
fn with_room<T: Real>(risk: &Risk<T>, solve: Room) -> Result<Option<OnDevice<'_, T>>> {
    let Some(there) = risk.on_device() else { return Ok(None) };
    let fits = there.fitting(solve)?.is_some();
    Ok(fits.then_some(there))
}

/// [`Hessian`] on a device.
struct HessianThere<'a, T> {
    there: OnDevice<'a, T>,
    sequences: Range<usize>,
}

impl<T: Real> DeviceOperator<T> for HessianThere<'_, T> {
    fn space(&self) -> Result<DeviceSpace<T>> {
        self.there.space()
    }

    fn apply_block(&mut self, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()> {
        self.there.hvps(self.sequences.clone(), v, out)
    }
}

/// A = (H_{n+1} − H^(n))/(n+1), the Hessian of the increment Δ_n at the risk's checkpoint.
pub(super) struct Deformation<'a, T> {
    risk: &'a Risk<T>,
    n: usize,
    /// H^(n)v of the products under way, one after another.
    before: Vec<T>,
}

impl<'a, T: Real> Deformation<'a, T> {
    /// Of the increment that sequence n + 1 brings to the first n.
    pub fn new(risk: &'a Risk<T>, n: usize) -> Deformation<'a, T> {
        Deformation { risk, n, before: Vec::new() }
    }
}

impl<T: Real> SymmetricOperator<T> for Deformation<'_, T> {
    fn dim(&self) -> usize {
        self.risk.parameters()
    }

    fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
        self.apply_block(&[v], &mut [out])
    }

    fn apply_block(&mut self, v: &[&[T]], out: &mut [&mut [T]]) -> Result<()> {
        let dim = self.dim();
        self.before.resize(dim * v.len().clamp(self.before.len() / dim, BLOCK), T::zero());
        for (v, out) in v.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
            let mut before: Vec<&mut [T]> = self.before.chunks_exact_mut(dim).take(v.len()).collect();
            self.risk.hvps(0..self.n, v, &mut before)?;
            self.risk.hvps(self.n..self.n + 1, v, out)?;
            for (before, out) in before.iter().zip(out) {
                vector::axpy(-1.0, before, out);
                vector::scale(1.0 / (self.n + 1) as f64, out);
            }
        }
        Ok(())
    }

    fn on_device(&mut self, solve: Room) -> Result<Option<Box<dyn DeviceOperator<T> + '_>>> {
        let Some(there) = with_room(self.risk, Room { beside: solve.beside + 1, ..solve })? else { return Ok(None) };
        let space = there.space()?;
        Ok(Some(Box::new(DeformationThere { n: self.n, before: space.vector()?, space, there })))
    }
}

/// [`Deformation`] on a device.
struct DeformationThere<'a, T: Real> {
    there: OnDevice<'a, T>,
    n: usize,
    space: DeviceSpace<T>,
    /// H^(n)v of the product under way.
    before: DeviceVector<T>,
}

impl<T: Real> DeviceOperator<T> for DeformationThere<'_, T> {
    fn space(&self) -> Result<DeviceSpace<T>> {
        self.there.space()
    }

    fn apply_block(&mut self, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()> {
        let (n, space) = (self.n, &self.space);
        for (v, out) in v.iter().zip(out) {
            self.there.hvps(0..n, &[v], &mut [&mut self.before])?;
            self.there.hvps(n..n + 1, &[v], &mut [out])?;
            space.axpy(-1.0, &self.before, out)?;
            space.scale(1.0 / (n + 1) as f64, out)?;
        }
        Ok(())
    }
}
