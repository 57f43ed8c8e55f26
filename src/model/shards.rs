//! Tensors that are spread over several safetensors files, as an index beside them says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::safetensors::SafetensorsFile;
use super::tensors::{TensorSource, few};
use crate::error::{Error, Result};
use crate::file::{Map, read_text};

/// All files that an index names.
pub(super) struct Shards {
    index: PathBuf,
    files: BTreeMap<String, SafetensorsFile<Map>>,
    /// The file of every tensor.
    places: BTreeMap<String, String>,
}

impl Shards {
    /// Open `model.safetensors.index.json` and the files that it names, which lie beside it.
    pub(super) fn open(index: &Path) -> Result<Shards> {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let Index { weight_map: places } =
            serde_json::from_str(&read_text(index)?).map_err(|e| Error::file(index, e.to_string()))?;
        let mut files = BTreeMap::new();
        for name in places.values() {
            if files.contains_key(name) {
                continue;
            }
            if Path::new(name).file_name() != Some(name.as_ref()) {
                return Err(Error::file(index, format!("names {name:?}; a shard must lie beside its index")));
            }
            let path = index.with_file_name(name);
            if !path.exists() {
                let what = format!("a shard that {} names is missing; copy it here too", file_name(index));
                return Err(Error::file(&path, what));
            }
            files.insert(name.clone(), SafetensorsFile::open(&path)?);
        }
        let shards = Shards { index: index.to_owned(), files, places };
        shards.check()?;
        Ok(shards)
    }

    /// The index and the files must name the same tensors, each in one file.
    fn check(&self) -> Result<()> {
        for (name, file) in &self.files {
            let held = file.shapes();
            let away = |tensor: &&String| self.places.get(*tensor) != Some(name);
            let strange: Vec<&str> = held.keys().filter(away).map(String::as_str).collect();
            if !strange.is_empty() {
                let what = format!("holds tensors that {} puts elsewhere: {}", file_name(&self.index), few(&strange));
                return Err(Error::file(file.path(), what));
            }
            let missing = self.places.iter().filter(|(tensor, place)| *place == name && !held.contains_key(*tensor));
            let missing: Vec<&str> = missing.map(|(tensor, _)| tensor.as_str()).collect();
            if !missing.is_empty() {
                let what = format!("lacks tensors that {} puts there: {}", file_name(&self.index), few(&missing));
                return Err(Error::file(file.path(), what));
            }
        }
        Ok(())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

impl TensorSource for Shards {
    fn path(&self) -> &Path {
        &self.index
    }

    fn file_of(&self, name: &str) -> &Path {
        let file = self.places.get(name).and_then(|place| self.files.get(place));
        file.map_or(&self.index, |file| file.path())
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.files.values().flat_map(TensorSource::shapes).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f64>> {
        match self.places.get(name).and_then(|place| self.files.get(place)) {
            Some(file) => file.read(name),
            None => Err(Error::file(&self.index, format!("there is no tensor {name}"))),
        }
    }
}
