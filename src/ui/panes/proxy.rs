//! Pane 3: up to which σ the quadratic model of the loss holds, and where rounding hides the answer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::criteria::proxy::{Point, VALID, valid_to};
use crate::math::format::exact;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Band, Curve, Guide, Plot};
use crate::ui::state::{App, Heights, Pane, ProxyView};
use crate::ui::theme::Token;

use super::ink;

/// What the pane is about now.
pub fn subject(app: &App) -> String {
    match app.view.proxy {
        ProxyView::Relative => "─ relative error of the model against σ".into(),
        ProxyView::Absolute => "─ error of the model, nats, against σ".into(),
    }
}

/// Up to where the model holds, and whether the σ in focus lies there.
pub fn reading(app: &App) -> Option<String> {
    let points = app.readout.proxy();
    let directions = points.last()?.relative.draws;
    let text = match valid_to(&points) {
        Some(limit) if app.wanted.sigma <= limit * 1.001 => {
            format!("The quadratic model holds to σ ≤ {} (median error below {} %);", short(limit), VALID * 100.0)
        }
        Some(limit) => {
            format!(
                "σ = {} lies beyond the valid σ ≤ {}: closed forms are in doubt;",
                exact(app.wanted.sigma),
                short(limit)
            )
        }
        None => format!("No σ yet with a median error below {} %;", VALID * 100.0),
    };
    Some(format!("{text} middle half of {directions} directions shaded."))
}

/// A σ of the grid to two digits.
fn short(sigma: f64) -> String {
    format!("{sigma:.1e}")
}

/// Draw the errors, their middle half, the rounding floor, and the marks of the valid and the present σ.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let points = app.readout.proxy();
    let relative = app.view.proxy == ProxyView::Relative;
    let value = |p: &Point| if relative { p.relative_median } else { p.absolute.mean };
    let strip = |p: &Point| match relative {
        true => (p.sigma, p.relative_quartiles[0], p.relative_quartiles[1]),
        false => (p.sigma, p.absolute.mean - p.absolute.half_width(), p.absolute.mean + p.absolute.half_width()),
    };
    let floor = |p: &Point| if relative { p.relative_floor } else { p.floor };
    let scale = match app.view.heights[Pane::Proxy.index()] {
        Heights::Suited => Scale::Log,
        Heights::Linear => Scale::Linear,
    };
    let sigmas = points.iter().map(|p| p.sigma).chain([app.wanted.sigma]);
    // The floor falls for ever; the errors decide how deep to look.
    let deepest = points.iter().map(value).filter(|v| *v > 0.0).fold(f64::INFINITY, f64::min) / 10.0;
    let heights = points.iter().flat_map(|p| [value(p), floor(p).max(deepest)]);
    let (Some(x), Some(y)) = (Axis::covering(Scale::Log, sigmas, 0.02), Axis::covering(scale, heights, 0.05)) else {
        return;
    };
    let mut plot = Plot::new(x, "σ", y);
    plot.bands.push(Band { points: points.iter().map(strip).collect(), style: app.style(Token::Band) });
    if points.iter().any(|p| p.floor > 0.0) {
        let precision = app.readout.subject.as_ref().map_or(String::new(), |s| format!("{} ", s.precision));
        plot.curves.push(Curve {
            points: points.iter().map(|p| (p.sigma, floor(p))).collect(),
            style: app.style(Token::Guide),
            stroke: Stroke::Dotted,
            label: Some(format!("{precision}rounding")),
        });
    }
    let name = if relative { "median error" } else { "mean error" };
    plot.curves.push(Curve {
        points: points.iter().map(|p| (p.sigma, value(p))).collect(),
        style: app.style(Token::Series1),
        stroke: Stroke::Solid,
        label: Some(name.into()),
    });
    if relative {
        let label = format!("{} %", VALID * 100.0);
        plot.guides.push(Guide { at: At::Y(VALID), label, style: app.style(Token::Faint) });
    }
    if let Some(limit) = valid_to(&points) {
        let label = format!("valid to {}", short(limit));
        plot.guides.push(Guide { at: At::X(limit), label, style: app.style(Token::Good) });
    }
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    plot.render(area, buffer, ink(app));
}
