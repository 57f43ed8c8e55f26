//! The order of the flat parameter vector, for other implementations to follow.

use serde::Serialize;

use super::Format;
use super::sections::Section;
use super::text;
use crate::math::flat::{Entry, Layout};

/// One tensor of the flat vector.
#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    shape: &'a [usize],
    offset: usize,
}

/// Name, shape and position of every tensor, in the order of the flat vector; each is stored row-major.
pub fn render(layout: &Layout, format: Format) -> String {
    match format {
        Format::Json => {
            let tensors = layout.entries().iter().map(|e| Tensor { name: &e.name, shape: &e.shape, offset: e.offset });
            super::json(&tensors.collect::<Vec<_>>())
        }
        Format::Csv => {
            let rows = layout.entries().iter().map(|e| format!("{},{},{}\n", e.name, shape(e), e.offset));
            format!("name,shape,offset\n{}", rows.collect::<String>())
        }
        Format::Table => text::table(&[section(layout)]),
        Format::Md => text::markdown(&[section(layout)]),
    }
}

fn section(layout: &Layout) -> Section {
    Section {
        title: format!("{} parameters", layout.len()),
        columns: ["tensor", "shape", "offset"].map(str::to_owned).to_vec(),
        rows: layout.entries().iter().map(|e| vec![e.name.clone(), shape(e), e.offset.to_string()]).collect(),
    }
}

fn shape(entry: &Entry) -> String {
    entry.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}
