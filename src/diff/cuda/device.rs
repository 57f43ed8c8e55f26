//! One GPU: its memory, the kernels compiled for it, and cuBLAS.
//!
//! The driver, NVRTC and cuBLAS are loaded when a device is opened and not before, so a program built with CUDA starts
//! anywhere. Everything runs in order on one stream, so no result depends on timing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cudarc::cublas::{result as blas, sys as blas_sys};
use cudarc::driver::{CudaContext, CudaFunction, CudaModule, CudaStream, LaunchConfig, PushKernelArg, result, sys};
use cudarc::nvrtc::{CompileError, CompileOptions, compile_ptx_with_opts};

use super::blas::blas_failed;
use super::lanes::{Arguments, Given};
use crate::diff::product::Products;
use crate::error::{Error, Result};
use crate::math::array::Real;

/// The kernels, one file an idea; the first is what the others are made of.
const SOURCE: &str = concat!(
    include_str!("kernels/numbers.cu"),
    include_str!("kernels/layers.cu"),
    include_str!("kernels/units.cu"),
    include_str!("kernels/attention.cu"),
    include_str!("kernels/head.cu"),
    include_str!("kernels/columns.cu"),
);

/// Most blocks of a launch: kernels stride over what is left.
const BLOCKS: usize = 1 << 16;
/// Part of the memory free at first that is left to others.
const MARGIN: f64 = 0.1;

/// A GPU with the kernels for one precision.
pub struct Device {
    pub(super) context: Arc<CudaContext>,
    pub(super) stream: Arc<CudaStream>,
    module: Arc<CudaModule>,
    functions: Mutex<HashMap<String, CudaFunction>>,
    pub(super) blas: blas_sys::cublasHandle_t,
    /// How it multiplies.
    pub(super) products: Products,
    /// Bytes left to others.
    pub(super) margin: usize,
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
/// Why it cannot be used: no driver or one older than the libraries, no such device, a library that is missing.
pub fn describe(ordinal: usize) -> Result<(String, u64)> {
    let context = context(ordinal)?;
    // An empty kernel tells whether the driver takes what the compiler makes.
    load(&context, "extern \"C\" __global__ void nothing() {}", Vec::new())?;
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

/// Kernels compiled for the context's GPU.
fn load(context: &Arc<CudaContext>, source: &str, mut options: Vec<String>) -> Result<Arc<CudaModule>> {
    let (major, minor) = context.compute_capability().map_err(failed)?;
    options.push(format!("--gpu-architecture=compute_{major}{minor}"));
    let program = compile_ptx_with_opts(source, CompileOptions { options, ..Default::default() });
    context.load_module(program.map_err(not_compiled)?).map_err(failed)
}

/// What the driver said.
pub fn failed(error: result::DriverError) -> Error {
    use sys::CUresult;
    let what = error.error_string().map_or_else(|_| format!("{error:?}"), |s| s.to_string_lossy().into_owned());
    let advice = match error.0 {
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
            ": other programs may have taken what was free at the start; lower --n or --length, or use --device cpu"
        }
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
    pub fn open<T: Real>(ordinal: usize, products: Products) -> Result<Device> {
        let context = context(ordinal)?;
        // SAFETY: every array lives on one stream, so no events between streams are needed.
        unsafe { context.disable_event_tracking() };
        let real = if size_of::<T>() == 4 { "float" } else { "double" };
        let module = load(&context, SOURCE, vec![format!("-DREAL={real}")])?;
        let stream = context.new_stream().map_err(failed)?;
        let blas = blas::create_handle().map_err(blas_failed)?;
        // SAFETY: both were just made and live as long as the device.
        unsafe { blas::set_stream(blas, stream.cu_stream().cast()) }.map_err(blas_failed)?;
        let margin = (context.mem_get_info().map_err(failed)?.0 as f64 * MARGIN) as usize;
        Ok(Device { context, stream, module, functions: Mutex::default(), blas, products, margin })
    }

    /// Use the device from this thread.
    pub fn bind(&self) -> Result<()> {
        self.context.bind_to_thread().map_err(failed)
    }

    /// Run a kernel on `blocks` blocks, or fewer that stride.
    pub fn launch(&self, name: &str, blocks: usize, arguments: &[&dyn Arguments]) -> Result<()> {
        self.launch_each(name, blocks, 1, arguments)
    }

    /// The same for each of `directions`.
    pub fn launch_each(
        &self,
        name: &str,
        blocks: usize,
        directions: usize,
        arguments: &[&dyn Arguments],
    ) -> Result<()> {
        let function = self.function(name)?;
        let given: Vec<Given> = arguments.iter().map(|a| a.given()).collect();
        let mut builder = self.stream.launch_builder(&function);
        for argument in &given {
            match argument {
                Given::One(argument) => builder.arg(argument),
                Given::Two(argument) => builder.arg(argument),
                Given::Three(argument) => builder.arg(argument),
                Given::Four(argument) => builder.arg(argument),
            };
        }
        let grid = (blocks.clamp(1, BLOCKS) as u32, directions as u32, 1);
        let shape = LaunchConfig { grid_dim: grid, block_dim: (Self::THREADS as u32, 1, 1), shared_mem_bytes: 0 };
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
}

fn not_compiled(error: CompileError) -> Error {
    let why = match &error {
        CompileError::CompileError { log, .. } => log.to_string_lossy().into_owned(),
        other => format!("{other:?}"),
    };
    Error::Computation(format!("CUDA's run-time compiler refused the kernels: {why}"))
}
