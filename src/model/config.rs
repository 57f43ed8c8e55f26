//! What a nanochat GPT looks like: its sizes, and from them the name and shape of every tensor.

use serde::{Deserialize, Serialize};

use crate::math::flat::Layout;

/// The vocabulary is padded to a multiple of this many rows in the embedding tables and the head.
const VOCAB_MULTIPLE: usize = 64;

/// Leading channels of the embedding that the smear gate reads.
pub const SMEAR_CHANNELS: usize = 24;

/// Leading channels of the attention input that a value embedding's gate reads.
pub const VALUE_GATE_CHANNELS: usize = 12;

/// The largest depth and the largest value of any other size: far above every model, and the parameter count of a model
/// of these sizes still fits in 64 bits.
pub(super) const MAX_LAYERS: usize = 1 << 10;
pub(super) const MAX_SIZE: usize = 1 << 20;

/// Sizes of a nanochat GPT, under the keys that nanochat itself writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GptConfig {
    /// Longest sequence, in tokens.
    pub sequence_len: usize,
    /// Number of tokens in the vocabulary.
    pub vocab_size: usize,
    /// Number of layers.
    pub n_layer: usize,
    /// Query heads per layer.
    pub n_head: usize,
    /// Key and value heads per layer; consecutive groups of query heads share one.
    pub n_kv_head: usize,
    /// Width C of the residual stream, in channels.
    pub n_embd: usize,
    /// Attention windows, one letter a layer, repeated: `L` long (the whole sequence), `S` short. Old checkpoints lack
    /// the key and mean `L`.
    #[serde(default = "all_long")]
    pub window_pattern: String,
}

/// Check that sizes lie between 1 and a largest value, each given with its key.
pub(super) fn within(sizes: &[(&str, usize, usize)]) -> Result<(), String> {
    match sizes.iter().find(|(_, size, max)| !(1..=*max).contains(size)) {
        Some((key, size, max)) => Err(format!("{key} is {size}; it must lie between 1 and {max}")),
        None => Ok(()),
    }
}

fn all_long() -> String {
    "L".into()
}

impl GptConfig {
    /// Check that the sizes describe a model.
    ///
    /// # Errors
    /// A message that names the keys at fault and what is accepted; the caller knows the file or flag they came from.
    pub fn check(&self) -> Result<(), String> {
        within(&[
            ("sequence_len", self.sequence_len, MAX_SIZE),
            ("vocab_size", self.vocab_size, MAX_SIZE),
            ("n_layer", self.n_layer, MAX_LAYERS),
            ("n_head", self.n_head, MAX_SIZE),
            ("n_kv_head", self.n_kv_head, MAX_SIZE),
            ("n_embd", self.n_embd, MAX_SIZE),
        ])?;
        if !self.n_embd.is_multiple_of(self.n_head) {
            return Err(format!("n_embd {} is not a multiple of n_head {}", self.n_embd, self.n_head));
        }
        if !self.n_head.is_multiple_of(self.n_kv_head) {
            return Err(format!("n_head {} is not a multiple of n_kv_head {}", self.n_head, self.n_kv_head));
        }
        if !self.head_dim().is_multiple_of(2) {
            return Err(format!(
                "a head has n_embd / n_head = {} channels; rotary embeddings need an even number",
                self.head_dim()
            ));
        }
        if self.n_embd < SMEAR_CHANNELS {
            return Err(format!("n_embd is {}; the smear gate reads {SMEAR_CHANNELS} channels", self.n_embd));
        }
        if self.window_pattern.is_empty() {
            return Err("window_pattern is empty; it needs one letter or more, L (long) or S (short)".into());
        }
        if let Some(letter) = self.window_pattern.chars().find(|c| !"LlSs".contains(*c)) {
            return Err(format!(
                "window_pattern {:?} has the letter {letter:?}; the letters are L (long) and S (short)",
                self.window_pattern
            ));
        }
        Ok(())
    }

    /// The same configuration, checked.
    pub(super) fn checked(self) -> Result<GptConfig, String> {
        self.check()?;
        Ok(self)
    }

    /// Feed a fingerprint with every key.
    pub(super) fn identify(&self, hasher: &mut blake3::Hasher) {
        let GptConfig { sequence_len, vocab_size, n_layer, n_head, n_kv_head, n_embd, window_pattern } = self;
        for size in [sequence_len, vocab_size, n_layer, n_head, n_kv_head, n_embd] {
            hasher.update(&(*size as u64).to_le_bytes());
        }
        hasher.update(window_pattern.as_bytes()).update(&[0]);
    }

    /// Width h of an attention head, in channels.
    pub fn head_dim(&self) -> usize {
        self.n_embd / self.n_head
    }

    /// Rows V of the embedding tables and of the head: the vocabulary padded to a multiple of 64.
    pub fn padded_vocab(&self) -> usize {
        self.vocab_size.next_multiple_of(VOCAB_MULTIPLE)
    }

    /// How many tokens back a query of `layer` sees (besides itself). A short window is a quarter of the sequence
    /// rounded up to whole blocks of 128 tokens; the last layer is always long.
    pub fn window(&self, layer: usize) -> usize {
        let letter = self.window_pattern.as_bytes()[layer % self.window_pattern.len()];
        if layer + 1 == self.n_layer || letter.eq_ignore_ascii_case(&b'L') {
            self.sequence_len
        } else {
            self.sequence_len.div_ceil(4).next_multiple_of(128)
        }
    }

    /// Whether `layer` adds a value embedding: every other layer, counted back from the last.
    pub fn has_value_embedding(&self, layer: usize) -> bool {
        layer % 2 == (self.n_layer - 1) % 2
    }

    /// Every tensor's name and shape in the order of nanochat's state dict, which is the order of the flat vector.
    pub fn layout(&self) -> Layout {
        let (c, vocab) = (self.n_embd, self.padded_vocab());
        let kv = self.n_kv_head * self.head_dim();
        let mut layout = Layout::default();
        layout.push("resid_lambdas", &[self.n_layer]);
        layout.push("x0_lambdas", &[self.n_layer]);
        layout.push("smear_lambda", &[1]);
        layout.push("backout_lambda", &[1]);
        layout.push("transformer.wte.weight", &[vocab, c]);
        for layer in 0..self.n_layer {
            let mut push = |name: &str, shape: [usize; 2]| {
                layout.push(format!("transformer.h.{layer}.{name}.weight"), &shape);
            };
            push("attn.c_q", [c, c]);
            push("attn.c_k", [kv, c]);
            push("attn.c_v", [kv, c]);
            push("attn.c_proj", [c, c]);
            if self.has_value_embedding(layer) {
                push("attn.ve_gate", [self.n_kv_head, VALUE_GATE_CHANNELS]);
            }
            push("mlp.c_fc", [4 * c, c]);
            push("mlp.c_proj", [c, 4 * c]);
        }
        layout.push("lm_head.weight", &[vocab, c]);
        layout.push("smear_gate.weight", &[1, SMEAR_CHANNELS]);
        for layer in (0..self.n_layer).filter(|&i| self.has_value_embedding(i)) {
            layout.push(format!("value_embeds.{layer}.weight"), &[vocab, kv]);
        }
        layout
    }
}

/// Layers × width, such as `nanochat 4×128`.
impl std::fmt::Display for GptConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("nanochat {}×{}", self.n_layer, self.n_embd))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> GptConfig {
        GptConfig {
            sequence_len: 1024,
            vocab_size: 257,
            n_layer: 3,
            n_head: 4,
            n_kv_head: 2,
            n_embd: 64,
            window_pattern: "SSL".into(),
        }
    }

    #[test]
    fn each_bad_key_is_named() {
        let message = |change: fn(&mut GptConfig)| {
            let mut config = config();
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(config().check(), Ok(()));
        assert!(message(|c| c.n_layer = 0).starts_with("n_layer is 0"));
        assert!(message(|c| c.vocab_size = usize::MAX).starts_with("vocab_size is"));
        assert!(message(|c| c.n_head = 5).starts_with("n_embd 64 is not a multiple of n_head 5"));
        assert!(message(|c| c.n_kv_head = 3).starts_with("n_head 4 is not a multiple of n_kv_head 3"));
        assert!(message(|c| c.n_embd = 36).contains("n_embd / n_head = 9"));
        assert!(message(|c| c.n_embd = 16).starts_with("n_embd is 16"));
        assert!(message(|c| c.window_pattern = "SM".into()).contains("'M'"));
        assert!(message(|c| c.window_pattern.clear()).starts_with("window_pattern is empty"));
    }

    #[test]
    fn windows_follow_the_pattern_and_the_last_layer_is_long() {
        let mut c = config();
        assert_eq!([c.window(0), c.window(1), c.window(2)], [256, 256, 1024]);
        c.window_pattern = "s".into();
        c.sequence_len = 513;
        assert_eq!([c.window(0), c.window(1), c.window(2)], [256, 256, 513]);
        c.sequence_len = 64;
        assert_eq!(c.window(0), 128);
    }

    #[test]
    fn the_vocabulary_is_padded_and_every_other_layer_has_a_value_embedding() {
        let c = config();
        assert_eq!((c.padded_vocab(), c.head_dim()), (320, 16));
        assert_eq!([0, 1, 2].map(|i| c.has_value_embedding(i)), [true, false, true]);
        assert_eq!(c.to_string(), "nanochat 3×64");
    }
}
