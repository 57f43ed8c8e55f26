//! Flags that several commands share: what to look at, the knobs, and whether to record.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::RangedU64ValueParser;
use serde::{Deserialize, Serialize};

use super::folders;
use super::values::{Device, Dimensions, Exhibits, Memory, Positive, Record, Sigmas};
use crate::data::sequences::SHORTEST;
use crate::data::tokenizer::TokenizerChoice;
use crate::engine::knobs::{Knobs, Law, Method, Precision, SolverKind};
use crate::engine::source::{Data, Source};
use crate::engine::worker::Settings;
use crate::error::{Error, Result};
use crate::model::nanochat::Phase;
use crate::ui::Mouse;
use crate::ui::colour::Choice;
use crate::ui::plot::raster::Marker;

/// All of [`SourceFlags`] together, for flags that leave no room for them.
pub const SOURCE: &str = "source";

/// What to look at.
#[derive(Debug, Clone, Args)]
#[group(id = SOURCE, multiple = true)]
#[command(next_help_heading = "What to look at (the built-in demo unless given)")]
pub struct SourceFlags {
    /// Checkpoint: a folder of nanochat's (model_NNNNNN.pt, meta_NNNNNN.json), or one with config.json and
    /// model.safetensors (nanochat, GPT-2, Llama); or base, mid, sft or rl: nanochat's own under NANOCHAT_BASE_DIR or
    /// ~/.cache/nanochat (./base is a folder of that name).
    #[arg(long, value_name = "FOLDER", requires = "data")]
    checkpoint: Option<PathBuf>,
    /// nanochat's name of a model, such as d20; the deepest unless given.
    #[arg(long, value_name = "TAG", requires = "checkpoint")]
    model_tag: Option<String>,
    /// Training step of a nanochat folder; the newest unless given.
    #[arg(long, value_name = "N", requires = "checkpoint")]
    step: Option<u64>,
    /// Sequences as {"inputs": [[…]], "targets": [[…]]}, rows of equal length.
    #[arg(long, value_name = "FILE", group = "data")]
    tokens: Option<PathBuf>,
    /// Sequences cut from a text.
    #[arg(long, value_name = "FILE", group = "data")]
    text: Option<PathBuf>,
    /// Sequences packed as nanochat packs them, from the `text` column of a parquet file or of a folder of them.
    #[arg(long, value_name = "PATH", group = "data")]
    shards: Option<PathBuf>,
    /// What texts are read with: bytes, gpt2, tokenizer.pkl, tokenizer.json or the folder that has one [default: what
    /// lies beside the checkpoint; bytes for 256 tokens].
    #[arg(long, value_name = "TOKENIZER", requires = "data", conflicts_with = "tokens")]
    tokenizer: Option<TokenizerChoice>,
    /// Sequences that are read [default: 32, more if n needs them; a token file whole].
    #[arg(long, value_name = "N")]
    rows: Option<NonZeroUsize>,
    /// Tokens in each sequence that is cut from a text or packed from shards [default: as many as the model takes].
    #[arg(long, value_name = "TOKENS", value_parser = row_length(), conflicts_with = "tokens")]
    length: Option<usize>,
}

/// Reads a length of rows; the model, which is not open yet, says how long they may be.
pub fn row_length() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(SHORTEST as u64..)
}

impl SourceFlags {
    /// What they point at.
    ///
    /// # Errors
    /// A phase or a model that nanochat's folder does not have.
    pub fn source(self) -> Result<Source> {
        let checkpoint = self.checkpoint.map(|named| folder_of(&named, self.model_tag.as_deref())).transpose()?;
        let data = match (self.tokens, self.text, self.shards) {
            (Some(file), ..) => Data::Tokens(file),
            (None, Some(file), _) => Data::Text(file),
            (None, None, Some(path)) => Data::Shards(path),
            (None, None, None) => Data::Demo,
        };
        let SourceFlags { step, tokenizer, rows, length, .. } = self;
        Ok(Source { checkpoint, step, tokenizer, rows, length, data })
    }
}

/// The folder that `--checkpoint` names: by its path, or as a phase of nanochat's training.
fn folder_of(named: &Path, tag: Option<&str>) -> Result<PathBuf> {
    match (Phase::ALL.into_iter().find(|phase| named == Path::new(phase.word())), tag) {
        (Some(phase), tag) => {
            let home = folders::nanochat().ok_or_else(|| {
                Error::knob("--checkpoint", "there is no home folder to find nanochat's in; set NANOCHAT_BASE_DIR")
            })?;
            phase.model(&home, tag)
        }
        (None, Some(tag)) => Ok(named.join(tag)),
        (None, None) => Ok(named.to_owned()),
    }
}

/// Everything that can be set by flag, by environment (`EIGENTOP_…`) or in the configuration file, in this order of
/// precedence; what is set nowhere has a default.
#[derive(Debug, Clone, Default, PartialEq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Knobs")]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Training sequences that define the empirical risk L_n [default: 8].
    #[arg(long, env = "EIGENTOP_N", hide_env_values = true, allow_negative_numbers = true)]
    pub n: Option<NonZeroUsize>,
    /// Dimensions of the probed subspaces, such as 16 or 1,4,16 [default: 1,4,16].
    #[arg(long, env = "EIGENTOP_K", hide_env_values = true, allow_hyphen_values = true)]
    pub k: Option<Dimensions>,
    /// Standard deviations σ of the probe, such as 1e-3 or 1e-4,1e-3,1e-2 [default: 1e-4,1e-3,1e-2].
    #[arg(long, env = "EIGENTOP_SIGMA", hide_env_values = true, allow_hyphen_values = true)]
    pub sigma: Option<Sigmas>,
    /// Monte Carlo draws S (antithetic pairs) for each σ and subspace [default: 64].
    #[arg(long, env = "EIGENTOP_DRAWS", hide_env_values = true, allow_negative_numbers = true)]
    pub draws: Option<NonZeroUsize>,
    /// Eigensolver [default: lanczos].
    #[arg(long, env = "EIGENTOP_SOLVER", hide_env_values = true)]
    pub solver: Option<SolverKind>,
    /// Eigenpairs are converged when every residual is at most this times the largest eigenvalue [default: 1e-3].
    #[arg(long, env = "EIGENTOP_TOL", hide_env_values = true, allow_negative_numbers = true)]
    pub tol: Option<Positive>,
    /// Probing law [default: top].
    #[arg(long, env = "EIGENTOP_LAW", hide_env_values = true)]
    pub law: Option<Law>,
    /// The definitions, or the paper's public code [default: exact].
    #[arg(long, env = "EIGENTOP_METHOD", hide_env_values = true)]
    pub method: Option<Method>,
    /// Seed of every random number [default: 0].
    #[arg(long, env = "EIGENTOP_SEED", hide_env_values = true)]
    pub seed: Option<u64>,
    /// What is computed beside: none, all or some of traces,shares,laws,theory,density,growth [default: all on
    /// the dashboard, none without a screen].
    #[arg(long, env = "EIGENTOP_EXHIBITS", hide_env_values = true)]
    pub exhibits: Option<Exhibits>,
    /// Floating-point precision [default: f32].
    #[arg(long, env = "EIGENTOP_PRECISION", hide_env_values = true)]
    pub precision: Option<Precision>,
    /// Where to compute: cpu or cuda:N [default: cpu].
    #[arg(long, env = "EIGENTOP_DEVICE", hide_env_values = true)]
    pub device: Option<Device>,
    /// Threads; 0 means one for each core [default: 0].
    #[arg(long, env = "EIGENTOP_THREADS", hide_env_values = true)]
    pub threads: Option<usize>,
    /// Memory that may be used, such as 4GiB [default: what the machine has].
    #[arg(long, env = "EIGENTOP_MEMORY", hide_env_values = true)]
    pub memory: Option<Memory>,
    /// Record the run as a session [default: on].
    #[arg(long, env = "EIGENTOP_RECORD", hide_env_values = true)]
    pub record: Option<Record>,
    /// Theme; this and what follows here from the file alone, for only commands with a screen have the flags.
    #[arg(skip)]
    pub theme: Option<String>,
    /// How many colours are shown.
    #[arg(skip)]
    pub colour: Option<Choice>,
    /// What curves are drawn with.
    #[arg(skip)]
    pub marker: Option<Marker>,
    /// Whether the mouse is listened to.
    #[arg(skip)]
    pub mouse: Option<Mouse>,
}

impl Options {
    /// These options, and where they are silent, `others`.
    pub fn or(self, others: &Options) -> Options {
        let o = others.clone();
        Options {
            n: self.n.or(o.n),
            k: self.k.or(o.k),
            sigma: self.sigma.or(o.sigma),
            draws: self.draws.or(o.draws),
            solver: self.solver.or(o.solver),
            tol: self.tol.or(o.tol),
            law: self.law.or(o.law),
            method: self.method.or(o.method),
            seed: self.seed.or(o.seed),
            exhibits: self.exhibits.or(o.exhibits),
            precision: self.precision.or(o.precision),
            device: self.device.or(o.device),
            threads: self.threads.or(o.threads),
            memory: self.memory.or(o.memory),
            record: self.record.or(o.record),
            theme: self.theme.or(o.theme),
            colour: self.colour.or(o.colour),
            marker: self.marker.or(o.marker),
            mouse: self.mouse.or(o.mouse),
        }
    }

    /// The knobs they set. The σ in focus is the default one if it is asked for, else the smallest.
    pub fn knobs(&self) -> Knobs {
        let d = Knobs::default();
        let sigmas = self.sigma.as_ref().map_or(d.sigmas, |s| s.values().to_vec());
        Knobs {
            n: self.n.map_or(d.n, NonZeroUsize::get),
            ks: self.k.as_ref().map_or(d.ks, |k| k.values().to_vec()),
            sigma: if sigmas.contains(&d.sigma) { d.sigma } else { sigmas[0] },
            sigmas,
            draws: self.draws.map_or(d.draws, NonZeroUsize::get),
            solver: self.solver.unwrap_or(d.solver),
            tol: self.tol.map_or(d.tol, f64::from),
            law: self.law.unwrap_or(d.law),
            method: self.method.unwrap_or(d.method),
            seed: self.seed.unwrap_or(d.seed),
            exhibits: self.exhibits.clone().map_or(d.exhibits, |e| e.0),
        }
    }

    /// What they fix for a whole run.
    pub fn settings(&self) -> Settings {
        Settings {
            precision: self.precision.unwrap_or(Precision::F32),
            device: self.device.clone().map_or("cpu".into(), String::from),
            threads: self.threads.unwrap_or(0),
            memory: self.memory.map(|m| m.0),
        }
    }
}
