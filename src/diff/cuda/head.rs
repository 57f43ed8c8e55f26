//! The head and its loss on the GPU, over strips of rows: beside the kept logits no more than two strips exist.

use super::device::{Array, Device, Matrix, Ptr};
use super::rules::{Factor, Order, Pair, Run, only};
use crate::diff::op::head::{Cap, Head};
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

/// Elements of a strip of logits, about.
const STRIP: usize = if cfg!(test) { 1 << 10 } else { 1 << 26 };

/// Room for strips and for the rows' losses.
pub struct Strips<T> {
    rows: usize,
    one: Array<T>,
    other: Array<T>,
    losses: Array<f64>,
}

/// The head's inputs.
pub struct Inputs<T> {
    /// rows × width.
    pub x: Pair<T>,
    /// padded × width.
    pub w: Pair<T>,
    /// The rows' target tokens.
    pub targets: Ptr<u32>,
}

/// Where the head's adjoints go; both are set unless said otherwise.
pub struct Outputs<T> {
    /// rows × width.
    pub x: Ptr<T>,
    /// padded × width, where it is wanted.
    pub w: Option<(Ptr<T>, Write)>,
}

impl<T: Real> Strips<T> {
    /// For sweeps over up to `rows` rows.
    pub fn new(device: &Device, head: &Head, rows: usize) -> Result<Strips<T>> {
        let strip = (STRIP / head.vocabulary).clamp(1, rows.max(1));
        let array = || device.array(strip * head.vocabulary);
        Ok(Strips { rows: strip, one: array()?, other: array()?, losses: device.array(rows)? })
    }

    /// Bytes of the strips for sweeps over up to `rows` rows.
    pub fn bytes(head: &Head, rows: usize) -> usize {
        2 * (STRIP / head.vocabulary).clamp(1, rows.max(1)) * head.vocabulary * size_of::<T>()
    }

    fn strips(&self, rows: usize) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let step = self.rows;
        (0..rows).step_by(step).map(move |start| (start, step.min(rows - start)))
    }

    /// Logits of all rows, to keep.
    pub fn logits(&self, run: &Run<T>, head: &Head, at: &Inputs<T>, to: Ptr<T>) -> Result<()> {
        let (x, w) = (Factor::rows(at.x, head.width), Factor::rows(at.w, head.width).t());
        let shape = (run.rows, head.width, head.vocabulary);
        run.product(Matrix::rows(to, head.vocabulary), Write::Set, 1.0, (x, w), shape, 1)
    }

    /// Losses of all rows.
    pub fn losses(&self, run: &Run<T>, head: &Head, at: &Inputs<T>) -> Result<Vec<f64>> {
        for (start, count) in self.strips(run.rows) {
            let x = at.x.plus(start * head.width);
            self.logits(&Run { rows: count, ..*run }, head, &Inputs { x, ..*at }, self.one.at())?;
            let row = Row { at, head, start, count };
            row.run(run, only(self.one.at()), self.losses.at(), Pair::NULL)?;
        }
        self.row_losses(run)
    }

    /// Losses of the rows of the last sweep, or their derivatives.
    pub fn row_losses(&self, run: &Run<T>) -> Result<Vec<f64>> {
        let mut losses = vec![0.0; run.rows];
        run.device.download(self.losses.at(), &mut losses)?;
        Ok(losses)
    }

    /// The adjoints of the inputs from the kept logits, or their derivatives.
    pub fn back(&self, run: &Run<T>, head: &Head, at: &Inputs<T>, logits: Ptr<T>, out: &Outputs<T>) -> Result<()> {
        let (v, c) = (head.vocabulary, head.width);
        if let Some((to, Write::Set)) = out.w {
            run.device.zero(to.plus(v * c), (head.padded - v) * c)?;
        }
        for (start, count) in self.strips(run.rows) {
            let x = at.x.plus(start * c);
            let ybar = Pair { value: self.one.at(), tangent: self.other.at() };
            let z = Pair { value: logits.plus(start * v), tangent: self.other.at() };
            if run.order == Order::Tangent {
                self.logits(&Run { rows: count, ..*run }, head, &Inputs { x, ..*at }, z.tangent)?;
            }
            Row { at, head, start, count }.run(run, z, self.losses.at(), ybar)?;
            let (ybar, w) = (Factor::rows(ybar, v), Factor::rows(at.w, c));
            let to_x = Matrix::rows(out.x.plus(start * c), c);
            run.product(to_x, Write::Set, 1.0, (ybar, w), (count, v, c), 1)?;
            if let Some((to, write)) = out.w {
                let write = if start == 0 { write } else { Write::Add };
                let to_w = Matrix::rows(to, c);
                run.product(to_w, write, 1.0, (ybar.t(), Factor::rows(x, c)), (v, count, c), 1)?;
            }
        }
        Ok(())
    }
}

/// A strip of rows.
struct Row<'a, T> {
    at: &'a Inputs<T>,
    head: &'a Head,
    start: usize,
    count: usize,
}

impl<T: Real> Row<'_, T> {
    /// Losses from logits, and where `ybar` is given the logits' adjoints.
    fn run(&self, run: &Run<T>, z: Pair<T>, losses: Ptr<f64>, ybar: Pair<T>) -> Result<()> {
        let share = 1.0 / run.length as f64;
        let (targets, losses) = (self.at.targets.plus(self.start), losses.plus(self.start));
        let head = self.head;
        let cap = match head.cap {
            Cap::Open => 0.0,
            Cap::Tanh(cap) => cap,
        };
        run.call("head", self.count, &[&self.count, &head.vocabulary, &cap, &share, &targets, &z, &losses, &ybar])
    }
}

impl<T> Clone for Inputs<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Inputs<T> {}
