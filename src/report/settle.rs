//! How w* was moved toward a minimiser, as JSON or CSV in full precision, or as tables to read.

use serde::Serialize;

use super::Format;
use super::csv::float;
use super::sections::{Section, section};
use super::text;
use crate::engine::event::Subject;
use crate::engine::readout::Readout;
use crate::engine::settle::{Outcome, Plan, Settling, Step};
use crate::error::{Error, Result};
use crate::math::format::{exact, number, span};

/// Everything that a run found that settles.
#[derive(Debug, Serialize)]
struct Settled<'a> {
    subject: &'a Subject,
    n: usize,
    plan: Plan,
    outcome: Option<Outcome>,
    /// Hessian–vector products of all steps.
    products: usize,
    /// Since the run began.
    seconds: f64,
    steps: &'a [Step],
}

/// Write how w* was moved, with a newline at its end.
///
/// # Errors
/// A run that did not begin to settle.
pub fn render(readout: &Readout, format: Format) -> Result<String> {
    let nothing = || Error::Computation("the run ended before the first step could be thought of".into());
    let settling = readout.exhibits.settle.as_ref().ok_or_else(nothing)?;
    let subject = readout.subject.as_ref().ok_or_else(nothing)?;
    Ok(match format {
        Format::Json => super::json(&Settled {
            subject,
            n: readout.knobs.n,
            plan: settling.plan,
            outcome: settling.outcome,
            products: settling.products(),
            seconds: readout.t,
            steps: &settling.steps,
        }),
        Format::Csv => csv(&settling.steps),
        Format::Table => text::table(&sections(readout, subject, settling)),
        Format::Md => text::markdown(&sections(readout, subject, settling)),
    })
}

/// One step a line; what the start has not is empty.
fn csv(steps: &[Step]) -> String {
    let mut csv = "step,loss,grad_norm,next_norm,length,radius,agreement,products,tries,curvature,end\n".to_owned();
    for step in steps {
        let here = [step.loss, step.grad_norm, step.next_norm].map(float).join(",");
        let how = step.taken.map_or(",,,,,,".to_owned(), |t| {
            let end = serde_json::to_value(t.end).unwrap_or_default();
            let [length, radius, agreement, curvature] = [t.length, t.radius, t.agreement, t.curvature].map(float);
            let end = end.as_str().unwrap_or_default();
            format!("{length},{radius},{agreement},{},{},{curvature},{end}", t.products, t.tries)
        });
        csv += &format!("{},{here},{how}\n", step.step);
    }
    csv
}

fn sections(readout: &Readout, subject: &Subject, settling: &Settling) -> Vec<Section> {
    let n = readout.knobs.n;
    let mut about = vec![
        ("checkpoint", format!("{}, {} parameters", subject.name, subject.parameters)),
        ("computed", format!("{} on {}, eigentop {}", subject.precision, subject.device, subject.version)),
        ("time", span(readout.t)),
    ];
    about.extend(settling.verdict(n).map(|verdict| ("result", verdict)));
    about.extend(readout.warnings.values().map(|message| ("warning", message.clone())));
    let about = about.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let rows = settling.steps.iter().map(|step| {
        let mut row = vec![
            step.step.to_string(),
            number(step.loss, 7),
            number(step.grad_norm, 4),
            number(step.grad_norm / step.next_norm, 2),
        ];
        row.extend(match step.taken {
            None => vec![String::new(); 7],
            Some(t) => vec![
                number(t.length, 3),
                number(t.radius, 3),
                number(t.agreement, 2),
                t.products.to_string(),
                t.tries.to_string(),
                number(t.curvature, 3),
                t.end.to_string(),
            ],
        });
        row
    });
    let heads = [
        "step",
        &format!("L_{n}"),
        "‖g‖",
        "‖g‖/‖g_next − g‖",
        "‖δ‖",
        "radius",
        "agreement",
        "products",
        "tries",
        "smallest dᵀHd",
        "ended at",
    ];
    let title = format!("steps toward ‖g^({n})‖ ≤ {}", exact(settling.plan.until));
    vec![section("eigentop settle", &[], about), section(&title, &heads, rows.collect())]
}
