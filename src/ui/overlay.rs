//! What opens on demand: the help, the log, the question how to leave.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Padding, Paragraph, Widget, Wrap};

use crate::engine::event::Level;

use super::action::{BINDINGS, Binding, Context};
use super::knob::Knob;
use super::panes::line;
use super::state::{App, Log};
use super::theme::Token;
use crate::math::format::clock;

/// Signs whose meaning the help explains.
const LEGEND: [(&str, &str); 9] = [
    ("✓ …", "an eigenpair within, or not yet within, the tolerance"),
    ("±", "95 % interval; for λ the residual"),
    ("━ ╍ ┈ ◇ ○ △", "curves are told apart by stroke and sign as well as by colour"),
    ("◆ B", "a curve of the session compared"),
    ("≈", "in the map over k and σ: the draws confirm the closed form"),
    ("┼ ◆ ⚠", "on the time line: a stage begins, knobs are turned, a warning"),
    ("share", "part of the increment's variance in the subspace"),
    ("recomputing", "figures of former knobs, until the new ones come"),
    ("U frozen", "the eigenspace of the n shown, for smaller n too"),
];

/// The help: every binding of the table by context, the knobs, the signs.
pub fn help(app: &App, scrolled: usize, area: Rect, buffer: &mut Buffer) {
    let lines = help_lines(app);
    let inner = window(app, " Help ", (78, lines.len() as u16 + 2), area, buffer);
    // The last screenful is as far as it goes.
    let first = scrolled.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (row, text) in lines.iter().skip(first).take(usize::from(inner.height)).enumerate() {
        line(buffer, inner, row as u16, text);
    }
    if first + usize::from(inner.height) < lines.len() {
        let below = Rect { x: inner.right().saturating_sub(9), width: 9, y: inner.bottom(), height: 1 };
        line(buffer, below, 0, &Line::styled(" ↓ more ", app.style(Token::Key)));
    }
}

fn help_lines(app: &App) -> Vec<Line<'static>> {
    let heading = |text: &'static str| Line::styled(text, app.style(Token::TitleFocus));
    let entry = |left: String, right: &str| {
        Line::from(vec![
            Span::styled(format!("  {left:<18}"), app.style(Token::Key)),
            Span::styled(right.to_owned(), app.style(Token::Text)),
        ])
    };
    let keys = |b: &Binding| b.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join("  ");
    let mut lines = Vec::new();
    for context in Context::ALL {
        lines.push(heading(context.heading()));
        lines.extend(BINDINGS.iter().filter(|b| b.context == context).map(|b| entry(keys(b), b.description)));
        lines.push(Line::default());
    }
    lines.push(heading("Knobs"));
    lines.extend(Knob::ALL.map(|k| entry(k.name().to_owned(), k.meaning())));
    lines.push(Line::default());
    lines.push(heading("Signs"));
    lines.extend(LEGEND.map(|(sign, meaning)| entry(sign.to_owned(), meaning)));
    lines.push(entry(
        "mouse".into(),
        "click a pane or knob; wheel over a knob, a plot or an axis; drag a plot; hover to read",
    ));
    lines
}

/// The question how to leave while computing.
pub fn leaving(app: &App, area: Rect, buffer: &mut Buffer) {
    let inner = window(app, " Leave? ", (68, 7), area, buffer);
    let mut lines = vec![Line::styled("Computing is not done.", app.style(Token::Text)), Line::default()];
    for binding in BINDINGS.iter().filter(|b| b.context == Context::Leaving) {
        lines.push(Line::from(vec![
            Span::styled(format!("  {}  ", binding.keys[0]), app.style(Token::Key)),
            Span::styled(format!("{:<8}", binding.label), app.style(Token::Text)),
            Span::styled(binding.description, app.style(Token::Muted)),
        ]));
    }
    Paragraph::new(lines).render(inner, buffer);
}

/// A cleared window in the middle; returns its inside.
fn window(app: &App, title: &str, (width, height): (u16, u16), area: Rect, buffer: &mut Buffer) -> Rect {
    let (width, height) = (width.min(area.width.saturating_sub(2)), height.min(area.height.saturating_sub(2)));
    let spot = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
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
