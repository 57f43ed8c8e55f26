//! Property tests that every primitive's four rules must pass, in f64.

use super::attention::Attention;
use super::combine::{Coefficient, Combine};
use super::embed::Embed;
use super::head_rotary::HeadRotary;
use super::linear::Linear;
use super::loss::{CrossEntropy, Kept};
use super::relu2::Relu2;
use super::rms_norm::RmsNorm;
use super::smear::Smear;
use super::value_gate::ValueGate;
use crate::diff::primitive::{At, Batch, Dot, Out, Primitive, Write};
use crate::math::simd::dot;
use crate::math::stream::{Purpose, Stream};

/// Two sequences of `length` tokens out of 7.
fn batch(length: usize) -> Batch {
    let token = |i: usize| (i * 5 + i / 3) as u32 % 7;
    Batch {
        inputs: (0..2 * length).map(token).collect(),
        targets: (0..2 * length).map(|i| token(i + 1)).collect(),
        length,
    }
}

struct Case {
    batch: Batch,
    primitive: Box<dyn Primitive<f64>>,
    inputs: Vec<usize>,
    output: usize,
}

fn case(length: usize, primitive: impl Primitive<f64> + 'static, inputs: &[usize], output: usize) -> Case {
    Case { batch: batch(length), primitive: Box::new(primitive), inputs: inputs.to_vec(), output }
}

fn random(stream: &mut Stream, sizes: &[usize]) -> Vec<Vec<f64>> {
    sizes.iter().map(|&len| stream.normals(len)).collect()
}

fn refs(arrays: &[Vec<f64>]) -> Vec<&[f64]> {
    arrays.iter().map(Vec::as_slice).collect()
}

fn inner(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    a.iter().zip(b).map(|(a, b)| dot(a, b)).sum()
}

/// x + ε d.
fn moved(x: &[Vec<f64>], d: &[Vec<f64>], epsilon: f64) -> Vec<Vec<f64>> {
    x.iter().zip(d).map(|(x, d)| x.iter().zip(d).map(|(x, d)| x + epsilon * d).collect()).collect()
}

fn arrays(sizes: Vec<usize>) -> Vec<Vec<f64>> {
    sizes.into_iter().map(|len| vec![0.0; len]).collect()
}

impl Case {
    fn value(&self, x: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (mut y, mut kept) = (vec![f64::NAN; self.output], arrays(self.primitive.keeps(&self.batch)));
        self.primitive.value(&self.batch, &refs(x), &mut y, &mut kept);
        (y, kept)
    }

    /// The adjoint from scratch at x, written with `write` over slots that hold `before`.
    fn adjoint(&self, x: &[Vec<f64>], ybar: &[f64], write: Write, before: f64) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let (y, mut kept) = self.value(x);
        let mut slots: Vec<Vec<f64>> = x.iter().map(|x| vec![before; x.len()]).collect();
        let mut out: Vec<Out<f64>> = slots.iter_mut().map(|to| Out { to, write }).collect();
        self.primitive.adjoint(&self.batch, &refs(x), &y, ybar, &mut kept, &mut out);
        (slots, kept)
    }

    fn check(&self) {
        let name = self.primitive.name();
        let mut stream = Stream::new(11, Purpose::Law, self.output as u64);
        let (x, dx) = (random(&mut stream, &self.inputs), random(&mut stream, &self.inputs));
        let (ybar, dybar) = (stream.normals(self.output), stream.normals(self.output));
        let (y, _) = self.value(&x);
        let (xbar, kept) = self.adjoint(&x, &ybar, Write::Set, f64::NAN);
        let at = At { batch: &self.batch, x: &refs(&x), y: &y, kept: &kept };
        let mut dy = vec![f64::NAN; self.output];
        let mut dot_kept = arrays(self.primitive.tangent_keeps(&self.batch));
        self.primitive.tangent(&at, &refs(&dx), &mut dy, &mut dot_kept);
        let close = |what: &str, a: f64, b: f64, tolerance: f64| {
            let scale = a.abs().max(b.abs()).max(1.0);
            assert!((a - b).abs() <= tolerance * scale, "{name}: {what}: {a} against {b}");
        };

        // ⟨x̄, ẋ⟩ = ⟨ȳ, ẏ⟩
        close("adjoint identity", inner(&xbar, &dx), dot(&ybar, &dy), 1e-12);
        // ẏ = d/dε y
        let h = 1e-5;
        let (up, down) = (self.value(&moved(&x, &dx, h)).0, self.value(&moved(&x, &dx, -h)).0);
        for i in 0..self.output {
            close("tangent against differences", dy[i], (up[i] - down[i]) / (2.0 * h), 1e-7);
        }
        // Adding to a slot and setting it agree.
        let (added, _) = self.adjoint(&x, &ybar, Write::Add, 0.5);
        for (a, b) in added.iter().flatten().zip(xbar.iter().flatten()) {
            close("adding to a slot", *a, b + 0.5, 1e-12);
        }
        // adjoint_tangent = d/dε adjoint
        let dot_at = Dot { x: &refs(&dx), y: &dy, kept: &dot_kept };
        let adjoint_tangent = |dybar: &[f64], write: Write, before: f64| {
            let mut slots: Vec<Vec<f64>> = x.iter().map(|x| vec![before; x.len()]).collect();
            let mut out: Vec<Out<f64>> = slots.iter_mut().map(|to| Out { to, write }).collect();
            self.primitive.adjoint_tangent(&at, &dot_at, &ybar, dybar, &mut out);
            slots
        };
        let dxbar = adjoint_tangent(&dybar, Write::Set, f64::NAN);
        let ends = [h, -h].map(|e| {
            let ybar: Vec<f64> = ybar.iter().zip(&dybar).map(|(y, d)| y + e * d).collect();
            self.adjoint(&moved(&x, &dx, e), &ybar, Write::Set, f64::NAN).0
        });
        for (j, got) in dxbar.iter().enumerate() {
            for i in 0..got.len() {
                close("adjoint tangent", got[i], (ends[0][j][i] - ends[1][j][i]) / (2.0 * h), 1e-6);
            }
        }
        for (a, b) in adjoint_tangent(&dybar, Write::Add, -2.0).iter().flatten().zip(dxbar.iter().flatten()) {
            close("adding adjoint tangents", *a, b - 2.0, 1e-12);
        }
        // ⟨ȳ, f''[ẋ, ẋ]⟩ both ways.
        let zero = vec![0.0; self.output];
        let long = inner(&adjoint_tangent(&zero, Write::Set, f64::NAN), &dx);
        close("curvature", self.primitive.curvature(&at, &dot_at, &ybar), long, 1e-11);
    }
}

#[test]
fn embed() {
    case(5, Embed { width: 6 }, &[7 * 6], 60).check();
}

#[test]
fn linear() {
    case(5, Linear { from: 6, to: 4 }, &[60, 24], 40).check();
}

#[test]
fn combine() {
    let scalar = |input, index, sign| Coefficient::Scalar { input, index, sign };
    let terms = vec![scalar(2, 1, 1.0), scalar(3, 0, -1.0)];
    case(5, Combine { terms }, &[60, 60, 3, 1], 60).check();
    case(5, Combine { terms: vec![Coefficient::One, Coefficient::One] }, &[60, 60], 60).check();
}

#[test]
fn relu2() {
    case(5, Relu2, &[60], 60).check();
}

#[test]
fn rms_norm() {
    case(5, RmsNorm { width: 6, gain: 1.0 }, &[60], 60).check();
    case(5, RmsNorm { width: 3, gain: 1.2 }, &[60], 60).check();
}

#[test]
fn rotary() {
    case(5, HeadRotary::new(4, 5, 100_000.0), &[80], 80).check();
}

#[test]
fn smear() {
    case(5, Smear { width: 6, gate: 4 }, &[60, 4, 1], 60).check();
}

#[test]
fn value_gate() {
    let primitive = ValueGate { heads: 2, head: 3, width: 8, gate: 4 };
    case(5, primitive, &[60, 80, 8, 42], 60).check();
}

#[test]
fn attention_full_grouped_and_windowed() {
    let plain = Attention { heads: 2, kv_heads: 2, head: 4, window: 9 };
    case(9, plain, &[144, 144, 144], 144).check();
    let grouped = Attention { heads: 4, kv_heads: 2, head: 2, window: 9 };
    case(9, grouped, &[144, 72, 72], 144).check();
    let windowed = Attention { heads: 1, kv_heads: 1, head: 2, window: 3 };
    case(9, windowed, &[36, 36, 36], 36).check();
}

#[test]
fn attention_over_several_blocks() {
    // 70 tokens make two blocks of queries; a window of 20 makes the second start its keys late.
    for window in [70, 20] {
        let primitive = Attention { heads: 1, kv_heads: 1, head: 2, window };
        case(70, primitive, &[280, 280, 280], 280).check();
    }
}

#[test]
fn cross_entropy() {
    let (batch, loss) = (batch(4), CrossEntropy { vocabulary: 7, padded: 8, cap: 2.0 });
    let mut stream = Stream::new(3, Purpose::Law, 0);
    let (logits, d) = (stream.normals(64), stream.normals(64));
    let total = |x: &[f64]| loss.value(&batch, x, &mut Kept { p: vec![], u: vec![] }).iter().sum::<f64>();
    let at = |e: f64| logits.iter().zip(&d).map(|(l, d)| l + e * d).collect::<Vec<f64>>();
    let adjoint = |x: &[f64]| {
        let (mut kept, mut to) = (Kept { p: vec![], u: vec![] }, vec![f64::NAN; 64]);
        loss.value(&batch, x, &mut kept);
        loss.adjoint(&batch, &kept, &mut to);
        (kept, to)
    };
    let (h, (kept, bar)) = (1e-5, adjoint(&logits));
    let difference = (total(&at(h)) - total(&at(-h))) / (2.0 * h);
    assert!((dot(&bar, &d) - difference).abs() < 1e-9);
    let (up, down) = (adjoint(&at(h)).1, adjoint(&at(-h)).1);
    let mut dbar = vec![f64::NAN; 64];
    loss.adjoint_tangent(&batch, &kept, &d, &mut dbar);
    for i in 0..64 {
        assert!((dbar[i] - (up[i] - down[i]) / (2.0 * h)).abs() < 1e-8, "{i}");
    }
    assert!(bar.chunks(8).all(|row| row[7] == 0.0), "padding has no gradient");
}
