//! Closed forms by dense algebra, from the Hessians of the sequences alone: ℓ_i = ½ w*ᵀH_iw*, g_i = H_iw*.

use eigentop::criteria::quadratic::{Coefficients, Moments};
use eigentop::math::dense::{SymmetricEigen, singular_values, symmetric_eigen};

use crate::world::{P, hessian, point};

/// A symmetric P × P matrix, row-major.
pub type Matrix = Vec<f64>;
/// Orthonormal columns.
pub type Columns = Vec<Vec<f64>>;

pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

pub fn times(a: &Matrix, x: &[f64]) -> Vec<f64> {
    a.chunks_exact(P).map(|row| dot(row, x)).collect()
}

pub fn loss(i: usize) -> f64 {
    0.5 * dot(&point(), &times(&hessian(i), &point()))
}

pub fn gradient(i: usize) -> Vec<f64> {
    times(&hessian(i), &point())
}

/// The mean over the first n sequences.
pub fn mean(n: usize, of: fn(usize) -> Vec<f64>) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = (0..n).map(of).collect();
    (0..rows[0].len()).map(|j| rows.iter().map(|row| row[j]).sum::<f64>() / n as f64).collect()
}

/// The change of the mean that sequence n + 1 brings, as the difference of two means.
pub fn change(n: usize, of: fn(usize) -> Vec<f64>) -> Vec<f64> {
    mean(n + 1, of).iter().zip(mean(n, of)).map(|(after, before)| after - before).collect()
}

/// Eigenpairs of H^(n), largest first.
pub fn eigen(n: usize) -> SymmetricEigen {
    symmetric_eigen(P, &mean(n, hessian)).unwrap()
}

/// Eigenvectors with these numbers.
pub fn vectors(eigen: &SymmetricEigen, which: impl Iterator<Item = usize>) -> Columns {
    which.map(|i| eigen.vector(i).to_vec()).collect()
}

/// The top eigenspace of H^(n), if it is well defined.
pub fn top(n: usize, k: usize) -> Columns {
    let eigen = eigen(n);
    assert!(eigen.values[k - 1] - eigen.values[k] > 1e-3, "n {n}: no gap below λ_{k}: {:?}", eigen.values);
    vectors(&eigen, 0..k)
}

/// The increment's quadratic model.
pub struct Model {
    pub a: f64,
    pub gradient: Vec<f64>,
    pub curvature: Matrix,
}

impl Model {
    pub fn of(n: usize) -> Model {
        let (gradient, curvature) = (change(n, gradient), change(n, hessian));
        Model { a: change(n, |i| vec![loss(i)])[0], gradient, curvature }
    }

    pub fn trace(&self) -> f64 {
        (0..P).map(|i| self.curvature[i * P + i]).sum()
    }

    pub fn frob2(&self) -> f64 {
        dot(&self.curvature, &self.curvature)
    }

    pub fn b_norm2(&self) -> f64 {
        dot(&self.gradient, &self.gradient)
    }

    /// In the full space.
    pub fn moments(&self, sigma: f64) -> Moments {
        Moments::of(self.a, self.b_norm2(), self.trace(), self.frob2(), sigma)
    }

    /// a, c and B on a subspace.
    pub fn on(&self, columns: &Columns) -> Coefficients {
        let images: Vec<Vec<f64>> = columns.iter().map(|u| times(&self.curvature, u)).collect();
        let b = columns.iter().flat_map(|u| images.iter().map(move |image| dot(u, image))).collect();
        Coefficients { a: self.a, c: columns.iter().map(|u| dot(u, &self.gradient)).collect(), b }
    }

    /// ‖(I − UUᵀ)AU‖_F/‖AU‖_F.
    pub fn leakage(&self, columns: &Columns) -> f64 {
        let image2: f64 = columns.iter().map(|u| times(&self.curvature, u)).map(|image| dot(&image, &image)).sum();
        let q = self.on(columns);
        ((image2 - q.frob2(columns.len())).max(0.0) / image2).sqrt()
    }
}

/// Gram–Schmidt, twice.
pub fn orthonormal(directions: Vec<Vec<f64>>) -> Columns {
    let mut columns: Columns = Vec::new();
    for mut x in directions {
        for u in columns.iter().chain(&columns) {
            let along = dot(u, &x);
            x.iter_mut().zip(u).for_each(|(x, u)| *x -= along * u);
        }
        let norm = dot(&x, &x).sqrt();
        columns.push(x.iter().map(|x| x / norm).collect());
    }
    columns
}

/// Cosines of the principal angles between two subspaces, largest first.
pub fn cosines(u: &Columns, v: &Columns) -> Vec<f64> {
    let products: Vec<f64> = u.iter().flat_map(|u| v.iter().map(move |v| dot(u, v))).collect();
    singular_values(v.len(), &products).unwrap()
}
