//! What a tape holds on its GPU, and ranges of sequences in pieces that a sweep can take.

use std::ops::Range;
use std::sync::Arc;

use super::arrays::{Linearised, Scratch};
use super::device::Device;
use super::head::Inputs;
use super::lanes::{Arguments, Lanes, Pair};
use super::memory::{Array, Ptr};
use super::occurrences::{Known, Occurrences};
use super::plan::{Sizes, lane, too_small};
use super::rules::{self, Order, PARTIALS, Rule, Run};
use super::space::DeviceSpace;
use super::sweep::{Block, Sweep, inputs};
use crate::diff::graph::{Graph, Node};
use crate::diff::primitive::{Batch, Write};
use crate::diff::product::Products;
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::space::Room;

/// A model on a GPU.
pub struct State<T> {
    pub device: Arc<Device>,
    /// Tokens per sequence.
    pub length: usize,
    /// Sequences.
    count: usize,
    tokens: Array<u32>,
    pub targets: Array<u32>,
    occurrences: Known,
    /// The checkpoint, flat.
    pub w: Array<T>,
    /// Room for directions (or another point) and for derivatives, flat, as many as are swept together.
    pub v: Array<T>,
    pub out: Array<T>,
    /// Elements from one of them to the next.
    lane: usize,
    /// Most directions that are swept together.
    directions: usize,
    constants: Vec<[Array<T>; 2]>,
    /// Linearisation of the first sequences; which of them it holds, and their losses.
    kept: Linearised<T>,
    ready: Vec<bool>,
    losses: Vec<f64>,
    /// That of a piece that is not kept.
    occasion: Option<Linearised<T>>,
    pub scratch: Scratch<T>,
}

/// A piece of a range of sequences, and where its linearisation lies.
struct Piece {
    sequences: Range<usize>,
    lying: Lying,
}

#[derive(Clone, Copy, PartialEq)]
enum Lying {
    Kept,
    Occasion,
}

/// The rule of a node's primitive.
///
/// # Errors
/// [`Error::Computation`] naming a primitive that has none.
pub fn rule_of<T: Real>(node: &Node<T>) -> Result<&dyn Rule<T>> {
    rules::rule(node.primitive.as_ref()).ok_or_else(|| {
        let name = node.primitive.name();
        Error::Computation(format!("{name} cannot be computed on a GPU yet: use --device cpu"))
    })
}

impl<T: Real> State<T> {
    /// As [`super::Tape::new`].
    pub fn new(
        (ordinal, products): (usize, Products),
        graph: &Graph<T>,
        batches: &[Batch],
        w: &[T],
        solve: Room,
    ) -> Result<State<T>> {
        let device = Arc::new(Device::open::<T>(ordinal, products)?);
        let rules = graph.nodes.iter().map(|n| rule_of(n)).collect::<Result<Vec<_>>>()?;
        let (count, length) = (batches.len(), batches.first().map_or(0, |b| b.length));
        let sizes = |length, element| Sizes::of(graph, &rules, (count, length), element);
        let (room, element) = (device.room()?, size_of::<T>());
        let needed = sizes(length, element);
        let spare = room.saturating_sub(needed.least());
        let reserve = DeviceSpace::<T>::bytes(w.len(), solve).min(spare);
        let plan = needed.plan(room - reserve, count).ok_or_else(|| too_small(sizes, room, length, element))?;
        let tokens: Vec<u32> = batches.iter().flat_map(|b| b.inputs.iter().copied()).collect();
        let targets: Vec<u32> = batches.iter().flat_map(|b| b.targets.iter().copied()).collect();
        let constants = rules.iter().map(|r| {
            let [one, other] = r.constants();
            Ok([device.holding(one)?, device.holding(other)?])
        });
        let linearised = |sequences| Linearised::new(&device, graph, &rules, sequences, length);
        Ok(State {
            length,
            count,
            tokens: device.holding(&tokens)?,
            targets: device.holding(&targets)?,
            occurrences: Known::new(tokens, length),
            w: device.holding(w)?,
            v: device.array(plan.directions * lane(w.len()))?,
            out: device.array(plan.directions * lane(w.len()))?,
            lane: lane(w.len()),
            directions: plan.directions,
            constants: constants.collect::<Result<_>>()?,
            kept: linearised(plan.keep)?,
            ready: vec![false; plan.keep],
            losses: vec![f64::NAN; plan.keep],
            occasion: if plan.keep < count { Some(linearised(plan.slots)?) } else { None },
            scratch: Scratch::new(&device, graph, &rules, &plan, (length, count))?,
            device,
        })
    }

    /// Go to another checkpoint.
    pub fn move_to(&mut self, w: &[T]) -> Result<()> {
        self.ready.fill(false);
        self.device.upload(w, self.w.at())
    }

    /// The range in pieces that a sweep can take.
    fn pieces(&self, range: &Range<usize>) -> Vec<Piece> {
        let keep = self.kept.count;
        let cut = |part: Range<usize>, lying: Lying| {
            let step = self.scratch.slots;
            let piece = move |start| Piece { sequences: start..(start + step).min(part.end), lying };
            (part.start..part.end).step_by(step).map(piece)
        };
        let (kept, rest) = (range.start.min(keep)..range.end.min(keep), range.start.max(keep)..range.end);
        cut(kept, Lying::Kept).chain(cut(rest, Lying::Occasion)).collect()
    }

    /// How many directions a sweep over the range can take.
    pub fn together(&self, range: &Range<usize>) -> usize {
        let longest = self.pieces(range).iter().map(|piece| piece.sequences.len()).max().unwrap_or(1);
        (self.scratch.slots / longest).clamp(1, self.directions)
    }

    /// Room for `directions` directions and as many results.
    pub fn block(&self, directions: usize) -> Block<T> {
        let lanes = |array: &Array<T>| Lanes { first: array.at(), step: self.lane };
        Block { directions, v: lanes(&self.v), out: lanes(&self.out) }
    }

    fn sweep<'a>(
        &'a self,
        graph: &'a Graph<T>,
        piece: &Piece,
        order: Order,
        occurrences: Occurrences,
        block: Block<T>,
    ) -> Result<Sweep<'a, T>> {
        let (at, first) = match (piece.lying, &self.occasion) {
            (Lying::Kept, _) => (&self.kept, piece.sequences.start),
            (Lying::Occasion, Some(occasion)) => (occasion, 0),
            (Lying::Occasion, None) => return Err(Error::Computation("no room was planned for a sequence".into())),
        };
        Ok(Sweep { state: self, graph, at, first, sequences: piece.sequences.clone(), order, occurrences, block })
    }

    /// Linearise what is to be kept of the range and is not yet.
    fn keep_ready(&mut self, graph: &Graph<T>, range: &Range<usize>) -> Result<()> {
        for piece in self.pieces(range).iter().filter(|piece| piece.lying == Lying::Kept) {
            let sequences = piece.sequences.clone();
            if !self.ready[sequences.clone()].iter().all(|r| *r) {
                self.linearise_piece(graph, piece)?;
                self.device.download(self.losses_of(sequences.start), &mut self.losses[sequences.clone()])?;
                self.ready[sequences].fill(true);
            }
        }
        Ok(())
    }

    fn linearise_piece(&self, graph: &Graph<T>, piece: &Piece) -> Result<()> {
        let sweep = self.sweep(graph, piece, Order::Value, Occurrences::NONE, Block::values(Ptr::NULL))?;
        sweep.forward()?;
        sweep.logits()?;
        sweep.back(None)?;
        sweep.means()
    }

    /// ℓ_i of the range at the checkpoint.
    pub fn linearise(&mut self, graph: &Graph<T>, range: Range<usize>) -> Result<Vec<f64>> {
        self.keep_ready(graph, &range)?;
        let kept = range.end.min(self.kept.count);
        let mut losses = self.losses[range.start.min(kept)..kept].to_vec();
        losses.extend(self.losses(graph, self.w.at(), range.start.max(kept)..range.end)?);
        Ok(losses)
    }

    /// The mean gradient of the range, or its products with a block of directions.
    pub fn derivative(&mut self, graph: &Graph<T>, order: Order, range: &Range<usize>, block: Block<T>) -> Result<()> {
        self.keep_ready(graph, range)?;
        for (i, piece) in self.pieces(range).iter().enumerate() {
            if piece.lying == Lying::Occasion {
                self.linearise_piece(graph, piece)?;
            }
            let occurrences = self.occurrences.of(&self.device, &piece.sequences)?;
            let sweep = self.sweep(graph, piece, order, occurrences, block)?;
            if order == Order::Tangent {
                sweep.forward()?;
            }
            sweep.back(Some(if i == 0 { Write::Set } else { Write::Add }))?;
            if order == Order::Tangent {
                sweep.means()?;
            }
        }
        let (count, share, out) = (self.w.len(), 1.0 / range.len() as f64, block.out);
        self.device.launch_each("multiply", Device::blocks(count), block.directions, &[&count, &share, &out, &out])
    }

    /// H v of the range for a block of directions; each gᵀv.
    pub fn products(&mut self, graph: &Graph<T>, range: &Range<usize>, block: Block<T>) -> Result<Vec<f64>> {
        self.derivative(graph, Order::Tangent, range, block)?;
        let slopes = self.slopes_of(range, block.directions)?;
        Ok(slopes.iter().map(|slopes| slopes.iter().sum::<f64>() / range.len() as f64).collect())
    }

    /// g_iᵀv of every sequence of the range, by forward sweeps.
    pub fn slopes(&mut self, graph: &Graph<T>, range: &Range<usize>, block: Block<T>) -> Result<Vec<Vec<f64>>> {
        self.keep_ready(graph, range)?;
        for piece in &self.pieces(range) {
            if piece.lying == Lying::Occasion {
                self.linearise_piece(graph, piece)?;
            }
            let sweep = self.sweep(graph, piece, Order::Tangent, Occurrences::NONE, block)?;
            sweep.forward()?;
            sweep.slopes()?;
            sweep.means()?;
        }
        self.slopes_of(range, block.directions)
    }

    /// The inner product of two flat vectors.
    pub fn dot(&self, x: Ptr<T>, y: Ptr<T>) -> Result<f64> {
        let (partials, mut parts) = (self.scratch.partials.at(), [0.0; PARTIALS]);
        let arguments: [&dyn Arguments; 4] = [&self.w.len(), &Pair::from(x), &Pair::from(y), &partials];
        self.device.launch("partial_dot_value", PARTIALS, &arguments)?;
        self.device.download(partials, &mut parts)?;
        Ok(parts.iter().sum())
    }

    /// What [`State::means`] left of the range, a row a direction.
    fn slopes_of(&self, range: &Range<usize>, directions: usize) -> Result<Vec<Vec<f64>>> {
        let mut all = vec![0.0; directions * self.count];
        self.device.download(self.losses_of(0), &mut all)?;
        Ok(all.chunks(self.count.max(1)).map(|row| row[range.clone()].to_vec()).collect())
    }

    fn losses_of(&self, sequence: usize) -> Ptr<f64> {
        self.scratch.losses.at().plus(sequence)
    }

    /// Put the losses of the sequences that were just swept, or their derivatives, where every sequence has its place.
    pub fn means(&self, run: &Run<T>, sequences: &Range<usize>) -> Result<()> {
        self.scratch.strips.means(run, self.losses_of(sequences.start), self.count)
    }

    /// ℓ_i at a point on the device, by value sweeps in the scratch arrays.
    pub fn losses(&self, graph: &Graph<T>, point: Ptr<T>, range: Range<usize>) -> Result<Vec<f64>> {
        let parameter = |offset| Pair::from(point.plus(offset));
        let output = |n: usize| self.scratch.dy[n].at();
        for start in range.clone().step_by(self.scratch.slots) {
            let sequences = start..(start + self.scratch.slots).min(range.end);
            let run = self.run(Order::Value, &sequences);
            for (i, node) in graph.nodes.iter().enumerate() {
                let x = inputs(graph, node, parameter, |n| output(n).into());
                // What values keep is not kept here: the room for a direction's remains serves.
                let kept = [self.scratch.left[i].at(), Ptr::NULL];
                let run = Run { width: node.width, constants: self.constants_of(i), ..run };
                rule_of(node)?.forward(&run, &x, output(i).into(), &kept, Lanes::NULL)?;
            }
            let w = parameter(graph.layout.entries()[graph.head_matrix].offset);
            let targets = self.targets.at().plus(sequences.start * self.length);
            let x = output(graph.nodes.len() - 1).into();
            self.scratch.strips.losses(&run, &graph.head, &Inputs { x, w, targets })?;
            self.means(&run, &sequences)?;
        }
        let mut losses = vec![0.0; range.len()];
        if !losses.is_empty() {
            self.device.download(self.losses_of(range.start), &mut losses)?;
        }
        Ok(losses)
    }

    /// The tables that a node's kernels read.
    pub fn constants_of(&self, node: usize) -> [Ptr<T>; 2] {
        [self.constants[node][0].at(), self.constants[node][1].at()]
    }

    /// A sweep over some sequences, before any primitive's turn.
    pub fn run(&self, order: Order, sequences: &Range<usize>) -> Run<'_, T> {
        let rows = sequences.len() * self.length;
        let lane = self.scratch.work.len() / self.scratch.slots.max(1);
        Run {
            device: &self.device,
            order,
            directions: 1,
            rows,
            length: self.length,
            width: 0,
            tokens: self.tokens.at().plus(sequences.start * self.length),
            occurrences: Occurrences::NONE,
            constants: [Ptr::NULL; 2],
            work: Lanes { first: self.scratch.work.at(), step: sequences.len() * lane },
            partials: self.scratch.partials.at(),
            addresses: self.scratch.addresses.at(),
        }
    }
}
