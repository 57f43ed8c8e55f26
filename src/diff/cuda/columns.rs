//! The columns of a basis in the device's memory, and on the host those that find no room there.
//!
//! The leading columns lie on the device. A pass over the columns reads each once where it lies: w comes to the host once
//! a pass, and the host's part of the result goes back in one vector, which the device adds with its own.

use std::cell::RefCell;

use super::device::Device;
use super::memory::{Array, Ptr};
use super::space::{scaled, summing};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::{Basis, Projection};

/// Rows that a thread of a rotation holds at once, as in its kernel.
const HELD_ROWS: usize = 2;
/// Most blocks of a rotation: few enough that the rows they hold stay in the device's cache. And as part of all rows, so
/// that results that wait take little memory.
const ROTATING: usize = 256;
const PART: usize = 8;

/// A matrix of `dim` rows.
pub struct Columns<T> {
    dim: usize,
    /// Places on the device, of which the first `used` hold columns.
    here: Vec<Array<T>>,
    used: usize,
    /// The columns after those, if any may come to lie on the host.
    beyond: Option<Beyond<T>>,
    /// The addresses of `here`.
    table: Array<Ptr<T>>,
    /// Sums of the blocks of a kernel, one row a column.
    partials: Array<f64>,
    /// Their totals: coefficients, and a square norm.
    totals: Array<f64>,
    /// Coefficients or a rotation from the host.
    numbers: Array<f64>,
    /// Results of a rotation that wait.
    kept: Array<T>,
}

/// Columns on the host.
struct Beyond<T> {
    columns: Basis<T>,
    /// A vector on the device through which their part comes and goes,
    staging: Array<T>,
    /// and on the host,
    buffer: RefCell<Vec<T>>,
    /// and the addresses of a rotation's rows.
    table: Array<Ptr<T>>,
}

fn kept(dim: usize, room: usize) -> usize {
    rotating(dim) * Device::THREADS * HELD_ROWS * room
}

fn rotating(rows: usize) -> usize {
    Device::blocks(rows.div_ceil(HELD_ROWS * PART)).clamp(1, ROTATING)
}

impl<T: Real> Columns<T> {
    /// No columns yet, with room for `room`, the first `here` of them on the device.
    pub(super) fn new(device: &Device, dim: usize, room: usize, here: usize) -> Result<Columns<T>> {
        let beyond = if here < room { Some(Beyond::new(device, dim, room, here)?) } else { None };
        let here = (0..here).map(|_| device.array(dim)).collect::<Result<Vec<_>>>()?;
        Ok(Columns {
            dim,
            table: device.holding(&here.iter().map(Array::at).collect::<Vec<_>>())?,
            partials: device.array(summing(dim) * (here.len() + 1))?,
            totals: device.array(here.len() + 1)?,
            numbers: device.array(room * room)?,
            kept: device.array(kept(dim, room))?,
            here,
            used: 0,
            beyond,
        })
    }

    /// Bytes on the device beside the columns themselves.
    pub(super) fn bytes_beside(dim: usize, room: usize) -> usize {
        let numbers = summing(dim) * (room + 1) + (room + 1) + room * room;
        numbers * size_of::<f64>() + 2 * room * size_of::<Ptr<T>>() + kept(dim, room) * size_of::<T>()
    }

    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.used + self.beyond.as_ref().map_or(0, |b| b.columns.len())
    }

    /// The next place on the device, if there is one.
    fn take_place(&mut self) -> Option<Ptr<T>> {
        let place = self.here.get(self.used)?.at();
        self.used += 1;
        Some(place)
    }

    /// Append a copy of x.
    pub(super) fn push(&mut self, device: &Device, x: &Array<T>) -> Result<()> {
        if let Some(place) = self.take_place() {
            return scaled(device, self.dim, 1.0, x.at(), place);
        }
        let beyond = self.beyond.as_mut().expect("a column that no room was asked for");
        beyond.columns.grow(1).into_iter().try_for_each(|column| device.download(x.at(), column))
    }

    /// Append a column of these elements.
    pub(super) fn append(&mut self, device: &Device, elements: &[T]) -> Result<()> {
        match self.take_place() {
            Some(place) => device.upload(elements, place),
            None => {
                self.beyond.as_mut().expect("a column that no room was asked for").columns.push(elements);
                Ok(())
            }
        }
    }

    /// w ← w + Σ_i `coefficients[i]` · column i over the leading columns; returns ‖w‖ afterwards.
    pub(super) fn add_to(&self, device: &Device, coefficients: &[f64], w: &Array<T>) -> Result<f64> {
        let (here, rest) = coefficients.split_at(coefficients.len().min(self.used));
        let mut more = Ptr::NULL;
        if let Some(beyond) = self.beyond.as_ref().filter(|_| rest.iter().any(|h| *h != 0.0)) {
            more = beyond.bring(device, rest)?;
        }
        device.upload(here, self.numbers.at())?;
        self.add(device, (here.len(), 1.0, self.numbers.at()), more, w, self.totals.at())?;
        let mut square = [0.0];
        device.download(self.totals.at(), &mut square)?;
        Ok(square[0].sqrt())
    }

    /// w ← w − V(Vᵀw), once.
    pub(super) fn project_out(&self, device: &Device, w: &Array<T>) -> Result<Projection> {
        let (blocks, columns, totals) = (summing(self.dim), self.used, self.totals.at());
        let partials = self.partials.at();
        device.launch("column_dots", blocks, &[&self.dim, &columns, &self.table.at(), &w.at(), &partials])?;
        device.launch("sums", columns, &[&columns, &blocks, &partials, &totals])?;
        let (mut rest, mut more) = (Vec::new(), Ptr::NULL);
        if let Some(beyond) = self.beyond.as_ref().filter(|b| !b.columns.is_empty()) {
            rest = beyond.coefficients(device, w)?;
            more = beyond.bring(device, &rest.iter().map(|h| -h).collect::<Vec<_>>())?;
        }
        self.add(device, (columns, -1.0, totals), more, w, totals.plus(columns))?;
        let mut numbers = vec![0.0; columns + 1];
        device.download(totals, &mut numbers)?;
        let norm = numbers.pop().unwrap_or(f64::NAN).sqrt();
        numbers.extend(rest);
        Ok(Projection { coefficients: numbers, norm })
    }

    /// w ← w + sign Σ h_j column j over the first `columns` on the device, + `more`; ‖w‖² goes to `square`.
    fn add(
        &self,
        device: &Device,
        (columns, sign, h): (usize, f64, Ptr<f64>),
        more: Ptr<T>,
        w: &Array<T>,
        square: Ptr<f64>,
    ) -> Result<()> {
        let (blocks, partials) = (summing(self.dim), self.partials.at());
        device.launch(
            "add_columns",
            blocks,
            &[&self.dim, &columns, &self.table.at(), &sign, &h, &more, &w.at(), &partials],
        )?;
        device.launch("sums", 1, &[&1usize, &blocks, &partials, &square])
    }

    /// V ← V Q for a small Q whose columns are given one after another (`len` elements each), in place; no more columns
    /// afterwards.
    pub(super) fn rotate(&mut self, device: &Device, q: &[f64]) -> Result<()> {
        let old = self.len();
        if old == 0 {
            return Ok(());
        }
        let new = q.len() / old;
        assert!(q.len() == new * old && new <= old, "a rotation that does not fit the columns");
        device.upload(q, self.numbers.at())?;
        match self.beyond.as_mut().filter(|b| !b.columns.is_empty()) {
            None => self.rotate_rows(device, self.dim, old, new, self.table.at())?,
            Some(beyond) => {
                let rows = (self.dim / beyond.columns.len()).max(1);
                for start in (0..self.dim).step_by(rows) {
                    let rows = start..(start + rows).min(self.dim);
                    self.rotate_through(device, rows, old, new)?;
                }
            }
        }
        if let Some(beyond) = &mut self.beyond {
            beyond.columns.truncate(new.saturating_sub(self.used));
        }
        self.used = self.used.min(new);
        Ok(())
    }

    /// Rotate some rows of all columns, those of the host's brought to the device and back.
    fn rotate_through(&mut self, device: &Device, rows: std::ops::Range<usize>, old: usize, new: usize) -> Result<()> {
        let Some(beyond) = &mut self.beyond else { return Ok(()) };
        let places: Vec<Ptr<T>> = (0..old - self.used).map(|i| beyond.staging.at().plus(i * rows.len())).collect();
        for (column, place) in beyond.columns.cols().zip(&places) {
            device.upload(&column[rows.clone()], *place)?;
        }
        let here = self.here[..self.used].iter().map(|column| column.at().plus(rows.start));
        device.upload(&here.chain(places.iter().copied()).collect::<Vec<_>>(), beyond.table.at())?;
        let table = beyond.table.at();
        self.rotate_rows(device, rows.len(), old, new, table)?;
        let Some(beyond) = &mut self.beyond else { return Ok(()) };
        for (i, place) in places.iter().enumerate().take(new.saturating_sub(self.used)) {
            device.download(*place, &mut beyond.columns.col_mut(i)[rows.clone()])?;
        }
        Ok(())
    }

    fn rotate_rows(&self, device: &Device, rows: usize, old: usize, new: usize, table: Ptr<Ptr<T>>) -> Result<()> {
        let arguments = (self.numbers.at(), self.kept.at());
        device.launch("rotate_columns", rotating(rows), &[&rows, &old, &new, &table, &arguments.0, &arguments.1])
    }

    /// The columns, brought to the host.
    pub(super) fn into_basis(self, device: &Device) -> Result<Basis<T>> {
        let mut basis = Basis::new(self.dim, self.len());
        for (column, to) in self.here.iter().zip(basis.grow(self.used)) {
            device.download(column.at(), to)?;
        }
        if let Some(beyond) = &self.beyond {
            beyond.columns.cols().for_each(|column| basis.push(column));
        }
        Ok(basis)
    }
}

impl<T: Real> Beyond<T> {
    /// Room for the columns from the `here`th on.
    fn new(device: &Device, dim: usize, room: usize, here: usize) -> Result<Beyond<T>> {
        Ok(Beyond {
            columns: Basis::new(dim, room - here),
            staging: device.array(dim)?,
            buffer: RefCell::new(vec![T::zero(); dim]),
            table: device.array(room)?,
        })
    }

    /// The products of the columns with w.
    fn coefficients(&self, device: &Device, w: &Array<T>) -> Result<Vec<f64>> {
        let mut copy = self.buffer.borrow_mut();
        device.download(w.at(), &mut copy)?;
        Ok(self.columns.coefficients(&copy))
    }

    /// The combination of the leading columns with these coefficients, on the device.
    fn bring(&self, device: &Device, coefficients: &[f64]) -> Result<Ptr<T>> {
        let mut sum = self.buffer.borrow_mut();
        sum.fill(T::zero());
        self.columns.add_to(coefficients, &mut sum);
        device.upload(&sum, self.staging.at())?;
        Ok(self.staging.at())
    }
}
