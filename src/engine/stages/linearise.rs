//! Stage Linearise: values and adjoints at w*, kept for every later product.

use crate::criteria::prefix::Prefix;
use crate::engine::climb::Climb;
use crate::engine::event::{Event, Stage};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::vector;

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn linearise(&mut self) -> Result<()> {
        let n = self.knobs().n;
        let known = self.emitter.readout.at.get(&n).is_some_and(|at| at.gradients.is_some());
        if known && !self.emitter.readout.losses.is_empty() {
            // What is known of them outlives linearisations that had to go.
            self.risk.linearise(0..self.risk.kept().min(n + 1))?;
            return Ok(());
        }
        let sequences = self.risk.batches().len();
        self.emitter.begin(Stage::Linearise, sequences);
        let losses = self.risk.linearise(0..n + 1)?;
        self.emitter.work.passes += (n + 1) as f64;
        if self.emitter.readout.losses.len() < sequences {
            self.emitter.emit(Event::Losses { first: 0, losses });
            self.rest_of_losses(n + 1, sequences)?;
        }
        let b_norm2 = self.increment_norms(n)?;
        let grad_norm = vector::norm(&self.risk.gradient(0..n)?);
        self.emitter.emit(Event::Gradients { n, grad_norm, b_norm2 });
        self.emitter.complete();
        Ok(())
    }

    /// Losses of the sequences beyond n + 1, which are shown but take no part.
    fn rest_of_losses(&mut self, first: usize, sequences: usize) -> Result<()> {
        const SLICE: usize = 64;
        for start in (first..sequences).step_by(SLICE) {
            let range = start..(start + SLICE).min(sequences);
            let losses = self.risk.losses(&[self.risk.point()], range.clone())?.concat();
            self.emitter.work.passes += range.len() as f64;
            self.emitter.emit(Event::Losses { first: start, losses });
            self.emitter.progress(range.end, sequences);
        }
        Ok(())
    }

    /// ‖b^(n)‖² from the gradients of sequences 1…n+1.
    fn increment_norms(&mut self, n: usize) -> Result<f64> {
        let mut prefix = Prefix::new(self.risk.parameters());
        let mut last = None;
        for i in 0..=n {
            last = prefix.push(&*self.risk.sequence_gradient(i)?);
        }
        Ok(last.unwrap_or(f64::NAN))
    }
}
