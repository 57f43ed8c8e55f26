//! Sections as text: aligned columns, or Markdown.

use super::sections::Section;

/// Aligned columns: the first to the left, numbers to the right.
pub fn table(sections: &[Section]) -> String {
    sections.iter().map(table_section).collect::<Vec<_>>().join("\n")
}

fn table_section(section: &Section) -> String {
    let heads = Some(&section.columns).filter(|columns| !columns.is_empty());
    let lines: Vec<&Vec<String>> = heads.into_iter().chain(&section.rows).collect();
    let columns = lines.iter().map(|line| line.len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|i| lines.iter().filter_map(|line| line.get(i)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    let mut text = format!("{}\n", section.title);
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(i, (cell, wide))| {
            let pad = " ".repeat(wide - width(cell));
            // Names and values read from the left; under heads, numbers line up on the right.
            if i == 0 || heads.is_none() { format!("{cell}{pad}") } else { format!("{pad}{cell}") }
        });
        text += &format!("  {}\n", cells.collect::<Vec<_>>().join("   ").trim_end());
    }
    text
}

/// Columns a text takes on a terminal: every character eigentop writes is one wide.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Markdown: a heading and a table for each section.
pub fn markdown(sections: &[Section]) -> String {
    sections.iter().map(markdown_section).collect::<Vec<_>>().join("\n")
}

fn markdown_section(section: &Section) -> String {
    format!("## {}\n\n{}", section.title, markdown_table(section))
}

/// A section's table without its title.
pub fn markdown_table(section: &Section) -> String {
    let columns = section.rows.first().map_or(0, Vec::len);
    let heads = if section.columns.is_empty() { vec![String::new(); columns] } else { section.columns.clone() };
    let mut text = markdown_row(&heads) + &markdown_row(&vec!["---".into(); columns]);
    section.rows.iter().for_each(|row| text += &markdown_row(row));
    text
}

fn markdown_row(cells: &[String]) -> String {
    let escaped: Vec<String> = cells.iter().map(|c| c.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", escaped.join(" | "))
}
