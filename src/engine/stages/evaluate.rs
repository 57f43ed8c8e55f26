//! Stage Evaluate (III): Monte Carlo of the criteria, in rounds that tighten every estimate together.

use crate::engine::climb::Climb;
use crate::engine::event::{Event, Stage, Target};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;

/// Draws of the first round; each round doubles them.
const FIRST_ROUND: usize = 4;
/// Directions of the proxy curve taken after the first round.
const FIRST_DIRECTIONS: usize = 2;

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn evaluate(&mut self) -> Result<()> {
        let knobs = self.knobs();
        let Some(found) = &self.found else { return Ok(()) };
        let basis = found.number;
        let dimension = found.space.values.len();
        // The focus first, so that the figures being looked at tighten first.
        let sigmas = std::iter::once(knobs.sigma).chain(knobs.sigmas.iter().copied().filter(|s| *s != knobs.sigma));
        let targets: Vec<Target> = knobs
            .ks
            .iter()
            .filter(|k| **k <= dimension)
            .map(|&k| Target::Subspace { k, basis })
            .chain([Target::Full])
            .collect();
        let jobs: Vec<(f64, Target)> = sigmas.flat_map(|s| targets.iter().map(move |t| (s, *t))).collect();
        let taken = |c: &Self, &(sigma, target): &(f64, Target)| c.emitter.readout.draws(target, knobs.n, sigma).len();
        let total: usize = jobs.iter().map(|job| knobs.draws.saturating_sub(taken(self, job))).sum();
        if total == 0 && self.proxies_known(knobs.n) >= FIRST_DIRECTIONS {
            self.emitter.still_holds(Stage::Evaluate);
            return Ok(());
        }
        self.emitter.begin(Stage::Evaluate, total);
        let mut done = 0;
        let mut round = FIRST_ROUND.min(knobs.draws);
        loop {
            for (position, job) in jobs.iter().enumerate() {
                for index in taken(self, job)..round {
                    self.draw(job.1, knobs.n, job.0, index)?;
                    done += 1;
                    self.emitter.progress(done, total);
                    self.emitter.checkpoint()?;
                }
                if position + 1 == targets.len() {
                    // The focus has its first figures: give the proxy its first too before they are tightened.
                    self.proxy(knobs.n, FIRST_DIRECTIONS, |_| ())?;
                }
            }
            if round == knobs.draws {
                break;
            }
            round = (2 * round).min(knobs.draws);
        }
        self.emitter.complete();
        Ok(())
    }

    /// One antithetic pair: losses of sequences 1…n+1 at w* ± δ.
    fn draw(&mut self, target: Target, n: usize, sigma: f64, index: usize) -> Result<()> {
        let seed = self.knobs().seed;
        let (direction, slopes) = match target {
            Target::Subspace { k, .. } => {
                let z = Stream::new(seed, Purpose::Subspace, index as u64).normals(k);
                let Some(found) = &self.found else { return Ok(()) };
                (found.space.vectors.combine(&z), Vec::new())
            }
            Target::Full => {
                let direction: Vec<T> =
                    vector::normals(&mut Stream::new(seed, Purpose::Full, index as u64), self.risk.parameters());
                let slopes = self.risk.slopes(0..n + 1, &direction)?;
                (direction, slopes)
            }
        };
        let points = [sigma, -sigma].map(|s| self.moved(s, &direction));
        let [plus, minus] = self.losses_at(&points, n, sigma)?;
        self.emitter.emit(Event::Draw { target, n, sigma, index, plus, minus, slopes });
        Ok(())
    }

    /// Losses of sequences 1…n+1 at two points that are a draw of σ away from the checkpoint.
    ///
    /// # Errors
    /// [`Error::NotFinite`] with the σ at which they are not finite.
    pub(super) fn losses_at(&mut self, points: &[Vec<T>; 2], n: usize, sigma: f64) -> Result<[Vec<f64>; 2]> {
        let mut rows = self.risk.losses(&[&points[0], &points[1]], 0..n + 1)?.into_iter();
        let losses = [(); 2].map(|()| rows.next().unwrap_or_default());
        if losses.iter().flatten().any(|l| !l.is_finite()) {
            return Err(Error::NotFinite(format!(
                "the loss is not finite at distance σ = {sigma:e} from the checkpoint; use a smaller --sigma"
            )));
        }
        self.emitter.work.passes += 2.0 * (n + 1) as f64;
        Ok(losses)
    }

    /// w* + s·direction.
    pub(super) fn moved(&self, s: f64, direction: &[T]) -> Vec<T> {
        vector::moved(self.risk.point(), s, direction)
    }
}
