//! Reading, making and changing tensors as plain slices, for kernels that make one pass over memory.
//!
//! Arrays are candle tensors so that they can live on any device; a fused rule on the CPU sees its operands as `&[T]`
//! and fills a fresh `Vec<T>`. Only contiguous tensors are accepted: layouts are chosen so that no copy is needed.

use std::cell::RefCell;
use std::ops::Deref;

use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Shape, Storage, StorageRef, Tensor, WithDType};

use crate::error::{Error, Result};

/// A floating-point type that every kernel is written for: `f32` or `f64`.
pub trait Real: WithDType + num_traits::Float + faer::traits::RealField + std::iter::Sum + Send + Sync {
    /// The storage as a mutable slice, if it holds this type.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;

    /// A constant of this type.
    fn of(x: f64) -> Self {
        <Self as WithDType>::from_f64(x)
    }

    /// This number in double precision.
    fn wide(self) -> f64 {
        <Self as WithDType>::to_f64(self)
    }
}

impl Real for f32 {
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F32(v) = storage { Some(v) } else { None }
    }
}

impl Real for f64 {
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F64(v) = storage { Some(v) } else { None }
    }
}

/// Run the body with `$T` bound to the tensor's element type (`f32` or `f64`).
#[macro_export]
macro_rules! with_real {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::F32 => {
                type $T = f32;
                $body
            }
            candle_core::DType::F64 => {
                type $T = f64;
                $body
            }
            other => Err($crate::math::array::unsupported(other)),
        }
    };
}

/// The error of an element type that no kernel is written for.
pub fn unsupported(dtype: DType) -> Error {
    Error::Computation(format!("arrays of {dtype:?} are not supported; use f32 or f64"))
}

/// A contiguous tensor read as a slice.
pub struct View<'a, T> {
    storage: StorageRef<'a>,
    range: (usize, usize),
    element: std::marker::PhantomData<T>,
}

/// Read a contiguous CPU tensor of element type `T`.
pub fn view<T: WithDType>(tensor: &Tensor) -> Result<View<'_, T>> {
    let (storage, layout) = tensor.storage_and_layout();
    let range = contiguous(layout)?;
    match &*storage {
        Storage::Cpu(cpu) => {
            T::cpu_storage_as_slice(cpu)?;
        }
        _ => return Err(elsewhere()),
    }
    Ok(View { storage, range, element: std::marker::PhantomData })
}

impl<T: WithDType> Deref for View<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &*self.storage {
            Storage::Cpu(cpu) => &T::cpu_storage_as_slice(cpu).expect("checked by view")[self.range.0..self.range.1],
            _ => unreachable!("checked by view"),
        }
    }
}

/// A fresh CPU tensor from a vector, without a copy.
pub fn tensor<T: Real>(data: Vec<T>, shape: impl Into<Shape>) -> Result<Tensor> {
    Ok(Tensor::from_vec(data, shape.into(), &candle_core::Device::Cpu)?)
}

/// Change a contiguous CPU tensor in place. Tensors that share its storage see the change; none of them may be
/// read inside `f`.
pub fn update<T: Real, R>(tensor: &Tensor, f: impl FnOnce(&mut [T]) -> R) -> Result<R> {
    struct Once<F, R>(RefCell<(Option<F>, Option<R>)>, DType);
    impl<T: Real, R, F: FnOnce(&mut [T]) -> R> InplaceOp1 for Wrapped<T, F, R> {
        fn name(&self) -> &'static str {
            "update"
        }

        fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
            let (start, end) = contiguous(layout).map_err(candle_core::Error::wrap)?;
            let Some(slice) = T::slice_mut(storage) else {
                candle_core::bail!("update: the tensor does not hold {:?}", self.0.1)
            };
            let mut cell = self.0.0.borrow_mut();
            let f = cell.0.take().expect("runs once");
            cell.1 = Some(f(&mut slice[start..end]));
            Ok(())
        }
    }
    struct Wrapped<T, F, R>(Once<F, R>, std::marker::PhantomData<T>);
    let op = Wrapped(Once(RefCell::new((Some(f), None)), T::DTYPE), std::marker::PhantomData::<T>);
    tensor.inplace_op1(&op)?;
    Ok(op.0.0.into_inner().1.expect("the operation ran"))
}

fn contiguous(layout: &Layout) -> Result<(usize, usize)> {
    layout
        .contiguous_offsets()
        .ok_or_else(|| Error::Computation(format!("a contiguous array was expected, got {layout:?}")))
}

fn elsewhere() -> Error {
    Error::Computation("this operation has no kernel for the array's device; use --device cpu".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_sees_what_an_update_wrote() {
        let all = tensor(vec![0f64; 6], 6).unwrap();
        let tail = all.narrow(0, 2, 3).unwrap();
        update::<f64, _>(&tail, |x| x.iter_mut().enumerate().for_each(|(i, x)| *x = i as f64 + 1.0)).unwrap();
        assert_eq!(&*view::<f64>(&all).unwrap(), &[0.0, 0.0, 1.0, 2.0, 3.0, 0.0]);
    }

    #[test]
    fn a_transposed_tensor_is_refused() {
        let t = tensor(vec![0f32; 6], (2, 3)).unwrap().t().unwrap();
        assert!(view::<f32>(&t).is_err());
    }
}
