//! One GPU: its memory, the kernels compiled for it, and cuBLAS.
//!
//! The driver, NVRTC and cuBLAS are loaded when a device is opened and not before, so a program built with CUDA starts
//! anywhere. Everything runs in order on one stream, so no result depends on timing.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::cublas::{result as blas, sys as blas_sys};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaStream, LaunchConfig, PushKernelArg, result, sys};
use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts};

use crate::diff::primitive::Write;
use crate::error::{Error, Result};
use crate::math::array::Real;

const SOURCE: &str = concat!(include_str!("kernels.cu"), include_str!("columns.cu"));

/// Most blocks of a launch: kernels stride over what is left.
const BLOCKS: usize = 1 << 16;

/// Part of the memory free at first that is left to others.
const MARGIN: f64 = 0.1;

/// An address in the device's memory.
#[repr(transparent)]
pub struct Ptr<T>(u64, PhantomData<T>);

impl<T> Clone for Ptr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Ptr<T> {}

impl<T> Ptr<T> {
    /// No address: an array that is not there.
    pub const NULL: Ptr<T> = Ptr(0, PhantomData);

    /// The address of a later element; that of no array is none.
    pub fn plus(self, elements: usize) -> Ptr<T> {
        if self.is_null() { self } else { Ptr(self.0 + (elements * size_of::<T>()) as u64, PhantomData) }
    }

    /// Whether this is no address.
    pub fn is_null(self) -> bool {
        self.0 == 0
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

/// What a kernel is given.
pub enum Argument {
    /// An address.
    At(u64),
    /// A whole number.
    Count(i64),
    /// A real number.
    Real(f64),
}

/// Something that becomes one or more arguments of a kernel.
pub trait Arguments {
    /// Append them.
    fn push(&self, to: &mut Vec<Argument>);
}

impl<T> Arguments for Ptr<T> {
    fn push(&self, to: &mut Vec<Argument>) {
        to.push(Argument::At(self.0));
    }
}

impl Arguments for usize {
    fn push(&self, to: &mut Vec<Argument>) {
        to.push(Argument::Count(*self as i64));
    }
}

impl Arguments for f64 {
    fn push(&self, to: &mut Vec<Argument>) {
        to.push(Argument::Real(*self));
    }
}

impl Arguments for Write {
    fn push(&self, to: &mut Vec<Argument>) {
        to.push(Argument::Count(i64::from(*self == Write::Add)));
    }
}

/// A row-major matrix in the device's memory, one of a batch.
pub struct Matrix<T> {
    /// Its first element.
    pub at: Ptr<T>,
    /// Elements from one row to the next.
    pub step: usize,
    /// Elements from one matrix of the batch to the next; 0 for one that serves all.
    pub stride: usize,
    /// Whether the transpose is meant.
    pub transposed: bool,
}

impl<T> Clone for Matrix<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Matrix<T> {}

impl<T> Matrix<T> {
    /// Rows of `step` elements.
    pub fn rows(at: Ptr<T>, step: usize) -> Matrix<T> {
        Matrix { at, step, stride: 0, transposed: false }
    }

    fn operation(self) -> blas_sys::cublasOperation_t {
        match self.transposed {
            true => blas_sys::cublasOperation_t::CUBLAS_OP_T,
            false => blas_sys::cublasOperation_t::CUBLAS_OP_N,
        }
    }
}

/// A GPU with the kernels for one precision.
pub struct Device {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    module: Arc<CudaModule>,
    functions: Mutex<HashMap<String, CudaFunction>>,
    blas: blas_sys::cublasHandle_t,
    /// Bytes left to others.
    margin: u64,
}

// SAFETY: the handle is used by one call at a time (`super::Tape` alone uses it, locked), from any thread that bound the
// context.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Drop for Device {
    fn drop(&mut self) {
        if self.context.bind_to_thread().is_ok() {
            // SAFETY: made in `open` and destroyed here alone.
            let _ = unsafe { blas::destroy_handle(self.blas) };
        }
    }
}

/// The name of GPU number `ordinal` if it can be used, with its memory in bytes.
///
/// # Errors
/// Why it cannot be used: no driver, no such device, a library that is missing.
pub fn describe(ordinal: usize) -> Result<(String, u64)> {
    let context = context(ordinal)?;
    let name = context.name().map_err(failed)?;
    Ok((name, context.total_mem().map_err(failed)? as u64))
}

fn context(ordinal: usize) -> Result<Arc<CudaContext>> {
    // SAFETY: looking whether the libraries can be loaded runs nothing of theirs but their initialisation.
    let missing = unsafe {
        match (sys::is_culib_present(), cudarc::nvrtc::sys::is_culib_present(), blas_sys::is_culib_present()) {
            (false, _, _) => Some("the NVIDIA driver (libcuda.so.1)"),
            (_, false, _) => Some("CUDA's run-time compiler (libnvrtc)"),
            (_, _, false) => Some("cuBLAS (libcublas)"),
            _ => None,
        }
    };
    if let Some(library) = missing {
        return Err(Error::Computation(format!("{library} cannot be loaded: install it or add it to LD_LIBRARY_PATH")));
    }
    let count = result::init().and_then(|()| result::device::get_count()).map_err(failed)?;
    if ordinal as i64 >= i64::from(count) {
        return Err(Error::Computation(match count {
            0 => "the driver sees no GPU".to_owned(),
            n => format!("there is no cuda:{ordinal}; the driver sees {n}, from cuda:0"),
        }));
    }
    CudaContext::new(ordinal).map_err(failed)
}

/// What the driver said.
pub fn failed(error: result::DriverError) -> Error {
    use sys::CUresult;
    let what = error.error_string().map_or_else(|_| format!("{error:?}"), |s| s.to_string_lossy().into_owned());
    let advice = match error.0 {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => ": use fewer or shorter sequences, or --device cpu",
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION | CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH => {
            ": the driver is older than the CUDA libraries; update the driver or use libraries of its version"
        }
        _ => "",
    };
    Error::Computation(format!("the GPU reports: {what}{advice}"))
}

impl Device {
    /// Threads of a block; the kernels' own constant.
    pub const THREADS: usize = 128;

    /// GPU number `ordinal`, with the kernels compiled for it.
    ///
    /// # Errors
    /// As [`describe`]; a driver older than the libraries.
    pub fn open<T: Real>(ordinal: usize) -> Result<Device> {
        let context = context(ordinal)?;
        // SAFETY: every array lives on one stream, so no events between streams are needed.
        unsafe { context.disable_event_tracking() };
        let (major, minor) = context.compute_capability().map_err(failed)?;
        let real = if size_of::<T>() == 4 { "float" } else { "double" };
        let options = vec![format!("--gpu-architecture=compute_{major}{minor}"), format!("-DREAL={real}")];
        let program = compile_ptx_with_opts(SOURCE, CompileOptions { options, ..Default::default() });
        let module = context.load_module(program.map_err(not_compiled)?).map_err(failed)?;
        let stream = context.new_stream().map_err(failed)?;
        let blas = blas::create_handle().map_err(blas_failed)?;
        // SAFETY: both were just made and live as long as the device.
        unsafe { blas::set_stream(blas, stream.cu_stream().cast()) }.map_err(blas_failed)?;
        let margin = (context.mem_get_info().map_err(failed)?.0 as f64 * MARGIN) as u64;
        Ok(Device { context, stream, module, functions: Mutex::default(), blas, margin })
    }

    /// Use the device from this thread.
    pub fn bind(&self) -> Result<()> {
        self.context.bind_to_thread().map_err(failed)
    }

    /// Bytes that may still be taken: those that are free, less a margin.
    pub fn room(&self) -> Result<usize> {
        Ok((self.context.mem_get_info().map_err(failed)?.0 as u64).saturating_sub(self.margin) as usize)
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
        // SAFETY: as for `upload`; all bits zero is the number zero.
        unsafe { result::memset_d8_async(at.0, 0, len * size_of::<T>(), self.stream.cu_stream()) }.map_err(failed)
    }

    fn wait(&self) -> Result<()> {
        self.stream.synchronize().map_err(failed)
    }

    /// Run a kernel on `blocks` blocks, or fewer that stride.
    pub fn launch(&self, name: &str, blocks: usize, arguments: &[&dyn Arguments]) -> Result<()> {
        let function = self.function(name)?;
        let mut list = Vec::with_capacity(arguments.len() + 8);
        arguments.iter().for_each(|a| a.push(&mut list));
        let mut builder = self.stream.launch_builder(&function);
        for argument in &list {
            match argument {
                Argument::At(address) => builder.arg(address),
                Argument::Count(count) => builder.arg(count),
                Argument::Real(real) => builder.arg(real),
            };
        }
        let grid = blocks.clamp(1, BLOCKS) as u32;
        let shape =
            LaunchConfig { grid_dim: (grid, 1, 1), block_dim: (Self::THREADS as u32, 1, 1), shared_mem_bytes: 0 };
        // SAFETY: the rules give each kernel the arguments that it declares, over arrays of the sizes it runs over.
        unsafe { builder.launch(shape) }.map_err(failed)?;
        Ok(())
    }

    /// Blocks for a kernel that takes `count` elements one by one.
    pub fn blocks(count: usize) -> usize {
        count.div_ceil(Self::THREADS)
    }

    fn function(&self, name: &str) -> Result<CudaFunction> {
        let mut functions = self.functions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(function) = functions.get(name) {
            return Ok(function.clone());
        }
        let function = self.module.load_function(name).map_err(failed)?;
        functions.insert(name.to_owned(), function.clone());
        Ok(function)
    }

    /// `to` (m × n) ← α a b, or += α a b, for every matrix of a batch; a is m × k and b is k × n.
    pub fn product<T: Real>(
        &self,
        to: Matrix<T>,
        write: Write,
        alpha: f64,
        (a, b): (Matrix<T>, Matrix<T>),
        (m, k, n): (usize, usize, usize),
        batch: usize,
    ) -> Result<()> {
        // cuBLAS takes columns for rows: what it sees are the transposes, so it is asked for toᵀ = bᵀ aᵀ.
        let (m, k, n, batch) = (m as i32, k as i32, n as i32, batch as i32);
        let beta = if write == Write::Add { 1.0 } else { 0.0 };
        let (step_a, step_b, step) = (a.step as i32, b.step as i32, to.step as i32);
        let (stride_a, stride_b, stride) = (a.stride as i64, b.stride as i64, to.stride as i64);
        // SAFETY: the matrices lie within arrays of the device; scalars are read before the call returns.
        let done = unsafe {
            if size_of::<T>() == 4 {
                let (alpha, beta) = (alpha as f32, beta as f32);
                blas::sgemm_strided_batched(
                    self.blas,
                    b.operation(),
                    a.operation(),
                    n,
                    m,
                    k,
                    &alpha,
                    b.at.0 as *const f32,
                    step_b,
                    stride_b,
                    a.at.0 as *const f32,
                    step_a,
                    stride_a,
                    &beta,
                    to.at.0 as *mut f32,
                    step,
                    stride,
                    batch,
                )
            } else {
                blas::dgemm_strided_batched(
                    self.blas,
                    b.operation(),
                    a.operation(),
                    n,
                    m,
                    k,
                    &alpha,
                    b.at.0 as *const f64,
                    step_b,
                    stride_b,
                    a.at.0 as *const f64,
                    step_a,
                    stride_a,
                    &beta,
                    to.at.0 as *mut f64,
                    step,
                    stride,
                    batch,
                )
            }
        };
        done.map_err(blas_failed)
    }
}

fn blas_failed(error: blas::CublasError) -> Error {
    Error::Computation(format!("cuBLAS reports: {error}; its version must be that of the other CUDA libraries"))
}

fn not_compiled(error: CompileError) -> Error {
    let why = match &error {
        CompileError::CompileError { log, .. } => log.to_string_lossy().into_owned(),
        other => format!("{other:?}"),
    };
    Error::Computation(format!("CUDA's run-time compiler refused the kernels: {why}"))
}
