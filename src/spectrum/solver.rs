//! What every eigensolver is asked, what it shows on the way and what it hands back.

use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::diagonal;
use crate::math::vector;

/// Estimates of the negative end that are reported.
pub(super) const SMALLEST: usize = 4;

/// Which eigenpairs lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The algebraically largest.
    Largest,
    /// Those largest in magnitude, of either sign. Lanczos alone finds them.
    Magnitude,
}

/// Which eigenpairs, how well, and at what price.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Number of eigenpairs.
    pub k: usize,
    /// Which: the algebraically largest unless told otherwise.
    pub order: Order,
    /// Every residual ‖Hu − λu‖ must be at most `tol` · |λ_1|.
    pub tol: f64,
    /// Most products with H to spend.
    pub max_products: usize,
    /// Seed of the random start vectors.
    pub seed: u64,
    /// Directions that Lanczos multiplies by H at once. A block keeps threads busy where one product cannot, and finds as
    /// many copies of a repeated eigenvalue; it needs more products, since each raises the degree of the Krylov space by
    /// less.
    pub block: usize,
    /// Most columns that Lanczos keeps, each of `dim` elements; `None` for [`super::lanczos::columns`]. Fewer columns
    /// save memory and cost products.
    pub columns: Option<usize>,
    /// Products that Lanczos spends, once converged, on a fresh random start in the complement of what it has found.
    /// A Krylov space sees one copy of each eigenvalue: only the check finds further copies, or a pair that the first
    /// start happened to miss. It finds them with high probability, not with certainty. 0 for none.
    pub check: usize,
}

impl Request {
    /// A request for one product at a time, with Lanczos' usual number of columns and no check.
    pub fn new(k: usize, tol: f64, max_products: usize, seed: u64) -> Request {
        Request { k, order: Order::Largest, tol, max_products, seed, block: 1, columns: None, check: 0 }
    }

    /// Refuse what no operator of `dim` dimensions can answer, and an order that is none of the solver's.
    pub(super) fn validate(&self, dim: usize, orders: &[Order]) -> Result<()> {
        if !orders.contains(&self.order) {
            return Err(Error::Computation(
                "this solver finds the algebraically largest eigenpairs alone; use lanczos for those largest in magnitude".into(),
            ));
        }
        if self.block == 0 {
            return Err(Error::Computation("blocks of 0 directions get nowhere; ask for 1 or more".into()));
        }
        if self.k == 0 || self.k > dim {
            return Err(Error::Computation(format!(
                "{} eigenpairs were asked of an operator of {dim} dimensions; ask for 1 to {dim}",
                self.k
            )));
        }
        if self.max_products < self.k {
            return Err(Error::Computation(format!(
                "{} products cannot give {} eigenpairs; allow one product each at the least",
                self.max_products, self.k
            )));
        }
        Ok(())
    }
}

/// What a solve starts from.
#[derive(Debug, Clone, Copy)]
pub enum Start<'a, T> {
    /// A random vector.
    Random,
    /// Eigenvector estimates of a neighbouring operator, such as H^(n) when H^(n+1) is solved for: saves products.
    Near(&'a Basis<T>),
    /// Rayleigh–Ritz pairs of the same operator, as [`super::lanczos::lanczos`] and its like return them: goes on from
    /// there to a larger k or a smaller tolerance, and spends no product on what they hold.
    Resume(&'a Eigenspace<T>),
}

/// The state of a solve after one product.
#[derive(Debug, Clone, Copy)]
pub struct Iteration<'a> {
    /// Products so far.
    pub products: usize,
    /// Eigenvalue estimates, largest first, up to k.
    pub values: &'a [f64],
    /// Residual norms beside them, where known.
    pub residuals: &'a [Option<f64>],
    /// The algebraically smallest estimates so far, smallest first.
    pub smallest: &'a [f64],
}

/// How a solve ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every residual is within the tolerance.
    Converged,
    /// The products (or the method's own limit of iterations) were spent first.
    Exhausted,
    /// The residuals reached the rounding level of the precision in use, which lies above the tolerance.
    Rounding,
}

/// Eigenpair estimates (λ_i, u_i), with everything known of their images: HU = UΛ + R W.
#[derive(Debug, Clone)]
pub struct Eigenspace<T> {
    /// λ, largest first (the paper's method: in the order found).
    pub values: Vec<f64>,
    /// ‖Hu_i − λ_i u_i‖: some eigenvalue of H lies within that distance of λ_i.
    pub residuals: Vec<f64>,
    /// U, one column per pair.
    pub vectors: Basis<T>,
    /// R: directions that the residual vectors lie in. One or two columns from Lanczos, k from power iteration.
    pub remainder: Basis<T>,
    /// W, row-major `remainder.len()` × k.
    pub weights: Vec<f64>,
    /// The algebraically smallest eigenvalue estimates met on the way, smallest first: upper bounds, far from exact
    /// unless that end is well separated.
    pub smallest: Vec<f64>,
    /// Estimate of λ_{k+1} (a lower bound), if the solver has one.
    pub next: Option<f64>,
    /// Products spent.
    pub products: usize,
    /// max |UᵀU − I|.
    pub orthonormality: f64,
    /// How it ended.
    pub outcome: Outcome,
}

impl<T: Real> Eigenspace<T> {
    /// The residual vector H u_i − λ_i u_i, without a product.
    pub fn residual(&self, i: usize) -> Vec<T> {
        self.remainder.combine(&self.column_of_weights(i))
    }

    /// The image H u_i, without a product.
    pub fn image(&self, i: usize) -> Vec<T> {
        let mut image = self.residual(i);
        vector::axpy(self.values[i], self.vectors.col(i), &mut image);
        image
    }

    fn column_of_weights(&self, i: usize) -> Vec<f64> {
        self.weights.iter().skip(i).step_by(self.values.len()).copied().collect()
    }
}

/// Element by element the smaller of two ascending lists of smallest eigenvalue estimates. Ritz values never lie below
/// the eigenvalues of the same rank (Cauchy), so the smaller estimate is the better one.
pub(super) fn keep_smallest(smallest: &mut Vec<f64>, mut candidates: Vec<f64>) {
    candidates.sort_by(f64::total_cmp);
    candidates.truncate(SMALLEST);
    for (i, candidate) in candidates.into_iter().enumerate() {
        match smallest.get_mut(i) {
            Some(best) => *best = best.min(candidate),
            None => smallest.push(candidate),
        }
    }
}

/// The residual vectors HU − UΛ as columns, from images HU that are at hand.
pub(super) fn remainder<T: Real>(vectors: &Basis<T>, images: &Basis<T>, values: &[f64]) -> Basis<T> {
    let mut remainder = Basis::new(vectors.dim(), values.len());
    for ((u, image), value) in vectors.cols().zip(images.cols()).zip(values) {
        let mut residual = image.to_vec();
        vector::axpy(-value, u, &mut residual);
        remainder.push(&residual);
    }
    remainder
}

/// The k × k identity: the weights of a remainder that holds the residual vectors themselves.
pub fn identity(k: usize) -> Vec<f64> {
    diagonal(&vec![1.0; k])
}

/// Below this a computed residual says nothing, because vectors and products are rounded to `T`; `scale` is ‖H‖₂ or an
/// estimate of it.
pub(super) fn rounding_level<T: Real>(scale: f64) -> f64 {
    16.0 * <T as num_traits::Float>::epsilon().wide() * scale
}

/// How a solve with these results ended. `done` says that the method came to its own end, accepting residuals at
/// `floor`, the rounding level, where the tolerance lies below it.
pub(super) fn outcome(request: &Request, values: &[f64], residuals: &[f64], floor: f64, done: bool) -> Outcome {
    let tolerance = request.tol * values.first().map_or(0.0, |value| value.abs());
    let complete = done && values.len() == request.k;
    if complete && residuals.iter().all(|r| *r <= tolerance) {
        Outcome::Converged
    } else if complete && tolerance < floor {
        Outcome::Rounding
    } else {
        Outcome::Exhausted
    }
}

/// The error of a product that is not finite.
pub(super) fn not_finite(products: usize) -> Error {
    Error::NotFinite(format!(
        "Hessian–vector product {products} is not finite: the checkpoint's loss or curvature overflows in this precision"
    ))
}
