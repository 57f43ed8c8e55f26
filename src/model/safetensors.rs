//! Tensors of a safetensors file, read one at a time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, Metadata, TensorInfo};

use super::tensors::{Number, TensorSource};
use crate::error::{Error, Result};
use crate::file::{Map, map};

/// The format's own limit on its header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// A safetensors file in memory, or mapped there.
pub(super) struct SafetensorsFile<B> {
    path: PathBuf,
    bytes: B,
    /// Position of the first tensor's bytes in the file.
    start: usize,
    tensors: BTreeMap<String, TensorInfo>,
}

impl SafetensorsFile<Map> {
    /// Map a file into memory.
    pub(super) fn open(path: &Path) -> Result<Self> {
        SafetensorsFile::new(path, map(path)?)
    }
}

impl<B: AsRef<[u8]>> SafetensorsFile<B> {
    /// Read and check the header: it must describe exactly the bytes that follow it. `path` is for messages.
    pub(super) fn new(path: &Path, bytes: B) -> Result<Self> {
        let damaged = |what: String| Error::file(path, format!("not a whole safetensors file: {what}; copy it again"));
        let whole = bytes.as_ref();
        let length = whole.len() as u64;
        let Some((size, rest)) = whole.split_first_chunk::<8>() else {
            return Err(damaged(format!("it has only {length} bytes")));
        };
        let size = u64::from_le_bytes(*size);
        let header = usize::try_from(size).ok().filter(|_| size <= MAX_HEADER).and_then(|size| rest.get(..size));
        let Some(header) = header else {
            return Err(damaged(format!("it has {length} bytes but its header claims {size}")));
        };
        let metadata: Metadata =
            serde_json::from_slice(header).map_err(|e| damaged(format!("its header cannot be read ({e})")))?;
        let start = 8 + header.len();
        let expected = start as u64 + metadata.data_len() as u64;
        if length != expected {
            return Err(damaged(format!("it has {length} bytes but its header describes {expected}")));
        }
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { path: path.to_owned(), bytes, start, tensors })
    }
}

impl<B: AsRef<[u8]>> TensorSource for SafetensorsFile<B> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f64>> {
        let info =
            self.tensors.get(name).ok_or_else(|| Error::file(&self.path, format!("there is no tensor {name}")))?;
        let number = match info.dtype {
            Dtype::F64 => Number::F64,
            Dtype::F32 => Number::F32,
            Dtype::F16 => Number::F16,
            Dtype::BF16 => Number::Bf16,
            other => return Err(Error::file(&self.path, Number::refusal(name, &format!("{other:?}")))),
        };
        let (from, to) = info.data_offsets;
        Ok(number.widen(&self.bytes.as_ref()[self.start + from..self.start + to]))
    }
}
