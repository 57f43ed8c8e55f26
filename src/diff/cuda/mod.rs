//! The tape on a GPU: the same graph, swept over whole batches of sequences at once.
//!
//! A sequence's arrays are rows of the batch's, so a sweep over any run of sequences is one over a run of rows. The
//! linearisation of as many sequences as fit is kept; the others are linearised whenever they are needed. Derivatives are
//! added up over a batch by the matrix products themselves, in the precision of the run.

mod attention;
mod columns;
mod device;
mod head;
mod layers;
mod rules;
mod space;
mod units;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use self::device::{Array, Device};
pub use self::device::{Ptr, describe};
use self::head::{Inputs, Outputs, Strips};
use self::rules::{Occurrences, Order, PARTIALS, Pair, Rule, Run, Slot};
pub use self::space::DeviceSpace;
use super::graph::{Graph, Node, Var};
use super::primitive::{Batch, Write};
use super::risk::Room;
use crate::error::{Error, Result};
use crate::math::array::Real;

/// A vector in a device's memory.
pub type DeviceVector<T> = Array<T>;

/// A model's sweeps on a GPU, at one checkpoint, over some sequences of equal length.
pub struct Tape<T>(Mutex<State<T>>);

struct State<T> {
    device: Arc<Device>,
    length: usize,
    tokens: Array<u32>,
    targets: Array<u32>,
    host_tokens: Vec<u32>,
    /// The checkpoint, a direction (or another point) and a derivative, flat.
    w: Array<T>,
    v: Array<T>,
    out: Array<T>,
    constants: Vec<[Array<T>; 2]>,
    /// Linearisation of the first sequences, and which of them it holds.
    kept: Linearised<T>,
    ready: Vec<bool>,
    /// That of a piece that is not kept.
    occasion: Option<Linearised<T>>,
    scratch: Scratch<T>,
}

/// Arrays of a linearisation, for as many sequences as `count`.
struct Linearised<T> {
    count: usize,
    y: Vec<Array<T>>,
    ybar: Vec<Array<T>>,
    kept: Vec<Vec<Array<T>>>,
    logits: Array<T>,
}

/// Arrays of a sweep over as many sequences as `count`.
struct Scratch<T> {
    count: usize,
    dy: Vec<Array<T>>,
    dybar: Vec<Array<T>>,
    left: Vec<Array<T>>,
    work: Array<T>,
    partials: Array<f64>,
    strips: Strips<T>,
}

/// A piece of a range of sequences: which, and where its linearisation begins.
struct Piece {
    sequences: Range<usize>,
    place: Place,
}

enum Place {
    Kept,
    Occasion,
}

impl<T: Real> Tape<T> {
    /// Put `graph` at `w` with its sequences on GPU number `ordinal`, and leave memory for a solve's vectors there before any
    /// sequence but one keeps its linearisation.
    ///
    /// # Errors
    /// [`Error::Computation`]: no such device; too little memory for one sequence, with what it takes; a primitive that
    /// has no rule on the GPU, by name.
    pub fn new(ordinal: usize, graph: &Graph<T>, batches: &[Batch], w: &[T], solve: Room) -> Result<Tape<T>> {
        let device = Arc::new(Device::open::<T>(ordinal)?);
        let length = batches.first().map_or(0, |b| b.length);
        let rules = graph.nodes.iter().map(|n| rule_of(n)).collect::<Result<Vec<_>>>()?;
        let (sequences, p) = (batches.len(), w.len());
        let sizes = Sizes::of(graph, &rules, length);
        let vectors = 3 * p * size_of::<T>() + Strips::<T>::bytes(&graph.head, sequences * length);
        let room = device.room()?;
        let reserve = DeviceSpace::<T>::bytes(p, solve);
        let (keep, piece) = sizes.plan(room.saturating_sub(vectors), reserve, sequences).ok_or_else(|| {
            Error::Computation(format!(
                "the GPU has {} free and one sequence of {length} tokens takes {} beside {} for parameters and logits: use shorter \
                 sequences, --precision f32 or --device cpu",
                mebibytes(room),
                mebibytes(sizes.linearised + sizes.scratch),
                mebibytes(vectors)
            ))
        })?;
        let host_tokens: Vec<u32> = batches.iter().flat_map(|b| b.inputs.iter().copied()).collect();
        let targets: Vec<u32> = batches.iter().flat_map(|b| b.targets.iter().copied()).collect();
        let constants = rules.iter().map(|r| {
            let [one, other] = r.constants();
            Ok([device.holding(one)?, device.holding(other)?])
        });
        let state = State {
            length,
            tokens: device.holding(&host_tokens)?,
            targets: device.holding(&targets)?,
            host_tokens,
            w: device.holding(w)?,
            v: device.array(p)?,
            out: device.array(p)?,
            constants: constants.collect::<Result<_>>()?,
            kept: Linearised::new(&device, graph, &rules, keep, length)?,
            ready: vec![false; keep],
            occasion: if keep < sequences {
                Some(Linearised::new(&device, graph, &rules, piece, length)?)
            } else {
                None
            },
            scratch: Scratch::new(&device, graph, &rules, piece, length)?,
            device,
        };
        Ok(Tape(Mutex::new(state)))
    }

    /// The memory of the device, for vectors of P elements.
    ///
    /// # Errors
    /// What the device reports.
    pub fn space(&self) -> Result<DeviceSpace<T>> {
        let state = self.state()?;
        DeviceSpace::new(state.device.clone(), state.w.len())
    }

    /// Columns of a solve that find a place on the device now; none if what is beside them does not.
    ///
    /// # Errors
    /// What the device reports.
    pub fn fitting(&self, room: Room) -> Result<Option<usize>> {
        let state = self.state()?;
        DeviceSpace::<T>::fitting(&state.device, state.w.len(), room)
    }

    fn state(&self) -> Result<std::sync::MutexGuard<'_, State<T>>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.device.bind()?;
        Ok(state)
    }

    /// Go to another checkpoint.
    ///
    /// # Errors
    /// What the device reports.
    pub fn move_to(&self, w: &[T]) -> Result<()> {
        let mut state = self.state()?;
        state.device.upload(w, state.w.at())?;
        state.ready.fill(false);
        Ok(())
    }

    /// ℓ_i of the sequences of `range` at w*.
    ///
    /// # Errors
    /// What the device reports.
    pub fn linearise(&self, graph: &Graph<T>, range: Range<usize>) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        state.keep_ready(graph, &range)?;
        let w = state.w.at();
        state.losses(graph, w, range)
    }

    /// ℓ_i of the sequences of `range` at another point, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn losses(&self, graph: &Graph<T>, point: &[T], range: Range<usize>) -> Result<Vec<f64>> {
        let state = self.state()?;
        state.device.upload(point, state.v.at())?;
        state.losses(graph, state.v.at(), range)
    }

    /// Gradient of the mean loss of `range`, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn gradient(&self, graph: &Graph<T>, range: Range<usize>, out: &mut [T]) -> Result<()> {
        let mut state = self.state()?;
        let to = state.out.at();
        state.derivative(graph, Order::Value, range, Ptr::NULL, to)?;
        state.device.download(to, out)
    }

    /// H v of the mean loss of `range` for each of the directions `v`, into `out`; returns each gᵀv. Every pointer is an
    /// array of P elements on this device, and no two results overlap.
    ///
    /// # Errors
    /// What the device reports.
    pub fn products(&self, graph: &Graph<T>, range: Range<usize>, v: &[Ptr<T>], out: &[Ptr<T>]) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        let each = |(v, out): (&Ptr<T>, &Ptr<T>)| state.derivative(graph, Order::Tangent, range.clone(), *v, *out);
        v.iter().zip(out).map(each).collect()
    }

    /// The same for directions in the machine's memory, flat.
    ///
    /// # Errors
    /// What the device reports.
    pub fn hvps(&self, graph: &Graph<T>, range: Range<usize>, v: &[&[T]], out: &mut [&mut [T]]) -> Result<Vec<f64>> {
        let mut state = self.state()?;
        let (direction, product) = (state.v.at(), state.out.at());
        let each = |(v, out): (&&[T], &mut &mut [T])| {
            state.device.upload(v, direction)?;
            let slope = state.derivative(graph, Order::Tangent, range.clone(), direction, product)?;
            state.device.download(product, out)?;
            Ok(slope)
        };
        v.iter().zip(out).map(each).collect()
    }
}

fn mebibytes(bytes: usize) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

fn rule_of<T: Real>(node: &Node<T>) -> Result<&dyn Rule<T>> {
    rules::rule(node.primitive.as_ref()).ok_or_else(|| {
        let name = node.primitive.name();
        Error::Computation(format!("{name} cannot be computed on a GPU yet: use --device cpu"))
    })
}

/// Bytes a sequence takes.
struct Sizes {
    linearised: usize,
    scratch: usize,
}

impl Sizes {
    fn of<T: Real>(graph: &Graph<T>, rules: &[&dyn Rule<T>], length: usize) -> Sizes {
        let widths: usize = graph.nodes.iter().map(|n| n.width).sum();
        let kept: usize = rules.iter().flat_map(|r| r.keeps(length)).sum();
        let left: usize = rules.iter().map(|r| r.leaves(length)).sum();
        let work = rules.iter().map(|r| r.works(length)).max().unwrap_or(0);
        let bytes = |row: usize| row * length * size_of::<T>();
        Sizes { linearised: bytes(2 * widths + kept + graph.head.vocabulary), scratch: bytes(2 * widths + left + work) }
    }

    /// How many sequences to keep, and how many to sweep at once, where `reserve` bytes are left free if one still fits.
    fn plan(&self, room: usize, reserve: usize, sequences: usize) -> Option<(usize, usize)> {
        let room = room - reserve.min(room.checked_sub(self.linearised + self.scratch)?);
        if sequences * (self.linearised + self.scratch) <= room {
            return Some((sequences, sequences));
        }
        // A quarter for pieces that come and go, the rest for what stays.
        let both = self.linearised + self.scratch;
        let piece = (room / 4 / both).clamp(1, sequences);
        let rest = room.checked_sub(piece * both)?;
        Some(((rest / self.linearised).min(sequences), piece))
    }
}

impl<T: Real> Linearised<T> {
    fn new(device: &Device, graph: &Graph<T>, rules: &[&dyn Rule<T>], count: usize, length: usize) -> Result<Self> {
        let rows = count * length;
        let outputs = || graph.nodes.iter().map(|n| device.array(rows * n.width)).collect::<Result<Vec<_>>>();
        let kept = |r: &&dyn Rule<T>| r.keeps(length).into_iter().map(|width| device.array(rows * width)).collect();
        Ok(Linearised {
            count,
            y: outputs()?,
            ybar: outputs()?,
            kept: rules.iter().map(kept).collect::<Result<_>>()?,
            logits: device.array(rows * graph.head.vocabulary)?,
        })
    }
}

impl<T: Real> Scratch<T> {
    fn new(device: &Device, graph: &Graph<T>, rules: &[&dyn Rule<T>], count: usize, length: usize) -> Result<Self> {
        let rows = count * length;
        let outputs = || graph.nodes.iter().map(|n| device.array(rows * n.width)).collect::<Result<Vec<_>>>();
        let work = rules.iter().map(|r| r.works(length)).max().unwrap_or(0);
        Ok(Scratch {
            count,
            dy: outputs()?,
            dybar: outputs()?,
            left: rules.iter().map(|r| device.array(rows * r.leaves(length))).collect::<Result<_>>()?,
            work: device.array(rows * work)?,
            partials: device.array(PARTIALS)?,
            strips: Strips::new(device, &graph.head, rows)?,
        })
    }
}

/// A sweep over a piece: where its sequences' rows begin in the arrays of the linearisation, and how many there are.
struct Sweep<'a, T> {
    state: &'a State<T>,
    at: &'a Linearised<T>,
    /// The piece's first row in the linearisation's arrays.
    offset: usize,
    sequences: Range<usize>,
    order: Order,
    occurrences: &'a Occurrences,
    /// The direction, and where derivatives by the parameters go.
    v: Ptr<T>,
    out: Ptr<T>,
}

impl<T: Real> State<T> {
    /// The range in pieces that a sweep can take.
    fn pieces(&self, range: &Range<usize>) -> Vec<Piece> {
        let keep = self.kept.count;
        let cut = |part: Range<usize>| {
            let step = self.scratch.count;
            part.clone().step_by(step).map(move |start| start..(start + step).min(part.end))
        };
        let (kept, rest) = (range.start.min(keep)..range.end.min(keep), range.start.max(keep)..range.end);
        let place = |place: fn() -> Place| move |sequences| Piece { sequences, place: place() };
        cut(kept).map(place(|| Place::Kept)).chain(cut(rest).map(place(|| Place::Occasion))).collect()
    }

    fn linearisation(&self, piece: &Piece) -> Option<(&Linearised<T>, usize)> {
        match piece.place {
            Place::Kept => Some((&self.kept, piece.sequences.start * self.length)),
            Place::Occasion => self.occasion.as_ref().map(|at| (at, 0)),
        }
    }

    /// Linearise what is to be kept of the range and is not yet.
    fn keep_ready(&mut self, graph: &Graph<T>, range: &Range<usize>) -> Result<()> {
        for piece in self.pieces(range) {
            if matches!(piece.place, Place::Kept) && !self.ready[piece.sequences.clone()].iter().all(|r| *r) {
                self.linearise_piece(graph, &piece)?;
                self.ready[piece.sequences].fill(true);
            }
        }
        Ok(())
    }

    fn linearise_piece(&self, graph: &Graph<T>, piece: &Piece) -> Result<()> {
        let occurrences = self.occurrences(&piece.sequences)?;
        let sweep = self.sweep(piece, Order::Value, &occurrences.view, (Ptr::NULL, Ptr::NULL))?;
        sweep.forward(graph)?;
        sweep.logits(graph)?;
        sweep.back(graph, None)
    }

    fn sweep<'a>(
        &'a self,
        piece: &Piece,
        order: Order,
        occurrences: &'a Occurrences,
        (v, out): (Ptr<T>, Ptr<T>),
    ) -> Result<Sweep<'a, T>> {
        let (at, offset) = self.linearisation(piece).ok_or_else(|| Error::Computation("no room was planned".into()))?;
        Ok(Sweep { state: self, at, offset, sequences: piece.sequences.clone(), order, occurrences, v, out })
    }

    /// Gradient or product along `v`, averaged over the range, into `out`; returns gᵀv of the latter.
    fn derivative(
        &mut self,
        graph: &Graph<T>,
        order: Order,
        range: Range<usize>,
        v: Ptr<T>,
        out: Ptr<T>,
    ) -> Result<f64> {
        self.keep_ready(graph, &range)?;
        let mut slope = 0.0;
        for (i, piece) in self.pieces(&range).iter().enumerate() {
            if matches!(piece.place, Place::Occasion) {
                self.linearise_piece(graph, piece)?;
            }
            let occurrences = self.occurrences(&piece.sequences)?;
            let sweep = self.sweep(piece, order, &occurrences.view, (v, out))?;
            if order == Order::Tangent {
                sweep.forward(graph)?;
            }
            let write = if i == 0 { Write::Set } else { Write::Add };
            sweep.back(graph, Some(write))?;
            if order == Order::Tangent {
                slope += sweep.sum_of_losses()?;
            }
        }
        let (count, share) = (self.w.len(), 1.0 / range.len() as f64);
        self.device.launch("multiply", Device::blocks(count), &[&count, &share, &out])?;
        Ok(slope * share)
    }

    /// ℓ_i at a point on the device, by value sweeps in the scratch arrays.
    fn losses(&self, graph: &Graph<T>, point: Ptr<T>, range: Range<usize>) -> Result<Vec<f64>> {
        let mut losses = Vec::with_capacity(range.len());
        for start in range.clone().step_by(self.scratch.count) {
            let sequences = start..(start + self.scratch.count).min(range.end);
            let occurrences = self.occurrences(&sequences)?;
            let run = self.run(Order::Value, &sequences, &occurrences.view);
            for (i, node) in graph.nodes.iter().enumerate() {
                let x = inputs(graph, node, |p| only(point, p), |n| rules::only(self.scratch.dy[n].at()));
                // What values keep is not kept here: the room for a direction's remains serves.
                let kept = [self.scratch.left[i].at(), Ptr::NULL];
                let run = Run { width: node.width, constants: self.constants_of(i), ..run };
                rule_of(node)?.forward(&run, &x, self.scratch.dy[i].at(), &kept, Ptr::NULL)?;
            }
            let x = self.scratch.dy[graph.nodes.len() - 1].at();
            let w = only(point, graph.layout.entries()[graph.head_matrix].offset);
            let targets = self.targets.at().plus(sequences.start * self.length);
            let rows = self.scratch.strips.losses(&run, &graph.head, &Inputs { x: rules::only(x), w, targets })?;
            losses.extend(rows.chunks(self.length).map(|rows| rows.iter().sum::<f64>() / self.length as f64));
        }
        Ok(losses)
    }

    fn constants_of(&self, node: usize) -> [Ptr<T>; 2] {
        [self.constants[node][0].at(), self.constants[node][1].at()]
    }

    fn run<'a>(&'a self, order: Order, sequences: &Range<usize>, occurrences: &'a Occurrences) -> Run<'a, T> {
        Run {
            device: &self.device,
            order,
            rows: sequences.len() * self.length,
            length: self.length,
            width: 0,
            tokens: self.tokens.at().plus(sequences.start * self.length),
            occurrences,
            constants: [Ptr::NULL; 2],
            work: self.scratch.work.at(),
            partials: self.scratch.partials.at(),
        }
    }

    fn occurrences(&self, sequences: &Range<usize>) -> Result<Held> {
        let tokens = &self.host_tokens[sequences.start * self.length..sequences.end * self.length];
        let mut order: Vec<u32> = (0..tokens.len() as u32).collect();
        order.sort_by_key(|row| tokens[*row as usize]);
        let (mut distinct, mut starts) = (Vec::new(), Vec::new());
        for (i, row) in order.iter().enumerate() {
            let token = tokens[*row as usize];
            if distinct.last() != Some(&token) {
                distinct.push(token);
                starts.push(i as u32);
            }
        }
        starts.push(order.len() as u32);
        let arrays = [self.device.holding(&distinct)?, self.device.holding(&starts)?, self.device.holding(&order)?];
        let [tokens, starts, order] = [arrays[0].at(), arrays[1].at(), arrays[2].at()];
        Ok(Held { view: Occurrences { distinct: distinct.len(), tokens, starts, order }, _arrays: arrays })
    }
}

/// Occurrences with the arrays they lie in.
struct Held {
    view: Occurrences,
    _arrays: [Array<u32>; 3],
}

fn only<T>(flat: Ptr<T>, offset: usize) -> Pair<T> {
    rules::only(flat.plus(offset))
}

/// A node's inputs: parameters by their offset, nodes by their number.
fn inputs<T: Real>(
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
    fn run(&self, graph: &Graph<T>, node: usize) -> Run<'_, T> {
        let run = self.state.run(self.order, &self.sequences, self.occurrences);
        Run { width: graph.nodes[node].width, constants: self.state.constants_of(node), ..run }
    }

    /// A parameter with its tangent, which is the direction's.
    fn parameter(&self, offset: usize) -> Pair<T> {
        let tangent = if self.order == Order::Tangent { self.v } else { Ptr::NULL };
        Pair { value: self.state.w.at(), tangent }.plus(offset)
    }

    /// A node's output with its tangent.
    fn output(&self, graph: &Graph<T>, node: usize) -> Pair<T> {
        let value = self.at.y[node].at().plus(self.offset * graph.nodes[node].width);
        Pair { value, tangent: self.moving(self.state.scratch.dy[node].at()) }
    }

    /// The adjoint of a node's output, with its tangent.
    fn adjoint(&self, graph: &Graph<T>, node: usize) -> Pair<T> {
        let value = self.at.ybar[node].at().plus(self.offset * graph.nodes[node].width);
        Pair { value, tangent: self.moving(self.state.scratch.dybar[node].at()) }
    }

    fn moving(&self, tangent: Ptr<T>) -> Ptr<T> {
        if self.order == Order::Tangent { tangent } else { Ptr::NULL }
    }

    /// What a sweep writes of a pair.
    fn written(&self, pair: Pair<T>) -> Ptr<T> {
        if self.order == Order::Tangent { pair.tangent } else { pair.value }
    }

    fn kept(&self, node: usize) -> Vec<Ptr<T>> {
        let rows = self.at.count * self.state.length;
        let row = |array: &Array<T>| array.at().plus(self.offset * (array.len() / rows));
        self.at.kept[node].iter().map(row).collect()
    }

    /// Values, or tangents, of every node.
    fn forward(&self, graph: &Graph<T>) -> Result<()> {
        for (i, node) in graph.nodes.iter().enumerate() {
            let x = inputs(graph, node, |p| self.parameter(p), |n| self.output(graph, n));
            let y = self.written(self.output(graph, i));
            let left = self.state.scratch.left[i].at();
            rule_of(node)?.forward(&self.run(graph, i), &x, y, &self.kept(i), left)?;
        }
        Ok(())
    }

    fn head(&self, graph: &Graph<T>) -> Inputs<T> {
        let w = self.parameter(graph.layout.entries()[graph.head_matrix].offset);
        let targets = self.state.targets.at().plus(self.sequences.start * self.state.length);
        Inputs { x: self.output(graph, graph.nodes.len() - 1), w, targets }
    }

    fn kept_logits(&self, graph: &Graph<T>) -> Ptr<T> {
        self.at.logits.at().plus(self.offset * graph.head.vocabulary)
    }

    /// Logits of the piece, to keep.
    fn logits(&self, graph: &Graph<T>) -> Result<()> {
        let run = self.state.run(self.order, &self.sequences, self.occurrences);
        self.state.scratch.strips.logits(&run, &graph.head, &self.head(graph), self.kept_logits(graph))
    }

    /// Adjoints, or their tangents, of every node; and of the parameters, set or added, where they are wanted.
    fn back(&self, graph: &Graph<T>, parameters: Option<Write>) -> Result<()> {
        let run = self.state.run(self.order, &self.sequences, self.occurrences);
        let slot = |p: usize, first: Write| {
            let entry = &graph.layout.entries()[p];
            let (to, write) = match parameters {
                Some(Write::Set) => (self.out.plus(entry.offset), first),
                Some(Write::Add) => (self.out.plus(entry.offset), Write::Add),
                None => (Ptr::NULL, first),
            };
            Slot { to, write, len: entry.len() }
        };
        let matrix = slot(graph.head_matrix, Write::Set);
        let last = graph.nodes.len() - 1;
        let out =
            Outputs { x: self.written(self.adjoint(graph, last)), w: parameters.map(|_| (matrix.to, matrix.write)) };
        let strips = &self.state.scratch.strips;
        strips.back(&run, &graph.head, &self.head(graph), self.kept_logits(graph), &out)?;
        for (i, node) in graph.nodes.iter().enumerate().rev() {
            let x = inputs(graph, node, |p| self.parameter(p), |n| self.output(graph, n));
            let out = node.inputs.iter().zip(&node.writes).map(|(v, &write)| match *v {
                Var::Parameter(p) => slot(p, write),
                Var::Node(n) => {
                    let to = self.written(self.adjoint(graph, n));
                    Slot { to, write, len: run.rows * graph.nodes[n].width }
                }
            });
            let (out, left) = (out.collect::<Vec<_>>(), self.state.scratch.left[i].at());
            rule_of(node)?.back(&self.run(graph, i), &x, self.adjoint(graph, i), &self.kept(i), left, &out)?;
        }
        Ok(())
    }

    /// The sum of the piece's losses, or of their derivatives along the direction.
    fn sum_of_losses(&self) -> Result<f64> {
        let run = self.state.run(self.order, &self.sequences, self.occurrences);
        let rows = self.state.scratch.strips.row_losses(&run)?;
        Ok(rows.iter().sum::<f64>() / self.state.length as f64)
    }
}
