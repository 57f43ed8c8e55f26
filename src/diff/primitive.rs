//! What a primitive is: four rules on slices.

use std::any::Any;

use crate::math::array::Real;
use crate::math::simd;
pub use crate::math::simd::Write;

/// The tokens a sweep runs on: whole sequences of equal length, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Input token of every row.
    pub inputs: Vec<u32>,
    /// Target token of every row.
    pub targets: Vec<u32>,
    /// Tokens per sequence; divides the number of rows.
    pub length: usize,
    touched: Vec<u32>,
    places: Vec<usize>,
}

impl Batch {
    /// Sequences of `length` tokens each.
    pub fn new(inputs: Vec<u32>, targets: Vec<u32>, length: usize) -> Batch {
        let mut touched = inputs.clone();
        touched.sort_unstable();
        touched.dedup();
        let places = inputs.iter().map(|token| touched.partition_point(|t| t < token)).collect();
        Batch { inputs, targets, length, touched, places }
    }

    /// Number of rows: sequences × tokens.
    pub fn rows(&self) -> usize {
        self.inputs.len()
    }

    /// The input tokens that occur, ascending.
    pub fn touched(&self) -> &[u32] {
        &self.touched
    }
}

/// Which rows of a parameter its derivative can fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All.
    Whole,
    /// Those of the input tokens that occur ([`Batch::touched`]): the parameter is a table with a row a token.
    Touched,
}

/// A slot that an adjoint rule writes.
pub struct Out<'a, T> {
    /// The slot.
    pub to: &'a mut [T],
    /// Replace or add.
    pub write: Write,
    /// Which rows the slot has, if it belongs to a table.
    pub extent: Extent,
}

impl<T: Real> Out<'_, T> {
    /// Zero the slot if it holds nothing yet, for rules that scatter into it.
    pub fn open(&mut self) -> &mut [T] {
        if self.write == Write::Set {
            self.to.fill(T::zero());
        }
        self.to
    }

    /// Set or add f(x₁ᵢ, x₂ᵢ, …) at every position i.
    #[inline]
    pub fn fill_with<const N: usize>(&mut self, rows: [&[T]; N], f: impl Fn([T; N]) -> T) {
        simd::map(self.write, self.to, rows, f);
    }

    /// The table's rows that the tokens of the batch's rows stand for, and the slot to scatter into.
    pub fn scatter<'s>(&'s mut self, batch: &'s Batch) -> Scatter<'s, T> {
        let extent = self.extent;
        Scatter { to: self.open(), batch, extent }
    }
}

/// A table's slot, with one of its rows for every row of the batch.
pub struct Scatter<'a, T> {
    to: &'a mut [T],
    batch: &'a Batch,
    extent: Extent,
}

impl<T> Scatter<'_, T> {
    /// The table's row of `width` elements that the token of row `t` of the batch stands for.
    #[inline(always)]
    pub fn row(&mut self, t: usize, width: usize) -> &mut [T] {
        let row = match self.extent {
            Extent::Whole => self.batch.inputs[t] as usize,
            Extent::Touched => self.batch.places[t],
        };
        &mut self.to[row * width..(row + 1) * width]
    }
}

/// A primitive's inputs and kept arrays at the point of linearisation.
pub struct At<'a, T> {
    /// The tokens.
    pub batch: &'a Batch,
    /// Values of the inputs.
    pub x: &'a [&'a [T]],
    /// What the value and adjoint rules kept.
    pub kept: &'a [Vec<T>],
}

/// A differentiable map y = f(x₁, x₂, …) with its four rules. J is the Jacobian at the point of linearisation, a dot a
/// derivative along a direction, a bar a derivative of the loss. Inputs must be distinct.
///
/// Arrays beyond inputs and outputs are the caller's and are handed back from call to call, so that a product allocates
/// nothing: those of [`Primitive::keeps`] belong to the point of linearisation, those of [`Primitive::works`] to one
/// direction.
pub trait Primitive<T: Real>: Any + Send + Sync {
    /// Name for messages.
    fn name(&self) -> &'static str;

    /// Which rows of input `input` its derivative fills.
    fn extent(&self, _input: usize) -> Extent {
        Extent::Whole
    }

    /// Elements of each array kept by `value` or `adjoint` for the later rules.
    fn keeps(&self, _batch: &Batch) -> Vec<usize> {
        Vec::new()
    }

    /// Elements of each array that a direction needs: what `tangent` leaves for the later rules, and work space.
    fn works(&self, _batch: &Batch) -> Vec<usize> {
        Vec::new()
    }

    /// y = f(x).
    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], kept: &mut [Vec<T>]);

    /// ẏ = J ẋ.
    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], work: &mut [Vec<T>]);

    /// x̄ ← Jᵀ ȳ, set or added as each slot asks. `kept` may be completed for `adjoint_tangent`; of `work` only the room
    /// matters, not what it holds.
    fn adjoint(
        &self,
        batch: &Batch,
        x: &[&[T]],
        ybar: &[T],
        kept: &mut [Vec<T>],
        work: &mut [Vec<T>],
        out: &mut [Out<T>],
    );

    /// d/dε of the adjoint along the direction ẋ: Jᵀ ȳ˙ + (J˙)ᵀ ȳ.
    fn adjoint_tangent(
        &self,
        at: &At<T>,
        dx: &[&[T]],
        ybar: &[T],
        dybar: &[T],
        work: &mut [Vec<T>],
        out: &mut [Out<T>],
    );

    /// ⟨ȳ, f''[ẋ, ẋ]⟩, this primitive's own share of δᵀHδ. It equals Σ ⟨ẋ, (J˙)ᵀȳ⟩: what `adjoint_tangent` gives with
    /// ȳ˙ = 0, at a lower price.
    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], work: &mut [Vec<T>]) -> f64;
}
