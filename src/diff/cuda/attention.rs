//! Attention on the GPU: whole score matrices, batches of products over heads, sequences and directions.

use super::lanes::{Grid, Lanes, Pair, Slot};
use super::memory::Ptr;
use super::rules::{Order, Rule, Run};
use crate::diff::op::attention::Attention;
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

/// Positions of the kept probabilities P and of their adjoints.
const P: usize = 0;
const PBAR: usize = 1;

/// Where the query, key and score matrices lie, for one query head of every group: a batch over the key–value heads and
/// over the sequences.
struct Heads<'a> {
    op: &'a Attention,
    length: usize,
    member: usize,
}

impl Heads<'_> {
    fn group(&self) -> usize {
        self.op.heads / self.op.kv_heads
    }

    fn queries(&self) -> Grid {
        let (h, width) = (self.op.head, self.op.heads * self.op.head);
        Grid { first: self.member * h, strides: [self.group() * h, self.length * width], ..Grid::rows(width) }
    }

    fn keys(&self) -> Grid {
        let (h, width) = (self.op.head, self.op.kv_heads * self.op.head);
        Grid { strides: [h, self.length * width], ..Grid::rows(width) }
    }

    fn scores(&self) -> Grid {
        let (square, heads) = (self.length * self.length, self.op.heads);
        let strides = [self.group() * square, heads * square];
        Grid { first: self.member * square, strides, ..Grid::rows(self.length) }
    }
}

impl Attention {
    fn every(&self, length: usize) -> impl Iterator<Item = Heads<'_>> {
        (0..self.heads / self.kv_heads).map(move |member| Heads { op: self, length, member })
    }
}

impl<T: Real> Rule<T> for Attention {
    fn keeps(&self, length: usize) -> Vec<usize> {
        vec![self.heads * length; 2]
    }

    fn leaves(&self, length: usize) -> usize {
        self.heads * length
    }

    fn works(&self, length: usize) -> usize {
        3 * self.heads * length
    }

    fn batch(&self) -> usize {
        self.kv_heads
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, kept: &[Ptr<T>], left: Lanes<T>) -> Result<()> {
        let (scale, t, h) = (self.scale(), run.length, self.head);
        let batch = [self.kv_heads, run.rows / t];
        let p = Pair { value: kept[P], tangent: left };
        for heads in self.every(t) {
            let factors = (heads.queries().of(x[0]), heads.keys().t().of(x[1]));
            run.product(heads.scores().to(run.moving(p)), Write::Set, scale, factors, (t, h, t), batch)?;
        }
        let rows = run.rows * self.heads;
        match run.order {
            Order::Value => run.launch("softmax", rows, &[&rows, &t, &self.window, &p.value])?,
            Order::Tangent => run.launch("softmax_tangent", rows, &[&rows, &t, &p])?,
        }
        for heads in self.every(t) {
            let factors = (heads.scores().of(p), heads.keys().of(x[2]));
            run.product(heads.queries().to(y), Write::Set, 1.0, factors, (t, t, h), batch)?;
        }
        Ok(())
    }

    fn back(
        &self,
        run: &Run<T>,
        x: &[Pair<T>],
        y: Pair<T>,
        kept: &[Ptr<T>],
        left: Lanes<T>,
        out: &[Slot<T>],
    ) -> Result<()> {
        let ([q, k, v], [to_q, to_k, to_v]) = (x, out) else { unreachable!("three inputs") };
        let (scale, t, h) = (self.scale(), run.length, self.head);
        let batch = [self.kv_heads, run.rows / t];
        let (rows, p) = (run.rows * self.heads, Pair { value: kept[P], tangent: left });
        let size = rows * t;
        let pbar = Pair { value: kept[PBAR], tangent: run.work };
        let sbar = Pair { value: run.work.first.plus(size), tangent: run.work.plus(2 * size) };
        for heads in self.every(t) {
            let ybar = heads.queries().of(y);
            let to = heads.scores().to(run.moving(pbar));
            run.product(to, Write::Set, 1.0, (ybar, heads.keys().t().of(*v)), (t, h, t), batch)?;
            let (to, factors) = (heads.keys().to(to_v.to), (heads.scores().t().of(p), ybar));
            run.product(to, first(to_v, heads.member), 1.0, factors, (t, t, h), batch)?;
        }
        run.call("softmax_back", rows, &[&rows, &t, &p, &pbar, &sbar])?;
        for heads in self.every(t) {
            let (to, factors) = (heads.queries().to(to_q.to), (heads.scores().of(sbar), heads.keys().of(*k)));
            run.product(to, to_q.write, scale, factors, (t, t, h), batch)?;
            let (to, factors) = (heads.keys().to(to_k.to), (heads.scores().t().of(sbar), heads.queries().of(*q)));
            run.product(to, first(to_k, heads.member), scale, factors, (t, t, h), batch)?;
        }
        Ok(())
    }
}

/// The first query head of a group writes as the slot asks, the others add.
fn first<T>(slot: &Slot<T>, member: usize) -> Write {
    if member == 0 { slot.write } else { Write::Add }
}
