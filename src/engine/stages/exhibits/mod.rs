//! Stage Exhibits: what was asked for beside the run's question, one exhibit a file.

mod density;
mod laws;
mod shares;
mod theory;
mod traces;

use crate::engine::climb::{Climb, Ritz};
use crate::engine::emitter::Emitter;
use crate::engine::event::Stage;
use crate::engine::knobs::{Exhibit, Method};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::format::span;

/// Steps of the whole stage.
pub(super) struct Steps {
    done: usize,
    total: usize,
}

impl Steps {
    /// One more is done.
    pub(super) fn step(&mut self, emitter: &mut Emitter) {
        self.done += 1;
        emitter.progress(self.done, self.total);
        emitter.tick();
    }
}

impl<T: Real> Climb<T> {
    pub(in crate::engine) fn exhibits(&mut self) -> Result<()> {
        let asked = self.knobs().exhibits;
        if asked.is_empty() {
            return Ok(());
        }
        let missing: Vec<(Exhibit, usize)> =
            asked.into_iter().map(|e| (e, self.steps(e))).filter(|m| m.1 > 0).collect();
        let total = missing.iter().map(|(_, steps)| steps).sum();
        if total == 0 {
            self.emitter.still_holds(Stage::Exhibits);
            return Ok(());
        }
        self.emitter.begin(Stage::Exhibits, total);
        let mut steps = Steps { done: 0, total };
        for (exhibit, _) in missing {
            let before = self.emitter.spent();
            match exhibit {
                Exhibit::Traces => self.traces_exhibit(&mut steps)?,
                Exhibit::Shares => self.shares_exhibit(&mut steps)?,
                Exhibit::Laws => self.laws_exhibit(&mut steps)?,
                Exhibit::Theory => self.theory_exhibit(&mut steps)?,
                Exhibit::Density => self.density_exhibit(&mut steps)?,
                Exhibit::Growth => self.growth_exhibit(&mut steps)?,
            }
            let (after, mut spent) = (self.emitter.spent(), String::new());
            if after.hvps > before.hvps {
                spent += &format!(", {:.1} products", after.hvps - before.hvps);
            }
            if after.passes > before.passes {
                spent += &format!(", {:.0} forward passes", after.passes - before.passes);
            }
            self.emitter.log(format!("exhibit {exhibit}: {}{spent}", span(after.seconds - before.seconds)));
            self.emitter.checkpoint()?;
        }
        self.emitter.complete();
        Ok(())
    }

    /// Steps that an exhibit has yet to take for the knobs in force; 0 once all it shows is known.
    fn steps(&self, exhibit: Exhibit) -> usize {
        match exhibit {
            Exhibit::Traces => self.traces_missing(),
            Exhibit::Shares => self.pairs_missing().len(),
            Exhibit::Laws => self.laws_missing().len(),
            Exhibit::Theory => self.constants_missing(),
            Exhibit::Density => self.probes_missing().len(),
            Exhibit::Growth => self.growth_missing(),
        }
    }

    /// The basis in force with its values, if it is one of eigenvectors of H^(n); an empty one otherwise.
    fn eigenvectors(&self) -> (Basis<T>, Vec<f64>) {
        let known = self.found.as_ref().filter(|f| f.ritz == Ritz::Diagonal);
        match known {
            Some(f) => (f.space.vectors.clone(), f.space.values.clone()),
            None => (Basis::new(self.risk.parameters(), 0), Vec::new()),
        }
    }

    /// Whether the basis in force is orthonormal and its B exact.
    fn is_exact(&self) -> bool {
        self.found.as_ref().is_some_and(|f| f.key.method == Method::Exact)
    }
}
