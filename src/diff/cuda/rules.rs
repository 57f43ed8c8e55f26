//! What a rule on the GPU is, and the steps that rules are made of. Each rule is written once for both sweeps in its
//! direction: [`Order::Value`] makes values forward and adjoints backward, [`Order::Tangent`] their derivatives along
//! each of a block of directions.

use std::any::Any;

use super::blas::Matrix;
use super::device::Device;
use super::lanes::{Arguments, Factor, Lanes, Pair, Slot};
use super::memory::Ptr;
use super::occurrences::Occurrences;
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
    /// Their derivatives along directions.
    Tangent,
}

/// A sweep over the rows of some sequences.
pub struct Run<'a, T> {
    /// Where.
    pub device: &'a Device,
    /// What it computes.
    pub order: Order,
    /// Directions that are swept together; 1 for values.
    pub directions: usize,
    /// Rows: sequences × tokens.
    pub rows: usize,
    /// Tokens per sequence.
    pub length: usize,
    /// Elements of a row of the output of the primitive whose turn it is.
    pub width: usize,
    /// The rows' input tokens.
    pub tokens: Ptr<u32>,
    /// The rows by token; sweeps that add to no table have none.
    pub occurrences: Occurrences,
    /// The primitive's [`Rule::constants`].
    pub constants: [Ptr<T>; 2],
    /// Room for [`Rule::works`].
    pub work: Lanes<T>,
    /// Room for [`PARTIALS`] sums a direction.
    pub partials: Ptr<f64>,
    /// Room for three addresses of every matrix of the largest batch.
    pub addresses: Ptr<u64>,
}

/// One matrix, no batch.
pub const ONE: [usize; 2] = [1, 1];

/// Partial sums of an inner product of two arrays.
pub const PARTIALS: usize = 256;

impl<T: Real> Run<'_, T> {
    /// Run the kernel that serves both orders.
    pub fn launch(&self, name: &str, blocks: usize, arguments: &[&dyn Arguments]) -> Result<()> {
        self.device.launch_each(name, blocks, self.directions, arguments)
    }

    /// Run the kernel for this order.
    pub fn call(&self, name: &str, blocks: usize, arguments: &[&dyn Arguments]) -> Result<()> {
        let suffix = match self.order {
            Order::Value => "value",
            Order::Tangent => "tangent",
        };
        self.launch(&format!("{name}_{suffix}"), blocks, arguments)
    }

    /// `to` ← α a b, or its derivatives; shapes as for [`Device::product`], a batch of two levels.
    pub fn product(
        &self,
        to: Matrix<T>,
        write: Write,
        alpha: f64,
        (a, b): (Factor<T>, Factor<T>),
        shape: (usize, usize, usize),
        batch: [usize; 2],
    ) -> Result<()> {
        let counts = [batch[0], batch[1], self.directions];
        let add = |write, factors| self.device.product((to, write), alpha, factors, shape, counts, self.addresses);
        match self.order {
            Order::Value => add(write, (a.value(), b.value())),
            Order::Tangent => {
                add(write, (a.tangent(), b.value()))?;
                add(Write::Add, (a.value(), b.tangent()))
            }
        }
    }

    /// to ← sign s\[index\] x; without s, sign x.
    pub fn scaled(&self, count: usize, sign: f64, s: (Pair<T>, usize), x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        self.call("scaled", Device::blocks(count), &[&count, &sign, &s.0, &s.1, &x, slot])
    }

    /// to\[index\] += sign x·y.
    pub fn add_dot(&self, count: usize, sign: f64, x: Pair<T>, y: Pair<T>, to: Lanes<T>, index: usize) -> Result<()> {
        self.call("partial_dot", PARTIALS, &[&count, &x, &y, &self.partials])?;
        self.launch("total", 1, &[&PARTIALS, &sign, &self.partials, &index, &to])
    }

    /// Add to a table's rows those of y, weighed by `g` for each of `groups` groups of columns.
    pub fn scatter(&self, width: usize, groups: usize, g: Pair<T>, y: Pair<T>, slot: &Slot<T>) -> Result<()> {
        self.open(slot)?;
        let Occurrences { distinct, tokens, starts, order } = self.occurrences;
        self.call("scatter", distinct, &[&distinct, &width, &groups, &tokens, &starts, &order, &g, &y, &slot.to])
    }

    /// Add the rows of a table of `period` rows to those of y, over and over.
    pub fn add_rows(&self, period: usize, table: Lanes<T>, y: Lanes<T>) -> Result<()> {
        let blocks = Device::blocks(self.rows * self.width);
        self.launch("add_rows", blocks, &[&self.rows, &period, &self.width, &table, &y])
    }

    /// Add every `period`th row of y to a table's.
    pub fn sum_rows(&self, period: usize, y: Lanes<T>, table: Lanes<T>) -> Result<()> {
        self.launch("sum_rows", period * self.width, &[&self.rows, &period, &self.width, &y, &table])
    }

    /// to\[j, i\] ← Σ s\[t, j\] x\[t, i\] over the rows t, for the leading i.
    pub fn columns(&self, shape: (usize, usize, usize), s: Pair<T>, x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        let (groups, leading, width) = shape;
        self.call("columns", groups * leading, &[&self.rows, &groups, &leading, &width, &s, &x, slot])
    }

    /// What a linear map reads: the array, or its tangents.
    pub fn moving(&self, x: Pair<T>) -> Lanes<T> {
        if self.order == Order::Value { x.value.into() } else { x.tangent }
    }

    /// Zero the slot if it holds nothing yet.
    pub fn open(&self, slot: &Slot<T>) -> Result<()> {
        let Slot { to, write, len } = *slot;
        match write {
            Write::Add => Ok(()),
            Write::Set if to.step == len => self.device.zero(to.first, len * self.directions),
            Write::Set => (0..self.directions).try_for_each(|i| self.device.zero(to.first.plus(i * to.step), len)),
        }
    }

    /// `N` arrays of `len` elements each, with their tangents, in the work space.
    pub fn working<const N: usize>(&self, len: usize) -> [Pair<T>; N] {
        let tangent = |i| self.work.plus((2 * i + 1) * len);
        std::array::from_fn(|i| Pair { value: self.work.first.plus(2 * i * len), tangent: tangent(i) })
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

    /// Elements a row of work space, for each direction.
    fn works(&self, _length: usize) -> usize {
        0
    }

    /// Matrices that it multiplies at once, for each sequence and direction.
    fn batch(&self) -> usize {
        1
    }

    /// y = f(x), or ẏ. Values keep in `kept`, tangents leave in `left`.
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, kept: &[Ptr<T>], left: Lanes<T>) -> Result<()>;

    /// x̄ from ȳ, or its derivatives. Slots of parameters may be missing.
    fn back(
        &self,
        run: &Run<T>,
        x: &[Pair<T>],
        y: Pair<T>,
        kept: &[Ptr<T>],
        left: Lanes<T>,
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
