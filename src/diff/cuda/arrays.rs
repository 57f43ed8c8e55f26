//! The arrays of a linearisation and of a sweep.

use super::device::Device;
use super::head::Strips;
use super::memory::{Array, Ptr};
use super::plan::{Plan, batch, works};
use super::rules::{PARTIALS, Rule};
use crate::diff::graph::Graph;
use crate::error::Result;
use crate::math::array::Real;

/// A linearisation of some sequences: a sequence's arrays are rows of the batch's.
pub struct Linearised<T> {
    /// Sequences there is room for.
    pub count: usize,
    /// Values of every node.
    pub y: Vec<Array<T>>,
    /// Their adjoints.
    pub ybar: Vec<Array<T>>,
    /// What each primitive keeps.
    pub kept: Vec<Vec<Array<T>>>,
    /// Logits.
    pub logits: Array<T>,
}

impl<T: Real> Linearised<T> {
    /// For `count` sequences of `length` tokens, contents arbitrary.
    pub fn new(device: &Device, graph: &Graph<T>, rules: &[&dyn Rule<T>], count: usize, length: usize) -> Result<Self> {
        let rows = count * length;
        let kept = |r: &&dyn Rule<T>| r.keeps(length).into_iter().map(|width| device.array(rows * width)).collect();
        Ok(Linearised {
            count,
            y: outputs(device, graph, rows)?,
            ybar: outputs(device, graph, rows)?,
            kept: rules.iter().map(kept).collect::<Result<_>>()?,
            logits: device.array(rows * graph.head.vocabulary)?,
        })
    }

    /// What node number `node` keeps, from `sequence` on.
    pub fn kept(&self, node: usize, sequence: usize) -> Vec<Ptr<T>> {
        let from = |array: &Array<T>| array.at().plus(sequence * (array.len() / self.count.max(1)));
        self.kept[node].iter().map(from).collect()
    }
}

/// Arrays of a sweep: one lane a direction, as long as the piece of sequences that is swept.
pub struct Scratch<T> {
    /// Pairs of a sequence and a direction there is room for.
    pub slots: usize,
    /// Tangents of every node; values, in sweeps that keep none.
    pub dy: Vec<Array<T>>,
    /// Tangents of the adjoints.
    pub dybar: Vec<Array<T>>,
    /// What forward rules leave for backward ones.
    pub left: Vec<Array<T>>,
    /// Work space.
    pub work: Array<T>,
    /// Partial sums.
    pub partials: Array<f64>,
    /// Addresses of the matrices of a batch.
    pub addresses: Array<u64>,
    /// The head's strips.
    pub strips: Strips<T>,
    /// Losses of sequences, or their derivatives along directions.
    pub losses: Array<f64>,
}

impl<T: Real> Scratch<T> {
    /// For sequences of `length` tokens, `sequences` of them in all, contents arbitrary.
    pub fn new(
        device: &Device,
        graph: &Graph<T>,
        rules: &[&dyn Rule<T>],
        plan: &Plan,
        (length, sequences): (usize, usize),
    ) -> Result<Self> {
        let rows = plan.slots * length;
        Ok(Scratch {
            slots: plan.slots,
            dy: outputs(device, graph, rows)?,
            dybar: outputs(device, graph, rows)?,
            left: rules.iter().map(|r| device.array(rows * r.leaves(length))).collect::<Result<_>>()?,
            work: device.array(rows * works(rules, length))?,
            partials: device.array(PARTIALS * plan.directions)?,
            addresses: device.array(3 * plan.slots * batch(rules))?,
            strips: Strips::new(device, &graph.head, (sequences.min(plan.slots) * length, rows), plan.directions)?,
            losses: device.array(sequences * plan.directions)?,
        })
    }
}

fn outputs<T: Real>(device: &Device, graph: &Graph<T>, rows: usize) -> Result<Vec<Array<T>>> {
    graph.nodes.iter().map(|n| device.array(rows * n.width)).collect()
}
