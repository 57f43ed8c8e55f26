//! When to believe that the leading pairs are the leading pairs.
//!
//! A Krylov space holds one copy of each eigenvalue, and small residuals do not prove that nothing above was missed. So
//! a fresh random start in the complement joins the pending directions for a while: if it brings nothing new into the leading values,
//! they stand. This is always done when the space has closed on itself (exact degeneracies, low rank, an invariant
//! start), with as many products as the closed space took; otherwise when the caller asks for it. If something new does
//! come in, the check is repeated.

use super::krylov::Krylov;
use super::solver::Request;
use crate::error::Result;
use crate::math::space::Space;

/// Where a solve stands between its first convergence and its end.
pub(super) struct Check {
    /// Products to spend at least, 0 for no check unless the space closes.
    asked: usize,
    /// Directions multiplied at once.
    block: usize,
    /// Products when the last fresh start was made.
    opened: usize,
    running: Option<Running>,
}

struct Running {
    /// Leading values when the fresh start was made; fewer than k if the space closed before.
    reference: Vec<f64>,
    /// The fresh start is followed until this many products,
    until: usize,
    /// which is so many after it was made.
    length: usize,
}

/// The leading values after a product.
pub(super) struct Leading<'a> {
    /// Largest first, up to k.
    pub values: &'a [f64],
    /// Whether there are k of them with residuals within `tolerance`.
    pub settled: bool,
    /// Whether all Ritz pairs, not just the leading ones, are within `tolerance`: the space has closed on itself.
    pub closed: bool,
    /// Accepted residual.
    pub tolerance: f64,
}

impl Check {
    /// The check that a request asks for. Among the directions of a block a fresh start gets one product of block + 1, so
    /// a block needs more products to take it as far.
    pub fn new(request: &Request) -> Check {
        Check { asked: request.check * (request.block + 1) / 2, block: request.block, opened: 0, running: None }
    }

    /// Take note of a product; true when the leading values can be accepted. Makes fresh starts as needed.
    ///
    /// # Errors
    /// If a fresh start fails where the vectors lie.
    pub fn accepts<S: Space>(&mut self, krylov: &mut Krylov<S>, leading: &Leading<'_>) -> Result<bool> {
        let (products, closed) = (krylov.products(), leading.closed);
        if let Some(running) = &self.running {
            if products < running.until && !closed {
                return Ok(false);
            }
            let same = |(a, b): (&f64, &f64)| (a - b).abs() <= leading.tolerance;
            let unchanged = running.reference.len() == leading.values.len()
                && running.reference.iter().zip(leading.values).all(same);
            if leading.settled && unchanged {
                return Ok(true);
            }
        } else if leading.settled && self.asked == 0 && !closed {
            return Ok(true);
        }
        if !(leading.settled || closed) {
            return Ok(false);
        }
        let before = if closed { products - self.opened } else { self.running.as_ref().map_or(0, |r| r.length) };
        if !krylov.add_random(if closed { self.block } else { 1 })? {
            return Ok(leading.settled);
        }
        let length = before.max(self.asked);
        self.running = Some(Running { reference: leading.values.to_vec(), until: products + length, length });
        self.opened = products;
        Ok(false)
    }
}
