//! What a rule on the GPU is, and the steps that rules are made of. Each rule is written once for both sweeps in its
//! direction: [`Order::Value`] makes values forward and adjoints backward, [`Order::Tangent`] their derivatives along a
//! direction.

use std::any::Any;

use super::device::{Argument, Arguments, Device, Matrix, Ptr};
use crate::diff::op::attention::Attention;
use crate::diff::op::combine::Combine;
use crate::diff::op::embed::Embed;
use crate::diff::op::gelu::Gelu;
use crate::diff::op::head_rotary::HeadRotary;
use crate::diff::op::linear::Linear;
use crate::diff::op::position::Position;
use crate::diff::op::relu2::Relu2;
use crate::diff::op::rms_norm::RmsNorm;
use crate::diff::op::scaled_norm::ScaledNorm;
use crate::diff::op::smear::Smear;
use crate::diff::op::swiglu::SwiGlu;
use crate::diff::op::value_gate::ValueGate;
use crate::diff::primitive::{Primitive, Write};
use crate::error::Result;
use crate::math::array::Real;

/// What a sweep computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Values, or adjoints.
    Value,
    /// Their derivatives along a direction.
    Tangent,
}

/// An array with its tangent; there is none in a sweep of values.
pub struct Pair<T> {
    /// The array.
    pub value: Ptr<T>,
    /// Its tangent.
    pub tangent: Ptr<T>,
}

impl<T> Clone for Pair<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Pair<T> {}

impl<T> Pair<T> {
    /// A pair that is not there.
    pub const NULL: Pair<T> = Pair { value: Ptr::NULL, tangent: Ptr::NULL };

    /// Both from a later element on.
    pub fn plus(self, elements: usize) -> Pair<T> {
        Pair { value: self.value.plus(elements), tangent: self.tangent.plus(elements) }
    }
}

impl<T> Arguments for Pair<T> {
    fn push(&self, to: &mut Vec<Argument>) {
        self.value.push(to);
        self.tangent.push(to);
    }
}

/// A slot that a backward rule writes; none where nobody reads it.
pub struct Slot<T> {
    /// Where.
    pub to: Ptr<T>,
    /// Set or add.
    pub write: Write,
    /// Its elements.
    pub len: usize,
}

/// Which rows each distinct token has, so that a table's derivative is added up in a fixed order.
pub struct Occurrences {
    /// Distinct tokens.
    pub distinct: usize,
    /// The tokens.
    pub tokens: Ptr<u32>,
    /// Where each token's rows begin in `order`; one more for the end.
    pub starts: Ptr<u32>,
    /// Rows by token.
    pub order: Ptr<u32>,
}

/// A sweep over the rows of some sequences.
pub struct Run<'a, T> {
    /// Where.
    pub device: &'a Device,
    /// What it computes.
    pub order: Order,
    /// Rows: sequences × tokens.
    pub rows: usize,
    /// Tokens per sequence.
    pub length: usize,
    /// Elements of a row of the output of the primitive whose turn it is.
    pub width: usize,
    /// The rows' input tokens.
    pub tokens: Ptr<u32>,
    /// The rows by token.
    pub occurrences: &'a Occurrences,
    /// The primitive's [`Rule::constants`].
    pub constants: [Ptr<T>; 2],
    /// Room for [`Rule::works`].
    pub work: Ptr<T>,
    /// Room for [`PARTIALS`] sums.
    pub partials: Ptr<f64>,
}

/// Partial sums of an inner product of two arrays.
pub const PARTIALS: usize = 256;

impl<T: Real> Run<'_, T> {
    /// Run the kernel for this order.
    pub fn call(&self, name: &str, blocks: usize, arguments: &[&dyn Arguments]) -> Result<()> {
        let suffix = match self.order {
            Order::Value => "value",
            Order::Tangent => "tangent",
        };
        self.device.launch(&format!("{name}_{suffix}"), blocks, arguments)
    }

    /// `to` ← α a b, or its derivative; shapes and batches as for [`Device::product`].
    pub fn product(
        &self,
        to: Matrix<T>,
        write: Write,
        alpha: f64,
        (a, b): (Factor<T>, Factor<T>),
        shape: (usize, usize, usize),
        batch: usize,
    ) -> Result<()> {
        match self.order {
            Order::Value => self.device.product(to, write, alpha, (a.value(), b.value()), shape, batch),
            Order::Tangent => {
                self.device.product(to, write, alpha, (a.tangent(), b.value()), shape, batch)?;
                self.device.product(to, Write::Add, alpha, (a.value(), b.tangent()), shape, batch)
            }
        }
    }

    /// to ← sign s\[index\] x; without s, sign x.
    pub fn scaled(&self, count: usize, sign: f64, s: (Pair<T>, usize), x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        let blocks = Device::blocks(count);
        self.call("scaled", blocks, &[&count, &sign, &s.0, &s.1, &x, &slot.write, &slot.to])
    }

    /// to\[index\] += sign x·y.
    pub fn add_dot(&self, count: usize, sign: f64, x: Pair<T>, y: Pair<T>, to: Ptr<T>, index: usize) -> Result<()> {
        self.call("partial_dot", PARTIALS, &[&count, &x, &y, &self.partials])?;
        self.device.launch("total", 1, &[&PARTIALS, &sign, &self.partials, &index, &to])
    }

    /// Add to a table's rows those of y, weighed by `g` for each of `groups` groups of columns.
    pub fn scatter(&self, width: usize, groups: usize, g: Pair<T>, y: Pair<T>, slot: &Slot<T>) -> Result<()> {
        self.open(slot)?;
        let Occurrences { distinct, tokens, starts, order } = self.occurrences;
        self.call("scatter", *distinct, &[distinct, &width, &groups, tokens, starts, order, &g, &y, &slot.to])
    }

    /// Add the rows of a table of `period` rows to those of y, over and over.
    pub fn add_rows(&self, period: usize, table: Ptr<T>, y: Ptr<T>) -> Result<()> {
        let blocks = Device::blocks(self.rows * self.width);
        self.device.launch("add_rows", blocks, &[&self.rows, &period, &self.width, &table, &y])
    }

    /// Add every `period`th row of y to a table's.
    pub fn sum_rows(&self, period: usize, y: Ptr<T>, table: Ptr<T>) -> Result<()> {
        self.device.launch("sum_rows", period * self.width, &[&self.rows, &period, &self.width, &y, &table])
    }

    /// to\[j, i\] ← Σ s\[t, j\] x\[t, i\] over the rows t, for the leading i.
    pub fn columns(&self, shape: (usize, usize, usize), s: Pair<T>, x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        let (groups, leading, width) = shape;
        let shape: [&dyn Arguments; 4] = [&self.rows, &groups, &leading, &width];
        self.call("columns", groups * leading, &[&shape[..], &[&s, &x, &slot.write, &slot.to]].concat())
    }

    /// What a linear map reads: the array, or its tangent.
    pub fn moving(&self, x: Pair<T>) -> Ptr<T> {
        if self.order == Order::Value { x.value } else { x.tangent }
    }

    /// Zero the slot if it holds nothing yet.
    pub fn open(&self, slot: &Slot<T>) -> Result<()> {
        if slot.write == Write::Set { self.device.zero(slot.to, slot.len) } else { Ok(()) }
    }
}

/// A matrix with its tangent, of one shape.
pub struct Factor<T> {
    pair: Pair<T>,
    step: usize,
    stride: usize,
    transposed: bool,
}

impl<T> Clone for Factor<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Factor<T> {}

impl<T> Factor<T> {
    /// Rows of `step` elements.
    pub fn rows(pair: Pair<T>, step: usize) -> Factor<T> {
        Factor { pair, step, stride: 0, transposed: false }
    }

    /// One of a batch, `stride` elements apart.
    pub fn every(self, stride: usize) -> Factor<T> {
        Factor { stride, ..self }
    }

    /// The transpose.
    pub fn t(self) -> Factor<T> {
        Factor { transposed: !self.transposed, ..self }
    }

    fn matrix(self, at: Ptr<T>) -> Matrix<T> {
        Matrix { at, step: self.step, stride: self.stride, transposed: self.transposed }
    }

    /// The matrix itself.
    pub fn value(self) -> Matrix<T> {
        self.matrix(self.pair.value)
    }

    fn tangent(self) -> Matrix<T> {
        self.matrix(self.pair.tangent)
    }
}

/// What a primitive does on the GPU.
pub trait Rule<T> {
    /// Elements a row of each array that is kept at the point of linearisation.
    fn keeps(&self, _length: usize) -> Vec<usize> {
        Vec::new()
    }

    /// Elements a row that a direction's forward sweep leaves for the backward one.
    fn leaves(&self, _length: usize) -> usize {
        0
    }

    /// Tables that the kernels read.
    fn constants(&self) -> [&[T]; 2] {
        [&[], &[]]
    }

    /// Elements a row of work space.
    fn works(&self, _length: usize) -> usize {
        0
    }

    /// y = f(x), or ẏ. Values keep in `kept`, tangents leave in `left`.
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, kept: &[Ptr<T>], left: Ptr<T>) -> Result<()>;

    /// x̄ from ȳ, or its derivative. Slots of parameters may be missing.
    fn back(
        &self,
        run: &Run<T>,
        x: &[Pair<T>],
        y: Pair<T>,
        kept: &[Ptr<T>],
        left: Ptr<T>,
        out: &[Slot<T>],
    ) -> Result<()>;
}

/// The primitive's rule, if it has one.
pub fn rule<T: Real>(primitive: &dyn Primitive<T>) -> Option<&dyn Rule<T>> {
    let any: &dyn Any = primitive;
    macro_rules! among {
        ($($kind:ty),*) => {
            $(if let Some(primitive) = any.downcast_ref::<$kind>() { return Some(primitive); })*
        };
    }
    among!(Embed, Position, RmsNorm, ScaledNorm, HeadRotary<T>, Linear, Relu2, Gelu, SwiGlu);
    among!(Combine, Smear, ValueGate, Attention);
    None
}

/// `count` arrays of `len` elements each, with their tangents, in the work space.
pub fn pairs<T, const N: usize>(work: Ptr<T>, len: usize) -> [Pair<T>; N] {
    std::array::from_fn(|i| Pair { value: work.plus(2 * i * len), tangent: work.plus((2 * i + 1) * len) })
}

/// A pair of which only the array matters, to write into.
pub fn only<T>(at: Ptr<T>) -> Pair<T> {
    Pair { value: at, tangent: Ptr::NULL }
}
