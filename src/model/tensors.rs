//! What a file of tensors is to the checkpoint that is read from it.

use std::collections::BTreeMap;
use std::path::Path;

use candle_core::Tensor;

use crate::error::Result;

/// Named tensors in a file or several, read one at a time.
pub(super) trait TensorSource {
    /// The file that says which tensors there are, for messages.
    fn path(&self) -> &Path;
    /// The file that holds a tensor, by its name as stored.
    fn file_of(&self, _name: &str) -> &Path {
        self.path()
    }
    /// Every tensor's name as stored, and its shape.
    fn shapes(&self) -> BTreeMap<String, Vec<usize>>;
    /// One tensor by its name as stored.
    fn read(&mut self, name: &str) -> Result<Tensor>;
}

/// The first few names, and how many more there are.
pub(super) fn few(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
