//! The graph of a model: primitives in order, ending in logits and their cross-entropy.

use super::op::loss::CrossEntropy;
use super::primitive::{Primitive, Write};
use crate::math::array::Real;
use crate::math::flat::Layout;

/// An input of a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Var {
    /// A parameter, by its position in the layout.
    Parameter(usize),
    /// The output of an earlier node.
    Node(usize),
}

/// A primitive with its inputs.
pub struct Node<T> {
    /// The rules.
    pub primitive: Box<dyn Primitive<T>>,
    /// What it reads.
    pub inputs: Vec<Var>,
    /// For each input, whether its adjoint is set or added to when the nodes are visited backwards.
    pub writes: Vec<Write>,
    /// Elements of an output row.
    pub width: usize,
}

/// A model as a graph: its last node gives the logits.
pub struct Graph<T> {
    /// Names and shapes of the parameters.
    pub layout: Layout,
    /// Primitives, each after its inputs.
    pub nodes: Vec<Node<T>>,
    /// The loss of the logits.
    pub loss: CrossEntropy,
}

/// Builds a graph node by node.
pub struct Builder<T> {
    layout: Layout,
    nodes: Vec<Node<T>>,
}

impl<T: Real> Builder<T> {
    /// A graph over the parameters of `layout`.
    pub fn new(layout: Layout) -> Self {
        Builder { layout, nodes: Vec::new() }
    }

    /// The parameter named `name`; a model that asks for a name its layout lacks is a defect.
    pub fn parameter(&self, name: &str) -> Var {
        Var::Parameter(self.layout.find(name).unwrap_or_else(|| panic!("the layout has no parameter {name}")))
    }

    /// Append a primitive with output rows of `width` elements. Inputs must be distinct.
    pub fn push(&mut self, primitive: impl Primitive<T> + 'static, inputs: &[Var], width: usize) -> Var {
        let distinct = inputs.iter().enumerate().all(|(i, v)| !inputs[..i].contains(v));
        assert!(distinct, "{}: the inputs of a primitive must be distinct", primitive.name());
        self.nodes.push(Node {
            primitive: Box::new(primitive),
            inputs: inputs.to_vec(),
            writes: vec![Write::Add; inputs.len()],
            width,
        });
        Var::Node(self.nodes.len() - 1)
    }

    /// Finish: the last node gives the logits.
    pub fn finish(mut self, loss: CrossEntropy) -> Graph<T> {
        // Backwards, the first consumer to reach a slot sets it; the others add.
        let mut seen = Vec::new();
        for node in self.nodes.iter_mut().rev() {
            for (input, write) in node.inputs.iter().zip(&mut node.writes) {
                *write = if seen.contains(input) { Write::Add } else { Write::Set };
                seen.push(*input);
            }
        }
        for index in 0..self.layout.entries().len() {
            let entry = &self.layout.entries()[index];
            assert!(seen.contains(&Var::Parameter(index)), "no primitive reads parameter {}", entry.name);
        }
        Graph { layout: self.layout, nodes: self.nodes, loss }
    }
}
