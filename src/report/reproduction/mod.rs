//! What a reproduction found: for each claim of the paper a verdict, computed from the numbers, with the numbers.
//!
//! A claim is judged by its 95 % interval ([`Verdict`]); what is exact has none. Nothing here is written beforehand but
//! the claims themselves.

mod cost;
mod criteria;
mod growth;
mod theory;

pub use cost::shown as stage_table;

use crate::engine::bench::Costs;
use crate::engine::readout::Readout;
use crate::math::format::{exact, span};
use crate::report::verdict::Verdict;

/// The runs of a reproduction, as far as they were made.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// The checkpoint by the exact method, with every exhibit.
    pub measure: Option<Readout>,
    /// The same by the paper's method.
    pub paper: Option<Readout>,
    /// Many k and σ in f64.
    pub map: Option<Readout>,
    /// Growth at one checkpoint, every n with a basis of its own.
    pub fixed: Option<Readout>,
    /// Growth along training runs.
    pub training: Option<Readout>,
    /// Repeats of the stages.
    pub costs: Vec<Costs>,
}

/// What the paper says, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    says: String,
    place: &'static str,
}

impl Paper {
    fn says(says: impl Into<String>, place: &'static str) -> Paper {
        Paper { says: says.into(), place }
    }
}

/// One claim with what was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The claim, sharp enough to be judged.
    pub title: String,
    /// What the paper says.
    pub paper: Paper,
    /// What the numbers say.
    pub verdict: Verdict,
    /// The numbers, a sentence or a line of a list each.
    pub found: Vec<String>,
}

/// Every claim that the evidence bears on, in the order of the paper.
pub fn claims(evidence: &Evidence) -> Vec<Claim> {
    let Evidence { measure, paper, map, fixed, training, costs } = evidence;
    let mut claims = Vec::new();
    for (readout, how) in [(fixed, "at one checkpoint"), (training, "along training")] {
        claims.extend(readout.iter().flat_map(|readout| growth::rates(readout, how)));
    }
    claims.extend(measure.iter().flat_map(|exact| criteria::ratio(exact, paper.as_ref())));
    claims.extend(measure.iter().flat_map(criteria::share));
    claims.extend(measure.iter().flat_map(|single| criteria::proxy(single, map.as_ref(), training.as_ref())));
    claims.extend(measure.iter().flat_map(criteria::bias));
    claims.extend(map.iter().flat_map(criteria::map));
    claims.extend(cost::claims(costs));
    claims.extend(fixed.iter().flat_map(growth::stability));
    claims.extend(measure.iter().flat_map(theory::theorem2));
    claims.extend(measure.iter().flat_map(theory::corollary4));
    claims.extend(measure.iter().flat_map(theory::proposition3));
    claims.extend(measure.iter().flat_map(theory::laws));
    for (readout, how) in [(fixed, "the checkpoint, against n"), (training, "checkpoints along training")] {
        claims.extend(readout.iter().flat_map(|readout| growth::minimiser(readout, how)));
    }
    claims
}

/// One run as the report lists it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLine {
    /// Its name, which is that of its folders.
    pub name: String,
    /// What it was.
    pub about: String,
}

/// The report, in Markdown. `runs` are listed with their figures, `missing` are claims' runs that were not asked for.
pub fn report(evidence: &Evidence, runs: &[RunLine]) -> String {
    let claims = claims(evidence);
    let mut text = format!("# The paper's claims on {}\n\n", subject(evidence));
    text += "Claims of *Curvature-Aligned Probing for Local Loss-Landscape Stabilization* (2026), each with what was found \
             here. Every verdict follows from the numbers: a claim **agrees** or **disagrees** where its 95 % interval \
             lies on one side, and is **not decided** where it does not, or where not all of its numbers say the same. What is \
             found on this model and these sequences need not hold on others.\n\n";
    text += "| claim | in the paper | verdict |\n| --- | --- | --- |\n";
    for claim in &claims {
        text += &format!("| {} | {} | {} |\n", escaped(&claim.title), claim.paper.place, claim.verdict);
    }
    for claim in &claims {
        text += &format!("\n## {}: {}\n\nThe paper: {}.\n\n", claim.title, claim.verdict, claim.paper.says);
        claim.found.iter().for_each(|found| text += &format!("- {found}.\n"));
    }
    if let Some((exact, paper)) = evidence.measure.as_ref().zip(evidence.paper.as_ref()) {
        text += &format!("\n## The paper's method beside the exact one\n\n{}", criteria::beside(exact, paper));
    }
    text += "\n## Runs\n\n";
    for run in runs {
        text += &format!("- [{name}](figures/{name}/README.md): {about}\n", name = run.name, about = run.about);
    }
    if !evidence.costs.is_empty() {
        text += "- [table3](figures/table3/table3-stages.md): repeats of the stages\n";
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

/// What was looked at, in words.
fn subject(evidence: &Evidence) -> String {
    let Evidence { measure, paper, map, fixed, training, .. } = evidence;
    let any = [measure, fixed, training, map, paper].into_iter().flatten().find_map(|r| r.subject.as_ref());
    any.map_or("this model".to_owned(), |s| format!("{}, {} with {} parameters", s.name, s.model, s.parameters))
}

/// What a run was, for the list of runs.
pub fn about(readout: &Readout) -> String {
    let knobs = &readout.knobs;
    let precision = readout.subject.as_ref().map_or(String::new(), |s| s.precision.to_string());
    let sigmas: Vec<String> = knobs.sigmas.iter().map(|sigma| exact(*sigma)).collect();
    let what = match &readout.exhibits.growth_plan {
        Some(plan) => {
            format!("growth, n {:?}, {} runs, {} next sequences, k {:?}", plan.grid, plan.runs, plan.next, knobs.ks)
        }
        None => format!("n = {}, k {:?}, {} draws, method {}", knobs.n, knobs.ks, knobs.draws, knobs.method),
    };
    let doubts = readout.warnings.iter().filter(|(name, _)| name.doubts_a_result());
    let doubts: Vec<&str> = doubts.map(|(_, message)| message.as_str()).collect();
    let doubts = if doubts.is_empty() { String::new() } else { format!("; in doubt: {}", doubts.join("; ")) };
    format!("{what}, σ {}, {precision}, seed {}, {}{doubts}", sigmas.join(" "), knobs.seed, span(readout.t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_evidence_there_are_no_claims() {
        let text = report(&Evidence::default(), &[]);
        assert!(claims(&Evidence::default()).is_empty() && text.contains("this model"));
    }

    #[test]
    fn the_report_states_each_claim_with_its_verdict_and_numbers() {
        let cost = |moment| Costs {
            checkpoint: String::new(),
            seed: 0,
            n: 8,
            k: 4,
            draws: 8,
            subspace: 1.0,
            products: 9,
            coefficients: 0.1,
            direct: 0.5,
            quadratic: 1e-3,
            moment,
        };
        let evidence = Evidence { costs: vec![cost(1e-4), cost(1.1e-4), cost(0.9e-4)], ..Evidence::default() };
        let text = report(&evidence, &[RunLine { name: "measure".into(), about: "n = 8".into() }]);
        assert!(
            text.contains("| Stage III by the closed form is at least 1000 times faster | Table 3 | agrees |"),
            "{text}"
        );
        assert!(text.contains("## End to end it is at least 10 times faster: disagrees"), "{text}");
        assert!(text.contains("- [measure](figures/measure/README.md): n = 8"), "{text}");
    }
}
