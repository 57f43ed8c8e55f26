//! A trust region around each point, in which the quadratic model is believed (Conn, Gould and Toint, *Trust-Region
//! Methods*, 2000, algorithm 6.1.1), with steps by [`super::steihaug`].

use super::steihaug::{self, End, Trial};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::vector::{dot, moved, norm};
use crate::spectrum::operator::SymmetricOperator;

/// Radii that one path answers for, each this much shorter than the one before it.
const SHORTER: [f64; 4] = [1.0, 0.25, 0.0625, 0.015625];
/// The smallest share of the predicted decrease that a step must bring.
const WORTH: f64 = 1e-3;
/// Below this share the model was believed too far, above [`GOOD`] it can be believed farther.
const POOR: f64 = 0.25;
const GOOD: f64 = 0.75;
/// How much farther.
const WIDEN: f64 = 3.0;
/// The largest residual of a Newton step, relative to the gradient; it falls with the square root of the gradient, so
/// that convergence is faster than linear (Nocedal and Wright 2006, theorem 7.2).
const FORCING: f64 = 0.5;

/// A function with two derivatives. Products are those of its Hessian at the point it was last expanded at.
pub trait Smooth<T: Real>: SymmetricOperator<T> {
    /// f(w). It may be infinite or NaN: such a point is not gone to.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; whatever else stopped it.
    fn value(&mut self, w: &[T]) -> Result<f64>;

    /// Expand the function at w: ∇f(w), and from here on products of its Hessian at w.
    ///
    /// # Errors
    /// [`Error::Cancelled`]; whatever else stopped it.
    fn expand(&mut self, w: &[T]) -> Result<Vec<T>>;
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// ‖p‖ of the step taken; 0 if none could be.
    pub length: f64,
    /// Its decrease over what the model predicted.
    pub agreement: f64,
    /// Points looked at, the one taken among them.
    pub tries: usize,
    /// Products with Hessians.
    pub products: usize,
    /// The smallest curvature dᵀHd/dᵀd met.
    pub curvature: f64,
    /// How the last path of conjugate gradients ended.
    pub end: End,
}

/// A point on its way down.
pub struct TrustRegion<T> {
    point: Vec<T>,
    value: f64,
    gradient: Vec<T>,
    radius: Option<f64>,
}

impl<T: Real> TrustRegion<T> {
    /// Begin at a point.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if value or gradient are not finite there; what `f` returns.
    pub fn new(f: &mut dyn Smooth<T>, point: Vec<T>) -> Result<TrustRegion<T>> {
        let value = f.value(&point)?;
        let gradient = f.expand(&point)?;
        let size = norm(&gradient);
        if !(value.is_finite() && size.is_finite()) {
            let what = format!("nothing to go down from: the value is {value} and its gradient's norm {size}");
            return Err(Error::NotFinite(what));
        }
        Ok(TrustRegion { point, value, gradient, radius: None })
    }

    /// The lowest point so far.
    pub fn point(&self) -> &[T] {
        &self.point
    }

    /// f there.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// ∇f there.
    pub fn gradient(&self) -> &[T] {
        &self.gradient
    }

    /// ‖∇f‖ there.
    pub fn gradient_norm(&self) -> f64 {
        norm(&self.gradient)
    }

    /// The radius of the region; `None` before the first step.
    pub fn radius(&self) -> Option<f64> {
        self.radius
    }

    /// Go one step down, with at most `products` products on a path. A step of length 0 means that no lower point can be
    /// told apart from this one in the precision of T.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for a product or a gradient that is not finite; what `f` returns. The point then is what it
    /// was.
    pub fn step(&mut self, f: &mut dyn Smooth<T>, products: usize) -> Result<Step> {
        let size = self.gradient_norm();
        let tolerance = size * FORCING.min(size.sqrt());
        let mut step =
            Step { length: 0.0, agreement: 0.0, tries: 0, products: 0, curvature: f64::INFINITY, end: End::Solved };
        if size == 0.0 {
            return Ok(step);
        }
        let mut radius = match self.radius {
            Some(radius) => radius,
            None => self.first_radius(f, &mut step)?,
        };
        // Shorter steps would not change a digit of the point.
        let least = T::EPSILON * norm(&self.point).max(f64::MIN_POSITIVE);
        while radius > least {
            let radii = SHORTER.map(|share| share * radius);
            let request = steihaug::Request { radii: &radii, tolerance, products };
            let path = steihaug::path(f, &self.gradient, &request)?;
            step.products += path.products;
            step.curvature = step.curvature.min(path.curvature);
            step.end = path.end;
            for trial in &path.trials {
                step.tries += 1;
                let there = moved(&self.point, 1.0, &trial.step);
                let value = f.value(&there)?;
                let agreement = (self.value - value) / trial.decrease;
                if value < self.value && agreement > WORTH {
                    (step.length, step.agreement) = (trial.length, agreement);
                    self.radius = Some(next_radius(radius, trial, agreement));
                    self.go(f, there, value)?;
                    return Ok(step);
                }
                radius = 0.25 * trial.length;
            }
        }
        Ok(step)
    }

    /// Move to a point with that value.
    fn go(&mut self, f: &mut dyn Smooth<T>, point: Vec<T>, value: f64) -> Result<()> {
        let gradient = f.expand(&point)?;
        let size = norm(&gradient);
        if !size.is_finite() {
            return Err(Error::NotFinite(format!("the gradient's norm is {size} where the value is {value}")));
        }
        (self.point, self.value, self.gradient) = (point, value, gradient);
        Ok(())
    }

    /// The length of the step along −g to the minimum of the model, or to as far as g is long where it has none.
    fn first_radius(&self, f: &mut dyn Smooth<T>, step: &mut Step) -> Result<f64> {
        let mut image = vec![T::zero(); self.point.len()];
        f.apply(&self.gradient, &mut image)?;
        step.products += 1;
        let (square, bend) = (dot(&self.gradient, &self.gradient), dot(&self.gradient, &image));
        step.curvature = bend / square;
        Ok(if bend > 0.0 { square.sqrt() * square / bend } else { square.sqrt() })
    }
}

/// The radius after a step: shorter than a step that was hardly worth it, farther than one that the region cut short.
fn next_radius<T>(radius: f64, trial: &Trial<T>, agreement: f64) -> f64 {
    let cut_short = trial.length >= 0.999 * radius;
    match agreement {
        _ if agreement < POOR => 0.25 * trial.length,
        _ if agreement > GOOD && cut_short => WIDEN * radius,
        _ => radius,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::vector::convert;

    type Value = fn(&[f64]) -> f64;
    type Gradient = fn(&[f64]) -> Vec<f64>;
    type Product = fn(&[f64], &[f64]) -> Vec<f64>;

    /// A function given by its formulas.
    struct Given {
        value: Value,
        gradient: Gradient,
        product: Product,
        at: Vec<f64>,
    }

    impl Given {
        fn new(value: Value, gradient: Gradient, product: Product, start: &[f64]) -> Given {
            Given { value, gradient, product, at: start.to_vec() }
        }
    }

    impl<T: Real> SymmetricOperator<T> for Given {
        fn dim(&self) -> usize {
            self.at.len()
        }

        fn apply(&mut self, v: &[T], out: &mut [T]) -> Result<()> {
            let product = (self.product)(&self.at, &convert::<T, f64>(v));
            out.copy_from_slice(&convert::<f64, T>(&product));
            Ok(())
        }
    }

    impl<T: Real> Smooth<T> for Given {
        fn value(&mut self, w: &[T]) -> Result<f64> {
            Ok((self.value)(&convert::<T, f64>(w)))
        }

        fn expand(&mut self, w: &[T]) -> Result<Vec<T>> {
            self.at = convert(w);
            Ok(convert(&(self.gradient)(&self.at)))
        }
    }

    /// Go down until the gradient is that small, never up on the way; the region and its steps.
    fn down<T: Real>(f: &mut Given, until: f64) -> (TrustRegion<T>, Vec<Step>) {
        let start = convert(&f.at.clone());
        let mut region = TrustRegion::new(f, start).unwrap();
        let mut steps = Vec::new();
        while region.gradient_norm() > until {
            let before = region.value();
            let step = region.step(f, 100).unwrap();
            assert!(region.value() < before || step.length == 0.0, "{before} {}", region.value());
            steps.push(step);
            assert!(steps.len() < 200, "no end");
            if step.length == 0.0 {
                break;
            }
        }
        (region, steps)
    }

    /// ½ Σ i (w_i − i)², i = 1, 2, …, and a coupling that makes the matrix full: ½ (Σ (w_i − i))².
    fn bowl(start: &[f64]) -> Given {
        fn off(w: &[f64]) -> Vec<f64> {
            w.iter().zip(1..).map(|(w, i)| w - f64::from(i)).collect()
        }
        fn times(d: &[f64]) -> Vec<f64> {
            let sum: f64 = d.iter().sum();
            d.iter().zip(1..).map(|(d, i)| f64::from(i) * d + sum).collect()
        }
        let value: Value = |w| 0.5 * off(w).iter().zip(times(&off(w))).map(|(d, h)| d * h).sum::<f64>();
        Given::new(value, |w| times(&off(w)), |_, v| times(v), start)
    }

    #[test]
    fn a_quadratic_bowl_ends_at_its_minimum() {
        let (region, steps) = down::<f64>(&mut bowl(&[30.0; 12]), 1e-10);
        for (w, i) in region.point().iter().zip(1..) {
            assert!((w - f64::from(i)).abs() < 1e-9, "{w} {i}");
        }
        assert!(steps.iter().all(|s| (s.agreement - 1.0).abs() < 1e-6 && s.curvature >= 1.0 - 1e-9), "{steps:?}");
        assert!(steps.len() < 20 && steps.last().unwrap().end == End::Solved);
    }

    fn rosenbrock() -> Given {
        Given::new(
            |w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2),
            |w| {
                let off = w[1] - w[0] * w[0];
                vec![-400.0 * w[0] * off - 2.0 * (1.0 - w[0]), 200.0 * off]
            },
            |w, v| {
                let (cross, first) = (-400.0 * w[0], 1200.0 * w[0] * w[0] - 400.0 * w[1] + 2.0);
                vec![first * v[0] + cross * v[1], cross * v[0] + 200.0 * v[1]]
            },
            &[-1.2, 1.0],
        )
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let (region, steps) = down::<f64>(&mut rosenbrock(), 1e-9);
        assert!(region.point().iter().all(|w| (w - 1.0).abs() < 1e-8), "{:?}", region.point());
        assert!(steps.len() < 60, "{} steps", steps.len());
        // In f32 it comes as near as that can tell.
        let (region, _) = down::<f32>(&mut rosenbrock(), 1e-2);
        assert!(region.point().iter().all(|w| (w - 1.0).abs() < 2e-2), "{:?}", region.point());
    }

    #[test]
    fn from_beside_a_saddle_it_leaves_by_negative_curvature() {
        // Σ (w² − 1)²/4 has a maximum or a saddle wherever some w is 0, and its minima at ±1.
        let mut wells = Given::new(
            |w| w.iter().map(|w| (w * w - 1.0).powi(2) / 4.0).sum(),
            |w| w.iter().map(|w| w * (w * w - 1.0)).collect(),
            |w, v| w.iter().zip(v).map(|(w, v)| (3.0 * w * w - 1.0) * v).collect(),
            &[1e-3, -2e-4, 1.0, 1e-5],
        );
        let (region, steps) = down::<f64>(&mut wells, 1e-9);
        assert!(steps[0].curvature < 0.0 && steps.iter().any(|s| s.end == End::NegativeCurvature));
        assert!(region.value() < 1e-15, "{}", region.value());
        for (w, sign) in region.point().iter().zip([1.0, -1.0, 1.0, 1.0]) {
            assert!((w - sign).abs() < 1e-8, "{:?}", region.point());
        }
    }

    #[test]
    fn where_the_function_is_not_a_number_it_does_not_go() {
        // −√(1 − w²) − 3w is a number between −1 and 1 alone; at 0 its model points to 3.
        let mut barrier = Given::new(
            |w| -(1.0 - w[0] * w[0]).sqrt() - 3.0 * w[0],
            |w| vec![w[0] / (1.0 - w[0] * w[0]).sqrt() - 3.0],
            |w, v| vec![v[0] / (1.0 - w[0] * w[0]).powf(1.5)],
            &[0.0],
        );
        let (region, steps) = down::<f64>(&mut barrier, 1e-10);
        assert!((region.point()[0] - 3.0 / 10f64.sqrt()).abs() < 1e-10, "{:?}", region.point());
        assert!(steps[0].tries > 1, "{:?}", steps[0]);
        barrier.at = vec![2.0];
        assert!(matches!(TrustRegion::<f64>::new(&mut barrier, vec![2.0]), Err(Error::NotFinite(_))));
    }

    #[test]
    fn a_minimum_that_cannot_be_told_better_is_said_to_be() {
        let (region, steps) = down::<f32>(&mut rosenbrock(), 1e-300);
        let end = steps.last().unwrap();
        assert!(end.length == 0.0 && end.tries > 0 || region.gradient_norm() == 0.0, "{end:?}");
        // At a point without a gradient no step is tried.
        let mut flat = Given::new(|_| 1.0, |w| vec![0.0; w.len()], |_, v| vec![0.0; v.len()], &[3.0]);
        let mut region = TrustRegion::<f64>::new(&mut flat, vec![3.0]).unwrap();
        let step = region.step(&mut flat, 10).unwrap();
        assert_eq!((step.length, step.tries, step.products), (0.0, 0, 0));
    }
}
