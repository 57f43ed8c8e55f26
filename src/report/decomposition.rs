//! J = mean² + variance, in the subspaces and in the full space: what a ratio of the J hides where a² dominates both.

use serde::Serialize;

use super::exhibits::{Audience, Titled};
use super::table::{Cell, K, Kind, SIGMA, Table};
use crate::engine::readout::Readout;
use crate::math::stats::Interval;

/// Where the increment is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Space {
    /// In the first k dimensions of the basis.
    Sub,
    /// In all of them.
    Full,
}

/// The parts of one J by the closed form, nats², with 95 % intervals. Those of a subspace are exact, so their ends are
/// one; those of the full space have the uncertainty of Tr A and ‖A‖_F².
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Decomposition {
    /// Where.
    pub space: Space,
    /// Dimension of the subspace.
    pub k: Option<usize>,
    /// σ.
    pub sigma: f64,
    /// J = mean² + variance.
    pub j: Interval,
    /// (a + ½σ² Tr)².
    pub mean2: Interval,
    /// σ²‖·‖² + ½σ⁴‖·‖_F².
    pub variance: Interval,
    /// The gradient's part of the variance, which is exact.
    pub gradient: f64,
}

/// Every k and σ asked, then the full space at every σ.
pub(super) fn of(readout: &Readout) -> Vec<Decomposition> {
    let sub = |(k, sigma)| {
        let m = readout.quadratic().filter(|q| k <= q.k())?.moments(k, sigma);
        let [j, mean2, variance] = [m.j(), m.mean * m.mean, m.variance()].map(Interval::exact);
        Some(Decomposition { space: Space::Sub, k: Some(k), sigma, j, mean2, variance, gradient: m.gradient })
    };
    let full = |sigma: &f64| {
        let f = readout.full_moments(readout.shown_n(), *sigma)?;
        let (j, mean2, variance, gradient) = (f.j(), f.mean2(), f.variance(), f.moments.gradient);
        Some(Decomposition { space: Space::Full, k: None, sigma: *sigma, j, mean2, variance, gradient })
    };
    let knobs = &readout.knobs;
    knobs.places().filter_map(sub).chain(knobs.sigmas.iter().filter_map(full)).collect()
}

/// One row each.
pub(super) fn table(all: &[Decomposition]) -> Titled {
    let row = |d: &Decomposition| {
        let space = match d.space {
            Space::Sub => "sub",
            Space::Full => "full",
        };
        vec![
            space.into(),
            d.k.map_or(Cell::Blank, Cell::Count),
            Cell::Knob(d.sigma),
            Cell::Within(d.j),
            Cell::Within(d.mean2),
            Cell::Within(d.variance),
            Cell::Value(d.gradient),
        ]
    };
    let columns = [
        ("space", "space", Kind::Plain),
        K,
        SIGMA,
        ("j", "J", Kind::Interval),
        ("mean2", "mean²", Kind::Interval),
        ("variance", "variance", Kind::Interval),
        ("gradient", "of it from the gradient", Kind::Plain),
    ];
    Titled {
        name: "decomposition",
        title: "Decomposition by the closed form: J = mean² + variance, nats²".to_owned(),
        audience: Audience::Everyone,
        places: 3,
        table: Table::new(&columns, all.iter().map(row).collect()),
    }
}
