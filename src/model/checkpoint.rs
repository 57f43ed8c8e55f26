//! Checkpoints: a configuration and all parameters as one flat vector, from either of two kinds of folder.
//!
//! - `config.json` and `model.safetensors`, as [`Checkpoint::save`] writes them;
//! - nanochat's own `model_NNNNNN.pt` and `meta_NNNNNN.json`, one pair per training step.
//!
//! Tensors may be f64, f32, f16 or bf16; all are widened to f64, which is exact.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use candle_core::{DType, Tensor};
use safetensors::tensor::{Dtype, TensorView};
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::file::{Readers, replace};
use crate::math::flat::Entry;
use crate::model::config::GptConfig;
use crate::model::pickle::PickleFile;
use crate::model::safetensors::SafetensorsFile;

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";

/// What `torch.compile` puts before every name of a state dict.
const COMPILED_PREFIX: &str = "_orig_mod.";

/// A file of named tensors, read one at a time.
pub(super) trait TensorSource {
    /// Where it came from, for messages.
    fn path(&self) -> &Path;
    /// Every tensor's name as stored, and its shape.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;
    /// One tensor by its name as stored.
    fn read(&mut self, name: &str) -> Result<Tensor>;
}

/// A model's configuration and parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Short name for the screen: the folder's, with the step of a nanochat checkpoint.
    pub name: String,
    /// The model's sizes.
    pub config: GptConfig,
    /// All parameters, flat, in the order of [`GptConfig::layout`].
    pub parameters: Vec<f64>,
    /// What was filled in because the checkpoint predates it, one sentence each.
    pub notes: Vec<String>,
}

impl Checkpoint {
    /// Load a folder; of a nanochat folder the given training step, or the newest.
    ///
    /// # Errors
    /// A missing or truncated file, a configuration that describes no model, unknown or missing keys, wrong shapes and
    /// values that are not finite, each naming the file and the key; a step that is not there, with those that are.
    pub fn open(folder: &Path, step: Option<u64>) -> Result<Checkpoint> {
        if !folder.metadata().map_err(Error::io(folder))?.is_dir() {
            return Err(Error::file(folder, "give the folder that holds the checkpoint, not a file in it"));
        }
        let label = folder.canonicalize().map_err(Error::io(folder))?;
        let label = label.file_name().map_or("checkpoint".into(), |name| name.to_string_lossy());
        let weights = folder.join(WEIGHTS_FILE);
        let steps = steps(folder)?;
        match (step, weights.exists()) {
            (Some(step), _) if !steps.is_empty() => open_nanochat(folder, &label, &steps, step),
            (Some(_), true) => Err(Error::knob("--step", format!("{} holds a single checkpoint", folder.display()))),
            (None, true) => {
                let path = folder.join(CONFIG_FILE);
                let config = parse_config(&path, &read_text(&path)?)?;
                let file = File::open(&weights).map_err(Error::io(&weights))?;
                assemble(label.into_owned(), config, SafetensorsFile::open(&weights, BufReader::new(file))?)
            }
            (None, false) if !steps.is_empty() => open_nanochat(folder, &label, &steps, steps[steps.len() - 1]),
            (_, false) => Err(Error::file(
                folder,
                format!("no checkpoint here: neither {WEIGHTS_FILE} with {CONFIG_FILE} nor nanochat's model_NNNNNN.pt"),
            )),
        }
    }

    /// The training steps that a nanochat folder holds, ascending; empty for a folder of another kind.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn steps(folder: &Path) -> Result<Vec<u64>> {
        steps(folder)
    }

    /// Load a checkpoint that is already in memory: the contents of `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// As [`Checkpoint::open`]; `name` stands in for the file.
    pub fn from_bytes(name: &str, config: &str, weights: impl Read + Seek) -> Result<Checkpoint> {
        let config = parse_config(Path::new(name), config)?;
        assemble(name.to_owned(), config, SafetensorsFile::open(Path::new(name), weights)?)
    }

    /// Write `config.json` and `model.safetensors` into a folder, made if need be: tensors in f32 if that holds every
    /// parameter to the last digit, else in f64. Each file appears whole or not at all.
    ///
    /// # Errors
    /// What the system refuses; a parameter that is not finite.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let weights = folder.join(WEIGHTS_FILE);
        let layout = self.config.layout();
        if let Some(i) = self.parameters.iter().position(|x| !x.is_finite()) {
            let entry = layout.entries().iter().find(|e| e.range().contains(&i));
            let name = entry.map_or("a parameter", |e| &e.name);
            return Err(Error::NotFinite(format!("{name} holds {}; nothing was saved", self.parameters[i])));
        }
        let narrow = self.parameters.iter().all(|x| f64::from(*x as f32) == *x);
        let (dtype, width, bytes): (_, _, Vec<u8>) = if narrow {
            (Dtype::F32, 4, self.parameters.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect())
        } else {
            (Dtype::F64, 8, self.parameters.iter().flat_map(|x| x.to_le_bytes()).collect())
        };
        let tensors = layout
            .entries()
            .iter()
            .map(|e| {
                let range = e.range();
                let view = TensorView::new(dtype, e.shape.clone(), &bytes[width * range.start..width * range.end])?;
                Ok((&e.name, view))
            })
            .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>();
        let file = tensors.and_then(|tensors| safetensors::serialize(tensors, None));
        let file = file.map_err(|e| Error::file(&weights, e.to_string()))?;
        let config = serde_json::to_string_pretty(&self.config)
            .map_err(|e| Error::file(&folder.join(CONFIG_FILE), e.to_string()))?;
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        replace(&folder.join(WEIGHTS_FILE), &file, Readers::Usual)?;
        replace(&folder.join(CONFIG_FILE), format!("{config}\n").as_bytes(), Readers::Usual)
    }

    /// Whether a folder holds a checkpoint that [`Checkpoint::save`] would write over.
    pub fn is_saved_in(folder: &Path) -> bool {
        folder.join(WEIGHTS_FILE).exists()
    }

    /// BLAKE3 of the configuration and the parameters (f64, little endian), in hexadecimal: equal exactly when the
    /// models are, whatever files they came from.
    pub fn fingerprint(&self) -> String {
        let GptConfig { sequence_len, vocab_size, n_layer, n_head, n_kv_head, n_embd, window_pattern } = &self.config;
        let sizes = [sequence_len, vocab_size, n_layer, n_head, n_kv_head, n_embd];
        let mut hasher = blake3::Hasher::new();
        sizes.iter().for_each(|&&size| {
            hasher.update(&(size as u64).to_le_bytes());
        });
        hasher.update(window_pattern.as_bytes()).update(&[0]);
        let mut buffer = Vec::with_capacity(8 * 4096);
        for chunk in self.parameters.chunks(4096) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(|x| x.to_le_bytes()));
            hasher.update(&buffer);
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// What nanochat gained after its first checkpoints. One that lacks all tensors of such a part behaves as if they had
/// their neutral value.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Addition {
    ResidualScalars,
    InputScalars,
    Smear,
    Backout,
    ValueEmbeddings,
}

impl Addition {
    const ALL: [Addition; 5] = [
        Addition::ResidualScalars,
        Addition::InputScalars,
        Addition::Smear,
        Addition::Backout,
        Addition::ValueEmbeddings,
    ];

    /// The part a tensor belongs to, if it may be absent.
    fn of(name: &str) -> Option<Addition> {
        match name {
            "resid_lambdas" => Some(Addition::ResidualScalars),
            "x0_lambdas" => Some(Addition::InputScalars),
            "smear_lambda" | "smear_gate.weight" => Some(Addition::Smear),
            "backout_lambda" => Some(Addition::Backout),
            _ if name.starts_with("value_embeds.") || name.ends_with(".attn.ve_gate.weight") => {
                Some(Addition::ValueEmbeddings)
            }
            _ => None,
        }
    }

    /// The value under which the part does nothing.
    fn neutral(self) -> f64 {
        if self == Addition::ResidualScalars { 1.0 } else { 0.0 }
    }

    fn note(self) -> &'static str {
        match self {
            Addition::ResidualScalars => "old checkpoint: no resid_lambdas, ones stand in",
            Addition::InputScalars => "old checkpoint: no x0_lambdas, zeros stand in",
            Addition::Smear => "old checkpoint: smear off",
            Addition::Backout => "old checkpoint: backout off",
            Addition::ValueEmbeddings => {
                "old checkpoint: no value embeddings, zeros stand in (they count as parameters)"
            }
        }
    }
}

/// Match a file's tensors to the configuration's layout and read them into the flat vector.
fn assemble(name: String, config: GptConfig, mut source: impl TensorSource) -> Result<Checkpoint> {
    let layout = config.layout();
    let mut stored = BTreeMap::new();
    for (key, shape) in source.shapes() {
        let plain = key.strip_prefix(COMPILED_PREFIX).unwrap_or(&key).to_owned();
        if let Some((other, _)) = stored.insert(plain, (key.clone(), shape)) {
            return Err(Error::file(source.path(), format!("{other} and {key} are the same parameter")));
        }
    }
    let absent: Vec<Addition> =
        Addition::ALL.into_iter().filter(|&part| !stored.keys().any(|key| Addition::of(key) == Some(part))).collect();
    let stands_in = |entry: &Entry| Addition::of(&entry.name).filter(|part| absent.contains(part));

    let missing = layout.entries().iter().filter(|e| !stored.contains_key(&e.name) && stands_in(e).is_none());
    let missing: Vec<&str> = missing.map(|e| e.name.as_str()).collect();
    if !missing.is_empty() {
        return Err(Error::file(source.path(), format!("missing keys: {}", few(&missing))));
    }
    let unknown: Vec<&str> = stored.keys().filter(|key| layout.find(key).is_none()).map(String::as_str).collect();
    if !unknown.is_empty() {
        let what = format!("unknown keys, which a {config} does not have: {}", few(&unknown));
        return Err(Error::file(source.path(), what));
    }
    let misshapen = layout.entries().iter().find_map(|e| {
        let (_, found) = stored.get(&e.name)?;
        (*found != e.shape).then(|| format!("{} has shape {found:?}, expected {:?}", e.name, e.shape))
    });
    if let Some(what) = misshapen {
        return Err(Error::file(source.path(), what));
    }

    let mut parameters = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        match stored.get(&entry.name) {
            Some((key, _)) => {
                let values = source.read(key)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
                if let Some(i) = values.iter().position(|x| !x.is_finite()) {
                    let what = format!("{}{:?} is {}", entry.name, position(i, &entry.shape), values[i]);
                    return Err(Error::file(source.path(), what));
                }
                parameters.extend(values);
            }
            None => {
                let value = stands_in(entry).map_or(0.0, Addition::neutral);
                parameters.extend(std::iter::repeat_n(value, entry.len()));
            }
        }
    }
    let notes = absent.into_iter().map(|part| part.note().to_owned()).collect();
    Ok(Checkpoint { name, config, parameters, notes })
}

/// The multi-index of row-major position `i`.
fn position(mut i: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = Vec::with_capacity(shape.len());
    for size in shape.iter().rev() {
        index.push(i % size);
        i /= size;
    }
    index.reverse();
    index
}

/// The first few names, and how many more there are.
fn few(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// nanochat's file of a training step's tensors.
fn model_file(step: u64) -> String {
    format!("model_{step:06}.pt")
}

/// The training steps of a nanochat folder, ascending.
fn steps(folder: &Path) -> Result<Vec<u64>> {
    let mut steps = Vec::new();
    for entry in folder.read_dir().map_err(Error::io(folder))? {
        let name = entry.map_err(Error::io(folder))?.file_name();
        let name = name.to_string_lossy();
        let digits = name.strip_prefix("model_").and_then(|rest| rest.strip_suffix(".pt"));
        steps.extend(digits.and_then(|d| d.parse().ok()).filter(|&step| model_file(step) == name));
    }
    steps.sort_unstable();
    Ok(steps)
}

/// Load one step of a nanochat folder.
fn open_nanochat(folder: &Path, label: &str, steps: &[u64], step: u64) -> Result<Checkpoint> {
    /// The part of `meta_NNNNNN.json` that describes the model; the rest is about training.
    #[derive(Deserialize)]
    struct Meta {
        model_config: serde_json::Value,
    }
    if !steps.contains(&step) {
        let there = steps.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::knob("--step", format!("{step} is not in {}; steps there: {there}", folder.display())));
    }
    let path = folder.join(format!("meta_{step:06}.json"));
    let meta: Meta = serde_json::from_str(&read_text(&path)?).map_err(|e| Error::file(&path, e.to_string()))?;
    let config = serde_json::from_value(meta.model_config).map_err(|e| e.to_string());
    let config = checked(config).map_err(|what| Error::file(&path, format!("model_config: {what}")))?;
    assemble(format!("{label} step {step}"), config, PickleFile::open(&folder.join(model_file(step)))?)
}

fn parse_config(path: &Path, text: &str) -> Result<GptConfig> {
    checked(serde_json::from_str(text).map_err(|e| e.to_string())).map_err(|what| Error::file(path, what))
}

fn checked(config: std::result::Result<GptConfig, String>) -> std::result::Result<GptConfig, String> {
    let config = config?;
    config.check()?;
    Ok(config)
}

fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(Error::io(path))
}
