//! Causal softmax attention with grouped heads and a sliding window. Blocks of scores that the mask hides are skipped.

use faer::{MatMut, MatRef};

use crate::diff::primitive::{At, Batch, Out, Primitive, Write};
use crate::diff::product::{product, rows, rows_mut};
use crate::math::array::Real;
use crate::math::simd::{dot_row, largest, put, sum};

/// Rows of queries taken together: enough for an efficient product, few enough to skip most hidden scores.
const BLOCK: usize = 64;

/// y = softmax(q kᵀ/√h, causal, t − s ≤ window) v for each head of width h; query heads share key–value heads in
/// consecutive groups. Inputs: q (rows × heads·h), k and v (rows × kv_heads·h).
pub struct Attention {
    /// Query heads.
    pub heads: usize,
    /// Key–value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width h of a head.
    pub head: usize,
    /// Largest distance t − s that a query sees.
    pub window: usize,
}

/// A block of queries of one head in one sequence, with the keys any of them sees.
struct Block {
    /// First and one past the last query, as rows of the batch.
    queries: (usize, usize),
    /// First and one past the last key, as rows of the batch.
    keys: (usize, usize),
    /// First column of the query head.
    q: usize,
    /// First column of the key–value head.
    kv: usize,
    /// Position of the score matrix (length × length, row-major) of this head and sequence.
    scores: usize,
    /// First row of the sequence.
    first: usize,
    /// Tokens per sequence.
    length: usize,
}

impl Block {
    /// Where row `i` of the block (counted from its first query) lies in an array of score matrices.
    #[inline(always)]
    fn row(&self, i: usize) -> std::ops::Range<usize> {
        let start = self.scores + (self.queries.0 - self.first + i) * self.length;
        start + self.keys.0 - self.first..start + self.keys.1 - self.first
    }

    fn height(&self) -> usize {
        self.queries.1 - self.queries.0
    }

    fn width(&self) -> usize {
        self.keys.1 - self.keys.0
    }

    fn score<'a, T: Real>(&self, all: &'a [T]) -> MatRef<'a, T> {
        let matrix = rows(&all[self.scores..self.scores + self.length * self.length], self.length);
        matrix.submatrix(self.queries.0 - self.first, self.keys.0 - self.first, self.height(), self.width())
    }

    fn score_mut<'a, T: Real>(&self, all: &'a mut [T]) -> MatMut<'a, T> {
        let matrix = rows_mut(&mut all[self.scores..self.scores + self.length * self.length], self.length);
        matrix.submatrix_mut(self.queries.0 - self.first, self.keys.0 - self.first, self.height(), self.width())
    }
}

impl Attention {
    /// What the scores are multiplied by.
    pub(in crate::diff) fn scale(&self) -> f64 {
        1.0 / (self.head as f64).sqrt()
    }

    fn score_elements(&self, batch: &Batch) -> usize {
        batch.rows() * batch.length * self.heads
    }

    fn blocks<'a>(&'a self, batch: &'a Batch) -> impl Iterator<Item = Block> + 'a {
        let length = batch.length;
        let sequences = batch.rows() / length;
        (0..sequences * self.heads).flat_map(move |index| {
            let (sequence, head) = (index / self.heads, index % self.heads);
            let first = sequence * length;
            (0..length).step_by(BLOCK).map(move |start| {
                let end = (start + BLOCK).min(length);
                Block {
                    queries: (first + start, first + end),
                    keys: (first + start.saturating_sub(self.window), first + end),
                    q: head * self.head,
                    kv: head * self.kv_heads / self.heads * self.head,
                    scores: index * length * length,
                    first,
                    length,
                }
            })
        })
    }

    /// The queries' rows of an array laid out like q.
    fn queries<'a, T: Real>(&self, block: &Block, q: &'a [T]) -> MatRef<'a, T> {
        rows(q, self.heads * self.head).submatrix(block.queries.0, block.q, block.height(), self.head)
    }

    fn queries_mut<'a, T: Real>(&self, block: &Block, q: &'a mut [T]) -> MatMut<'a, T> {
        rows_mut(q, self.heads * self.head).submatrix_mut(block.queries.0, block.q, block.height(), self.head)
    }

    /// The keys' rows of an array laid out like k and v.
    fn keys<'a, T: Real>(&self, block: &Block, k: &'a [T]) -> MatRef<'a, T> {
        rows(k, self.kv_heads * self.head).submatrix(block.keys.0, block.kv, block.width(), self.head)
    }

    fn keys_mut<'a, T: Real>(&self, block: &Block, k: &'a mut [T]) -> MatMut<'a, T> {
        rows_mut(k, self.kv_heads * self.head).submatrix_mut(block.keys.0, block.kv, block.width(), self.head)
    }
}

crate::kernel! {
    /// Softmax of every row of a block over the keys its query sees; 0 elsewhere.
    fn softmax[T](block: &'a Block, window: usize, p: &'a mut [T]) -> () {
        for i in 0..block.height() {
            let query = block.queries.0 + i;
            let seen = (query - block.first).min(window) + 1;
            let end = query + 1 - block.keys.0;
            let row = &mut p[block.row(i)];
            row[..end - seen].fill(T::zero());
            row[end..].fill(T::zero());
            let row = &mut row[end - seen..end];
            let top = largest(row);
            row.iter_mut().for_each(|x| *x = (*x - top).exp_fast());
            let scale = T::one() / sum([row], |[x]| x);
            row.iter_mut().for_each(|x| *x *= scale);
        }
    }

    /// Ṗ = P ∘ (Ṡ − Σ P∘Ṡ) in place of Ṡ.
    fn softmax_tangent[T](block: &'a Block, p: &'a [T], dp: &'a mut [T]) -> () {
        for i in 0..block.height() {
            let (p, dp) = (&p[block.row(i)], &mut dp[block.row(i)]);
            let mean = dot_row(p, dp);
            dp.iter_mut().zip(p).for_each(|(dp, p)| *dp = *p * (*dp - mean));
        }
    }

    /// P̄ less its P-weighted row mean in place of P̄, and S̄, a matrix of the block's size.
    fn centre[T](block: &'a Block, p: &'a [T], centred: &'a mut [T], sbar: &'a mut [T]) -> () {
        for (i, sbar) in sbar.chunks_exact_mut(block.width()).enumerate() {
            let (p, centred) = (&p[block.row(i)], &mut centred[block.row(i)]);
            let mean = dot_row(p, centred);
            centred.iter_mut().for_each(|c| *c -= mean);
            put(Write::Set, sbar, [p, centred], |[p, c]| p * c);
        }
    }

    /// S̄ anew, and S̄˙ in place of P̄˙, matrices of the block's size; ΣṖ = 0 lets the centred P̄ stand for P̄ in the
    /// row mean's derivative.
    fn centre_tangent[T](block: &'a Block, p: &'a [T], centred: &'a [T], dp: &'a [T], sbar: &'a mut [T],
        dsbar: &'a mut [T]) -> () {
        let width = block.width();
        for (i, (s, ds)) in sbar.chunks_exact_mut(width).zip(dsbar.chunks_exact_mut(width)).enumerate() {
            let (p, centred, dp) = (&p[block.row(i)], &centred[block.row(i)], &dp[block.row(i)]);
            let mean = dot_row(dp, centred) + dot_row(p, ds);
            put(Write::Set, s, [p, centred], |[p, c]| p * c);
            for (((ds, p), c), dp) in ds.iter_mut().zip(p).zip(centred).zip(dp) {
                *ds = *dp * *c + *p * (*ds - mean);
            }
        }
    }
}

crate::kernel! {
    /// Σ C∘(P∘S̈ + P∘(Ṡ − ΣP∘Ṡ)²) + Ṗ∘B over a block, with the centred P̄ for C; Ṗ/P stands for Ṡ − ΣP∘Ṡ.
    fn block_curvature[T](block: &'a Block, p: &'a [T], centred: &'a [T], dp: &'a [T], dds: &'a [T],
        b: &'a [T]) -> f64 {
        let (width, mut total) = (block.width(), 0.0);
        for (i, (dds, b)) in dds.chunks_exact(width).zip(b.chunks_exact(width)).enumerate() {
            let row = block.row(i);
            let rows = [&p[row.clone()], &centred[row.clone()], &dp[row], dds, b];
            total += sum(rows, |[p, c, dp, dds, b]| {
                let square = if p > T::zero() { dp / p * dp } else { T::zero() };
                (c * (p * dds + square) + dp * b).wide()
            });
        }
        total
    }
}

/// Position of the probabilities P among the kept arrays.
const P: usize = 0;
/// Position of P̄ less its P-weighted row mean, so that S̄ = P ∘ CENTRED.
const CENTRED: usize = 1;
/// Position of Ṗ among the arrays of a direction; two strips for score matrices of a block follow.
const DP: usize = 0;

impl<T: Real> Primitive<T> for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn keeps(&self, batch: &Batch) -> Vec<usize> {
        vec![self.score_elements(batch); 2]
    }

    fn works(&self, batch: &Batch) -> Vec<usize> {
        let strip = BLOCK.min(batch.length) * batch.length;
        vec![self.score_elements(batch), strip, strip]
    }

    fn value(&self, batch: &Batch, x: &[&[T]], y: &mut [T], kept: &mut [Vec<T>]) {
        let [q, k, v] = x else { unreachable!("three inputs") };
        for block in self.blocks(batch) {
            let (q, k) = (self.queries(&block, q), self.keys(&block, k));
            product(block.score_mut(&mut kept[P]), Write::Set, self.scale(), q, k.transpose());
            softmax(&block, self.window, &mut kept[P]);
            product(self.queries_mut(&block, y), Write::Set, 1.0, block.score(&kept[P]), self.keys(&block, v));
        }
    }

    /// Ṗ = P ∘ (Ṡ − Σ P∘Ṡ), ẏ = Ṗ v + P v̇.
    fn tangent(&self, at: &At<T>, dx: &[&[T]], dy: &mut [T], work: &mut [Vec<T>]) {
        let ([q, k, v], [dq, dk, dv]) = (at.x, dx) else { unreachable!("three inputs") };
        let (p, dp) = (&at.kept[P], &mut work[DP]);
        for block in self.blocks(at.batch) {
            let scale = self.scale();
            let (k_block, dk_block) = (self.keys(&block, k), self.keys(&block, dk));
            product(block.score_mut(dp), Write::Set, scale, self.queries(&block, dq), k_block.transpose());
            product(block.score_mut(dp), Write::Add, scale, self.queries(&block, q), dk_block.transpose());
            softmax_tangent(&block, p, dp);
            product(self.queries_mut(&block, dy), Write::Set, 1.0, block.score(dp), self.keys(&block, v));
            product(self.queries_mut(&block, dy), Write::Add, 1.0, block.score(p), self.keys(&block, dv));
        }
    }

    /// v̄ += Pᵀȳ, P̄ = ȳvᵀ, S̄ = P ∘ (P̄ − Σ P∘P̄), q̄ += S̄k/√h, k̄ += S̄ᵀq/√h.
    fn adjoint(
        &self,
        batch: &Batch,
        x: &[&[T]],
        ybar: &[T],
        kept: &mut [Vec<T>],
        work: &mut [Vec<T>],
        out: &mut [Out<T>],
    ) {
        let ([q, k, v], [p, centred], [_, sbar, _]) = (x, kept, work) else { unreachable!("three inputs, two kept") };
        let [to_q, to_k, to_v] = out else { unreachable!("three inputs") };
        let (to_k, to_v) = (to_k.open(), to_v.open());
        for block in self.blocks(batch) {
            let scale = self.scale();
            let ybar = self.queries(&block, ybar);
            product(self.keys_mut(&block, to_v), Write::Add, 1.0, block.score(p).transpose(), ybar);
            product(block.score_mut(centred), Write::Set, 1.0, ybar, self.keys(&block, v).transpose());
            let width = block.width();
            let sbar = &mut sbar[..block.height() * width];
            centre(&block, p, centred, sbar);
            let sbar = rows(sbar, width);
            product(self.queries_mut(&block, to_q.to), to_q.write, scale, sbar, self.keys(&block, k));
            product(self.keys_mut(&block, to_k), Write::Add, scale, sbar.transpose(), self.queries(&block, q));
        }
    }

    /// The derivative of each line of `adjoint`.
    fn adjoint_tangent(
        &self,
        at: &At<T>,
        dx: &[&[T]],
        ybar: &[T],
        dybar: &[T],
        work: &mut [Vec<T>],
        out: &mut [Out<T>],
    ) {
        let ([q, k, v], [dq, dk, dv]) = (at.x, dx) else { unreachable!("three inputs") };
        let (p, centred, [dp, sbar, dsbar]) = (&at.kept[P], &at.kept[CENTRED], work) else {
            unreachable!("three arrays to work in")
        };
        let [to_q, to_k, to_v] = out else { unreachable!("three inputs") };
        let (to_k, to_v) = (to_k.open(), to_v.open());
        for block in self.blocks(at.batch) {
            let scale = self.scale();
            let (ybar, dybar) = (self.queries(&block, ybar), self.queries(&block, dybar));
            product(self.keys_mut(&block, to_v), Write::Add, 1.0, block.score(dp).transpose(), ybar);
            product(self.keys_mut(&block, to_v), Write::Add, 1.0, block.score(p).transpose(), dybar);
            let width = block.width();
            let (sbar, dsbar) = (&mut sbar[..block.height() * width], &mut dsbar[..block.height() * width]);
            product(rows_mut(dsbar, width), Write::Set, 1.0, dybar, self.keys(&block, v).transpose());
            product(rows_mut(dsbar, width), Write::Add, 1.0, ybar, self.keys(&block, dv).transpose());
            centre_tangent(&block, p, centred, dp, sbar, dsbar);
            let (sbar, dsbar) = (rows(sbar, width), rows(dsbar, width));
            product(self.queries_mut(&block, to_q.to), to_q.write, scale, dsbar, self.keys(&block, k));
            product(self.queries_mut(&block, to_q.to), Write::Add, scale, sbar, self.keys(&block, dk));
            product(self.keys_mut(&block, to_k), Write::Add, scale, dsbar.transpose(), self.queries(&block, q));
            product(self.keys_mut(&block, to_k), Write::Add, scale, sbar.transpose(), self.queries(&block, dq));
        }
    }

    /// Two products instead of eight: ⟨ȳ, P̈v + 2Ṗv̇⟩ with S̈ = 2q̇k̇ᵀ/√h, where ΣP̈ = 0 lets the centred P̄ stand for P̄.
    fn curvature(&self, at: &At<T>, dx: &[&[T]], ybar: &[T], work: &mut [Vec<T>]) -> f64 {
        let ([dq, dk, dv], [dp, second, mixed]) = (dx, work) else { unreachable!("three inputs") };
        let mut total = 0.0;
        for block in self.blocks(at.batch) {
            let (width, size) = (block.width(), block.height() * block.width());
            let (second, mixed) = (&mut second[..size], &mut mixed[..size]);
            let (dq, dk) = (self.queries(&block, dq), self.keys(&block, dk));
            product(rows_mut(second, width), Write::Set, 2.0 * self.scale(), dq, dk.transpose());
            let (ybar, dv) = (self.queries(&block, ybar), self.keys(&block, dv));
            product(rows_mut(mixed, width), Write::Set, 2.0, ybar, dv.transpose());
            total += block_curvature(&block, &at.kept[P], &at.kept[CENTRED], dp, second, mixed);
        }
        total
    }
}
