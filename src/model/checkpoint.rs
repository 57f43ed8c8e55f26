//! Checkpoints: a configuration and all parameters as one flat vector, from either of two kinds of folder.
//!
//! - `config.json` and `model.safetensors`, as [`Checkpoint::save`] writes them and as Hugging Face's models are stored;
//!   large ones in several files, with `model.safetensors.index.json`;
//! - nanochat's own `model_NNNNNN.pt` and `meta_NNNNNN.json`, one pair per training step.
//!
//! Tensors may be f64, f32, f16 or bf16; all are widened to f64, which is exact.

use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};

use crate::error::{Error, Result};
use crate::file::{Readers, read_text, replace};
use crate::model::architecture::Architecture;
use crate::model::assemble::{Assembled, assemble};
use crate::model::nanochat;
use crate::model::safetensors::SafetensorsFile;
use crate::model::shards::Shards;
use crate::model::tensors::TensorSource;

const CONFIG_FILE: &str = "config.json";
const WEIGHTS_FILE: &str = "model.safetensors";
const INDEX_FILE: &str = "model.safetensors.index.json";

/// A model's configuration and parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Short name for the screen: the folder's, with the step of a nanochat checkpoint.
    pub name: String,
    /// Which kind of model it is, with its sizes.
    pub config: Architecture,
    /// All parameters, flat, in the order of [`Architecture::layout`].
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
        let steps = nanochat::steps(folder)?;
        let weights = [WEIGHTS_FILE, INDEX_FILE].into_iter().find(|file| folder.join(file).exists());
        match (weights, steps.last(), step) {
            (Some(file), Some(&newest), None) => {
                let pt = nanochat::model_file(newest);
                let what =
                    format!("holds {file} and {pt}: two checkpoints; say which by --step {newest}, or move one away");
                Err(Error::file(folder, what))
            }
            (_, Some(&newest), step) => {
                let step = step.unwrap_or(newest);
                let (config, source) = nanochat::open(folder, &steps, step)?;
                Checkpoint::of(format!("{label} step {step}"), config.into(), source)
            }
            (Some(_), None, Some(_)) => {
                Err(Error::knob("--step", format!("{} holds a single checkpoint", folder.display())))
            }
            (Some(file), None, None) => {
                let (path, weights) = (folder.join(CONFIG_FILE), folder.join(file));
                let config = parse_config(&path, &read_text(&path)?)?;
                if file == INDEX_FILE {
                    Checkpoint::of(label.into_owned(), config, Shards::open(&weights)?)
                } else {
                    Checkpoint::of(label.into_owned(), config, SafetensorsFile::open(&weights)?)
                }
            }
            (None, None, _) => Err(Error::file(
                folder,
                format!(
                    "no checkpoint here: neither {CONFIG_FILE} with {WEIGHTS_FILE} or {INDEX_FILE}, nor nanochat's \
                     model_NNNNNN.pt"
                ),
            )),
        }
    }

    fn of(name: String, config: Architecture, source: impl TensorSource) -> Result<Checkpoint> {
        let Assembled { parameters, notes } = assemble(&config, source)?;
        Ok(Checkpoint { name, config, parameters, notes })
    }

    /// The training steps that a nanochat folder holds, ascending; empty for a folder of another kind.
    ///
    /// # Errors
    /// A folder that cannot be read.
    pub fn steps(folder: &Path) -> Result<Vec<u64>> {
        nanochat::steps(folder)
    }

    /// Load a checkpoint that is already in memory: the contents of `config.json` and `model.safetensors`.
    ///
    /// # Errors
    /// As [`Checkpoint::open`]; `name` stands in for the file.
    pub fn from_bytes(name: &str, config: &str, weights: &[u8]) -> Result<Checkpoint> {
        let config = parse_config(Path::new(name), config)?;
        Checkpoint::of(name.to_owned(), config, SafetensorsFile::new(Path::new(name), weights)?)
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

    /// Whether a folder holds a checkpoint of the kind that [`Checkpoint::save`] writes, in one file or in several.
    pub fn is_saved_in(folder: &Path) -> bool {
        [WEIGHTS_FILE, INDEX_FILE].iter().any(|file| folder.join(file).exists())
    }

    /// BLAKE3 of the configuration and the parameters (f64, little endian), in hexadecimal: equal exactly when the
    /// models are, whatever files they came from.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.config.identify(&mut hasher);
        let mut buffer = Vec::with_capacity(8 * 4096);
        for chunk in self.parameters.chunks(4096) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(|x| x.to_le_bytes()));
            hasher.update(&buffer);
        }
        hasher.finalize().to_hex().to_string()
    }
}

fn parse_config(path: &Path, text: &str) -> Result<Architecture> {
    Architecture::parse(text).map_err(|what| Error::file(path, what))
}
