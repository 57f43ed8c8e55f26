//! nanochat's initial weights: from what law each tensor of an untrained model is drawn.

use rayon::prelude::*;

use crate::math::stream::{Purpose, Stream};
use crate::model::config::GptConfig;

/// The law of one tensor's initial elements.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Law {
    /// Every element is this number.
    Constant(f64),
    /// One element a layer, from this in the first layer linearly to that in the last.
    Ramp(f64, f64),
    /// Normal with mean 0 and this standard deviation.
    Normal(f64),
    /// Uniform between two bounds.
    Uniform(f64, f64),
}

impl Law {
    /// The law of a tensor by its name in the state dict, as in nanochat's `GPT.init_weights`. Layers start as
    /// near-identities: what they add to the residual stream goes through a `c_proj`, which is zero. Uniform weights
    /// between ±√3/√C have standard deviation 1/√C.
    fn of(name: &str, config: &GptConfig) -> Law {
        let bound = (3.0 / config.n_embd as f64).sqrt();
        match name {
            "resid_lambdas" => Law::Ramp(1.15, 1.05),
            "x0_lambdas" => Law::Ramp(0.20, 0.05),
            "smear_lambda" => Law::Constant(0.0),
            "backout_lambda" => Law::Constant(0.2),
            "transformer.wte.weight" => Law::Normal(0.8),
            "lm_head.weight" => Law::Normal(0.001),
            "smear_gate.weight" => Law::Uniform(0.0, 0.02),
            _ if name.ends_with(".ve_gate.weight") => Law::Uniform(0.0, 0.02),
            _ if name.ends_with(".c_proj.weight") => Law::Constant(0.0),
            _ if name.ends_with(".c_fc.weight") => Law::Uniform(-0.4 * bound, 0.4 * bound),
            _ => Law::Uniform(-bound, bound),
        }
    }

    fn fill(self, stream: &mut Stream, to: &mut [f64]) {
        let last = to.len().saturating_sub(1).max(1) as f64;
        for (i, x) in to.iter_mut().enumerate() {
            let value = match self {
                Law::Constant(value) => value,
                Law::Ramp(first, end) => first + (end - first) * i as f64 / last,
                Law::Normal(std) => std * stream.normal(),
                Law::Uniform(low, high) => low + (high - low) * uniform(stream),
            };
            *x = f64::from(value as f32);
        }
    }
}

/// Uniform in [0, 1), with the 53 bits that an f64 holds.
fn uniform(stream: &mut Stream) -> f64 {
    const STEPS: usize = 1 << 53;
    stream.below(STEPS) as f64 / STEPS as f64
}

/// The weights of an untrained model, flat in the order of [`GptConfig::layout`] and representable in f32. Tensor p is
/// drawn from stream p + 1 of [`Purpose::Training`], so it does not depend on the tensors before it.
pub fn initial_weights(config: &GptConfig, seed: u64) -> Vec<f64> {
    let layout = config.layout();
    let mut flat = vec![0.0; layout.len()];
    let mut rest = &mut flat[..];
    let mut tensors = Vec::new();
    for entry in layout.entries() {
        let (tensor, after) = rest.split_at_mut(entry.len());
        tensors.push((Law::of(&entry.name, config), tensor));
        rest = after;
    }
    tensors.into_par_iter().enumerate().for_each(|(p, (law, tensor))| {
        law.fill(&mut Stream::new(seed, Purpose::Training, p as u64 + 1), tensor);
    });
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_have_the_moments_of_their_laws() {
        let config = GptConfig {
            sequence_len: 64,
            vocab_size: 256,
            n_layer: 3,
            n_head: 2,
            n_kv_head: 1,
            n_embd: 64,
            window_pattern: "L".into(),
        };
        let weights = initial_weights(&config, 5);
        let layout = config.layout();
        let part = |name: &str| &weights[layout.entries()[layout.find(name).unwrap()].range()];
        let std = |name: &str| (part(name).iter().map(|x| x * x).sum::<f64>() / part(name).len() as f64).sqrt();
        for (name, expected) in [
            ("transformer.wte.weight", 0.8),
            ("lm_head.weight", 0.001),
            ("transformer.h.1.attn.c_q.weight", 0.125),
            ("transformer.h.1.mlp.c_fc.weight", 0.05),
            ("value_embeds.0.weight", 0.125),
        ] {
            assert!((std(name) / expected - 1.0).abs() < 0.03, "{name}: {}", std(name));
        }
        assert!(part("transformer.h.2.attn.c_v.weight").iter().all(|x| x.abs() <= 0.2166));
        assert!(part("transformer.h.2.attn.ve_gate.weight").iter().all(|x| (0.0..0.02).contains(x)));
        assert!(part("transformer.h.0.mlp.c_proj.weight").iter().all(|x| *x == 0.0));
        assert_eq!(part("resid_lambdas"), [1.15f32, 1.1, 1.05].map(f64::from));
        assert_ne!(part("transformer.h.0.attn.c_q.weight"), part("transformer.h.1.attn.c_q.weight"));
        assert_ne!(weights, initial_weights(&config, 6));
    }

    #[test]
    fn a_single_layer_starts_where_a_ramp_starts() {
        let mut one = [0.0];
        Law::Ramp(0.20, 0.05).fill(&mut Stream::new(0, Purpose::Training, 1), &mut one);
        assert_eq!(one, [f64::from(0.2f32)]);
    }
}
