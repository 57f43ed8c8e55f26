//! Pieces that panes are put together from: lines, figures with their intervals, bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::math::format::{count, measured_to, number};
use crate::math::stats::Interval;
use crate::ui::state::App;
use crate::ui::theme::Token;

/// Write one line in `area`; outside it nothing is written.
pub fn line(buffer: &mut Buffer, area: Rect, row: u16, line: &Line) {
    let area = area.intersection(*buffer.area());
    if row < area.height && area.width > 0 {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// At most `most` lines of at most `width` columns.
pub fn wrapped(text: &str, width: u16, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= usize::from(width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.truncate(most);
    lines
}

/// `count` values from `low` to `high`, evenly spaced in the logarithm.
pub fn log_grid(low: f64, high: f64, count: usize) -> impl Iterator<Item = f64> {
    let (low, high) = (low.ln(), high.ln());
    (0..count).map(move |i| (low + (high - low) * i as f64 / (count - 1).max(1) as f64).exp())
}

/// A part in per cent, never rounded up to 100.
pub fn percent(part: f64) -> String {
    let percent = 100.0 * part;
    if percent > 99.0 { format!("{:.2}", (percent * 100.0).floor() / 100.0) } else { format!("{percent:.0}") }
}

/// A figure with half the width of its interval.
pub fn interval(i: &Interval) -> String {
    measured_to(i.value, 0.5 * i.width(), 4)
}

/// A bar to the value in eighths of a cell; the interval's reach beyond it is shaded.
pub fn bar(app: &App, share: &Interval, width: usize, style: Style) -> [Span<'static>; 3] {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let place = |v: f64| (v.clamp(0.0, 1.0) * (8 * width) as f64).round() as usize;
    let eighths = place(share.value);
    let solid = format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]);
    let used = eighths.div_ceil(8);
    let reach = place(share.high).div_ceil(8).saturating_sub(used);
    let rest = width - used - reach;
    [
        Span::styled(solid, style),
        Span::styled("▒".repeat(reach), style),
        Span::styled("·".repeat(rest), app.style(Token::Faint)),
    ]
}

/// A factor as short as it tells: `0.24`, `44.5`, `18k`.
pub fn times(factor: f64) -> String {
    match factor {
        f if f < 10.0 => number(f, 2),
        f if f < 1e3 => number(f, 3),
        f => count(f),
    }
}
