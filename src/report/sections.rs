//! The document as sections for people: titled tables whose cells carry as many digits as are known.

use super::document::{Document, Warning};
use super::growth;
use crate::engine::event::WarningName;
use crate::math::format::{exact, measured, number, span};
use crate::math::stats::Estimate;

/// A titled table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The title.
    pub title: String,
    /// Column heads; empty for a list of names and values.
    pub columns: Vec<String>,
    /// Rows, each as long as the heads.
    pub rows: Vec<Vec<String>>,
}

/// What stands where nothing is known.
pub(super) const UNKNOWN: &str = "–";

/// The sections of a document, in the order of the dashboard's panes. Sections without rows are left out. Intervals
/// (±) are half-widths at 95 %.
pub fn of(d: &Document) -> Vec<Section> {
    let answers = [subject(d), point(d), spectrum(d), ratio(d), subspace(d), full(d), proxy(d)];
    let exhibits = d.short_tables().map(|exhibit| exhibit.table.section(&exhibit.title));
    let growth = d.exhibits.growth.iter().flat_map(|growth| growth::tables(growth, &[d.exhibits.focus.sigma]));
    let all = answers.into_iter().chain(exhibits).chain(growth).chain([stages(d), probe(d), warnings(&d.warnings)]);
    all.filter(|s| !s.rows.is_empty()).collect()
}

/// A warning's name as it stands in every file.
pub fn warning_name(name: WarningName) -> String {
    match serde_json::to_value(name) {
        Ok(serde_json::Value::String(name)) => name,
        _ => format!("{name:?}"),
    }
}

pub(super) fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Section {
    Section { title: title.to_owned(), columns: columns.iter().map(|c| (*c).to_owned()).collect(), rows }
}

fn known(x: Option<f64>, digits: usize) -> String {
    x.map_or(UNKNOWN.to_owned(), |x| number(x, digits))
}

fn estimate(e: Option<Estimate>) -> String {
    e.map_or(UNKNOWN.to_owned(), |e| measured(e.mean, e.half_width()))
}

fn interval(value: f64, low: f64, high: f64) -> String {
    measured(value, (high - value).max(value - low))
}

fn within(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> String {
    match (value, low, high) {
        (Some(value), Some(low), Some(high)) => interval(value, low, high),
        _ => UNKNOWN.to_owned(),
    }
}

fn subject(d: &Document) -> Section {
    let rows = [
        ("parameters", d.parameters.to_string()),
        ("sequences", format!("{} read, n = {}", d.losses.len(), d.n)),
        ("computed", format!("{} on {}, method {}, seed {}", d.precision, d.device, d.method, d.seed)),
        ("by", format!("eigentop {}", d.versions.eigentop)),
        ("checkpoint", d.fingerprints.checkpoint.clone()),
        ("data", d.fingerprints.data.clone()),
    ];
    section("Subject", &[], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect())
}

fn point(d: &Document) -> Section {
    let rows = [
        ("L_n", known(d.loss_n, 10), "nats per token"),
        ("L_{n+1}", known(d.loss_n1, 10), "nats per token"),
        ("a = Δ_n", known(d.a, 8), "nats"),
        ("J_1 = |a|", known(d.j1, 8), "nats"),
        ("‖g^(n)‖", known(d.grad_norm, 6), "nats per unit"),
        ("‖b‖²", known(d.b_norm2, 6), "nats² per unit²"),
    ];
    let rows = rows.into_iter().map(|(name, value, unit)| vec![name.to_owned(), value, unit.to_owned()]).collect();
    section("At the checkpoint w*", &[], rows)
}

fn spectrum(d: &Document) -> Section {
    let rows = d.eigenvalues.iter().enumerate().map(|(i, value)| {
        let residual = d.residuals.get(i).copied();
        // Some true eigenvalue lies within the residual of the estimate.
        vec![(i + 1).to_string(), measured(*value, residual.unwrap_or(f64::INFINITY)), known(residual, 2)]
    });
    let products = d.hvp_count.map_or(UNKNOWN.to_owned(), |count| count.to_string());
    let title = format!(
        "Spectrum of H^({}): law {}, {} with {products} products, max |UᵀU − I| {}",
        d.n,
        d.law,
        d.solver,
        known(d.orthonormality, 2)
    );
    section(&title, &["i", "λ_i ± residual", "residual"], rows.collect())
}

fn ratio(d: &Document) -> Section {
    let rows = d.ratio.iter().map(|r| {
        vec![
            r.k.to_string(),
            exact(r.sigma),
            interval(r.value, r.low, r.high),
            within(r.share, r.share_low, r.share_high),
            known(r.gradient_share, 4),
            within(r.curvature_share, r.curvature_share_low, r.curvature_share_high),
        ]
    });
    let columns = ["k", "σ", "J_sub/J_full", "share", "gradient share", "curvature share"];
    section("Ratio: how much of the deformation lives in the subspace", &columns, rows.collect())
}

fn subspace(d: &Document) -> Section {
    let rows = d.subspace.iter().flat_map(|s| {
        s.j.iter().map(|j| {
            vec![
                s.k.to_string(),
                exact(j.sigma),
                number(j.gm, 6),
                estimate(j.direct_cv),
                estimate(j.direct),
                estimate(j.quadratic),
                j.direct.map_or(UNKNOWN.to_owned(), |e| e.draws.to_string()),
            ]
        })
    });
    let columns = ["k", "σ", "closed form", "direct, control variate", "direct", "quadratic", "draws"];
    section("Estimators of J_sub, nats²", &columns, rows.collect())
}

fn full(d: &Document) -> Section {
    let probes = d.full_traces.map_or(0, |t| t.trace_a.draws);
    let rows = d.full.iter().map(|f| {
        let gm = match (f.gm, f.gm_stderr) {
            (Some(mean), Some(stderr)) => estimate(Some(Estimate { mean, stderr, draws: probes })),
            _ => UNKNOWN.to_owned(),
        };
        let draws = f.mc.map_or(UNKNOWN.to_owned(), |e| e.draws.to_string());
        vec![exact(f.sigma), gm, estimate(f.mc_cv), estimate(f.mc), draws]
    });
    let title = match d.full_traces {
        Some(t) => format!(
            "Estimators of J_full, nats² (Tr A {}, ‖A‖_F² {}, {probes} probes)",
            estimate(Some(t.trace_a)),
            estimate(Some(t.frob2_a))
        ),
        None => "Estimators of J_full, nats²".to_owned(),
    };
    section(&title, &["σ", "closed form", "Monte Carlo, control variate", "Monte Carlo", "draws"], rows.collect())
}

fn proxy(d: &Document) -> Section {
    let rows = d.proxy.iter().map(|p| {
        vec![
            number(p.sigma, 3),
            estimate(Some(p.abs_err)),
            estimate(Some(p.rel_err)),
            number(p.rel_err_median, 3),
            number(p.rounding_floor, 2),
            p.abs_err.draws.to_string(),
        ]
    });
    let columns = ["σ", "absolute, nats", "relative", "median relative", "rounding floor, nats", "draws"];
    section("Proxy: error of the quadratic model of L_n", &columns, rows.collect())
}

fn stages(d: &Document) -> Section {
    let rows = d.stages.iter().map(|s| {
        vec![s.stage.to_string(), span(s.seconds), format!("{:.1}", s.hvps), format!("{:.0}", s.sequence_passes)]
    });
    section("Stages", &["stage", "time", "HVPs", "sequence passes"], rows.collect())
}

fn probe(d: &Document) -> Section {
    let rows = d.probe.iter().flat_map(|p| {
        let whole = vec!["whole: ‖Hv‖, vᵀHv".to_owned(), number(p.hvp_norm, 8), number(p.vhv, 8)];
        let parts = p.tensor_norms.iter().map(|t| vec![t.name.clone(), number(t.grad, 8), number(t.hvp, 8)]);
        std::iter::once(whole).chain(parts)
    });
    section("Probe v_i = sin(i), normalised", &["tensor", "‖g^(n)‖", "‖H^(n)v‖"], rows.collect())
}

pub(super) fn warnings(warnings: &[Warning]) -> Section {
    let rows = warnings.iter().map(|w| vec![warning_name(w.name), w.message.clone()]);
    section("Warnings", &[], rows.collect())
}
