//! The spectral density of H^(n).

use std::ops::Range;

use super::Steps;
use crate::engine::climb::Climb;
use crate::engine::event::Event;
use crate::engine::hessian::Hessian;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::stream::{Purpose, Stream};
use crate::math::vector;
use crate::spectrum::density::{Density, quadrature};

/// Random vectors, enough for their spread to say something.
const PROBES: usize = 4;
/// Most products of each.
const PRODUCTS: usize = 48;

impl<T: Real> Climb<T> {
    /// Numbers of the probes that are still to be taken.
    pub(super) fn probes_missing(&self) -> Range<usize> {
        self.emitter.readout.exhibits.density.get(&self.knobs().n).map_or(0, Vec::len)..PROBES
    }

    pub(super) fn density_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let (n, seed, dim) = (self.knobs().n, self.knobs().seed, self.risk.parameters());
        let (known, values) = self.eigenvectors();
        for probe in self.probes_missing() {
            let start = vector::normals(&mut Stream::new(seed, Purpose::Density, probe as u64), dim);
            let Climb { risk, emitter, columns, .. } = self;
            let products = PRODUCTS.min(*columns);
            let Density { nodes, weights } =
                quadrature(&mut Hessian { risk, sequences: 0..n }, &known, &values, start, products, &mut || {
                    emitter.work.hvps += 1.0;
                    emitter.tick();
                })?;
            emitter.emit(Event::Density { n, probe, nodes, weights });
            steps.step(emitter);
            emitter.checkpoint()?;
        }
        Ok(())
    }
}
