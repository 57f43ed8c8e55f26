//! The sweeps over a graph for one batch: values and adjoints once, then tangents and adjoint tangents per direction.

use super::graph::{Graph, Var};
use super::op::loss::Kept;
use super::primitive::{At, Batch, Dot, Out};
use crate::math::array::Real;
use crate::math::simd;

/// Values of every node, with what the primitives keep.
pub struct Values<T> {
    y: Vec<Vec<T>>,
    kept: Vec<Vec<Vec<T>>>,
    loss: Kept<T>,
}

/// Everything that later directions need of the point of linearisation.
pub struct Linearised<T> {
    values: Values<T>,
    /// ȳ of every node, for the sum of the batch's losses.
    adjoints: Vec<Vec<T>>,
    /// Loss of every sequence of the batch.
    pub losses: Vec<f64>,
}

/// Buffers of one direction's sweeps, reused from call to call.
pub struct Scratch<T> {
    dy: Vec<Vec<T>>,
    kept: Vec<Vec<Vec<T>>>,
    dybar: Vec<Vec<T>>,
}

/// One array per parameter, in the order of the layout: a gradient or a Hessian–vector product.
pub type PerParameter<T> = Vec<Vec<T>>;

impl<T: Real> Graph<T> {
    /// The flat vector cut into parameters.
    pub fn split<'a>(&self, flat: &'a [T]) -> Vec<&'a [T]> {
        self.layout.entries().iter().map(|e| &flat[e.range()]).collect()
    }

    /// Zeroed arrays, one per parameter.
    pub fn per_parameter(&self) -> PerParameter<T> {
        self.layout.entries().iter().map(|e| vec![T::zero(); e.len()]).collect()
    }

    fn outputs(&self, batch: &Batch) -> Vec<Vec<T>> {
        self.nodes.iter().map(|n| vec![T::zero(); batch.rows() * n.width]).collect()
    }

    fn arrays(sizes: Vec<usize>) -> Vec<Vec<T>> {
        sizes.into_iter().map(|len| vec![T::zero(); len]).collect()
    }

    /// Buffers for value sweeps over batches of this shape.
    pub fn values(&self, batch: &Batch) -> Values<T> {
        Values {
            y: self.outputs(batch),
            kept: self.nodes.iter().map(|n| Self::arrays(n.primitive.keeps(batch))).collect(),
            loss: Kept { p: Vec::new(), u: Vec::new() },
        }
    }

    /// Buffers for tangent sweeps over batches of this shape.
    pub fn scratch(&self, batch: &Batch) -> Scratch<T> {
        Scratch {
            dy: self.outputs(batch),
            kept: self.nodes.iter().map(|n| Self::arrays(n.primitive.tangent_keeps(batch))).collect(),
            dybar: self.outputs(batch),
        }
    }

    /// Bytes that one linearised batch keeps.
    pub fn linearised_bytes(&self, batch: &Batch) -> u64 {
        let nodes: usize = self
            .nodes
            .iter()
            .map(|n| 2 * batch.rows() * n.width + n.primitive.keeps(batch).iter().sum::<usize>())
            .sum();
        ((nodes + 2 * batch.rows() * self.loss.vocabulary) * size_of::<T>()) as u64
    }

    /// Bytes of one set of scratch buffers.
    pub fn scratch_bytes(&self, batch: &Batch) -> u64 {
        let nodes: usize = self
            .nodes
            .iter()
            .map(|n| 2 * batch.rows() * n.width + n.primitive.tangent_keeps(batch).iter().sum::<usize>())
            .sum();
        (nodes * size_of::<T>()) as u64
    }

    /// Value sweep: the loss of every sequence of the batch at parameters `w`.
    pub fn losses(&self, batch: &Batch, w: &[&[T]], values: &mut Values<T>) -> Vec<f64> {
        for (i, node) in self.nodes.iter().enumerate() {
            let mut y = std::mem::take(&mut values.y[i]);
            let x = gather(&node.inputs, w, &values.y);
            node.primitive.value(batch, &x, &mut y, &mut values.kept[i]);
            values.y[i] = y;
        }
        let logits = values.y.last().map_or(&[][..], Vec::as_slice);
        self.loss.value(batch, logits, &mut values.loss)
    }

    /// Value and adjoint sweeps at w. `gradient` receives the gradient of the sum of the batch's losses.
    pub fn linearise(&self, batch: &Batch, w: &[&[T]], gradient: &mut PerParameter<T>) -> Linearised<T> {
        let mut values = self.values(batch);
        let losses = self.losses(batch, w, &mut values);
        let mut adjoints = self.outputs(batch);
        if let Some(last) = adjoints.last_mut() {
            self.loss.adjoint(batch, &values.loss, last);
        }
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let x = gather(&node.inputs, w, &values.y);
            let (earlier, own) = adjoints.split_at_mut(i);
            let mut slots = take(&node.inputs, gradient, earlier);
            let mut out = outs(&mut slots, &node.writes);
            node.primitive.adjoint(batch, &x, &values.y[i], &own[0], &mut values.kept[i], &mut out);
            give_back(&node.inputs, slots, gradient, earlier);
        }
        Linearised { values, adjoints, losses }
    }

    /// Tangent sweep along v, leaving the tangents in `scratch`.
    fn tangents(&self, batch: &Batch, w: &[&[T]], at: &Linearised<T>, v: &[&[T]], scratch: &mut Scratch<T>) {
        for (i, node) in self.nodes.iter().enumerate() {
            let mut dy = std::mem::take(&mut scratch.dy[i]);
            let x = gather(&node.inputs, w, &at.values.y);
            let dx = gather(&node.inputs, v, &scratch.dy);
            let here = At { batch, x: &x, y: &at.values.y[i], kept: &at.values.kept[i] };
            node.primitive.tangent(&here, &dx, &mut dy, &mut scratch.kept[i]);
            scratch.dy[i] = dy;
        }
        if let (Some(dlogits), Some(to)) = (scratch.dy.last(), scratch.dybar.last_mut()) {
            self.loss.adjoint_tangent(batch, &at.values.loss, dlogits, to);
        }
    }

    /// Tangent and adjoint-tangent sweeps: `product` receives Hv for the sum of the batch's losses.
    pub fn hvp(
        &self,
        batch: &Batch,
        w: &[&[T]],
        at: &Linearised<T>,
        v: &[&[T]],
        scratch: &mut Scratch<T>,
        product: &mut PerParameter<T>,
    ) {
        self.tangents(batch, w, at, v, scratch);
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let x = gather(&node.inputs, w, &at.values.y);
            let dx = gather(&node.inputs, v, &scratch.dy);
            let here = At { batch, x: &x, y: &at.values.y[i], kept: &at.values.kept[i] };
            let dot = Dot { x: &dx, y: &scratch.dy[i], kept: &scratch.kept[i] };
            let (earlier, own) = scratch.dybar.split_at_mut(i);
            let mut slots = take(&node.inputs, product, earlier);
            let mut out = outs(&mut slots, &node.writes);
            node.primitive.adjoint_tangent(&here, &dot, &at.adjoints[i], &own[0], &mut out);
            give_back(&node.inputs, slots, product, earlier);
        }
    }

    /// Second-order jet along v by one forward sweep: (gᵀv, vᵀHv) for the sum of the batch's losses. The adjoints kept
    /// by the linearisation weigh each primitive's own second derivative, so nothing has to be swept back.
    pub fn jet(
        &self,
        batch: &Batch,
        w: &[&[T]],
        at: &Linearised<T>,
        v: &[&[T]],
        scratch: &mut Scratch<T>,
    ) -> (f64, f64) {
        self.tangents(batch, w, at, v, scratch);
        let mut curvature = match (scratch.dy.last(), scratch.dybar.last()) {
            (Some(dlogits), Some(seed)) => simd::dot(dlogits, seed),
            _ => 0.0,
        };
        for (i, node) in self.nodes.iter().enumerate() {
            let x = gather(&node.inputs, w, &at.values.y);
            let dx = gather(&node.inputs, v, &scratch.dy);
            let here = At { batch, x: &x, y: &at.values.y[i], kept: &at.values.kept[i] };
            let dot = Dot { x: &dx, y: &scratch.dy[i], kept: &scratch.kept[i] };
            curvature += node.primitive.curvature(&here, &dot, &at.adjoints[i]);
        }
        (self.slope(at, scratch), curvature)
    }

    fn slope(&self, at: &Linearised<T>, scratch: &Scratch<T>) -> f64 {
        match (at.adjoints.last(), scratch.dy.last()) {
            (Some(seed), Some(dlogits)) => simd::dot(seed, dlogits),
            _ => 0.0,
        }
    }
}

/// The inputs' arrays.
fn gather<'a, T>(inputs: &[Var], parameters: &[&'a [T]], nodes: &'a [Vec<T>]) -> Vec<&'a [T]> {
    inputs
        .iter()
        .map(|v| match *v {
            Var::Parameter(p) => parameters[p],
            Var::Node(n) => &nodes[n],
        })
        .collect()
}

/// Take the slots that an adjoint rule writes out of their owners. Inputs are distinct, so no slot is taken twice.
fn take<T>(inputs: &[Var], parameters: &mut PerParameter<T>, nodes: &mut [Vec<T>]) -> Vec<Vec<T>> {
    inputs
        .iter()
        .map(|v| match *v {
            Var::Parameter(p) => std::mem::take(&mut parameters[p]),
            Var::Node(n) => std::mem::take(&mut nodes[n]),
        })
        .collect()
}

fn outs<'a, T>(slots: &'a mut [Vec<T>], writes: &[super::primitive::Write]) -> Vec<Out<'a, T>> {
    slots.iter_mut().zip(writes).map(|(to, &write)| Out { to, write }).collect()
}

fn give_back<T>(inputs: &[Var], slots: Vec<Vec<T>>, parameters: &mut PerParameter<T>, nodes: &mut [Vec<T>]) {
    for (v, slot) in inputs.iter().zip(slots) {
        match *v {
            Var::Parameter(p) => parameters[p] = slot,
            Var::Node(n) => nodes[n] = slot,
        }
    }
}
