//! What opens on demand: help, lists, log, the question how to leave.

mod help;
mod leaving;
mod log;
mod menu;
mod settings;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Widget};

use super::state::App;
use super::theme::Token;

pub use help::help;
pub use leaving::{leaving, leaving_small};
pub use log::log;
pub use menu::menu;
pub use settings::settings;

/// Where a window lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the middle.
    Middle,
    /// In the middle, from a line that stays while the window grows and shrinks.
    Below,
    /// At the right, beside what it is about.
    Right,
}

/// A cleared window; returns its inside.
fn window(app: &App, title: &str, place: Place, (width, height): (u16, u16), area: Rect, buffer: &mut Buffer) -> Rect {
    let (width, height) = (width.min(area.width.saturating_sub(2)), height.min(area.height.saturating_sub(2)));
    let (right, below) = (area.width - width, area.height - height);
    let (x, y) = match place {
        Place::Middle => (right / 2, below / 2),
        Place::Below => (right / 2, (area.height / 8).min(below)),
        Place::Right => (right - 1, below.min(1)),
    };
    let spot = Rect { x: area.x + x, y: area.y + y, width, height };
    Clear.render(spot, buffer);
    buffer.set_style(spot, app.style(Token::Ground));
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.style(Token::BorderFocus))
        .title(Line::styled(title.to_owned(), app.style(Token::TitleFocus)))
        .padding(Padding::horizontal(1));
    let inner = block.inner(spot);
    block.render(spot, buffer);
    inner
}

/// A note on the lower border of the window with this inside.
fn footnote(app: &App, inner: Rect, note: &str, buffer: &mut Buffer) {
    let width = (note.chars().count() as u16).min(inner.width);
    let below = Rect { x: inner.right().saturating_sub(width), width, y: inner.bottom(), height: 1 };
    super::panes::line(buffer, below, 0, &Line::styled(note.to_owned(), app.style(Token::Key)));
}

/// A line being typed, with its cursor.
fn typed_line(app: &App, prompt: &str, text: &str) -> Line<'static> {
    Line::from(vec![
        Span::styled(prompt.to_owned(), app.style(Token::Accent)),
        Span::styled(text.to_owned(), app.style(Token::Text)),
        Span::styled(" ", app.style(Token::Selected)),
    ])
}

/// Mark a row as the chosen one, by its style in `width` columns and by a sign.
fn choose_row(app: &App, row: Rect, width: u16, buffer: &mut Buffer) {
    buffer.set_style(Rect { width: width.min(row.width), ..row }, app.style(Token::Selected));
    if let Some(cell) = buffer.cell_mut((row.x, row.y)) {
        cell.set_symbol("▸");
    }
}

/// The first of `count` rows to show in `height`, so that the chosen one is among them.
fn first_shown(chosen: usize, count: usize, height: u16) -> usize {
    let height = usize::from(height);
    (chosen + 1).saturating_sub(height).min(count.saturating_sub(height))
}

/// `text` in at most `width` columns, with an ellipsis where it is cut.
fn clipped(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain((width > 0).then_some('…')).collect()
}
