//! What a primitive is: four rules on slices.

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
}

impl Batch {
    /// Number of rows: sequences × tokens.
    pub fn rows(&self) -> usize {
        self.inputs.len()
    }
}

/// A slot that an adjoint rule writes.
pub struct Out<'a, T> {
    /// The slot.
    pub to: &'a mut [T],
    /// Replace or add.
    pub write: Write,
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
}

/// A primitive's inputs, output and kept arrays at the point of linearisation.
pub struct At<'a, T> {
    /// The tokens.
    pub batch: &'a Batch,
    /// Values of the inputs.
    pub x: &'a [&'a [T]],
    /// Value of the output.
    pub y: &'a [T],
    /// What the value and adjoint rules kept.
    pub kept: &'a [Vec<T>],
}

/// Tangents of a primitive's inputs and output along one direction.
pub struct Dot<'a, T> {
    /// Tangents of the inputs.
    pub x: &'a [&'a [T]],
    /// Tangent of the output.
    pub y: &'a [T],
    /// What the tangent rule kept.
    pub kept: &'a [Vec<T>],
}

/// A differentiable map y = f(x₁, x₂, …) with its four rules. J is the Jacobian at the point of linearisation, a dot a
/// derivative along a direction, a bar a derivative of the loss. Inputs must be distinct.
pub trait Primitive<T: Real>: Send + Sync {
    /// Name for messages.
    fn name(&self) -> &'static str;

    /// Elements of each array kept by `value` or `adjoint` for the later rules.
    fn keeps(&self, _batch: &Batch) -> Vec<usize> {
        Vec::new()
    }

    /// Elements of each array kept by `tangent` for `adjoint_tangent`.
    fn tangent_keeps(&self, _batch: &Batch) -> Vec<usize> {
        Vec::new()
    }

    /// y = f(x).
    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], kept: &mut [Vec<T>]);

    /// ẏ = J ẋ.
    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], kept: &mut [Vec<T>]);

    /// x̄ ← Jᵀ ȳ, set or added as each slot asks. `kept` may be completed for `adjoint_tangent`.
    fn adjoint(&self, batch: &Batch, x: &[&[T]], y: &[T], ybar: &[T], kept: &mut [Vec<T>], out: &mut [Out<T>]);

    /// d/dε of the adjoint along the direction: Jᵀ ȳ˙ + (J˙)ᵀ ȳ.
    fn adjoint_tangent(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T], dybar: &[T], out: &mut [Out<T>]);

    /// ⟨ȳ, f''[ẋ, ẋ]⟩, this primitive's own share of δᵀHδ. It equals Σ ⟨ẋ, (J˙)ᵀȳ⟩, so the default asks
    /// `adjoint_tangent` with ȳ˙ = 0; primitives whose shorter form saves products override it.
    fn curvature(&self, at: &At<T>, dot: &Dot<T>, ybar: &[T]) -> f64 {
        let zero = vec![T::zero(); ybar.len()];
        let mut slots: Vec<Vec<T>> = at.x.iter().map(|x| vec![T::zero(); x.len()]).collect();
        let mut out: Vec<Out<T>> = slots.iter_mut().map(|to| Out { to, write: Write::Set }).collect();
        self.adjoint_tangent(at, dot, ybar, &zero, &mut out);
        slots.iter().zip(dot.x).map(|(slot, dx)| simd::dot(slot, dx)).sum()
    }
}
