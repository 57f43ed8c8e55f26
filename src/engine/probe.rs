//! One Hessian–vector product along a vector that anybody can write down: a check that another implementation can
//! repeat. No part of a run, and no event.

use std::sync::Arc;

use serde::Serialize;

use super::device::{Place, placed, usable};
use super::knobs::Precision;
use super::problem::Problem;
use super::worker::{self, Settings};
use crate::error::Result;
use crate::math::array::Real;
use crate::math::vector;

/// H^(n)v for v_i = sin(i), i = 1…P (radians), normalised.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HvpProbe {
    /// ‖H^(n)v‖.
    pub hvp_norm: f64,
    /// vᵀH^(n)v.
    #[serde(rename = "vHv")]
    pub vhv: f64,
    /// By tensor, in the order of the flat vector.
    pub tensor_norms: Vec<TensorNorms>,
}

/// 2-norms of one tensor's part of two vectors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorNorms {
    /// The tensor's name.
    pub name: String,
    /// Of g^(n).
    pub grad: f64,
    /// Of H^(n)v.
    pub hvp: f64,
}

/// Compute it, with n at most the number of sequences.
///
/// # Errors
/// A loss that is not finite; a device or a number of threads that cannot be had.
pub fn hvp(problem: &Problem, n: usize, settings: &Settings) -> Result<HvpProbe> {
    let place = Place::of(&usable(settings)?.0);
    worker::pool(settings)?.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => along_sine::<f32>(problem, n, &place),
        Precision::F64 => along_sine::<f64>(problem, n, &place),
    })
}

fn along_sine<T: Real>(problem: &Problem, n: usize, place: &Place) -> Result<HvpProbe> {
    let mut risk = placed(problem.risk::<T>(Arc::new(|| Ok(()))), place, None)?;
    risk.linearise(0..n)?;
    let sine: Vec<f64> = (1..=risk.parameters()).map(|i| (i as f64).sin()).collect();
    let length = vector::norm(&sine);
    let v: Vec<T> = sine.iter().map(|x| T::of(x / length)).collect();
    let mut hv = vec![T::of(0.0); v.len()];
    risk.hvp(0..n, &v, &mut hv)?;
    let gradient = risk.gradient(0..n)?;
    let tensors = risk.graph().layout.entries().iter().map(|entry| TensorNorms {
        name: entry.name.clone(),
        grad: vector::norm(&gradient[entry.range()]),
        hvp: vector::norm(&hv[entry.range()]),
    });
    Ok(HvpProbe { hvp_norm: vector::norm(&hv), vhv: vector::dot(&v, &hv), tensor_norms: tensors.collect() })
}
