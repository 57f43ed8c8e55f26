//! Rules of embeddings, linear maps, norms and rotations.

use super::device::{Arguments, Device, Matrix, Ptr};
use super::rules::{Factor, Pair, Rule, Run, Slot, only, pairs};
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
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        // Linear: the tangent reads the table's tangent as its value does the table.
        let table = only(run.moving(x[0]));
        let blocks = Device::blocks(run.rows * self.width);
        run.device.launch("gather_value", blocks, &[&run.rows, &self.width, &run.tokens, &table, &y])
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        if out[0].to.is_null() { Ok(()) } else { run.scatter(self.width, 1, Pair::NULL, y, &out[0]) }
    }
}

impl Linear {
    /// M, in the weights' own array.
    fn factor<T>(&self, w: Pair<T>) -> Factor<T> {
        match self.weights {
            Weights::OutIn => Factor::rows(w, self.from).t(),
            Weights::InOut { columns, first } => Factor::rows(w.plus(first), columns),
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
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let factors = (Factor::rows(x[0], self.from), self.factor(x[1]));
        run.product(Matrix::rows(y, self.to), Write::Set, 1.0, factors, (run.rows, self.from, self.to), 1)?;
        match x.get(2) {
            Some(b) => run.add_rows(1, run.moving(b.plus(self.first())), y),
            None => Ok(()),
        }
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let (input, ybar) = (Factor::rows(x[0], self.from), Factor::rows(y, self.to));
        let to_x = Matrix::rows(out[0].to, self.from);
        let factors = (ybar, self.factor(x[1]).t());
        run.product(to_x, out[0].write, 1.0, factors, (run.rows, self.to, self.from), 1)?;
        let (slot, rows) = (&out[1], run.rows);
        if !slot.to.is_null() {
            match self.weights {
                Weights::OutIn => {
                    let to = Matrix::rows(slot.to, self.from);
                    run.product(to, slot.write, 1.0, (ybar.t(), input), (self.to, rows, self.from), 1)?;
                }
                Weights::InOut { columns, first } => {
                    // The other columns are other maps'.
                    run.open(slot)?;
                    let to = Matrix::rows(slot.to.plus(first), columns);
                    run.product(to, Write::Add, 1.0, (input.t(), ybar), (self.from, rows, self.to), 1)?;
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
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let groups = run.rows * run.width / self.width;
        run.call("rms_norm", groups, &[&groups, &self.width, &self.gain, &EPSILON, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let (groups, to) = (run.rows * run.width / self.width, &out[0]);
        let constants: [&dyn Arguments; 4] = [&groups, &self.width, &self.gain, &EPSILON];
        let arrays: [&dyn Arguments; 4] = [&x[0], &y, &to.write, &to.to];
        run.call("rms_norm_back", groups, &[constants, arrays].concat())
    }
}

/// Linear: values and tangents alike.
impl<T: Real> Rule<T> for Position {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let slot = Slot { to: y, write: Write::Set, len: run.rows * run.width };
        run.scaled(slot.len, 1.0, (Pair::NULL, 0), x[0], &slot)?;
        run.add_rows(run.length, run.moving(x[1]), y)
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
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

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        let (centred, bias) = (self.centred(), x.get(2).copied().unwrap_or(Pair::NULL));
        let shape: [&dyn Arguments; 4] = [&run.rows, &self.width, &centred, &self.epsilon];
        run.call("scaled_norm", run.rows, &[&shape[..], &[&x[0], &x[1], &bias, &y]].concat())
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        let (centred, to) = (self.centred(), &out[0]);
        let [mean, r] = pairs(run.work, run.rows);
        let shape: [&dyn Arguments; 4] = [&run.rows, &self.width, &centred, &self.epsilon];
        let arrays: [&dyn Arguments; 7] = [&x[0], &x[1], &y, &to.write, &to.to, &mean, &r];
        run.call("scaled_norm_back", run.rows, &[&shape[..], &arrays].concat())?;
        let weights = &out[1];
        if !weights.to.is_null() {
            let arrays: [&dyn Arguments; 8] =
                [&run.rows, &self.width, &x[0], &y, &mean, &r, &weights.write, &weights.to];
            run.call("scaled_norm_weights", self.width, &arrays)?;
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
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Ptr<T>, _: &[Ptr<T>], _: Ptr<T>) -> Result<()> {
        self.rotate_on(run, 1.0, run.moving(x[0]), &Slot { to: y, write: Write::Set, len: run.rows * run.width })
    }

    fn back(&self, run: &Run<T>, _: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Ptr<T>, out: &[Slot<T>]) -> Result<()> {
        self.rotate_on(run, -1.0, run.moving(y), &out[0])
    }
}

impl<T: Real> HeadRotary<T> {
    fn rotate_on(&self, run: &Run<T>, sign: f64, x: Ptr<T>, slot: &Slot<T>) -> Result<()> {
        let [cosine, sine] = run.constants;
        let shape: [&dyn Arguments; 5] = [&run.rows, &run.length, &run.width, &self.tables().0, &sign];
        let arrays: [&dyn Arguments; 5] = [&cosine, &sine, &x, &slot.write, &slot.to];
        run.device.launch("rotate", Device::blocks(run.rows * run.width / 2), &[shape, arrays].concat())
    }
}
