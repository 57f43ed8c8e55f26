//! Figures as files: SVG and PNG, CSV and Markdown, and the document of the run as JSON.

use std::path::Path;

use super::figure::{Figure, Shown};
use super::{Document, Format, chart, growth, render, text};
use crate::engine::readout::Readout;
use crate::error::{Error, Result};
use crate::file::{Readers, replace};

/// The most rows of a table that Markdown repeats; a longer one is in the CSV alone.
const ROWS: usize = 60;

/// What was written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Exported {
    /// The figures.
    pub figures: Vec<Figure>,
    /// Figures whose data the session lacks, with what would compute them.
    pub missing: Vec<(Figure, &'static str)>,
}

/// Write every figure of a readout into a folder, which is made if need be: `NAME.svg` and `NAME.png` where there is
/// something to draw, `NAME.csv` and `NAME.md`; then `measure.json`, `growth.json` where the session has points of
/// growth, and `README.md`, which lists it all. Files of these names are replaced. `tell` hears each figure's name.
///
/// # Errors
/// A session without a checkpoint; what the system refuses.
pub fn write(readout: &Readout, folder: &Path, tell: &mut dyn FnMut(&str)) -> Result<Exported> {
    let document = Document::of(readout)
        .ok_or_else(|| Error::Computation("the session ends before a checkpoint was opened".into()))?;
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let mut exported = Exported::default();
    let mut index = format!("# {}\n\n", about(readout));
    for figure in Figure::ALL {
        tell(figure.name());
        match figure.of(readout) {
            Ok(shown) => {
                write_figure(figure, &shown, folder)?;
                index += &format!("- [{}]({}.md)\n", figure.title(), figure.name());
                exported.figures.push(figure);
            }
            Err(missing) => exported.missing.push((figure, missing)),
        }
    }
    put(folder, "measure.json", render(&document, Format::Json).as_bytes())?;
    index += "- [Every figure of the run](measure.json) as one document\n";
    if readout.exhibits.growth_plan.is_some() && !readout.exhibits.growth.is_empty() {
        put(folder, "growth.json", growth::render(readout, Format::Json)?.as_bytes())?;
        index += "- [Every point of growth](growth.json)\n";
    }
    if !exported.missing.is_empty() {
        index += "\nNot in this session:\n\n";
        exported.missing.iter().for_each(|(figure, missing)| index += &format!("- {}: {missing}\n", figure.title()));
    }
    put(folder, "README.md", index.as_bytes())?;
    Ok(exported)
}

/// Write the files of one figure.
///
/// # Errors
/// What the system refuses.
pub fn write_figure(figure: Figure, shown: &Shown, folder: &Path) -> Result<()> {
    let name = figure.name();
    if let Some(chart) = &shown.chart {
        let picture = chart::draw(chart)?;
        put(folder, &format!("{name}.svg"), picture.svg.as_bytes())?;
        put(folder, &format!("{name}.png"), &picture.png)?;
    }
    put(folder, &format!("{name}.csv"), shown.table.csv().as_bytes())?;
    put(folder, &format!("{name}.md"), markdown(figure, shown).as_bytes())
}

/// A figure's page: picture, caption, table.
pub fn markdown(figure: Figure, shown: &Shown) -> String {
    let (name, title) = (figure.name(), figure.title());
    let picture = if shown.chart.is_some() { format!("![{title}]({name}.svg)\n\n") } else { String::new() };
    let page = format!("# {title}\n\n{picture}{}\n\n", shown.caption);
    match shown.table.rows.len() {
        0..=ROWS => page + &text::markdown(&[shown.table.section("Numbers")]),
        rows => page + &format!("{rows} rows of numbers are in [{name}.csv]({name}.csv).\n"),
    }
}

/// What a session is of, in a line.
fn about(readout: &Readout) -> String {
    let Some(subject) = &readout.subject else { return String::new() };
    let knobs = &readout.knobs;
    format!(
        "{}, {}, {} parameters: n = {}, method {}, law {}, {}",
        subject.name,
        subject.model,
        subject.parameters,
        readout.shown_n(),
        knobs.method,
        knobs.law,
        subject.precision
    )
}

fn put(folder: &Path, name: &str, contents: &[u8]) -> Result<()> {
    replace(&folder.join(name), contents, Readers::Usual)
}
