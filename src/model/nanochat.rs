//! nanochat's own checkpoint folders: one pair of files per training step, a folder for each model (its tag, such as
//! `d20`), and a folder of those for each phase of training.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use super::config::GptConfig;
use super::pytorch::PyTorchFile;
use crate::error::{Error, Result};
use crate::file::{Map, read_text};

/// A phase of nanochat's training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Pretraining.
    Base,
    /// Midtraining, which some versions have.
    Mid,
    /// Supervised finetuning.
    Sft,
    /// Reinforcement learning.
    Rl,
}

impl Phase {
    /// All, in the order of training.
    pub const ALL: [Phase; 4] = [Phase::Base, Phase::Mid, Phase::Sft, Phase::Rl];

    /// As nanochat's own commands name it.
    pub fn word(self) -> &'static str {
        match self {
            Phase::Base => "base",
            Phase::Mid => "mid",
            Phase::Sft => "sft",
            Phase::Rl => "rl",
        }
    }

    /// Its folder below nanochat's own.
    pub fn folder(self) -> &'static str {
        match self {
            Phase::Base => "base_checkpoints",
            Phase::Mid => "mid_checkpoints",
            Phase::Sft => "chatsft_checkpoints",
            Phase::Rl => "chatrl_checkpoints",
        }
    }

    /// The folder of one of the phase's models below nanochat's own, `home`: that of `tag`, or of the largest model as
    /// nanochat finds it: of the greatest depth among the tags d1, d2, …, or the last one changed if none is named so.
    ///
    /// # Errors
    /// No such folder, or no model there; with those that are.
    pub fn model(self, home: &Path, tag: Option<&str>) -> Result<PathBuf> {
        let folder = home.join(self.folder());
        if !folder.is_dir() {
            let there = Phase::ALL.into_iter().filter(|phase| home.join(phase.folder()).is_dir());
            let there: Vec<&str> = there.map(Phase::word).collect();
            let there = if there.is_empty() { "none".into() } else { there.join(", ") };
            let what = format!("there is no such folder; phases there: {there} (NANOCHAT_BASE_DIR says where to look)");
            return Err(Error::file(&folder, what));
        }
        let models = models(&folder)?;
        let found = match tag {
            Some(tag) => models.iter().find(|model| model.tag == tag),
            None => models.iter().max_by_key(|model| (model.depth, model.changed)),
        };
        if let Some(model) = found {
            return Ok(folder.join(&model.tag));
        }
        let there: Vec<&str> = models.iter().map(|model| model.tag.as_str()).collect();
        let what = match tag {
            _ if there.is_empty() => return Err(Error::file(&folder, "holds no model with a checkpoint")),
            Some(tag) => format!("{tag} is not in {}; models there: {}", folder.display(), there.join(", ")),
            None => unreachable!("one of the models is the largest"),
        };
        Err(Error::knob("--model-tag", what))
    }
}

/// A model's folder.
struct Model {
    tag: String,
    /// The number after `d` at the beginning of the tag.
    depth: Option<u64>,
    changed: SystemTime,
}

/// The models of a phase that have a checkpoint, by name.
fn models(folder: &Path) -> Result<Vec<Model>> {
    let mut models = Vec::new();
    for entry in folder.read_dir().map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        if !path.is_dir() || steps(&path)?.is_empty() {
            continue;
        }
        let tag = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digits = tag.strip_prefix('d').map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or(""));
        let depth = digits.and_then(|digits| digits.parse().ok());
        let changed = path.metadata().and_then(|m| m.modified()).map_err(Error::io(&path))?;
        models.push(Model { tag, depth, changed });
    }
    models.sort_by(|a, b| a.tag.cmp(&b.tag));
    Ok(models)
}

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
pub(super) fn open(folder: &Path, steps: &[u64], step: u64) -> Result<(GptConfig, PyTorchFile<Map>)> {
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
    Ok((config, PyTorchFile::open(&folder.join(model_file(step)))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(tags: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for tag in tags {
            let folder = home.path().join("base_checkpoints").join(tag);
            std::fs::create_dir_all(&folder).unwrap();
            if *tag != "d30" {
                std::fs::write(folder.join(model_file(7)), "").unwrap();
            }
        }
        home
    }

    #[test]
    fn the_deepest_model_is_taken_by_number_unless_a_tag_is_given() {
        let home = home(&["d6", "d20", "d9-swiglu", "mine", "d30"]);
        let model = |tag| Phase::Base.model(home.path(), tag).map(|f| f.file_name().unwrap().to_owned());
        assert_eq!(model(None).unwrap(), "d20", "d30 has no checkpoint yet");
        assert_eq!(model(Some("d6")).unwrap(), "d6");
        let message = model(Some("d7")).unwrap_err().to_string();
        assert!(message.starts_with("--model-tag: d7") && message.contains("d20, d6, d9-swiglu, mine"), "{message}");
        let message = Phase::Rl.model(home.path(), None).unwrap_err().to_string();
        assert!(message.contains("chatrl_checkpoints") && message.contains("phases there: base"), "{message}");
    }

    #[test]
    fn without_depths_the_last_one_changed_is_taken() {
        let home = home(&["early", "late"]);
        let set = |tag: &str, seconds| {
            let folder = std::fs::File::open(home.path().join("base_checkpoints").join(tag)).unwrap();
            folder.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)).unwrap();
        };
        set("early", 2_000);
        set("late", 1_000);
        assert!(Phase::Base.model(home.path(), None).unwrap().ends_with("early"));
    }
}
