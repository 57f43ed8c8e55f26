//! A growth run as JSON or CSV in full precision, or as tables to read.

use serde::Serialize;

use super::Format;
use super::csv::float;
use super::sections::{Section, section};
use super::text;
use crate::engine::event::Subject;
use crate::engine::growth::{Mode, Plan, Point};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::{Position, Quantity};
use crate::error::{Error, Result};
use crate::math::format::{exact, measured, number, span};
use crate::math::stats::Interval;
use crate::spectrum::basis::overlap;
use crate::train::curriculum::Rows;

/// Everything that a growth run found.
#[derive(Debug, Serialize)]
struct Growth<'a> {
    subject: &'a Subject,
    plan: &'a Plan,
    /// Dimensions reported.
    ks: Vec<usize>,
    sigmas: &'a [f64],
    /// Seed of the first run.
    seed: u64,
    /// Exponents of J against n + 1.
    rates: Vec<Rate>,
    curves: Vec<Curve>,
    points: Vec<&'a Point>,
}

/// The exponent of one criterion.
#[derive(Debug, Serialize)]
struct Rate {
    quantity: &'static str,
    k: Option<usize>,
    sigma: Option<f64>,
    /// What theory gives.
    theory: f64,
    /// What the points give, with a 95 % interval.
    slope: Interval,
}

/// A figure by position.
#[derive(Debug, Serialize)]
struct Curve {
    quantity: &'static str,
    k: Option<usize>,
    sigma: Option<f64>,
    points: Vec<At>,
}

#[derive(Debug, Serialize)]
struct At {
    /// n, or the training step where n is one for all.
    at: Position,
    #[serde(flatten)]
    interval: Interval,
}

/// Write what a growth run found, with a newline at its end.
///
/// # Errors
/// A run without a single point.
pub fn render(readout: &Readout, format: Format) -> Result<String> {
    let nothing = || Error::Computation("the run has no points of growth".into());
    let growth = Growth::of(readout).ok_or_else(nothing)?;
    Ok(match format {
        Format::Json => super::json(&growth),
        Format::Csv => csv(&growth),
        Format::Table => text::table(&sections(readout, &growth)),
        Format::Md => text::markdown(&sections(readout, &growth)),
    })
}

fn name(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::J1 => "j1",
        Quantity::JFull => "j_full",
        Quantity::JSub => "j_sub",
    }
}

impl<'a> Growth<'a> {
    fn of(readout: &'a Readout) -> Option<Growth<'a>> {
        let (largest, knobs) = (readout.growth_k()?, &readout.knobs);
        let ks: Vec<usize> = knobs.ks.iter().copied().filter(|k| *k <= largest).collect();
        let mut growth = Growth {
            subject: readout.subject.as_ref()?,
            plan: readout.exhibits.growth_plan.as_ref()?,
            sigmas: &knobs.sigmas,
            seed: knobs.seed,
            rates: Vec::new(),
            curves: Vec::new(),
            points: readout.growth_points(),
            ks: ks.clone(),
        };
        growth.follow(readout, Quantity::J1, None, None);
        for &sigma in &knobs.sigmas {
            growth.follow(readout, Quantity::JFull, None, Some(sigma));
            for &k in &ks {
                growth.follow(readout, Quantity::JSub, Some(k), Some(sigma));
                growth.add("ratio", Some(k), Some(sigma), readout.growth_ratio(k, sigma));
                growth.add("share", Some(k), Some(sigma), readout.growth_share(k, sigma));
            }
        }
        growth.add("grad_norm", None, None, readout.growth_grad_norm());
        Some(growth)
    }

    /// One criterion: its curve, C_n and its rate.
    fn follow(&mut self, readout: &Readout, quantity: Quantity, k: Option<usize>, sigma: Option<f64>) {
        // J_1 depends on neither and J_full on σ alone; what stands in is not looked at.
        let (at_k, at_sigma) = (k.unwrap_or(1), sigma.unwrap_or(1.0));
        self.add(name(quantity), k, sigma, readout.growth_curve(quantity, at_k, at_sigma));
        let constant = match quantity {
            Quantity::J1 => "c_j1",
            Quantity::JFull => "c_j_full",
            Quantity::JSub => "c_j_sub",
        };
        self.add(constant, k, sigma, readout.growth_constant(quantity, at_k, at_sigma));
        if let Some(slope) = readout.growth_slope(quantity, at_k, at_sigma) {
            self.rates.push(Rate { quantity: name(quantity), k, sigma, theory: quantity.rate(), slope });
        }
    }

    fn add(&mut self, quantity: &'static str, k: Option<usize>, sigma: Option<f64>, curve: Vec<(Position, Interval)>) {
        let points = curve.into_iter().map(|(at, interval)| At { at, interval }).collect();
        self.curves.push(Curve { quantity, k, sigma, points });
    }
}

/// `quantity,at,k,sigma,value,low,high`: rates first, then curves by position.
fn csv(growth: &Growth<'_>) -> String {
    let mut csv = "quantity,at,k,sigma,value,low,high\n".to_owned();
    let mut line = |quantity: &str, at: Option<Position>, k: Option<usize>, sigma: Option<f64>, i: &Interval| {
        let count = |x: Option<usize>| x.map_or(String::new(), |x| x.to_string());
        let (sigma, value, low, high) =
            (sigma.map_or(String::new(), float), float(i.value), float(i.low), float(i.high));
        csv += &format!("{quantity},{},{},{sigma},{value},{low},{high}\n", count(at), count(k));
    };
    for rate in &growth.rates {
        line(&format!("slope_{}", rate.quantity), None, rate.k, rate.sigma, &rate.slope);
    }
    for curve in &growth.curves {
        curve.points.iter().for_each(|p| line(curve.quantity, Some(p.at), curve.k, curve.sigma, &p.interval));
    }
    csv
}

fn sections(readout: &Readout, growth: &Growth<'_>) -> Vec<Section> {
    let all = [about(growth), rates(growth), course(growth), proxy(readout, growth)];
    let sections = all.into_iter().chain(growth.sigmas.iter().map(|sigma| decay(growth, *sigma)));
    sections.filter(|section| !section.rows.is_empty()).collect()
}

fn about(growth: &Growth<'_>) -> Section {
    let Growth { subject, plan, .. } = growth;
    let checkpoints = match plan.mode {
        Mode::Fixed => format!("{} for every n, each n with its own eigenspace", subject.name),
        Mode::Frozen => format!("{} for every n, on the eigenspace of n = {}", subject.name, plan.n()),
        Mode::Training => {
            let c = plan.curriculum;
            let rows = match c.rows {
                Rows::Newest => "the newest sequence",
                Rows::All => "L_n",
            };
            let (model, steps, lr) = (&subject.model, c.steps_per_sequence, exact(c.learning_rate));
            format!("{model} trained on the sequences in order: {steps} steps down {rows} for each, at {lr}")
        }
        Mode::Checkpoints => format!("all steps saved with {}, at n = {}", subject.name, plan.n()),
    };
    let rows = [
        ("checkpoints", checkpoints),
        ("next sequences", plan.next.to_string()),
        ("runs", format!("{}, seeds from {}", plan.runs, growth.seed)),
        ("probes of A", plan.probes.to_string()),
        ("computed", format!("{} on {}, eigentop {}", subject.precision, subject.device, subject.version)),
    ];
    section("eigentop growth", &[], rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect())
}

/// A criterion's name for people.
fn label(quantity: &str, k: Option<usize>) -> String {
    match (quantity, k) {
        ("j1", _) => "J_1".to_owned(),
        ("j_full", _) => "J_full".to_owned(),
        (_, Some(k)) => format!("J_sub k={k}"),
        (other, None) => other.to_owned(),
    }
}

fn rates(growth: &Growth<'_>) -> Section {
    let rows = growth.rates.iter().map(|rate| {
        let Interval { value, low, high } = rate.slope;
        let agrees = match rate.theory {
            _ if !(low.is_finite() && high.is_finite()) => "–",
            theory if theory < low => "no, slower",
            theory if theory > high => "no, faster",
            _ => "yes",
        };
        vec![
            label(rate.quantity, rate.k),
            rate.sigma.map_or(String::new(), exact),
            number(value, 3),
            format!("{} … {}", number(low, 3), number(high, 3)),
            number(rate.theory, 1),
            agrees.to_owned(),
        ]
    });
    let columns = ["criterion", "σ", "slope", "95 % interval", "theory", "agrees"];
    section("slopes of log J against log(n + 1)", &columns, rows.collect())
}

/// What the checkpoints are: how far from a minimiser, and how their eigenspaces follow each other.
fn course(growth: &Growth<'_>) -> Section {
    let rows = growth.points.iter().map(|point| {
        // (n + 1)‖b‖ = ‖g_next − g^(n)‖.
        let next = point.next.first().map_or(f64::NAN, |next| next.b_norm2.sqrt() * (point.n + 1) as f64);
        vec![
            point.run.to_string(),
            point.step.map_or(String::new(), |step| step.to_string()),
            point.n.to_string(),
            number(point.loss, 5),
            number(point.grad_norm, 3),
            number(point.grad_norm / next, 2),
            point.values.first().map_or(String::new(), |value| number(*value, 4)),
            number(overlap(&point.cosines), 3),
            point.products.to_string(),
            span(point.seconds),
        ]
    });
    let columns = ["run", "step", "n", "L_n", "‖g‖", "‖g‖/‖g_next − g‖", "λ₁", "overlap", "products", "seconds"];
    section("checkpoints: a minimiser, as the theory assumes, has ‖g‖ = 0", &columns, rows.collect())
}

fn decay(growth: &Growth<'_>, sigma: f64) -> Section {
    let here = |curve: &&Curve| curve.sigma.is_none_or(|s| s == sigma);
    let wanted = ["j1", "j_full", "j_sub", "ratio", "share"];
    let curves: Vec<&Curve> =
        growth.curves.iter().filter(here).filter(|curve| wanted.contains(&curve.quantity)).collect();
    let heads = curves.iter().map(|curve| match (curve.quantity, curve.k) {
        (quantity @ ("ratio" | "share"), Some(k)) => format!("{quantity} k={k}"),
        (quantity, k) => label(quantity, k),
    });
    let at = |curve: &Curve, position: Position| {
        let interval = curve.points.iter().find(|p| p.at == position).map(|p| p.interval);
        interval.map_or("–".to_owned(), |i| measured(i.value, (i.high - i.value).max(i.value - i.low)))
    };
    let positions = curves.first().map_or(Vec::new(), |curve| curve.points.iter().map(|p| p.at).collect());
    let rows = positions.into_iter().map(|position| {
        std::iter::once(position.to_string()).chain(curves.iter().map(|curve| at(curve, position))).collect()
    });
    let first = if growth.plan.mode == Mode::Checkpoints { "step" } else { "n" };
    let columns: Vec<String> = std::iter::once(first.to_owned()).chain(heads).collect();
    Section { title: format!("σ = {}", exact(sigma)), columns, rows: rows.collect() }
}

fn proxy(readout: &Readout, growth: &Growth<'_>) -> Section {
    let measured = readout.growth_proxy();
    let sigmas: Vec<f64> = measured.first().map_or(Vec::new(), |(.., curve)| curve.iter().map(|v| v.sigma).collect());
    let rows = measured.iter().map(|(run, at, curve)| {
        let errors = sigmas.iter().map(|sigma| {
            let here = curve.iter().find(|v| v.sigma == *sigma);
            here.map_or("–".to_owned(), |v| format!("{:.1e}", v.median))
        });
        [run.to_string(), at.to_string()].into_iter().chain(errors).collect()
    });
    let first = if growth.plan.mode == Mode::Checkpoints { "step" } else { "n" };
    let heads = ["run", first].map(str::to_owned).into_iter();
    let columns = heads.chain(sigmas.iter().map(|sigma| format!("{sigma:.1e}"))).collect();
    Section { title: "median relative error of the quadratic model by σ".to_owned(), columns, rows: rows.collect() }
}
