//! The end of every graph: mean next-token cross-entropy of soft-capped logits.

use crate::diff::primitive::Batch;
use crate::math::array::{Real, tanh_fast};
use crate::math::simd::{Write, largest, map, put, sum};

/// ℓ = mean over a sequence's tokens of `−log softmax(cap·tanh(logit/cap))[target]` on the first `vocabulary` columns of
/// `padded`, nats per token. Reductions are in f64.
pub struct CrossEntropy {
    /// Columns that are tokens.
    pub vocabulary: usize,
    /// Columns of the logits.
    pub padded: usize,
    /// The soft cap; nanochat's is 15.
    pub cap: f64,
}

/// What the derivatives need of the value: rows × vocabulary each.
#[derive(Debug, Clone, Default)]
pub struct Kept<T> {
    /// softmax of the capped logits.
    pub p: Vec<T>,
    /// tanh(logit/cap).
    pub u: Vec<T>,
}

impl CrossEntropy {
    /// Loss of each sequence.
    pub fn value<T: Real>(&self, batch: &Batch, logits: &[T], kept: &mut Kept<T>) -> Vec<f64> {
        let v = self.vocabulary;
        kept.p.resize(batch.rows() * v, T::zero());
        kept.u.resize(batch.rows() * v, T::zero());
        let mut losses = vec![0.0; batch.rows() / batch.length];
        for (row, &target) in batch.targets.iter().enumerate() {
            let logits = &logits[row * self.padded..][..v];
            let (p, u) = (&mut kept.p[row * v..(row + 1) * v], &mut kept.u[row * v..(row + 1) * v]);
            let loss = softmax(logits, self.cap, target as usize, p, u);
            losses[row / batch.length] += loss / batch.length as f64;
        }
        losses
    }

    /// Derivative of the sum of the sequences' losses with respect to the logits, (p − onehot)(1 − u²)/tokens.
    pub fn adjoint<T: Real>(&self, batch: &Batch, kept: &Kept<T>, to: &mut [T]) {
        let (v, share) = (self.vocabulary, T::of(1.0 / batch.length as f64));
        for (row, &target) in batch.targets.iter().enumerate() {
            let (p, u) = (&kept.p[row * v..(row + 1) * v], &kept.u[row * v..(row + 1) * v]);
            let (to, padding) = to[row * self.padded..(row + 1) * self.padded].split_at_mut(v);
            padding.fill(T::zero());
            map(Write::Set, to, [p, u], |[p, u]| p * (T::one() - u * u) * share);
            let target = target as usize;
            to[target] -= (T::one() - u[target] * u[target]) * share;
        }
    }

    /// Derivative of `adjoint` along the logits' tangent: with z = cap·u, ż = (1−u²) l̇ and ṗ = p(ż − Σpż),
    /// (ṗ(1−u²) + (p − onehot)·(−2u/cap)(1−u²) l̇)/tokens.
    pub fn adjoint_tangent<T: Real>(&self, batch: &Batch, kept: &Kept<T>, dlogits: &[T], to: &mut [T]) {
        let (v, share) = (self.vocabulary, T::of(1.0 / batch.length as f64));
        let bend = T::of(-2.0 / self.cap);
        for (row, &target) in batch.targets.iter().enumerate() {
            let (p, u) = (&kept.p[row * v..(row + 1) * v], &kept.u[row * v..(row + 1) * v]);
            let d = &dlogits[row * self.padded..][..v];
            let (to, padding) = to[row * self.padded..(row + 1) * self.padded].split_at_mut(v);
            padding.fill(T::zero());
            softmax_tangent(p, u, d, bend, share, to);
            let (u, d) = (u[target as usize], d[target as usize]);
            to[target as usize] -= bend * u * (T::one() - u * u) * d * share;
        }
    }
}

crate::kernel! {
    /// One row: u = tanh(logits/cap), p = softmax(cap·u), and the loss of the target.
    fn softmax[T](logits: &'a [T], cap: f64, target: usize, p: &'a mut [T], u: &'a mut [T]) -> f64 {
        let (inverse, factor) = (T::of(1.0 / cap), T::of(cap));
        put(Write::Set, u, [logits], |[l]| tanh_fast(l * inverse));
        let top = largest(u);
        put(Write::Set, p, [u], |[u]| (factor * (u - top)).exp_fast());
        let total: f64 = sum([p], |[p]| p.wide());
        let scale = T::of(1.0 / total);
        p.iter_mut().for_each(|p| *p *= scale);
        total.ln() + cap * (top.wide() - u[target].wide())
    }

    /// One row of [`CrossEntropy::adjoint_tangent`], less the target's own term.
    fn softmax_tangent[T](p: &'a [T], u: &'a [T], d: &'a [T], bend: T, share: T, to: &'a mut [T]) -> () {
        let mean: T = sum([p, u, d], |[p, u, d]| p * (T::one() - u * u) * d);
        put(Write::Set, to, [p, u, d], |[p, u, d]| {
            let slope = T::one() - u * u;
            p * slope * (slope * d - mean + bend * u * d) * share
        });
    }
}
