//! GPT-2 (Radford et al. 2019) as Hugging Face's `transformers` stores it: configuration, tensors and graph.

use serde::{Deserialize, Serialize};

use super::config::{MAX_LAYERS, MAX_SIZE, within};
use super::layers::{Bias, add, block, map};
use crate::diff::graph::{Builder, Graph, Var};
use crate::diff::op::attention::Attention;
use crate::diff::op::embed::Embed;
use crate::diff::op::gelu::Gelu;
use crate::diff::op::head::{Cap, Head};
use crate::diff::op::position::Position;
use crate::diff::op::scaled_norm::{Centre, ScaledNorm};
use crate::math::array::Real;
use crate::math::flat::Layout;

/// The token embedding, which is the head's matrix too where they are tied.
pub(super) const EMBEDDING: &str = "transformer.wte.weight";

/// The head's own matrix.
pub(super) const HEAD: &str = "lm_head.weight";

/// Names of the activation that is known here.
const GELU_TANH: [&str; 3] = ["gelu_new", "gelu_pytorch_tanh", "gelu_fast"];

/// Sizes and constants of a GPT-2 under the keys of its `config.json`. Keys that only training reads, such as dropout,
/// are left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "model_type", rename = "gpt2")]
pub struct Gpt2Config {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Longest sequence, in tokens.
    #[serde(default = "default::positions")]
    pub n_positions: usize,
    /// Width C of the residual stream, in channels.
    pub n_embd: usize,
    /// Number of layers.
    pub n_layer: usize,
    /// Heads per layer.
    pub n_head: usize,
    /// Hidden units of a layer's perceptron; 4C unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_inner: Option<usize>,
    /// ε of the layer norms.
    #[serde(default = "default::epsilon")]
    pub layer_norm_epsilon: f64,
    /// Activation of the perceptron.
    #[serde(default = "default::activation")]
    pub activation_function: String,
    /// Whether scores are divided by √h, h the width of a head.
    #[serde(default = "default::yes")]
    pub scale_attn_weights: bool,
    /// Whether scores are divided by the layer's number besides.
    #[serde(default)]
    pub scale_attn_by_inverse_layer_idx: bool,
    /// Whether layers attend to another model's output besides.
    #[serde(default)]
    pub add_cross_attention: bool,
    /// Whether the head's matrix is the token embedding.
    #[serde(default = "default::yes")]
    pub tie_word_embeddings: bool,
}

mod default {
    pub fn positions() -> usize {
        1024
    }

    pub fn epsilon() -> f64 {
        1e-5
    }

    pub fn activation() -> String {
        "gelu_new".into()
    }

    pub fn yes() -> bool {
        true
    }
}

impl Gpt2Config {
    /// The same configuration, if it describes a model that is known here.
    pub(super) fn checked(self) -> Result<Gpt2Config, String> {
        within(&[
            ("vocab_size", self.vocab_size, MAX_SIZE),
            ("n_positions", self.n_positions, MAX_SIZE),
            ("n_embd", self.n_embd, MAX_SIZE),
            ("n_layer", self.n_layer, MAX_LAYERS),
            ("n_head", self.n_head, MAX_SIZE),
            ("n_inner", self.hidden(), MAX_SIZE),
        ])?;
        if !self.n_embd.is_multiple_of(self.n_head) {
            return Err(format!("n_embd {} is not a multiple of n_head {}", self.n_embd, self.n_head));
        }
        if !(self.layer_norm_epsilon.is_finite() && self.layer_norm_epsilon > 0.0) {
            return Err(format!("layer_norm_epsilon is {}; it must be positive", self.layer_norm_epsilon));
        }
        if !GELU_TANH.contains(&self.activation_function.as_str()) {
            let known = GELU_TANH.join(", ");
            return Err(format!(
                "activation_function {:?} is not known here; known: {known}",
                self.activation_function
            ));
        }
        if !self.scale_attn_weights {
            return Err("scale_attn_weights is false; only attention that is scaled by 1/√h is known here".into());
        }
        if self.scale_attn_by_inverse_layer_idx {
            return Err("scale_attn_by_inverse_layer_idx is true; only attention scaled by 1/√h is known here".into());
        }
        if self.add_cross_attention {
            return Err("add_cross_attention is true; only models without an encoder are known here".into());
        }
        Ok(self)
    }

    /// Hidden units of a layer's perceptron.
    fn hidden(&self) -> usize {
        self.n_inner.unwrap_or(4 * self.n_embd)
    }

    /// Every tensor's name and shape in the order of the state dict. Weights of linear maps are stored (in, out).
    pub fn layout(&self) -> Layout {
        let (c, hidden) = (self.n_embd, self.hidden());
        let mut layout = Layout::default();
        layout.push(EMBEDDING, &[self.vocab_size, c]);
        layout.push("transformer.wpe.weight", &[self.n_positions, c]);
        for layer in 0..self.n_layer {
            let mut push = |name: &str, weight: &[usize]| {
                let name = format!("transformer.h.{layer}.{name}");
                layout.push(format!("{name}.weight"), weight);
                layout.push(format!("{name}.bias"), &weight[weight.len() - 1..]);
            };
            push("ln_1", &[c]);
            push("attn.c_attn", &[c, 3 * c]);
            push("attn.c_proj", &[c, c]);
            push("ln_2", &[c]);
            push("mlp.c_fc", &[c, hidden]);
            push("mlp.c_proj", &[hidden, c]);
        }
        layout.push("transformer.ln_f.weight", &[c]);
        layout.push("transformer.ln_f.bias", &[c]);
        if !self.tie_word_embeddings {
            layout.push(HEAD, &[self.vocab_size, c]);
        }
        layout
    }

    /// The graph for sequences of `length` tokens; dropout is off.
    pub fn graph<T: Real>(&self, length: usize) -> Graph<T> {
        debug_assert!(length <= self.n_positions);
        let (c, hidden) = (self.n_embd, self.hidden());
        let mut net = Net { config: self, b: Builder::new(self.layout()) };
        let (tokens, places) = (net.b.parameter(EMBEDDING), net.b.parameter("transformer.wpe.weight"));
        let embedded = net.b.push(Embed { width: c }, &[tokens], c);
        let mut x = net.b.push(Position { width: c }, &[embedded, places], c);
        for layer in 0..self.n_layer {
            let name = |part: &str| format!("transformer.h.{layer}.{part}");
            let u = net.norm(&name("ln_1"), x);
            let y = net.attention(&name("attn"), u);
            x = add(&mut net.b, x, y, c);
            let u = net.norm(&name("ln_2"), x);
            let inner = net.linear(&name("mlp.c_fc"), u, c, hidden);
            let inner = net.b.push(Gelu, &[inner], hidden);
            let y = net.linear(&name("mlp.c_proj"), inner, hidden, c);
            x = add(&mut net.b, x, y, c);
        }
        net.norm("transformer.ln_f", x);
        let head = Head { width: c, vocabulary: self.vocab_size, padded: self.vocab_size, cap: Cap::Open };
        net.b.finish(head, if self.tie_word_embeddings { EMBEDDING } else { HEAD })
    }
}

/// The graph under construction.
struct Net<'a, T> {
    config: &'a Gpt2Config,
    b: Builder<T>,
}

impl<T: Real> Net<'_, T> {
    fn norm(&mut self, name: &str, x: Var) -> Var {
        let c = self.config.n_embd;
        let norm = ScaledNorm { width: c, epsilon: self.config.layer_norm_epsilon, centre: Centre::Mean };
        let inputs = [x, self.b.parameter(&format!("{name}.weight")), self.b.parameter(&format!("{name}.bias"))];
        self.b.push(norm, &inputs, c)
    }

    fn linear(&mut self, name: &str, x: Var, from: usize, to: usize) -> Var {
        map(&mut self.b, name, Bias::With, x, block(from, to, 0, to))
    }

    fn attention(&mut self, name: &str, u: Var) -> Var {
        let (c, heads) = (self.config.n_embd, self.config.n_head);
        let part =
            |b: &mut Builder<T>, i: usize| map(b, &format!("{name}.c_attn"), Bias::With, u, block(c, 3 * c, i * c, c));
        let [q, k, v] = [0, 1, 2].map(|i| part(&mut self.b, i));
        let attention = Attention { heads, kv_heads: heads, head: c / heads, window: self.config.n_positions };
        let y = self.b.push(attention, &[q, k, v], c);
        self.linear(&format!("{name}.c_proj"), y, c, c)
    }
}

/// Layers × width, such as `GPT-2 12×768`.
impl std::fmt::Display for Gpt2Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("GPT-2 {}×{}", self.n_layer, self.n_embd))
    }
}
