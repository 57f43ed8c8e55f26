//! Products with vectors that lie in a device's memory, for solvers that keep theirs there.

use std::ops::Range;

use super::Sample;
use crate::diff::cuda::{DeviceSpace, DeviceVector};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::space::Room;

/// Sweeps on a device as a solver sees them.
pub(super) trait DeviceSweeps<T: Real> {
    /// The device's memory.
    fn space(&self) -> Result<DeviceSpace<T>>;

    /// Columns that find a place now; none if what is beside them does not.
    fn fitting(&self, room: Room) -> Result<Option<usize>>;

    /// H v of the mean loss of `range` for each of the directions.
    fn products(
        &self,
        sample: &Sample<T>,
        range: Range<usize>,
        v: &[&DeviceVector<T>],
        out: &mut [&mut DeviceVector<T>],
    ) -> Result<()>;
}

/// A risk whose sweeps run on a device.
pub struct OnDevice<'a, T> {
    pub(super) sample: &'a Sample<T>,
    pub(super) sweeps: &'a dyn DeviceSweeps<T>,
}

impl<T: Real> OnDevice<'_, T> {
    /// The device's memory, for vectors of P elements.
    ///
    /// # Errors
    /// What the device reports.
    pub fn space(&self) -> Result<DeviceSpace<T>> {
        self.sweeps.space()
    }

    /// How many columns of a solve find a place on the device now; `None` if what is beside them does not.
    ///
    /// # Errors
    /// What the device reports.
    pub fn fitting(&self, room: Room) -> Result<Option<usize>> {
        self.sweeps.fitting(room)
    }

    /// H v of the mean loss of the sequences of `range` for a block of directions v, none of which leaves the device.
    ///
    /// # Errors
    /// [`crate::error::Error::Cancelled`]; what the device reports.
    pub fn hvps(&self, range: Range<usize>, v: &[&DeviceVector<T>], out: &mut [&mut DeviceVector<T>]) -> Result<()> {
        self.sweeps.products(self.sample, range, v, out)
    }
}
