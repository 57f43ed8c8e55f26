//! The probing laws side by side: a basis for each, and the increment's quadratic model on it.

use super::super::coefficients::projected_hessian;
use super::super::subspace::Voice;
use super::Steps;
use crate::criteria::projection;
use crate::engine::climb::{Climb, SubspaceKey};
use crate::engine::event::Event;
use crate::engine::knobs::{Law, Method};
use crate::error::Result;
use crate::math::array::Real;

impl<T: Real> Climb<T> {
    /// What the laws are solved for: all that the subspace depends on but the law, by the exact method.
    fn comparison(&self) -> SubspaceKey {
        let knobs = self.knobs();
        SubspaceKey { k: knobs.k(), law: Law::Top, method: Method::Exact, ..SubspaceKey::of(&knobs) }
    }

    /// The laws whose coefficients are not out, each with the dimensions it has.
    pub(super) fn laws_missing(&self) -> Vec<(Law, usize)> {
        let key = self.comparison();
        let known = self.compared.as_ref().filter(|(of, _)| *of == key);
        let all = Law::ALL.into_iter().map(|law| (law, key.k.min(law.most(key.n))));
        all.filter(|(law, k)| *k > 0 && known.is_none_or(|(_, laws)| !laws.contains(law))).collect()
    }

    pub(super) fn laws_exhibit(&mut self, steps: &mut Steps) -> Result<()> {
        let key = self.comparison();
        for (law, k) in self.laws_missing() {
            let in_force = self.found.as_ref().is_some_and(|f| f.key == SubspaceKey { law, k, ..key.clone() });
            let event = match self.emitter.readout.quadratic() {
                Some(q) if in_force => {
                    let (c, b) = (q.c.clone(), q.b.clone());
                    Event::LawCoefficients { law, n: key.n, c, b, leakage: self.emitter.readout.leakage }
                }
                _ => self.on_law(&SubspaceKey { law, k, ..key.clone() })?,
            };
            self.emitter.emit(event);
            let compared = self.compared.take().filter(|(of, _)| *of == key);
            let mut compared = compared.unwrap_or_else(|| (key.clone(), Default::default()));
            compared.1.insert(law);
            self.compared = Some(compared);
            steps.step(&mut self.emitter);
            self.emitter.checkpoint()?;
        }
        Ok(())
    }

    /// The subspace of a law and the model on it.
    fn on_law(&mut self, key: &SubspaceKey) -> Result<Event> {
        let (space, ritz) = self.space_of(key, Voice::Quiet)?;
        let c = projection::gradient(&self.risk, &space.vectors, key.n)?;
        let curvature = projection::curvature(&self.risk, &space, &projected_hessian(&space, ritz), key.n)?;
        self.emitter.work.hvps += space.values.len() as f64 / key.n as f64;
        let leakage = curvature.leakage();
        Ok(Event::LawCoefficients { law: key.law, n: key.n, c, b: curvature.b, leakage })
    }
}
