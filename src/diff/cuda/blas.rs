//! Matrix products by cuBLAS.

use std::ffi::c_void;

use cudarc::cublas::result as blas;
use cudarc::cublas::sys::{self as blas_sys, cublasComputeType_t, cublasGemmAlgo_t, cublasOperation_t, cudaDataType};

use super::device::Device;
use super::lanes::{Argument, Arguments, Given};
use super::memory::Ptr;
use crate::diff::primitive::Write;
use crate::diff::product::Products;
use crate::error::{Error, Result};
use crate::math::array::Real;

/// A row-major matrix in the device's memory, one of many.
pub struct Matrix<T> {
    /// The first one's first element.
    pub at: Ptr<T>,
    /// Elements from one row to the next.
    pub step: usize,
    /// Elements from one matrix to the next along each level of [`Counts`]; 0 where one serves all.
    pub strides: [usize; 3],
    /// Whether the transpose is meant.
    pub transposed: bool,
}

/// How many matrices there are: two levels of a batch, and directions.
pub type Counts = [usize; 3];

impl<T> Clone for Matrix<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Matrix<T> {}

impl<T> Arguments for Matrix<T> {
    fn given(&self) -> Given {
        let [one, other, direction] = self.strides.map(|stride| stride as u64);
        Given::Four(Argument([self.at.0, one, other, direction]))
    }
}

impl<T> Matrix<T> {
    fn operation(self) -> cublasOperation_t {
        match self.transposed {
            true => cublasOperation_t::CUBLAS_OP_T,
            false => cublasOperation_t::CUBLAS_OP_N,
        }
    }
}

/// The numbers and the scalars of a product as cuBLAS takes them.
struct Kind {
    data: cudaDataType,
    compute: cublasComputeType_t,
    single: [f32; 2],
    double: [f64; 2],
}

impl Kind {
    fn of<T: Real>(products: Products, alpha: f64, write: Write) -> Kind {
        use cublasComputeType_t::{CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUBLAS_COMPUTE_64F};
        let (data, compute) = match (size_of::<T>(), products) {
            (4, Products::Full) => (cudaDataType::CUDA_R_32F, CUBLAS_COMPUTE_32F),
            (4, Products::Tf32) => (cudaDataType::CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32),
            _ => (cudaDataType::CUDA_R_64F, CUBLAS_COMPUTE_64F),
        };
        let beta = if write == Write::Add { 1.0 } else { 0.0 };
        Kind { data, compute, single: [alpha as f32, beta as f32], double: [alpha, beta] }
    }

    /// Where α (0) or β (1) is.
    fn scalar(&self, i: usize) -> *const c_void {
        match self.data {
            cudaDataType::CUDA_R_32F => (&raw const self.single[i]).cast(),
            _ => (&raw const self.double[i]).cast(),
        }
    }
}

impl Device {
    /// `to` (m × n) ← α a b, or += α a b, for as many matrices as `counts` says; a is m × k and b is k × n. One call of
    /// cuBLAS for all of them; where they do not lie at even distances, `addresses` has room for three each.
    ///
    /// Digits are those of the shapes: cuBLAS may choose another kernel for a batch of another size, so on a GPU a block
    /// of directions agrees with its members one by one to rounding.
    pub fn product<T: Real>(
        &self,
        (to, write): (Matrix<T>, Write),
        alpha: f64,
        (a, b): (Matrix<T>, Matrix<T>),
        (m, k, n): (usize, usize, usize),
        counts: Counts,
        addresses: Ptr<u64>,
    ) -> Result<()> {
        let kind = Kind::of::<T>(self.products, alpha, write);
        let (m, k, n, count) = (m as i32, k as i32, n as i32, counts.iter().product::<usize>());
        let levels: Vec<usize> = (0..3).filter(|&level| counts[level] > 1).collect();
        let algorithm = cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT;
        // cuBLAS takes columns for rows: what it sees are the transposes, so it is asked for toᵀ = bᵀ aᵀ.
        if let [] | [_] = levels[..] {
            let stride = |x: &Matrix<T>| levels.first().map_or(0, |&level| x.strides[level] as i64);
            // SAFETY: the matrices lie within arrays of the device; scalars are read before the call returns.
            let done = unsafe {
                blas::gemm_strided_batched_ex(
                    self.blas,
                    b.operation(),
                    a.operation(),
                    n,
                    m,
                    k,
                    kind.scalar(0),
                    b.at.0 as *const c_void,
                    kind.data,
                    b.step as i32,
                    stride(&b),
                    a.at.0 as *const c_void,
                    kind.data,
                    a.step as i32,
                    stride(&a),
                    kind.scalar(1),
                    to.at.0 as *mut c_void,
                    kind.data,
                    to.step as i32,
                    stride(&to),
                    count as i32,
                    kind.compute,
                    algorithm,
                )
            };
            return done.map_err(blas_failed);
        }
        let [c0, c1, c2] = counts;
        self.launch("addresses", Device::blocks(count), &[&c0, &c1, &c2, &a, &b, &to, &addresses])?;
        let list = |i: usize| addresses.plus(i * count).0;
        // SAFETY: as above; the lists of addresses are complete before the product begins, on the same stream.
        let done = unsafe {
            blas_sys::cublasGemmBatchedEx(
                self.blas,
                b.operation(),
                a.operation(),
                n,
                m,
                k,
                kind.scalar(0),
                list(1) as *const *const c_void,
                kind.data,
                b.step as i32,
                list(0) as *const *const c_void,
                kind.data,
                a.step as i32,
                kind.scalar(1),
                list(2) as *const *mut c_void,
                kind.data,
                to.step as i32,
                count as i32,
                kind.compute,
                algorithm,
            )
        };
        done.result().map_err(blas_failed)
    }
}

/// What cuBLAS said.
pub(super) fn blas_failed(error: blas::CublasError) -> Error {
    Error::Computation(format!("cuBLAS reports: {error}; its version must be that of the other CUDA libraries"))
}
