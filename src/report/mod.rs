//! Floor 7. The report: all figures of a run as one [`Document`], built from the [`crate::engine::readout::Readout`]
//! alone and written as JSON, CSV, Markdown or a table to read.

mod bench;
pub mod chart;
mod csv;
pub mod decomposition;
pub mod document;
pub mod exhibits;
pub mod export;
pub mod figure;
pub mod growth;
mod parameters;
pub mod reproduction;
mod sections;
mod settle;
pub mod table;
mod text;
pub mod verdict;

pub use bench::render as bench;
pub use document::Document;
pub use parameters::render as parameters;
pub use sections::Section;
pub use settle::render as settle;
pub use text::{markdown, table};

use serde::Serialize;

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned columns to read.
    Table,
    /// One JSON object with every figure in full precision.
    Json,
    /// One figure a line, in full precision.
    Csv,
    /// Markdown tables.
    Md,
}

/// Write a document, with a newline at its end.
pub fn render(document: &Document, format: Format) -> String {
    match format {
        Format::Json => json(document),
        Format::Csv => csv::render(document),
        Format::Table => text::table(&sections::of(document)),
        Format::Md => text::markdown(&sections::of(document)),
    }
}

fn json(document: &impl Serialize) -> String {
    // Made of numbers, strings, lists and maps with string keys, a document always has a JSON form.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}
