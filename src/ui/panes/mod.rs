//! The panes: each draws one question's answer from the readout, with a sentence that says what to look at. A file for
//! each.

mod density;
mod estimators;
mod growth;
mod laws;
mod parts;
mod proxy;
mod ratio;
mod sides;
mod spectrum;
mod stages;
mod theory;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Padding, Paragraph, Widget, Wrap};

use crate::engine::event::Stage;
use crate::engine::knobs::Exhibit;
use crate::engine::readout::{Standing, State};
use crate::math::format::number;

use super::action::{Action, Context};
use super::plot::axis::Scale;
use super::plot::window::Window;
use super::plot::{Ink, Placed, Plot};
use super::state::{App, Feed, Freshness, Pane, Scaling};
use super::theme::Token;

pub use parts::line;
use parts::wrapped;

/// What a pane is made of.
struct Face {
    /// What it is about now, in its title.
    subject: fn(&App) -> String,
    /// What to look at and what it says, in a sentence below.
    reading: fn(&App) -> Option<String>,
    /// Draws its figures.
    draw: fn(&mut Canvas, Rect),
    /// What comes here while there are no figures.
    awaited: fn(&App) -> Awaited,
}

/// What a pane waits for.
struct Awaited {
    /// What will stand here.
    what: String,
    /// How far it is, or how to get it.
    progress: String,
}

fn face(pane: Pane) -> Face {
    match pane {
        Pane::Spectrum => spectrum::FACE,
        Pane::Ratio => ratio::FACE,
        Pane::Proxy => proxy::FACE,
        Pane::Estimators => estimators::FACE,
        Pane::Growth => growth::FACE,
        Pane::Laws => laws::FACE,
        Pane::Theory => theory::FACE,
    }
}

/// Where a pane draws: the cells, and what is remembered of them.
struct Canvas<'a> {
    /// What is known and wanted.
    app: &'a App,
    /// The cells.
    buffer: &'a mut Buffer,
    pane: Pane,
    plots: &'a mut Vec<(Pane, Placed)>,
    reading: Option<Line<'static>>,
}

impl Canvas<'_> {
    /// Draw a plot through the pane's window, with the crosshair if it stands on this quantity. The window's height
    /// goes to the pane's first plot; the others share its width.
    fn plot(&mut self, plot: Plot, area: Rect) {
        let first = self.plots.iter().all(|(pane, _)| *pane != self.pane);
        let window = self.app.view.windows[self.pane.index()];
        let mut plot = plot.through(if first { window } else { Window { x: window.x, ..Window::default() } });
        let crosshair = self.app.view.crosshair.filter(|c| c.quantity == plot.quantity);
        plot.crosshair = crosshair.map(|c| c.x);
        let Some(placed) = plot.render(area, self.buffer, ink(self.app)) else { return };
        if let (Some(c), None) = (crosshair, &self.reading) {
            self.reading = crosshair_reading(self.app, &plot, c.x);
        }
        self.plots.push((self.pane, placed));
    }

    /// Say `text` in the middle of `area`.
    fn say(&mut self, area: Rect, text: &str) {
        let middle = Rect { y: area.y + area.height.saturating_sub(2) / 2, ..area }.intersection(area);
        let text = Line::styled(text, self.app.style(Token::Muted));
        Paragraph::new(text).wrap(Wrap { trim: true }).centered().render(middle, self.buffer);
    }

    /// Write one line in `area`; outside it nothing is written.
    fn line(&mut self, area: Rect, row: u16, text: &Line) {
        line(self.buffer, area, row, text);
    }
}

/// The values of the curves at the crosshair, from the top curve down; nothing where no curve reaches.
fn crosshair_reading(app: &App, plot: &Plot, x: f64) -> Option<Line<'static>> {
    let at = if plot.quantity.is_count() { format!("{x:.0}") } else { number(x, 3) };
    let mut spans = vec![Span::styled(format!(" {} {at} ", plot.quantity.title()), app.style(Token::Accent))];
    let mut read: Vec<_> = plot.read(x).collect();
    if read.is_empty() {
        return None;
    }
    read.sort_by(|a, b| b.1.total_cmp(&a.1));
    for (curve, y) in read {
        spans.push(Span::styled(format!(" {} ", curve.name), curve.style));
        spans.push(Span::styled(format!("{} ", number(y, 4)), app.style(Token::Text)));
    }
    Some(Line::from(spans))
}

/// Draw `pane` with its border, title and reading, and add its plots to `plots`.
pub fn draw(app: &App, pane: Pane, area: Rect, buffer: &mut Buffer, plots: &mut Vec<(Pane, Placed)>) {
    let focused = app.view.focus == pane;
    let (border, title) = match focused {
        true => (Token::BorderFocus, Token::TitleFocus),
        false => (Token::Border, Token::Title),
    };
    let freshness = app.freshness(pane);
    // The focus shows without colour too: by its arrow and a heavier line.
    let pointer = if focused { "▸" } else { " " };
    let face = face(pane);
    let (subject, reading) = ((face.subject)(app), (face.reading)(app));
    let mut block = Block::bordered()
        .border_type(if focused { BorderType::Thick } else { BorderType::Rounded })
        .border_style(app.style(border))
        .padding(Padding::horizontal(1))
        .title(Line::from(vec![
            Span::styled(format!("{pointer}{} {} ", pane.index() + 1, pane.name()), app.style(title)),
            Span::styled(format!("{subject} "), app.style(Token::Muted)),
        ]));
    if freshness == Freshness::Stale {
        block = block.title(Line::styled(" recomputing ", app.style(Token::Warning)).right_aligned());
    }
    if !app.view.windows[pane.index()].is_whole() {
        block = block.title(Line::styled(" part, = whole ", app.style(Token::Accent)).right_aligned());
    }
    let inner = block.inner(area);
    block.render(area, buffer);
    if freshness == Freshness::Awaited {
        return awaited(app, &(face.awaited)(app), inner, buffer);
    }
    let lines = match reading {
        Some(text) if inner.height >= 8 => {
            let lines = wrapped(&text, inner.width, if inner.height < 14 { 2 } else { 3 });
            let below = Rect { y: inner.bottom() - lines.len() as u16, height: lines.len() as u16, ..inner };
            for (i, text) in lines.iter().enumerate() {
                line(buffer, below, i as u16, &Line::styled(text.as_str(), app.style(Token::Muted)));
            }
            lines.len() as u16 + 1
        }
        _ => 0,
    };
    let content = Rect { height: inner.height.saturating_sub(lines), ..inner };
    let mut canvas = Canvas { app, buffer, pane, plots, reading: None };
    (face.draw)(&mut canvas, content);
    let reading = canvas.reading;
    if freshness == Freshness::Stale {
        dim(app, content, buffer);
    }
    if let Some(reading) = reading {
        let below = Rect { x: area.x + 1, y: area.bottom() - 1, width: area.width.saturating_sub(2), height: 1 };
        line(buffer, below, 0, &reading);
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

/// What is awaited, and how far it is.
fn awaited(app: &App, awaited: &Awaited, area: Rect, buffer: &mut Buffer) {
    let lines = vec![
        Line::styled(awaited.what.as_str(), app.style(Token::Muted)),
        Line::styled(awaited.progress.as_str(), app.style(Token::Text)),
    ];
    let middle = Rect { y: area.y + area.height.saturating_sub(4) / 2, ..area }.intersection(area);
    Paragraph::new(lines).wrap(Wrap { trim: true }).centered().render(middle, buffer);
}

/// How far the run is from what `stage` brings.
fn coming(app: &App, stage: Stage) -> String {
    if app.readout.exhibits.growth_plan.is_some() && stage != Stage::Growth {
        let key = app.keymap.key(Context::Board, Action::Focus(Pane::Growth));
        return format!("This run follows the criteria against n: {key} shows them.");
    }
    match &app.readout.state {
        State::Failed(_) => "Computing stopped before it.".to_owned(),
        State::Loading => "Reading the checkpoint …".to_owned(),
        _ => match app.readout.stages.iter().find(|(_, s)| s.standing == Standing::Running) {
            Some((now, s)) if *now == stage => format!("{now} {}/{} …", s.done, s.total),
            Some((now, s)) => format!("waiting for {stage}; now {now} {}/{}", s.done, s.total),
            None => format!("waiting for {stage}"),
        },
    }
}

/// Why an exhibit is not there: how far the run is from it, or how to get it.
fn missing(app: &App, exhibit: Exhibit) -> String {
    let asked = app.wanted.exhibits.contains(&exhibit) || app.readout.exhibits.growth_plan.is_some();
    match &app.feed {
        _ if asked && app.readout.standing(Stage::Exhibits) == Standing::Complete => {
            format!("Not to be had with these knobs (law {}, method {}).", app.wanted.law, app.wanted.method)
        }
        _ if asked => coming(app, Stage::Exhibits),
        Feed::Live(_) => format!("Not asked for: eigentop --exhibits all, or {exhibit} among others, computes it."),
        Feed::Replay(_) => format!("Not in this recording: eigentop --exhibits {exhibit} computes it."),
    }
}

/// The dimension in focus: the largest shown, or the one wanted before any is.
fn focus_k(app: &App) -> usize {
    app.shown_ks().last().copied().unwrap_or(app.wanted.k())
}

/// What this dashboard's plots are drawn with.
fn ink(app: &App) -> Ink {
    Ink {
        marker: app.marker,
        axis: app.style(Token::Faint),
        label: app.style(Token::Muted),
        crosshair: app.style(Token::Accent),
    }
}

/// The scale in use: the one that suits, or the other of linear and logarithmic.
fn scale(suited: Scale, scaling: Scaling) -> Scale {
    match (scaling, suited) {
        (Scaling::Suited, _) => suited,
        (Scaling::Other, Scale::Linear) => Scale::Log,
        (Scaling::Other, Scale::Log | Scale::Symlog { .. }) => Scale::Linear,
    }
}
