//! The graph of a model: primitives in order, ending in the head and its loss.

use super::op::head::Head;
use super::primitive::{Extent, Primitive, Write};
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

/// A model as a graph.
pub struct Graph<T> {
    /// Names and shapes of the parameters.
    pub layout: Layout,
    /// Which rows of each parameter a sequence's derivative can fill.
    pub extents: Vec<Extent>,
    /// Primitives, each after its inputs; the last one's output is what the head reads.
    pub nodes: Vec<Node<T>>,
    /// The head, with its loss.
    pub head: Head,
    /// The parameter that holds the head's matrix.
    pub head_matrix: usize,
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
        Var::Parameter(self.position(name))
    }

    fn position(&self, name: &str) -> usize {
        self.layout.find(name).unwrap_or_else(|| panic!("the layout has no parameter {name}"))
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

    /// Finish with a head that reads the last node and the parameter named `matrix`.
    pub fn finish(mut self, head: Head, matrix: &str) -> Graph<T> {
        let head_matrix = self.position(matrix);
        assert!(!self.nodes.is_empty(), "a graph needs a node for its head to read");
        // Backwards, the first consumer to reach a slot sets it; the others add.
        let mut seen = vec![Var::Parameter(head_matrix), Var::Node(self.nodes.len() - 1)];
        let mut extents = vec![Extent::Touched; self.layout.entries().len()];
        extents[head_matrix] = Extent::Whole;
        for node in self.nodes.iter_mut().rev() {
            for (j, (input, write)) in node.inputs.iter().zip(&mut node.writes).enumerate() {
                *write = if seen.contains(input) { Write::Add } else { Write::Set };
                seen.push(*input);
                if let (Var::Parameter(p), Extent::Whole) = (input, node.primitive.extent(j)) {
                    extents[*p] = Extent::Whole;
                }
            }
        }
        for (index, entry) in self.layout.entries().iter().enumerate() {
            assert!(seen.contains(&Var::Parameter(index)), "no primitive reads parameter {}", entry.name);
        }
        Graph { layout: self.layout, extents, nodes: self.nodes, head, head_matrix }
    }
}
