//! The settings: a row for each key of the configuration file.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::{Place, choose_row, clipped, first_shown, footnote, typed_line, window};
use crate::ui::panes::line;
use crate::ui::screen::Hits;
use crate::ui::settings::{Panel, Setting, value, waits};
use crate::ui::state::{App, Notice};
use crate::ui::theme::Token;

/// Columns of key, value and origin.
const KEY: usize = 11;
const VALUE: usize = 30;
const ORIGIN: usize = 13;

/// Draw them; their rows can be pointed at.
pub fn settings(app: &App, panel: &Panel, area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let height = app.settings.len() as u16 + 6;
    let inner = window(app, " Settings ", Place::Middle, (104, height), area, buffer);
    // Below the rows: what the chosen one is, on two lines, and what was said or is typed.
    let below = 4.min(inner.height.saturating_sub(1));
    let list = Rect { height: inner.height - below, ..inner };
    let first = first_shown(panel.chosen, app.settings.len(), list.height);
    for (row, (i, setting)) in (0..list.height).zip(app.settings.iter().enumerate().skip(first)) {
        let spot = Rect { y: list.y + row, height: 1, ..list };
        hits.rows.push((spot, i));
        line(buffer, spot, 0, &row_of(app, setting, usize::from(list.width)));
        if i == panel.chosen {
            choose_row(app, spot, spot.width, buffer);
        }
    }
    let rest = Rect { y: list.bottom(), height: below, ..inner };
    line(buffer, rest, 0, &Line::styled("─".repeat(usize::from(rest.width)), app.style(Token::Border)));
    let Some(setting) = app.settings.get(panel.chosen) else { return };
    let about = Rect { y: rest.y + 1, height: rest.height.saturating_sub(2), ..rest };
    let when = if waits(app, setting) { " (from the next start)" } else { "" };
    Paragraph::new(Line::styled(format!("{}{when}", setting.about), app.style(Token::Muted)))
        .wrap(Wrap { trim: true })
        .render(about, buffer);
    let said = match (&panel.line, &app.view.notice) {
        (Some(typed), _) => {
            let mut text = typed_line(app, &format!("{} = ", setting.key), &typed.text);
            let (hint, token) = match &typed.refused {
                Some(why) => (format!("   ✗ {why}"), Token::Error),
                None if setting.choices.is_empty() => (String::new(), Token::Muted),
                None => (format!("   {}", setting.choices.join(", ")), Token::Muted),
            };
            text.spans.push(Span::styled(hint, app.style(token)));
            text
        }
        (None, Some(Notice::Done(text))) => Line::styled(format!("✓ {text}"), app.style(Token::Good)),
        (None, Some(Notice::Refused(text))) => Line::styled(format!("✗ {text}"), app.style(Token::Error)),
        (None, None) => Line::default(),
    };
    line(buffer, rest, below - 1, &said);
    footnote(app, inner, &format!(" {}/{} ", panel.chosen + 1, app.settings.len()), buffer);
}

fn row_of(app: &App, setting: &Setting, width: usize) -> Line<'static> {
    let now = value(app, setting);
    let shown = match &setting.next {
        Some(next) => format!("{now} → {next}"),
        None if now.is_empty() => "–".to_owned(),
        None => now.clone(),
    };
    let changed = setting.next.is_some() || now != setting.value;
    let (origin, token) = if changed { ("changed", Token::Accent) } else { (setting.origin.name(), Token::Muted) };
    // The default stands with the whole sentence, below the rows.
    let about = setting.about.split(" [default").next().unwrap_or_default();
    let about = clipped(about, width.saturating_sub(KEY + VALUE + ORIGIN + 1));
    Line::from(vec![
        Span::styled(format!(" {:<KEY$}", setting.key), app.style(Token::Key)),
        Span::styled(format!("{:<VALUE$}", clipped(&shown, VALUE - 1)), app.style(Token::Text)),
        Span::styled(format!("{origin:<ORIGIN$}"), app.style(token)),
        Span::styled(about, app.style(Token::Muted)),
    ])
}
