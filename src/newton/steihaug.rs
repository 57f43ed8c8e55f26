//! Steihaug's conjugate gradients (SIAM J. Numer. Anal. 20, 1983; Nocedal and Wright, *Numerical Optimization*, 2006,
//! algorithm 7.2): the quadratic model m(p) = gᵀp + ½ pᵀHp made small within ‖p‖ ≤ Δ, with H known by its products.
//!
//! The path from 0 along the iterates grows in length and falls in m all the way. So one path answers for several radii:
//! where it leaves each of them is that radius's step, and a step that proves too long is cut without another product.

use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::vector::{axpy, dot, norm, scale};
use crate::spectrum::operator::SymmetricOperator;

/// How a path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The model's gradient fell below what was asked: a Newton step, as exact as asked.
    Solved,
    /// At the largest radius.
    Boundary,
    /// At the largest radius, along a direction in which the model curves down.
    NegativeCurvature,
    /// As many products as were allowed.
    OutOfProducts,
}

/// What is asked of a path.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Radii Δ, longest first.
    pub radii: &'a [f64],
    /// ‖g + Hp‖ at which p solves the model.
    pub tolerance: f64,
    /// Products allowed, 1 or more.
    pub products: usize,
}

/// A step on the path.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial<T> {
    /// p.
    pub step: Vec<T>,
    /// ‖p‖.
    pub length: f64,
    /// −m(p), by how much the model falls.
    pub decrease: f64,
}

/// A whole path.
#[derive(Debug, Clone, PartialEq)]
pub struct Path<T> {
    /// Where it left each radius it reached, and its last point; longest first, one at least.
    pub trials: Vec<Trial<T>>,
    /// How it ended.
    pub end: End,
    /// Products with H.
    pub products: usize,
    /// The smallest dᵀHd/dᵀd of its directions d.
    pub curvature: f64,
}

/// The path for a gradient g other than 0.
///
/// # Errors
/// [`Error::NotFinite`] for a product that is not; what the operator returns.
pub fn path<T: Real>(op: &mut dyn SymmetricOperator<T>, gradient: &[T], request: &Request<'_>) -> Result<Path<T>> {
    let mut radii = request.radii.to_vec();
    let (mut point, mut residual) = (vec![T::zero(); gradient.len()], gradient.to_vec());
    let mut direction = gradient.to_vec();
    scale(-1.0, &mut direction);
    let mut image = vec![T::zero(); gradient.len()];
    let mut square = dot(&residual, &residual);
    let (mut model, mut products, mut curvature) = (0.0, 0, f64::INFINITY);
    let mut trials: Vec<Trial<T>> = Vec::new();
    let end = loop {
        op.apply(&direction, &mut image)?;
        products += 1;
        let (bend, slope) = (dot(&direction, &image), dot(&residual, &direction));
        if !bend.is_finite() {
            return Err(Error::NotFinite("a Hessian–vector product is not finite".into()));
        }
        let [pp, pd, dd] = [dot(&point, &point), dot(&point, &direction), dot(&direction, &direction)];
        curvature = curvature.min(bend / dd);
        let before = model;
        let model_at = |t: f64| before + t * slope + 0.5 * t * t * bend;
        let newton = if bend > 0.0 { square / bend } else { f64::INFINITY };
        while let Some(radius) = radii.last() {
            // The positive root of ‖p + t d‖ = Δ, written so that nothing cancels.
            let room = (radius * radius - pp).max(0.0);
            let root = (pd * pd + dd * room).sqrt();
            let to = if pd > 0.0 { room / (pd + root) } else { (root - pd) / dd };
            if to > newton {
                break;
            }
            let mut step = point.clone();
            axpy(to, &direction, &mut step);
            trials.push(Trial { step, length: *radius, decrease: -model_at(to) });
            radii.pop();
        }
        if radii.is_empty() {
            break if bend > 0.0 { End::Boundary } else { End::NegativeCurvature };
        }
        axpy(newton, &direction, &mut point);
        axpy(newton, &image, &mut residual);
        model = model_at(newton);
        let former = std::mem::replace(&mut square, dot(&residual, &residual));
        let solved = square.sqrt() <= request.tolerance;
        if solved || products >= request.products {
            trials.push(Trial { length: norm(&point), step: point, decrease: -model });
            break if solved { End::Solved } else { End::OutOfProducts };
        }
        // d ← β d − r.
        scale(square / former, &mut direction);
        axpy(-1.0, &residual, &mut direction);
    };
    trials.reverse();
    Ok(Path { trials, end, products, curvature })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A diagonal matrix.
    struct Diagonal(Vec<f64>);

    impl SymmetricOperator<f64> for Diagonal {
        fn dim(&self) -> usize {
            self.0.len()
        }

        fn apply(&mut self, v: &[f64], out: &mut [f64]) -> Result<()> {
            out.iter_mut().zip(v).zip(&self.0).for_each(|((out, v), h)| *out = h * v);
            Ok(())
        }
    }

    const GRADIENT: [f64; 4] = [1.0, -2.0, 0.5, 3.0];

    fn through(diagonal: &[f64], radii: &[f64]) -> Path<f64> {
        let request = Request { radii, tolerance: 1e-12, products: 50 };
        path(&mut Diagonal(diagonal.to_vec()), &GRADIENT, &request).unwrap()
    }

    fn model(diagonal: &[f64], p: &[f64]) -> f64 {
        let terms = p.iter().zip(diagonal).zip(GRADIENT);
        terms.map(|((p, h), g)| g * p + 0.5 * h * p * p).sum()
    }

    #[test]
    fn within_a_wide_region_it_is_the_newton_step() {
        let diagonal = [1.0, 4.0, 0.5, 10.0];
        let path = through(&diagonal, &[100.0, 50.0]);
        assert_eq!((path.end, path.trials.len()), (End::Solved, 1));
        assert!(path.products <= 5 && path.curvature >= 0.5);
        for ((p, h), g) in path.trials[0].step.iter().zip(diagonal).zip(GRADIENT) {
            assert!((p + g / h).abs() < 1e-10, "{p} {}", -g / h);
        }
    }

    #[test]
    fn one_path_gives_every_radius_what_a_path_of_its_own_would() {
        for diagonal in [[1.0, 4.0, 0.5, 10.0], [1.0, 4.0, -0.5, 10.0], [-1.0, -4.0, -0.5, -10.0]] {
            let radii = [1.5, 0.75, 0.2, 0.01];
            let all = through(&diagonal, &radii);
            assert_eq!(all.trials.len(), radii.len());
            for (trial, radius) in all.trials.iter().zip(radii) {
                assert_eq!(trial, &through(&diagonal, &[radius]).trials[0]);
                assert!((norm(&trial.step) - radius).abs() < 1e-12 && trial.length == radius);
                assert!((model(&diagonal, &trial.step) + trial.decrease).abs() < 1e-12);
            }
            assert!(all.trials.is_sorted_by(|long, short| long.decrease > short.decrease && short.decrease > 0.0));
        }
    }

    #[test]
    fn it_says_how_it_ended() {
        let bowl = [1.0, 4.0, 0.5, 10.0];
        assert_eq!(through(&bowl, &[0.1]).end, End::Boundary);
        let saddle = through(&[1.0, 4.0, -0.5, 10.0], &[100.0]);
        assert_eq!(saddle.end, End::NegativeCurvature);
        assert!(saddle.curvature < 0.0 && (norm(&saddle.trials[0].step) - 100.0).abs() < 1e-9);
        let request = Request { radii: &[100.0, 0.01], tolerance: 1e-12, products: 2 };
        let short = path(&mut Diagonal(bowl.to_vec()), &GRADIENT, &request).unwrap();
        assert_eq!((short.end, short.products, short.trials.len()), (End::OutOfProducts, 2, 2));
        assert!((short.trials[0].length - norm(&short.trials[0].step)).abs() < 1e-15);
        assert!((model(&bowl, &short.trials[0].step) + short.trials[0].decrease).abs() < 1e-12);
        let broken = path(&mut Diagonal(vec![f64::NAN; 4]), &GRADIENT, &request);
        assert!(matches!(broken, Err(Error::NotFinite(_))));
    }
}
