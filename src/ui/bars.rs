//! The one-line bars: header, place in a recording, message, knobs, footer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::readout::{Readout, StageState, Standing, State};

use super::action::{Action, Context};
use super::key::written;
use super::knob::Knob;
use super::panes::line;
use super::playback::{Mark, Motion, Playback};
use super::screen::Hits;
use super::state::{App, Feed, Held, Notice, Overlay, Pace, Purpose, Stay, Typing};
use super::theme::Token;
use crate::math::format::{clock, count, number, span};

/// Columns from which the header has room for rates.
const ROOMY: u16 = 100;

/// How much of the progress is told.
#[derive(Clone, Copy, PartialEq)]
enum Telling {
    /// How far it is and how long it takes.
    Short,
    /// How fast it is too.
    Full,
}

/// What is looked at, and what the worker is doing.
pub fn header(app: &App, area: Rect, buffer: &mut Buffer) {
    let status = status(app, if area.width < ROOMY { Telling::Short } else { Telling::Full });
    let width = status.width() as u16;
    let room = area.width.saturating_sub(width + 13);
    let mut parts = Vec::new();
    if let Some(s) = &app.readout.subject {
        parts.push(s.name.clone());
        parts.extend(gradient(&app.readout));
        parts.extend(app.compared.as_ref().map(|c| format!("B: {}", c.name)));
        parts.extend([format!("seed {}", app.wanted.seed), s.model.clone()]);
        parts.extend([format!("{} parameters", count(s.parameters as f64)), format!("{} {}", s.device, s.precision)]);
    }
    parts.extend(app.name.as_ref().map(|name| format!("session {name}")));
    // Whole parts only, as many as fit.
    let mut text = String::new();
    for part in parts {
        let longer = if text.is_empty() { part } else { format!("{text} · {part}") };
        if longer.chars().count() > usize::from(room) {
            break;
        }
        text = longer;
    }
    let left = Line::from(vec![
        Span::styled(" eigentop  ", app.style(Token::Accent)),
        Span::styled(text, app.style(Token::Muted)),
    ]);
    line(buffer, area, 0, &left);
    let right = Rect { x: area.right().saturating_sub(width + 1), width: width.min(area.width), ..area };
    line(buffer, right, 0, &status);
}

/// ‖g^(n)‖, which the theory takes for 0: of the n on the screen, or of the last point of a growth run.
fn gradient(readout: &Readout) -> Option<String> {
    let here = readout.here().and_then(|at| at.gradients).map(|g| (readout.shown_n(), g.grad_norm));
    let (n, norm) = here.or_else(|| readout.growth_points().last().map(|p| (p.n, p.grad_norm)))?;
    Some(format!("‖g^({n})‖ {}", number(norm, 2)))
}

fn status(app: &App, telling: Telling) -> Line<'static> {
    if !app.has_board() {
        return Line::default();
    }
    let text = app.style(Token::Text);
    let readout = &app.readout;
    let mut spans = match &app.feed {
        Feed::Replay(p) => {
            let sign = if p.motion == Motion::Playing { "▶" } else { "‖" };
            vec![Span::styled(format!("{sign} replay {}×  ", p.speed), app.style(Token::Accent))]
        }
        Feed::Live(Pace::Paused) if app.busy() => vec![Span::styled("‖ paused  ", app.style(Token::Warning))],
        Feed::Live(_) => Vec::new(),
    };
    match &readout.state {
        State::Failed(_) => spans.push(Span::styled("✗ failed", app.style(Token::Error))),
        State::Idle => spans.push(Span::styled(format!("✓ complete · {}", clock(readout.t)), app.style(Token::Good))),
        State::Loading => spans.push(Span::styled("● loading", app.style(Token::Accent))),
        State::Running(stage) => {
            spans.push(Span::styled("● ", app.style(Token::Accent)));
            match readout.stages.get(stage).filter(|s| s.total > 0) {
                Some(s) => spans.extend(progress(app, *stage, s, telling)),
                None => spans.push(Span::styled(stage.to_string(), text)),
            }
        }
    }
    Line::from(spans)
}

fn progress(app: &App, stage: Stage, s: &StageState, telling: Telling) -> Vec<Span<'static>> {
    const CELLS: usize = 8;
    let part = (s.done as f64 / s.total as f64).clamp(0.0, 1.0);
    let eighths = (part * (8 * CELLS) as f64).round() as usize;
    let bar: String = (0..CELLS)
        .map(|i| [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'][eighths.saturating_sub(8 * i).min(8)])
        .collect();
    let mut spans = vec![
        Span::styled(format!("{stage} {}/{}  ", s.done, s.total), app.style(Token::Text)),
        Span::styled("▕", app.style(Token::Faint)),
        Span::styled(bar, app.style(Token::Accent)),
        Span::styled("▏", app.style(Token::Faint)),
    ];
    let mut facts = Vec::new();
    if telling == Telling::Full && s.work.seconds > 0.0 {
        // Products are the work of the first stages; later ones take a few beside their many forward passes.
        if s.work.hvps > s.work.passes {
            facts.push(format!("{} HVP/s", number(s.work.hvps / s.work.seconds, 3)));
        } else if s.work.passes > 0.0 {
            facts.push(format!("{} passes/s", number(s.work.passes / s.work.seconds, 3)));
        }
    }
    if s.done > 0 && s.done < s.total {
        facts.push(format!("{} left", clock(s.work.seconds * (1.0 / part - 1.0))));
    }
    spans.push(Span::styled(format!("  {}", facts.join("  ")), app.style(Token::Muted)));
    spans
}

/// The place in a recording; nothing while computing.
pub fn place(app: &App, area: Rect, buffer: &mut Buffer) {
    if let Feed::Replay(playback) = &app.feed {
        line(buffer, area, 0, &track(app, playback, area.width));
    }
}

fn track(app: &App, p: &Playback, width: u16) -> Line<'static> {
    let (shown, events) = p.place();
    let left = format!("  {} ", clock(p.position));
    let right = format!(" {}  event {shown}/{events}", clock(p.duration()));
    let cells = usize::from(width).saturating_sub(left.chars().count() + right.chars().count() + 1).max(1);
    let cell = |t: f64| {
        let part = if p.duration() > 0.0 { t / p.duration() } else { 1.0 };
        (part.clamp(0.0, 1.0) * (cells - 1) as f64).round() as usize
    };
    let at = cell(p.position);
    let mut track: Vec<(char, Token)> =
        (0..cells).map(|i| if i < at { ('━', Token::Accent) } else { ('─', Token::Faint) }).collect();
    // Where several moments share a cell, the most pressing shows.
    let mut marks = p.marks().to_vec();
    marks.sort_by_key(|(_, mark)| *mark);
    for (t, mark) in marks {
        let token = match mark {
            Mark::Stage(_) if cell(t) < at => Token::Accent,
            Mark::Stage(_) => Token::Muted,
            Mark::Knobs => Token::Text,
            Mark::Warning => Token::Warning,
        };
        track[cell(t)] = (mark.sign(), token);
    }
    track[at] = ('●', Token::Accent);
    let mut spans = vec![Span::styled(left, app.style(Token::Text))];
    for run in track.chunk_by(|a, b| a.1 == b.1) {
        spans.push(Span::styled(run.iter().map(|(sign, _)| sign).collect::<String>(), app.style(run[0].1)));
    }
    spans.push(Span::styled(right, app.style(Token::Muted)));
    Line::from(spans)
}

/// What a newcomer is told at the first start, until a few keys were pressed: whole parts, as many as fit beside the
/// number of warnings.
fn first_look(app: &App, width: u16) -> Line<'static> {
    let key = |action| app.keymap.key(Context::Board, action);
    let turn = [Action::Decrease, Action::Increase].map(|action| app.keymap.key(Context::Live, action)).concat();
    let [knob, view, pane, read, help, log] =
        [Action::NextKnob, Action::NextView, Action::NextPane, Action::Crosshair, Action::Help, Action::Log].map(key);
    let warnings = match app.readout.warnings.len() {
        0 => String::new(),
        count => format!("  ⚠ {count} ({log})"),
    };
    let room = usize::from(width).saturating_sub(warnings.chars().count());
    let mut text = format!("First look? {turn} turn σ, {help} lists all keys");
    for part in [
        format!("{view} shows other views"),
        format!("{pane} goes to more panes"),
        format!("{knob} goes to n, k and S"),
        format!("{read} reads values"),
    ] {
        let longer = format!("{text}, {part}");
        if longer.chars().count() < room {
            text = longer;
        }
    }
    Line::from(vec![
        Span::styled(text + ".", app.style(Token::Accent)),
        Span::styled(warnings, app.style(Token::Warning)),
    ])
}

/// The most pressing of: what is typed, a notice, a failure, warnings; else what the chosen knob is.
pub fn message(app: &App, area: Rect, buffer: &mut Buffer) {
    let pad = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let readout = &app.readout;
    let text = match (&app.view.overlay, &app.view.notice, &readout.state) {
        (Overlay::Typing(typing), ..) => typed(app, typing),
        (_, Some(Notice::Done(text)), _) => Line::styled(format!("✓ {text}"), app.style(Token::Good)),
        (_, Some(Notice::Refused(text)), _) => Line::styled(format!("✗ {text}"), app.style(Token::Error)),
        (_, _, State::Failed(text)) => Line::styled(format!("✗ {text}"), app.style(Token::Error)),
        _ if app.view.hint > 0 => first_look(app, pad.width),
        _ if !readout.warnings.is_empty() => warnings(app, readout, pad.width),
        _ => Line::styled(format!("{}: {}", app.view.knob.name(), app.view.knob.meaning()), app.style(Token::Faint)),
    };
    line(buffer, pad, 0, &text);
    if text.width() > usize::from(pad.width) && pad.width > 0 {
        buffer[(pad.right() - 1, pad.y)].set_symbol("…");
    }
}

/// As many warnings as fit, and how many more there are.
fn warnings(app: &App, readout: &Readout, width: u16) -> Line<'static> {
    let messages: Vec<&String> = readout.warnings.values().collect();
    let mut text = format!("⚠ {}", messages[0]);
    for (i, message) in messages.iter().enumerate().skip(1) {
        let longer = format!("{text}  ⚠ {message}");
        if longer.chars().count() + 12 > usize::from(width) {
            let log = app.keymap.key(Context::Board, Action::Log);
            let more = format!("  +{} ({log})", messages.len() - i);
            let room = usize::from(width).saturating_sub(more.chars().count());
            if text.chars().count() > room {
                text = text.chars().take(room.saturating_sub(1)).chain(['…']).collect();
            }
            text += &more;
            break;
        }
        text = longer;
    }
    Line::styled(text, app.style(Token::Warning))
}

fn typed(app: &App, typing: &Typing) -> Line<'static> {
    let (label, hint) = match typing.purpose {
        Purpose::Name => ("save as".to_owned(), "a name for this session".to_owned()),
        Purpose::Value(knob) => {
            let now = format!("now {}", knob.value(&app.wanted));
            (knob.name().to_owned(), knob.choices().map_or(now.clone(), |c| format!("{now}; {c}")))
        }
    };
    let after = match &typing.refused {
        Some(why) => Span::styled(format!("   ✗ {why}"), app.style(Token::Error)),
        None => Span::styled(format!("   {hint}"), app.style(Token::Muted)),
    };
    Line::from(vec![
        Span::styled(format!("{label} = "), app.style(Token::Muted)),
        Span::styled(typing.text.clone(), app.style(Token::Text)),
        Span::styled(" ", app.style(Token::Selected)),
        after,
    ])
}

/// The knobs; the chosen one between arrows.
pub fn knobs(app: &App, area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let entry = |knob: Knob| {
        let value = knob.value(&app.wanted);
        if knob == app.view.knob {
            format!(" {} ◂ {value} ▸ ", knob.name())
        } else {
            format!(" {} {value} ", knob.name())
        }
    };
    let entries: Vec<(Knob, String)> = Knob::BAR.into_iter().map(|k| (k, entry(k))).collect();
    let length: usize = entries.iter().map(|(_, e)| e.chars().count()).sum();
    let seconds = stage_seconds(app);
    let reserved = seconds.width() as u16 + 1;
    // Spread where there is room, also beside the stages; close together where there is little.
    let room = usize::from(area.width).saturating_sub(length + 1);
    let beside = room.saturating_sub(usize::from(reserved)) / entries.len();
    let gap = (if beside > 0 { beside } else { room / entries.len() }).min(3) as u16;
    let mut x = area.x;
    for (knob, text) in entries {
        let width = (text.chars().count() as u16).min(area.right().saturating_sub(x));
        let spot = Rect { x, width, ..area };
        let style = if knob == app.view.knob { Token::Selected } else { Token::Text };
        line(buffer, spot, 0, &Line::styled(text, app.style(style)));
        if width > 0 {
            hits.knobs.push((spot, knob));
        }
        x = (x + width + gap).min(area.right());
    }
    if x + reserved <= area.right() {
        line(buffer, Rect { x: area.right() - reserved, width: reserved, ..area }, 0, &seconds);
    }
}

/// Seconds of the three stages that cost; a dot marks the one under way.
fn stage_seconds(app: &App) -> Line<'static> {
    let stages = [(Stage::Subspace, "I"), (Stage::Coefficients, "II"), (Stage::Evaluate, "III")];
    let spent = stages.into_iter().filter_map(|(stage, name)| {
        let state = app.readout.stages.get(&stage).filter(|s| s.work.seconds > 0.0)?;
        let mark = if state.standing == Standing::Running { "●" } else { "" };
        Some(format!("{mark}{name} {}", span(state.work.seconds)))
    });
    Line::styled(spent.collect::<Vec<_>>().join(" · "), app.style(Token::Muted))
}

/// The contexts whose bindings hold now.
pub fn contexts(app: &App) -> &'static [Context] {
    match (&app.view.overlay, &app.feed) {
        (Overlay::Help(_), _) => Context::HELP,
        (Overlay::Leaving, _) => Context::LEAVING,
        (Overlay::Typing(_), _) => Context::TYPING,
        (Overlay::Sessions(browser), _) if browser.line.is_some() => Context::TYPING,
        (Overlay::Sessions(_), _) => Context::SESSIONS,
        (Overlay::Menu(_), _) => Context::MENU,
        (Overlay::Settings(panel), _) if panel.line.is_some() => Context::TYPING,
        (Overlay::Settings(_), _) => Context::SETTINGS,
        (Overlay::None, feed) if app.view.crosshair.is_some_and(|c| c.held == Held::Keys) => match feed {
            Feed::Live(_) => Context::CROSSHAIR_LIVE,
            Feed::Replay(_) => Context::CROSSHAIR_REPLAY,
        },
        (Overlay::None, Feed::Live(_)) => Context::LIVE,
        (Overlay::None, Feed::Replay(_)) => Context::REPLAY,
    }
}

/// The keys that hold now, as many as fit; after the beginning of a chord, those that may follow.
pub fn footer(app: &App, area: Rect, buffer: &mut Buffer) {
    let begun = &app.view.begun;
    if app.view.stay == Stay::UntilDone && begun.is_empty() {
        let text =
            format!(" leaving when all is done; {} to choose again", app.keymap.key(Context::Board, Action::Quit));
        return line(buffer, area, 0, &Line::styled(text, app.style(Token::Warning)));
    }
    let mut spans = vec![Span::raw(" ")];
    let keys = if begun.is_empty() {
        app.keymap.footer(contexts(app))
    } else {
        spans.push(Span::styled(format!("{} …   ", written(begun)), app.style(Token::Accent)));
        app.keymap.continuations(contexts(app), begun)
    };
    let mut used: usize = spans.iter().map(Span::width).sum();
    for (key, label) in keys {
        let width = key.chars().count() + label.chars().count() + 3;
        if used + width > usize::from(area.width) + 2 {
            break;
        }
        used += width;
        spans.push(Span::styled(key, app.style(Token::Key)));
        spans.push(Span::styled(format!(" {label}  "), app.style(Token::Muted)));
    }
    line(buffer, area, 0, &Line::from(spans));
}
