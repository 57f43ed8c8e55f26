//! Tables of figures: once with every digit for programs (CSV), once with as many as are known for people (Markdown).

use super::csv::{field, float};
use super::sections::Section;
use crate::math::format::{exact, measured, number};
use crate::math::stats::{Estimate, Interval};

/// Digits of a figure whose uncertainty is not known.
const DIGITS: usize = 5;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A word.
    Text(String),
    /// A number of things.
    Count(usize),
    /// A knob's value, such as σ: as short as it can be exactly.
    Knob(f64),
    /// A figure without an interval.
    Value(f64),
    /// A figure with its 95 % interval.
    Within(Interval),
    /// A Monte Carlo mean.
    Drawn(Estimate),
    /// Nothing is known, or the column does not apply.
    Blank,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Cell {
        value.map_or(Cell::Blank, Cell::Value)
    }
}

impl From<Option<Interval>> for Cell {
    fn from(interval: Option<Interval>) -> Cell {
        interval.map_or(Cell::Blank, Cell::Within)
    }
}

impl From<Option<Estimate>> for Cell {
    fn from(estimate: Option<Estimate>) -> Cell {
        estimate.map_or(Cell::Blank, Cell::Drawn)
    }
}

/// What a column holds, which decides how many it becomes in CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One entry.
    Plain,
    /// `key`, `key_low`, `key_high`.
    Interval,
    /// `key`, `key_stderr`, `key_draws`.
    Estimate,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV.
    pub key: &'static str,
    /// Its head for people, with the unit.
    pub head: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// A column as [`Table::new`] takes it: key, head and kind.
pub type Heading = (&'static str, &'static str, Kind);

/// The column of the dimension.
pub const K: Heading = ("k", "k", Kind::Plain);
/// The column of σ, parameter units.
pub const SIGMA: Heading = ("sigma", "σ", Kind::Plain);

/// A table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The columns.
    pub columns: Vec<Column>,
    /// Rows, each as long as the columns.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of these columns.
    pub fn new(columns: &[Heading], rows: Vec<Vec<Cell>>) -> Table {
        let columns = columns.iter().map(|(key, head, kind)| Column { key, head, kind: *kind }).collect();
        Table { columns, rows }
    }

    /// Comma-separated values: a line of names, then a line for each row. Floats have the digits that bring them back
    /// exactly; what is not known or not finite is empty.
    pub fn csv(&self) -> String {
        let names = self.columns.iter().flat_map(|column| match column.kind {
            Kind::Plain => vec![column.key.to_owned()],
            Kind::Interval => ["", "_low", "_high"].map(|end| format!("{}{end}", column.key)).to_vec(),
            Kind::Estimate => ["", "_stderr", "_draws"].map(|end| format!("{}{end}", column.key)).to_vec(),
        });
        let mut csv = names.collect::<Vec<_>>().join(",") + "\n";
        for row in &self.rows {
            let fields = self.columns.iter().zip(row).flat_map(|(column, cell)| fields(column.kind, cell));
            csv += &(fields.collect::<Vec<_>>().join(",") + "\n");
        }
        csv
    }

    /// The table for people.
    pub fn section(&self, title: &str) -> Section {
        Section {
            title: title.to_owned(),
            columns: self.columns.iter().map(|column| column.head.to_owned()).collect(),
            rows: self.rows.iter().map(|row| row.iter().map(text).collect()).collect(),
        }
    }
}

/// A cell as the one or three fields of its column.
pub(super) fn fields(kind: Kind, cell: &Cell) -> Vec<String> {
    let mut fields = match cell {
        Cell::Text(text) => vec![field(text)],
        Cell::Count(count) => vec![count.to_string()],
        Cell::Knob(value) | Cell::Value(value) => vec![float(*value)],
        Cell::Within(i) => vec![float(i.value), float(i.low), float(i.high)],
        Cell::Drawn(e) => vec![float(e.mean), float(e.stderr), e.draws.to_string()],
        Cell::Blank => vec![String::new()],
    };
    let wide = if kind == Kind::Plain { 1 } else { 3 };
    fields.resize(wide, String::new());
    fields
}

/// A cell for people; intervals are half-widths at 95 %, the wider side of an uneven one.
fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Count(count) => count.to_string(),
        Cell::Knob(value) => exact(*value),
        Cell::Value(value) => number(*value, DIGITS),
        Cell::Within(i) => within(i),
        Cell::Drawn(e) => measured(e.mean, e.half_width()),
        Cell::Blank => "–".to_owned(),
    }
}

/// An interval for people: `value ±half`, or its ends where one side is more than twice the other.
pub fn within(i: &Interval) -> String {
    let (below, above) = (i.value - i.low, i.high - i.value);
    let uneven = above.is_finite() && below.is_finite() && above.max(below) > 2.0 * above.min(below);
    match uneven {
        true => format!("{} ({} … {})", number(i.value, 3), number(i.low, 3), number(i.high, 3)),
        false => measured(i.value, below.max(above)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Table {
        let columns = [
            ("law", "law", Kind::Plain),
            ("sigma", "σ", Kind::Plain),
            ("j", "J, nats²", Kind::Estimate),
            ("share", "share", Kind::Interval),
        ];
        let estimate = Estimate { mean: 0.25, stderr: 0.01, draws: 64 };
        let interval = Interval { value: 0.5, low: 0.45, high: 0.55 };
        let rows = vec![
            vec!["top, k = 1".into(), Cell::Knob(1e-3), Cell::Drawn(estimate), Cell::Within(interval)],
            vec!["random".into(), Cell::Knob(1e-2), Cell::Blank, Some(f64::NAN).into()],
        ];
        Table::new(&columns, rows)
    }

    #[test]
    fn csv_has_every_digit_and_as_many_fields_in_every_line() {
        let csv = example().csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines[0], "law,sigma,j,j_stderr,j_draws,share,share_low,share_high");
        assert_eq!(lines[1], "\"top, k = 1\",0.001,0.25,0.01,64,0.5,0.45,0.55");
        assert_eq!(lines[2], "random,0.01,,,,,,");
    }

    #[test]
    fn people_see_the_digits_that_are_known() {
        let section = example().section("laws");
        assert_eq!(section.columns[2], "J, nats²");
        assert_eq!(section.rows[0], ["top, k = 1", "1e-3", "0.250 ±0.020", "0.50 ±0.05"]);
        assert_eq!(section.rows[1], ["random", "1e-2", "–", "–"]);
        assert_eq!(within(&Interval { value: 1.0, low: 0.5, high: 4.0 }), "1.00 (0.500 … 4.00)");
    }
}
