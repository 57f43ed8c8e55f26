//! Knobs: everything a user can turn while eigentop runs, with the checks that keep a turned knob meaningful.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Eigensolver of stage I.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum SolverKind {
    /// Thick-restart Lanczos with full re-orthogonalisation.
    Lanczos,
    /// Deflated power iteration with the Rayleigh quotient's sign, re-orthogonalised.
    Power,
    /// The locally optimal block conjugate gradient method with soft locking.
    Lobpcg,
}

/// Probing law: which k-dimensional subspace the draws live in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Law {
    /// Eigenvectors of the k algebraically largest eigenvalues of H^(n).
    Top,
    /// Eigenvectors of the k algebraically smallest eigenvalues of H^(n).
    Bottom,
    /// A uniformly random k-dimensional subspace.
    Random,
    /// The span of the first k per-sequence gradients (k ≤ n).
    Gradients,
    /// The top eigenspace of H^(⌈n/2⌉), frozen while n moved on (n ≥ 2).
    Frozen,
    /// The span of the increment's gradient b: one dimension.
    Increment,
    /// Eigenvectors of the increment's Hessian A = H^(n+1) − H^(n) with the k eigenvalues largest in magnitude.
    Deformation,
}

impl Law {
    /// All, the default first.
    pub const ALL: [Law; 7] =
        [Law::Top, Law::Bottom, Law::Random, Law::Gradients, Law::Frozen, Law::Increment, Law::Deformation];

    /// Whether its basis is one of eigenvectors of H^(n).
    pub fn is_eigenspace(self) -> bool {
        matches!(self, Law::Top | Law::Bottom)
    }

    /// The most dimensions this law has at n.
    pub fn most(self, n: usize) -> usize {
        match self {
            Law::Gradients => n,
            Law::Increment => 1,
            // H^(0) is the Hessian of no sequence.
            Law::Frozen if n < 2 => 0,
            _ => usize::MAX,
        }
    }
}

/// What a run computes beside the answer to its question, once that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Exhibit {
    /// Traces of A by an estimator that knows the basis.
    Traces,
    /// Shares without the quadratic model, by pick-freeze.
    Shares,
    /// The probing laws side by side.
    Laws,
    /// The constants of Theorem 2.
    Theory,
    /// The spectral density of H^(n).
    Density,
    /// J_1, J_full and J_sub for the n of a grid up to n, each with a basis of its own.
    Growth,
}

impl Exhibit {
    /// All, in the order they are computed.
    pub const ALL: [Exhibit; 6] =
        [Exhibit::Traces, Exhibit::Shares, Exhibit::Laws, Exhibit::Theory, Exhibit::Density, Exhibit::Growth];
}

/// How the criteria are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// The definitions, with the exact savings.
    Exact,
    /// The paper's public code: unsigned power iteration without re-orthogonalisation, Hessians cut to four rows.
    Paper,
}

/// Floating-point precision of values, derivatives and basis vectors. Reductions are always in f64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// IEEE single.
    F32,
    /// IEEE single, matrix products from factors rounded to TF32: on a GPU, on request.
    Tf32,
    /// IEEE double.
    F64,
}

impl SolverKind {
    /// All, the default first.
    pub const ALL: [SolverKind; 3] = [SolverKind::Lanczos, SolverKind::Power, SolverKind::Lobpcg];
}

impl std::fmt::Display for SolverKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            SolverKind::Lanczos => "lanczos",
            SolverKind::Power => "power",
            SolverKind::Lobpcg => "lobpcg",
        })
    }
}

impl std::fmt::Display for Law {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Law::Top => "top",
            Law::Bottom => "bottom",
            Law::Random => "random",
            Law::Gradients => "gradients",
            Law::Frozen => "frozen",
            Law::Increment => "increment",
            Law::Deformation => "deformation",
        })
    }
}

impl std::fmt::Display for Exhibit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Exhibit::Traces => "traces",
            Exhibit::Shares => "shares",
            Exhibit::Laws => "laws",
            Exhibit::Theory => "theory",
            Exhibit::Density => "density",
            Exhibit::Growth => "growth",
        })
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Method::Exact => "exact",
            Method::Paper => "paper",
        })
    }
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Precision::F32 => "f32",
            Precision::Tf32 => "tf32",
            Precision::F64 => "f64",
        })
    }
}

/// The knobs. Turning one restarts the ladder from the first stage that depends on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Knobs {
    /// Training sequences in the empirical risk L_n (the paper's k).
    pub n: usize,
    /// Subspace dimensions shown and evaluated, ascending; the last is the one solved for (the paper's D).
    pub ks: Vec<usize>,
    /// Standard deviation of the probe in focus, in parameter units.
    pub sigma: f64,
    /// All σ evaluated by Monte Carlo, ascending, `sigma` among them.
    pub sigmas: Vec<f64>,
    /// Monte Carlo draws (antithetic pairs) per target and σ.
    pub draws: usize,
    /// Eigensolver.
    pub solver: SolverKind,
    /// Eigenpairs are converged when every residual is ≤ tol · λ_1.
    pub tol: f64,
    /// Probing law.
    pub law: Law,
    /// Exact or the paper's method.
    pub method: Method,
    /// Seed of every random stream.
    pub seed: u64,
    /// What else is computed. Sessions older than exhibits have none.
    #[serde(default)]
    pub exhibits: BTreeSet<Exhibit>,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs {
            n: 8,
            ks: vec![1, 4, 16],
            sigma: 1e-3,
            sigmas: vec![1e-4, 1e-3, 1e-2],
            draws: 64,
            solver: SolverKind::Lanczos,
            tol: 1e-3,
            law: Law::Top,
            method: Method::Exact,
            seed: 0,
            exhibits: BTreeSet::new(),
        }
    }
}

impl Knobs {
    /// The dimension solved for: the largest k.
    pub fn k(&self) -> usize {
        self.ks.last().copied().unwrap_or(1)
    }

    /// Every k with every σ: where figures are asked for.
    pub fn places(&self) -> impl Iterator<Item = (usize, f64)> {
        self.ks.iter().flat_map(|k| self.sigmas.iter().map(move |sigma| (*k, *sigma)))
    }

    /// Solve for `k` dimensions and show the powers of four below it too.
    pub fn set_k(&mut self, k: usize) {
        self.ks = std::iter::successors(Some(1), |k| Some(k * 4)).take_while(|&j| j < k).chain([k]).collect();
    }

    /// Bring `sigma` into focus; the former focus stays evaluated only if it is one of the standing values.
    pub fn set_sigma(&mut self, sigma: f64) {
        let standing = Knobs::default().sigmas;
        self.sigmas.retain(|s| *s != self.sigma || standing.contains(s));
        self.sigma = sigma;
        if !self.sigmas.contains(&sigma) {
            self.sigmas.push(sigma);
        }
        self.sigmas.sort_by(f64::total_cmp);
    }

    /// Check the knobs against the problem's size: `sequences` rows read and `parameters` dimensions.
    ///
    /// # Errors
    /// [`Error::Knob`] naming the flag, what is wrong and which values are accepted.
    pub fn check(&self, sequences: usize, parameters: usize) -> Result<()> {
        if self.n == 0 || self.n >= sequences {
            return Err(Error::knob(
                "--n",
                format!(
                    "{} needs {} sequences (n and the next one) but {sequences} were read; use 1 to {} or give more data",
                    self.n,
                    self.n.saturating_add(1),
                    sequences.saturating_sub(1)
                ),
            ));
        }
        if self.ks.is_empty() || self.ks.contains(&0) || self.k() > parameters {
            return Err(Error::knob(
                "--k",
                format!("{:?} is out of range: dimensions must lie between 1 and the {parameters} parameters", self.ks),
            ));
        }
        if self.law == Law::Gradients && self.k() > self.n {
            return Err(Error::knob(
                "--law",
                format!("gradients spans at most n = {} dimensions, but k = {} was asked", self.n, self.k()),
            ));
        }
        if self.law == Law::Frozen && self.n == 1 {
            return Err(Error::knob("--law", "frozen is the eigenspace of half as many sequences: use --n 2 or more"));
        }
        if self.law == Law::Increment && !self.ks.contains(&1) {
            return Err(Error::knob(
                "--law",
                format!("increment has one dimension, but k = {:?} was asked; use --k 1", self.ks),
            ));
        }
        if self.method == Method::Paper && matches!(self.law, Law::Bottom | Law::Frozen | Law::Deformation) {
            return Err(Error::knob(
                "--method",
                format!(
                    "paper knows no eigenspace but the top one, and --law {} needs another; use --method exact",
                    self.law
                ),
            ));
        }
        if let Some(bad) = self.sigmas.iter().chain([&self.sigma]).find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(Error::knob("--sigma", format!("{bad} is not a positive finite number")));
        }
        if !(self.tol.is_finite() && self.tol > 0.0) {
            return Err(Error::knob("--tol", format!("{} is not a positive finite number", self.tol)));
        }
        if self.draws == 0 {
            return Err(Error::knob("--draws", "0 draws estimate nothing; use 2 or more"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_knob_is_named() {
        let named = |change: fn(&mut Knobs)| {
            let mut knobs = Knobs::default();
            change(&mut knobs);
            knobs.check(16, 1000).unwrap_err().to_string()
        };
        assert!(Knobs::default().check(16, 1000).is_ok());
        assert!(named(|k| k.n = 16).starts_with("--n: 16 needs 17 sequences"));
        assert!(named(|k| k.n = 0).starts_with("--n"));
        assert!(named(|k| k.ks = vec![1, 2000]).starts_with("--k"));
        assert!(named(|k| k.ks.clear()).starts_with("--k"));
        assert!(named(|k| k.sigmas = vec![0.0]).starts_with("--sigma"));
        assert!(named(|k| k.sigma = f64::NAN).starts_with("--sigma"));
        assert!(named(|k| k.tol = -1.0).starts_with("--tol"));
        assert!(named(|k| k.draws = 0).starts_with("--draws"));
        assert!(named(|k| k.law = Law::Gradients).starts_with("--law"));
        assert!(named(|k| (k.law, k.n) = (Law::Frozen, 1)).starts_with("--law: frozen"));
        assert!(named(|k| (k.law, k.ks) = (Law::Increment, vec![4])).starts_with("--law: increment"));
        let both = named(|k| (k.law, k.method) = (Law::Bottom, Method::Paper));
        assert!(both.starts_with("--method") && both.contains("--law bottom"), "{both}");
    }

    #[test]
    fn turning_k_and_sigma_keeps_the_lists_in_order() {
        let mut knobs = Knobs::default();
        knobs.set_k(20);
        assert_eq!(knobs.ks, [1, 4, 16, 20]);
        knobs.set_k(1);
        assert_eq!(knobs.ks, [1]);
        knobs.set_sigma(2e-3);
        assert_eq!(knobs.sigmas, [1e-4, 1e-3, 2e-3, 1e-2]);
        knobs.set_sigma(5e-3);
        assert_eq!(knobs.sigmas, [1e-4, 1e-3, 5e-3, 1e-2]);
    }
}
