//! Curves of growth, derived from its points where they are drawn: closed forms, so that σ and k answer within a frame.
//!
//! One run's value at an n is the mean over its held-out next sequences, as J is a mean of squares itself; runs are
//! joined in logarithms. Intervals are Student's over the runs; a single run has the spread over its next sequences
//! and the error of the traces instead, and a figure without either is exact and has no width.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Readout;
use super::views::FullMoments;
use crate::criteria::growth::{self, PowerLaw};
use crate::criteria::quadratic::Moments;
use crate::engine::growth::{Increment, Mode, Point, Validity};
use crate::math::basis::{angles, overlap};
use crate::math::stats::{Estimate, Interval};

/// A criterion followed over n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// J_1 = |Δ_n(w*)|, nats. Depends on neither k nor σ.
    J1,
    /// J_full(σ), nats², by the closed form with estimated traces.
    JFull,
    /// J_sub(k, σ), nats², by the closed form.
    JSub,
}

impl Quantity {
    /// All, in the order of the paper's figure.
    pub const ALL: [Quantity; 3] = [Quantity::J1, Quantity::JFull, Quantity::JSub];

    /// The exponent that theory gives it: J ∝ (n + 1)^rate.
    pub fn rate(self) -> f64 {
        match self {
            Quantity::J1 => -1.0,
            Quantity::JFull | Quantity::JSub => -2.0,
        }
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Quantity::J1 => "j1",
            Quantity::JFull => "j_full",
            Quantity::JSub => "j_sub",
        })
    }
}

/// Where a point of growth stands on the horizontal axis: at n, or at the training step where n is one for all
/// ([`Readout::growth_mode`] is [`Mode::Checkpoints`]).
pub type Position = usize;

/// How an eigenspace sits to the one of the point before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stability {
    /// Number of the run.
    pub run: usize,
    /// Where the later one stands.
    pub at: Position,
    /// Mean squared cosine, ‖UᵀV‖_F²/k in [0, 1].
    pub overlap: f64,
    /// Principal angles, radians, smallest first.
    pub angles: Vec<f64>,
}

/// Moments of an increment in the subspace of the first k columns; `None` beyond the basis.
fn in_subspace(increment: &Increment, k: usize, sigma: f64) -> Option<Moments> {
    let Increment { a, c, b, .. } = increment;
    (k <= c.len()).then(|| Moments::on(*a, c, b, k, sigma))
}

/// Moments of an increment in the full space, with their standard errors.
fn in_full(increment: &Increment, sigma: f64) -> FullMoments {
    FullMoments::of(increment.a, increment.b_norm2, (increment.trace, increment.frob2), 0.0, sigma)
}

/// A figure of one point: its value, and the half-width of its interval in logarithms.
#[derive(Clone, Copy)]
struct Figure {
    value: f64,
    half: f64,
}

/// A criterion of one increment with its standard error and the draws behind that.
fn drawn(quantity: Quantity, increment: &Increment, k: usize, sigma: f64) -> Option<Estimate> {
    Some(match quantity {
        Quantity::J1 => Estimate::exact(increment.a.abs()),
        Quantity::JSub => Estimate::exact(in_subspace(increment, k, sigma)?.j()),
        Quantity::JFull => {
            let full = in_full(increment, sigma);
            Estimate { mean: full.moments.j(), stderr: full.j_stderr, draws: full.trace.draws }
        }
    })
}

impl Figure {
    /// The mean over the next sequences of a point. Their traces come from the same probes, so that those errors do not
    /// average out.
    fn mean(point: &Point, of: impl Fn(&Increment) -> Option<Estimate>) -> Option<Figure> {
        let all: Vec<Estimate> = point.next.iter().map(of).collect::<Option<_>>()?;
        let over_next = Estimate::of(all.iter().map(|d| d.mean))?;
        let spread = if all.len() > 1 { over_next.half_width() } else { 0.0 };
        let probes = all.iter().map(Estimate::half_width).sum::<f64>() / all.len() as f64;
        Some(Figure { value: over_next.mean, half: spread.hypot(probes) / over_next.mean })
    }

    /// The quotient of two sums over the next sequences of a point, each given as (numerator, denominator, half-width of
    /// the denominator's interval). The spread over next sequences is that of the linearised quotient.
    fn quotient(point: &Point, of: impl Fn(&Increment) -> Option<(f64, f64, f64)>) -> Option<Figure> {
        let all: Vec<(f64, f64, f64)> = point.next.iter().map(of).collect::<Option<_>>()?;
        let (numerator, denominator, probes) =
            all.iter().fold((0.0, 0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2));
        let value = numerator / denominator;
        let residuals = Estimate::of(all.iter().map(|one| one.0 - value * one.1))?;
        let spread = if all.len() > 1 { residuals.half_width() * all.len() as f64 / numerator } else { 0.0 };
        Some(Figure { value, half: spread.hypot(probes / denominator) })
    }
}

impl Readout {
    /// Where the checkpoints of the latest growth come from; `None` without points.
    pub fn growth_mode(&self) -> Option<Mode> {
        self.exhibits.growth.last().map(|point| point.mode)
    }

    /// The points of the latest growth, by run and then by position; one that was computed again counts once.
    pub fn growth_points(&self) -> Vec<&Point> {
        let mode = self.growth_mode();
        let of_mode = self.exhibits.growth.iter().filter(|point| Some(point.mode) == mode);
        let by_place: BTreeMap<(usize, Position), &Point> = of_mode.map(|p| ((p.run, position(p)), p)).collect();
        by_place.into_values().collect()
    }

    /// The dimension of the smallest basis among the points: the largest k every curve reaches.
    pub fn growth_k(&self) -> Option<usize> {
        self.growth_points().iter().map(|point| point.values.len()).min()
    }

    /// A criterion against n: by position, the mean over the runs in logarithms with its 95 % interval. Positions with
    /// a basis smaller than k are left out of J_sub.
    pub fn growth_curve(&self, quantity: Quantity, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        self.joined(|point| Figure::mean(point, |next| drawn(quantity, next, k, sigma)))
    }

    /// The same criterion as the median with the quartiles over all runs and next sequences, of which no mean can be
    /// carried away by one.
    pub fn growth_quartiles(&self, quantity: Quantity, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        let mut by_position: BTreeMap<Position, Vec<f64>> = BTreeMap::new();
        for point in self.growth_points() {
            let values = point.next.iter().filter_map(|next| Some(drawn(quantity, next, k, sigma)?.mean));
            by_position.entry(position(point)).or_default().extend(values);
        }
        by_position.into_iter().filter_map(|(at, values)| Some((at, growth::quartiles(&values)?))).collect()
    }

    /// C_n = (n + 1)^−rate · J: (n + 1) J_1, and (n + 1)² J of the others. What is left of J once the algebra is taken
    /// out; constant if the criterion falls at its rate.
    pub fn growth_constant(&self, quantity: Quantity, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        self.joined(|point| {
            let figure = Figure::mean(point, |next| drawn(quantity, next, k, sigma))?;
            Some(Figure { value: figure.value * (point.n as f64 + 1.0).powf(-quantity.rate()), ..figure })
        })
    }

    /// J_sub(k, σ)/J_full(σ) against n, each the mean over the next sequences.
    pub fn growth_ratio(&self, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        let quotient = |next: &Increment| {
            let full = drawn(Quantity::JFull, next, k, sigma)?;
            Some((in_subspace(next, k, sigma)?.j(), full.mean, full.half_width()))
        };
        self.joined(|point| Figure::quotient(point, quotient))
    }

    /// The share of the deformation in the subspace, Var_sub/Var_full, against n: sums over the next sequences.
    pub fn growth_share(&self, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        let quotient = |next: &Increment| {
            let full = in_full(next, sigma);
            let width = full.variance_estimate().half_width();
            Some((in_subspace(next, k, sigma)?.variance(), full.moments.variance(), width))
        };
        self.joined(|point| Figure::quotient(point, quotient))
    }

    /// The power law of a criterion over n: exponent with a 95 % interval ([`growth::fit`] says of what). `None` where
    /// n does not vary.
    pub fn growth_law(&self, quantity: Quantity, k: usize, sigma: f64) -> Option<PowerLaw> {
        let mut runs: BTreeMap<usize, Vec<(usize, f64)>> = BTreeMap::new();
        for point in self.growth_points() {
            if let Some(figure) = Figure::mean(point, |next| drawn(quantity, next, k, sigma)) {
                runs.entry(point.run).or_default().push((point.n, figure.value));
            }
        }
        growth::fit(&runs.into_values().collect::<Vec<_>>())
    }

    /// The exponent of [`Readout::growth_law`].
    pub fn growth_slope(&self, quantity: Quantity, k: usize, sigma: f64) -> Option<Interval> {
        self.growth_law(quantity, k, sigma).map(|law| law.slope)
    }

    /// ‖g^(n)‖ by position: how far the checkpoints are from the minimisers that the theory assumes.
    pub fn growth_grad_norm(&self) -> Vec<(Position, Interval)> {
        self.joined(|point| Some(Figure { value: point.grad_norm, half: 0.0 }))
    }

    /// ‖g_next − g^(n)‖ = (n + 1)‖b‖ by position, the mean over the next sequences: by how much one of them alone pulls
    /// the gradient, against which ‖g^(n)‖ is small or is not.
    pub fn growth_next_gradient(&self) -> Vec<(Position, Interval)> {
        self.joined(|point| {
            let pull = |next: &Increment| Some(Estimate::exact((point.n as f64 + 1.0) * next.b_norm2.sqrt()));
            Figure::mean(point, pull)
        })
    }

    /// How every eigenspace sits to the one of the point before it in its run, by run and position.
    pub fn growth_overlaps(&self) -> Vec<Stability> {
        let stability = |point: &Point| Stability {
            run: point.run,
            at: position(point),
            overlap: overlap(&point.cosines),
            angles: angles(&point.cosines),
        };
        self.growth_points().into_iter().filter(|point| !point.cosines.is_empty()).map(stability).collect()
    }

    /// Validity of the quadratic proxy at every point that measured it: (run, position, curve over σ).
    pub fn growth_proxy(&self) -> Vec<(usize, Position, &[Validity])> {
        let measured = self.growth_points().into_iter().filter(|point| !point.proxy.is_empty());
        measured.map(|point| (point.run, position(point), point.proxy.as_slice())).collect()
    }

    /// A figure of every point, joined over runs: by position.
    fn joined(&self, figure: impl Fn(&Point) -> Option<Figure>) -> Vec<(Position, Interval)> {
        let mut by_position: BTreeMap<Position, Vec<Figure>> = BTreeMap::new();
        for point in self.growth_points() {
            by_position.entry(position(point)).or_default().extend(figure(point));
        }
        let join = |figures: Vec<Figure>| {
            let values: Vec<f64> = figures.iter().map(|f| f.value).collect();
            growth::log_mean(&values, figures.first()?.half)
        };
        by_position.into_iter().filter_map(|(at, figures)| Some((at, join(figures)?))).collect()
    }
}

fn position(point: &Point) -> Position {
    match (point.mode, point.step) {
        (Mode::Checkpoints, Some(step)) => step as usize,
        _ => point.n,
    }
}
