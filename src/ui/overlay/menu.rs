//! A list that typing narrows: commands, themes or presets.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Place, choose_row, clipped, first_shown, footnote, typed_line, window};
use crate::ui::menu::{Command, Entry, Kind, Menu};
use crate::ui::panes::line;
use crate::ui::screen::Hits;
use crate::ui::state::App;
use crate::ui::theme::Token;

/// Draw it; its rows can be pointed at.
pub fn menu(app: &App, menu: &Menu, area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let entries = menu.entries(app);
    let (title, place, width, most) = match menu.kind {
        Kind::Commands => (" Commands ", Place::Below, 96, 18),
        // Beside the dashboard rather than over it: it shows the chosen theme.
        Kind::Themes(_) => (" Themes ", Place::Right, 44, 24),
        Kind::Presets => (" Presets ", Place::Below, 76, 8),
    };
    let rows = match menu.kind {
        // Two lines more say what the chosen one is.
        Kind::Themes(_) => app.themes.len() + 2,
        Kind::Commands | Kind::Presets => entries.len().max(1),
    };
    let inner = window(app, title, place, (width, (rows.min(most) + 4) as u16), area, buffer);
    line(buffer, inner, 0, &typed_line(app, prompt(menu), &menu.text));
    line(buffer, inner, 1, &Line::styled("─".repeat(usize::from(inner.width)), app.style(Token::Border)));
    let mut list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner }.intersection(inner);
    if matches!(menu.kind, Kind::Themes(_)) {
        list.height = list.height.saturating_sub(2);
        about(app, menu, Rect { y: list.bottom(), height: 2, ..list }.intersection(inner), buffer);
    }
    if entries.is_empty() {
        return line(buffer, list, 0, &Line::styled("nothing of that name", app.style(Token::Muted)));
    }
    let chosen = menu.chosen.min(entries.len() - 1);
    let first = first_shown(chosen, entries.len(), list.height);
    let longest = entries.iter().map(|e| e.name.chars().count()).max().unwrap_or(0);
    for (row, (i, entry)) in (0..list.height).zip(entries.iter().enumerate().skip(first)) {
        let spot = Rect { y: list.y + row, height: 1, ..list };
        hits.rows.push((spot, i));
        let text = match menu.kind {
            Kind::Themes(_) => theme_row(app, entry, longest),
            Kind::Commands | Kind::Presets => row_of(app, entry, longest.min(22), usize::from(list.width)),
        };
        line(buffer, spot, 0, &text);
        if i == chosen {
            // A theme's own colours stay to be seen.
            let width = if matches!(menu.kind, Kind::Themes(_)) { longest as u16 + 2 } else { spot.width };
            choose_row(app, spot, width, buffer);
        }
    }
    footnote(app, inner, &format!(" {}/{} ", chosen + 1, entries.len()), buffer);
}

fn prompt(menu: &Menu) -> &'static str {
    match menu.kind {
        Kind::Commands => ": ",
        Kind::Themes(_) | Kind::Presets => "/ ",
    }
}

/// Name with the typed signs marked, what it does, and keys that do the same.
fn row_of(app: &App, entry: &Entry, longest: usize, width: usize) -> Line<'static> {
    let mut spans = vec![Span::raw(" ")];
    spans.extend(entry.name.chars().enumerate().map(|(i, sign)| {
        let marked = entry.marks.binary_search(&(i as u32)).is_ok();
        Span::styled(sign.to_string(), app.style(if marked { Token::Accent } else { Token::Text }))
    }));
    let pad = longest.saturating_sub(entry.name.chars().count()) + 2;
    let used = entry.name.chars().count() + pad + 1;
    let room = width.saturating_sub(used + entry.keys.chars().count() + 2);
    let about = clipped(&entry.about, room);
    let token = if about.starts_with('✗') { Token::Error } else { Token::Muted };
    spans.push(Span::raw(" ".repeat(pad)));
    spans.push(Span::styled(format!("{about:<room$} "), app.style(token)));
    spans.push(Span::styled(entry.keys.clone(), app.style(Token::Key)));
    Line::from(spans)
}

/// A theme's name and its curves on its ground.
fn theme_row(app: &App, entry: &Entry, longest: usize) -> Line<'static> {
    let mut spans = vec![Span::styled(format!(" {:<longest$}  ", entry.name), app.style(Token::Text))];
    if let Command::Theme(name) = &entry.command
        && let Ok(theme) = app.theme_called(name)
    {
        let ground = theme.get(Token::Ground);
        let curve = |i: usize| Span::styled(["━━", "╍╍", "┈┈"][i % 3], ground.patch(theme.get(Token::series(i))));
        spans.push(Span::styled(" Aa ", ground.patch(theme.get(Token::Text))));
        spans.extend((0..6).map(curve));
        spans.push(Span::styled(" ", ground));
    } else {
        spans.push(Span::styled("cannot be used", app.style(Token::Error)));
    }
    Line::from(spans)
}

/// What the chosen theme is, on two lines.
fn about(app: &App, menu: &Menu, area: Rect, buffer: &mut Buffer) {
    let about = menu.entry(app).map(|e| e.about).unwrap_or_default();
    let token = if about.starts_with('✗') { Token::Error } else { Token::Muted };
    let (mut lines, mut room) = (vec![String::new()], usize::from(area.width));
    for word in about.split(' ') {
        let length = word.chars().count() + 1;
        if room < length {
            (room, lines) = (usize::from(area.width), lines.into_iter().chain([String::new()]).collect());
        }
        room = room.saturating_sub(length);
        if let Some(last) = lines.last_mut() {
            *last += &format!("{word} ");
        }
    }
    for (row, text) in lines.iter().enumerate() {
        line(buffer, area, row as u16, &Line::styled(text.clone(), app.style(token)));
    }
}
