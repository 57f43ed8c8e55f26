//! Llama-style models (Touvron et al. 2023) as Hugging Face's `transformers` stores them: configuration, tensors, graph.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::config::{MAX_LAYERS, MAX_SIZE, within};
use super::layers::{Bias, add, linear};
use super::rope::RopeScaling;
use crate::diff::graph::{Builder, Graph, Var};
use crate::diff::op::attention::Attention;
use crate::diff::op::embed::Embed;
use crate::diff::op::head::{Cap, Head};
use crate::diff::op::head_rotary::HeadRotary;
use crate::diff::op::scaled_norm::{Centre, ScaledNorm};
use crate::diff::op::swiglu::SwiGlu;
use crate::math::array::Real;
use crate::math::flat::Layout;

/// The token embedding, which is the head's matrix too where they are tied.
pub(super) const EMBEDDING: &str = "model.embed_tokens.weight";

/// The head's own matrix.
pub(super) const HEAD: &str = "lm_head.weight";

/// Sizes and constants of a Llama-style model under the keys of its `config.json`. Keys that only training reads are left
/// out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "model_type", rename = "llama")]
pub struct LlamaConfig {
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Longest sequence, in tokens.
    pub max_position_embeddings: usize,
    /// Width C of the residual stream, in channels.
    pub hidden_size: usize,
    /// Hidden units of a layer's perceptron.
    pub intermediate_size: usize,
    /// Number of layers.
    pub num_hidden_layers: usize,
    /// Query heads per layer.
    pub num_attention_heads: usize,
    /// Key and value heads per layer; consecutive groups of query heads share one.
    pub num_key_value_heads: usize,
    /// Width h of a head, in channels.
    pub head_dim: usize,
    /// ε of the norms.
    pub rms_norm_eps: f64,
    /// Base of the rotary angles.
    pub rope_theta: f64,
    /// How the rotary frequencies are stretched.
    pub rope_scaling: RopeScaling,
    /// Whether the four maps of the attention have a bias.
    pub attention_bias: bool,
    /// Whether the three maps of the perceptron have a bias.
    pub mlp_bias: bool,
    /// Whether the head's matrix is the token embedding.
    pub tie_word_embeddings: bool,
}

/// The keys of the file that say how the model computes, with their defaults. Older files keep the rotary embedding's
/// numbers in `rope_theta` and `rope_scaling`, newer ones in `rope_parameters`.
#[derive(Deserialize)]
struct Written {
    vocab_size: usize,
    max_position_embeddings: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    hidden_act: Option<String>,
    rms_norm_eps: f64,
    rope_theta: Option<f64>,
    rope_scaling: Option<Value>,
    rope_parameters: Option<Value>,
    partial_rotary_factor: Option<f64>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    tie_word_embeddings: bool,
}

/// Base of the rotary angles where a file has none.
const ROPE_THETA: f64 = 10_000.0;

/// Read how the frequencies are stretched; older files call the key `type`.
fn scaling(mut value: Value) -> Result<RopeScaling, String> {
    let Some(keys) = value.as_object_mut() else {
        return Err(format!("rope_scaling is {value}; it must be null or an object"));
    };
    let old = keys.remove("type");
    let kind = keys.entry("rope_type").or_insert(old.unwrap_or("default".into())).clone();
    if !["default", "linear", "llama3"].iter().any(|known| kind == *known) {
        return Err(format!("rope_scaling: rope_type {kind} is not known here; known: default, linear, llama3"));
    }
    serde_json::from_value(value).map_err(|e| format!("rope_scaling: {e}"))
}

impl LlamaConfig {
    /// Read the keys of a `config.json`; a message names the key at fault.
    pub(super) fn read(value: Value) -> Result<LlamaConfig, String> {
        let file: Written = serde_json::from_value(value).map_err(|e| e.to_string())?;
        if let Some(act) = file.hidden_act.filter(|act| !["silu", "swish"].contains(&act.as_str())) {
            return Err(format!("hidden_act {act:?} is not known here; known: silu"));
        }
        let partial = file.partial_rotary_factor.unwrap_or(1.0);
        if partial != 1.0 {
            return Err(format!("partial_rotary_factor is {partial}; only whole heads are rotated here"));
        }
        let parameters = file.rope_parameters.or(file.rope_scaling);
        let theta = parameters.as_ref().and_then(|p| p.get("rope_theta")?.as_f64());
        let config = LlamaConfig {
            vocab_size: file.vocab_size,
            max_position_embeddings: file.max_position_embeddings,
            hidden_size: file.hidden_size,
            intermediate_size: file.intermediate_size,
            num_hidden_layers: file.num_hidden_layers,
            num_attention_heads: file.num_attention_heads,
            num_key_value_heads: file.num_key_value_heads.unwrap_or(file.num_attention_heads),
            head_dim: file.head_dim.unwrap_or(file.hidden_size / file.num_attention_heads.max(1)),
            rms_norm_eps: file.rms_norm_eps,
            rope_theta: theta.or(file.rope_theta).unwrap_or(ROPE_THETA),
            rope_scaling: parameters.map_or(Ok(RopeScaling::Default), scaling)?,
            attention_bias: file.attention_bias,
            mlp_bias: file.mlp_bias,
            tie_word_embeddings: file.tie_word_embeddings,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        within(&[
            ("vocab_size", self.vocab_size, MAX_SIZE),
            ("max_position_embeddings", self.max_position_embeddings, MAX_POSITIONS),
            ("hidden_size", self.hidden_size, MAX_SIZE),
            ("intermediate_size", self.intermediate_size, MAX_SIZE),
            ("num_hidden_layers", self.num_hidden_layers, MAX_LAYERS),
            ("num_attention_heads", self.num_attention_heads, MAX_SIZE),
            ("num_key_value_heads", self.num_key_value_heads, MAX_SIZE),
            ("head_dim", self.head_dim, MAX_SIZE),
        ])?;
        let (heads, kv_heads) = (self.num_attention_heads, self.num_key_value_heads);
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!("num_attention_heads {heads} is not a multiple of num_key_value_heads {kv_heads}"));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim is {}; rotary embeddings need an even number", self.head_dim));
        }
        for (key, value) in [("rms_norm_eps", self.rms_norm_eps), ("rope_theta", self.rope_theta)] {
            if !(value.is_finite() && value > 0.0) {
                return Err(format!("{key} is {value}; it must be positive"));
            }
        }
        self.rope_scaling.check()
    }

    /// Every tensor's name and shape in the order of the state dict.
    pub fn layout(&self) -> Layout {
        let (c, h, hidden) = (self.hidden_size, self.head_dim, self.intermediate_size);
        let (q, kv) = (self.num_attention_heads * h, self.num_key_value_heads * h);
        let mut layout = Layout::default();
        layout.push(EMBEDDING, &[self.vocab_size, c]);
        for layer in 0..self.num_hidden_layers {
            let maps = [
                ("self_attn.q_proj", [q, c], self.attention_bias),
                ("self_attn.k_proj", [kv, c], self.attention_bias),
                ("self_attn.v_proj", [kv, c], self.attention_bias),
                ("self_attn.o_proj", [c, q], self.attention_bias),
                ("mlp.gate_proj", [hidden, c], self.mlp_bias),
                ("mlp.up_proj", [hidden, c], self.mlp_bias),
                ("mlp.down_proj", [c, hidden], self.mlp_bias),
            ];
            for (name, shape, bias) in maps {
                layout.push(format!("model.layers.{layer}.{name}.weight"), &shape);
                if bias {
                    layout.push(format!("model.layers.{layer}.{name}.bias"), &shape[..1]);
                }
            }
            layout.push(format!("model.layers.{layer}.input_layernorm.weight"), &[c]);
            layout.push(format!("model.layers.{layer}.post_attention_layernorm.weight"), &[c]);
        }
        layout.push("model.norm.weight", &[c]);
        if !self.tie_word_embeddings {
            layout.push(HEAD, &[self.vocab_size, c]);
        }
        layout
    }

    /// The graph for sequences of `length` tokens.
    pub fn graph<T: Real>(&self, length: usize) -> Graph<T> {
        let c = self.hidden_size;
        let mut net = Net { config: self, length, b: Builder::new(self.layout()) };
        let table = net.b.parameter(EMBEDDING);
        let mut x = net.b.push(Embed { width: c }, &[table], c);
        for layer in 0..self.num_hidden_layers {
            let name = |part: &str| format!("model.layers.{layer}.{part}");
            let u = net.norm(&name("input_layernorm"), x);
            let y = net.attention(&name("self_attn"), u);
            x = add(&mut net.b, x, y, c);
            let u = net.norm(&name("post_attention_layernorm"), x);
            let y = net.mlp(&name("mlp"), u);
            x = add(&mut net.b, x, y, c);
        }
        net.norm("model.norm", x);
        let head = Head { width: c, vocabulary: self.vocab_size, padded: self.vocab_size, cap: Cap::Open };
        net.b.finish(head, if self.tie_word_embeddings { EMBEDDING } else { HEAD })
    }
}

/// The largest context: above every model, and what a context costs is settled by the sequences that are read.
const MAX_POSITIONS: usize = 1 << 30;

/// The graph under construction.
struct Net<'a, T> {
    config: &'a LlamaConfig,
    length: usize,
    b: Builder<T>,
}

impl<T: Real> Net<'_, T> {
    fn norm(&mut self, name: &str, x: Var) -> Var {
        let c = self.config.hidden_size;
        let norm = ScaledNorm { width: c, epsilon: self.config.rms_norm_eps, centre: Centre::Nothing };
        let weight = self.b.parameter(&format!("{name}.weight"));
        self.b.push(norm, &[x, weight], c)
    }

    fn attention(&mut self, name: &str, u: Var) -> Var {
        let (c, h, bias) = (self.config.hidden_size, self.config.head_dim, Bias::of(self.config.attention_bias));
        let (heads, kv_heads) = (self.config.num_attention_heads, self.config.num_key_value_heads);
        let name = |part: &str| format!("{name}.{part}");
        let q = linear(&mut self.b, &name("q_proj"), bias, u, c, heads * h);
        let k = linear(&mut self.b, &name("k_proj"), bias, u, c, kv_heads * h);
        let v = linear(&mut self.b, &name("v_proj"), bias, u, c, kv_heads * h);
        let (q, k) = (self.rotate(q, heads * h), self.rotate(k, kv_heads * h));
        let attention = Attention { heads, kv_heads, head: h, window: self.length };
        let y = self.b.push(attention, &[q, k, v], heads * h);
        linear(&mut self.b, &name("o_proj"), bias, y, heads * h, c)
    }

    /// (y₁, y₂) = (x₁ cos θ − x₂ sin θ, x₂ cos θ + x₁ sin θ): the other way round than nanochat.
    fn rotate(&mut self, x: Var, width: usize) -> Var {
        let LlamaConfig { head_dim, rope_theta, rope_scaling, .. } = *self.config;
        let rotary = HeadRotary::new(head_dim, self.length, |j| -rope_scaling.frequency(rope_theta, head_dim, j));
        self.b.push(rotary, &[x], width)
    }

    fn mlp(&mut self, name: &str, u: Var) -> Var {
        let (c, hidden, bias) =
            (self.config.hidden_size, self.config.intermediate_size, Bias::of(self.config.mlp_bias));
        let name = |part: &str| format!("{name}.{part}");
        let gate = linear(&mut self.b, &name("gate_proj"), bias, u, c, hidden);
        let up = linear(&mut self.b, &name("up_proj"), bias, u, c, hidden);
        let y = self.b.push(SwiGlu, &[gate, up], hidden);
        linear(&mut self.b, &name("down_proj"), bias, y, hidden, c)
    }
}

/// Layers × width, such as `Llama 16×2048`.
impl std::fmt::Display for LlamaConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("Llama {}×{}", self.num_hidden_layers, self.hidden_size))
    }
}
