//! The log of notes, warnings and errors.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph, Widget, Wrap};

use crate::engine::event::Level;
use crate::math::format::clock;
use crate::ui::state::{App, Log};
use crate::ui::theme::Token;

/// The log; nothing in an empty area.
pub fn log(app: &App, area: Rect, buffer: &mut Buffer) {
    let Log::Shown { back } = app.view.log else { return };
    if area.height < 3 {
        return;
    }
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.style(Token::Border))
        .title(Line::styled(" Log ", app.style(Token::Title)))
        .padding(Padding::horizontal(1));
    let inner = block.inner(area);
    block.render(area, buffer);
    let lines = &app.readout.log;
    let last = lines.len().saturating_sub(back.min(lines.len().saturating_sub(1)));
    let first = last.saturating_sub(usize::from(inner.height));
    let shown: Vec<Line> = lines
        .range(first..last)
        .map(|entry| {
            let (sign, token) = match entry.level {
                Level::Info => (" ", Token::Text),
                Level::Warning => ("⚠", Token::Warning),
                Level::Error => ("✗", Token::Error),
            };
            Line::from(vec![
                Span::styled(format!("{:>7} ", clock(entry.t)), app.style(Token::Faint)),
                Span::styled(format!("{sign} {}", entry.text), app.style(token)),
            ])
        })
        .collect();
    if shown.is_empty() {
        let empty = Line::styled("Nothing has been noted yet.", app.style(Token::Muted));
        return Paragraph::new(empty).wrap(Wrap { trim: true }).render(inner, buffer);
    }
    Paragraph::new(shown).render(inner, buffer);
}
