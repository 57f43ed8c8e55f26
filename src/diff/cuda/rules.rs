//! The primitives' rules on the GPU. Each is written once for both sweeps in its direction: [`Order::Value`] makes values
//! forward and adjoints backward, [`Order::Tangent`] their derivatives along a direction.

use std::any::Any;

use super::device::{Argument, Arguments, Device, Matrix, Ptr};
use crate::diff::op::attention::Attention;
use crate::diff::op::combine::{Coefficient, Combine};
use crate::diff::op::embed::Embed;
use crate::diff::op::head_rotary::HeadRotary;
use crate::diff::op::linear::Linear;
use crate::diff::op::relu2::Relu2;
use crate::diff::op::rms_norm::{EPSILON, RmsNorm};
use crate::diff::op::smear::Smear;
use crate::diff::op::value_gate::{RANGE, ValueGate};
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
    fn scaled(&self, count: usize, sign: f64, s: (Pair<T>, usize), x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        let blocks = Device::blocks(count);
        self.call("scaled", blocks, &[&count, &sign, &s.0, &s.1, &x, &slot.write, &slot.to])
    }

    /// to\[index\] += sign x·y.
    fn add_dot(&self, count: usize, sign: f64, x: Pair<T>, y: Pair<T>, to: Ptr<T>, index: usize) -> Result<()> {
        self.call("partial_dot", PARTIALS, &[&count, &x, &y, &self.partials])?;
        self.device.launch("total", 1, &[&PARTIALS, &sign, &self.partials, &index, &to])
    }

    /// Add to a table's rows those of y, weighed by `g` for each of `groups` groups of columns.
    fn scatter(&self, width: usize, groups: usize, g: Pair<T>, y: Pair<T>, slot: &Slot<T>) -> Result<()> {
        self.open(slot)?;
        let Occurrences { distinct, tokens, starts, order } = self.occurrences;
        self.call("scatter", *distinct, &[distinct, &width, &groups, tokens, starts, order, &g, &y, &slot.to])
    }

    /// Zero the slot if it holds nothing yet.
    fn open(&self, slot: &Slot<T>) -> Result<()> {
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
    among!(Embed, RmsNorm, HeadRotary<T>, Linear, Relu2, Combine, Smear, ValueGate, Attention);
    None
}

impl<T: Real> Rule<T> for Embed {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        // Linear: the tangent reads the table's tangent as its value does the table.
        let table = only(run.moving(x[0]));
        let blocks = Device::blocks(run.rows * self.width);
        run.device.launch("gather_value", blocks, &[&run.rows, &self.width, &run.tokens, &table, &y])
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        if out[0].to.is_null() { Ok(()) } else { run.scatter(self.width, 1, Pair::NULL, y, &out[0]) }
    }
}

impl<T: Real> Rule<T> for Linear {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let (x, w) = (Factor::rows(x[0], self.from), Factor::rows(x[1], self.from).t());
        run.product(Matrix::rows(y, self.to), Write::Set, 1.0, (x, w), (run.rows, self.from, self.to), 1)
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let (x, w, y) = (Factor::rows(x[0], self.from), Factor::rows(x[1], self.from), Factor::rows(y, self.to));
        let to_x = Matrix::rows(out[0].to, self.from);
        run.product(to_x, out[0].write, 1.0, (y, w), (run.rows, self.to, self.from), 1)?;
        if out[1].to.is_null() {
            return Ok(());
        }
        let to_w = Matrix::rows(out[1].to, self.from);
        run.product(to_w, out[1].write, 1.0, (y.t(), x), (self.to, run.rows, self.from), 1)
    }
}

impl<T: Real> Rule<T> for RmsNorm {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let groups = run.rows * run.width / self.width;
        run.call("rms_norm", groups, &[&groups, &self.width, &self.gain, &EPSILON, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let (groups, to) = (run.rows * run.width / self.width, &out[0]);
        let constants: [&dyn Arguments; 4] = [&groups, &self.width, &self.gain, &EPSILON];
        let arrays: [&dyn Arguments; 4] = [&x[0], &y, &to.write, &to.to];
        run.call("rms_norm_back", groups, &[constants, arrays].concat())
    }
}

impl<T: Real> Rule<T> for Relu2 {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let count = run.rows * run.width;
        run.call("relu2", Device::blocks(count), &[&count, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        run.call("relu2_back", Device::blocks(count), &[&count, &x[0], &y, &out[0].write, &out[0].to])
    }
}

impl<T: Real> Rule<T> for Combine {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let count = run.rows * run.width;
        for (j, term) in self.terms.iter().enumerate() {
            let write = if j == 0 { Write::Set } else { Write::Add };
            let (sign, s) = factor(term, x);
            run.scaled(count, sign, s, x[j], &Slot { to: y, write, len: count })?;
        }
        Ok(())
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        for slot in out[self.terms.len()..].iter().filter(|slot| !slot.to.is_null()) {
            run.open(slot)?;
        }
        for (j, term) in self.terms.iter().enumerate() {
            let (sign, s) = factor(term, x);
            run.scaled(count, sign, s, y, &out[j])?;
            if let Coefficient::Scalar { input, index, sign } = *term
                && !out[input].to.is_null()
            {
                run.add_dot(count, sign, x[j], y, out[input].to, index)?;
            }
        }
        Ok(())
    }
}

/// A term's sign, and its parameter with the element's position.
fn factor<T>(term: &Coefficient, x: &[Pair<T>]) -> (f64, (Pair<T>, usize)) {
    match *term {
        Coefficient::One => (1.0, (Pair::NULL, 0)),
        Coefficient::Scalar { input, index, sign } => (sign, (x[input], index)),
    }
}

/// `count` arrays of `len` elements each, with their tangents, in the work space.
fn pairs<T, const N: usize>(work: Ptr<T>, len: usize) -> [Pair<T>; N] {
    std::array::from_fn(|i| Pair { value: work.plus(2 * i * len), tangent: work.plus((2 * i + 1) * len) })
}

impl<T: Real> Rule<T> for Smear {
    fn works(&self, _: usize) -> usize {
        6
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let shape: [&dyn Arguments; 4] = [&run.rows, &run.length, &self.width, &self.gate];
        run.call("smear", run.rows, &[&shape[..], &[&x[0], &x[1], &x[2], &y]].concat())
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let ([x, w, lambda], [to_x, to_w, to_lambda]) = (x, out) else { unreachable!("three inputs") };
        let [gate, to_gate, to_sum] = pairs(run.work, run.rows);
        let shape: [&dyn Arguments; 4] = [&run.rows, &run.length, &self.width, &self.gate];
        let arrays: [&dyn Arguments; 7] = [x, w, lambda, &y, &gate, &to_gate, &to_sum];
        run.call("smear_gates", run.rows, &[&shape[..], &arrays].concat())?;
        let arrays: [&dyn Arguments; 7] = [w, lambda, &y, &gate, &to_sum, &to_x.write, &to_x.to];
        run.call("smear_back", Device::blocks(run.rows * self.width), &[&shape[..], &arrays].concat())?;
        if !to_w.to.is_null() {
            run.columns((1, self.gate, self.width), to_sum, *x, to_w)?;
        }
        if !to_lambda.to.is_null() {
            run.open(to_lambda)?;
            run.add_dot(run.rows, 1.0, gate, to_gate, to_lambda.to, 0)?;
        }
        Ok(())
    }
}

impl<T: Real> Run<'_, T> {
    /// to\[j, i\] ← Σ s\[t, j\] x\[t, i\] over the rows t, for the leading i.
    fn columns(&self, shape: (usize, usize, usize), s: Pair<T>, x: Pair<T>, slot: &Slot<T>) -> Result<()> {
        let (groups, leading, width) = shape;
        let shape: [&dyn Arguments; 4] = [&self.rows, &groups, &leading, &width];
        self.call("columns", groups * leading, &[&shape[..], &[&s, &x, &slot.write, &slot.to]].concat())
    }
}

impl<T: Real> Rule<T> for ValueGate {
    fn works(&self, _: usize) -> usize {
        4 * self.heads
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let shape: [&dyn Arguments; 7] =
            [&run.rows, &self.heads, &self.head, &self.width, &self.gate, &RANGE, &run.tokens];
        let arrays: [&dyn Arguments; 5] = [&x[0], &x[1], &x[2], &x[3], &y];
        run.call("value_gate", run.rows * self.heads, &[&shape[..], &arrays].concat())
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let ([_, u, w, table], [to_v, to_u, to_w, to_table]) = (x, out) else { unreachable!("four inputs") };
        run.scaled(run.rows * run.width, 1.0, (Pair::NULL, 0), y, to_v)?;
        let [gate, to_sum] = pairs(run.work, run.rows * self.heads);
        let shape: [&dyn Arguments; 7] =
            [&run.rows, &self.heads, &self.head, &self.width, &self.gate, &RANGE, &run.tokens];
        let arrays: [&dyn Arguments; 6] = [u, w, table, &y, &gate, &to_sum];
        run.call("value_gates", run.rows * self.heads, &[&shape[..], &arrays].concat())?;
        let shape: [&dyn Arguments; 4] = [&run.rows, &self.heads, &self.width, &self.gate];
        let arrays: [&dyn Arguments; 4] = [w, &to_sum, &to_u.write, &to_u.to];
        run.call("value_gate_back", Device::blocks(run.rows * self.width), &[shape, arrays].concat())?;
        if !to_w.to.is_null() {
            run.columns((self.heads, self.gate, self.width), to_sum, *u, to_w)?;
        }
        if to_table.to.is_null() { Ok(()) } else { run.scatter(run.width, self.heads, gate, y, to_table) }
    }
}

/// Tables of the angles lie on the device beside the graph's constants.
impl<T: Real> Rule<T> for HeadRotary<T> {
    fn constants(&self) -> [&[T]; 2] {
        self.tables().1
    }

    /// Linear: values and tangents alike.
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        self.rotate_on(run, 1.0, run.moving(x[0]), &Slot { to: y, write: Write::Set, len: run.rows * run.width })
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        self.rotate_on(run, -1.0, run.moving(y), &out[0])
    }
}

impl<T: Real> Run<'_, T> {
    /// What a linear map reads: the array, or its tangent.
    pub fn moving(&self, x: Pair<T>) -> Ptr<T> {
        if self.order == Order::Value { x.value } else { x.tangent }
    }
}

impl<T: Real> HeadRotary<T> {
    fn rotate_on(&self, run: &Run<T>, sign: f64, x: Ptr<T>, slot: &Slot<T>) -> Result<()> {
        let [cosine, sine] = run.constants;
        let shape: [&dyn Arguments; 5] = [&run.rows, &run.length, &run.width, &self.tables().0, &sign];
        let arrays: [&dyn Arguments; 5] = [&cosine, &sine, &x, &slot.write, &slot.to];
        run.device.launch("rotate", Device::blocks(run.rows * run.width / 2), &[shape, arrays].concat())
    }
}

/// A pair of which only the array matters, to write into.
pub fn only<T>(at: Ptr<T>) -> Pair<T> {
    Pair { value: at, tangent: Ptr::NULL }
}
