//! What fits in the device's memory: how many sequences keep their linearisation, and how much is swept at once.
//!
//! Directions give way first: a block of them spares launches and fills the device where sequences alone do not, but a
//! sequence that does not keep its linearisation costs half a product more, every time.

use super::head::Strips;
use super::rules::{PARTIALS, Rule};
use crate::diff::graph::Graph;
use crate::error::Error;
use crate::math::array::Real;

/// Most directions that are swept together. More would fill no device better at any size that fits.
const DIRECTIONS: usize = 8;

/// Bytes of a model's sweeps over sequences of one length.
pub struct Sizes {
    /// For every sequence that keeps its linearisation.
    linearised: usize,
    /// For every pair of a sequence and a direction that is swept at once.
    scratch: usize,
    /// Whatever is swept.
    fixed: usize,
    /// For every direction.
    direction: usize,
}

/// How the memory is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Sequences that keep their linearisation, the first ones.
    pub keep: usize,
    /// Pairs of a sequence and a direction that are swept at once: a piece of as many sequences, or fewer of them along
    /// more directions.
    pub slots: usize,
    /// Most directions at once.
    pub directions: usize,
}

impl Sizes {
    /// For `sequences` sequences of `length` tokens, in numbers of `element` bytes.
    pub fn of<T: Real>(
        graph: &Graph<T>,
        rules: &[&dyn Rule<T>],
        (sequences, length): (usize, usize),
        element: usize,
    ) -> Sizes {
        let widths: usize = graph.nodes.iter().map(|n| n.width).sum();
        let kept: usize = rules.iter().flat_map(|r| r.keeps(length)).sum();
        let left: usize = rules.iter().map(|r| r.leaves(length)).sum();
        let (work, rows) = (works(rules, length), sequences * length);
        let constants: usize = rules.iter().flat_map(|r| r.constants()).map(<[T]>::len).sum();
        let bytes = |elements: usize| elements * element;
        let strip = bytes(Strips::<T>::elements(&graph.head, rows));
        Sizes {
            linearised: bytes(length * (2 * widths + kept + graph.head.vocabulary)),
            scratch: bytes(length * (2 * widths + left + work)) + (length + 3 * batch(rules)) * size_of::<f64>(),
            fixed: bytes(graph.layout.len() + constants) + 2 * rows * size_of::<u32>() + strip,
            direction: bytes(2 * lane(graph.layout.len())) + strip + (PARTIALS + sequences) * size_of::<f64>(),
        }
    }

    /// Everything but linearisations and sweeps, for `directions` at once.
    fn beside(&self, directions: usize) -> usize {
        self.fixed + directions * self.direction
    }

    /// Bytes for one sequence and one direction, the least that a run can do with.
    pub fn least(&self) -> usize {
        self.beside(1) + self.linearised + self.scratch
    }

    /// The plan within `room` bytes, for `sequences`; `None` if not even one fits.
    pub fn plan(&self, room: usize, sequences: usize) -> Option<Plan> {
        let whole = |d: &usize| self.beside(*d) + sequences * (self.linearised + d * self.scratch) <= room;
        if let Some(directions) = (1..=DIRECTIONS).rev().find(whole) {
            return Some(Plan { keep: sequences, slots: sequences * directions, directions });
        }
        // Of what is left a quarter for pieces that come and go, the rest for what stays.
        let both = self.linearised + self.scratch;
        let few = |d: &usize| self.beside(*d) <= room / 4 && self.beside(*d) + both <= room;
        let directions = (1..=DIRECTIONS).rev().find(few).unwrap_or(1);
        let room = room.checked_sub(self.beside(directions))?;
        let slots = (room / 4 / both).clamp(1, sequences);
        let rest = room.checked_sub(slots * both)?;
        Some(Plan { keep: (rest / self.linearised).min(sequences), slots, directions: directions.min(slots) })
    }
}

/// Elements from one flat vector of `dim` elements to the next, so that each begins where products are fast.
pub fn lane(dim: usize) -> usize {
    dim.next_multiple_of(64)
}

/// Elements a row of work space for whichever primitive needs most.
pub fn works<T>(rules: &[&dyn Rule<T>], length: usize) -> usize {
    rules.iter().map(|r| r.works(length)).max().unwrap_or(0)
}

/// Matrices that a primitive multiplies at once for a sequence and a direction, at most.
pub fn batch<T>(rules: &[&dyn Rule<T>]) -> usize {
    rules.iter().map(|r| r.batch()).max().unwrap_or(1)
}

/// The error of a device with `room` bytes that is too small for one sequence: what that takes, and the settings that
/// would fit. `sizes` are those of a length and of the bytes of a number.
pub fn too_small(sizes: impl Fn(usize, usize) -> Sizes, room: usize, length: usize, element: usize) -> Error {
    let fits = |length: usize, element: usize| sizes(length, element).least() <= room;
    let mut ways = Vec::new();
    // Bytes grow with the length, so the longest that fits is where a bisection ends.
    let (mut fit, mut unfit) = (0, length);
    while fit + 1 < unfit {
        let middle = fit.midpoint(unfit);
        if fits(middle, element) { fit = middle } else { unfit = middle }
    }
    if fit > 0 {
        ways.push(format!("--length {fit}, the longest that fits"));
    }
    if element > size_of::<f32>() && fits(length, size_of::<f32>()) {
        ways.push("--precision f32".to_owned());
    }
    ways.push("--device cpu".to_owned());
    let (needed, mebibytes) = (sizes(length, element), |bytes: usize| format!("{} MiB", bytes.div_ceil(1 << 20)));
    Error::Computation(format!(
        "the GPU has {} free and one sequence of {length} tokens takes {} beside {} for parameters and logits; use {}",
        mebibytes(room),
        mebibytes(needed.linearised + needed.scratch),
        mebibytes(needed.beside(1)),
        ways.join(", or ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes { linearised: 100, scratch: 50, fixed: 40, direction: 30 };

    fn used(plan: Plan, sequences: usize) -> usize {
        let occasion = if plan.keep < sequences { plan.slots.min(sequences) * SIZES.linearised } else { 0 };
        SIZES.beside(plan.directions) + plan.keep * SIZES.linearised + plan.slots * SIZES.scratch + occasion
    }

    #[test]
    fn directions_give_way_before_linearisations() {
        let plan = |room| SIZES.plan(room, 4).unwrap();
        // Everything: 40 + 8·30 + 4·100 + 32·50.
        assert_eq!(plan(2280), Plan { keep: 4, slots: 32, directions: 8 });
        assert_eq!(plan(2279), Plan { keep: 4, slots: 28, directions: 7 });
        // One direction: 40 + 30 + 4·100 + 4·50.
        assert_eq!(plan(670), Plan { keep: 4, slots: 4, directions: 1 });
        assert_eq!(SIZES.least(), 220);
        assert_eq!(plan(220), Plan { keep: 0, slots: 1, directions: 1 });
        assert_eq!(SIZES.plan(219, 4), None);
        assert!(plan(669).keep < 4, "{:?}", plan(669));
        for room in 220..3000 {
            assert!(used(plan(room), 4) <= room, "{room}: {:?}", plan(room));
        }
    }

    #[test]
    fn a_device_that_is_too_small_names_what_fits() {
        let sizes = |length: usize, element: usize| Sizes {
            linearised: length * element,
            scratch: length * element,
            fixed: element * (1 << 10),
            direction: 0,
        };
        let said = |room: usize, element: usize| too_small(sizes, room, 4096, element).to_string();
        let ends = |room, element, end: &str| assert!(said(room, element).ends_with(end), "{}", said(room, element));
        ends(40_000, 8, "; use --length 1988, the longest that fits, or --precision f32, or --device cpu");
        ends(30_000, 8, "; use --length 1363, the longest that fits, or --device cpu");
        ends(30_000, 4, "; use --length 3238, the longest that fits, or --device cpu");
        ends(8_000, 8, "; use --device cpu");
    }
}
