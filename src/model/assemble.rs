//! From a file's named tensors to the flat vector of a layout.

use std::collections::BTreeMap;

use super::additions::Addition;
use super::architecture::Architecture;
use super::tensors::{TensorSource, few};
use crate::error::{Error, Result};
use crate::math::flat::Entry;

/// What a checkpoint's files hold.
pub(super) struct Assembled {
    /// All parameters, flat, in the order of the layout.
    pub parameters: Vec<f64>,
    /// What was filled in, one sentence each.
    pub notes: Vec<String>,
}

/// A tensor of the file.
struct Stored {
    /// Its name there.
    key: String,
    shape: Vec<usize>,
}

/// Match a file's tensors to the architecture's layout and read them into the flat vector.
pub(super) fn assemble(config: &Architecture, source: impl TensorSource) -> Result<Assembled> {
    let layout = config.layout();
    let mut stored: BTreeMap<String, Stored> = BTreeMap::new();
    for (key, shape) in source.shapes() {
        let Some(plain) = config.parameter_of(&key) else { continue };
        if let Some(other) = stored.insert(plain, Stored { key: key.clone(), shape }) {
            return Err(Error::file(source.path(), format!("{} and {key} are the same parameter", other.key)));
        }
    }
    let tied = config.tied().and_then(|(copy, original)| Some((stored.remove(copy)?, original)));

    let absent: Vec<Addition> =
        config.may_lack().iter().copied().filter(|part| part.is_absent(stored.keys())).collect();
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
        let Stored { key, shape } = stored.get(&e.name).filter(|stored| stored.shape != e.shape)?;
        Some((key, format!("{} has shape {shape:?}, expected {:?}", e.name, e.shape)))
    });
    if let Some((key, what)) = misshapen {
        return Err(Error::file(source.file_of(key), what));
    }

    let mut parameters = Vec::with_capacity(layout.len());
    for entry in layout.entries() {
        match stored.get(&entry.name) {
            Some(Stored { key, shape }) => parameters.extend(read(&source, key, &entry.name, shape)?),
            None => {
                let value = stands_in(entry).map_or(0.0, Addition::neutral);
                parameters.extend(std::iter::repeat_n(value, entry.len()));
            }
        }
    }
    if let Some((Stored { key, shape }, original)) = tied {
        let copy = read(&source, &key, &key, &shape)?;
        let there = layout.find(original).map(|i| layout.entries()[i].range());
        if there.is_none_or(|range| parameters[range] != copy) {
            let what = format!("{key} is not {original}, though config.json says that they are tied");
            return Err(Error::file(source.file_of(&key), what + "; set tie_word_embeddings to false there"));
        }
    }
    let notes = absent.into_iter().map(|part| part.note().to_owned()).collect();
    Ok(Assembled { parameters, notes })
}

/// One tensor in f64; every value must be finite.
fn read(source: &impl TensorSource, key: &str, name: &str, shape: &[usize]) -> Result<Vec<f64>> {
    let values = source.read(key)?;
    match values.iter().position(|x| !x.is_finite()) {
        Some(i) => {
            let what = format!("{name}{:?} is {}", position(i, shape), values[i]);
            Err(Error::file(source.file_of(key), what))
        }
        None => Ok(values),
    }
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
