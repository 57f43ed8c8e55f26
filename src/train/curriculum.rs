//! Training on the sequences in order, so that every n has a checkpoint that has seen the first n of them and no more.
//!
//! The learning rate does not decay: what comes after n must not change the checkpoint of n, so that a run to more
//! sequences goes through the same checkpoints.

use serde::{Deserialize, Serialize};

use crate::data::sequences::Sequences;
use crate::error::{Error, Result};
use crate::model::config::GptConfig;
use crate::train::descent::Descent;
use crate::train::init::initial_weights;

/// What a step trains on when n sequences are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Rows {
    /// The n-th alone: one pass over the sequences, as a language model is trained (the paper's curriculum).
    Newest,
    /// All n: every step goes down L_n itself, and the more of them the nearer its minimiser, as the theory wants it.
    All,
}

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Curriculum {
    /// What each step trains on.
    pub rows: Rows,
    /// Optimiser steps after each new sequence.
    pub steps_per_sequence: usize,
    /// Learning rate of AdamW after the warm-up.
    pub learning_rate: f64,
}

/// Steps over which the learning rate rises.
const WARM_UP: usize = 10;

impl Curriculum {
    /// Check what a user can set.
    ///
    /// # Errors
    /// [`Error::Knob`] naming the flag.
    pub fn check(&self) -> Result<()> {
        if self.steps_per_sequence == 0 {
            return Err(Error::knob("--steps-per-sequence", "0 steps train nothing; give 1 or more"));
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(Error::knob("--lr", format!("{} must be a positive number", self.learning_rate)));
        }
        Ok(())
    }
}

/// A model in training.
pub struct Pupil {
    curriculum: Curriculum,
    descent: Descent,
    steps: usize,
}

impl Pupil {
    /// A model at nanochat's initial weights of `seed`, that has seen nothing.
    ///
    /// # Errors
    /// What the tensor library refuses.
    pub fn new(config: &GptConfig, sequences: Sequences, curriculum: Curriculum, seed: u64) -> Result<Pupil> {
        let descent = Descent::new(config, sequences, &initial_weights(config, seed), 0.0)?;
        Ok(Pupil { curriculum, descent, steps: 0 })
    }

    /// Train until `n` sequences are seen; `before` is asked before every step and can stop it. The same n gives the
    /// same weights, digit for digit, whatever the number of threads and wherever it was stopped in between.
    ///
    /// # Errors
    /// What `before` returns; [`Error::NotFinite`] when the loss diverges.
    pub fn learn(&mut self, n: usize, before: &dyn Fn() -> Result<()>) -> Result<()> {
        let Curriculum { rows, steps_per_sequence, learning_rate } = self.curriculum;
        while self.steps < n * steps_per_sequence {
            before()?;
            let newest = self.steps / steps_per_sequence;
            let rows: Vec<usize> = match rows {
                Rows::Newest => vec![newest],
                Rows::All => (0..=newest).collect(),
            };
            let rate = learning_rate * ((self.steps + 1) as f64 / WARM_UP as f64).min(1.0);
            self.descent.step(&rows, rate).map_err(|e| match e {
                Error::NotFinite(what) => Error::NotFinite(format!(
                    "training diverged at sequence {}, step {}: {what}; try a smaller --lr than {learning_rate}",
                    newest + 1,
                    self.steps + 1
                )),
                other => other,
            })?;
            self.steps += 1;
        }
        Ok(())
    }

    /// Optimiser steps so far.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The weights, flat.
    ///
    /// # Errors
    /// What the tensor library refuses.
    pub fn weights(&self) -> Result<Vec<f64>> {
        self.descent.weights()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::demo;

    fn config() -> GptConfig {
        GptConfig {
            sequence_len: 24,
            vocab_size: 256,
            n_layer: 1,
            n_head: 2,
            n_kv_head: 2,
            n_embd: 32,
            window_pattern: "L".into(),
        }
    }

    fn pupil(rows: Rows) -> Pupil {
        let curriculum = Curriculum { rows, steps_per_sequence: 3, learning_rate: 1e-2 };
        Pupil::new(&config(), demo::sequences(&config(), 8).unwrap(), curriculum, 3).unwrap()
    }

    #[test]
    fn stops_on_the_way_change_no_digit() {
        for rows in [Rows::Newest, Rows::All] {
            let mut straight = pupil(rows);
            straight.learn(6, &|| Ok(())).unwrap();
            let mut stopped = pupil(rows);
            stopped.learn(2, &|| Ok(())).unwrap();
            // Cut short in the midst of a sequence.
            let left = std::cell::Cell::new(2);
            let cut = stopped.learn(4, &|| match left.replace(left.get() - 1) {
                0 => Err(Error::Cancelled),
                _ => Ok(()),
            });
            assert!(matches!(cut, Err(Error::Cancelled)) && stopped.steps() == 8);
            stopped.learn(6, &|| Ok(())).unwrap();
            assert!(stopped.weights().unwrap() == straight.weights().unwrap());
            assert_eq!(straight.steps(), 18);
        }
        let [mut newest, mut all] = [Rows::Newest, Rows::All].map(pupil);
        newest.learn(2, &|| Ok(())).unwrap();
        all.learn(2, &|| Ok(())).unwrap();
        assert!(newest.weights().unwrap() != all.weights().unwrap());
    }

    #[test]
    fn bad_settings_name_the_flag() {
        let base = Curriculum { rows: Rows::Newest, steps_per_sequence: 1, learning_rate: 1e-3 };
        let said = |c: Curriculum| c.check().unwrap_err().to_string();
        assert!(base.check().is_ok());
        assert!(said(Curriculum { steps_per_sequence: 0, ..base }).starts_with("--steps-per-sequence"));
        assert!(said(Curriculum { learning_rate: f64::NAN, ..base }).starts_with("--lr"));
    }
}
