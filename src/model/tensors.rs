//! What a file of tensors is to the checkpoint that is read from it.

use std::collections::BTreeMap;
use std::path::Path;

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
    /// The numbers of one tensor by its name as stored, row-major; widening is exact.
    fn read(&self, name: &str) -> Result<Vec<f64>>;
}

/// Kind of a stored number, little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    F64,
    F32,
    F16,
    Bf16,
}

impl Number {
    /// Bytes of one.
    pub(super) fn size(self) -> usize {
        match self {
            Number::F64 => 8,
            Number::F32 => 4,
            Number::F16 | Number::Bf16 => 2,
        }
    }

    /// In f64.
    pub(super) fn widen(self, bytes: &[u8]) -> Vec<f64> {
        fn each<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f64) -> Vec<f64> {
            bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect()
        }
        match self {
            Number::F64 => each(bytes, f64::from_le_bytes),
            Number::F32 => each(bytes, |b| f32::from_le_bytes(b).into()),
            Number::F16 => each(bytes, |b| half::f16::from_le_bytes(b).into()),
            Number::Bf16 => each(bytes, |b| half::bf16::from_le_bytes(b).into()),
        }
    }

    /// What is said of numbers of another kind.
    pub(super) fn refusal(name: &str, kind: &str) -> String {
        format!("{name} holds {kind}; only F64, F32, F16 and BF16 are read")
    }
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
