//! nanochat's GPT as a graph over the tape: the model exactly as the paper used it, written once.

use crate::diff::graph::{Builder, Graph, Var};
use crate::diff::op::attention::Attention;
use crate::diff::op::combine::{Coefficient, Combine};
use crate::diff::op::embed::Embed;
use crate::diff::op::head::{Cap, Head};
use crate::diff::op::head_rotary::{HeadRotary, frequency};
use crate::diff::op::relu2::Relu2;
use crate::diff::op::rms_norm::RmsNorm;
use crate::diff::op::smear::Smear;
use crate::diff::op::value_gate::ValueGate;
use crate::math::array::Real;
use crate::model::config::{GptConfig, SMEAR_CHANNELS, VALUE_GATE_CHANNELS};
use crate::model::layers::{self, Bias};

/// Base of the rotary angles.
const ROTARY_BASE: f64 = 100_000.0;
/// Factor on normed queries and keys.
const QK_GAIN: f64 = 1.2;
/// Soft cap of the logits.
const LOGIT_CAP: f64 = 15.0;

/// The graph of a nanochat GPT for sequences of `length` tokens.
pub fn graph<T: Real>(config: &GptConfig, length: usize) -> Graph<T> {
    let mut net = Net { config, length, b: Builder::new(config.layout()) };
    let c = config.n_embd;
    let table = net.b.parameter("transformer.wte.weight");
    let embedded = net.b.push(Embed { width: c }, &[table], c);
    let normed = net.norm(embedded);
    let smear = Smear { width: c, gate: SMEAR_CHANNELS };
    let (gate, lambda) = (net.b.parameter("smear_gate.weight"), net.b.parameter("smear_lambda"));
    let x0 = net.b.push(smear, &[normed, gate, lambda], c);
    let mut x = x0;
    let mut mid = x0;
    for layer in 0..config.n_layer {
        x = net.residual(layer, x, x0);
        x = net.attention(layer, x);
        x = net.mlp(layer, x);
        if layer == config.n_layer / 2 {
            mid = x;
        }
    }
    let x = net.backout(x, mid);
    net.norm(x);
    let head =
        Head { width: c, vocabulary: config.vocab_size, padded: config.padded_vocab(), cap: Cap::Tanh(LOGIT_CAP) };
    net.b.finish(head, "lm_head.weight")
}

/// The graph under construction.
struct Net<'a, T> {
    config: &'a GptConfig,
    length: usize,
    b: Builder<T>,
}

impl<T: Real> Net<'_, T> {
    fn norm(&mut self, x: Var) -> Var {
        let c = self.config.n_embd;
        self.b.push(RmsNorm { width: c, gain: 1.0 }, &[x], c)
    }

    fn linear(&mut self, name: &str, x: Var, from: usize, to: usize) -> Var {
        layers::linear(&mut self.b, name, Bias::Without, x, from, to)
    }

    fn add(&mut self, x: Var, y: Var) -> Var {
        layers::add(&mut self.b, x, y, self.config.n_embd)
    }

    /// x ← resid_lambdas[i]·x + x0_lambdas[i]·x0. In the first layer both are the same array, so one term holds both.
    fn residual(&mut self, layer: usize, x: Var, x0: Var) -> Var {
        let (resid, skip) = (self.b.parameter("resid_lambdas"), self.b.parameter("x0_lambdas"));
        let scalar = |input| Coefficient::Scalar { input, index: layer, sign: 1.0 };
        let x0 = if x == x0 {
            self.b.push(Combine { terms: vec![Coefficient::One] }, &[x0], self.config.n_embd)
        } else {
            x0
        };
        self.b.push(Combine { terms: vec![scalar(2), scalar(3)] }, &[x, x0, resid, skip], self.config.n_embd)
    }

    fn attention(&mut self, layer: usize, x: Var) -> Var {
        let (c, h) = (self.config.n_embd, self.config.head_dim());
        let (heads, kv_heads) = (self.config.n_head, self.config.n_kv_head);
        let name = |part: &str| format!("transformer.h.{layer}.attn.{part}");
        let u = self.norm(x);
        let q = self.linear(&name("c_q"), u, c, heads * h);
        let k = self.linear(&name("c_k"), u, c, kv_heads * h);
        let mut v = self.linear(&name("c_v"), u, c, kv_heads * h);
        if self.config.has_value_embedding(layer) {
            let gate = self.b.parameter(&(name("ve_gate") + ".weight"));
            let table = self.b.parameter(&format!("value_embeds.{layer}.weight"));
            let primitive = ValueGate { heads: kv_heads, head: h, width: c, gate: VALUE_GATE_CHANNELS };
            v = self.b.push(primitive, &[v, u, gate, table], kv_heads * h);
        }
        let q = self.rotate_and_norm(q, heads * h);
        let k = self.rotate_and_norm(k, kv_heads * h);
        let attention = Attention { heads, kv_heads, head: h, window: self.config.window(layer) };
        let y = self.b.push(attention, &[q, k, v], heads * h);
        let y = self.linear(&name("c_proj"), y, heads * h, c);
        self.add(x, y)
    }

    fn rotate_and_norm(&mut self, x: Var, width: usize) -> Var {
        let h = self.config.head_dim();
        let x = self.b.push(HeadRotary::new(h, self.length, |j| frequency(ROTARY_BASE, h, j)), &[x], width);
        self.b.push(RmsNorm { width: h, gain: QK_GAIN }, &[x], width)
    }

    fn mlp(&mut self, layer: usize, x: Var) -> Var {
        let c = self.config.n_embd;
        let name = |part: &str| format!("transformer.h.{layer}.mlp.{part}");
        let u = self.norm(x);
        let hidden = self.linear(&name("c_fc"), u, c, 4 * c);
        let hidden = self.b.push(Relu2, &[hidden], 4 * c);
        let y = self.linear(&name("c_proj"), hidden, 4 * c, c);
        self.add(x, y)
    }

    /// x − backout_lambda·mid. Where `mid` is x itself (a single layer), a copy keeps the inputs distinct.
    fn backout(&mut self, x: Var, mid: Var) -> Var {
        let (c, lambda) = (self.config.n_embd, self.b.parameter("backout_lambda"));
        let mid = if mid == x { self.b.push(Combine { terms: vec![Coefficient::One] }, &[mid], c) } else { mid };
        let terms = vec![Coefficient::One, Coefficient::Scalar { input: 2, index: 0, sign: -1.0 }];
        self.b.push(Combine { terms }, &[x, mid, lambda], c)
    }
}
