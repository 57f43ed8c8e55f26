//! The question how to leave while computing, at every size.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::{Place, window};
use crate::ui::action::Context;
use crate::ui::key::written;
use crate::ui::keymap::Bound;
use crate::ui::state::App;
use crate::ui::theme::Token;

/// The answers: key, word, sentence.
fn answers(app: &App) -> impl Iterator<Item = (String, &Bound)> {
    const LEAVING: &[Context] = &[Context::Leaving];
    app.keymap.held(LEAVING).map(|b| (b.chords.first().map_or("–".to_owned(), |c| written(c)), b))
}

/// As a window over the dashboard.
pub fn leaving(app: &App, area: Rect, buffer: &mut Buffer) {
    let inner = window(app, " Leave? ", Place::Middle, (68, 7), area, buffer);
    let mut lines = vec![Line::styled("Computing is not done.", app.style(Token::Text)), Line::default()];
    for (key, bound) in answers(app) {
        lines.push(Line::from(vec![
            Span::styled(format!("  {key}  "), app.style(Token::Key)),
            Span::styled(format!("{:<8}", bound.binding.label), app.style(Token::Text)),
            Span::styled(bound.binding.description, app.style(Token::Muted)),
        ]));
    }
    Paragraph::new(lines).render(inner, buffer);
}

/// On a terminal too small for the dashboard: a line an answer where there is room, else all in a row.
pub fn leaving_small(app: &App, area: Rect, buffer: &mut Buffer) {
    let answer = |(key, bound): (String, &Bound)| {
        vec![
            Span::styled(key, app.style(Token::Key)),
            Span::styled(format!(" {}", bound.binding.label), app.style(Token::Text)),
        ]
    };
    let mut answers: Vec<Vec<Span>> = answers(app).map(answer).collect();
    let question = Span::styled("Leave?", app.style(Token::TitleFocus));
    let lines: Vec<Line> = if usize::from(area.height) > answers.len() {
        std::iter::once(Line::from(question)).chain(answers.into_iter().map(Line::from)).collect()
    } else {
        answers.insert(0, vec![question]);
        vec![Line::from(answers.join(&Span::raw("  ")))]
    };
    Paragraph::new(lines).wrap(Wrap { trim: true }).render(area, buffer);
}
