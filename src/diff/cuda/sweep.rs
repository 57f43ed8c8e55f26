//! A sweep over a piece of the sequences: values and adjoints at the point of linearisation, or their derivatives along a
//! block of directions.

use std::ops::Range;

use super::arrays::Linearised;
use super::head::{Inputs, Outputs};
use super::lanes::{Lanes, Pair, Slot};
use super::memory::Ptr;
use super::occurrences::Occurrences;
use super::rules::{Order, Run};
use super::state::{State, rule_of};
use crate::diff::graph::{Graph, Node, Var};
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

/// Directions that are swept together, with the results: flat vectors of P elements each.
pub struct Block<T> {
    /// How many.
    pub directions: usize,
    /// The directions.
    pub v: Lanes<T>,
    /// Derivatives by the parameters.
    pub out: Lanes<T>,
}

impl<T> Clone for Block<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Block<T> {}

impl<T> Block<T> {
    /// No direction: a sweep of values, whose derivatives by the parameters go to `out` if anywhere.
    pub fn values(out: Ptr<T>) -> Block<T> {
        Block { directions: 1, v: Lanes::NULL, out: out.into() }
    }
}

/// A sweep.
pub struct Sweep<'a, T> {
    /// What it runs on.
    pub state: &'a State<T>,
    /// The model.
    pub graph: &'a Graph<T>,
    /// The linearisation.
    pub at: &'a Linearised<T>,
    /// Which of the linearisation's sequences the piece begins with.
    pub first: usize,
    /// The piece.
    pub sequences: Range<usize>,
    /// What is computed.
    pub order: Order,
    /// The piece's rows by token, if it adds to tables.
    pub occurrences: Occurrences,
    /// Along what.
    pub block: Block<T>,
}

/// A node's inputs: parameters by their offset, nodes by their number.
pub fn inputs<T: Real>(
    graph: &Graph<T>,
    node: &Node<T>,
    parameter: impl Fn(usize) -> Pair<T>,
    earlier: impl Fn(usize) -> Pair<T>,
) -> Vec<Pair<T>> {
    let input = |v: &Var| match *v {
        Var::Parameter(p) => parameter(graph.layout.entries()[p].offset),
        Var::Node(n) => earlier(n),
    };
    node.inputs.iter().map(input).collect()
}

impl<T: Real> Sweep<'_, T> {
    fn run(&self) -> Run<'_, T> {
        let run = self.state.run(self.order, &self.sequences);
        Run { occurrences: self.occurrences, directions: self.block.directions, ..run }
    }

    fn run_at(&self, node: usize) -> Run<'_, T> {
        Run { width: self.graph.nodes[node].width, constants: self.state.constants_of(node), ..self.run() }
    }

    fn rows(&self) -> usize {
        self.sequences.len() * self.state.length
    }

    /// A parameter with its tangents, which are the directions'.
    fn parameter(&self, offset: usize) -> Pair<T> {
        Pair { value: self.state.w.at(), tangent: self.moving(self.block.v) }.plus(offset)
    }

    /// An array of the linearisation, `width` elements a row, with its tangents in an array of the scratch.
    fn pair(&self, value: Ptr<T>, tangent: Ptr<T>, width: usize) -> Pair<T> {
        let tangent = self.moving(Lanes { first: tangent, step: self.rows() * width });
        Pair { value: value.plus(self.first * self.state.length * width), tangent }
    }

    fn moving(&self, tangent: Lanes<T>) -> Lanes<T> {
        if self.order == Order::Tangent { tangent } else { Lanes::NULL }
    }

    /// A node's output.
    fn output(&self, node: usize) -> Pair<T> {
        self.pair(self.at.y[node].at(), self.state.scratch.dy[node].at(), self.graph.nodes[node].width)
    }

    /// The adjoint of a node's output.
    fn adjoint(&self, node: usize) -> Pair<T> {
        self.pair(self.at.ybar[node].at(), self.state.scratch.dybar[node].at(), self.graph.nodes[node].width)
    }

    /// What a node's forward rule leaves.
    fn left(&self, node: usize) -> Result<Lanes<T>> {
        let leaves = rule_of(&self.graph.nodes[node])?.leaves(self.state.length);
        Ok(Lanes { first: self.state.scratch.left[node].at(), step: self.rows() * leaves })
    }

    /// Values, or tangents, of every node.
    pub fn forward(&self) -> Result<()> {
        for (i, node) in self.graph.nodes.iter().enumerate() {
            let run = self.run_at(i);
            let x = inputs(self.graph, node, |p| self.parameter(p), |n| self.output(n));
            let y = run.moving(self.output(i));
            rule_of(node)?.forward(&run, &x, y, &self.at.kept(i, self.first), self.left(i)?)?;
        }
        Ok(())
    }

    fn head(&self) -> Inputs<T> {
        let w = self.parameter(self.graph.layout.entries()[self.graph.head_matrix].offset);
        let targets = self.state.targets.at().plus(self.sequences.start * self.state.length);
        Inputs { x: self.output(self.graph.nodes.len() - 1), w, targets }
    }

    fn kept_logits(&self) -> Ptr<T> {
        self.at.logits.at().plus(self.first * self.state.length * self.graph.head.vocabulary)
    }

    /// Logits of the piece, to keep.
    pub fn logits(&self) -> Result<()> {
        let strips = &self.state.scratch.strips;
        strips.logits(&self.run(), &self.graph.head, &self.head(), self.kept_logits().into())
    }

    /// Derivatives of the sequences' losses along the directions, after the forward sweep; no adjoints.
    pub fn slopes(&self) -> Result<()> {
        let strips = &self.state.scratch.strips;
        strips.slopes(&self.run(), &self.graph.head, &self.head(), self.kept_logits())
    }

    /// Adjoints, or their tangents, of every node; and of the parameters, set or added, where they are wanted.
    pub fn back(&self, parameters: Option<Write>) -> Result<()> {
        let (graph, run) = (self.graph, self.run());
        let slot = |p: usize, first: Write| {
            let entry = &graph.layout.entries()[p];
            let (to, write) = match parameters {
                Some(Write::Set) => (self.block.out.plus(entry.offset), first),
                Some(Write::Add) => (self.block.out.plus(entry.offset), Write::Add),
                None => (Lanes::NULL, first),
            };
            Slot { to, write, len: entry.len() }
        };
        let matrix = slot(graph.head_matrix, Write::Set);
        let last = graph.nodes.len() - 1;
        let out = Outputs { x: run.moving(self.adjoint(last)), w: parameters.map(|_| (matrix.to, matrix.write)) };
        self.state.scratch.strips.back(&run, &graph.head, &self.head(), self.kept_logits(), &out)?;
        for (i, node) in graph.nodes.iter().enumerate().rev() {
            let x = inputs(graph, node, |p| self.parameter(p), |n| self.output(n));
            let out = node.inputs.iter().zip(&node.writes).map(|(v, &write)| match *v {
                Var::Parameter(p) => slot(p, write),
                Var::Node(n) => {
                    let to = run.moving(self.adjoint(n));
                    Slot { to, write, len: run.rows * graph.nodes[n].width }
                }
            });
            let (out, kept) = (out.collect::<Vec<_>>(), self.at.kept(i, self.first));
            rule_of(node)?.back(&self.run_at(i), &x, self.adjoint(i), &kept, self.left(i)?, &out)?;
        }
        Ok(())
    }

    /// The piece's losses, or their derivatives, to where the state keeps every sequence's.
    pub fn means(&self) -> Result<()> {
        self.state.means(&self.run(), &self.sequences)
    }
}
