//! The sweeps over a graph for one batch: values and adjoints once, then tangents and adjoint tangents per direction.
//!
//! All arrays belong to the caller and are used again from call to call: once they have been used, a sweep allocates
//! nothing but a few short lists of references.

use super::graph::{Graph, Node, Var};
use super::op::head;
use super::primitive::{At, Batch, Extent, Out};
use super::share::Share;
use crate::math::array::Real;

/// Values of every node, with what the primitives keep.
pub struct Values<T> {
    y: Vec<Vec<T>>,
    kept: Vec<Vec<Vec<T>>>,
}

/// Everything that later directions need of the point of linearisation.
pub struct Linearised<T> {
    values: Values<T>,
    /// ȳ of every node, for the sum of the batch's losses.
    adjoints: Vec<Vec<T>>,
    head: head::Kept<T>,
    /// Loss of every sequence of the batch.
    pub losses: Vec<f64>,
}

/// Buffers of one sweep at a time.
pub struct Scratch<T> {
    dy: Vec<Vec<T>>,
    dybar: Vec<Vec<T>>,
    work: Vec<Vec<Vec<T>>>,
    head: head::Work<T>,
}

fn arrays<T: Real>(sizes: impl IntoIterator<Item = usize>) -> Vec<Vec<T>> {
    sizes.into_iter().map(|len| vec![T::zero(); len]).collect()
}

impl<T: Real> Graph<T> {
    /// The flat vector cut into parameters.
    pub fn split<'a>(&self, flat: &'a [T]) -> Vec<&'a [T]> {
        self.layout.entries().iter().map(|e| &flat[e.range()]).collect()
    }

    fn outputs(&self, batch: &Batch) -> Vec<Vec<T>> {
        arrays(self.nodes.iter().map(|n| batch.rows() * n.width))
    }

    /// Buffers for value sweeps over batches of this shape.
    pub fn values(&self, batch: &Batch) -> Values<T> {
        let kept = self.nodes.iter().map(|n| arrays(n.primitive.keeps(batch))).collect();
        Values { y: self.outputs(batch), kept }
    }

    /// Buffers for a linearisation of batches of this shape.
    pub fn linearised(&self, batch: &Batch) -> Linearised<T> {
        let (head, losses) = Default::default();
        Linearised { values: self.values(batch), adjoints: self.outputs(batch), head, losses }
    }

    /// Buffers for the sweeps of one direction over batches of this shape.
    pub fn scratch(&self, batch: &Batch) -> Scratch<T> {
        let work = self.nodes.iter().map(|n| arrays(n.primitive.works(batch))).collect();
        Scratch { dy: self.outputs(batch), dybar: self.outputs(batch), work, head: head::Work::default() }
    }

    /// Bytes of one [`Values`].
    pub fn value_bytes(&self, batch: &Batch) -> u64 {
        let of = |n: &Node<T>| batch.rows() * n.width + n.primitive.keeps(batch).iter().sum::<usize>();
        bytes::<T>(self.nodes.iter().map(of).sum())
    }

    /// Bytes of one [`Linearised`].
    pub fn linearised_bytes(&self, batch: &Batch) -> u64 {
        let adjoints = self.nodes.iter().map(|n| batch.rows() * n.width).sum::<usize>();
        self.value_bytes(batch) + bytes::<T>(adjoints + self.head.keeps(batch))
    }

    /// Bytes of one [`Scratch`].
    pub fn scratch_bytes(&self, batch: &Batch) -> u64 {
        let of = |n: &Node<T>| 2 * batch.rows() * n.width + n.primitive.works(batch).iter().sum::<usize>();
        bytes::<T>(self.nodes.iter().map(of).sum::<usize>() + self.head.works(batch))
    }

    /// Value sweep: the loss of every sequence of the batch at parameters `w`.
    pub fn losses(&self, batch: &Batch, w: &[&[T]], values: &mut Values<T>, work: &mut head::Work<T>) -> Vec<f64> {
        self.evaluate(batch, w, values);
        self.head.losses(batch, self.head_inputs(w, &values.y), work)
    }

    fn evaluate(&self, batch: &Batch, w: &[&[T]], values: &mut Values<T>) {
        for (i, node) in self.nodes.iter().enumerate() {
            let (earlier, own) = values.y.split_at_mut(i);
            let x = gather(&node.inputs, w, earlier);
            node.primitive.value(batch, &x, &mut own[0], &mut values.kept[i]);
        }
    }

    fn head_inputs<'a>(&self, w: &[&'a [T]], nodes: &'a [Vec<T>]) -> head::Inputs<'a, T> {
        head::Inputs { x: &nodes[nodes.len() - 1], w: w[self.head_matrix] }
    }

    /// Value and adjoint sweeps at w: `at` receives what later directions need, `gradient` the gradient of the sum of
    /// the batch's losses.
    pub fn linearise(
        &self,
        batch: &Batch,
        w: &[&[T]],
        at: &mut Linearised<T>,
        scratch: &mut Scratch<T>,
        gradient: &mut Share<T>,
    ) {
        let Linearised { values, adjoints, head, losses } = at;
        self.evaluate(batch, w, values);
        let mut slots = Slots::new(gradient, adjoints);
        let mut out = slots.of_head(self.head_matrix);
        *losses = self.head.linearise(batch, self.head_inputs(w, &values.y), head, &mut scratch.head, &mut out);
        slots.take_back_from_head(out, self.head_matrix);
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let x = gather(&node.inputs, w, &values.y);
            let ybar = slots.close(i);
            let mut out = slots.of(node, &self.extents);
            node.primitive.adjoint(batch, &x, ybar, &mut values.kept[i], &mut scratch.work[i], &mut out);
            slots.take_back(node, out);
        }
    }

    /// Tangent sweep along v, leaving the tangents in `scratch`.
    fn tangents(&self, batch: &Batch, w: &[&[T]], at: &Linearised<T>, v: &[&[T]], scratch: &mut Scratch<T>) {
        for (i, node) in self.nodes.iter().enumerate() {
            let x = gather(&node.inputs, w, &at.values.y);
            let (earlier, own) = scratch.dy.split_at_mut(i);
            let dx = gather(&node.inputs, v, earlier);
            let here = At { batch, x: &x, kept: &at.values.kept[i] };
            node.primitive.tangent(&here, &dx, &mut own[0], &mut scratch.work[i]);
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
        product: &mut Share<T>,
    ) {
        self.tangents(batch, w, at, v, scratch);
        let Scratch { dy, dybar, work, head } = scratch;
        let mut slots = Slots::new(product, dybar);
        let (point, direction) = (self.head_inputs(w, &at.values.y), self.head_inputs(v, dy));
        let mut out = slots.of_head(self.head_matrix);
        self.head.adjoint_tangent(batch, point, direction, &at.head, head, &mut out);
        slots.take_back_from_head(out, self.head_matrix);
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let (x, dx) = (gather(&node.inputs, w, &at.values.y), gather(&node.inputs, v, dy));
            let here = At { batch, x: &x, kept: &at.values.kept[i] };
            let dybar = slots.close(i);
            let mut out = slots.of(node, &self.extents);
            node.primitive.adjoint_tangent(&here, &dx, &at.adjoints[i], dybar, &mut work[i], &mut out);
            slots.take_back(node, out);
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
        let (point, direction) = (self.head_inputs(w, &at.values.y), self.head_inputs(v, &scratch.dy));
        let (slope, mut curvature) = self.head.jet(batch, point, direction, &at.head, &mut scratch.head);
        for (i, node) in self.nodes.iter().enumerate() {
            let (x, dx) = (gather(&node.inputs, w, &at.values.y), gather(&node.inputs, v, &scratch.dy));
            let here = At { batch, x: &x, kept: &at.values.kept[i] };
            curvature += node.primitive.curvature(&here, &dx, &at.adjoints[i], &mut scratch.work[i]);
        }
        (slope, curvature)
    }
}

fn bytes<T>(elements: usize) -> u64 {
    (elements * size_of::<T>()) as u64
}

/// The inputs' arrays.
fn gather<'a, T>(inputs: &[Var], parameters: &[&'a [T]], nodes: &'a [Vec<T>]) -> Vec<&'a [T]> {
    let array = |v: &Var| match *v {
        Var::Parameter(p) => parameters[p],
        Var::Node(n) => &nodes[n][..],
    };
    inputs.iter().map(array).collect()
}

/// The arrays that a backward sweep writes: adjoints of the parameters and of the nodes. A rule takes those of its
/// inputs, which are distinct, and gives them back.
struct Slots<'a, T> {
    parameters: Vec<&'a mut [T]>,
    nodes: Vec<&'a mut [T]>,
}

impl<'a, T: Real> Slots<'a, T> {
    fn new(parameters: &'a mut Share<T>, nodes: &'a mut [Vec<T>]) -> Self {
        Slots { parameters: parameters.parameters_mut(), nodes: nodes.iter_mut().map(Vec::as_mut_slice).collect() }
    }

    fn slot(&mut self, v: Var) -> &mut &'a mut [T] {
        match v {
            Var::Parameter(p) => &mut self.parameters[p],
            Var::Node(n) => &mut self.nodes[n],
        }
    }

    /// The adjoint of the last open node, complete: only nodes before it are written from now on.
    fn close(&mut self, node: usize) -> &'a [T] {
        debug_assert_eq!(node + 1, self.nodes.len());
        self.nodes.pop().unwrap_or_default()
    }

    fn of(&mut self, node: &Node<T>, extents: &[Extent]) -> Vec<Out<'a, T>> {
        let out = node.inputs.iter().zip(&node.writes).map(|(&v, &write)| {
            let extent = if let Var::Parameter(p) = v { extents[p] } else { Extent::Whole };
            Out { to: std::mem::take(self.slot(v)), write, extent }
        });
        out.collect()
    }

    fn take_back(&mut self, node: &Node<T>, out: Vec<Out<'a, T>>) {
        for (&v, out) in node.inputs.iter().zip(out) {
            *self.slot(v) = out.to;
        }
    }

    fn of_head(&mut self, matrix: usize) -> head::Outputs<'a, T> {
        let last = self.nodes.len() - 1;
        head::Outputs { x: std::mem::take(&mut self.nodes[last]), w: std::mem::take(&mut self.parameters[matrix]) }
    }

    fn take_back_from_head(&mut self, out: head::Outputs<'a, T>, matrix: usize) {
        let last = self.nodes.len() - 1;
        self.nodes[last] = out.x;
        self.parameters[matrix] = out.w;
    }
}
