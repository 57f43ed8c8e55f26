//! Tr A and ‖A‖_F² by an estimator that knows the basis.

use super::Steps;
use crate::engine::climb::Climb;
use crate::engine::event::Event;
use crate::engine::hessian::Deformation;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::trace::{Known, xtrace};

/// Test vectors, two products each: the products of the plain probes of stage II.
const SKETCH: usize = 16;

impl<T: Real> Climb<T> {
    pub(super) fn traces_missing(&self) -> usize {
        if self.emitter.readout.exhibits.traces.contains_key(&self.knobs().n) { 0 } else { 2 * self.sketch() }
    }

    /// Test vectors that the memory plan has room for, of two columns each.
    fn sketch(&self) -> usize {
        SKETCH.min(self.columns / 2).max(2)
    }

    pub(super) fn traces_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let (n, seed, sketch, dim) = (self.knobs().n, self.knobs().seed, self.sketch(), self.risk.parameters());
        let exact = self.is_exact();
        let Climb { risk, emitter, found, image2, .. } = self;
        let Some(found) = found else { return Ok(()) };
        let none = Basis::new(dim, 0);
        let known = match (emitter.readout.quadratic(), image2) {
            (Some(q), Some(image2)) if exact => {
                let k = q.k();
                Known { basis: &found.space.vectors, trace: q.trace(k), inside2: q.frob2(k), image2: *image2 }
            }
            _ => Known { basis: &none, trace: 0.0, inside2: 0.0, image2: 0.0 },
        };
        let test = |i: usize| vector::normals(&mut Stream::new(seed, Purpose::Sketch, i as u64), dim);
        let per_product = (n + 1) as f64 / n as f64;
        let traces = xtrace(&mut Deformation::new(risk, n), known, sketch, &test, &mut || {
            emitter.work.hvps += per_product;
            steps.step(emitter);
        })?;
        emitter.emit(Event::Traces { n, trace: traces.trace, frob2: traces.frob2, products: traces.products });
        Ok(())
    }
}
