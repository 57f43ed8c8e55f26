//! The increment's gradient and curvature on a basis: c = Uᵀb and B = UᵀAU, from one sequence's products.

use crate::diff::risk::Risk;
use crate::diff::share::Share;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::dense::symmetric_part;
use crate::math::vector;
use crate::spectrum::solver::Eigenspace;

/// A on a basis.
#[derive(Debug, Clone, PartialEq)]
pub struct Curvature {
    /// B = UᵀAU, row-major k × k, nats per squared parameter unit.
    pub b: Vec<f64>,
    /// ‖AU‖_F².
    pub image2: f64,
}

impl Curvature {
    /// ‖(I − UUᵀ)AU‖_F/‖AU‖_F: the part of A's action on the basis that leaves it. `None` if AU = 0.
    pub fn leakage(&self) -> Option<f64> {
        let inside: f64 = self.b.iter().map(|b| b * b).sum();
        (self.image2 > 0.0).then(|| ((self.image2 - inside).max(0.0) / self.image2).sqrt())
    }
}

/// Uᵀx.
pub fn project<T: Real>(columns: &[&[T]], x: &Share<T>) -> Vec<f64> {
    columns.iter().map(|u| x.dot(u)).collect()
}

/// b = (g_next − g^(n))/(n+1) for the sequence `next` (from 0) that comes after the first n.
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub fn increment_gradient<T: Real>(risk: &Risk<T>, n: usize, next: usize) -> Result<Vec<T>> {
    let mut b = risk.sequence_gradient(next)?.to_flat();
    vector::axpy(-1.0, &risk.gradient(0..n)?, &mut b);
    vector::scale(1.0 / (n + 1) as f64, &mut b);
    Ok(b)
}

/// One sequence's derivatives on a basis.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Uᵀg_i.
    pub gradient: Vec<f64>,
    /// UᵀH_iU, row-major k × k.
    pub hessian: Vec<f64>,
}

impl Sequence {
    /// Of sequence i, whose gradient is given, by k products.
    ///
    /// # Errors
    /// [`crate::error::Error::Cancelled`].
    pub fn of<T: Real>(risk: &Risk<T>, columns: &[&[T]], i: usize, gradient: &Share<T>) -> Result<Sequence> {
        let hessian = risk.map_hvps(i, columns, |_, product| project(columns, product))?.concat();
        Ok(Sequence { gradient: project(columns, gradient), hessian })
    }
}

/// c and B of the increment that sequence `next` (from 0) brings to the mean of the first m ≥ 1, from the derivatives of
/// each on one basis.
pub fn brought(sequences: &[Sequence], m: usize, next: usize) -> (Vec<f64>, Vec<f64>) {
    let increment = |of: fn(&Sequence) -> &Vec<f64>| -> Vec<f64> {
        let mut sum = vec![0.0; of(&sequences[next]).len()];
        for sequence in &sequences[..m] {
            sum.iter_mut().zip(of(sequence)).for_each(|(sum, x)| *sum += x);
        }
        let one = |(x, sum): (&f64, &f64)| (x - sum / m as f64) / (m + 1) as f64;
        of(&sequences[next]).iter().zip(&sum).map(one).collect()
    };
    let (c, b) = (increment(|s| &s.gradient), increment(|s| &s.hessian));
    (c.clone(), symmetric_part(c.len(), &b))
}

/// c = Uᵀ(g_{n+1} − g^(n))/(n+1).
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub fn gradient<T: Real>(risk: &Risk<T>, u: &Basis<T>, n: usize) -> Result<Vec<f64>> {
    gradient_of(risk, u, n, n)
}

/// The same with sequence `next` (from 0) in place of sequence n + 1.
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub fn gradient_of<T: Real>(risk: &Risk<T>, u: &Basis<T>, n: usize, next: usize) -> Result<Vec<f64>> {
    Ok(u.coefficients(&increment_gradient(risk, n, next)?))
}

/// B = (UᵀH_{n+1}U − UᵀH^(n)U)/(n+1) from k products on one sequence: `own` is UᵀH^(n)U, row-major, which a solve has
/// found, and `space` knows the images H^(n)U.
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub fn curvature<T: Real>(risk: &Risk<T>, space: &Eigenspace<T>, own: &[f64], n: usize) -> Result<Curvature> {
    curvature_of(risk, space, own, n, n)
}

/// The same with sequence `next` (from 0) in place of sequence n + 1.
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub fn curvature_of<T: Real>(
    risk: &Risk<T>,
    space: &Eigenspace<T>,
    own: &[f64],
    n: usize,
    next: usize,
) -> Result<Curvature> {
    /// Uᵀ H_{n+1} u_j and ‖A u_j‖².
    struct Column {
        projection: Vec<f64>,
        square: f64,
    }
    let (k, scale) = (space.values.len(), 1.0 / (n + 1) as f64);
    let columns: Vec<&[T]> = space.vectors.cols().collect();
    let got = risk.map_hvps(next, &columns, |j, product| Column {
        projection: project(&columns, product),
        square: product.square_distance(&space.image(j)) * scale * scale,
    })?;
    let its: Vec<f64> = (0..k * k).map(|at| got[at % k].projection[at / k]).collect();
    let b = symmetric_part(k, &its.iter().zip(own).map(|(its, own)| scale * (its - own)).collect::<Vec<_>>());
    Ok(Curvature { b, image2: got.iter().map(|column| column.square).sum() })
}
