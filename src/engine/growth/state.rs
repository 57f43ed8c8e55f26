//! What a growth run that was stopped needs to go on digit for digit: the basis of its last point, from which the next
//! solve would have started. A file beside the run's events, gone once the run is complete. It is written before its
//! point is told, and the one before it stays until then: whenever a run is killed, one of the two is of its last point.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, Metadata, SafeTensors, View, serialize_to_file};

use super::Point;
use crate::error::{Error, Result};
use crate::file::{Readers, replace_by};
use crate::math::array::Real;
use crate::math::basis::Basis;

/// One column of a basis; as bytes only while it is written.
struct Column<'a, T> {
    data: &'a [T],
    shape: [usize; 1],
}

impl<T: Real> View for Column<'_, T> {
    fn dtype(&self) -> Dtype {
        if size_of::<T>() == 4 { Dtype::F32 } else { Dtype::F64 }
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        let wide = self.data.iter().map(|x| x.wide());
        match self.dtype() {
            Dtype::F32 => wide.flat_map(|x| (x as f32).to_le_bytes()).collect(),
            _ => wide.flat_map(f64::to_le_bytes).collect(),
        }
    }

    fn data_len(&self) -> usize {
        size_of_val(self.data)
    }
}

/// What names a point within its session.
fn name(point: &Point) -> String {
    format!("run {} n {} step {:?}", point.run, point.n, point.step)
}

/// Key of the point's name among the file's metadata.
const POINT: &str = "point";

/// Where the basis stands that a newer one took the place of.
fn former(path: &Path) -> PathBuf {
    path.with_extension("former.safetensors")
}

/// Write the basis of a point that is about to be told; the file appears whole or not at all.
pub(super) fn save<T: Real>(path: &Path, point: &Point, basis: &Basis<T>) -> Result<()> {
    let columns = basis.cols().enumerate();
    let columns = columns.map(|(j, data)| (format!("{j:05}"), Column { data, shape: [data.len()] }));
    if path.exists() {
        std::fs::rename(path, former(path)).map_err(Error::io(path))?;
    }
    let about = HashMap::from([(POINT.to_owned(), name(point))]);
    replace_by(path, Readers::Usual, |_, beside| {
        serialize_to_file(columns, Some(about), beside).map_err(|e| Error::file(path, e.to_string()))
    })
}

/// Remove what was left. A file that cannot be removed does no harm.
pub(super) fn remove(path: &Path) {
    for path in [path, &former(path)] {
        let _ = std::fs::remove_file(path);
    }
}

/// The basis of a point, if one was left of this very point in this precision. No file need exist.
pub(super) fn load<T: Real>(path: &Path, point: &Point) -> Result<Option<Basis<T>>> {
    match read(path, point)? {
        Some(basis) => Ok(Some(basis)),
        None => read(&former(path), point),
    }
}

fn read<T: Real>(path: &Path, point: &Point) -> Result<Option<Basis<T>>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(path)(e)),
    };
    let damaged = |e: safetensors::SafeTensorError| Error::file(path, e.to_string());
    let (_, about): (usize, Metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    if about.metadata().as_ref().and_then(|about| about.get(POINT)) != Some(&name(point)) {
        return Ok(None);
    }
    let mut columns = SafeTensors::deserialize(&bytes).map_err(damaged)?.tensors();
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    let mut basis: Option<Basis<T>> = None;
    for (_, column) in &columns {
        let data: Vec<T> = match (column.dtype(), size_of::<T>()) {
            (Dtype::F32, 4) => {
                column.data().as_chunks().0.iter().map(|x| T::of(f64::from(f32::from_le_bytes(*x)))).collect()
            }
            (Dtype::F64, 8) => column.data().as_chunks().0.iter().map(|x| T::of(f64::from_le_bytes(*x))).collect(),
            _ => return Ok(None),
        };
        basis.get_or_insert_with(|| Basis::new(data.len(), columns.len())).push(&data);
    }
    Ok(basis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::growth::Mode;

    fn point(n: usize) -> Point {
        Point {
            mode: Mode::Fixed,
            run: 0,
            seed: 0,
            step: None,
            n,
            loss: 0.0,
            grad_norm: 0.0,
            values: Vec::new(),
            residuals: Vec::new(),
            products: 0,
            cosines: Vec::new(),
            next: Vec::new(),
            proxy: Vec::new(),
            seconds: 0.0,
        }
    }

    #[test]
    fn a_basis_comes_back_bit_for_bit_for_its_own_point_and_precision_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("growth.safetensors");
        assert!(load::<f32>(&path, &point(4)).unwrap().is_none());
        let mut basis = Basis::<f32>::new(3, 12);
        (0..12).for_each(|j| basis.push(&[0.1 + j as f32, -1e-30, f32::MAX]));
        save(&path, &point(4), &basis).unwrap();
        assert!(load::<f32>(&path, &point(4)).unwrap().as_ref() == Some(&basis));
        assert!(load::<f32>(&path, &point(5)).unwrap().is_none());
        assert!(load::<f64>(&path, &point(4)).unwrap().is_none());
        // Killed before point 5 could be told, a run goes on from point 4.
        let mut next = Basis::<f32>::new(3, 1);
        next.push(&[1.0, 2.0, 3.0]);
        save(&path, &point(5), &next).unwrap();
        assert!(load::<f32>(&path, &point(4)).unwrap().as_ref() == Some(&basis));
        assert!(load::<f32>(&path, &point(5)).unwrap().as_ref() == Some(&next));
        save(&path, &point(6), &next).unwrap();
        assert!(load::<f32>(&path, &point(4)).unwrap().is_none());
        remove(&path);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        std::fs::write(&path, b"12345678901234567890").unwrap();
        assert!(load::<f32>(&path, &point(4)).unwrap_err().to_string().contains("growth.safetensors"));
    }
}
