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
use crate::engine::readout::{Readout, Standing, State};

use super::plot::axis::Scale;
use super::plot::raster::Stroke;
use super::plot::window::Window;
use super::plot::{Curve, Ink, Placed, Plot, Quantity};
use super::state::{App, Freshness, Pane, Scaling};
use super::theme::Token;
use crate::math::format::number;

/// Where a pane draws: the cells, and what is remembered of them.
pub struct Canvas<'a> {
    /// What is known and wanted.
    pub app: &'a App,
    /// The cells.
    pub buffer: &'a mut Buffer,
    pane: Pane,
    plots: &'a mut Vec<(Pane, Placed)>,
    reading: Option<Line<'static>>,
}

impl Canvas<'_> {
    /// Draw a plot through the pane's window, with the crosshair if it stands on this quantity. The window's height
    /// goes to the pane's first plot; the others share its width.
    pub fn plot(&mut self, plot: Plot, area: Rect) {
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

    /// Write one line in `area`; outside it nothing is written.
    pub fn line(&mut self, area: Rect, row: u16, text: &Line) {
        line(self.buffer, area, row, text);
    }
}

/// The values of the curves at the crosshair, from the top curve down; nothing where no curve reaches.
fn crosshair_reading(app: &App, plot: &Plot, x: f64) -> Option<Line<'static>> {
    let at = if plot.quantity == Quantity::Sigma { number(x, 3) } else { format!("{x:.0}") };
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
    let (subject, reading) = match pane {
        Pane::Spectrum => (spectrum::subject(app), spectrum::reading(app)),
        Pane::Ratio => (ratio::subject(app), ratio::reading(app)),
        Pane::Proxy => (proxy::subject(app), proxy::reading(app)),
        Pane::Estimators => (estimators::subject(app), estimators::reading(app)),
    };
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
        return awaited(app, pane, inner, buffer);
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
    match pane {
        Pane::Spectrum => spectrum::draw(&mut canvas, content),
        Pane::Ratio => ratio::draw(&mut canvas, content),
        Pane::Proxy => proxy::draw(&mut canvas, content),
        Pane::Estimators => estimators::draw(&mut canvas, content),
    }
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

/// At most `most` lines of at most `width` columns.
fn wrapped(text: &str, width: u16, most: usize) -> Vec<String> {
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
    lines.truncate(most);
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
    Ink {
        marker: app.marker,
        axis: app.style(Token::Faint),
        label: app.style(Token::Muted),
        crosshair: app.style(Token::Accent),
    }
}

/// `count` values from `low` to `high`, evenly spaced in the logarithm.
pub fn log_grid(low: f64, high: f64, count: usize) -> impl Iterator<Item = f64> {
    let (low, high) = (low.ln(), high.ln());
    (0..count).map(move |i| (low + (high - low) * i as f64 / (count - 1).max(1) as f64).exp())
}

/// The scale in use: the one that suits, or the other of linear and logarithmic.
pub fn scale(suited: Scale, scaling: Scaling) -> Scale {
    match (scaling, suited) {
        (Scaling::Suited, _) => suited,
        (Scaling::Other, Scale::Linear) => Scale::Log,
        (Scaling::Other, Scale::Log | Scale::Symlog { .. }) => Scale::Linear,
    }
}

/// A readout drawn in the panes: the one on the screen, or a session beside it.
pub struct Side<'a> {
    /// What is known.
    pub readout: &'a Readout,
    /// The dimensions to show: those wanted, as far as its basis reaches.
    pub ks: Vec<usize>,
    /// Which of the two it is.
    pub role: Role,
}

/// Which readout a curve belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The run or recording on the screen.
    Shown,
    /// The session compared with it: its curves carry a sign of their own and the letter B.
    Compared,
}

/// The sign on the curves of the session compared.
pub const COMPARED: char = '◆';

/// Everything to draw, the one on the screen last, so that it lies on top.
pub fn sides(app: &App) -> Vec<Side<'_>> {
    let side = |readout, role| {
        let most = Readout::quadratic(readout).map_or(0, |q| q.k());
        Side { readout, ks: app.wanted.ks.iter().copied().filter(|k| *k <= most).collect(), role }
    };
    let compared = app.compared.iter().map(|c| side(&c.readout, Role::Compared));
    compared.chain([side(&app.readout, Role::Shown)]).collect()
}

impl Role {
    /// Curve number `i` of this readout: `name` is what its value is called, `label` stands beside the plot.
    pub fn curve(self, app: &App, i: usize, points: Vec<(f64, f64)>, name: &str, label: &str) -> Curve {
        let (sign, letter) = match self {
            Role::Shown => (Stroke::sign(i), ""),
            Role::Compared => (Some(COMPARED), "B "),
        };
        Curve {
            points,
            style: app.style(Token::series(i)),
            stroke: Stroke::nth(i),
            sign,
            name: format!("{letter}{name}"),
            label: Some(format!("{letter}{label}")),
        }
    }
}
