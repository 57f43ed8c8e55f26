//! Presets: settings of the knobs that belong together.

use crate::engine::knobs::{Knobs, Law, Method, SolverKind};

/// A setting of the knobs with a name. n, σ in focus, the law and the seed stay as they are unless the preset is about
/// them: they choose the question, a preset the care taken over the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Preset {
    /// What the program starts with.
    Default,
    /// A first look.
    Quick,
    /// Narrow intervals and small residuals.
    Careful,
    /// As in the paper's figures 2 and 3, by the paper's public code.
    Paper,
}

impl Preset {
    /// All presets.
    pub const ALL: [Preset; 4] = [Preset::Default, Preset::Quick, Preset::Careful, Preset::Paper];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Default => "default",
            Preset::Quick => "quick",
            Preset::Careful => "careful",
            Preset::Paper => "paper",
        }
    }

    /// What it is for, with its values.
    pub fn about(self) -> &'static str {
        match self {
            Preset::Default => "as at the start: k 1, 4, 16; S 64; tol 1e-3; exact",
            Preset::Quick => "a first look: k 1, 4; S 16; tol 1e-2",
            Preset::Careful => "narrow intervals, small residuals: S 512; tol 1e-5",
            Preset::Paper => "the paper's figures: k 1, 4, 16; S 64; power; method paper",
        }
    }

    /// The knobs it makes of `now`.
    pub fn of(self, now: &Knobs) -> Knobs {
        let default = Knobs::default();
        let exact = Knobs { solver: SolverKind::Lanczos, method: Method::Exact, ..now.clone() };
        match self {
            Preset::Default => Knobs { n: now.n, seed: now.seed, ..default },
            Preset::Quick => Knobs { ks: vec![1, 4], draws: 16, tol: 1e-2, ..exact },
            Preset::Careful => Knobs { draws: 512, tol: 1e-5, ..exact },
            Preset::Paper => Knobs {
                solver: SolverKind::Power,
                law: Law::Top,
                method: Method::Paper,
                n: now.n,
                seed: now.seed,
                ..default
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_preset_is_the_papers() {
        let now = Knobs { n: 3, seed: 5, law: Law::Random, draws: 7, ..Knobs::default() };
        let paper = Preset::Paper.of(&now);
        assert_eq!((paper.n, paper.seed, paper.law, paper.draws), (3, 5, Law::Top, 64));
        assert_eq!((&paper.ks[..], &paper.sigmas[..]), (&[1, 4, 16][..], &[1e-4, 1e-3, 1e-2][..]));
        assert_eq!((paper.method, paper.solver), (Method::Paper, SolverKind::Power));
        let careful = Preset::Careful.of(&paper);
        assert_eq!((careful.method, careful.solver, careful.ks), (Method::Exact, SolverKind::Lanczos, paper.ks));
    }

    #[test]
    fn every_preset_passes_the_check() {
        for preset in Preset::ALL {
            preset.of(&Knobs::default()).check(16, 1000).unwrap();
        }
    }
}
