//! The end of every graph: a linear head and the mean next-token cross-entropy of its logits, soft-capped or not.
//!
//! Logits are by far the widest array of a language model, and nobody reads them but the loss. So head and loss are one
//! rule, taken over strips of tokens: no more than a strip of logits, or of their derivatives, exists at a time.

use std::ops::Range;

use crate::diff::primitive::{Batch, Write};
use crate::diff::product::{product, rows, rows_mut};
use crate::math::array::{Real, tanh_fast};
use crate::math::simd::{dot, largest, put, sum};

/// Elements of a strip of logits, about: large enough for products at full speed, small beside a linearisation. The unit
/// tests' batches are small, and still take several strips.
const STRIP: usize = if cfg!(test) { 1 << 8 } else { 1 << 24 };

/// ℓ = mean over a sequence's tokens of `−log softmax(c(x·w))[target]` over the first `vocabulary` rows w of
/// the head's matrix W (`padded` × `width`), nats per token. Inputs: x (rows × `width`), W. Losses are in f64.
pub struct Head {
    /// Width of x.
    pub width: usize,
    /// Rows of W that are tokens.
    pub vocabulary: usize,
    /// Rows of W.
    pub padded: usize,
    /// The soft cap c.
    pub cap: Cap,
}

/// What is done to the logits, written as c(z) = `factor`·u. Its slope is 1 − κu² and its second derivative
/// β u (1 − κu²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cap {
    /// u = z: nothing.
    Open,
    /// u = tanh(z/cap), factor = cap; nanochat's cap is 15.
    Tanh(f64),
}

impl Cap {
    fn factor(self) -> f64 {
        match self {
            Cap::Open => 1.0,
            Cap::Tanh(cap) => cap,
        }
    }

    /// κ.
    fn curl(self) -> f64 {
        match self {
            Cap::Open => 0.0,
            Cap::Tanh(_) => 1.0,
        }
    }

    /// β.
    fn bend<T: Real>(self) -> T {
        match self {
            Cap::Open => T::zero(),
            Cap::Tanh(cap) => T::of(-2.0) / T::of(cap),
        }
    }
}

/// What the derivatives need of the values.
#[derive(Debug, Clone, Default)]
pub struct Kept<T> {
    /// u of [`Cap`], rows × vocabulary.
    u: Vec<T>,
    /// The largest u of each row.
    top: Vec<T>,
    /// 1/Σ exp(factor·(u − top)) of each row.
    scale: Vec<T>,
}

/// Two strips of logits to work in.
#[derive(Debug, Clone, Default)]
pub struct Work<T> {
    one: Vec<T>,
    other: Vec<T>,
}

/// The head's inputs, or their tangents.
#[derive(Clone, Copy)]
pub struct Inputs<'a, T> {
    /// rows × width.
    pub x: &'a [T],
    /// padded × width.
    pub w: &'a [T],
}

/// Slots for the adjoints of the inputs, which are set.
pub struct Outputs<'a, T> {
    /// rows × width.
    pub x: &'a mut [T],
    /// padded × width.
    pub w: &'a mut [T],
}

impl<T> Outputs<'_, T> {
    fn rows(&mut self, range: &Range<usize>, width: usize) -> &mut [T] {
        &mut self.x[range.start * width..range.end * width]
    }
}

impl Head {
    /// Elements that [`Kept`] holds.
    pub fn keeps(&self, batch: &Batch) -> usize {
        batch.rows() * (self.vocabulary + 2)
    }

    /// Elements that [`Work`] holds.
    pub fn works(&self, batch: &Batch) -> usize {
        2 * self.strip(batch) * self.vocabulary
    }

    fn strip(&self, batch: &Batch) -> usize {
        batch.rows().div_ceil((batch.rows() * self.vocabulary).div_ceil(STRIP))
    }

    /// The strips' rows, with room for them made in `work`.
    fn strips<T: Real>(&self, batch: &Batch, work: &mut Work<T>) -> impl Iterator<Item = Range<usize>> + use<T> {
        let (step, rows) = (self.strip(batch), batch.rows());
        work.one.resize(step * self.vocabulary, T::zero());
        work.other.resize(step * self.vocabulary, T::zero());
        (0..rows).step_by(step).map(move |start| start..(start + step).min(rows))
    }

    /// `to` ← x Wᵀ for some rows and the tokens' columns, set or added.
    fn logits<T: Real>(&self, range: &Range<usize>, write: Write, at: Inputs<T>, to: &mut [T]) {
        let x = &at.x[range.start * self.width..range.end * self.width];
        let w = rows(&at.w[..self.vocabulary * self.width], self.width);
        product(rows_mut(to, self.vocabulary), write, 1.0, rows(x, self.width), w.transpose());
    }

    /// x̄ ← ȳ W for some rows.
    fn back_to_x<T: Real>(&self, write: Write, ybar: &[T], w: &[T], to: &mut [T]) {
        let w = rows(&w[..self.vocabulary * self.width], self.width);
        product(rows_mut(to, self.width), write, 1.0, rows(ybar, self.vocabulary), w);
    }

    /// W̄ ← ȳᵀ x for some rows.
    fn back_to_w<T: Real>(&self, range: &Range<usize>, write: Write, ybar: &[T], x: &[T], to: &mut [T]) {
        let x = rows(&x[range.start * self.width..range.end * self.width], self.width);
        let to = rows_mut(&mut to[..self.vocabulary * self.width], self.width);
        product(to, write, 1.0, rows(ybar, self.vocabulary).transpose(), x);
    }

    /// Loss of each sequence.
    pub fn losses<T: Real>(&self, batch: &Batch, at: Inputs<T>, work: &mut Work<T>) -> Vec<f64> {
        let mut losses = vec![0.0; batch.rows() / batch.length];
        for range in self.strips(batch, work) {
            let logits = &mut work.one[..range.len() * self.vocabulary];
            self.logits(&range, Write::Set, at, logits);
            for (row, u) in range.zip(logits.chunks_exact_mut(self.vocabulary)) {
                let p = &mut work.other[..self.vocabulary];
                let (_, _, loss) = softmax(self.cap, batch.targets[row] as usize, u, p);
                losses[row / batch.length] += loss / batch.length as f64;
            }
        }
        losses
    }

    /// Loss of each sequence, and the adjoints of the inputs for the sum of the losses: with s = 1 − κu² the slope of
    /// [`Cap`], ȳ = (p − onehot)s/tokens for the logits.
    pub fn linearise<T: Real>(
        &self,
        batch: &Batch,
        at: Inputs<T>,
        kept: &mut Kept<T>,
        work: &mut Work<T>,
        out: &mut Outputs<T>,
    ) -> Vec<f64> {
        let (v, share) = (self.vocabulary, T::of(1.0 / batch.length as f64));
        kept.u.resize(batch.rows() * v, T::zero());
        kept.top.resize(batch.rows(), T::zero());
        kept.scale.resize(batch.rows(), T::zero());
        let mut losses = vec![0.0; batch.rows() / batch.length];
        out.w[v * self.width..].fill(T::zero());
        for range in self.strips(batch, work) {
            let u = &mut kept.u[range.start * v..range.end * v];
            self.logits(&range, Write::Set, at, u);
            let ybar = &mut work.one[..range.len() * v];
            for ((row, u), ybar) in range.clone().zip(u.chunks_exact_mut(v)).zip(ybar.chunks_exact_mut(v)) {
                let target = batch.targets[row] as usize;
                let (top, scale, loss) = softmax(self.cap, target, u, ybar);
                (kept.top[row], kept.scale[row]) = (top, scale);
                losses[row / batch.length] += loss / batch.length as f64;
                slopes(u, T::of(self.cap.curl()), target, scale, share, ybar);
            }
            self.back_to_x(Write::Set, ybar, at.w, out.rows(&range, self.width));
            self.back_to_w(&range, first(&range), ybar, at.x, out.w);
        }
        losses
    }

    /// Derivative of the adjoints along ẋ, Ẇ: with ẏ the logits' tangent, ż = sẏ and ṗ = p(ż − Σpż),
    /// ȳ˙ = (ṗs + (p − onehot)·βus ẏ)/tokens.
    pub fn adjoint_tangent<T: Real>(
        &self,
        batch: &Batch,
        at: Inputs<T>,
        dot: Inputs<T>,
        kept: &Kept<T>,
        work: &mut Work<T>,
        out: &mut Outputs<T>,
    ) {
        let v = self.vocabulary;
        out.w[v * self.width..].fill(T::zero());
        for range in self.strips(batch, work) {
            let dy = &mut work.one[..range.len() * v];
            self.tangent(&range, at, dot, dy);
            let ybar = &mut work.other[..range.len() * v];
            for ((row, dy), ybar) in range.clone().zip(dy.chunks_exact_mut(v)).zip(ybar.chunks_exact_mut(v)) {
                turn(&self.row(batch, row, kept), dy, ybar);
            }
            let to = out.rows(&range, self.width);
            self.back_to_x(Write::Set, dy, at.w, to);
            self.back_to_x(Write::Add, ybar, dot.w, to);
            self.back_to_w(&range, first(&range), dy, at.x, out.w);
            self.back_to_w(&range, Write::Add, ybar, dot.x, out.w);
        }
    }

    /// (Σ ȳẏ, ẏᵀℓ''ẏ + Σ ȳ·2ẋẆᵀ): slope and curvature of the sum of the losses in the head's inputs.
    pub fn jet<T: Real>(
        &self,
        batch: &Batch,
        at: Inputs<T>,
        direction: Inputs<T>,
        kept: &Kept<T>,
        work: &mut Work<T>,
    ) -> (f64, f64) {
        let (v, mut slope, mut curvature) = (self.vocabulary, 0.0, 0.0);
        for range in self.strips(batch, work) {
            let dy = &mut work.one[..range.len() * v];
            self.tangent(&range, at, direction, dy);
            let ybar = &mut work.other[..range.len() * v];
            for ((row, dy), ybar) in range.clone().zip(dy.chunks_exact(v)).zip(ybar.chunks_exact_mut(v)) {
                let (first, second) = bend(&self.row(batch, row, kept), dy, ybar);
                slope += first;
                curvature += second;
            }
            self.logits(&range, Write::Set, direction, dy);
            curvature += 2.0 * dot(dy, ybar);
        }
        (slope, curvature)
    }

    /// ẏ = ẋWᵀ + xẆᵀ for some rows.
    fn tangent<T: Real>(&self, range: &Range<usize>, at: Inputs<T>, dot: Inputs<T>, dy: &mut [T]) {
        self.logits(range, Write::Set, Inputs { x: dot.x, w: at.w }, dy);
        self.logits(range, Write::Add, Inputs { x: at.x, w: dot.w }, dy);
    }

    fn row<'a, T: Real>(&self, batch: &Batch, row: usize, kept: &'a Kept<T>) -> Row<'a, T> {
        Row {
            u: &kept.u[row * self.vocabulary..(row + 1) * self.vocabulary],
            top: kept.top[row],
            scale: kept.scale[row],
            target: batch.targets[row] as usize,
            factor: T::of(self.cap.factor()),
            curl: T::of(self.cap.curl()),
            bend: self.cap.bend(),
            share: T::of(1.0 / batch.length as f64),
        }
    }
}

/// One row at the point of linearisation.
struct Row<'a, T> {
    u: &'a [T],
    top: T,
    scale: T,
    target: usize,
    factor: T,
    /// κ of [`Cap`].
    curl: T,
    /// β of [`Cap`].
    bend: T,
    /// 1/tokens.
    share: T,
}

/// The first strip is written, the others are added.
fn first(range: &Range<usize>) -> Write {
    if range.start == 0 { Write::Set } else { Write::Add }
}

crate::kernel! {
    /// One row: u in place of the logits and exp(factor·(u − top)); returns top, the scale that makes the latter a
    /// softmax, and the loss of the target.
    fn softmax[T](cap: Cap, target: usize, u: &'a mut [T], p: &'a mut [T]) -> (T, T, f64) {
        if let Cap::Tanh(cap) = cap {
            let inverse = T::of(1.0 / cap);
            u.iter_mut().for_each(|u| *u = tanh_fast(*u * inverse));
        }
        let factor = T::of(cap.factor());
        let top = largest(u);
        put(Write::Set, p, [u], |[u]| (factor * (u - top)).exp_fast());
        let total: f64 = sum([p], |[p]| p.wide());
        (top, T::of(1.0 / total), total.ln() + cap.factor() * (top.wide() - u[target].wide()))
    }

    /// One row: ȳ in place of the unscaled softmax.
    fn slopes[T](u: &'a [T], curl: T, target: usize, scale: T, share: T, p: &'a mut [T]) -> () {
        for (p, u) in p.iter_mut().zip(u) {
            *p = *p * scale * (T::one() - curl * *u * *u) * share;
        }
        p[target] -= (T::one() - curl * u[target] * u[target]) * share;
    }

    /// p in `p`; returns Σ pż.
    fn softmax_again[T](row: &'a Row<'a, T>, dy: &'a [T], p: &'a mut [T]) -> T {
        put(Write::Set, p, [row.u], |[u]| (row.factor * (u - row.top)).exp_fast() * row.scale);
        sum([p, row.u, dy], |[p, u, d]| p * (T::one() - row.curl * u * u) * d)
    }

    /// ȳ˙ in place of ẏ, and ȳ.
    fn turn[T](row: &'a Row<'a, T>, dy: &'a mut [T], ybar: &'a mut [T]) -> () {
        let mean = softmax_again(row, dy, ybar);
        let (bend, u, d) = (row.bend, row.u[row.target], dy[row.target]);
        for ((ybar, dy), u) in ybar.iter_mut().zip(dy.iter_mut()).zip(row.u) {
            let slope = T::one() - row.curl * *u * *u;
            let weight = *ybar * slope * row.share;
            *dy = weight * (slope * *dy - mean + bend * *u * *dy);
            *ybar = weight;
        }
        let slope = (T::one() - row.curl * u * u) * row.share;
        ybar[row.target] -= slope;
        dy[row.target] -= bend * u * slope * d;
    }

    /// ȳ, ⟨ȳ, ẏ⟩ and ⟨ȳ˙, ẏ⟩.
    fn bend[T](row: &'a Row<'a, T>, dy: &'a [T], ybar: &'a mut [T]) -> (f64, f64) {
        let mean = softmax_again(row, dy, ybar);
        let (bend, u, d) = (row.bend, row.u[row.target], dy[row.target]);
        let second: f64 = sum([ybar, row.u, dy], |[p, u, d]| {
            let slope = T::one() - row.curl * u * u;
            (p * slope * row.share * (slope * d - mean + bend * u * d) * d).wide()
        });
        ybar.iter_mut().zip(row.u).for_each(|(p, u)| *p = *p * (T::one() - row.curl * *u * *u) * row.share);
        let slope = (T::one() - row.curl * u * u) * row.share;
        ybar[row.target] -= slope;
        (sum([ybar, dy], |[ybar, d]| (ybar * d).wide()), second - (bend * u * slope * d * d).wide())
    }
}
