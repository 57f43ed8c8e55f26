//! Shares without the quadratic model: pairs of points that agree in the subspace and nowhere else.

use super::Steps;
use crate::engine::climb::Climb;
use crate::engine::event::Event;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;

/// One pair to be taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    index: usize,
    k: usize,
    sigma: f64,
}

impl<T: Real> Climb<T> {
    /// The pairs that are still to be taken, number by number, so that all shares tighten together.
    pub(super) fn pairs_missing(&self) -> Vec<Pair> {
        let knobs = self.knobs();
        // The paper's basis is not orthonormal: it has no complement to speak of.
        let Some(found) = self.found.as_ref().filter(|_| self.is_exact()) else { return Vec::new() };
        let known = &self.emitter.readout.exhibits.pick_freeze;
        let taken = |k, sigma: f64| known.get(&(k, knobs.n, sigma.to_bits())).map_or(0, Vec::len);
        let ks = knobs.ks.iter().filter(|k| **k <= found.space.values.len());
        let jobs: Vec<(usize, f64, usize)> =
            ks.flat_map(|&k| knobs.sigmas.iter().map(move |&s| (k, s))).map(|(k, s)| (k, s, taken(k, s))).collect();
        let at =
            |index| jobs.iter().filter(move |job| job.2 <= index).map(move |&(k, sigma, _)| Pair { index, k, sigma });
        (0..knobs.draws).flat_map(at).collect()
    }

    pub(super) fn shares_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let missing = self.pairs_missing();
        for same_point in missing.chunk_by(|a, b| (a.index, a.k) == (b.index, b.k)) {
            let Pair { index, k, .. } = same_point[0];
            self.pairs(index, k, &same_point.iter().map(|p| p.sigma).collect::<Vec<_>>(), steps)?;
        }
        Ok(())
    }

    /// Pair number `index` in dimension k at each σ: the same directions, scaled.
    fn pairs(&mut self, index: usize, k: usize, sigmas: &[f64], steps: &mut Steps) -> Result<()> {
        let (n, seed) = (self.knobs().n, self.knobs().seed);
        let Some(found) = &self.found else { return Ok(()) };
        let basis = found.number;
        let z = Stream::new(seed, Purpose::Subspace, index as u64).normals(k);
        let directions = [0, 1].map(|side| {
            let mut stream = Stream::new(seed, Purpose::PickFreeze, 2 * index as u64 + side);
            let mut direction: Vec<T> = vector::normals(&mut stream, self.risk.parameters());
            // Uz + (I − UUᵀ)ε = ε + U(z − Uᵀε).
            let own = found.space.vectors.coefficients(&direction);
            let turned: Vec<f64> = z.iter().zip(own).map(|(z, own)| z - own).collect();
            found.space.vectors.add_to(&turned, &mut direction);
            direction
        });
        let mut models = Vec::new();
        for direction in &directions {
            let (before, next) = (self.risk.jet(0..n, direction)?, self.risk.jet(n..n + 1, direction)?);
            let scale = 1.0 / (n + 1) as f64;
            models.push((scale * (next.0 - before.0), scale * (next.1 - before.1)));
            self.emitter.work.hvps += 0.5 * (n + 1) as f64 / n as f64;
        }
        for &sigma in sigmas {
            let points = directions.each_ref().map(|d| self.moved(sigma, d));
            let [one, other] = self.losses_at(&points, n, sigma)?;
            let model =
                models.iter().map(|(slope, curvature)| sigma * slope + 0.5 * sigma * sigma * curvature).collect();
            self.emitter.emit(Event::PickFreeze { basis, k, n, sigma, index, one, other, model });
            steps.step(&mut self.emitter);
            self.emitter.checkpoint()?;
        }
        Ok(())
    }
}
