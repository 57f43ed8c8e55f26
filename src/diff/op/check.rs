//! Property tests that every primitive's four rules must pass, in f64.

use super::attention::Attention;
use super::combine::{Coefficient, Combine};
use super::embed::Embed;
use super::gelu::Gelu;
use super::head::{Cap, Head, Inputs, Kept, Outputs, Work};
use super::head_rotary::{HeadRotary, frequency};
use super::linear::{Linear, Weights};
use super::position::Position;
use super::relu2::Relu2;
use super::rms_norm::RmsNorm;
use super::scaled_norm::{Centre, ScaledNorm};
use super::smear::Smear;
use super::swiglu::SwiGlu;
use super::value_gate::ValueGate;
use crate::diff::primitive::{At, Batch, Extent, Out, Primitive, Write};
use crate::math::simd::dot;
use crate::math::stream::{Purpose, Stream};

/// Two sequences of `length` tokens out of 7.
fn batch(length: usize) -> Batch {
    let token = |i: usize| (i * 5 + i / 3) as u32 % 7;
    let targets = (0..2 * length).map(|i| token(i + 1)).collect();
    Batch::new((0..2 * length).map(token).collect(), targets, length)
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
        let (_, mut kept) = self.value(x);
        let mut work = arrays(self.primitive.works(&self.batch));
        let mut slots: Vec<Vec<f64>> = x.iter().map(|x| vec![before; x.len()]).collect();
        let mut out: Vec<Out<f64>> = slots.iter_mut().map(|to| Out { to, write, extent: Extent::Whole }).collect();
        self.primitive.adjoint(&self.batch, &refs(x), ybar, &mut kept, &mut work, &mut out);
        (slots, kept)
    }

    fn check(&self) {
        let name = self.primitive.name();
        let mut stream = Stream::new(11, Purpose::Law, self.output as u64);
        let (x, dx) = (random(&mut stream, &self.inputs), random(&mut stream, &self.inputs));
        let (ybar, dybar) = (stream.normals(self.output), stream.normals(self.output));
        let (xbar, kept) = self.adjoint(&x, &ybar, Write::Set, f64::NAN);
        let at = At { batch: &self.batch, x: &refs(&x), kept: &kept };
        let mut dy = vec![f64::NAN; self.output];
        let mut work = arrays(self.primitive.works(&self.batch));
        self.primitive.tangent(&at, &refs(&dx), &mut dy, &mut work);
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
        let mut adjoint_tangent = |dybar: &[f64], write: Write, before: f64| {
            let mut slots: Vec<Vec<f64>> = x.iter().map(|x| vec![before; x.len()]).collect();
            let mut out: Vec<Out<f64>> = slots.iter_mut().map(|to| Out { to, write, extent: Extent::Whole }).collect();
            self.primitive.adjoint_tangent(&at, &refs(&dx), &ybar, dybar, &mut work, &mut out);
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
        close("curvature", self.primitive.curvature(&at, &refs(&dx), &ybar, &mut work), long, 1e-11);
    }
}

#[test]
fn embed() {
    case(5, Embed { width: 6 }, &[7 * 6], 60).check();
}

#[test]
fn linear() {
    case(5, Linear::new(6, 4), &[60, 24], 40).check();
    case(5, Linear::new(6, 4), &[60, 24, 4], 40).check();
    // The middle four of ten columns, and all of four.
    for (columns, first) in [(10, 3), (4, 0)] {
        let linear = || Linear { from: 6, to: 4, weights: Weights::InOut { columns, first } };
        case(5, linear(), &[60, 6 * columns], 40).check();
        case(5, linear(), &[60, 6 * columns, columns], 40).check();
    }
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
fn scaled_norm() {
    for centre in [Centre::Mean, Centre::Nothing] {
        let norm = || ScaledNorm { width: 6, epsilon: 1e-2, centre };
        case(5, norm(), &[60, 6], 60).check();
        case(5, norm(), &[60, 6, 6], 60).check();
    }
}

#[test]
fn gelu() {
    case(5, Gelu, &[60], 60).check();
}

#[test]
fn swiglu() {
    case(5, SwiGlu, &[60, 60], 60).check();
}

#[test]
fn position() {
    case(5, Position { width: 6 }, &[60, 6 * 7], 60).check();
}

#[test]
fn rotary() {
    case(5, HeadRotary::new(4, 5, |j| frequency(100_000.0, 4, j)), &[80], 80).check();
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
fn tables_get_the_rows_of_the_tokens_that_occur() {
    // Tokens 1 and 4 of 7 occur; the slot of the table's rows is the whole table's slot without the other rows.
    let batch = Batch::new(vec![4, 1, 4], vec![0; 3], 3);
    let ybar: Vec<f64> = (0..6).map(f64::from).collect();
    let table = vec![1.0; 14];
    let adjoint = |extent, len| {
        let mut to = vec![f64::NAN; len];
        let mut out = [Out { to: &mut to, write: Write::Set, extent }];
        Embed { width: 2 }.adjoint(&batch, &[&table], &ybar, &mut [], &mut [], &mut out);
        to
    };
    let (whole, touched) = (adjoint(Extent::Whole, 14), adjoint(Extent::Touched, 4));
    assert_eq!(touched, [2.0, 3.0, 4.0, 6.0]);
    assert_eq!((&whole[2..4], &whole[8..10]), (&touched[..2], &touched[2..]));
    assert_eq!(whole.iter().filter(|x| **x == 0.0).count(), 10);
}

struct HeadCase {
    head: Head,
    batch: Batch,
    at: [Vec<f64>; 2],
    dot: [Vec<f64>; 2],
}

impl HeadCase {
    fn new(length: usize, cap: Cap) -> HeadCase {
        let head = Head { width: 3, vocabulary: 7, padded: 8, cap };
        let batch = batch(length);
        let mut stream = Stream::new(3, Purpose::Law, length as u64);
        let mut pair = || [stream.normals(2 * length * 3), stream.normals(8 * 3)];
        let (at, dot) = (pair(), pair());
        HeadCase { head, batch, at, dot }
    }

    fn moved(&self, e: f64) -> [Vec<f64>; 2] {
        let moved = moved(&self.at, &self.dot, e);
        moved.try_into().expect("two inputs")
    }

    fn losses(&self, [x, w]: &[Vec<f64>; 2]) -> f64 {
        self.head.losses(&self.batch, Inputs { x, w }, &mut Work::default()).iter().sum()
    }

    fn adjoint(&self, [x, w]: &[Vec<f64>; 2]) -> (f64, Kept<f64>, [Vec<f64>; 2]) {
        let (mut kept, mut bars) = (Kept::default(), [vec![f64::NAN; x.len()], vec![f64::NAN; w.len()]]);
        let [to_x, to_w] = &mut bars;
        let mut out = Outputs { x: to_x, w: to_w };
        let losses = self.head.linearise(&self.batch, Inputs { x, w }, &mut kept, &mut Work::default(), &mut out);
        (losses.iter().sum(), kept, bars)
    }
}

#[test]
fn head_and_cross_entropy() {
    for (length, cap) in [4, 90].into_iter().flat_map(|length| [(length, Cap::Tanh(2.0)), (length, Cap::Open)]) {
        let case = HeadCase::new(length, cap);
        let (h, (loss, kept, bars)) = (1e-5, case.adjoint(&case.at));
        assert_eq!(loss, case.losses(&case.at));
        let slope = (case.losses(&case.moved(h)) - case.losses(&case.moved(-h))) / (2.0 * h);
        let expected = inner(&bars, &case.dot);
        assert!((expected - slope).abs() < 1e-8, "{expected} {slope}");
        assert!(bars[1][21..].iter().all(|x| *x == 0.0), "padding has no gradient");

        let mut dbars = [vec![f64::NAN; bars[0].len()], vec![f64::NAN; bars[1].len()]];
        let (at, dot) = (Inputs { x: &case.at[0], w: &case.at[1] }, Inputs { x: &case.dot[0], w: &case.dot[1] });
        let [to_x, to_w] = &mut dbars;
        let mut out = Outputs { x: to_x, w: to_w };
        case.head.adjoint_tangent(&case.batch, at, dot, &kept, &mut Work::default(), &mut out);
        let (up, down) = (case.adjoint(&case.moved(h)).2, case.adjoint(&case.moved(-h)).2);
        for (got, (up, down)) in dbars.iter().zip(up.iter().zip(&down)) {
            for (got, (up, down)) in got.iter().zip(up.iter().zip(down)) {
                assert!((got - (up - down) / (2.0 * h)).abs() < 1e-8);
            }
        }

        let (first, second) = case.head.jet(&case.batch, at, dot, &kept, &mut Work::default());
        assert!((first - expected).abs() < 1e-12);
        assert!((second - inner(&dbars, &case.dot)).abs() < 1e-12, "{second}");
    }
}
