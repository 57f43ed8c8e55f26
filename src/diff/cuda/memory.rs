//! Arrays in the device's memory.

use std::marker::PhantomData;
use std::sync::Arc;

use cudarc::driver::{CudaContext, result};

use super::device::{Device, failed};
use crate::error::Result;

/// An address in the device's memory.
#[derive(Debug)]
#[repr(transparent)]
pub struct Ptr<T>(pub(super) u64, PhantomData<T>);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> Ptr<T> {
    /// No address: an array that is not there.
    pub const NULL: Ptr<T> = Ptr(0, PhantomData);

    /// An address by its number.
    #[cfg(test)]
    pub fn at(address: u64) -> Ptr<T> {
        Ptr(address, PhantomData)
    }

    /// The address of a later element; that of no array is none.
    pub fn plus(self, elements: usize) -> Ptr<T> {
        if self.is_null() { self } else { Ptr(self.0 + (elements * size_of::<T>()) as u64, PhantomData) }
    }

    /// Whether this is no address.
    pub fn is_null(self) -> bool {
        self.0 == 0
    }

    /// Elements from here to a later address.
    pub fn until(self, later: Ptr<T>) -> Option<usize> {
        let (bytes, size) = (later.0.checked_sub(self.0)? as usize, size_of::<T>());
        bytes.is_multiple_of(size).then_some(bytes / size)
    }
}

/// An array in the device's memory.
pub struct Array<T> {
    at: Ptr<T>,
    len: usize,
    context: Arc<CudaContext>,
}

impl<T> Array<T> {
    /// Its address.
    pub fn at(&self) -> Ptr<T> {
        self.at
    }

    /// Its elements.
    pub fn len(&self) -> usize {
        self.len
    }
}

impl<T> Drop for Array<T> {
    fn drop(&mut self) {
        // A context that is gone took its memory along.
        if self.context.bind_to_thread().is_ok() {
            // SAFETY: the memory was allocated in this context and is freed here alone.
            let _ = unsafe { result::free_sync(self.at.0) };
        }
    }
}

impl Device {
    /// Bytes that may still be taken: those that are free, less a margin.
    pub fn room(&self) -> Result<usize> {
        Ok(self.context.mem_get_info().map_err(failed)?.0.saturating_sub(self.margin))
    }

    /// An array of `len` elements, contents arbitrary.
    pub fn array<T>(&self, len: usize) -> Result<Array<T>> {
        // SAFETY: freed by the array; an empty array still needs an address.
        let at = unsafe { result::malloc_sync((len * size_of::<T>()).max(1)) }.map_err(failed)?;
        Ok(Array { at: Ptr(at, PhantomData), len, context: self.context.clone() })
    }

    /// An array with these elements.
    pub fn holding<T>(&self, data: &[T]) -> Result<Array<T>> {
        let array = self.array(data.len())?;
        self.upload(data, array.at)?;
        Ok(array)
    }

    /// Copy to the device.
    pub fn upload<T>(&self, from: &[T], to: Ptr<T>) -> Result<()> {
        if from.is_empty() {
            return Ok(());
        }
        // SAFETY: callers give addresses with room for `from`; `from` is not touched before the copy is complete.
        unsafe { result::memcpy_htod_async(to.0, from, self.stream.cu_stream()) }.map_err(failed)?;
        self.wait()
    }

    /// Copy from the device.
    pub fn download<T>(&self, from: Ptr<T>, to: &mut [T]) -> Result<()> {
        // SAFETY: callers give addresses that hold as many elements; the copy is complete on return.
        unsafe { result::memcpy_dtoh_async(to, from.0, self.stream.cu_stream()) }.map_err(failed)?;
        self.wait()
    }

    /// Set elements to zero.
    pub fn zero<T>(&self, at: Ptr<T>, len: usize) -> Result<()> {
        if len == 0 {
            return Ok(());
        }
        // SAFETY: as for `upload`; all bits zero is the number zero.
        unsafe { result::memset_d8_async(at.0, 0, len * size_of::<T>(), self.stream.cu_stream()) }.map_err(failed)
    }

    /// Until everything that was asked for is done.
    pub fn wait(&self) -> Result<()> {
        self.stream.synchronize().map_err(failed)
    }
}
