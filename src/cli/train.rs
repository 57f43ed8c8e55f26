//! `eigentop train`: a small nanochat from scratch.

use std::path::PathBuf;

use clap::Args;

use super::Outcome;
use super::flags::row_length;
use super::output;
use super::progress::Progress;
use crate::data::tokenizer::{BYTE_VOCAB, TokenizerChoice};
use crate::error::{Error, Result};
use crate::model::checkpoint::Checkpoint;
use crate::model::config::GptConfig;
use crate::train::run::{Source, TrainOptions, run as train};

/// Flags of `eigentop train`. Without any but `--out` it makes the built-in demo.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Folder to write config.json and model.safetensors into; it must not hold a checkpoint yet.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Train on a text instead of the built-in one.
    #[arg(long, value_name = "FILE", conflicts_with = "tokens")]
    text: Option<PathBuf>,
    /// What the text is read with: bytes, gpt2, tokenizer.pkl, tokenizer.json or the folder that has one [default: bytes].
    #[arg(long, value_name = "TOKENIZER", requires = "text")]
    tokenizer: Option<TokenizerChoice>,
    /// Train on token rows: {"inputs": [[…]], "targets": [[…]]}.
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Tokens in each sequence that is cut from the text [default: the model's context].
    #[arg(long, value_name = "TOKENS", value_parser = row_length(), conflicts_with = "tokens")]
    length: Option<usize>,
    /// Layers.
    #[arg(long, default_value_t = TrainOptions::default().config.n_layer)]
    layers: usize,
    /// Width of the residual stream.
    #[arg(long, default_value_t = TrainOptions::default().config.n_embd)]
    width: usize,
    /// Query heads in each layer.
    #[arg(long, default_value_t = TrainOptions::default().config.n_head)]
    heads: usize,
    /// Key and value heads in each layer [default: as many as query heads].
    #[arg(long)]
    kv_heads: Option<usize>,
    /// Tokens in a sequence, at most.
    #[arg(long, default_value_t = TrainOptions::default().config.sequence_len)]
    context: usize,
    /// Tokens in the vocabulary [default: those of the tokenizer].
    #[arg(long)]
    vocab: Option<usize>,
    /// Attention windows by layer, repeated: L long, S short.
    #[arg(long, default_value_t = TrainOptions::default().config.window_pattern)]
    window_pattern: String,
    /// Optimiser steps; 0 writes the initial weights.
    #[arg(long, default_value_t = TrainOptions::default().steps)]
    steps: usize,
    /// Sequences in each step.
    #[arg(long, default_value_t = TrainOptions::default().batch)]
    batch: usize,
    /// Learning rate at its peak.
    #[arg(long, default_value_t = TrainOptions::default().learning_rate)]
    lr: f64,
    /// Decoupled weight decay of the layers' matrices.
    #[arg(long, default_value_t = TrainOptions::default().weight_decay)]
    weight_decay: f64,
    /// Seed of the initial weights and the order of sequences.
    #[arg(long, default_value_t = TrainOptions::default().seed)]
    seed: u64,
}

impl TrainArgs {
    fn options(self) -> Result<TrainOptions> {
        let vocab_size = match (self.vocab, &self.tokenizer) {
            (Some(vocab), _) => vocab,
            (None, Some(choice)) => choice.open()?.vocabulary(),
            (None, None) => BYTE_VOCAB,
        };
        let source = match (self.text, self.tokens) {
            (Some(path), _) => Source::Text { path, tokenizer: self.tokenizer },
            (None, Some(file)) => Source::Tokens(file),
            (None, None) => Source::Demo,
        };
        let config = GptConfig {
            sequence_len: self.context,
            vocab_size,
            n_layer: self.layers,
            n_head: self.heads,
            n_kv_head: self.kv_heads.unwrap_or(self.heads),
            n_embd: self.width,
            window_pattern: self.window_pattern,
        };
        let (steps, batch, learning_rate) = (self.steps, self.batch, self.lr);
        let (length, weight_decay, seed) = (self.length, self.weight_decay, self.seed);
        Ok(TrainOptions { source, length, config, steps, batch, learning_rate, weight_decay, seed })
    }
}

/// Run it.
///
/// # Errors
/// A folder that holds a checkpoint already; otherwise those of [`train`] and of saving.
pub fn run(args: TrainArgs) -> Result<Outcome> {
    let out = args.out.clone();
    // Found out now rather than after hours of training.
    if Checkpoint::is_saved_in(&out) {
        return Err(Error::knob("--out", format!("{} holds a checkpoint already", out.display())));
    }
    let mut progress = Progress::new();
    let mut last = None;
    let checkpoint = train(&args.options()?, &mut |step| {
        progress.show(|| {
            let (speed, loss) = (step.tokens_per_second, step.loss);
            format!("step {}/{}   loss {loss:.4}   {speed:.0} tokens/s", step.step, step.steps)
        });
        last = Some(step);
    })?;
    progress.clear();
    checkpoint.save(&out)?;
    let loss = last.map_or(String::new(), |step| format!(", loss {:.4} before the last step", step.loss));
    let parameters = checkpoint.parameters.len();
    output::write(&format!("{}: {}, {parameters} parameters{loss}\n", out.display(), checkpoint.name), None)?;
    Ok(Outcome::Done)
}
