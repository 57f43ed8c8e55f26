//! Pane 3: up to which σ the quadratic model of the loss holds, and where rounding hides the answer.

use ratatui::layout::Rect;

use crate::criteria::proxy::{Point, VALID, valid_to};
use crate::engine::event::Stage;
use crate::engine::growth::{Mode, Validity};
use crate::math::format::exact;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Band, Curve, Guide, Plot, Quantity};
use crate::ui::state::{App, Pane, ProxyView};
use crate::ui::theme::Token;

use super::sides::Role;
use super::{Awaited, Canvas, Face, coming, scale};

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// What the pane is about now.
fn subject(app: &App) -> String {
    match app.view.views.proxy {
        ProxyView::Relative => "─ relative error of the model against σ".into(),
        ProxyView::Absolute => "─ error of the model, nats, against σ".into(),
        ProxyView::Checkpoints => "─ relative error against σ, by checkpoint".into(),
    }
}

/// Up to where the model holds, whether the σ in focus lies there, and how the error grows.
fn reading(app: &App) -> Option<String> {
    if app.view.views.proxy == ProxyView::Checkpoints {
        return checkpoints_reading(app);
    }
    let points = app.readout.proxy();
    let directions = points.last()?.relative.draws;
    if app.view.views.proxy == ProxyView::Absolute {
        let rounding = points.iter().rfind(|p| p.floor > 0.0 && p.absolute.mean < 3.0 * p.floor);
        let hidden = rounding.map_or(String::new(), |p| format!("; up to σ ≈ {} rounding hides it", short(p.sigma)));
        return Some(match growth(&points) {
            Some(power) => {
                format!("Beyond the rounding the error grows as σ^{power:.1} (3 is the first term left out){hidden}.")
            }
            None => format!("The error of the quadratic model over {directions} directions{hidden}."),
        });
    }
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

fn awaited(app: &App) -> Awaited {
    if app.view.views.proxy == ProxyView::Checkpoints {
        let progress = match app.readout.exhibits.growth_plan {
            Some(_) => coming(app, Stage::Growth),
            None => "eigentop growth measures it along training, or over the checkpoints of a folder.".into(),
        };
        return Awaited { what: "The proxy's error at each checkpoint of a growth run comes here.".into(), progress };
    }
    let what = "The error of the quadratic model against σ comes here, once the sweep along random directions begins.";
    Awaited { what: what.into(), progress: coming(app, Stage::Sweeps) }
}

/// How the errors at the first and the last checkpoint compare.
fn checkpoints_reading(app: &App) -> Option<String> {
    let measured = app.readout.growth_proxy();
    let valid = |curve: &[Validity]| curve.iter().rev().find(|v| v.median < VALID).map(|v| v.sigma);
    let word = |valid: Option<f64>| valid.map_or("at no σ".to_owned(), |s| format!("to σ = {}", short(s)));
    let ((_, first, from), (_, last, to)) = (measured.first()?, measured.last()?);
    Some(format!(
        "Median error below {} %: {} at {first}, {} at {last}. Middle half of the last one's directions shaded.",
        VALID * 100.0,
        word(valid(from)),
        word(valid(to))
    ))
}

/// The error against σ at each checkpoint of a growth run, the last with the middle half of its directions.
fn checkpoints(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let measured = app.readout.growth_proxy();
    let all = || measured.iter().flat_map(|(.., curve)| curve.iter());
    let here = Pane::Proxy.index();
    let sigmas = all().map(|v| v.sigma).chain([app.wanted.sigma]);
    let (Some(x), Some(y)) = (
        Axis::covering(scale(Scale::Log, app.view.widths[here]), sigmas, 0.02),
        Axis::covering(scale(Scale::Log, app.view.heights[here]), all().map(|v| v.median), 0.05),
    ) else {
        return;
    };
    let name = if app.readout.growth_mode() == Some(Mode::Checkpoints) { "step" } else { "n" };
    let mut plot = Plot::new(x, Quantity::Sigma, y);
    if let Some((.., curve)) = measured.last() {
        let points = curve.iter().map(|v| (v.sigma, v.quartiles[0], v.quartiles[1])).collect();
        plot.bands.push(Band { points, style: app.style(Token::Band) });
    }
    // Runs at one place look alike, and the first of them is named.
    let mut places: Vec<usize> = measured.iter().map(|(_, at, _)| *at).collect();
    places.sort_unstable();
    places.dedup();
    for (run, at, curve) in &measured {
        let points = curve.iter().map(|v| (v.sigma, v.median)).collect();
        let label = format!("{name} = {at}");
        let i = places.binary_search(at).unwrap_or(0);
        let mut curve = Role::Shown.curve(app, i, points, &format!("{label}, run {run}"), &label);
        curve.label = curve.label.filter(|_| *run == measured[0].0);
        plot.curves.push(curve);
    }
    let label = format!("{} %", VALID * 100.0);
    plot.guides.push(Guide { at: At::Y(VALID), label, style: app.style(Token::Faint) });
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    canvas.plot(plot, area);
}

/// The power with which the error grows over the first decade in which it stands well clear of rounding.
fn growth(points: &[Point]) -> Option<f64> {
    let clear = |p: &&Point| p.absolute.mean > 30.0 * p.floor.max(f64::MIN_POSITIVE);
    let first = points.iter().find(clear)?;
    let last = points.iter().filter(clear).rfind(|p| p.sigma <= 10.1 * first.sigma)?;
    (last.sigma > 2.0 * first.sigma)
        .then(|| (last.absolute.mean / first.absolute.mean).ln() / (last.sigma / first.sigma).ln())
}

/// A σ of the grid to two digits.
fn short(sigma: f64) -> String {
    format!("{sigma:.1e}")
}

/// Draw the errors, their middle half, the rounding floor, and the marks of the valid and the present σ.
fn draw(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    if app.view.views.proxy == ProxyView::Checkpoints {
        return checkpoints(canvas, area);
    }
    let points = app.readout.proxy();
    let relative = app.view.views.proxy == ProxyView::Relative;
    let value = |p: &Point| if relative { p.relative_median } else { p.absolute.mean };
    let strip = |p: &Point| match relative {
        true => (p.sigma, p.relative_quartiles[0], p.relative_quartiles[1]),
        false => (p.sigma, p.absolute.mean - p.absolute.half_width(), p.absolute.mean + p.absolute.half_width()),
    };
    let floor = |p: &Point| if relative { p.relative_floor } else { p.floor };
    let compared = app.compared.as_ref().map_or(Vec::new(), |c| c.readout.proxy());
    let errors = || points.iter().chain(&compared).map(value);
    let sigmas = points.iter().chain(&compared).map(|p| p.sigma).chain([app.wanted.sigma]);
    // The floor falls for ever; the errors decide how deep to look.
    let deepest = errors().filter(|v| *v > 0.0).fold(f64::INFINITY, f64::min) / 10.0;
    let heights = errors().chain(points.iter().map(|p| floor(p).max(deepest)));
    let across = scale(Scale::Log, app.view.widths[Pane::Proxy.index()]);
    let up = scale(Scale::Log, app.view.heights[Pane::Proxy.index()]);
    let (Some(x), Some(y)) = (Axis::covering(across, sigmas, 0.02), Axis::covering(up, heights, 0.05)) else {
        return;
    };
    let mut plot = Plot::new(x, Quantity::Sigma, y);
    plot.bands.push(Band { points: points.iter().map(strip).collect(), style: app.style(Token::Band) });
    if points.iter().any(|p| p.floor > 0.0) {
        let precision = app.readout.subject.as_ref().map_or(String::new(), |s| format!("{} ", s.precision));
        plot.curves.push(Curve {
            points: points.iter().map(|p| (p.sigma, floor(p))).collect(),
            style: app.style(Token::Guide),
            stroke: Stroke::Dotted,
            label: Some(format!("{precision}rounding")),
            name: "rounding".into(),
            ..Curve::default()
        });
    }
    let name = if relative { "median error" } else { "mean error" };
    let errors = |points: &[Point]| points.iter().map(|p| (p.sigma, value(p))).collect::<Vec<_>>();
    if !compared.is_empty() {
        plot.curves.push(Role::Compared.curve(app, 1, errors(&compared), name, name));
    }
    plot.curves.push(Role::Shown.curve(app, 0, errors(&points), name, name));
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
    canvas.plot(plot, area);
}
