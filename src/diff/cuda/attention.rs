//! Attention on the GPU: whole score matrices, batches of products over the key–value heads.

use super::device::Ptr;
use super::rules::{Factor, Order, Pair, Rule, Run, Slot, only};
use crate::diff::op::attention::Attention;
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

/// Positions of the kept probabilities P and of their adjoints.
const P: usize = 0;
const PBAR: usize = 1;

/// Where the query, key and score matrices of one sequence lie, for one query head of every group: a batch over the
/// key–value heads.
struct Heads<'a> {
    op: &'a Attention,
    length: usize,
    sequence: usize,
    member: usize,
}

impl Heads<'_> {
    fn group(&self) -> usize {
        self.op.heads / self.op.kv_heads
    }

    fn queries<T>(&self, q: Pair<T>) -> Factor<T> {
        let (h, width) = (self.op.head, self.op.heads * self.op.head);
        Factor::rows(q.plus(self.sequence * self.length * width + self.member * h), width).every(self.group() * h)
    }

    fn keys<T>(&self, k: Pair<T>) -> Factor<T> {
        let width = self.op.kv_heads * self.op.head;
        Factor::rows(k.plus(self.sequence * self.length * width), width).every(self.op.head)
    }

    fn scores<T>(&self, p: Pair<T>) -> Factor<T> {
        let square = self.length * self.length;
        let first = (self.sequence * self.op.heads + self.member) * square;
        Factor::rows(p.plus(first), self.length).every(self.group() * square)
    }
}

impl Attention {
    fn every<'a>(&'a self, rows: usize, length: usize) -> impl Iterator<Item = Heads<'a>> {
        let members = self.heads / self.kv_heads;
        (0..rows / length * members).map(move |i| Heads {
            op: self,
            length,
            sequence: i / members,
            member: i % members,
        })
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

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, kept: &[Ptr<T>], left: Ptr<T>) -> Result<()> {
        let (scale, t, h, batch) = (self.scale(), run.length, self.head, self.kv_heads);
        let to = if run.order == Order::Value { kept[P] } else { left };
        for heads in self.every(run.rows, t) {
            let (q, k) = (heads.queries(x[0]), heads.keys(x[1]).t());
            run.product(heads.scores(only(to)).value(), Write::Set, scale, (q, k), (t, h, t), batch)?;
        }
        let rows = run.rows * self.heads;
        match run.order {
            Order::Value => run.device.launch("softmax", rows, &[&rows, &t, &self.window, &kept[P]])?,
            Order::Tangent => run.device.launch("softmax_tangent", rows, &[&rows, &t, &kept[P], &left])?,
        }
        let p = Pair { value: kept[P], tangent: left };
        for heads in self.every(run.rows, t) {
            let to = heads.queries(only(y)).value();
            run.product(to, Write::Set, 1.0, (heads.scores(p), heads.keys(x[2])), (t, t, h), batch)?;
        }
        Ok(())
    }

    fn back(
        &self,
        run: &Run<T>,
        x: &[Pair<T>],
        y: Pair<T>,
        kept: &[Ptr<T>],
        left: Ptr<T>,
        out: &[Slot<T>],
    ) -> Result<()> {
        let ([q, k, v], [to_q, to_k, to_v]) = (x, out) else { unreachable!("three inputs") };
        let (scale, t, h, batch) = (self.scale(), run.length, self.head, self.kv_heads);
        let (rows, p) = (run.rows * self.heads, Pair { value: kept[P], tangent: left });
        let size = rows * t;
        let pbar = Pair { value: kept[PBAR], tangent: run.work };
        let sbar = Pair { value: run.work.plus(size), tangent: run.work.plus(2 * size) };
        let to_pbar = run.moving(pbar);
        for heads in self.every(run.rows, t) {
            let ybar = heads.queries(y);
            let to = heads.scores(only(to_pbar)).value();
            run.product(to, Write::Set, 1.0, (ybar, heads.keys(*v).t()), (t, h, t), batch)?;
            let to = heads.keys(only(to_v.to)).value();
            run.product(to, first(to_v, heads.member), 1.0, (heads.scores(p).t(), ybar), (t, t, h), batch)?;
        }
        run.call("softmax_back", rows, &[&rows, &t, &p, &pbar, &sbar])?;
        for heads in self.every(run.rows, t) {
            let s = heads.scores(sbar);
            let to = heads.queries(only(to_q.to)).value();
            run.product(to, to_q.write, scale, (s, heads.keys(*k)), (t, t, h), batch)?;
            let to = heads.keys(only(to_k.to)).value();
            run.product(to, first(to_k, heads.member), scale, (s.t(), heads.queries(*q)), (t, t, h), batch)?;
        }
        Ok(())
    }
}

/// The first query head of a group writes as the slot asks, the others add.
fn first<T>(slot: &Slot<T>, member: usize) -> Write {
    if member == 0 { slot.write } else { Write::Add }
}
