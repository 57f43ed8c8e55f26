//! A bigram model that is sure of itself.
//!
//! Its one parameter w_t a token is input embedding and output embedding alike: after token t the logit of token j is
//! w_t w_j. One token has by far the largest parameter and one by far the smallest, so that the one or the other leads
//! the logits by so much that the softmax is 1 there and 0 elsewhere to the last digit. The loss of a token is then that
//! lead, w_t (w_top − w_target), and the loss of a sequence the quadratic form ½ wᵀHw with H made of counted bigrams.

use eigentop::diff::graph::Builder;
use eigentop::diff::op::embed::Embed;
use eigentop::diff::op::head::{Cap, Head};
use eigentop::diff::primitive::Batch;
use eigentop::diff::risk::{Interrupt, Risk};
use eigentop::engine::event::Subject;
use eigentop::engine::problem::Landscape;
use eigentop::engine::worker::Settings;
use eigentop::math::array::Real;
use eigentop::math::flat::Layout;
use eigentop::math::stream::{Purpose, Stream};

/// Parameters: one a token.
pub const P: usize = 24;
/// Tokens that occur; the others have no curvature, so that the rank of every Hessian is known to be small.
const USED: usize = 14;
/// Sequences.
pub const ROWS: usize = 10;
/// Tokens in each.
const LENGTH: usize = 16;
/// The token of the largest parameter, and that of the smallest.
const HOT: usize = 0;
const COLD: usize = 1;
/// Their size; that of the others is at least 5 and at most 5.5, so that the leading logit is ahead by 50 and more.
const LEAD: f64 = 16.0;

/// w*.
pub fn point() -> Vec<f64> {
    let mut stream = Stream::new(3, Purpose::Training, 0);
    let mut other = |j: usize| (5.0 + stream.below(50) as f64 / 100.0) * if j.is_multiple_of(2) { 1.0 } else { -1.0 };
    let mut w: Vec<f64> = (0..P).map(&mut other).collect();
    (w[HOT], w[COLD]) = (LEAD, -LEAD);
    w
}

/// Inputs and targets of a sequence.
fn tokens(row: usize) -> [Vec<u32>; 2] {
    let mut stream = Stream::new(3, Purpose::Training, 1 + row as u64);
    [(); 2].map(|()| (0..LENGTH).map(|_| stream.below(USED) as u32).collect())
}

/// H_i, row-major: the loss of a bigram (t, target) is w_t (w_top − w_target).
pub fn hessian(row: usize) -> Vec<f64> {
    let (w, [inputs, targets]) = (point(), tokens(row));
    let mut h = vec![0.0; P * P];
    for (&t, &target) in inputs.iter().zip(&targets) {
        let (t, target) = (t as usize, target as usize);
        let top = if w[t] > 0.0 { HOT } else { COLD };
        for (j, sign) in [(top, 1.0), (target, -1.0)] {
            h[t * P + j] += sign / LENGTH as f64;
            h[j * P + t] += sign / LENGTH as f64;
        }
    }
    h
}

/// The model with its sequences.
pub struct Bigrams;

impl Bigrams {
    fn risk<T: Real>(interrupt: Interrupt) -> Risk<T> {
        let mut layout = Layout::default();
        layout.push("w", &[P, 1]);
        let mut graph = Builder::new(layout);
        let w = graph.parameter("w");
        graph.push(Embed { width: 1 }, &[w], 1);
        let graph = graph.finish(Head { width: 1, vocabulary: P, padded: P, cap: Cap::Open }, "w");
        let batch = |row| {
            let [inputs, targets] = tokens(row);
            Batch::new(inputs, targets, LENGTH)
        };
        let w = point().into_iter().map(T::of).collect();
        Risk::new(graph, (0..ROWS).map(batch).collect(), w, interrupt)
    }
}

impl Landscape for Bigrams {
    fn subject(&self, settings: &Settings, threads: usize) -> Subject {
        Subject {
            name: "bigrams".into(),
            model: "tied bigrams".into(),
            config: serde_json::Value::Null,
            parameters: P,
            sequences: ROWS,
            tokens: LENGTH,
            precision: settings.precision,
            device: settings.device.clone(),
            threads,
            checkpoint: String::new(),
            data: String::new(),
            version: String::new(),
        }
    }

    fn notes(&self) -> &[String] {
        &[]
    }

    fn single(&self, interrupt: Interrupt) -> Risk<f32> {
        Self::risk(interrupt)
    }

    fn double(&self, interrupt: Interrupt) -> Risk<f64> {
        Self::risk(interrupt)
    }
}
