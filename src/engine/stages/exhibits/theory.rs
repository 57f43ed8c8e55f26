//! The constants of Theorem 2: the norms of each sequence's gradient and Hessian.

use rayon::prelude::*;

use super::Steps;
use crate::criteria::theory::TOLERANCE;
use crate::engine::climb::Climb;
use crate::engine::event::Event;
use crate::engine::hessian::Hessian;
use crate::error::Result;
use crate::math::array::Real;
use crate::spectrum::lanczos::lanczos;
use crate::spectrum::solver::{Order, Request, Start};

/// Products at most for one sequence.
const PRODUCTS: usize = 60;
/// Columns that one sequence's Lanczos holds.
const COLUMNS: usize = 8;

impl<T: Real> Climb<T> {
    pub(super) fn constants_missing(&self) -> usize {
        let n = self.knobs().n;
        // Those of a larger n hold these.
        if self.emitter.readout.exhibits.constants.range(n..).next().is_some() { 0 } else { n + 1 }
    }

    pub(super) fn theory_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let (n, seed) = (self.knobs().n, self.knobs().seed);
        // One product on one sequence keeps one thread busy, so sequences go together, as many as there is room for; a
        // device takes them one after the other.
        let together = if self.risk.on_device().is_some() { 1 } else { (self.columns / COLUMNS).max(1) };
        let (mut gradients, mut curvatures, mut residuals) = (Vec::new(), Vec::new(), Vec::new());
        for first in (0..n + 1).step_by(together) {
            let Climb { risk, emitter, .. } = self;
            let risk = &*risk;
            let sequences = first..(first + together).min(n + 1);
            let norms = sequences.into_par_iter().map(|i| {
                let request = Request {
                    order: Order::Magnitude,
                    columns: Some(COLUMNS),
                    ..Request::new(1, TOLERANCE, PRODUCTS, seed)
                };
                let space = lanczos(&mut Hessian { risk, sequences: i..i + 1 }, &request, Start::Random, &mut |_| {})?;
                let gradient = risk.sequence_gradient(i)?;
                let zero = vec![T::zero(); risk.parameters()];
                Ok((gradient.square_distance(&zero).sqrt(), space.values[0].abs(), space.residuals[0], space.products))
            });
            for (gradient, curvature, residual, products) in norms.collect::<Result<Vec<_>>>()? {
                gradients.push(gradient);
                curvatures.push(curvature);
                residuals.push(residual);
                emitter.work.hvps += products as f64 / n as f64;
                steps.step(emitter);
            }
            emitter.checkpoint()?;
        }
        self.emitter.emit(Event::Constants { n, gradients, curvatures, residuals });
        Ok(())
    }
}
