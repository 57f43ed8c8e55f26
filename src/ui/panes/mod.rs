//! The panes: each draws one question's answer from the readout, with a sentence that says what to look at.

pub mod estimators;
pub mod proxy;
pub mod ratio;
pub mod spectrum;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph, Widget, Wrap};

use crate::engine::event::Stage;
use crate::engine::readout::{Standing, State};

use super::plot::Ink;
use super::state::{App, Freshness, Pane};
use super::theme::Token;

/// Draw `pane` with its border, title and reading.
pub fn draw(app: &App, pane: Pane, area: Rect, buffer: &mut Buffer) {
    let focused = app.view.focus == pane;
    let (border, title) = match focused {
        true => (Token::BorderFocus, Token::TitleFocus),
        false => (Token::Border, Token::Title),
    };
    let freshness = app.freshness(pane);
    // The focus shows without colour too: by its arrow and a heavier line.
    let pointer = if focused { "▸" } else { " " };
    let (name, subject, reading) = match pane {
        Pane::Spectrum => (pane.name(), spectrum::subject(app), spectrum::reading(app)),
        Pane::Ratio => (pane.name(), ratio::subject(app), ratio::reading(app)),
        Pane::Proxy => (pane.name(), proxy::subject(app), proxy::reading(app)),
        Pane::Estimators => (pane.name(), estimators::subject(app), estimators::reading(app)),
    };
    let mut block = Block::bordered()
        .border_type(if focused { BorderType::Thick } else { BorderType::Rounded })
        .border_style(app.style(border))
        .padding(Padding::horizontal(1))
        .title(Line::from(vec![
            Span::styled(format!("{pointer}{} {name} ", pane.index() + 1), app.style(title)),
            Span::styled(format!("{subject} "), app.style(Token::Muted)),
        ]));
    if freshness == Freshness::Stale {
        block = block.title(Line::styled(" recomputing ", app.style(Token::Warning)).right_aligned());
    }
    let inner = block.inner(area);
    block.render(area, buffer);
    if freshness == Freshness::Awaited {
        return awaited(app, pane, inner, buffer);
    }
    let lines = match reading {
        Some(text) if inner.height >= 8 => {
            let lines = wrapped(&text, inner.width);
            let below = Rect { y: inner.bottom() - lines.len() as u16, height: lines.len() as u16, ..inner };
            for (i, text) in lines.iter().enumerate() {
                line(buffer, below, i as u16, &Line::styled(text.as_str(), app.style(Token::Muted)));
            }
            lines.len() as u16 + 1
        }
        _ => 0,
    };
    let content = Rect { height: inner.height.saturating_sub(lines), ..inner };
    match pane {
        Pane::Spectrum => spectrum::draw(app, content, buffer),
        Pane::Ratio => ratio::draw(app, content, buffer),
        Pane::Proxy => proxy::draw(app, content, buffer),
        Pane::Estimators => estimators::draw(app, content, buffer),
    }
    if freshness == Freshness::Stale {
        dim(app, content, buffer);
    }
}

/// Dim what stands in `area`; what recedes already stays, so that bands and curves remain apart.
fn dim(app: &App, area: Rect, buffer: &mut Buffer) {
    let receding = [Token::Faint, Token::Band].map(|t| app.style(t).fg);
    for position in area.positions() {
        let cell = &mut buffer[position];
        if app.style(Token::Stale).fg.is_none() || !receding.contains(&Some(cell.fg)) {
            cell.set_style(app.style(Token::Stale));
        }
    }
}

/// At most two lines of at most `width` columns.
fn wrapped(text: &str, width: u16) -> Vec<String> {
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
    lines.truncate(2);
    lines
}

/// What is awaited, and how far it is.
fn awaited(app: &App, pane: Pane, area: Rect, buffer: &mut Buffer) {
    let n = app.wanted.n;
    let (stage, what) = match pane {
        Pane::Spectrum => (Stage::Subspace, format!("The first eigenvalue estimates of H^({n}) come here.")),
        Pane::Ratio => (
            Stage::Coefficients,
            format!("J_sub/J_full comes here, once the eigenspace of H^({n}) and the coefficients on it are known."),
        ),
        Pane::Proxy => (
            Stage::Sweeps,
            "The error of the quadratic model against σ comes here, once the sweep along random directions begins."
                .into(),
        ),
        Pane::Estimators => (
            Stage::Coefficients,
            "Direct, quadratic and closed-form estimates come here, once the coefficients are known.".into(),
        ),
    };
    let progress = match &app.readout.state {
        _ if pane == Pane::Spectrum && app.readout.eigenspace.is_some() => {
            format!("The law {} needs no eigensolver.", app.wanted.law)
        }
        State::Failed(_) => "Computing stopped before it.".to_owned(),
        State::Loading => "Reading the checkpoint …".to_owned(),
        _ => match app.readout.stages.iter().find(|(_, s)| s.standing == Standing::Running) {
            Some((now, s)) if *now == stage => format!("{now} {}/{} …", s.done, s.total),
            Some((now, s)) => format!("waiting for {stage}; now {now} {}/{}", s.done, s.total),
            None => format!("waiting for {stage}"),
        },
    };
    let lines = vec![Line::styled(what, app.style(Token::Muted)), Line::styled(progress, app.style(Token::Text))];
    let middle = Rect { y: area.y + area.height.saturating_sub(4) / 2, ..area }.intersection(area);
    Paragraph::new(lines).wrap(Wrap { trim: true }).centered().render(middle, buffer);
}

/// Write one line in `area`; outside it nothing is written.
pub fn line(buffer: &mut Buffer, area: Rect, row: u16, line: &Line) {
    let area = area.intersection(*buffer.area());
    if row < area.height && area.width > 0 {
        buffer.set_line(area.x, area.y + row, line, area.width);
    }
}

/// What this dashboard's plots are drawn with.
pub fn ink(app: &App) -> Ink {
    Ink { marker: app.marker, axis: app.style(Token::Faint), label: app.style(Token::Muted) }
}

/// `count` values from `low` to `high`, evenly spaced in the logarithm.
pub fn log_grid(low: f64, high: f64, count: usize) -> impl Iterator<Item = f64> {
    let (low, high) = (low.ln(), high.ln());
    (0..count).map(move |i| (low + (high - low) * i as f64 / (count - 1).max(1) as f64).exp())
}
