//! Tensors of a PyTorch file (`model_NNNNNN.pt`), read one at a time.
//!
//! Such a file is a zip archive of one pickle, which says what tensors there are, and one file for each storage of
//! numbers. The pickle is read as plain data ([`crate::pickle`]): nothing that it names is run, and a file can claim no
//! more than it holds.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::Range;
use std::path::{Path, PathBuf};

use zip::{CompressionMethod, ZipArchive};

use super::tensors::{Number, TensorSource};
use crate::error::{Error, Result};
use crate::file::{Map, map};
use crate::pickle::{Id, Pickle, Value};

/// What a state dict may name: its own class, what makes tensors, and the kinds of storage.
const EXPECTED: [(&str, &str); 14] = [
    ("collections", "OrderedDict"),
    ("torch._utils", "_rebuild_tensor_v2"),
    ("torch._utils", "_rebuild_parameter"),
    ("torch", "DoubleStorage"),
    ("torch", "FloatStorage"),
    ("torch", "HalfStorage"),
    ("torch", "BFloat16Storage"),
    ("torch", "LongStorage"),
    ("torch", "IntStorage"),
    ("torch", "ShortStorage"),
    ("torch", "CharStorage"),
    ("torch", "ByteStorage"),
    ("torch", "BoolStorage"),
    ("torch.storage", "UntypedStorage"),
];

/// An open PyTorch file.
pub(super) struct PyTorchFile<B> {
    path: PathBuf,
    bytes: B,
    tensors: BTreeMap<String, View>,
}

/// Where a tensor's numbers lie.
struct View {
    /// The storage's bytes in the file.
    storage: Range<usize>,
    /// Kind of the numbers, or the name of a kind that is not read.
    number: std::result::Result<Number, String>,
    /// Place of the first number in the storage.
    offset: usize,
    shape: Vec<usize>,
    /// Numbers from one index to the next, in each dimension.
    strides: Vec<usize>,
}

impl PyTorchFile<Map> {
    /// Map a file into memory and read its pickle.
    pub(super) fn open(path: &Path) -> Result<Self> {
        PyTorchFile::new(path, map(path)?)
    }
}

impl<B: AsRef<[u8]>> PyTorchFile<B> {
    /// Read the pickle: every tensor's name, shape and place. `path` is for messages.
    pub(super) fn new(path: &Path, bytes: B) -> Result<Self> {
        let damaged = |what: String| Error::file(path, format!("not a whole PyTorch file: {what}; copy it again"));
        let members = members(bytes.as_ref()).map_err(damaged)?;
        let name = members.keys().find(|name| name.as_str() == PICKLE || name.ends_with("/data.pkl"));
        let Some(name) = name else { return Err(damaged(format!("it has no {PICKLE}"))) };
        let folder = name.strip_suffix(PICKLE).unwrap_or_default();
        let pickle = Pickle::read(&bytes.as_ref()[members[name].clone()], &EXPECTED)
            .map_err(|what| Error::file(path, format!("its pickle is not that of a state dict: {what}")))?;
        let order = members.get(&format!("{folder}byteorder")).map(|range| &bytes.as_ref()[range.clone()]);
        if order.is_some_and(|order| order != b"little") {
            return Err(Error::file(path, "its numbers are not little endian; save it again on another machine"));
        }
        let storages = |key: &str| members.get(&format!("{folder}data/{key}")).cloned();
        let tensors = tensors(&pickle, storages).map_err(damaged)?;
        if tensors.is_empty() {
            return Err(Error::file(path, "holds no tensors; a state dict saved by torch.save is expected"));
        }
        Ok(Self { path: path.to_owned(), bytes, tensors })
    }
}

const PICKLE: &str = "data.pkl";

/// Name and place of every file in a zip archive; they are stored as they are.
fn members(bytes: &[u8]) -> std::result::Result<BTreeMap<String, Range<usize>>, String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|e| e.to_string())?;
    let mut members = BTreeMap::new();
    for index in 0..archive.len() {
        let member = archive.by_index_raw(index).map_err(|e| e.to_string())?;
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        if member.compression() != CompressionMethod::Stored || member.encrypted() {
            return Err(format!("{name} is compressed or encrypted"));
        }
        let start = member.data_start().and_then(|start| usize::try_from(start).ok());
        let place = start.and_then(|start| Some(start..start.checked_add(usize::try_from(member.size()).ok()?)?));
        let place = place.filter(|place| place.end <= bytes.len()).ok_or(format!("{name} reaches beyond its end"))?;
        members.insert(name, place);
    }
    Ok(members)
}

/// The tensors of a state dict; whatever else it holds is passed over.
fn tensors(
    pickle: &Pickle<'_>,
    storages: impl Fn(&str) -> Option<Range<usize>>,
) -> std::result::Result<BTreeMap<String, View>, String> {
    let items = match pickle.root() {
        Value::Dict(items) => items,
        Value::Object { callable, items, .. } if is(pickle, *callable, "OrderedDict") => items,
        _ => return Ok(BTreeMap::new()),
    };
    let mut tensors = BTreeMap::new();
    for (key, value) in items {
        let (Value::Text(name), value) = (pickle.get(*key), pickle.get(*value)) else { continue };
        if let Some(arguments) = tensor(pickle, value) {
            let view = view(pickle, arguments, &storages).ok_or(format!("{name} is not described as a tensor is"))?;
            tensors.insert((*name).to_owned(), view);
        }
    }
    Ok(tensors)
}

fn is(pickle: &Pickle<'_>, callable: Id, name: &str) -> bool {
    matches!(pickle.get(callable), Value::Global(_, found) if *found == name)
}

/// What a tensor, or the tensor in a parameter, is rebuilt from.
fn tensor<'p>(pickle: &'p Pickle<'_>, value: &'p Value<'_>) -> Option<&'p [Id]> {
    let Value::Object { callable, arguments, .. } = value else { return None };
    let Value::Tuple(arguments) = pickle.get(*arguments) else { return None };
    if is(pickle, *callable, "_rebuild_tensor_v2") {
        return Some(arguments);
    }
    let inner = is(pickle, *callable, "_rebuild_parameter").then(|| arguments.first()).flatten()?;
    let Value::Object { callable, arguments, .. } = pickle.get(*inner) else { return None };
    match pickle.get(*arguments) {
        Value::Tuple(arguments) if is(pickle, *callable, "_rebuild_tensor_v2") => Some(arguments),
        _ => None,
    }
}

/// Storage, offset, shape and strides, if they lie within the storage.
fn view(pickle: &Pickle<'_>, arguments: &[Id], storages: impl Fn(&str) -> Option<Range<usize>>) -> Option<View> {
    let [storage, offset, shape, strides, ..] = arguments else { return None };
    let Value::Persistent(storage) = pickle.get(*storage) else { return None };
    let Value::Tuple(storage) = pickle.get(*storage) else { return None };
    let [_, kind, key, ..] = storage.as_slice() else { return None };
    let (Value::Global(_, kind), Value::Text(key)) = (pickle.get(*kind), pickle.get(*key)) else { return None };
    let number = match *kind {
        "DoubleStorage" => Ok(Number::F64),
        "FloatStorage" => Ok(Number::F32),
        "HalfStorage" => Ok(Number::F16),
        "BFloat16Storage" => Ok(Number::Bf16),
        other => Err(other.to_owned()),
    };
    let whole = |id: &Id| match pickle.get(*id) {
        Value::Int(i) => usize::try_from(*i).ok(),
        _ => None,
    };
    let list = |id: &Id| match pickle.get(*id) {
        Value::Tuple(items) => items.iter().map(whole).collect::<Option<Vec<usize>>>(),
        _ => None,
    };
    let view =
        View { storage: storages(key)?, number, offset: whole(offset)?, shape: list(shape)?, strides: list(strides)? };
    view.fits().then_some(view)
}

impl View {
    /// Whether every number lies within the storage, and no more are claimed than it has.
    fn fits(&self) -> bool {
        let size = self.number.as_ref().map_or(1, |number| number.size());
        let held = self.storage.len() / size;
        let count = self.shape.iter().try_fold(1usize, |count, n| count.checked_mul(*n));
        let last = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.offset, |last, (n, stride)| last.checked_add(n.saturating_sub(1).checked_mul(*stride)?));
        self.shape.len() == self.strides.len()
            && count.is_some_and(|count| count <= held)
            && last.is_some_and(|last| last < held || count == Some(0))
    }

    /// The numbers in row-major order.
    fn numbers(&self, number: Number, storage: &[u8]) -> Vec<f64> {
        let count: usize = self.shape.iter().product();
        let size = number.size();
        if count == 0 {
            return Vec::new();
        }
        let mut dense = 1;
        let contiguous = self.shape.iter().zip(&self.strides).rev().all(|(n, stride)| {
            let here = *n == 1 || *stride == dense;
            dense *= n;
            here
        });
        if contiguous {
            return number.widen(&storage[self.offset * size..(self.offset + count) * size]);
        }
        let place = |mut i: usize| {
            let mut place = self.offset;
            for (n, stride) in self.shape.iter().zip(&self.strides).rev() {
                place += i % n * stride;
                i /= n;
            }
            place * size
        };
        let bytes: Vec<u8> = (0..count).flat_map(|i| &storage[place(i)..place(i) + size]).copied().collect();
        number.widen(&bytes)
    }
}

impl<B: AsRef<[u8]>> TensorSource for PyTorchFile<B> {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        self.tensors.iter().map(|(name, view)| (name.clone(), view.shape.clone())).collect()
    }

    fn read(&self, name: &str) -> Result<Vec<f64>> {
        let view =
            self.tensors.get(name).ok_or_else(|| Error::file(&self.path, format!("there is no tensor {name}")))?;
        match &view.number {
            Ok(number) => Ok(view.numbers(*number, &self.bytes.as_ref()[view.storage.clone()])),
            Err(kind) => Err(Error::file(&self.path, Number::refusal(name, kind))),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &[u8] = include_bytes!("../../tests/fixtures/pt/small.pt");

    fn read(bytes: &[u8]) -> Result<Vec<Vec<f64>>> {
        let file = PyTorchFile::new(Path::new("x.pt"), bytes)?;
        file.shapes().keys().map(|name| file.read(name)).collect()
    }

    #[test]
    fn every_kind_of_tensor_is_read() {
        let file = PyTorchFile::new(Path::new("small.pt"), FILE).unwrap();
        let row = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        for name in ["f64", "f32", "f16", "bf16", "parameter"] {
            assert_eq!((file.shapes()[name].as_slice(), file.read(name).unwrap().as_slice()), (&[2, 3][..], &row[..]));
        }
        assert_eq!(file.read("part").unwrap(), [4.0, 5.0], "a view into a storage");
        assert_eq!(file.read("turned").unwrap(), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0], "a transposed view");
        let message = file.read("i64").unwrap_err().to_string();
        assert!(message.contains("i64 holds LongStorage"), "{message}");
        assert!(!file.shapes().contains_key("note"), "what is no tensor is passed over");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever happens to a file, it is read or refused: no panic, and no more numbers than it has bytes.
        #[test]
        fn changed_bytes_never_panic(changes in prop::collection::vec((0..FILE.len(), any::<u8>()), 1..12)) {
            let mut bytes = FILE.to_vec();
            for (at, byte) in changes {
                bytes[at] = byte;
            }
            if let Ok(tensors) = read(&bytes) {
                prop_assert!(tensors.iter().all(|tensor| tensor.len() <= bytes.len()));
            }
        }

        /// The pickle alone, cut, moved and repeated.
        #[test]
        fn rearranged_bytes_never_panic(
            from in 0..FILE.len(), len in 0usize..400, to in 0..FILE.len(), end in 0..FILE.len(),
        ) {
            let mut bytes = FILE.to_vec();
            let piece: Vec<u8> = bytes[from..(from + len).min(bytes.len())].to_vec();
            bytes.splice(to..to, piece);
            let _ = read(&bytes);
            let _ = read(&bytes[..end]);
        }
    }
}
