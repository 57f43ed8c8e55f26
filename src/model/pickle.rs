//! Tensors of a PyTorch file (`model_NNNNNN.pt`), read one at a time.
//!
//! Such a file is a pickle inside a zip archive. candle's reader interprets only the few instructions that describe
//! tensors and never runs what a pickle names, so a hostile file can do no more than be refused.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use candle_core::Tensor;
use candle_core::pickle::PthTensors;

use crate::error::{Error, Result};
use crate::model::tensors::TensorSource;

/// An open PyTorch file.
pub(super) struct PickleFile {
    path: PathBuf,
    tensors: PthTensors,
    /// Size of the file, in bytes. PyTorch stores tensors uncompressed, so none can be larger.
    length: u64,
}

impl PickleFile {
    /// Read the pickle: every tensor's name, shape and place in the archive.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let length = std::fs::metadata(path).map_err(Error::io(path))?.len();
        let tensors = guarded(path, || PthTensors::new(path, None))?;
        if tensors.tensor_infos().is_empty() {
            return Err(Error::file(path, "holds no tensors; a state dict saved by torch.save is expected"));
        }
        Ok(Self { path: path.to_owned(), tensors, length })
    }
}

/// Run candle's reader: it indexes into what the pickle claims, so a malformed pickle can panic it.
fn guarded<T>(path: &Path, read: impl FnOnce() -> candle_core::Result<T>) -> Result<T> {
    let reason = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => return Ok(value),
        // A backtrace, where one is captured, follows on lines of its own.
        Ok(Err(error)) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        Err(_) => "malformed pickle".into(),
    };
    Err(Error::file(path, format!("not a whole PyTorch file: {reason}; copy it again")))
}

impl TensorSource for PickleFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let infos = self.tensors.tensor_infos();
        infos.iter().map(|(name, info)| (name.clone(), info.layout.dims().to_vec())).collect()
    }

    fn read(&mut self, name: &str) -> Result<Tensor> {
        if let Some(info) = self.tensors.tensor_infos().get(name) {
            let bytes = (info.layout.shape().elem_count() * info.dtype.size_in_bytes()) as u64;
            if bytes > self.length {
                let what = format!("{name} claims {bytes} bytes, more than the file's {}; copy it again", self.length);
                return Err(Error::file(&self.path, what));
            }
        }
        guarded(&self.path, || self.tensors.get(name))?
            .ok_or_else(|| Error::file(&self.path, format!("there is no tensor {name}")))
    }
}
