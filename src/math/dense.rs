//! Small dense algebra through faer, on one thread: the matrices here are a hundred rows at most, and one thread gives
//! the same digits whatever the pool.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::linalg::svd::{ComputeSvdVectors, svd, svd_scratch};
use faer::{Mat, MatRef, Par};

use crate::error::{Error, Result};

/// Eigenpairs of a symmetric matrix, algebraically largest first.
#[derive(Debug, Clone, PartialEq)]
pub struct SymmetricEigen {
    /// Eigenvalues, largest first.
    pub values: Vec<f64>,
    /// Eigenvectors of unit length, one after another: vector i is `vectors[i * n..(i + 1) * n]`.
    pub vectors: Vec<f64>,
}

impl SymmetricEigen {
    /// The unit eigenvector of `values[i]`.
    pub fn vector(&self, i: usize) -> &[f64] {
        let n = self.values.len();
        &self.vectors[i * n..(i + 1) * n]
    }

    /// The same pairs, largest |value| first.
    pub fn by_magnitude(&self) -> SymmetricEigen {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_by(|i, j| self.values[*j].abs().total_cmp(&self.values[*i].abs()));
        SymmetricEigen {
            values: order.iter().map(|i| self.values[*i]).collect(),
            vectors: order.iter().flat_map(|i| self.vector(*i)).copied().collect(),
        }
    }
}

/// The n × n matrix with these values on its diagonal and zeros elsewhere.
pub fn diagonal(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    (0..n * n).map(|at| if at / n == at % n { values[at / n] } else { 0.0 }).collect()
}

/// (A + Aᵀ)/2 of an n × n matrix.
pub fn symmetric_part(n: usize, a: &[f64]) -> Vec<f64> {
    (0..n * n).map(|at| 0.5 * (a[at] + a[at % n * n + at / n])).collect()
}

/// Eigenpairs of the symmetric n × n matrix `a`, of which only the lower triangle of the row-major array is read.
///
/// # Errors
/// [`Error::NotFinite`] if an entry is not finite; [`Error::Computation`] if the iteration does not converge.
pub fn symmetric_eigen(n: usize, a: &[f64]) -> Result<SymmetricEigen> {
    assert_eq!(a.len(), n * n, "the array is not n × n");
    if a.iter().any(|x| !x.is_finite()) {
        return Err(Error::NotFinite(format!("a {n} × {n} matrix whose eigenvalues are needed is not finite")));
    }
    if n == 0 {
        return Ok(SymmetricEigen { values: Vec::new(), vectors: Vec::new() });
    }
    let (mut values, mut vectors) = (vec![0.0; n], Mat::<f64>::zeros(n, n));
    let scratch = self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, Par::Seq, Default::default());
    self_adjoint_evd(
        MatRef::from_row_major_slice(a, n, n),
        faer::diag::DiagMut::from_slice_mut(&mut values),
        Some(vectors.as_mut()),
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| Error::Computation(format!("the eigenvalues of a {n} × {n} matrix did not converge")))?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| values[*j].total_cmp(&values[*i]));
    Ok(SymmetricEigen {
        values: order.iter().map(|i| values[*i]).collect(),
        vectors: order.iter().flat_map(|i| (0..n).map(|row| vectors[(row, *i)]).collect::<Vec<_>>()).collect(),
    })
}

/// Singular values of a row-major matrix of `columns` columns, largest first.
///
/// # Errors
/// As [`symmetric_eigen`].
pub fn singular_values(columns: usize, a: &[f64]) -> Result<Vec<f64>> {
    let rows = a.len().checked_div(columns).unwrap_or(0);
    assert_eq!(a.len(), rows * columns, "the array is not rectangular");
    if a.iter().any(|x| !x.is_finite()) {
        return Err(Error::NotFinite(format!(
            "a {rows} × {columns} matrix whose singular values are needed is not finite"
        )));
    }
    let mut values = vec![0.0; rows.min(columns)];
    let none = ComputeSvdVectors::No;
    let scratch = svd_scratch::<f64>(rows, columns, none, none, Par::Seq, Default::default());
    svd(
        MatRef::from_row_major_slice(a, rows, columns),
        faer::diag::DiagMut::from_slice_mut(&mut values),
        None,
        None,
        Par::Seq,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|_| Error::Computation(format!("the singular values of a {rows} × {columns} matrix did not converge")))?;
    values.sort_by(|x, y| y.total_cmp(x));
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix_is_decomposed_largest_first() {
        let a = [2.0, f64::MAX, 1.0, 2.0]; // the upper triangle is not read
        let eigen = symmetric_eigen(2, &a).unwrap();
        assert!((eigen.values[0] - 3.0).abs() < 1e-14 && (eigen.values[1] - 1.0).abs() < 1e-14);
        let v = eigen.vector(0);
        assert!((v[0].abs() - 0.5f64.sqrt()).abs() < 1e-14 && (v[0] - v[1]).abs() < 1e-14);
        assert!(symmetric_eigen(0, &[]).unwrap().values.is_empty());
    }

    #[test]
    fn magnitude_is_another_order_of_the_same_pairs() {
        let eigen = symmetric_eigen(3, &diagonal(&[1.0, -3.0, 2.0])).unwrap();
        assert_eq!(eigen.values, [2.0, 1.0, -3.0]);
        let turned = eigen.by_magnitude();
        assert_eq!(turned.values, [-3.0, 2.0, 1.0]);
        assert_eq!((turned.vector(0), turned.vector(2)), (eigen.vector(2), eigen.vector(1)));
    }

    #[test]
    fn singular_values_of_a_known_matrix() {
        // Rows (3, 0), (0, −4), (0, 0): values 4 and 3, whichever way it lies.
        for (columns, a) in [(2, [3.0, 0.0, 0.0, -4.0, 0.0, 0.0]), (3, [3.0, 0.0, 0.0, 0.0, -4.0, 0.0])] {
            let got = singular_values(columns, &a).unwrap();
            assert!((got[0] - 4.0).abs() < 1e-14 && (got[1] - 3.0).abs() < 1e-14, "{got:?}");
        }
        assert!(singular_values(0, &[]).unwrap().is_empty());
        assert!(matches!(singular_values(1, &[f64::NAN]), Err(Error::NotFinite(_))));
    }

    #[test]
    fn a_matrix_that_is_not_finite_is_refused() {
        assert!(matches!(symmetric_eigen(1, &[f64::NAN]), Err(Error::NotFinite(_))));
    }
}
