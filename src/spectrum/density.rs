//! The spectral density of a symmetric operator by stochastic Lanczos quadrature (Ubaru, Chen and Saad 2017): m steps of
//! Lanczos from a random vector give the nodes and weights of the Gauss quadrature of its spectral measure (Golub and
//! Welsch 1969), and the mean over random vectors is that of the whole spectrum.

use super::krylov::{Krylov, Multiply, Ritz, on_host, vectors_beside};
use super::operator::{Complement, SymmetricOperator};
use super::solver::Order;
use crate::error::Result;
use crate::math::array::Real;
use crate::math::basis::Basis;
use crate::math::space::{Host, Room, Space};
use crate::math::stats::Estimate;

/// One probe: nodes and weights of its quadrature.
#[derive(Debug, Clone, PartialEq)]
pub struct Density {
    /// Ritz values, ascending.
    pub nodes: Vec<f64>,
    /// Weights that add up to 1.
    pub weights: Vec<f64>,
}

/// A density over eigenvalues that integrates to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Eigenvalues, ascending and evenly spaced.
    pub x: Vec<f64>,
    /// Density there, the mean over probes.
    pub mean: Vec<f64>,
    /// Lower end of the mean's 95 % interval, at least 0; the mean where one probe says nothing of the spread.
    pub low: Vec<f64>,
    /// Upper end.
    pub high: Vec<f64>,
    /// Standard deviation of the Gaussian that each node is widened to: what one node more would resolve.
    pub width: f64,
    /// The ends of the bulk: outside, no more than a few eigenvalues share one width.
    pub bulk: [f64; 2],
    /// The known eigenvalues that lie outside the bulk.
    pub outliers: Vec<f64>,
}

/// Eigenvalues within a width from which on they count as a bulk.
const CROWD: f64 = 3.0;
/// Widths that the curve is drawn beyond the outermost nodes.
const MARGIN: f64 = 4.0;

impl Density {
    /// Σ_j w_j exp(−(x − θ_j)²/(2 width²))/(width √(2π)).
    pub fn at(&self, x: f64, width: f64) -> f64 {
        let peak = 1.0 / (width * (2.0 * std::f64::consts::PI).sqrt());
        let bell = |node: f64| (-0.5 * ((x - node) / width).powi(2)).exp();
        peak * self.nodes.iter().zip(&self.weights).map(|(node, weight)| weight * bell(*node)).sum::<f64>()
    }
}

/// One probe by `steps` products, fully re-orthogonalised, from `start`, standard normals. The eigenvectors `known` with
/// their `values` are nodes of the weight that they have, 1/dim each; Lanczos runs in their complement, so that chance
/// has no part in them. `watch` follows every product.
///
/// # Errors
/// As [`super::lanczos::lanczos`].
pub fn quadrature<T: Real>(
    op: &mut dyn SymmetricOperator<T>,
    known: &Basis<T>,
    values: &[f64],
    mut start: Vec<T>,
    steps: usize,
    watch: &mut dyn FnMut(),
) -> Result<Density> {
    let dim = op.dim();
    let (each, rest) = (1.0 / dim as f64, (dim - known.len()) as f64 / dim as f64);
    known.orthogonalise(&mut start);
    let (mut op, room) = (Complement { op, basis: known }, Room { columns: steps, beside: vectors_beside(1) });
    let ritz = if let Some(mut there) = op.on_device(room)? {
        walk(there.space()?, &mut |v, out| there.apply_block(v, out), room, start, watch)?
    } else {
        walk(Host::new(dim), &mut on_host(&mut op), room, start, watch)?
    };
    let mut nodes: Vec<(f64, f64)> = values.iter().map(|v| (*v, each)).collect();
    // The first component of each eigenvector is its share of the start vector.
    nodes.extend((0..ritz.eigen.values.len()).map(|i| (ritz.eigen.values[i], rest * ritz.eigen.vector(i)[0].powi(2))));
    nodes.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (nodes, weights) = nodes.into_iter().unzip();
    Ok(Density { nodes, weights })
}

/// Lanczos from one vector, as many steps as there is room for columns.
fn walk<S: Space>(
    space: S,
    multiply: &mut Multiply<'_, S::Vector>,
    room: Room,
    start: Vec<S::Element>,
    watch: &mut dyn FnMut(),
) -> Result<Ritz> {
    // The seed is that of fresh starts, and there are none.
    let mut krylov = Krylov::new(space, room, 1, 0)?;
    krylov.add(start)?;
    while krylov.len() < room.columns && !krylov.is_closed() {
        krylov.step(multiply, 1)?;
        watch();
    }
    krylov.ritz(Order::Largest)
}

/// The density of an operator of `dim` dimensions at `points` places, and which of the eigenvalues `known` lie outside
/// its bulk. `None` without probes, with fewer than two points, or if all nodes are one.
pub fn curve(probes: &[Density], dim: usize, points: usize, known: &[f64]) -> Option<Curve> {
    let nodes = || probes.iter().flat_map(|p| p.nodes.iter().copied());
    let (low, high) = (nodes().min_by(f64::total_cmp)?, nodes().max_by(f64::total_cmp)?);
    let width = (high - low) / probes.iter().map(|p| p.nodes.len()).max()? as f64;
    if points < 2 || width <= 0.0 {
        return None;
    }
    let grid = |count: usize| {
        let (from, to) = (low - MARGIN * width, high + MARGIN * width);
        (0..count).map(move |i| from + (to - from) * i as f64 / (count - 1) as f64)
    };
    let estimate = |x: f64| Estimate::of(probes.iter().map(|p| p.at(x, width)));
    let x: Vec<f64> = grid(points).collect();
    let all: Vec<Estimate> = x.iter().map(|x| estimate(*x)).collect::<Option<_>>()?;
    let half = |e: &Estimate| if e.stderr.is_finite() { e.half_width() } else { 0.0 };

    // A fine grid of its own, so that the bulk does not depend on how many points are drawn.
    let crowd = CROWD / (dim as f64 * width * (2.0 * std::f64::consts::PI).sqrt());
    let fine = 8 * ((high - low) / width + 2.0 * MARGIN).ceil() as usize;
    let crowded =
        || grid(fine).filter(|x| probes.iter().map(|p| p.at(*x, width)).sum::<f64>() > crowd * probes.len() as f64);
    let bulk = [crowded().next().unwrap_or(low), crowded().next_back().unwrap_or(high)];
    Some(Curve {
        mean: all.iter().map(|e| e.mean).collect(),
        low: all.iter().map(|e| (e.mean - half(e)).max(0.0)).collect(),
        high: all.iter().map(|e| e.mean + half(e)).collect(),
        outliers: known.iter().copied().filter(|v| *v < bulk[0] || *v > bulk[1]).collect(),
        x,
        width,
        bulk,
    })
}
