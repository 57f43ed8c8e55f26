//! Stage Sweeps: curves against σ (validity of the proxy) and against n (coefficients of every m ≤ n).

use std::sync::Arc;

use crate::criteria::increment::{increment, mean};
use crate::criteria::prefix::Prefix;
use crate::criteria::projection::{self, Sequence};
use crate::criteria::proxy;
use crate::diff::risk::{Interrupt, Risk};
use crate::engine::climb::Climb;
use crate::engine::emitter::Emitter;
use crate::engine::event::{Event, Stage};
use crate::engine::knobs::Method;
use crate::engine::problem::Landscape;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;

/// Directions of the proxy curve.
const DIRECTIONS: usize = 8;
/// σ evaluated together: enough to fill the threads, few enough to hold their points.
const TOGETHER: usize = 4;
/// Points the rounding floor is measured on.
const FLOOR_POINTS: usize = 4;
/// Distance of those points, small enough that only rounding differs between precisions.
const FLOOR_SIGMA: f64 = 1e-3;
/// Radius and number of the paper's sphere directions.
const SPHERE: (f64, usize) = (0.02, 50);

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn sweeps(&mut self) -> Result<()> {
        let knobs = self.knobs();
        let Some(number) = self.found.as_ref().map(|f| f.number) else { return Ok(()) };
        let n = knobs.n;
        let known = self.proxies_known(n);
        let against_n = if self.swept == Some(number) { 0 } else { n };
        let steps = proxy::grid().len();
        let total = DIRECTIONS.saturating_sub(known) * steps + against_n;
        let sphere =
            knobs.method == Method::Paper && self.emitter.readout.at.get(&n).is_none_or(|at| at.sphere.is_empty());
        if total == 0 && !sphere {
            self.emitter.still_holds(Stage::Sweeps);
            return Ok(());
        }
        self.emitter.begin(Stage::Sweeps, total);
        if sphere {
            self.sphere(n)?;
        }
        let mut done = 0;
        self.proxy(n, DIRECTIONS, |emitter| {
            done += TOGETHER;
            emitter.progress(done.min(total), total);
        })?;
        if against_n > 0 {
            self.against_n(n, number, total - against_n, total)?;
            self.swept = Some(number);
        }
        self.emitter.complete();
        Ok(())
    }

    /// Directions whose whole curve is known.
    pub(super) fn proxies_known(&self, n: usize) -> usize {
        let steps = proxy::grid().len();
        let here = self.emitter.readout.at.get(&n);
        here.map_or(0, |at| at.proxy.values().filter(|d| d.losses.len() == steps).count())
    }

    /// Curves of the proxy along the first `directions` directions, as far as they are not known; `step` follows every
    /// group of σ.
    pub(super) fn proxy(&mut self, n: usize, directions: usize, mut step: impl FnMut(&mut Emitter)) -> Result<()> {
        if self.emitter.readout.at.get(&n).is_none_or(|at| at.floor.is_none()) {
            self.rounding_floor(n)?;
        }
        for index in self.proxies_known(n)..directions {
            let mut stream = Stream::new(self.knobs().seed, Purpose::Proxy, index as u64);
            let direction: Vec<T> = vector::normals(&mut stream, self.risk.parameters());
            let (slope, curvature) = self.risk.jet(0..n, &direction)?;
            self.emitter.work.hvps += 0.5;
            self.emitter.emit(Event::ProxyDirection { n, index, slope, curvature });
            for sigmas in proxy::grid().chunks(TOGETHER) {
                let moved: Vec<Vec<T>> = sigmas.iter().map(|s| self.moved(*s, &direction)).collect();
                let losses = self.risk.losses(&moved.iter().map(Vec::as_slice).collect::<Vec<_>>(), 0..n)?;
                self.emitter.work.passes += (sigmas.len() * n) as f64;
                for (&sigma, losses) in sigmas.iter().zip(&losses) {
                    // An overflow far out is a point less on the curve, not the end of the run.
                    if let Some(loss) = mean(losses, n) {
                        self.emitter.emit(Event::ProxyLoss { n, index, sigma, loss });
                    }
                }
                step(&mut self.emitter);
                self.emitter.checkpoint()?;
            }
        }
        Ok(())
    }

    /// Coefficients of every m < n on the basis of n: UᵀH_iU for each sequence, then differences of running means.
    fn against_n(&mut self, n: usize, number: u32, done: usize, total: usize) -> Result<()> {
        let Some(found) = &self.found else { return Ok(()) };
        let k = found.space.values.len();
        let columns: Vec<&[T]> = found.space.vectors.cols().collect();
        let mut prefix = Prefix::new(self.risk.parameters());
        let mut sequences: Vec<Sequence> = Vec::new();
        for i in 0..n {
            let gradient = self.risk.sequence_gradient(i)?;
            sequences.push(Sequence::of(&self.risk, &columns, i, &gradient)?);
            if let Some(b_norm2) = prefix.push(&*gradient) {
                let (c, b) = projection::brought(&sequences, i, i);
                self.emitter.emit(Event::Coefficients { basis: number, m: i, c, b, b_norm2, leakage: None });
            }
            self.emitter.work.hvps += k as f64 / n as f64;
            self.emitter.progress(done + i + 1, total);
            self.emitter.checkpoint()?;
        }
        Ok(())
    }

    /// Rounding error of a loss difference: against the other precision, at the same points to the last digit.
    fn rounding_floor(&mut self, n: usize) -> Result<()> {
        let control = self.emitter.control.clone();
        let seed = self.knobs().seed;
        let directions = (0..FLOOR_POINTS).map(|i| Stream::new(seed, Purpose::Proxy, (DIRECTIONS + i) as u64));
        let floor = floor(&*self.landscape, &self.risk, n, directions, Arc::new(move || control.check()))?;
        self.emitter.work.passes += (2 * (FLOOR_POINTS + 1) * n) as f64;
        self.emitter.emit(Event::RoundingFloor { n, floor, points: FLOOR_POINTS });
        Ok(())
    }

    /// The paper's J_1: |Δ_n| on a sphere around the checkpoint.
    fn sphere(&mut self, n: usize) -> Result<()> {
        let (radius, directions) = SPHERE;
        let mut values = Vec::new();
        for index in 0..directions {
            let mut stream = Stream::new(self.knobs().seed, Purpose::Sphere, index as u64);
            let direction: Vec<T> = vector::normals(&mut stream, self.risk.parameters());
            let point = self.moved(radius / vector::norm(&direction), &direction);
            let losses = self.risk.losses(&[&point], 0..n + 1)?.concat();
            values.push(increment(&losses, n).unwrap_or(f64::NAN).abs());
            self.emitter.work.passes += (n + 1) as f64;
            self.emitter.checkpoint()?;
        }
        self.emitter.emit(Event::SphereJ1 { n, values });
        Ok(())
    }
}

/// Rounding error of a difference of L_n: root mean square over points in some random directions.
///
/// # Errors
/// [`crate::error::Error::Cancelled`].
pub(in crate::engine) fn floor<T: Real>(
    landscape: &dyn Landscape,
    risk: &Risk<T>,
    n: usize,
    directions: impl Iterator<Item = Stream>,
    interrupt: Interrupt,
) -> Result<f64> {
    if T::EPSILON == f32::EPSILON as f64 {
        difference(risk, &landscape.double(interrupt), n, directions)
    } else {
        // f64 has nothing finer to compare with: its errors are those of f32, scaled by the unit of rounding.
        let coarse = difference(risk, &landscape.single(interrupt), n, directions)?;
        Ok(coarse * f64::EPSILON / f64::from(f32::EPSILON))
    }
}

/// Root mean square of (L(w) − L(w*)) in T less the same in O, a point at a time.
fn difference<T: Real, O: Real>(
    risk: &Risk<T>,
    other: &Risk<O>,
    n: usize,
    directions: impl Iterator<Item = Stream>,
) -> Result<f64> {
    let means = |w: &[T]| -> Result<(f64, f64)> {
        // Both precisions must see the very same point: the coarser one's digits.
        let coarse: Vec<f32> = vector::convert(w);
        let own = risk.losses(&[&vector::convert(&coarse)], 0..n)?.concat();
        let others = other.losses(&[&vector::convert(&coarse)], 0..n)?.concat();
        Ok((mean(&own, n).unwrap_or(f64::NAN), mean(&others, n).unwrap_or(f64::NAN)))
    };
    let at = means(risk.point())?;
    let mut squares = Vec::new();
    for mut stream in directions {
        let direction: Vec<T> = vector::normals(&mut stream, risk.parameters());
        let there = means(&vector::moved(risk.point(), FLOOR_SIGMA, &direction))?;
        squares.push(((there.0 - at.0) - (there.1 - at.1)).powi(2));
    }
    Ok((squares.iter().sum::<f64>() / squares.len() as f64).sqrt())
}
