//! A frame as SVG: the same cells as on the terminal. Braille, blocks and lines become shapes, so that they are crisp
//! and meet at cell borders whatever font the reader has.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use crate::engine::readout::Readout;

use super::screen;
use super::state::App;
use super::theme::{Theme, Token};

/// Size of a cell in SVG units.
const CELL: (f64, f64) = (8.0, 17.0);
/// Space around the cells.
const MARGIN: f64 = 14.0;

/// The dashboard for `readout` on `size` = (columns, rows) cells, as an SVG document.
pub fn picture(readout: &Readout, size: (u16, u16), theme: &Theme) -> String {
    of_app(&App::still(readout.clone(), theme.clone()), size)
}

/// The dashboard in any state on `size` = (columns, rows) cells, as an SVG document.
pub fn of_app(app: &App, (columns, rows): (u16, u16)) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
    screen::draw(app, &mut buffer);
    let (width, height) = (f64::from(columns) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + 2.0 * MARGIN);
    let ground = app.style(Token::Ground);
    let (paper, ink) = (hex(ground.bg, "#ffffff"), hex(ground.fg, "#000000"));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"The eigentop dashboard\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"{paper}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"13\" \
         transform=\"translate({MARGIN} {MARGIN})\">\n"
    );
    for y in 0..rows {
        backgrounds(&mut svg, &buffer, y, &paper, &ink);
        let mut x = 0;
        while x < columns {
            let start = x;
            let kind = Drawing::of(&buffer[(x, y)]);
            while x < columns && Drawing::of(&buffer[(x, y)]) == kind {
                x += 1;
            }
            if let Some(kind) = kind {
                kind.write(&mut svg, &buffer, start..x, y, &ink);
            }
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// How a run of cells is drawn: text of one style, or shapes of one colour.
#[derive(PartialEq)]
enum Drawing {
    Text(Option<Color>, Modifier),
    Shapes(Option<Color>, Modifier),
}

impl Drawing {
    /// `None` for an empty cell.
    fn of(cell: &Cell) -> Option<Drawing> {
        let sign = cell.symbol().chars().next().unwrap_or(' ');
        let colour = if cell.modifier.contains(Modifier::REVERSED) { Some(cell.bg) } else { Some(cell.fg) };
        match sign {
            ' ' | '\u{2800}' => None,
            _ if is_shape(sign) => Some(Drawing::Shapes(colour, cell.modifier)),
            _ => Some(Drawing::Text(colour, cell.modifier)),
        }
    }

    fn write(&self, svg: &mut String, buffer: &Buffer, columns: std::ops::Range<u16>, y: u16, ink: &str) {
        let (Drawing::Text(colour, modifier) | Drawing::Shapes(colour, modifier)) = self;
        let fill = hex(*colour, ink);
        let faint = if modifier.contains(Modifier::DIM) { " opacity=\"0.55\"" } else { "" };
        let signs = columns.clone().map(|x| (x, buffer[(x, y)].symbol().chars().next().unwrap_or(' ')));
        if let Drawing::Text(..) = self {
            let bold = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
            let text: String = signs.map(|(_, sign)| escaped(sign)).collect();
            let xs: Vec<String> = columns.map(|x| format!("{}", f64::from(x) * CELL.0)).collect();
            let baseline = f64::from(y) * CELL.1 + 13.0;
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{baseline}\" fill=\"{fill}\"{bold}{faint}>{text}</text>",
                xs.join(" ")
            );
            return;
        }
        let heavy = buffer[(columns.start, y)].symbol().starts_with(['━', '┃', '┏', '┓', '┗', '┛']);
        let width = if heavy { " stroke-width=\"2\"" } else { "" };
        let mut path = String::new();
        let mut strokes = String::new();
        for (x, sign) in signs {
            shape(sign, f64::from(x) * CELL.0, f64::from(y) * CELL.1, &mut path, &mut strokes);
        }
        if !path.is_empty() {
            let _ = writeln!(svg, "<path d=\"{path}\" fill=\"{fill}\"{faint}/>");
        }
        if !strokes.is_empty() {
            let _ = writeln!(svg, "<path d=\"{strokes}\" stroke=\"{fill}\"{width} fill=\"none\"{faint}/>");
        }
    }
}

fn backgrounds(svg: &mut String, buffer: &Buffer, y: u16, paper: &str, ink: &str) {
    let columns = buffer.area().width;
    let of = |x: u16| {
        let cell = &buffer[(x, y)];
        if cell.modifier.contains(Modifier::REVERSED) { hex(Some(cell.fg), ink) } else { hex(Some(cell.bg), paper) }
    };
    let mut x = 0;
    while x < columns {
        let (start, colour) = (x, of(x));
        while x < columns && of(x) == colour {
            x += 1;
        }
        if colour != paper {
            let (left, top) = (f64::from(start) * CELL.0, f64::from(y) * CELL.1);
            let width = f64::from(x - start) * CELL.0;
            let _ = writeln!(
                svg,
                "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{colour}\"/>",
                CELL.1
            );
        }
    }
}

fn is_shape(sign: char) -> bool {
    matches!(sign, '\u{2801}'..='\u{28ff}' | '█' | '▉' | '▊' | '▋' | '▌' | '▍' | '▎' | '▏' | '▕' | '▒')
        || !arms(sign).is_empty()
}

/// Add the shape of `sign` in the cell whose corner is (x, y): filled parts to `path`, lines to `strokes`.
fn shape(sign: char, x: f64, y: f64, path: &mut String, strokes: &mut String) {
    let (w, h) = CELL;
    let mut rect = |left: f64, top: f64, width: f64, height: f64| {
        let _ = write!(path, "M{} {}h{width}v{height}h-{width}z", x + left, y + top);
    };
    match sign {
        '\u{2801}'..='\u{28ff}' => {
            let bits = sign as u32 - 0x2800;
            for (bit, (column, row)) in
                [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)].into_iter().enumerate()
            {
                if bits >> bit & 1 == 1 {
                    let (left, top) = ((f64::from(column) + 0.5) * w / 2.0, (f64::from(row) + 0.5) * h / 4.0);
                    rect(left - 1.0, top - 1.0, 2.0, 2.0);
                }
            }
        }
        '▕' => rect(w * 7.0 / 8.0, 0.0, w / 8.0, h),
        '▒' => (0..4).for_each(|i| rect(w * f64::from(i) / 4.0, 2.0, w / 8.0, h - 4.0)),
        '█'..='▏' => {
            let eighths = f64::from(0x2590 - sign as u32);
            rect(0.0, 2.0, w * eighths / 8.0, h - 4.0);
        }
        _ => {
            let (middle_x, middle_y) = (x + w / 2.0, y + h / 2.0);
            if let '╭' | '╮' | '╰' | '╯' = sign {
                let side = if matches!(sign, '╭' | '╰') { x + w } else { x };
                let end = if matches!(sign, '╭' | '╮') { y + h } else { y };
                let _ = write!(strokes, "M{side} {middle_y}Q{middle_x} {middle_y} {middle_x} {end}");
                return;
            }
            for arm in arms(sign) {
                let _ = match arm {
                    Arm::Left => write!(strokes, "M{x} {middle_y}H{middle_x}"),
                    Arm::Right => write!(strokes, "M{middle_x} {middle_y}H{}", x + w),
                    Arm::Up => write!(strokes, "M{middle_x} {y}V{middle_y}"),
                    Arm::Down => write!(strokes, "M{middle_x} {middle_y}V{}", y + h),
                };
            }
        }
    }
}

/// From the middle of a cell to one of its sides.
#[derive(Clone, Copy)]
enum Arm {
    Left,
    Right,
    Up,
    Down,
}

/// The arms of a line-drawing sign; none for any other.
fn arms(sign: char) -> &'static [Arm] {
    use Arm::{Down, Left, Right, Up};
    match sign {
        '─' | '━' => &[Left, Right],
        '│' | '┃' => &[Up, Down],
        '╭' | '┏' => &[Right, Down],
        '╮' | '┓' => &[Left, Down],
        '╰' | '┗' | '└' => &[Right, Up],
        '╯' | '┛' => &[Left, Up],
        '┤' => &[Left, Up, Down],
        '┬' => &[Left, Right, Down],
        _ => &[],
    }
}

fn escaped(sign: char) -> String {
    match sign {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        other => other.into(),
    }
}

/// A colour for SVG; what the terminal would decide becomes `fallback`.
fn hex(colour: Option<Color>, fallback: &str) -> String {
    match colour {
        Some(Color::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => fallback.to_owned(),
    }
}
