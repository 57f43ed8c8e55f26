//! The ladder of stages: what a turned knob invalidates.

use super::event::Stage;
use super::knobs::Knobs;

/// The first stage whose inputs differ between two settings; everything above it is kept. `None` if nothing differs.
///
/// σ, the list of σ and the number of draws only add work to Evaluate: coefficients, curves against σ and the draws
/// already taken stay valid. What is asked beside touches nothing else.
pub fn invalidated(old: &Knobs, new: &Knobs) -> Option<Stage> {
    let subspace = |k: &Knobs| (k.n, k.k(), k.solver, k.tol.to_bits(), k.law, k.method, k.seed);
    if subspace(old) != subspace(new) {
        return Some(Stage::Subspace);
    }
    let asked_beside = Knobs { exhibits: old.exhibits.clone(), ..new.clone() };
    if *old != asked_beside {
        return Some(Stage::Evaluate);
    }
    (old != new).then_some(Stage::Exhibits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::knobs::Exhibit;

    #[test]
    fn a_knob_invalidates_only_what_depends_on_it() {
        let base = Knobs::default();
        let after = |change: fn(&mut Knobs)| {
            let mut knobs = base.clone();
            change(&mut knobs);
            invalidated(&base, &knobs)
        };
        assert_eq!(after(|_| ()), None);
        assert_eq!(after(|k| k.set_sigma(2e-3)), Some(Stage::Evaluate));
        assert_eq!(after(|k| k.draws = 128), Some(Stage::Evaluate));
        assert_eq!(after(|k| k.ks = vec![2, 16]), Some(Stage::Evaluate));
        assert_eq!(after(|k| k.exhibits.extend(Exhibit::ALL)), Some(Stage::Exhibits));
        assert_eq!(after(|k| k.set_k(20)), Some(Stage::Subspace));
        assert_eq!(after(|k| k.n = 4), Some(Stage::Subspace));
        assert_eq!(after(|k| k.seed = 1), Some(Stage::Subspace));
    }
}
