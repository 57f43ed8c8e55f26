//! The criteria against n, as a growth run or the exhibit of that name found them: data for JSON, lines for CSV, and in
//! `tables` what is read.

mod tables;

pub use tables::of as tables;

use serde::{Serialize, Serializer};

use super::Format;
use super::csv::float;
use super::document::{self, Warning};
use super::text;
use crate::engine::event::Subject;
use crate::engine::growth::{Mode, Plan, Point, Validity};
use crate::engine::readout::Readout;
use crate::engine::readout::growth::{Position, Quantity};
use crate::error::{Error, Result};
use crate::math::basis::{angles, overlap};
use crate::math::stats::Interval;

/// How the criteria change as n grows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// Where the checkpoints come from.
    pub mode: Mode,
    /// Dimensions that every basis has.
    pub ks: Vec<usize>,
    /// σ of the criteria.
    pub sigmas: Vec<f64>,
    /// Exponents of J against n + 1.
    pub rates: Vec<Rate>,
    /// Every figure by position.
    pub curves: Vec<Curve>,
    /// What the points stand on, by run and position.
    pub checkpoints: Vec<Checkpoint>,
    /// Validity of the quadratic model where it was measured.
    pub proxy: Vec<Proxy>,
}

/// The exponent of one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The criterion.
    pub quantity: Quantity,
    /// Dimension, of J_sub.
    pub k: Option<usize>,
    /// σ, of all but J_1.
    pub sigma: Option<f64>,
    /// What theory gives.
    pub theory: f64,
    /// What the points give, with a 95 % interval; without ends where they cannot give them.
    pub slope: Interval,
}

/// What a curve shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// A criterion.
    Criterion(Quantity),
    /// C_n, what is left of a criterion once its rate is taken out.
    Constant(Quantity),
    /// J_sub/J_full.
    Ratio,
    /// Var_sub/Var_full.
    Share,
    /// ‖g^(n)‖.
    GradNorm,
}

impl std::fmt::Display for Followed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Followed::Criterion(quantity) => quantity.fmt(f),
            Followed::Constant(quantity) => write!(f, "c_{quantity}"),
            Followed::Ratio => f.write_str("ratio"),
            Followed::Share => f.write_str("share"),
            Followed::GradNorm => f.write_str("grad_norm"),
        }
    }
}

impl Serialize for Followed {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A figure by position.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// What it shows.
    pub quantity: Followed,
    /// Dimension, where it depends on one.
    pub k: Option<usize>,
    /// σ, where it depends on one.
    pub sigma: Option<f64>,
    /// The figure at each position.
    pub points: Vec<At>,
}

/// A figure at one position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct At {
    /// n, or the training step where n is one for all.
    pub at: Position,
    /// The figure with its 95 % interval.
    #[serde(flatten)]
    pub interval: Interval,
}

/// What one point stands on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Checkpoint {
    /// Number of the run.
    pub run: usize,
    /// Training step, where there is one.
    pub step: Option<u64>,
    /// n.
    pub n: usize,
    /// L_n(w*), nats per token.
    pub loss: f64,
    /// ‖g^(n)‖.
    pub grad_norm: f64,
    /// ‖g_next − g^(n)‖ of the first next sequence.
    pub next_norm: Option<f64>,
    /// Rayleigh quotients of the basis.
    pub eigenvalues: Vec<f64>,
    /// Residuals of those; empty for a basis that is no eigenspace of this H^(n).
    pub residuals: Vec<f64>,
    /// ‖UᵀU′‖_F²/k with the basis of the point before.
    pub overlap: Option<f64>,
    /// Principal angles to it, radians, smallest first.
    pub angles: Vec<f64>,
    /// Products of the solve.
    pub products: usize,
    /// Seconds of the point.
    pub seconds: f64,
}

/// Validity of the quadratic model at one point.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proxy {
    /// Number of the run.
    pub run: usize,
    /// n, or the training step where n is one for all.
    pub at: Position,
    /// Median relative error by σ.
    pub errors: Vec<Validity>,
}

/// Everything that a growth run found.
#[derive(Debug, Serialize)]
struct Run<'a> {
    subject: &'a Subject,
    plan: &'a Plan,
    /// Seed of the first run.
    seed: u64,
    #[serde(flatten)]
    growth: &'a Growth,
    points: Vec<&'a Point>,
    warnings: Vec<Warning>,
}

/// Write what a growth run found, with a newline at its end.
///
/// # Errors
/// A run without a single point.
pub fn render(readout: &Readout, format: Format) -> Result<String> {
    let nothing = || Error::Computation("the run has no points of growth".into());
    let growth = Growth::of(readout).ok_or_else(nothing)?;
    let (subject, plan) = readout.subject.as_ref().zip(readout.exhibits.growth_plan.as_ref()).ok_or_else(nothing)?;
    let (seed, points, warnings) = (readout.knobs.seed, readout.growth_points(), document::warnings(readout));
    let run = Run { subject, plan, seed, growth: &growth, points, warnings };
    Ok(match format {
        Format::Json => super::json(&run),
        Format::Csv => csv(&growth),
        Format::Table => text::table(&tables::of_run(&run)),
        Format::Md => text::markdown(&tables::of_run(&run)),
    })
}

impl Growth {
    /// The growth of a readout; `None` without points.
    pub fn of(readout: &Readout) -> Option<Growth> {
        let (largest, knobs) = (readout.growth_k()?, &readout.knobs);
        let ks: Vec<usize> = knobs.ks.iter().copied().filter(|k| *k <= largest).collect();
        let validity = |(run, at, errors): (usize, Position, &[Validity])| Proxy { run, at, errors: errors.to_vec() };
        let mut growth = Growth {
            mode: readout.growth_mode()?,
            ks: ks.clone(),
            sigmas: knobs.sigmas.clone(),
            rates: Vec::new(),
            curves: Vec::new(),
            checkpoints: readout.growth_points().into_iter().map(checkpoint).collect(),
            proxy: readout.growth_proxy().into_iter().map(validity).collect(),
        };
        growth.follow(readout, Quantity::J1, None, None);
        for &sigma in &knobs.sigmas {
            growth.follow(readout, Quantity::JFull, None, Some(sigma));
            for &k in &ks {
                growth.follow(readout, Quantity::JSub, Some(k), Some(sigma));
                growth.add(Followed::Ratio, Some(k), Some(sigma), readout.growth_ratio(k, sigma));
                growth.add(Followed::Share, Some(k), Some(sigma), readout.growth_share(k, sigma));
            }
        }
        growth.add(Followed::GradNorm, None, None, readout.growth_grad_norm());
        Some(growth)
    }

    /// One criterion: its curve, C_n and its rate.
    fn follow(&mut self, readout: &Readout, quantity: Quantity, k: Option<usize>, sigma: Option<f64>) {
        // J_1 depends on neither and J_full on σ alone; what stands in is not looked at.
        let (at_k, at_sigma) = (k.unwrap_or(1), sigma.unwrap_or(1.0));
        self.add(Followed::Criterion(quantity), k, sigma, readout.growth_curve(quantity, at_k, at_sigma));
        self.add(Followed::Constant(quantity), k, sigma, readout.growth_constant(quantity, at_k, at_sigma));
        if let Some(slope) = readout.growth_slope(quantity, at_k, at_sigma) {
            self.rates.push(Rate { quantity, k, sigma, theory: quantity.rate(), slope });
        }
    }

    fn add(&mut self, quantity: Followed, k: Option<usize>, sigma: Option<f64>, curve: Vec<(Position, Interval)>) {
        let points = curve.into_iter().map(|(at, interval)| At { at, interval }).collect();
        self.curves.push(Curve { quantity, k, sigma, points });
    }
}

fn checkpoint(point: &Point) -> Checkpoint {
    Checkpoint {
        run: point.run,
        step: point.step,
        n: point.n,
        loss: point.loss,
        grad_norm: point.grad_norm,
        next_norm: point.next_norm(),
        eigenvalues: point.values.clone(),
        residuals: point.residuals.clone(),
        overlap: (!point.cosines.is_empty()).then(|| overlap(&point.cosines)),
        angles: angles(&point.cosines),
        products: point.products,
        seconds: point.seconds,
    }
}

/// One line of a curve or a rate: quantity, position, k, σ and the figure.
type Line = (String, Option<Position>, Option<usize>, Option<f64>, Interval);

/// Every line for CSV: rates first, then curves by position.
pub(super) fn lines(growth: &Growth) -> impl Iterator<Item = Line> {
    let rates = growth.rates.iter().map(|r| (format!("slope_{}", r.quantity), None, r.k, r.sigma, r.slope));
    let curves = growth.curves.iter().flat_map(|curve| {
        curve.points.iter().map(|p| (curve.quantity.to_string(), Some(p.at), curve.k, curve.sigma, p.interval))
    });
    rates.chain(curves)
}

/// `quantity,at,k,sigma,value,low,high`.
fn csv(growth: &Growth) -> String {
    let count = |x: Option<usize>| x.map_or(String::new(), |x| x.to_string());
    let line = |(quantity, at, k, sigma, i): Line| {
        let (sigma, value, low, high) =
            (sigma.map_or(String::new(), float), float(i.value), float(i.low), float(i.high));
        format!("{quantity},{},{},{sigma},{value},{low},{high}\n", count(at), count(k))
    };
    lines(growth).map(line).fold("quantity,at,k,sigma,value,low,high\n".to_owned(), |csv, line| csv + &line)
}
