//! What a reproduction runs: which runs each exhibit needs, and their settings.

use crate::cli::flags::Options;
use crate::engine::growth::{Mode, Plan, Spacing};
use crate::engine::knobs::{Exhibit, Knobs, Method, Precision};
use crate::engine::readout::Readout;
use crate::report::reproduction::Evidence;
use crate::train::curriculum::{Curriculum, Rows};

use super::SizeFlags;

/// What is reproduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Decay of the criteria.
    Fig2,
    /// Ratio of J_sub to J_full.
    Fig3,
    /// Validity of the quadratic proxy.
    Fig4,
    /// Estimators against draws.
    Fig5,
    /// Direct Monte Carlo against the closed form over k and σ.
    Fig6,
    /// Cost of the stages.
    Table3,
    /// Theorem 2, Corollary 4, Proposition 3.
    Theory,
    /// Everything.
    All,
}

/// One of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The checkpoint by the exact method, with every exhibit.
    Measure,
    /// The same by the paper's method.
    Paper,
    /// Many k and σ in f64.
    Map,
    /// Growth at one checkpoint.
    Fixed,
    /// Growth along training.
    Training,
}

/// Dimensions and σ of the map, and its draws: fewer, for there are many cells.
const MAP: ([usize; 4], [f64; 6], usize) = ([1, 4, 16, 64], [1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2], 16);
/// Held-out next sequences of the growth runs, which tame the noise of one.
const NEXT: usize = 4;
/// Random probes of the traces of A at every point.
const PROBES: usize = 8;
/// Directions of the proxy curve at every checkpoint of training.
const DIRECTIONS: usize = 4;
/// n of a training run, at most.
const STOPS: usize = 6;

impl What {
    /// The runs it needs, in the order they are made.
    pub fn runs(self) -> Vec<Kind> {
        match self {
            What::Fig2 => vec![Kind::Fixed, Kind::Training],
            What::Fig3 => vec![Kind::Measure, Kind::Paper, Kind::Fixed, Kind::Training],
            What::Fig4 => vec![Kind::Measure, Kind::Map, Kind::Training],
            What::Fig5 => vec![Kind::Measure],
            What::Fig6 => vec![Kind::Map],
            What::Table3 => vec![],
            What::Theory => vec![Kind::Measure, Kind::Fixed],
            What::All => Kind::ALL.to_vec(),
        }
    }

    /// Whether the stages are timed.
    pub fn has_costs(self) -> bool {
        matches!(self, What::Table3 | What::All)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Kind::Measure => "measure",
            Kind::Paper => "paper",
            Kind::Map => "map",
            Kind::Fixed => "fixed",
            Kind::Training => "training",
        })
    }
}

impl Kind {
    /// All, in the order they are made.
    pub const ALL: [Kind; 5] = [Kind::Measure, Kind::Paper, Kind::Map, Kind::Fixed, Kind::Training];

    /// Its knobs: what is given, else the reproduction's defaults.
    pub fn knobs(self, options: &Options) -> Knobs {
        let given = options.knobs();
        let beside = |exhibits: &[Exhibit]| exhibits.iter().copied().collect();
        match self {
            // Growth has runs of its own.
            Kind::Measure => Knobs {
                exhibits: Exhibit::ALL.into_iter().filter(|exhibit| *exhibit != Exhibit::Growth).collect(),
                ..given
            },
            Kind::Paper => Knobs { method: Method::Paper, ..given },
            Kind::Map => {
                let (ks, sigmas, draws) = MAP;
                Knobs {
                    ks: if options.k.is_some() { given.ks } else { ks.to_vec() },
                    sigmas: if options.sigma.is_some() { given.sigmas } else { sigmas.to_vec() },
                    draws: if options.draws.is_some() { given.draws } else { draws },
                    exhibits: beside(&[]),
                    ..given
                }
            }
            Kind::Fixed | Kind::Training => given,
        }
    }

    /// The precision it is computed in: a map goes to σ at which f32 knows nothing but rounding.
    pub fn precision(self) -> Precision {
        if self == Kind::Map { Precision::F64 } else { Precision::F32 }
    }

    /// What a growth run is to do; `None` for the others.
    pub(super) fn growth(self, options: &Options, size: &SizeFlags) -> Option<Plan> {
        let knobs = self.knobs(options);
        let curriculum = Curriculum { rows: Rows::Newest, steps_per_sequence: 4, learning_rate: 1e-3 };
        let n = size.grow_to;
        let (mode, grid, directions) = match self {
            // Every n, so that eigenspaces of neighbours are compared.
            Kind::Fixed => (Mode::Fixed, Spacing::Linear.grid(n, n), 0),
            Kind::Training => (Mode::Training, Spacing::Log.grid(n, STOPS), DIRECTIONS),
            Kind::Measure | Kind::Paper | Kind::Map => return None,
        };
        let probes = PROBES.min(knobs.draws.max(2));
        Some(Plan { mode, grid, next: NEXT, runs: size.runs, probes, directions, curriculum })
    }

    /// Its place among the evidence.
    pub fn place(self, evidence: &mut Evidence) -> &mut Option<Readout> {
        match self {
            Kind::Measure => &mut evidence.measure,
            Kind::Paper => &mut evidence.paper,
            Kind::Map => &mut evidence.map,
            Kind::Fixed => &mut evidence.fixed,
            Kind::Training => &mut evidence.training,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_given_win_and_the_rest_is_the_reproductions() {
        let size = SizeFlags { grow_to: 5, runs: 2, repeats: 1 };
        let options = Options { k: Some("2".parse().unwrap()), ..Options::default() };
        let map = Kind::Map.knobs(&options);
        assert_eq!((map.ks.as_slice(), map.sigmas.len(), map.draws), (&[2][..], 6, 16));
        assert_eq!(Kind::Paper.knobs(&options).method, Method::Paper);
        assert!(!Kind::Measure.knobs(&options).exhibits.contains(&Exhibit::Growth));
        let plan = Kind::Fixed.growth(&options, &size).unwrap();
        assert_eq!((plan.grid.as_slice(), plan.runs), (&[1, 2, 3, 4, 5][..], 2));
        assert!(Kind::Map.growth(&options, &size).is_none());
    }

    #[test]
    fn all_makes_every_run_that_any_exhibit_needs() {
        let all = What::All.runs();
        for what in [What::Fig2, What::Fig3, What::Fig4, What::Fig5, What::Fig6, What::Table3, What::Theory] {
            assert!(what.runs().iter().all(|kind| all.contains(kind)), "{what:?}");
        }
    }
}
