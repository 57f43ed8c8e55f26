//! What a run looks at: a [`Landscape`], and the one that is read from files, a [`Problem`].

use super::event::Subject;
use super::worker::Settings;
use crate::data::sequences::Sequences;
use crate::diff::primitive::Batch;
use crate::diff::risk::{Interrupt, Risk};
use crate::math::array::Real;
use crate::model::checkpoint::Checkpoint;

/// The losses of some sequences over one flat vector of parameters, as the worker asks for them: its stages know nothing
/// of models and files.
pub trait Landscape: Send {
    /// What the first event of a run tells.
    fn subject(&self, settings: &Settings, threads: usize) -> Subject;

    /// What was noticed when it was read, for the log.
    fn notes(&self) -> &[String];

    /// The empirical risk at the checkpoint in single precision, one batch a sequence. `interrupt` is asked before
    /// every slice of its work.
    fn single(&self, interrupt: Interrupt) -> Risk<f32>;

    /// The same in double precision.
    fn double(&self, interrupt: Interrupt) -> Risk<f64>;
}

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

    /// The empirical risk at the checkpoint, in precision T, on the processor.
    pub fn risk<T: Real>(&self, interrupt: Interrupt) -> Risk<T> {
        let w = self.checkpoint.parameters.iter().map(|x| T::of(*x)).collect();
        Risk::new(self.checkpoint.config.graph(self.sequences.row_len()), self.batches(), w, interrupt)
    }
}

impl Landscape for Problem {
    fn subject(&self, settings: &Settings, threads: usize) -> Subject {
        self.subject(settings, threads)
    }

    fn notes(&self) -> &[String] {
        &self.checkpoint.notes
    }

    fn single(&self, interrupt: Interrupt) -> Risk<f32> {
        self.risk(interrupt)
    }

    fn double(&self, interrupt: Interrupt) -> Risk<f64> {
        self.risk(interrupt)
    }
}
