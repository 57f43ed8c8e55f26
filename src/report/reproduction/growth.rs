//! Claims about n: rates, the stability of the eigenspace, and that w* is a minimiser.

use super::{Claim, Paper};
use crate::engine::growth::Mode;
use crate::engine::readout::Readout;
use crate::engine::readout::growth::Quantity;
use crate::math::format::{exact, number};
use crate::math::stats::{Interval, quantile};
use crate::report::figure::{AgainstN, distance_from_minimisers};
use crate::report::table::within;
use crate::report::verdict::Verdict;

/// Below this share of ‖g_next − g^(n)‖ the gradient of L_n may be dropped, as the theory does.
const NEAR: f64 = 0.1;
/// From this overlap on an eigenspace counts as the same.
const SAME: f64 = 0.9;

/// J_1 ∝ 1/n, J_full and J_sub ∝ 1/n².
pub fn rates(readout: &Readout, how: &str) -> Vec<Claim> {
    let Some(curves) = AgainstN::of(readout) else { return Vec::new() };
    let judged = |quantity: Quantity, k: usize, sigma: f64| {
        let slope = curves.law(quantity, k, sigma)?.slope;
        Some((slope, Verdict::of_rate(&slope, quantity.rate())))
    };
    let line = |name: String, slope: &Interval, verdict: Verdict| format!("{name}: slope {}, {verdict}", within(slope));
    let (sigmas, ks) = (&readout.knobs.sigmas, curves.ks());
    let claim = |what: &str, power: &str, all: Vec<(String, Interval, Verdict)>| {
        let verdict = Verdict::together(all.iter().map(|(.., verdict)| *verdict));
        let mut found: Vec<String> =
            all.iter().map(|(name, slope, verdict)| line(name.clone(), slope, *verdict)).collect();
        found.push(format!("Slopes of log J against log(n + 1): {}", curves.source()));
        (!all.is_empty()).then(|| Claim {
            title: format!("{what} falls as n{power} {how}"),
            paper: Paper::says(format!("{what} falls as n{power}"), "Fig. 2"),
            verdict,
            found,
        })
    };
    let j1 = judged(Quantity::J1, 1, 1.0).map(|(slope, verdict)| ("J_1".to_owned(), slope, verdict));
    let full = sigmas.iter().filter_map(|&sigma| {
        let (slope, verdict) = judged(Quantity::JFull, 1, sigma)?;
        Some((format!("J_full at σ = {}", exact(sigma)), slope, verdict))
    });
    let places = ks.iter().flat_map(|&k| sigmas.iter().map(move |&sigma| (k, sigma)));
    let sub = places.filter_map(|(k, sigma)| {
        let (slope, verdict) = judged(Quantity::JSub, k, sigma)?;
        Some((format!("J_sub at k = {k}, σ = {}", exact(sigma)), slope, verdict))
    });
    let all = [
        claim("J_1", "⁻¹", j1.into_iter().collect()),
        claim("J_full", "⁻²", full.collect()),
        claim("J_sub", "⁻²", sub.collect()),
    ];
    all.into_iter().flatten().collect()
}

/// The top eigenspace hardly turns from n to the next.
pub fn stability(readout: &Readout) -> Option<Claim> {
    let all = readout.growth_overlaps();
    let last = all.iter().map(|s| s.at).max()?;
    // The first eigenspaces are those of one or two sequences; the later half is what the claim is about.
    let late: Vec<f64> = all.iter().filter(|s| 2 * s.at > last).map(|s| s.overlap).collect();
    let middle = Interval { value: quantile(&late, 0.5)?, low: quantile(&late, 0.25)?, high: quantile(&late, 0.75)? };
    let widest = |s: &&crate::engine::readout::growth::Stability| s.angles.last().copied().unwrap_or(f64::NAN);
    let angles: Vec<f64> = all.iter().filter(|s| 2 * s.at > last).map(|s| widest(&s).to_degrees()).collect();
    let parameters = readout.subject.as_ref()?.parameters;
    let k = readout.growth_k()?;
    Some(Claim {
        title: format!("The top eigenspace stays the same from one n to the next (overlap above {SAME})"),
        paper: Paper::says("the dominant eigenspaces of H^(n) and H^(n+1) overlap", "its code"),
        verdict: Verdict::above(&middle, SAME),
        found: vec![
            format!(
                "Overlap ‖UᵀU'‖²/k of k = {k} for n above {}: median {}, quartiles {} … {}; random spaces would have {}",
                last / 2,
                number(middle.value, 3),
                number(middle.low, 3),
                number(middle.high, 3),
                number(k as f64 / parameters as f64, 2)
            ),
            format!("Largest principal angle there: median {}°", number(quantile(&angles, 0.5)?, 3)),
            "The verdict goes by the quartiles: all of the middle half must lie on one side".to_owned(),
        ],
    })
}

/// w* is a minimiser of L_n.
pub fn minimiser(readout: &Readout, how: &str) -> Option<Claim> {
    let (distance, count) = distance_from_minimisers(readout)?;
    let what = match readout.growth_mode()? {
        Mode::Fixed | Mode::Frozen | Mode::Checkpoints => "",
        Mode::Training => "; the runs do not train to convergence",
    };
    Some(Claim {
        title: format!("w* is a minimiser of L_n: {how}"),
        paper: Paper::says("g^(n) = 0, so b is the gradient of the added sequence alone", "assumption"),
        verdict: Verdict::below(&distance, NEAR),
        found: vec![format!(
            "‖g^(n)‖/‖g_next − g^(n)‖ over {count} points: median {}, quartiles {} … {}, where {NEAR} would do{what}. The \
             difference is kept in b here, so no figure rests on the assumption",
            number(distance.value, 3),
            number(distance.low, 3),
            number(distance.high, 3)
        )],
    })
}
