//! Claims of the theory: Theorem 2, Corollary 4, Proposition 3, and that the top eigenspace is the best law.

use super::{Claim, Paper};
use crate::engine::knobs::Law;
use crate::engine::readout::Readout;
use crate::engine::readout::exhibits::{IndexSet, LawFigures};
use crate::math::format::{exact, number};
use crate::math::stats::median;
use crate::report::figure::known_ks;
use crate::report::table::within;
use crate::report::verdict::Verdict;

/// Departure from 1 up to which two formulas count as the same.
const SAME: f64 = 0.1;

/// Theorem 2 bounds J_sub.
pub fn theorem2(readout: &Readout) -> Option<Claim> {
    let (n, ks) = (readout.shown_n(), known_ks(readout));
    let mut slacks = Vec::new();
    for m in readout.coefficients.keys() {
        for &k in &ks {
            slacks.extend(readout.knobs.sigmas.iter().filter_map(|sigma| readout.slack(*m, k, *sigma)));
        }
    }
    let least = slacks.iter().copied().min_by(f64::total_cmp)?;
    let most = slacks.iter().copied().max_by(f64::total_cmp)?;
    let bound = readout.theory(n, *ks.last()?, readout.knobs.sigma)?;
    Some(Claim {
        title: "Theorem 2's bound holds for every n, k and σ".to_owned(),
        paper: Paper::says("J_sub ≤ (12 M_ℓ² + 3σ² M_g² + 3σ⁴(k² + 2k) M_H²)/(n + 1)²", "Theorem 2"),
        verdict: Verdict::of(least >= 1.0),
        found: vec![
            format!(
                "Over {} values of (n, k, σ) the bound is {} to {} times J_sub, median {}",
                slacks.len(),
                number(least, 3),
                number(most, 3),
                number(median(&slacks)?, 3)
            ),
            format!(
                "M_ℓ = {}, M_g = {}, M_H = {}; at n = {n}, σ = {} the losses make {} % of the bound",
                number(bound.constants.loss, 3),
                number(bound.constants.gradient, 3),
                number(bound.constants.curvature, 3),
                exact(readout.knobs.sigma),
                number(100.0 * bound.loss / bound.value(), 3)
            ),
            "M_H takes each ‖H_i‖₂ as its Ritz value and residual together".to_owned(),
        ],
    })
}

/// Corollary 4's formula gives J_sub.
pub fn corollary4(readout: &Readout) -> Option<Claim> {
    let k = *known_ks(readout).last()?;
    let all = readout.knobs.sigmas.iter().filter_map(|sigma| Some((*sigma, readout.corollary4(k, *sigma)?)));
    let all: Vec<_> = all.collect();
    let (_, first) = all.first()?;
    let mut found = vec![
        format!("{} % of ‖B‖_F² lies off the diagonal at k = {k}", number(100.0 * first.off_diagonal, 3)),
        format!(
            "Without that, the pure quadratic signal is {} of what it is",
            number(first.diagonal / first.signal, 3)
        ),
    ];
    found.extend(all.iter().map(|(sigma, c)| {
        format!(
            "At σ = {} the formula is {} of J_sub, for a and c are not 0",
            exact(*sigma),
            number(c.diagonal / c.full, 3)
        )
    }));
    let verdict = Verdict::together(all.iter().map(|(_, c)| Verdict::of((c.diagonal / c.full - 1.0).abs() <= SAME)));
    Some(Claim {
        title: format!("Corollary 4's diagonal formula gives J_sub within {} %", 100.0 * SAME),
        paper: Paper::says("with a = 0, c = 0 and a shared eigenbasis J = (σ⁴/4)(2Σμ² + (Σμ)²)", "Corollary 4"),
        verdict,
        found,
    })
}

/// Proposition 3: increments are not negative; top-k has the largest pure quadratic signal.
pub fn proposition3(readout: &Readout) -> Vec<Claim> {
    let sigma = readout.knobs.sigma;
    let ks = known_ks(readout);
    let Some(all) = ks.last().and_then(|k| readout.proposition3(*k, sigma)) else { return Vec::new() };
    let found = all.increments.len();
    let premise = Claim {
        title: "Eigenvalue increments are not negative".to_owned(),
        paper: Paper::says("increments μ_j ≥ 0 on a shared eigenbasis", "Proposition 3, premise"),
        verdict: Verdict::of(all.nonnegative == found),
        found: vec![format!("{} of {found} increments u_jᵀAu_j are ≥ 0 at n = {}", all.nonnegative, readout.shown_n())],
    };
    // With all that were found there is nothing to choose.
    let choices =
        ks.iter().filter(|k| **k < found).filter_map(|k| Some((*k, readout.proposition3(*k, sigma)?.signals)));
    let choices: Vec<(usize, Vec<(IndexSet, f64)>)> = choices.collect();
    let leading = |signals: &[(IndexSet, f64)]| {
        let of = |wanted: IndexSet| signals.iter().find(|s| s.0 == wanted).map_or(f64::NAN, |s| s.1);
        (of(IndexSet::Leading), of(IndexSet::Trailing).max(of(IndexSet::Spread)))
    };
    let conclusion = (!choices.is_empty()).then(|| Claim {
        title: "Of index sets of the eigenbasis the top k have the largest pure quadratic signal".to_owned(),
        paper: Paper::says("top-k maximises the pure quadratic signal among k eigenvectors", "Proposition 3"),
        verdict: Verdict::together(choices.iter().map(|(_, signals)| {
            let (top, other) = leading(signals);
            Verdict::of(top >= other)
        })),
        found: choices
            .iter()
            .map(|(k, signals)| {
                let (top, other) = leading(signals);
                format!(
                    "k = {k} of {found}: {} nats² on the leading, {} at most on the trailing or evenly spread",
                    number(top, 3),
                    number(other, 3)
                )
            })
            .collect(),
    });
    std::iter::once(premise).chain(conclusion).collect()
}

/// The top eigenspace captures more of the deformation than any other law.
pub fn laws(readout: &Readout) -> Option<Claim> {
    let (k, sigma) = (*known_ks(readout).last()?, readout.knobs.sigma);
    let figures = readout.law_figures(k, sigma);
    if figures.len() < 2 {
        return None;
    }
    let verdict = best(&figures, Law::Top)?;
    let line = |f: &LawFigures| {
        let share = f.share.map_or("–".to_owned(), |share| within(&share));
        format!("{} in {} dimensions: share {share}", f.law, f.k)
    };
    Some(Claim {
        title: format!("No probing law of at most {k} dimensions captures more than the top eigenspace"),
        paper: Paper::says("the top-k eigenspace is the law to probe with", "Proposition 3 and its use"),
        verdict,
        found: figures
            .iter()
            .map(line)
            .chain([format!("At n = {}, σ = {}", readout.shown_n(), exact(sigma))])
            .collect(),
    })
}

/// Whether a law's share is larger than that of every other, each in as many dimensions or fewer.
fn best(figures: &[LawFigures], law: Law) -> Option<Verdict> {
    let own = figures.iter().find(|f| f.law == law)?;
    let share = own.share?;
    let rivals = figures.iter().filter(|f| f.law != law && f.k <= own.k);
    let shares: Vec<_> = rivals.filter_map(|f| f.share).collect();
    // Intervals of the same traces move together, so ends that do not overlap are more than enough.
    Some(if shares.iter().any(|other| other.low > share.high) {
        Verdict::Disagrees
    } else if shares.iter().all(|other| other.high < share.low) {
        Verdict::Agrees
    } else {
        Verdict::Undecided
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::criteria::quadratic::Moments;
    use crate::math::stats::Interval;

    fn law(law: Law, k: usize, low: f64, high: f64) -> LawFigures {
        LawFigures {
            law,
            k,
            moments: Moments::of(0.0, 1.0, 1.0, 1.0, 1.0),
            share: Some(Interval { value: 0.5 * (low + high), low, high }),
            gradient_share: None,
            curvature_share: None,
            enrichment: None,
            leakage: None,
            signal: 0.0,
        }
    }

    #[test]
    fn the_best_law_is_better_than_each_of_the_others() {
        let top = law(Law::Top, 4, 0.4, 0.5);
        let judged = |others: &[LawFigures]| best(&[std::slice::from_ref(&top), others].concat(), Law::Top);
        let (worse, better) = (law(Law::Random, 4, 0.1, 0.2), law(Law::Increment, 1, 0.6, 0.7));
        assert_eq!(judged(std::slice::from_ref(&worse)), Some(Verdict::Agrees));
        assert_eq!(judged(&[worse.clone(), better]), Some(Verdict::Disagrees));
        assert_eq!(judged(&[worse.clone(), law(Law::Frozen, 4, 0.45, 0.6)]), Some(Verdict::Undecided));
        // More dimensions are no fair comparison.
        assert_eq!(judged(&[worse, law(Law::Gradients, 8, 0.8, 0.9)]), Some(Verdict::Agrees));
        assert_eq!(best(&[], Law::Top), None);
    }
}
