//! Criteria against n, whichever way a session has them: from points of growth, each with a basis of its own, or from an
//! ordinary run's one basis, on which stage Sweeps knows the coefficients of every m ≤ n.

use crate::criteria::growth::{self, PowerLaw};
use crate::engine::growth::Mode;
use crate::engine::readout::Readout;
use crate::engine::readout::growth::{Position, Quantity};
use crate::math::stats::{Estimate, Interval, t95};

/// Where the curves come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Points of growth.
    Growth(Mode),
    /// The coefficients of every m on the basis of n.
    OneBasis,
}

/// The curves.
#[derive(Debug, Clone, Copy)]
pub struct AgainstN<'a> {
    readout: &'a Readout,
    origin: Origin,
}

impl<'a> AgainstN<'a> {
    /// Of a readout that has two positions at least.
    pub fn of(readout: &'a Readout) -> Option<AgainstN<'a>> {
        let origin = match readout.growth_mode() {
            Some(mode) => Origin::Growth(mode),
            None => Origin::OneBasis,
        };
        let curves = AgainstN { readout, origin };
        (curves.curve(Quantity::J1, 1, 1.0).len() > 1).then_some(curves)
    }

    /// The readout.
    pub fn readout(&self) -> &'a Readout {
        self.readout
    }

    /// Whether positions are training steps rather than n.
    pub fn by_step(&self) -> bool {
        self.origin == Origin::Growth(Mode::Checkpoints)
    }

    /// The dimensions that every point reaches.
    pub fn ks(&self) -> Vec<usize> {
        let most = match self.origin {
            Origin::Growth(_) => self.readout.growth_k(),
            Origin::OneBasis => self.readout.coefficients.values().map(|q| q.k()).min(),
        };
        self.readout.knobs.ks.iter().copied().filter(|k| Some(*k) <= most).collect()
    }

    /// What the curves are of, for a caption.
    pub fn source(&self) -> String {
        let Some(subject) = &self.readout.subject else { return String::new() };
        let (runs, next) = self.readout.exhibits.growth_plan.as_ref().map_or((1, 1), |plan| (plan.runs, plan.next));
        let joined = match (runs, next) {
            (1, 1) => {
                "one run with one next sequence: without a spread J_1 and J_sub are exact and have no band".into()
            }
            (1, next) => format!("one run, mean over {next} next sequences"),
            (runs, next) => format!("geometric mean over {runs} runs, each the mean over {next} next sequences"),
        };
        match self.origin {
            Origin::Growth(Mode::Fixed) => {
                format!("{} at every n, each n with its own eigenspace; {joined}", subject.name)
            }
            Origin::Growth(Mode::Frozen) => {
                format!("{} at every n, on the eigenspace of the largest n; {joined}", subject.name)
            }
            Origin::Growth(Mode::Training) => {
                format!("{} trained on the sequences in order, looked at after each n; {joined}", subject.model)
            }
            Origin::Growth(Mode::Checkpoints) => format!("saved checkpoints of {} at one n; {joined}", subject.name),
            Origin::OneBasis => format!(
                "{} at every n, on the eigenspace of n = {}; one order of the sequences, so J_1 and J_sub are exact and \
                 have no band",
                subject.name,
                self.readout.shown_n()
            ),
        }
    }

    /// A criterion by position.
    pub fn curve(&self, quantity: Quantity, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        match self.origin {
            Origin::Growth(_) => self.readout.growth_curve(quantity, k, sigma),
            Origin::OneBasis => self.over_m(|m| self.at(quantity, m, k, sigma)),
        }
    }

    /// C_n = (n + 1)^−rate · J by position.
    pub fn constant(&self, quantity: Quantity, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        match self.origin {
            Origin::Growth(_) => self.readout.growth_constant(quantity, k, sigma),
            Origin::OneBasis => self.over_m(|m| {
                let (factor, i) = ((m as f64 + 1.0).powf(-quantity.rate()), self.at(quantity, m, k, sigma)?);
                Some(Interval { value: factor * i.value, low: factor * i.low, high: factor * i.high })
            }),
        }
    }

    /// J_sub/J_full by position.
    pub fn ratio(&self, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        match self.origin {
            Origin::Growth(_) => self.readout.growth_ratio(k, sigma),
            Origin::OneBasis => self.over_m(|m| self.readout.ratio_gm(m, k, sigma)),
        }
    }

    /// The share of the deformation in the subspace by position.
    pub fn share(&self, k: usize, sigma: f64) -> Vec<(Position, Interval)> {
        match self.origin {
            Origin::Growth(_) => self.readout.growth_share(k, sigma),
            Origin::OneBasis => self.over_m(|m| Some(self.readout.shares(m, k, sigma)?.total)),
        }
    }

    /// The power law of a criterion.
    pub fn law(&self, quantity: Quantity, k: usize, sigma: f64) -> Option<PowerLaw> {
        match self.origin {
            Origin::Growth(_) => self.readout.growth_law(quantity, k, sigma),
            Origin::OneBasis => {
                let points = self.curve(quantity, k, sigma).into_iter().map(|(n, i)| (n, i.value));
                growth::fit(&[points.collect()])
            }
        }
    }

    /// ‖g^(n)‖ by position; one point of an ordinary run.
    pub fn grad_norm(&self) -> Vec<(Position, Interval)> {
        self.readout.growth_grad_norm()
    }

    fn over_m(&self, of: impl Fn(usize) -> Option<Interval>) -> Vec<(Position, Interval)> {
        self.readout.coefficients.keys().filter_map(|m| Some((*m, of(*m)?))).collect()
    }

    fn at(&self, quantity: Quantity, m: usize, k: usize, sigma: f64) -> Option<Interval> {
        let exact = |value: f64| Interval { value, low: value, high: value };
        match quantity {
            Quantity::J1 => self.readout.increment(m).map(|a| exact(a.abs())),
            Quantity::JSub => {
                let q = self.readout.coefficients.get(&m).filter(|q| k <= q.k())?;
                Some(exact(q.moments(k, sigma).j()))
            }
            Quantity::JFull => {
                let full = self.readout.full_moments(m, sigma)?;
                let (value, half) = (full.moments.j(), t95(full.trace.draws) * full.j_stderr);
                Some(Interval { value, low: (value - half).max(0.0), high: value + half })
            }
        }
    }
}

/// How far the checkpoints of a run are from minimisers: ‖g^(n)‖/‖g_next − g^(n)‖ over all points, its median with its
/// quartiles and how many points there are. `None` without points of growth.
pub fn distance_from_minimisers(readout: &Readout) -> Option<(Interval, usize)> {
    let one = |point: &&crate::engine::growth::Point| {
        let next = Estimate::of(point.next.iter().map(|next| next.b_norm2.sqrt()))?.mean * (point.n as f64 + 1.0);
        (next > 0.0).then_some(point.grad_norm / next)
    };
    let values: Vec<f64> = readout.growth_points().iter().filter_map(one).collect();
    Some((growth::quartiles(&values)?, values.len()))
}
