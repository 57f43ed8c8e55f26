//! Tensors of a safetensors file, read one at a time.
//!
//! The file is read through a seekable reader and not mapped into memory: a mapping is undefined behaviour when the
//! file changes underneath, and every tensor is copied into the flat vector anyway.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use safetensors::tensor::{Metadata, TensorInfo};

use crate::error::{Error, Result};
use crate::model::checkpoint::TensorSource;

/// The format's own limit on its header, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// An open safetensors file.
pub(super) struct SafetensorsFile<R> {
    path: PathBuf,
    reader: R,
    /// Position of the first tensor's bytes in the file.
    start: u64,
    tensors: BTreeMap<String, TensorInfo>,
}

impl<R: Read + Seek> SafetensorsFile<R> {
    /// Read and check the header: it must describe exactly the bytes that follow it. `path` is for messages.
    pub(super) fn open(path: &Path, mut reader: R) -> Result<Self> {
        let damaged = |what: String| Error::file(path, format!("not a whole safetensors file: {what}; copy it again"));
        let length = reader.seek(SeekFrom::End(0)).map_err(Error::io(path))?;
        reader.rewind().map_err(Error::io(path))?;
        if length < 8 {
            return Err(damaged(format!("it has only {length} bytes")));
        }
        let mut size = [0; 8];
        reader.read_exact(&mut size).map_err(Error::io(path))?;
        let size = u64::from_le_bytes(size);
        if size > MAX_HEADER || size + 8 > length {
            return Err(damaged(format!("it has {length} bytes but its header claims {size}")));
        }
        let mut header = vec![0; size as usize];
        reader.read_exact(&mut header).map_err(Error::io(path))?;
        let metadata: Metadata =
            serde_json::from_slice(&header).map_err(|e| damaged(format!("its header cannot be read ({e})")))?;
        let start = size + 8;
        let expected = start + metadata.data_len() as u64;
        if length != expected {
            return Err(damaged(format!("it has {length} bytes but its header describes {expected}")));
        }
        let tensors = metadata.tensors().into_iter().map(|(name, info)| (name, info.clone())).collect();
        Ok(Self { path: path.to_owned(), reader, start, tensors })
    }
}

impl<R: Read + Seek> TensorSource for SafetensorsFile<R> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, info)| (name.clone(), info.shape.clone())).collect()
    }

    fn read(&mut self, name: &str) -> Result<Tensor> {
        let info =
            self.tensors.get(name).ok_or_else(|| Error::file(&self.path, format!("there is no tensor {name}")))?;
        let dtype = match DType::try_from(info.dtype) {
            Ok(dtype @ (DType::F32 | DType::F64 | DType::F16 | DType::BF16)) => dtype,
            _ => {
                let what = format!("{name} holds {:?}; only F64, F32, F16 and BF16 are read", info.dtype);
                return Err(Error::file(&self.path, what));
            }
        };
        let (from, to) = info.data_offsets;
        let mut bytes = vec![0; to - from];
        self.reader.seek(SeekFrom::Start(self.start + from as u64)).map_err(Error::io(&self.path))?;
        self.reader.read_exact(&mut bytes).map_err(Error::io(&self.path))?;
        Ok(Tensor::from_raw_buffer(&bytes, dtype, &info.shape, &Device::Cpu)?)
    }
}
