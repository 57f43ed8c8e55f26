//! The problem of a run: a checkpoint and the sequences it is looked at with.

use super::event::Subject;
use super::worker::Settings;
use crate::data::sequences::Sequences;
use crate::diff::primitive::Batch;
use crate::diff::risk::{Interrupt, Risk};
use crate::math::array::Real;
use crate::model::checkpoint::Checkpoint;

/// A checkpoint with its sequences.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The model and its parameters w*.
    pub checkpoint: Checkpoint,
    /// Training sequences in order; sequence n + 1 is the one added.
    pub sequences: Sequences,
}

impl Problem {
    /// What the first event of a run tells.
    pub fn subject(&self, settings: &Settings, threads: usize) -> Subject {
        Subject {
            name: self.checkpoint.name.clone(),
            model: self.checkpoint.config.to_string(),
            config: serde_json::to_value(&self.checkpoint.config).unwrap_or_default(),
            parameters: self.checkpoint.parameters.len(),
            sequences: self.sequences.rows(),
            tokens: self.sequences.row_len(),
            precision: settings.precision,
            device: settings.device.clone(),
            threads,
            checkpoint: self.checkpoint.fingerprint(),
            data: self.sequences.fingerprint(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    /// One batch a sequence.
    pub fn batches(&self) -> Vec<Batch> {
        let rows = self.sequences.inputs.iter().zip(&self.sequences.targets);
        rows.map(|(i, t)| Batch::new(i.clone(), t.clone(), i.len())).collect()
    }

    /// The empirical risk at the checkpoint, in precision T.
    pub fn risk<T: Real>(&self, interrupt: Interrupt) -> Risk<T> {
        let w = self.checkpoint.parameters.iter().map(|x| T::of(*x)).collect();
        Risk::new(self.checkpoint.config.graph(self.sequences.row_len()), self.batches(), w, interrupt)
    }
}
