//! The help: every binding in force by context, the knobs, the signs.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Place, footnote, window};
use crate::ui::action::Context;
use crate::ui::knob::Knob;
use crate::ui::panes::line;
use crate::ui::state::App;
use crate::ui::theme::Token;

/// Signs whose meaning the help explains.
const LEGEND: [(&str, &str); 12] = [
    ("✓ …", "an eigenpair within, or not yet within, the tolerance"),
    ("±", "95 % interval; for λ the residual"),
    ("━ ╍ ┈ ◇ ○ △", "curves are told apart by stroke and sign as well as by colour"),
    ("◆ B", "a curve of the session compared"),
    ("≈", "in the map over k and σ: the draws confirm the closed form"),
    ("┼ ◆ ⚠", "on the time line: a stage begins, knobs are turned, a warning"),
    ("‖g^(n)‖", "how far w* is from a minimiser, where the theory has 0"),
    ("agrees", "the interval holds what theory gives; slower, faster: it does not"),
    ("× random", "how many times the share of as many random directions"),
    ("share", "part of the increment's variance in the subspace"),
    ("recomputing", "figures of former knobs, until the new ones come"),
    ("U frozen", "the eigenspace of the n shown, for smaller n too"),
];

/// Draw it, scrolled by some lines.
pub fn help(app: &App, scrolled: usize, area: Rect, buffer: &mut Buffer) {
    let lines = lines(app);
    let inner = window(app, " Help ", Place::Middle, (84, lines.len() as u16 + 2), area, buffer);
    // The last screenful is as far as it goes.
    let first = scrolled.min(lines.len().saturating_sub(usize::from(inner.height)));
    for (row, text) in lines.iter().skip(first).take(usize::from(inner.height)).enumerate() {
        line(buffer, inner, row as u16, text);
    }
    if first + usize::from(inner.height) < lines.len() {
        footnote(app, inner, " ↓ more ", buffer);
    }
}

fn lines(app: &App) -> Vec<Line<'static>> {
    let heading = |text: &'static str| Line::styled(text, app.style(Token::TitleFocus));
    let entry = |left: String, right: &str| {
        Line::from(vec![
            Span::styled(format!("  {left:<18}"), app.style(Token::Key)),
            Span::styled(right.to_owned(), app.style(Token::Text)),
        ])
    };
    let mut lines = Vec::new();
    for context in Context::ALL {
        lines.push(heading(context.heading()));
        // An action without a key is found in the palette.
        let bound = app.keymap.held(std::slice::from_ref(&context)).filter(|b| !b.chords.is_empty());
        lines.extend(bound.map(|b| entry(b.written(), b.binding.description)));
        lines.push(Line::default());
    }
    lines.push(heading("Knobs"));
    lines.extend(Knob::ALL.map(|k| entry(k.name().to_owned(), k.meaning())));
    lines.push(Line::default());
    lines.push(heading("Signs"));
    lines.extend(LEGEND.map(|(sign, meaning)| entry(sign.to_owned(), meaning)));
    lines.push(entry("mouse".into(), "click a pane, a knob or a row; drag a plot; hover over it to read"));
    lines.push(entry("wheel".into(), "over a knob, a plot, an axis or a list"));
    lines
}
