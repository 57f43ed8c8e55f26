//! Where the kinds of model meet: which kind a checkpoint is, with its sizes.

use serde::Serialize;
use serde_json::Value;

use super::additions::Addition;
use super::config::GptConfig;
use super::gpt;
use super::gpt2::{self, Gpt2Config};
use super::llama::{self, LlamaConfig};
use crate::diff::graph::Graph;
use crate::math::array::Real;
use crate::math::flat::Layout;

/// What `torch.compile` puts before every name of a state dict.
const COMPILED_PREFIX: &str = "_orig_mod.";

/// A model of one of the kinds that are known. It serialises as its own configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Architecture {
    /// nanochat's GPT.
    Nanochat(GptConfig),
    /// GPT-2.
    Gpt2(Gpt2Config),
    /// Llama and its like.
    Llama(LlamaConfig),
}

/// What a model can be fed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest sequence, in tokens.
    pub sequence_len: usize,
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
}

impl Architecture {
    /// Read the text of a `config.json`. Its key `model_type` says which kind it is; nanochat's has none.
    ///
    /// # Errors
    /// A message that names the key at fault; the caller knows the file.
    pub fn parse(text: &str) -> Result<Architecture, String> {
        let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let Some(kind) = value.get("model_type") else {
            // From the text again, so that a message names the line.
            let config: GptConfig = serde_json::from_str(text).map_err(|e| e.to_string())?;
            return config.checked().map(Architecture::Nanochat);
        };
        match kind.as_str() {
            Some("gpt2") => {
                let config: Gpt2Config = serde_json::from_value(value).map_err(|e| e.to_string())?;
                config.checked().map(Architecture::Gpt2)
            }
            Some("llama") => LlamaConfig::read(value).map(Architecture::Llama),
            _ => {
                Err(format!("model_type {kind} is not known here; known: gpt2, llama, and nanochat's without the key"))
            }
        }
    }

    /// nanochat's configuration, if it is a nanochat.
    pub fn nanochat(&self) -> Option<&GptConfig> {
        match self {
            Architecture::Nanochat(config) => Some(config),
            Architecture::Gpt2(_) | Architecture::Llama(_) => None,
        }
    }

    /// What it can be fed with.
    pub fn limits(&self) -> Limits {
        match self {
            Architecture::Nanochat(config) => config.into(),
            Architecture::Gpt2(c) => Limits { sequence_len: c.n_positions, vocab_size: c.vocab_size },
            Architecture::Llama(c) => Limits { sequence_len: c.max_position_embeddings, vocab_size: c.vocab_size },
        }
    }

    /// Every tensor's name and shape in the order of the kind's state dict, which is the order of the flat vector.
    pub fn layout(&self) -> Layout {
        match self {
            Architecture::Nanochat(config) => config.layout(),
            Architecture::Gpt2(config) => config.layout(),
            Architecture::Llama(config) => config.layout(),
        }
    }

    /// Feed a fingerprint with everything that says which function the parameters are of.
    pub(super) fn identify(&self, hasher: &mut blake3::Hasher) {
        match self {
            Architecture::Nanochat(config) => config.identify(hasher),
            // Keys in the order of the structure, numbers in their shortest form.
            kind @ (Architecture::Gpt2(_) | Architecture::Llama(_)) => {
                hasher.update(serde_json::to_string(kind).unwrap_or_default().as_bytes()).update(&[0]);
            }
        }
    }

    /// The parameter that a tensor of a checkpoint holds, by its name in [`Architecture::layout`]; `None` for a constant
    /// that older files store beside the parameters.
    pub(super) fn parameter_of(&self, stored: &str) -> Option<String> {
        let stored = stored.strip_prefix(COMPILED_PREFIX).unwrap_or(stored);
        let (inside, head, constants) = match self {
            Architecture::Nanochat(_) => return Some(stored.to_owned()),
            Architecture::Gpt2(_) => ("transformer.", gpt2::HEAD, &[".attn.bias", ".attn.masked_bias"][..]),
            Architecture::Llama(_) => ("model.", llama::HEAD, &[".rotary_emb.inv_freq"][..]),
        };
        if constants.iter().any(|end| stored.ends_with(end)) {
            return None;
        }
        // A model that was saved without its head has names without the part's.
        let whole = stored == head || stored.starts_with(inside);
        Some(if whole { stored.to_owned() } else { format!("{inside}{stored}") })
    }

    /// A tensor that is no parameter of its own because it is tied to another, and that other. A file may hold it too.
    pub(super) fn tied(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Architecture::Gpt2(config) if config.tie_word_embeddings => Some((gpt2::HEAD, gpt2::EMBEDDING)),
            Architecture::Llama(config) if config.tie_word_embeddings => Some((llama::HEAD, llama::EMBEDDING)),
            _ => None,
        }
    }

    /// The parts that an old checkpoint may lack.
    pub(super) fn may_lack(&self) -> &'static [Addition] {
        match self {
            Architecture::Nanochat(_) => &Addition::ALL,
            Architecture::Gpt2(_) | Architecture::Llama(_) => &[],
        }
    }

    /// The graph for sequences of `length` tokens.
    pub fn graph<T: Real>(&self, length: usize) -> Graph<T> {
        match self {
            Architecture::Nanochat(config) => gpt::graph(config, length),
            Architecture::Gpt2(config) => config.graph(length),
            Architecture::Llama(config) => config.graph(length),
        }
    }
}

impl std::fmt::Display for Architecture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Architecture::Nanochat(config) => config.fmt(f),
            Architecture::Gpt2(config) => config.fmt(f),
            Architecture::Llama(config) => config.fmt(f),
        }
    }
}

impl From<GptConfig> for Architecture {
    fn from(config: GptConfig) -> Architecture {
        Architecture::Nanochat(config)
    }
}

impl From<&Architecture> for Limits {
    fn from(architecture: &Architecture) -> Limits {
        architecture.limits()
    }
}

impl From<&GptConfig> for Limits {
    fn from(config: &GptConfig) -> Limits {
        Limits { sequence_len: config.sequence_len, vocab_size: config.vocab_size }
    }
}
