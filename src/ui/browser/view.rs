//! The list of sessions as it is drawn: a row each, and the chosen one with its description and a thumbnail of its
//! curves, which is its own dashboard made small.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph, Widget, Wrap};

use super::list::{Browser, Card, Field};
use crate::engine::readout::State;
use crate::math::format::{clock, size};
use crate::ui::action::{Action, Context};
use crate::ui::panes::{self, line};
use crate::ui::screen::Hits;
use crate::ui::state::{App, Freshness, Notice, Pane};
use crate::ui::theme::Token;

/// Columns from which the chosen session stands beside the list, not below it.
const BESIDE: u16 = 110;

/// Draw the list over the dashboard; header and footer stay. Its rows can be pointed at.
pub fn draw(app: &App, browser: &Browser, area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let area = Rect { y: area.y + 1, height: area.height.saturating_sub(2), ..area };
    Clear.render(area, buffer);
    buffer.set_style(area, app.style(Token::Ground));
    let shown = browser.shown();
    let count = match (shown.len(), browser.cards.len()) {
        (some, all) if some < all => format!("{some} of {all} "),
        (_, all) => format!("{all} "),
    };
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(app.style(Token::BorderFocus))
        .title(Line::from(vec![
            Span::styled(" Sessions ", app.style(Token::TitleFocus)),
            Span::styled(count, app.style(Token::Muted)),
        ]))
        .padding(Padding::horizontal(1));
    let inner = block.inner(area);
    block.render(area, buffer);
    let [above, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(1)]).areas(inner);
    let [list, _, chosen] = match inner.width >= BESIDE {
        true => Layout::horizontal([Constraint::Fill(6), Constraint::Length(2), Constraint::Fill(5)]).areas(above),
        false => Layout::vertical([Constraint::Fill(1), Constraint::Length(1), Constraint::Fill(1)]).areas(above),
    };
    rows(app, browser, &shown, list, buffer, hits);
    if let Some((_, card)) = browser.chosen() {
        details(app, card, chosen, buffer);
    }
    line(buffer, below, 0, &bottom(app, browser));
}

/// The sessions, the chosen one always in sight.
fn rows(app: &App, browser: &Browser, shown: &[&Card], area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let muted = app.style(Token::Muted);
    if shown.is_empty() {
        let what = match browser.cards.is_empty() {
            true => "Nothing is recorded yet. Every run of eigentop records itself; come back after one.",
            false => "No session has these words.",
        };
        return Paragraph::new(what).style(muted).wrap(Wrap { trim: true }).render(area, buffer);
    }
    let longest = shown.iter().map(|c| c.name.chars().count()).max().unwrap_or(0).clamp(7, 32);
    let heading =
        format!("  {:<longest$}  {:<16}  {:>3} {:>4} {:>9}  tags", "session", "started (UTC)", "n", "k", "size");
    line(buffer, area, 0, &Line::styled(heading, muted));
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let at = browser.chosen().map_or(0, |(at, _)| at);
    let first = (at + 1).saturating_sub(height);
    for (row, (i, card)) in shown.iter().enumerate().skip(first).take(height).enumerate() {
        let (n, k) = card.knobs.map_or(("–".into(), "–".into()), |(n, k)| (n.to_string(), k.to_string()));
        let name: String = card.name.chars().take(longest).collect();
        let started: String = card.started.chars().take(16).collect();
        let pointer = if i == at { "▸" } else { " " };
        let text = format!("{pointer} {name:<longest$}  {started:<16}  {n:>3} {k:>4} {:>9}  ", size(card.bytes));
        let style = if i == at { app.style(Token::Selected) } else { app.style(Token::Text) };
        let spans = vec![Span::styled(text, style), Span::styled(hashed(&card.tags), app.style(Token::Accent))];
        line(buffer, area, row as u16 + 1, &Line::from(spans));
        hits.rows.push((Rect { y: area.y + row as u16 + 1, height: 1, ..area }.intersection(area), i));
    }
}

fn hashed(tags: &[String]) -> String {
    tags.iter().map(|t| format!("#{t} ")).collect()
}

/// What the chosen session is, and what its curves look like.
fn details(app: &App, card: &Card, area: Rect, buffer: &mut Buffer) {
    let (muted, text) = (app.style(Token::Muted), app.style(Token::Text));
    let mut lines = vec![Line::from(vec![
        Span::styled(card.name.clone(), app.style(Token::TitleFocus)),
        Span::styled(format!("  {} · {} events", card.subject, card.events), muted),
    ])];
    if let Some(branch) = &card.branched_from {
        lines.push(Line::styled(format!("goes on from {} at {}", branch.session, clock(branch.t)), muted));
    }
    lines.push(match card.note.as_str() {
        "" => {
            let key = app.keymap.key(Context::Sessions, Action::Note);
            Line::styled(format!("no note; {key} writes one"), app.style(Token::Faint))
        }
        note => Line::styled(note.to_owned(), text),
    });
    if !card.tags.is_empty() {
        lines.push(Line::styled(hashed(&card.tags), app.style(Token::Accent)));
    }
    let preview = app.previews.get(&card.name);
    if let Some(Ok(still)) = preview {
        let r = &still.readout;
        let how_far = if r.state == State::Idle { "complete" } else { "stopped" };
        let warnings = match r.warnings.len() {
            0 => String::new(),
            1 => "  ⚠ 1 warning".to_owned(),
            more => format!("  ⚠ {more} warnings"),
        };
        lines.push(Line::styled(format!("{how_far} after {}{warnings}", clock(r.t)), muted));
    }
    for (row, text) in lines.iter().enumerate() {
        line(buffer, area, row as u16, text);
    }
    let used = (lines.len() as u16 + 1).min(area.height);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    match preview {
        None => line(buffer, below, 0, &Line::styled("reading …", muted)),
        Some(Err(why)) => {
            Paragraph::new(why.as_str()).style(app.style(Token::Error)).wrap(Wrap { trim: true }).render(below, buffer)
        }
        Some(Ok(still)) => thumbnail(still, below, buffer),
    }
}

/// The session's panes, as many as there is room for.
fn thumbnail(still: &App, area: Rect, buffer: &mut Buffer) {
    /// Columns and rows that a pane needs to show its curves well, and rows with which it shows them at all.
    const PANE: (u16, u16, u16) = (44, 13, 7);
    let mut plots = Vec::new();
    let across = usize::from(area.width / PANE.0).clamp(1, 2);
    let down = usize::from((area.height / PANE.1).max(u16::from(area.height >= PANE.2))).min(4 / across);
    // Wide and low: side by side; narrow and high: the same panes one below the other.
    let mut panes = Pane::ALL;
    panes.sort_by_key(|pane| still.freshness(*pane) == Freshness::Awaited);
    let rows = Layout::vertical(vec![Constraint::Fill(1); down]).split(area);
    let mut panes = panes.into_iter();
    for row in rows.iter() {
        for (cell, pane) in Layout::horizontal(vec![Constraint::Fill(1); across]).split(*row).iter().zip(panes.by_ref())
        {
            panes::draw(still, pane, *cell, buffer, &mut plots);
        }
    }
}

/// The line being typed, what went wrong or well, or the search in force.
fn bottom(app: &App, browser: &Browser) -> Line<'static> {
    match (&browser.line, &app.view.notice) {
        (Some((field, text)), _) => {
            let label = match field {
                Field::Search => "search",
                Field::Note => "note",
                Field::Tags => "tags",
            };
            Line::from(vec![
                Span::styled(format!("{label} = "), app.style(Token::Muted)),
                Span::styled(text.clone(), app.style(Token::Text)),
                Span::styled(" ", app.style(Token::Selected)),
            ])
        }
        (None, Some(Notice::Done(text))) => Line::styled(format!("✓ {text}"), app.style(Token::Good)),
        (None, Some(Notice::Refused(text))) => Line::styled(format!("✗ {text}"), app.style(Token::Error)),
        (None, None) if !browser.search.is_empty() => {
            Line::styled(format!("search = {}", browser.search), app.style(Token::Muted))
        }
        (None, None) => Line::default(),
    }
}
