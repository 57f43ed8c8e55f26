//! nanochat's own checkpoint folders: one pair of files per training step.

use std::path::Path;

use serde::Deserialize;

use super::config::GptConfig;
use super::pickle::PickleFile;
use crate::error::{Error, Result};
use crate::file::read_text;

/// nanochat's file of a training step's tensors.
pub(super) fn model_file(step: u64) -> String {
    format!("model_{step:06}.pt")
}

/// The training steps of a folder, ascending; none in a folder of another kind.
pub(super) fn steps(folder: &Path) -> Result<Vec<u64>> {
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

/// The configuration and the tensors of one of the folder's `steps`.
pub(super) fn open(folder: &Path, steps: &[u64], step: u64) -> Result<(GptConfig, PickleFile)> {
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
    let config: std::result::Result<GptConfig, String> =
        serde_json::from_value(meta.model_config).map_err(|e| e.to_string());
    let config = config.and_then(GptConfig::checked);
    let config = config.map_err(|what| Error::file(&path, format!("model_config: {what}")))?;
    Ok((config, PickleFile::open(&folder.join(model_file(step)))?))
}
