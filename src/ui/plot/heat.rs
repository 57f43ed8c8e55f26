//! Heat maps: a table whose cells are shaded by their values. The value is always printed; where there is no colour,
//! signs of growing weight shade the cell around it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::ui::colour::nearest_indexed;

/// One cell.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// How deep it is shaded, in [0, 1].
    pub shade: f64,
    /// What is printed in it, the most important first; what does not fit is left out.
    pub lines: Vec<String>,
}

/// A heat map.
#[derive(Debug, Clone, Default)]
pub struct Heat {
    /// Headings of the columns.
    pub columns: Vec<String>,
    /// Headings of the rows, top to bottom.
    pub rows: Vec<String>,
    /// Cells by row; `None` where nothing is known.
    pub cells: Vec<Vec<Option<Cell>>>,
}

/// What heat maps are drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Shades {
    /// Shade 0 is this style's background …
    pub ground: Style,
    /// … and shade 1 this style's foreground.
    pub full: Style,
    /// Printed values.
    pub text: Style,
    /// Headings.
    pub label: Style,
    /// Signs for shading without colour, from light to heavy.
    pub signs: [char; 5],
}

/// Widest and highest that a cell becomes.
const LARGEST: (u16, u16) = (22, 5);

impl Heat {
    /// Draw into `area`; returns the rows used. Columns and rows that do not fit are left out.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shades: &Shades) -> u16 {
        let area = area.intersection(*buffer.area());
        let left = self.rows.iter().map(|r| r.chars().count()).max().unwrap_or(0) as u16 + 1;
        let (columns, rows) = (self.columns.len() as u16, self.rows.len() as u16);
        if columns == 0 || rows == 0 || area.width <= left || area.height < 2 {
            return 0;
        }
        let width = ((area.width - left) / columns).clamp(1, LARGEST.0);
        let height = ((area.height - 1) / rows).clamp(1, LARGEST.1);
        for (i, heading) in self.columns.iter().enumerate() {
            let spot = Rect { x: area.x + left + i as u16 * width, width, height: 1, ..area }.intersection(area);
            print(buffer, spot, heading, shades.label);
        }
        for (j, (heading, cells)) in self.rows.iter().zip(&self.cells).enumerate() {
            let y = area.y + 1 + j as u16 * height;
            let spot = Rect { x: area.x, y: y + (height - 1) / 2, width: left - 1, height: 1 }.intersection(area);
            if !spot.is_empty() {
                buffer.set_stringn(spot.x, spot.y, heading, usize::from(spot.width), shades.label);
            }
            for (i, cell) in cells.iter().enumerate() {
                let spot = Rect { x: area.x + left + i as u16 * width, y, width, height }.intersection(area);
                if let Some(cell) = cell.as_ref().filter(|_| !spot.is_empty()) {
                    draw(cell, spot, buffer, shades);
                }
            }
        }
        1 + rows * height
    }
}

fn draw(cell: &Cell, spot: Rect, buffer: &mut Buffer, shades: &Shades) {
    let shade = if cell.shade.is_finite() { cell.shade.clamp(0.0, 1.0) } else { 0.0 };
    let coloured = blend(shades.ground.bg, shades.full.fg, shade);
    let text = match coloured {
        Some(ground) => {
            // On a deep shade the ground's colour reads better than the text's.
            let ink = if shade > 0.5 { shades.ground.bg } else { shades.text.fg };
            Style { fg: ink, bg: Some(ground), ..shades.text }
        }
        None => shades.text,
    };
    let sign = match coloured {
        Some(_) => ' ',
        None => shades.signs[(shade * 4.0).round() as usize],
    };
    for position in spot.positions() {
        buffer[position].set_char(sign).set_style(text);
    }
    let lines = cell.lines.len().min(usize::from(spot.height));
    let top = spot.y + (spot.height - lines as u16) / 2;
    for (row, line) in cell.lines.iter().take(lines).enumerate() {
        // Air around the value keeps it apart from the shading.
        let padded = if coloured.is_none() { format!(" {line} ") } else { line.clone() };
        print(buffer, Rect { y: top + row as u16, height: 1, ..spot }, &padded, text);
    }
}

/// Print `text` in the middle of a line; cut where it is too long.
fn print(buffer: &mut Buffer, spot: Rect, text: &str, style: Style) {
    if spot.is_empty() {
        return;
    }
    let length = (text.chars().count() as u16).min(spot.width);
    let x = spot.x + (spot.width - length) / 2;
    buffer.set_stringn(x, spot.y, text, usize::from(length), style);
}

/// The colour `part` of the way from one to the other, as fine as the terminal's colours are; `None` without colour.
fn blend(from: Option<Color>, to: Option<Color>, part: f64) -> Option<Color> {
    let (from, to) = (from?, to?);
    let (a, b) = (rgb(from)?, rgb(to)?);
    let mix = |i: usize| (f64::from(a[i]) + part * (f64::from(b[i]) - f64::from(a[i]))).round() as u8;
    let mixed = Color::Rgb(mix(0), mix(1), mix(2));
    Some(if matches!(to, Color::Rgb(..)) { mixed } else { nearest_indexed(mixed) })
}

/// Red, green and blue of a colour that has them: 24 bits, or one of xterm's cube and greys.
fn rgb(colour: Color) -> Option<[u8; 3]> {
    match colour {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(i @ 16..=231) => {
            let level = |i: u8| if i == 0 { 0 } else { 55 + 40 * i };
            let i = i - 16;
            Some([level(i / 36), level(i / 6 % 6), level(i % 6)])
        }
        Color::Indexed(i @ 232..) => Some([8 + 10 * (i - 232); 3]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heat() -> Heat {
        let cell = |shade, text: &str| Some(Cell { shade, lines: vec![text.into(), "below".into()] });
        Heat {
            columns: vec!["k = 1".into(), "k = 4".into()],
            rows: vec!["1e-3".into(), "0.01".into()],
            cells: vec![vec![cell(0.0, "1 ppm"), cell(1.0, "5 %")], vec![None, cell(0.5, "0.1 %")]],
        }
    }

    fn drawn(shades: &Shades) -> (Vec<String>, Buffer) {
        let area = Rect::new(0, 0, 25, 3);
        let mut buffer = Buffer::empty(area);
        assert_eq!(heat().render(area, &mut buffer, shades), 3);
        let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        ((0..area.height).map(row).collect(), buffer)
    }

    #[test]
    fn values_are_printed_and_shaded_without_colour() {
        let plain = Style::new();
        let signs = [' ', '░', '▒', '▓', '█'];
        let (lines, _) = drawn(&Shades { ground: plain, full: plain, text: plain, label: plain, signs });
        assert_eq!(lines, ["       k = 1     k = 4   ", "1e-3   1 ppm   ██ 5 % ███", "0.01           ▒ 0.1 % ▒▒"]);
    }

    #[test]
    fn colours_deepen_with_the_value() {
        let ground = Style::new().bg(Color::Rgb(0, 0, 0));
        let full = Style::new().fg(Color::Rgb(200, 100, 0));
        let shades = Shades { ground, full, text: full, label: full, signs: [' '; 5] };
        let (lines, buffer) = drawn(&shades);
        assert!(lines[1].contains("1 ppm") && lines[1].contains("5 %"));
        let at = |x, y| buffer[(x, y)].bg;
        assert_eq!(
            (at(6, 1), at(16, 1), at(16, 2)),
            (Color::Rgb(0, 0, 0), Color::Rgb(200, 100, 0), Color::Rgb(100, 50, 0))
        );
    }

    #[test]
    fn shades_keep_to_the_colours_of_the_terminal() {
        assert_eq!(blend(Some(Color::Indexed(16)), Some(Color::Indexed(231)), 0.0), Some(Color::Indexed(16)));
        assert!(matches!(blend(Some(Color::Indexed(16)), Some(Color::Indexed(231)), 0.5), Some(Color::Indexed(16..))));
        assert_eq!(blend(Some(Color::Reset), Some(Color::Reset), 0.5), None);
    }

    #[test]
    fn every_size_is_safe() {
        let plain = Style::new();
        let shades = Shades { ground: plain, full: plain, text: plain, label: plain, signs: [' '; 5] };
        for width in 0..40 {
            for height in 0..12 {
                let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
                heat().render(*buffer.area(), &mut buffer, &shades);
            }
        }
    }
}
