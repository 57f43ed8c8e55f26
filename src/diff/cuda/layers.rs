//! Rules of embeddings, linear maps, norms and rotations.

use super::device::Device;
use super::lanes::{Grid, Lanes, Pair, Slot};
use super::memory::Ptr;
use super::rules::{ONE, Rule, Run};
use crate::diff::op::embed::Embed;
use crate::diff::op::head_rotary::HeadRotary;
use crate::diff::op::linear::{Linear, Weights};
use crate::diff::op::position::Position;
use crate::diff::op::rms_norm::{EPSILON, RmsNorm};
use crate::diff::op::scaled_norm::{Centre, ScaledNorm};
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

impl<T: Real> Rule<T> for Embed {
    /// Linear: the tangent reads the table's tangent as its value does the table.
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let blocks = Device::blocks(run.rows * self.width);
        run.launch("gather", blocks, &[&run.rows, &self.width, &run.tokens, &run.moving(x[0]), &y])
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        if out[0].to.is_null() { Ok(()) } else { run.scatter(self.width, 1, Pair::NULL, y, &out[0]) }
    }
}

impl Linear {
    /// M, in the weights' own array.
    fn grid(&self) -> Grid {
        match self.weights {
            Weights::OutIn => Grid::rows(self.from).t(),
            Weights::InOut { columns, first } => Grid { first, ..Grid::rows(columns) },
        }
    }

    /// The first column of the bias that is this map's.
    fn first(&self) -> usize {
        match self.weights {
            Weights::OutIn => 0,
            Weights::InOut { first, .. } => first,
        }
    }
}

impl<T: Real> Rule<T> for Linear {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let factors = (Grid::rows(self.from).of(x[0]), self.grid().of(x[1]));
        run.product(Grid::rows(self.to).to(y), Write::Set, 1.0, factors, (run.rows, self.from, self.to), ONE)?;
        match x.get(2) {
            Some(b) => run.add_rows(1, run.moving(b.plus(self.first())), y),
            None => Ok(()),
        }
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let (input, ybar) = (Grid::rows(self.from).of(x[0]), Grid::rows(self.to).of(y));
        let (to_x, factors) = (Grid::rows(self.from).to(out[0].to), (ybar, self.grid().t().of(x[1])));
        run.product(to_x, out[0].write, 1.0, factors, (run.rows, self.to, self.from), ONE)?;
        let (slot, rows) = (&out[1], run.rows);
        if !slot.to.is_null() {
            match self.weights {
                Weights::OutIn => {
                    let to = Grid::rows(self.from).to(slot.to);
                    run.product(to, slot.write, 1.0, (ybar.t(), input), (self.to, rows, self.from), ONE)?;
                }
                Weights::InOut { columns, first } => {
                    // The other columns are other maps'.
                    run.open(slot)?;
                    let to = Grid { first, ..Grid::rows(columns) }.to(slot.to);
                    run.product(to, Write::Add, 1.0, (input.t(), ybar), (self.from, rows, self.to), ONE)?;
                }
            }
        }
        match out.get(2).filter(|slot| !slot.to.is_null()) {
            Some(slot) => {
                run.open(slot)?;
                run.sum_rows(1, run.moving(y), slot.to.plus(self.first()))
            }
            None => Ok(()),
        }
    }
}

impl<T: Real> Rule<T> for RmsNorm {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let groups = run.rows * run.width / self.width;
        run.call("rms_norm", groups, &[&groups, &self.width, &self.gain, &EPSILON, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let groups = run.rows * run.width / self.width;
        run.call("rms_norm_back", groups, &[&groups, &self.width, &self.gain, &EPSILON, &x[0], &y, &out[0]])
    }
}

/// Linear: values and tangents alike.
impl<T: Real> Rule<T> for Position {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let slot = Slot { to: y, write: Write::Set, len: run.rows * run.width };
        run.scaled(slot.len, 1.0, (Pair::NULL, 0), x[0], &slot)?;
        run.add_rows(run.length, run.moving(x[1]), y)
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        run.scaled(run.rows * run.width, 1.0, (Pair::NULL, 0), y, &out[0])?;
        if out[1].to.is_null() {
            return Ok(());
        }
        run.open(&out[1])?;
        run.sum_rows(run.length, run.moving(y), out[1].to)
    }
}

impl<T: Real> Rule<T> for ScaledNorm {
    fn works(&self, _: usize) -> usize {
        4
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let (centred, bias) = (self.centred(), x.get(2).copied().unwrap_or(Pair::NULL));
        run.call("scaled_norm", run.rows, &[&run.rows, &self.width, &centred, &self.epsilon, &x[0], &x[1], &bias, &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let centred = self.centred();
        let [mean, r] = run.working(run.rows);
        run.call(
            "scaled_norm_back",
            run.rows,
            &[&run.rows, &self.width, &centred, &self.epsilon, &x[0], &x[1], &y, &out[0], &mean, &r],
        )?;
        if !out[1].to.is_null() {
            run.call("scaled_norm_weights", self.width, &[&run.rows, &self.width, &x[0], &y, &mean, &r, &out[1]])?;
        }
        match out.get(2).filter(|slot| !slot.to.is_null()) {
            Some(slot) => {
                run.open(slot)?;
                run.sum_rows(1, run.moving(y), slot.to)
            }
            None => Ok(()),
        }
    }
}

impl ScaledNorm {
    fn centred(&self) -> usize {
        usize::from(self.centre == Centre::Mean)
    }
}

/// Tables of the angles lie on the device beside the graph's constants.
impl<T: Real> Rule<T> for HeadRotary<T> {
    fn constants(&self) -> [&[T]; 2] {
        self.tables().1
    }

    /// Linear: values and tangents alike.
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        self.rotate_on(run, 1.0, run.moving(x[0]), &Slot { to: y, write: Write::Set, len: run.rows * run.width })
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        self.rotate_on(run, -1.0, run.moving(y), &out[0])
    }
}

impl<T: Real> HeadRotary<T> {
    fn rotate_on(&self, run: &Run<T>, sign: f64, x: Lanes<T>, slot: &Slot<T>) -> Result<()> {
        let ([cosine, sine], head) = (run.constants, self.tables().0);
        let blocks = Device::blocks(run.rows * run.width / 2);
        run.launch("rotate", blocks, &[&run.rows, &run.length, &run.width, &head, &sign, &cosine, &sine, &x, slot])
    }
}
