//! Rules of non-linear units, sums and gates.

use super::device::Device;
use super::lanes::{Lanes, Pair, Slot};
use super::memory::Ptr;
use super::rules::{Rule, Run};
use crate::diff::op::combine::{Coefficient, Combine};
use crate::diff::op::gelu::{self, Gelu};
use crate::diff::op::relu2::Relu2;
use crate::diff::op::smear::Smear;
use crate::diff::op::swiglu::SwiGlu;
use crate::diff::op::value_gate::{RANGE, ValueGate};
use crate::diff::primitive::Write;
use crate::error::Result;
use crate::math::array::Real;

impl<T: Real> Rule<T> for Relu2 {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let count = run.rows * run.width;
        run.call("relu2", Device::blocks(count), &[&count, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        run.call("relu2_back", Device::blocks(count), &[&count, &x[0], &y, &out[0]])
    }
}

impl<T: Real> Rule<T> for Gelu {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let count = run.rows * run.width;
        run.call("gelu", Device::blocks(count), &[&count, &gelu::SLOPE, &gelu::CUBIC, &x[0], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        run.call("gelu_back", Device::blocks(count), &[&count, &gelu::SLOPE, &gelu::CUBIC, &x[0], &y, &out[0]])
    }
}

impl<T: Real> Rule<T> for SwiGlu {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let count = run.rows * run.width;
        run.call("swiglu", Device::blocks(count), &[&count, &x[0], &x[1], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        run.call("swiglu_back", Device::blocks(count), &[&count, &x[0], &x[1], &y, &out[0], &out[1]])
    }
}

impl<T: Real> Rule<T> for Combine {
    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let count = run.rows * run.width;
        for (j, term) in self.terms.iter().enumerate() {
            let write = if j == 0 { Write::Set } else { Write::Add };
            let (sign, s) = factor(term, x);
            run.scaled(count, sign, s, x[j], &Slot { to: y, write, len: count })?;
        }
        Ok(())
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let count = run.rows * run.width;
        for slot in out[self.terms.len()..].iter().filter(|slot| !slot.to.is_null()) {
            run.open(slot)?;
        }
        for (j, term) in self.terms.iter().enumerate() {
            let (sign, s) = factor(term, x);
            run.scaled(count, sign, s, y, &out[j])?;
            if let Coefficient::Scalar { input, index, sign } = *term
                && !out[input].to.is_null()
            {
                run.add_dot(count, sign, x[j], y, out[input].to, index)?;
            }
        }
        Ok(())
    }
}

/// A term's sign, and its parameter with the element's position.
fn factor<T>(term: &Coefficient, x: &[Pair<T>]) -> (f64, (Pair<T>, usize)) {
    match *term {
        Coefficient::One => (1.0, (Pair::NULL, 0)),
        Coefficient::Scalar { input, index, sign } => (sign, (x[input], index)),
    }
}

impl<T: Real> Rule<T> for Smear {
    fn works(&self, _: usize) -> usize {
        6
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        run.call("smear", run.rows, &[&run.rows, &run.length, &self.width, &self.gate, &x[0], &x[1], &x[2], &y])
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let ([x, w, lambda], [to_x, to_w, to_lambda]) = (x, out) else { unreachable!("three inputs") };
        let [gate, to_gate, to_sum] = run.working(run.rows);
        run.call(
            "smear_gates",
            run.rows,
            &[&run.rows, &run.length, &self.width, &self.gate, x, w, lambda, &y, &gate, &to_gate, &to_sum],
        )?;
        run.call(
            "smear_back",
            Device::blocks(run.rows * self.width),
            &[&run.rows, &run.length, &self.width, &self.gate, w, lambda, &y, &gate, &to_sum, to_x],
        )?;
        if !to_w.to.is_null() {
            run.columns((1, self.gate, self.width), to_sum, *x, to_w)?;
        }
        if !to_lambda.to.is_null() {
            run.open(to_lambda)?;
            run.add_dot(run.rows, 1.0, gate, to_gate, to_lambda.to, 0)?;
        }
        Ok(())
    }
}

impl<T: Real> Rule<T> for ValueGate {
    fn works(&self, _: usize) -> usize {
        4 * self.heads
    }

    fn forward(&self, run: &Run<T>, x: &[Pair<T>], y: Lanes<T>, _: &[Ptr<T>], _: Lanes<T>) -> Result<()> {
        let (rows, heads, head, tokens) = (&run.rows, &self.heads, &self.head, &run.tokens);
        run.call(
            "value_gate",
            rows * heads,
            &[rows, heads, head, &self.width, &self.gate, &RANGE, tokens, &x[0], &x[1], &x[2], &x[3], &y],
        )
    }

    fn back(&self, run: &Run<T>, x: &[Pair<T>], y: Pair<T>, _: &[Ptr<T>], _: Lanes<T>, out: &[Slot<T>]) -> Result<()> {
        let ([_, u, w, table], [to_v, to_u, to_w, to_table]) = (x, out) else { unreachable!("four inputs") };
        run.scaled(run.rows * run.width, 1.0, (Pair::NULL, 0), y, to_v)?;
        let (rows, heads, head, tokens) = (&run.rows, &self.heads, &self.head, &run.tokens);
        let [gate, to_sum] = run.working(rows * heads);
        run.call(
            "value_gates",
            rows * heads,
            &[rows, heads, head, &self.width, &self.gate, &RANGE, tokens, u, w, table, &y, &gate, &to_sum],
        )?;
        let blocks = Device::blocks(rows * self.width);
        run.call("value_gate_back", blocks, &[rows, heads, &self.width, &self.gate, w, &to_sum, to_u])?;
        if !to_w.to.is_null() {
            run.columns((self.heads, self.gate, self.width), to_sum, *u, to_w)?;
        }
        if to_table.to.is_null() { Ok(()) } else { run.scatter(run.width, self.heads, gate, y, to_table) }
    }
}
