//! The trace and the squared Frobenius norm of a symmetric operator from products with a few random vectors.
//!
//! XTrace (Epperly, Tropp and Webber 2024): half of the products sketch the range of the operator, the other half give
//! its image on the sketch, and what lies beyond is estimated by each test vector from the sketch that the *others* make.
//! All test vectors are exchangeable, so their spread shows the error. The same products give ‖A‖_F²; there the remainder
//! is projected from both sides, (I − QQᵀ)A(I − QQᵀ), and the rest of the norm is known.
//!
//! A basis U whose image AU is known is taken out first: Tr A = Tr UᵀAU + Tr A′ and ‖A‖_F² = 2‖AU‖_F² − ‖UᵀAU‖_F² +
//! ‖A′‖_F², with A′ = (I − UUᵀ)A(I − UUᵀ).

use super::operator::{BLOCK, Complement, SymmetricOperator};
use super::solver::not_finite;
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::stats::Estimate;
use crate::math::vector;

/// An orthonormal basis on which the operator is known.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a, T> {
    /// U.
    pub basis: &'a Basis<T>,
    /// Tr UᵀAU.
    pub trace: f64,
    /// ‖UᵀAU‖_F².
    pub inside2: f64,
    /// ‖AU‖_F².
    pub image2: f64,
}

/// Estimates with the standard errors that leaving one test vector out shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traces {
    /// Tr A.
    pub trace: Estimate,
    /// ‖A‖_F².
    pub frob2: Estimate,
    /// Products spent.
    pub products: usize,
}

/// Traces of `op` from `sketch` test vectors, two products each. `test` gives test vector number i, standard normals,
/// and is asked twice for each, so that none has to be kept; with normal test vectors both estimates are unbiased.
/// `watch` follows every product. Holds `2 * sketch` columns, or as many as `sketch` and two blocks need.
///
/// # Errors
/// [`Error::Computation`] for fewer than two test vectors or as many as there are dimensions beside the known ones;
/// [`Error::NotFinite`] when a product is not finite; what `op` returns.
pub fn xtrace<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    known: Known<'_, T>,
    sketch: usize,
    test: &dyn Fn(usize) -> Vec<T>,
    watch: &mut dyn FnMut(),
) -> Result<Traces> {
    let dim = op.dim();
    let free = dim - known.basis.len();
    if sketch < 2 || sketch >= free {
        return Err(Error::Computation(format!(
            "{sketch} test vectors cannot give a trace with its error in {free} unknown dimensions; take 2 or more, and fewer \
             than those"
        )));
    }
    let mut op = Complement { op, basis: known.basis };
    let mut products = 0;
    let mut multiply = |v: &[&[T]], images: &mut [&mut [T]]| {
        op.apply_block(v, images)?;
        images.iter().try_for_each(|image| {
            products += 1;
            watch();
            if vector::norm(image).is_finite() { Ok(()) } else { Err(not_finite(products)) }
        })
    };
    let free_test = |i| {
        let mut omega = test(i);
        known.basis.orthogonalise(&mut omega);
        omega
    };

    // AΩ = QR, a column at a time; column i of R up to its diagonal.
    let (mut q, mut r) = (Basis::new(dim, sketch), Vec::new());
    let mut images = Basis::new(dim, BLOCK.min(sketch));
    'sketch: for first in (0..sketch).step_by(BLOCK) {
        let tests: Vec<Vec<T>> = (first..(first + BLOCK).min(sketch)).map(free_test).collect();
        images.truncate(0);
        let mut block = images.grow(tests.len());
        multiply(&tests.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut block)?;
        for image in block {
            let before = vector::norm(image);
            let projection = q.orthogonalise(image);
            if projection.norm <= 100.0 * T::EPSILON * before {
                // The range is exhausted: nothing is left beyond the sketch so far.
                break 'sketch;
            }
            vector::scale(1.0 / projection.norm, image);
            known.basis.orthogonalise(image);
            q.push(image);
            r.push(projection.coefficients.into_iter().chain([projection.norm]).collect::<Vec<f64>>());
        }
    }
    drop(images);
    let m = q.len();
    let mut z = Basis::new(dim, m);
    let columns: Vec<&[T]> = q.cols().collect();
    for block in columns.chunks(BLOCK) {
        multiply(block, &mut z.grow(block.len()))?;
    }
    let small = Small { m, h: q.products(&z), gram: z.symmetric_products(&z) };
    let on_known = (known.trace, 2.0 * known.image2 - known.inside2);
    if m < sketch {
        let exact = |mean| Estimate { mean, stderr: 0.0, draws: sketch };
        let none_left_out = vec![0.0; m];
        return Ok(Traces {
            trace: exact(on_known.0 + small.trace(&none_left_out)),
            frob2: exact(on_known.1 + small.frob2(&none_left_out)),
            products,
        });
    }
    let draws: Vec<(f64, f64)> = (0..m).map(|i| small.without(i, free, free_test(i), &q, &z, &r)).collect();
    // Two test vectors or more make an estimate.
    let mean = |known: f64, of: fn(&(f64, f64)) -> f64| {
        Estimate::of(draws.iter().map(|d| known + of(d))).expect("at least two test vectors")
    };
    Ok(Traces { trace: mean(on_known.0, |d| d.0), frob2: mean(on_known.1, |d| d.1), products })
}

/// H = QᵀAQ and ZᵀZ with Z = AQ, both m × m.
struct Small {
    m: usize,
    h: Vec<f64>,
    gram: Vec<f64>,
}

impl Small {
    /// Tr A on the sketch without its direction Qs.
    fn trace(&self, s: &[f64]) -> f64 {
        (0..self.m).map(|i| self.h[i * self.m + i]).sum::<f64>() - form(&self.h, s)
    }

    /// ‖A‖_F² but for what lies beyond the sketch on both sides, the sketch being without its direction Qs:
    /// 2‖AQ′‖² − ‖Q′ᵀAQ′‖².
    fn frob2(&self, s: &[f64]) -> f64 {
        let image2 = (0..self.m).map(|i| self.gram[i * self.m + i]).sum::<f64>() - form(&self.gram, s);
        let hs: f64 = times(&self.h, s).iter().map(|x| x * x).sum();
        let inside2 = self.h.iter().map(|h| h * h).sum::<f64>() - 2.0 * hs + form(&self.h, s).powi(2);
        2.0 * image2 - inside2
    }

    /// The estimates of (Tr A, ‖A‖_F²) by the test vector `mu`, number i, with the sketch of the others, in a space of
    /// `free` dimensions.
    fn without<T: Real>(
        &self,
        i: usize,
        free: usize,
        mut mu: Vec<T>,
        q: &Basis<T>,
        z: &Basis<T>,
        r: &[Vec<f64>],
    ) -> (f64, f64) {
        let s = left_out(r, i);
        // The part of a coefficient vector that the others' sketch spans.
        let others = |mut x: Vec<f64>| {
            let along = dot(&s, &x);
            x.iter_mut().zip(&s).for_each(|(x, s)| *x -= along * s);
            x
        };
        let inside = others(q.coefficients(&mu));
        let taken: Vec<f64> = inside.iter().map(|x| -x).collect();
        let norm = q.add_to(&taken, &mut mu);
        let mut image = q.combine(&r[i]);
        z.add_to(&taken, &mut image);
        let along = others(q.coefficients(&image));
        let outside2 = vector::dot(&image, &image) - dot(&along, &along);
        // μ points anywhere in what the others leave with equal chance, so its length says nothing.
        let scale = (free - (self.m - 1)) as f64 / (norm * norm);
        (self.trace(&s) + scale * vector::dot(&mu, &image), self.frob2(&s) + scale * outside2)
    }
}

fn times(a: &[f64], x: &[f64]) -> Vec<f64> {
    a.chunks_exact(x.len().max(1)).map(|row| dot(row, x)).collect()
}

fn form(a: &[f64], x: &[f64]) -> f64 {
    dot(&times(a, x), x)
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// The unit vector s with Qs orthogonal to all images but number `i`: R⁻ᵀe_i, normalised.
fn left_out(r: &[Vec<f64>], i: usize) -> Vec<f64> {
    let mut s = vec![0.0; r.len()];
    for j in i..r.len() {
        let right = if i == j { 1.0 } else { 0.0 };
        s[j] = (right - dot(&r[j][..j], &s[..j])) / r[j][j];
    }
    let norm = dot(&s, &s).sqrt();
    s.iter().map(|s| s / norm).collect()
}
