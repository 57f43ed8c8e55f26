//! The whole screen.
//!
//! How the panes share the middle is in [`layout`](super::layout).
//!
//! ```text
//! ┌ header: what is looked at ──────────── stage, progress, rate, time left ┐
//! │ tabs (where there is more than one page of panes)                       │
//! │ ╭ 1 Spectrum ─────────────────╮╭ 2 Ratio ────────────────────────────╮  │
//! │ ╰─────────────────────────────╯╰─────────────────────────────────────╯  │
//! │ ╭ 3 Proxy ────────────────────╮╭ 4 Estimators ───────────────────────╮  │
//! │ ╰─────────────────────────────╯╰─────────────────────────────────────╯  │
//! │ log (on demand)                                                         │
//! │ place in the recording (replay)                                         │
//! │ message: what is typed, notices, errors, warnings, the chosen knob      │
//! │ knobs                                                                   │
//! └ footer: keys ───────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::{Line, Span};

use super::bars;
use super::browser;
use super::knob::Knob;
use super::layout::{Preset, page, room};
use super::overlay;
use super::panes;
use super::plot::Placed;
use super::plot::raster::Marker;
use super::state::{App, Arrangement, Feed, Log, Overlay, Pane};
use super::theme::Token;

/// Smallest width and height on which the dashboard is drawn.
pub const SMALLEST: (u16, u16) = (40, 12);

/// What lies where on the screen, for the mouse.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hits {
    /// Panes, and tabs that lead to them.
    pub panes: Vec<(Rect, Pane)>,
    /// Knobs.
    pub knobs: Vec<(Rect, Knob)>,
    /// Plots, with the way back from cells to data.
    pub plots: Vec<(Pane, Placed)>,
    /// Rows of the list that lies over the dashboard, by their number.
    pub rows: Vec<(Rect, usize)>,
}

impl Hits {
    /// The pane at a place.
    pub fn pane(&self, x: u16, y: u16) -> Option<Pane> {
        find(&self.panes, x, y)
    }

    /// The knob at a place.
    pub fn knob(&self, x: u16, y: u16) -> Option<Knob> {
        find(&self.knobs, x, y)
    }

    /// The number of the row at a place.
    pub fn row(&self, x: u16, y: u16) -> Option<usize> {
        find(&self.rows, x, y)
    }
}

fn find<T: Copy>(hits: &[(Rect, T)], x: u16, y: u16) -> Option<T> {
    hits.iter().find(|(area, _)| area.contains(Position { x, y })).map(|(_, hit)| *hit)
}

/// Draw everything and say what lies where. Any size is safe.
pub fn draw(app: &App, buffer: &mut Buffer) -> Hits {
    let area = *buffer.area();
    let mut hits = Hits::default();
    buffer.set_style(area, app.style(Token::Ground));
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        match app.view.overlay {
            Overlay::Leaving => overlay::leaving_small(app, area, buffer),
            _ => too_small(app, area, buffer),
        }
    } else {
        board(app, area, buffer, &mut hits);
        match &app.view.overlay {
            Overlay::Help(scrolled) => overlay::help(app, *scrolled, area, buffer),
            Overlay::Leaving => overlay::leaving(app, area, buffer),
            Overlay::Sessions(browser) => browser::draw(app, browser, area, buffer, &mut hits),
            Overlay::Menu(menu) => overlay::menu(app, menu, area, buffer, &mut hits),
            Overlay::Settings(panel) => overlay::settings(app, panel, area, buffer, &mut hits),
            Overlay::None | Overlay::Typing(_) => {}
        }
    }
    if app.marker == Marker::Ascii {
        to_ascii(buffer);
    }
    hits
}

fn board(app: &App, area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let panes = app.view.panes();
    let room = match app.view.arrangement {
        Arrangement::Alone => 1,
        Arrangement::Together => room((area.width, area.height)),
    };
    let page = page(&panes, app.view.focus, room);
    let preset = Preset::of((area.width, area.height), page.len());
    let pages = panes.len().div_ceil(room);
    let log = match app.view.log {
        Log::Shown { .. } => (area.height / 3).min(10),
        Log::Hidden => 0,
    };
    let replay = u16::from(matches!(app.feed, Feed::Replay(_)));
    let [header, tabs, middle, log, place, message, knobs, footer] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(u16::from(pages > 1)),
        Constraint::Fill(1),
        Constraint::Length(log),
        Constraint::Length(replay),
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(1),
    ])
    .areas(area);
    bars::header(app, header, buffer);
    if pages > 1 {
        draw_tabs(app, &panes, page, tabs, buffer, hits);
    }
    for (pane, cell) in preset.arrange(middle, page) {
        hits.panes.push((cell, pane));
        panes::draw(app, pane, cell, buffer, &mut hits.plots);
    }
    overlay::log(app, log, buffer);
    bars::place(app, place, buffer);
    bars::message(app, message, buffer);
    bars::knobs(app, knobs, buffer, hits);
    bars::footer(app, footer, buffer);
}

/// The names of all panes: those on the page shown stand out, and a line parts one page from the next.
fn draw_tabs(app: &App, panes: &[Pane], page: &[Pane], area: Rect, buffer: &mut Buffer, hits: &mut Hits) {
    let tab = |pane: Pane, name: &str| {
        let pointer = if pane == app.view.focus { "▸" } else { " " };
        format!("{pointer}{} {name} ", pane.index() + 1)
    };
    let whole: usize = panes.iter().map(|pane| tab(*pane, pane.name()).chars().count() + 1).sum();
    let mut spans = vec![Span::raw(" ")];
    let mut x = area.x + 1;
    for (i, &pane) in panes.iter().enumerate() {
        // The page shown is set apart; what lies before or after it is not parted further.
        let begins_page = i > 0 && (page.first() == Some(&pane) || panes[i - 1] == page[page.len() - 1]);
        if begins_page && page.len() > 1 {
            spans.push(Span::styled("│", app.style(Token::Faint)));
            x += 1;
        }
        let chosen = pane == app.view.focus;
        let name = if chosen || whole <= usize::from(area.width) { pane.name() } else { "…" };
        let text = tab(pane, name);
        let width = text.chars().count() as u16;
        let spot = Rect { x, width, ..area }.intersection(area);
        // Tabs for which a narrow screen has no room lie nowhere.
        if !spot.is_empty() {
            hits.panes.push((spot, pane));
        }
        x = x.saturating_add(width);
        let token = match chosen {
            true => Token::TitleFocus,
            false if page.contains(&pane) => Token::Text,
            false => Token::Muted,
        };
        spans.push(Span::styled(text, app.style(token)));
    }
    panes::line(buffer, area, 0, &Line::from(spans));
}

fn too_small(app: &App, area: Rect, buffer: &mut Buffer) {
    let (width, height) = SMALLEST;
    let words = [
        "eigentop".to_owned(),
        format!("needs {width}×{height} cells;"),
        format!("here are {}×{}.", area.width, area.height),
        "Please enlarge.".to_owned(),
    ];
    for (row, text) in words.iter().enumerate() {
        panes::line(buffer, area, row as u16, &Line::styled(text.as_str(), app.style(Token::Text)));
    }
}

/// Put an ASCII sign for every other: one cell stays one cell.
fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let Some(sign) = cell.symbol().chars().next().filter(|c| !c.is_ascii()) else { continue };
        cell.set_char(match sign {
            '─' | '━' | '╍' | '┄' | '┈' | '–' | '−' => '-',
            '│' | '┃' | '┊' | '▏' | '▕' => '|',
            '┤' | '┬' | '└' | '╭' | '╮' | '╰' | '╯' | '┏' | '┓' | '┗' | '┛' | '┴' => '+',
            '█' | '▉' | '▊' | '▋' | '▌' | '▍' | '▎' => '#',
            '▒' | '░' => ':',
            '▓' => '#',
            '┼' => '+',
            '◆' => '@',
            '◇' => '%',
            '△' => '^',
            '□' => '=',
            '·' | '…' => '.',
            '◂' | '←' | '≤' => '<',
            '▸' | '→' | '▶' | '≥' => '>',
            '↑' => '^',
            '↓' => 'v',
            '●' | '○' | '•' => 'o',
            '✓' => '+',
            '✗' | '×' => 'x',
            '⚠' => '!',
            '±' | '∝' => '~',
            '≈' => '=',
            '‖' => '|',
            'σ' => 's',
            'λ' | 'ℓ' => 'l',
            'μ' => 'u',
            '°' => 'd',
            'Δ' => 'D',
            '²' => '2',
            '⁴' => '4',
            'ᵀ' => '\'',
            '₀'..='₉' => char::from(b'0' + (sign as u32 - 0x2080) as u8),
            _ => '?',
        });
    }
}
