//! What is known of the exhibits: folded here, derived in the same place.

use std::collections::BTreeMap;

use super::Readout;
use crate::criteria::increment::increment;
use crate::criteria::quadratic::Coefficients;
use crate::engine::event::Event;
use crate::engine::growth::{Plan, Point};
use crate::engine::knobs::Law;
use crate::math::stats::Estimate;

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

/// One probe of the spectral density: nodes and weights of its quadrature.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Ritz values, ascending.
    pub nodes: Vec<f64>,
    /// Weights that add up to 1.
    pub weights: Vec<f64>,
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
            Event::PickFreeze { basis, k, n, sigma, index, one, other }
                if self.eigenspace.as_ref().is_some_and(|e| e.basis == *basis) =>
            {
                let pair = PickFreeze { index: *index, one: one.clone(), other: other.clone() };
                exhibits.pick_freeze.entry((*k, *n, sigma.to_bits())).or_default().push(pair);
            }
            Event::GrowthPlan(plan) => exhibits.growth_plan = Some(plan.clone()),
            Event::Growth(point) => exhibits.growth.push((**point).clone()),
            _ => (),
        }
    }
}
