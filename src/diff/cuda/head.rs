//! The head and its loss on the GPU, over strips of rows: beside the kept logits no more than a strip of adjoints exists,
//! and one of tangents for each direction.

use super::device::Device;
use super::lanes::{Arguments, Grid, Lanes, Pair};
use super::memory::{Array, Ptr};
use super::rules::{ONE, Order, Run};
use crate::diff::op::head::{Cap, Head};
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

/// Elements of a strip of logits, about.
const STRIP: usize = if cfg!(test) { 1 << 10 } else { 1 << 26 };

/// Room for strips and for the rows' losses.
pub struct Strips<T> {
    rows: usize,
    /// A strip of logits or of their adjoints, and its tangents.
    value: Array<T>,
    tangent: Array<T>,
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

impl<T> Clone for Inputs<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Inputs<T> {}

/// Where the head's adjoints go; both are set unless said otherwise.
pub struct Outputs<T> {
    /// rows × width.
    pub x: Lanes<T>,
    /// padded × width, where it is wanted.
    pub w: Option<(Lanes<T>, Write)>,
}

impl<T: Real> Strips<T> {
    /// For sweeps over up to `rows` rows, `all` of them over all directions.
    pub fn new(device: &Device, head: &Head, (rows, all): (usize, usize), directions: usize) -> Result<Strips<T>> {
        let strip = strip(head, rows);
        Ok(Strips {
            rows: strip,
            value: device.array(strip * head.vocabulary)?,
            tangent: device.array(directions * strip * head.vocabulary)?,
            losses: device.array(all)?,
        })
    }

    /// Elements of a strip for sweeps over up to `rows` rows.
    pub fn elements(head: &Head, rows: usize) -> usize {
        strip(head, rows) * head.vocabulary
    }

    fn strips(&self, rows: usize) -> impl Iterator<Item = (usize, usize)> + use<T> {
        let step = self.rows;
        (0..rows).step_by(step).map(move |start| (start, step.min(rows - start)))
    }

    /// A strip's tangents, of `rows` rows each.
    fn tangents(&self, head: &Head, rows: usize) -> Lanes<T> {
        Lanes { first: self.tangent.at(), step: rows * head.vocabulary }
    }

    /// Logits of all rows, or their tangents.
    pub fn logits(&self, run: &Run<T>, head: &Head, at: &Inputs<T>, to: Lanes<T>) -> Result<()> {
        let factors = (Grid::rows(head.width).of(at.x), Grid::rows(head.width).t().of(at.w));
        let shape = (run.rows, head.width, head.vocabulary);
        run.product(Grid::rows(head.vocabulary).to(to), Write::Set, 1.0, factors, shape, ONE)
    }

    /// Losses of all rows by a sweep of values.
    pub fn losses(&self, run: &Run<T>, head: &Head, at: &Inputs<T>) -> Result<()> {
        self.strips(run.rows).try_for_each(|(start, count)| {
            let x = at.x.plus(start * head.width);
            self.logits(&Run { rows: count, ..*run }, head, &Inputs { x, ..*at }, self.value.at().into())?;
            self.loss(run, head, at, (start, count), self.value.at().into(), Pair::NULL)
        })
    }

    /// Derivatives of the losses of all rows, whose logits are kept.
    pub fn slopes(&self, run: &Run<T>, head: &Head, at: &Inputs<T>, logits: Ptr<T>) -> Result<()> {
        self.strips(run.rows).try_for_each(|(start, count)| {
            let z = Pair { value: logits.plus(start * head.vocabulary), tangent: self.tangents(head, count) };
            let x = at.x.plus(start * head.width);
            self.logits(&Run { rows: count, ..*run }, head, &Inputs { x, ..*at }, z.tangent)?;
            self.loss(run, head, at, (start, count), z, Pair::NULL)
        })
    }

    /// Means over sequences of what the last sweep left: its losses or their derivatives along each direction, `step`
    /// from one direction's to the next.
    pub fn means(&self, run: &Run<T>, to: Ptr<f64>, step: usize) -> Result<()> {
        let count = run.rows / run.length;
        run.launch("means", count, &[&count, &run.length, &self.losses.at(), &to, &step])
    }

    /// The adjoints of the inputs from the kept logits, or their derivatives; the rows' losses beside them.
    pub fn back(&self, run: &Run<T>, head: &Head, at: &Inputs<T>, logits: Ptr<T>, out: &Outputs<T>) -> Result<()> {
        let (v, c) = (head.vocabulary, head.width);
        if let Some((to, Write::Set)) = out.w {
            // Rows of the matrix that are no tokens.
            (0..run.directions)
                .try_for_each(|i| run.device.zero(to.first.plus(i * to.step + v * c), (head.padded - v) * c))?;
        }
        for (start, count) in self.strips(run.rows) {
            let x = at.x.plus(start * c);
            let zbar = Pair { value: self.value.at(), tangent: self.tangents(head, count) };
            let z = Pair { value: logits.plus(start * v), tangent: zbar.tangent };
            if run.order == Order::Tangent {
                self.logits(&Run { rows: count, ..*run }, head, &Inputs { x, ..*at }, z.tangent)?;
            }
            self.loss(run, head, at, (start, count), z, zbar)?;
            let zbar = Grid::rows(v).of(zbar);
            let to_x = Grid::rows(c).to(out.x.plus(start * c));
            run.product(to_x, Write::Set, 1.0, (zbar, Grid::rows(c).of(at.w)), (count, v, c), ONE)?;
            if let Some((to, write)) = out.w {
                let write = if start == 0 { write } else { Write::Add };
                let factors = (zbar.t(), Grid::rows(c).of(x));
                run.product(Grid::rows(c).to(to), write, 1.0, factors, (v, count, c), ONE)?;
            }
        }
        Ok(())
    }

    /// Losses of a strip of rows from its logits, and where `zbar` is given the logits' adjoints.
    fn loss(
        &self,
        run: &Run<T>,
        head: &Head,
        at: &Inputs<T>,
        (start, count): (usize, usize),
        z: Pair<T>,
        zbar: Pair<T>,
    ) -> Result<()> {
        let share = 1.0 / run.length as f64;
        let cap = match head.cap {
            Cap::Open => 0.0,
            Cap::Tanh(cap) => cap,
        };
        let (targets, losses) = (at.targets.plus(start), self.losses.at().plus(start));
        let arguments: [&dyn Arguments; 9] =
            [&count, &head.vocabulary, &cap, &share, &targets, &z, &losses, &run.rows, &zbar];
        run.call("head", count, &arguments)
    }
}

/// Rows of a strip for sweeps over up to `rows` rows.
fn strip(head: &Head, rows: usize) -> usize {
    (STRIP / head.vocabulary).clamp(1, rows.max(1))
}
