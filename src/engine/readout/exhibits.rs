//! What is known of the exhibits: folded here, derived in the same place.

use std::collections::BTreeMap;

use super::Readout;
use crate::criteria::increment::increment;
use crate::criteria::pick_freeze;
use crate::criteria::quadratic::{Coefficients, Moments};
use crate::criteria::theory;
pub use crate::criteria::theory::Bound;
use crate::engine::event::Event;
use crate::engine::growth::{Plan, Point};
use crate::engine::knobs::Law;
use crate::engine::settle::Settling;
use crate::math::basis::overlap;
use crate::math::stats::{Estimate, Interval};
use crate::math::stream::{Purpose, Stream};
use crate::spectrum::density;
pub use crate::spectrum::density::{Curve as DensityCurve, Density};

/// All exhibits.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exhibits {
    /// Traces of A^(n) by n.
    pub traces: BTreeMap<usize, Traces>,
    /// Overlaps of eigenspaces that followed each other, in order.
    pub overlaps: Vec<Overlap>,
    /// Probes of the spectral density by n.
    pub density: BTreeMap<usize, Vec<Density>>,
    /// The probing laws compared, at the n they were last computed for.
    pub laws: BTreeMap<Law, OnLaw>,
    /// Constants of Theorem 2 by n.
    pub constants: BTreeMap<usize, Constants>,
    /// Pick-freeze pairs of the latest basis by (k, n, bits of σ).
    pub pick_freeze: BTreeMap<(usize, usize, u64), Vec<PickFreeze>>,
    /// What a growth run is to do; `None` in any other run.
    pub growth_plan: Option<Plan>,
    /// Points of growth in the order they came.
    pub growth: Vec<Point>,
    /// How w* was moved toward a minimiser; `None` in any other run.
    pub settle: Option<Settling>,
}

/// Traces of A in the full space.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traces {
    /// Tr A.
    pub trace: Estimate,
    /// ‖A‖_F².
    pub frob2: Estimate,
    /// Products with A.
    pub products: usize,
}

/// Principal angles between two eigenspaces.
#[derive(Debug, Clone, PartialEq)]
pub struct Overlap {
    /// n of the former.
    pub former: usize,
    /// n of the new one.
    pub n: usize,
    /// Cosines, largest first.
    pub cosines: Vec<f64>,
}

/// The increment's quadratic model on a law's subspace.
#[derive(Debug, Clone, PartialEq)]
pub struct OnLaw {
    /// n.
    pub n: usize,
    /// a, c and B.
    pub coefficients: Coefficients,
    /// The part of A's action on the subspace that leaves it.
    pub leakage: Option<f64>,
}

/// Norms of each sequence's gradient and Hessian.
#[derive(Debug, Clone, PartialEq)]
pub struct Constants {
    /// ‖g_i‖, i = 1…n+1.
    pub gradients: Vec<f64>,
    /// ‖H_i‖₂.
    pub curvatures: Vec<f64>,
    /// Their residuals.
    pub residuals: Vec<f64>,
}

/// Losses of sequences 1…n+1 at two points that agree in the subspace alone.
#[derive(Debug, Clone, PartialEq)]
pub struct PickFreeze {
    /// Number of the pair.
    pub index: usize,
    /// At the first point.
    pub one: Vec<f64>,
    /// At the second.
    pub other: Vec<f64>,
    /// bᵀδ + ½δᵀAδ at both.
    pub model: [f64; 2],
}

/// What one probing law captures of the increment at (k, σ).
#[derive(Debug, Clone, PartialEq)]
pub struct LawFigures {
    /// The law.
    pub law: Law,
    /// Dimensions it was given: k, or as many as it has.
    pub k: usize,
    /// Closed-form moments of the increment on its subspace; J_sub among them.
    pub moments: Moments,
    /// Var_sub/Var_full.
    pub share: Option<Interval>,
    /// ‖c‖²/‖b‖².
    pub gradient_share: Option<f64>,
    /// ‖B‖_F²/‖A‖_F².
    pub curvature_share: Option<Interval>,
    /// The share over k/P, that of a random subspace.
    pub enrichment: Option<f64>,
    /// ‖(I − UUᵀ)AU‖_F/‖AU‖_F of all its columns.
    pub leakage: Option<f64>,
    /// The pure quadratic signal (σ⁴/4)(2‖B‖_F² + (Tr B)²), nats².
    pub signal: f64,
}

/// Which columns of an eigenbasis span a subspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexSet {
    /// The first k.
    Leading,
    /// The last k of those found.
    Trailing,
    /// k of those found, evenly spread.
    Spread,
}

impl IndexSet {
    /// All.
    pub const ALL: [IndexSet; 3] = [IndexSet::Leading, IndexSet::Trailing, IndexSet::Spread];

    /// `k` of `found` columns; k is at most `found`.
    pub fn columns(self, k: usize, found: usize) -> Vec<usize> {
        match self {
            IndexSet::Leading => (0..k).collect(),
            IndexSet::Trailing => (found - k..found).collect(),
            IndexSet::Spread => (0..k).map(|j| j * found / k).collect(),
        }
    }
}

/// Proposition 3: among k-dimensional subspaces spanned by shared eigenvectors with increments ≥ 0, the top one has the
/// largest pure quadratic signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposition3 {
    /// μ_j = u_jᵀAu_j of every eigenvector found.
    pub increments: Vec<f64>,
    /// How many of them are ≥ 0: the proposition asks for all.
    pub nonnegative: usize,
    /// The pure quadratic signal of k eigenvectors chosen otherwise, nats².
    pub signals: Vec<(IndexSet, f64)>,
}

/// Corollary 4: with a = 0, c = 0 and B diagonal, J = (σ⁴/4)(2Σμ_j² + (Σμ_j)²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Corollary4 {
    /// The corollary's J, nats².
    pub diagonal: f64,
    /// The same with all of B, nats².
    pub signal: f64,
    /// J_sub with a and c too, nats².
    pub full: f64,
    /// Share of ‖B‖_F² off the diagonal.
    pub off_diagonal: f64,
}

impl Overlap {
    /// ‖U₁ᵀU₂‖_F² over the smaller dimension: 1 for nested subspaces, k/P for random ones.
    pub fn mean_square(&self) -> f64 {
        overlap(&self.cosines)
    }
}

impl Readout {
    /// Fold an event of the exhibits; any other is let go by.
    pub(super) fn exhibit(&mut self, event: &Event) {
        let exhibits = &mut self.exhibits;
        match event {
            Event::Traces { n, trace, frob2, products } => {
                exhibits.traces.insert(*n, Traces { trace: *trace, frob2: *frob2, products: *products });
            }
            Event::Overlap { former, n, cosines, .. } => {
                exhibits.overlaps.push(Overlap { former: *former, n: *n, cosines: cosines.clone() });
            }
            Event::Density { n, nodes, weights, .. } => {
                let probe = Density { nodes: nodes.clone(), weights: weights.clone() };
                exhibits.density.entry(*n).or_default().push(probe);
            }
            Event::LawCoefficients { law, n, c, b, leakage } => {
                let Some(a) = increment(&self.losses, *n) else { return };
                let coefficients = Coefficients { a, c: c.clone(), b: b.clone() };
                exhibits.laws.insert(*law, OnLaw { n: *n, coefficients, leakage: *leakage });
            }
            Event::Constants { n, gradients, curvatures, residuals } => {
                let constants = Constants {
                    gradients: gradients.clone(),
                    curvatures: curvatures.clone(),
                    residuals: residuals.clone(),
                };
                exhibits.constants.insert(*n, constants);
            }
            Event::PickFreeze { basis, k, n, sigma, index, one, other, model }
                if self.eigenspace.as_ref().is_some_and(|e| e.basis == *basis) =>
            {
                let &[first, second] = &model[..] else { return };
                let pair = PickFreeze { index: *index, one: one.clone(), other: other.clone(), model: [first, second] };
                exhibits.pick_freeze.entry((*k, *n, sigma.to_bits())).or_default().push(pair);
            }
            Event::GrowthPlan(plan) => exhibits.growth_plan = Some(plan.clone()),
            Event::Growth(point) => exhibits.growth.push((**point).clone()),
            Event::SettlePlan(plan) => {
                exhibits.settle = Some(Settling { plan: *plan, steps: Vec::new(), outcome: None });
            }
            Event::Settle(step) => exhibits.settle.iter_mut().for_each(|settling| settling.steps.push(*step)),
            Event::Settled(outcome) => {
                exhibits.settle.iter_mut().for_each(|settling| settling.outcome = Some(*outcome));
            }
            _ => (),
        }
    }

    /// The spectral density of H^(n) at the n on the screen, at `points` places, with the eigenvalues of the basis that
    /// lie outside its bulk.
    pub fn density_curve(&self, points: usize) -> Option<DensityCurve> {
        let probes = self.exhibits.density.get(&self.shown_n())?;
        let known = self.eigenspace.as_ref().filter(|e| e.n == self.shown_n() && e.law.is_eigenspace());
        let known = known.map_or(&[][..], |e| &e.values);
        density::curve(probes, self.subject.as_ref()?.parameters, points, known)
    }

    /// What each law that was computed at the n on the screen captures at (k, σ), the law in force among them.
    pub fn law_figures(&self, k: usize, sigma: f64) -> Vec<LawFigures> {
        let n = self.shown_n();
        let in_force = self.eigenspace.as_ref().filter(|e| e.n == n).map(|e| e.law);
        Law::ALL
            .into_iter()
            .filter_map(|law| {
                let (q, leakage) = match self.exhibits.laws.get(&law).filter(|on| on.n == n) {
                    _ if in_force == Some(law) => (self.quadratic()?, self.leakage),
                    on => (&on?.coefficients, on?.leakage),
                };
                let k = k.min(q.k());
                let shares = self.shares_of(q, n, k, sigma);
                let parameters = self.subject.as_ref()?.parameters as f64;
                Some(LawFigures {
                    law,
                    k,
                    moments: q.moments(k, sigma),
                    share: shares.map(|s| s.total),
                    gradient_share: self.b_norm2.get(&n).map(|b| q.c_norm2(k) / b),
                    curvature_share: shares.map(|s| s.curvature),
                    enrichment: shares.map(|s| s.total.value * parameters / k as f64),
                    leakage,
                    signal: q.signal(k, sigma),
                })
            })
            .collect()
    }

    /// Theorem 2's bound on J_sub(k, σ) for increment m, once its constants are known for some n ≥ m. Each ‖H_i‖₂ is
    /// taken as its Ritz value and residual together.
    pub fn theory(&self, m: usize, k: usize, sigma: f64) -> Option<Bound> {
        let known = self.exhibits.constants.range(m..).next()?.1;
        let largest = |values: &mut dyn Iterator<Item = f64>| values.fold(0.0, f64::max);
        let constants = theory::Constants {
            loss: largest(&mut self.losses.get(..=m)?.iter().map(|l| l.abs())),
            // Not at a minimiser b holds g^(n) too: its norm is exact and the larger of the two bounds it.
            gradient: known.gradients.get(m)?.max((m + 1) as f64 * self.b_norm2.get(&m)?.sqrt()),
            curvature: largest(&mut known.curvatures.get(..=m)?.iter().zip(&known.residuals).map(|(c, r)| c + r)),
        };
        Some(constants.bound(m, k, sigma))
    }

    /// How many times J_sub(k, σ) of increment m that bound is.
    pub fn slack(&self, m: usize, k: usize, sigma: f64) -> Option<f64> {
        let j = self.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j();
        Some(self.theory(m, k, sigma)?.value() / j)
    }

    /// Corollary 4 beside what it leaves out, on the latest basis.
    pub fn corollary4(&self, k: usize, sigma: f64) -> Option<Corollary4> {
        let q = self.quadratic().filter(|q| k <= q.k())?;
        Some(Corollary4 {
            diagonal: q.diagonal_signal(k, sigma),
            signal: q.signal(k, sigma),
            full: q.moments(k, sigma).j(),
            off_diagonal: q.off_diagonal(k),
        })
    }

    /// What Proposition 3 asks for and says, on the latest basis.
    pub fn proposition3(&self, k: usize, sigma: f64) -> Option<Proposition3> {
        let q = self.quadratic().filter(|q| k <= q.k())?;
        let increments = q.diagonal(q.k());
        Some(Proposition3 {
            nonnegative: increments.iter().filter(|mu| **mu >= 0.0).count(),
            increments,
            signals: IndexSet::ALL.map(|set| (set, q.select(&set.columns(k, q.k())).signal(k, sigma))).to_vec(),
        })
    }

    /// The share of the first k dimensions without the quadratic model, by pick-freeze; the model serves as control
    /// variate where the traces of A are known, so that it narrows the interval and moves no mean.
    pub fn pick_freeze_share(&self, k: usize, sigma: f64) -> Option<Interval> {
        let n = self.shown_n();
        let pairs = self.pick_freeze_pairs(k, sigma)?;
        let full = self.full_moments(n, sigma).map(|f| f.variance_estimate());
        match (self.quadratic().filter(|q| k <= q.k()), full) {
            (Some(q), Some(full)) => pick_freeze::with_model(&pairs, q.moments(k, sigma).variance(), full),
            _ => pick_freeze::janon(&pairs),
        }
    }

    /// The same from the increments alone: a wider interval that owes nothing to the model.
    pub fn pick_freeze_plain(&self, k: usize, sigma: f64) -> Option<Interval> {
        pick_freeze::janon(&self.pick_freeze_pairs(k, sigma)?)
    }

    fn pick_freeze_pairs(&self, k: usize, sigma: f64) -> Option<Vec<pick_freeze::Pair>> {
        let n = self.shown_n();
        let pairs = self.exhibits.pick_freeze.get(&(k, n, sigma.to_bits()))?;
        let q = self.quadratic().filter(|q| k <= q.k())?;
        let one = |p: &PickFreeze| {
            let (linear, quadratic) =
                q.parts(&Stream::new(self.knobs.seed, Purpose::Subspace, p.index as u64).normals(k));
            let common = sigma * linear + 0.5 * sigma * sigma * quadratic;
            Some(pick_freeze::Pair { values: [increment(&p.one, n)?, increment(&p.other, n)?], model: p.model, common })
        };
        pairs.iter().map(one).collect()
    }

    /// Overlaps of eigenspaces that followed each other, in the order they came.
    pub fn overlaps(&self) -> &[Overlap] {
        &self.exhibits.overlaps
    }
}
