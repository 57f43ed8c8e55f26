//! The exhibit Growth: criteria against n at the checkpoint of the run, each n with an eigenspace of its own.

use std::time::Instant;

use super::exhibits::Steps;
use crate::criteria::increment::mean;
use crate::engine::climb::Climb;
use crate::engine::event::Event;
use crate::engine::growth::point::{self, Traces, eigenspace, increments};
use crate::engine::growth::{Mode, Point, doubling};
use crate::engine::knobs::{Knobs, Law, Method};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::{Basis, cosines};

impl<T: Real> Climb<T> {
    /// Points for the powers of two below n and for n, as far as they are not known; each basis starts from the one
    /// before it. The traces are those of stage II, which hold for every m ≤ n. The basis in force stays.
    pub(super) fn growth_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let knobs = self.knobs();
        let mut former: Option<Basis<T>> = None;
        for n in doubling(knobs.n) {
            let (began, before) = (Instant::now(), former.take());
            let known = self.emitter.readout.probed_traces(n).filter(|_| !self.grown(&knobs, n));
            let Some((trace, frob2)) = known else { continue };
            let losses = self.emitter.readout.losses.clone();
            // The basis in force, the former one and the columns of this solve share what was planned for a solve.
            let columns = self.columns.saturating_sub(knobs.k() + 2);
            let Climb { risk, emitter, found, .. } = self;
            let own = found.as_ref().filter(|f| f.key.law == Law::Top && f.key.method == Method::Exact);
            let near = before.as_ref().or(own.map(|f| &f.space.vectors));
            let fresh = match own.filter(|f| f.key.n == n) {
                Some(_) => None,
                None => Some(eigenspace(risk, emitter, &knobs, n, columns, near)?),
            };
            let Some(space) = fresh.as_ref().or(own.map(|f| &f.space)) else { continue };
            let next = increments(risk, emitter, &losses, n, space, &[Traces { trace, frob2 }])?;
            let point = Point {
                mode: Mode::Fixed,
                run: 0,
                seed: knobs.seed,
                step: None,
                n,
                loss: mean(&losses, n).unwrap_or(f64::NAN),
                grad_norm: point::grad_norm(risk, n)?,
                values: space.values.clone(),
                residuals: space.residuals.clone(),
                products: space.products,
                cosines: before.map_or(Ok(Vec::new()), |before| cosines(&before, &space.vectors))?,
                next,
                proxy: Vec::new(),
                seconds: began.elapsed().as_secs_f64(),
            };
            former = fresh.map(|space| space.vectors);
            self.emitter.emit(Event::Growth(Box::new(point)));
            steps.step(&mut self.emitter);
            self.emitter.checkpoint()?;
        }
        Ok(())
    }

    /// Points that are not known for the knobs in force.
    pub(super) fn growth_missing(&self) -> usize {
        let knobs = self.knobs();
        doubling(knobs.n).into_iter().filter(|n| !self.grown(&knobs, *n)).count()
    }

    /// Whether the point of n is known for these knobs.
    fn grown(&self, knobs: &Knobs, n: usize) -> bool {
        self.emitter
            .readout
            .exhibits
            .growth
            .iter()
            .any(|p| (p.mode, p.n, p.seed) == (Mode::Fixed, n, knobs.seed) && p.values.len() >= knobs.k())
    }
}
