//! Training a small nanochat: rows in random order, the learning rate decayed to a standstill so that the checkpoint lies
//! near a minimiser of its training rows.

use std::path::PathBuf;
use std::time::Instant;

use crate::data::demo;
use crate::data::sequences::{Sequences, own_length, row_length};
use crate::data::tokenizer::{BYTE_VOCAB, TokenizerChoice};
use crate::error::{Error, Result};
use crate::math::stream::{Purpose, Stream};
use crate::model::checkpoint::Checkpoint;
use crate::model::config::GptConfig;
use crate::train::descent::{Before, Descent};
use crate::train::init::initial_weights;

/// One step in this many warms up.
const WARM_UP: usize = 20;

/// Which rows to train on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// All rows of the demo's text, [`demo::TEXT`].
    Demo,
    /// A text; see [`Sequences::from_text`].
    Text {
        /// The file.
        path: PathBuf,
        /// What it is read with; `None` is one token a byte, for a vocabulary of bytes.
        tokenizer: Option<TokenizerChoice>,
    },
    /// Token rows; see [`Sequences::from_tokens`].
    Tokens(PathBuf),
}

/// What to train, on what and for how long. The defaults made the demo under `assets/demo`.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainOptions {
    /// Training rows; with no steps they are not read.
    pub source: Source,
    /// Tokens in each row that is cut from a text; `None` is as many as the model takes. Token rows have a length of their
    /// own.
    pub length: Option<usize>,
    /// Sizes of the model.
    pub config: GptConfig,
    /// Optimiser steps; 0 gives the initial weights.
    pub steps: usize,
    /// Rows in each step. A step holds one gradient per row.
    pub batch: usize,
    /// Learning rate at its peak.
    pub learning_rate: f64,
    /// Decoupled weight decay of the matrices in the layers; nothing else decays.
    pub weight_decay: f64,
    /// Fixes the initial weights and the order of the rows.
    pub seed: u64,
}

impl Default for TrainOptions {
    fn default() -> Self {
        let config = GptConfig {
            sequence_len: 128,
            vocab_size: BYTE_VOCAB,
            n_layer: 4,
            n_head: 4,
            n_kv_head: 4,
            n_embd: 96,
            window_pattern: "L".into(),
        };
        let (steps, batch, learning_rate) = (2000, 16, 4e-3);
        let (source, length) = (Source::Demo, None);
        TrainOptions { source, length, config, steps, batch, learning_rate, weight_decay: 0.0, seed: 0 }
    }
}

/// How a finished step went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number, from 1.
    pub step: usize,
    /// How many there will be.
    pub steps: usize,
    /// Mean loss of its rows before the step, nats per token.
    pub loss: f64,
    /// 2-norm of its gradient before clipping.
    pub gradient_norm: f64,
    /// Tokens per second since the first step.
    pub tokens_per_second: f64,
}

/// Train a model from nanochat's initial weights; `progress` hears of every step. The same options give the same
/// weights, digit for digit, whatever the number of threads.
///
/// The learning rate rises linearly over the first twentieth of the steps and falls to zero along a cosine. Rows come
/// in random order, each once before any comes again.
///
/// # Errors
/// [`Error::Knob`] naming the flag at fault; rows that cannot be read or do not fit the model; [`Error::NotFinite`]
/// when the loss diverges, with the step.
pub fn run(options: &TrainOptions, progress: &mut dyn FnMut(Step)) -> Result<Checkpoint> {
    options.check()?;
    let config = options.config.clone();
    let mut parameters = initial_weights(&config, options.seed);
    if options.steps > 0 {
        parameters = descend(options, &parameters, progress)?;
    }
    Ok(Checkpoint {
        name: format!("{config} step {}", options.steps),
        config: config.into(),
        parameters,
        notes: Vec::new(),
    })
}

impl TrainOptions {
    /// Check everything that can be checked before a file is read.
    fn check(&self) -> Result<()> {
        self.config.check().map_err(|what| in_flags(&what))?;
        match self.source {
            Source::Tokens(_) => own_length(self.length)?,
            Source::Demo | Source::Text { .. } => drop(row_length(self.length, &self.config)?),
        }
        if self.batch == 0 {
            return Err(Error::knob("--batch", "0 rows make no step; give 1 or more"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::knob("--lr", format!("{} must be a positive number", self.learning_rate)));
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(Error::knob("--weight-decay", format!("{} must be 0 or more", self.weight_decay)));
        }
        Ok(())
    }

    fn rows(&self) -> Result<Sequences> {
        match &self.source {
            Source::Demo => demo::text(&self.config, self.length),
            Source::Text { path, tokenizer } => {
                let known = self.config.vocab_size;
                let default = || TokenizerChoice::of_model(None, known);
                let tokenizer = tokenizer.clone().map_or_else(default, Ok)?.open_for(known)?;
                let length = row_length(self.length, &self.config)?;
                Sequences::from_text(path, &tokenizer, length, usize::MAX)
            }
            Source::Tokens(path) => Sequences::from_tokens(path, &self.config),
        }
    }

    /// Learning rate of step `step`, from 0.
    fn rate(&self, step: usize) -> f64 {
        let warm_up = self.steps.div_ceil(WARM_UP);
        let share = if step < warm_up {
            (step + 1) as f64 / warm_up as f64
        } else {
            let done = (step + 1 - warm_up) as f64 / (self.steps + 1 - warm_up) as f64;
            0.5 * (1.0 + (std::f64::consts::PI * done).cos())
        };
        self.learning_rate * share
    }
}

/// Each key of a configuration and the flag that sets it.
const FLAGS: [(&str, &str); 7] = [
    ("n_layer", "--layers"),
    ("n_embd", "--width"),
    ("n_head", "--heads"),
    ("n_kv_head", "--kv-heads"),
    ("sequence_len", "--context"),
    ("vocab_size", "--vocab"),
    ("window_pattern", "--window-pattern"),
];

/// What [`GptConfig::check`] says of a file's keys, said of the flags: the first key is the flag at fault.
fn in_flags(what: &str) -> Error {
    let first = FLAGS.iter().filter_map(|(key, flag)| Some((what.find(key)?, *flag))).min();
    let flag = first.map_or("--layers", |(_, flag)| flag);
    let what = FLAGS.iter().fold(what.to_owned(), |what, (key, flag)| what.replace(key, flag));
    let said = what.strip_prefix(flag).map(|rest| rest.trim_start_matches(" is ").trim_start());
    Error::knob(flag, said.unwrap_or(&what))
}

/// The steps themselves; the weights after the last.
fn descend(options: &TrainOptions, from: &[f64], progress: &mut dyn FnMut(Step)) -> Result<Vec<f64>> {
    let sequences = options.rows()?;
    let tokens = options.batch * sequences.row_len();
    let mut order =
        Order { stream: Stream::new(options.seed, Purpose::Training, 0), rows: sequences.rows(), left: vec![] };
    let mut descent = Descent::new(&options.config, sequences, from, options.weight_decay)?;
    let started = Instant::now();
    for step in 1..=options.steps {
        let rows: Vec<usize> = (0..options.batch).map(|_| order.next()).collect();
        let Before { loss, gradient_norm } = descent.step(&rows, options.rate(step - 1)).map_err(|e| match e {
            Error::NotFinite(what) => Error::NotFinite(format!(
                "training diverged at step {step} of {}: {what}; try a smaller --lr than {}",
                options.steps, options.learning_rate
            )),
            other => other,
        })?;
        let tokens_per_second = (step * tokens) as f64 / started.elapsed().as_secs_f64();
        progress(Step { step, steps: options.steps, loss, gradient_norm, tokens_per_second });
    }
    descent.weights()
}

/// Endless rows in random order: one permutation after another.
struct Order {
    stream: Stream,
    rows: usize,
    left: Vec<usize>,
}

impl Order {
    fn next(&mut self) -> usize {
        loop {
            if let Some(row) = self.left.pop() {
                return row;
            }
            self.left = (0..self.rows).collect();
            for i in (1..self.rows).rev() {
                self.left.swap(i, self.stream.below(i + 1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_at_fault_are_named_as_the_user_spells_them() {
        let refused = |change: fn(&mut TrainOptions)| {
            let mut options = TrainOptions::default();
            change(&mut options);
            run(&options, &mut |_| ()).unwrap_err().to_string()
        };
        assert_eq!(refused(|o| o.config.n_layer = 0), "--layers: 0; it must lie between 1 and 1024");
        assert_eq!(refused(|o| o.config.n_head = 5), "--width: 96 is not a multiple of --heads 5");
        assert_eq!(refused(|o| o.config.n_kv_head = 3), "--heads: 4 is not a multiple of --kv-heads 3");
        let odd = refused(|o| (o.config.n_embd, o.config.n_head, o.config.n_kv_head) = (36, 4, 4));
        assert!(odd.starts_with("--width: a head has --width / --heads = 9 channels"), "{odd}");
        assert!(
            refused(|o| o.config.window_pattern = "X".into()).starts_with("--window-pattern: \"X\" has the letter 'X'")
        );
        assert!(refused(|o| o.config.vocab_size = 300).contains("--tokens"));
        assert!(refused(|o| o.config.sequence_len = 1 << 20).contains("too few"));
        assert!(refused(|o| o.batch = 0).starts_with("--batch: "));
        assert!(refused(|o| o.learning_rate = f64::NAN).starts_with("--lr: "));
        assert!(refused(|o| o.weight_decay = -1.0).starts_with("--weight-decay: "));
    }

    #[test]
    fn the_rate_warms_up_and_falls_to_zero() {
        let options = TrainOptions { steps: 100, learning_rate: 2.0, ..TrainOptions::default() };
        let rates: Vec<f64> = (0..100).map(|step| options.rate(step)).collect();
        assert_eq!((rates[0], rates[4]), (0.4, 2.0));
        assert!(rates[..5].is_sorted() && rates[4..].iter().rev().is_sorted() && rates[99] > 0.0 && rates[99] < 1e-2);
        let single = TrainOptions { steps: 1, learning_rate: 2.0, ..TrainOptions::default() };
        assert_eq!(single.rate(0), 2.0);
    }

    #[test]
    fn every_row_comes_once_before_any_comes_again() {
        let mut order = Order { stream: Stream::new(0, Purpose::Training, 0), rows: 7, left: vec![] };
        let drawn: Vec<usize> = (0..21).map(|_| order.next()).collect();
        for round in drawn.chunks(7) {
            let mut sorted = round.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
        }
        assert_ne!(drawn[..7], drawn[7..14]);
    }
}
