//! Settling: w* moved toward a minimiser of L_n, where g^(n) = 0 as the theory assumes. What is here is the data: what is
//! asked, a [`Plan`], and what comes of it, one [`Step`] an event; [`run`] goes the steps.

pub mod run;

use serde::{Deserialize, Serialize};

use super::number;
use crate::error::{Error, Result};
use crate::newton::steihaug::End;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// ‖g^(n)‖ to come down to, nats per parameter unit.
    pub until: f64,
    /// Steps allowed.
    pub steps: usize,
    /// Hessian–vector products allowed on the way to one step.
    pub products: usize,
}

impl Plan {
    /// Check what a user can set.
    ///
    /// # Errors
    /// [`Error::Knob`] naming the flag.
    pub fn check(&self) -> Result<()> {
        if !(self.until.is_finite() && self.until > 0.0) {
            return Err(Error::knob("--until", format!("{} is not a positive finite number", self.until)));
        }
        if self.products == 0 {
            return Err(Error::knob("--products", "a step takes one product at least; give 1 or more"));
        }
        Ok(())
    }
}

/// A step that was taken, and where it led.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number; 0 is the checkpoint that was read.
    pub step: usize,
    /// L_n, nats per token.
    #[serde(with = "number::one")]
    pub loss: f64,
    /// ‖g^(n)‖.
    #[serde(with = "number::one")]
    pub grad_norm: f64,
    /// ‖g_{n+1} − g^(n)‖: beside it ‖g^(n)‖ should be small.
    #[serde(with = "number::one")]
    pub next_norm: f64,
    /// How w* got there; `None` at the start.
    pub taken: Option<Taken>,
}

/// How a step was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    /// Its length ‖δ‖.
    #[serde(with = "number::one")]
    pub length: f64,
    /// Radius of the trust region after it.
    #[serde(with = "number::one")]
    pub radius: f64,
    /// Decrease of L_n over that of its quadratic model.
    #[serde(with = "number::one")]
    pub agreement: f64,
    /// Hessian–vector products it took.
    pub products: usize,
    /// Points at which L_n was computed.
    pub tries: usize,
    /// The smallest curvature dᵀHd/dᵀd along the directions of conjugate gradients.
    #[serde(with = "number::one")]
    pub curvature: f64,
    /// Where the conjugate gradients ended.
    pub end: Ended,
}

/// How the conjugate gradients of a step ended: [`End`] as it is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ended {
    /// With a Newton step, as exact as asked.
    Solved,
    /// At the radius of the trust region.
    Boundary,
    /// There too, along a direction of negative curvature.
    NegativeCurvature,
    /// Out of products.
    OutOfProducts,
}

impl From<End> for Ended {
    fn from(end: End) -> Ended {
        match end {
            End::Solved => Ended::Solved,
            End::Boundary => Ended::Boundary,
            End::NegativeCurvature => Ended::NegativeCurvature,
            End::OutOfProducts => Ended::OutOfProducts,
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Ended::Solved => "Newton",
            Ended::Boundary => "boundary",
            Ended::NegativeCurvature => "negative curvature",
            Ended::OutOfProducts => "out of products",
        })
    }
}

/// Why there are no more steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// ‖g^(n)‖ is as small as asked.
    Reached,
    /// All steps were taken.
    OutOfSteps,
    /// No lower L_n can be told apart in this precision.
    OutOfPrecision,
    /// It was stopped.
    Stopped,
}

/// All that is known of a run that settles.
#[derive(Debug, Clone, PartialEq)]
pub struct Settling {
    /// What was asked.
    pub plan: Plan,
    /// The start and every step, in order.
    pub steps: Vec<Step>,
    /// Why they ended; `None` as long as they have not.
    pub outcome: Option<Outcome>,
}

impl Settling {
    /// Hessian–vector products so far.
    pub fn products(&self) -> usize {
        self.steps.iter().filter_map(|step| step.taken).map(|taken| taken.products).sum()
    }

    /// What became of it, in one line; `None` without a single step 0.
    pub fn verdict(&self, n: usize) -> Option<String> {
        let (first, last) = (self.steps.first()?, self.steps.last()?);
        let how = match self.outcome {
            None => "under way",
            Some(Outcome::Reached) => "settled",
            Some(Outcome::OutOfSteps) => "not settled: all steps are taken, allow more with --steps",
            Some(Outcome::OutOfPrecision) => "not settled: no lower L_n can be told apart in this precision",
            Some(Outcome::Stopped) => "stopped before it was settled",
        };
        Some(format!(
            "{how}; ‖g^({n})‖ {:.2e} → {:.2e} (asked: {:.0e}), L_{n} {:.6} → {:.6}, {} steps, {} products",
            first.grad_norm,
            last.grad_norm,
            self.plan.until,
            first.loss,
            last.loss,
            last.step,
            self.products()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_settings_name_the_flag() {
        let plan = Plan { until: 1e-3, steps: 0, products: 1 };
        assert!(plan.check().is_ok());
        let said = |plan: Plan| plan.check().unwrap_err().to_string();
        assert!(said(Plan { until: 0.0, ..plan }).starts_with("--until"));
        assert!(said(Plan { until: f64::INFINITY, ..plan }).starts_with("--until"));
        assert!(said(Plan { products: 0, ..plan }).starts_with("--products"));
    }

    #[test]
    fn the_verdict_tells_from_where_to_where() {
        let start = Step { step: 0, loss: 0.5, grad_norm: 0.25, next_norm: 1.0, taken: None };
        let taken = Taken {
            length: 1.0,
            radius: 1.0,
            agreement: 1.0,
            products: 7,
            tries: 1,
            curvature: -0.5,
            end: Ended::NegativeCurvature,
        };
        let end = Step { step: 1, loss: 0.25, grad_norm: 5e-4, taken: Some(taken), ..start };
        let plan = Plan { until: 1e-3, steps: 9, products: 10 };
        let settling = Settling { plan, steps: vec![start, end], outcome: Some(Outcome::Reached) };
        let said = settling.verdict(8).unwrap();
        assert!(
            said.starts_with("settled; ‖g^(8)‖ 2.50e-1 → 5.00e-4 (asked: 1e-3), L_8 0.500000 → 0.250000, 1 steps, 7")
        );
        let stuck = Settling { outcome: Some(Outcome::OutOfSteps), ..settling };
        assert!(stuck.verdict(8).unwrap().starts_with("not settled: all steps are taken"));
    }
}
