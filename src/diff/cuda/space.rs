//! The device's memory as a [`Space`]: vectors stay there from the start of a solve to its end.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use super::columns::Columns;
use super::device::Device;
use super::lanes::{Arguments, Lanes, Pair};
use super::memory::{Array, Ptr};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::{Basis, Projection};
use crate::math::space::{Room, Space};

/// Most blocks of a kernel that adds up over the elements of a vector: those that an H100 runs at once, seven on each of
/// its 132 processors, as the registers of `column_dots` allow.
const SUMMING: usize = 924;

/// Blocks of a kernel over `dim` elements that adds up. The elements alone decide, and with them the order of the sums.
pub(super) fn summing(dim: usize) -> usize {
    Device::blocks(dim).clamp(1, SUMMING)
}

/// y ← a x for vectors of `dim` elements, which may be one.
pub(super) fn scaled<T>(device: &Device, dim: usize, a: f64, x: Ptr<T>, y: Ptr<T>) -> Result<()> {
    device.launch("multiply", Device::blocks(dim), &[&dim, &a, &Lanes::from(x), &Lanes::from(y)])
}

/// Vectors of one length in a device's memory, for one solve.
pub struct DeviceSpace<T> {
    device: Arc<Device>,
    dim: usize,
    /// Sums of the blocks of a kernel, and their total.
    sums: Array<f64>,
    element: PhantomData<T>,
}

impl<T: Real> DeviceSpace<T> {
    /// Vectors of `dim` elements on a device.
    ///
    /// # Errors
    /// What the device reports.
    pub(super) fn new(device: Arc<Device>, dim: usize) -> Result<DeviceSpace<T>> {
        device.bind()?;
        Ok(DeviceSpace { sums: device.array(summing(dim) + 1)?, device, dim, element: PhantomData })
    }

    /// Bytes of a solve with vectors of `dim` elements.
    pub(super) fn bytes(dim: usize, room: Room) -> usize {
        (room.columns + room.beside) * dim * size_of::<T>() + Columns::<T>::bytes_beside(dim, room.columns)
    }

    /// How many columns of a solve find a place on the device, the rest lying on the host; `None` if the vectors beside
    /// them do not.
    pub(super) fn fitting(device: &Device, dim: usize, room: Room) -> Result<Option<usize>> {
        let none = Room { columns: 0, ..room };
        let spare = device.room()?.checked_sub(DeviceSpace::<T>::bytes(dim, none));
        Ok(spare.and_then(|spare| {
            let spare = spare.checked_sub(Columns::<T>::bytes_beside(dim, room.columns))? / (dim * size_of::<T>());
            // The part that the rest has in a sum comes over in a vector of its own.
            if spare >= room.columns { Some(room.columns) } else { spare.checked_sub(1) }
        }))
    }

    fn device(&self) -> Result<&Device> {
        self.device.bind()?;
        Ok(&self.device)
    }
}

impl<T: Real> Space for DeviceSpace<T> {
    type Element = T;
    type Vector = Array<T>;
    type Columns = Columns<T>;

    fn dim(&self) -> usize {
        self.dim
    }

    fn vector(&self) -> Result<Array<T>> {
        self.device()?.array(self.dim)
    }

    fn place(&self, elements: Vec<T>) -> Result<Array<T>> {
        self.device()?.holding(&elements)
    }

    fn read<'a>(&self, x: &'a Array<T>) -> Result<Cow<'a, [T]>> {
        let mut elements = vec![T::zero(); self.dim];
        self.device()?.download(x.at(), &mut elements)?;
        Ok(Cow::Owned(elements))
    }

    fn dot(&self, x: &Array<T>, y: &Array<T>) -> Result<f64> {
        let (device, blocks) = (self.device()?, summing(self.dim));
        let (partials, total) = (self.sums.at(), self.sums.at().plus(blocks));
        let arguments: [&dyn Arguments; 4] = [&self.dim, &Pair::from(x.at()), &Pair::from(y.at()), &partials];
        device.launch("partial_dot_value", blocks, &arguments)?;
        device.launch("sums", 1, &[&1usize, &blocks, &partials, &total])?;
        let mut dot = [0.0];
        device.download(total, &mut dot)?;
        Ok(dot[0])
    }

    fn axpy(&self, a: f64, x: &Array<T>, y: &mut Array<T>) -> Result<()> {
        self.device()?.launch("vector_add", Device::blocks(self.dim), &[&self.dim, &a, &x.at(), &y.at()])
    }

    fn scale(&self, a: f64, x: &mut Array<T>) -> Result<()> {
        scaled(self.device()?, self.dim, a, x.at(), x.at())
    }

    fn columns(&self, room: Room) -> Result<Columns<T>> {
        let device = self.device()?;
        let here = DeviceSpace::<T>::fitting(device, self.dim, room)?;
        Columns::new(device, self.dim, room.columns, here.unwrap_or(0))
    }

    fn len(&self, v: &Columns<T>) -> usize {
        v.len()
    }

    fn push(&self, v: &mut Columns<T>, x: &Array<T>) -> Result<()> {
        v.push(self.device()?, x)
    }

    fn append(&self, v: &mut Columns<T>, elements: &[T]) -> Result<()> {
        v.append(self.device()?, elements)
    }

    fn add_to(&self, v: &Columns<T>, coefficients: &[f64], w: &mut Array<T>) -> Result<f64> {
        v.add_to(self.device()?, coefficients, w)
    }

    fn project_out(&self, v: &Columns<T>, w: &mut Array<T>) -> Result<Projection> {
        v.project_out(self.device()?, w)
    }

    fn rotate(&self, v: &mut Columns<T>, q: &[f64]) -> Result<()> {
        v.rotate(self.device()?, q)
    }

    fn basis(&self, v: Columns<T>) -> Result<Basis<T>> {
        v.into_basis(self.device()?)
    }
}
