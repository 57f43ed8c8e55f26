//! A view of the spectrum: the density of all eigenvalues by stochastic Lanczos quadrature, with the known ones that lie
//! outside its bulk.

use ratatui::layout::Rect;

use crate::engine::knobs::Exhibit;
use crate::engine::readout::exhibits::DensityCurve;
use crate::math::format::number;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::{At, Band, Guide, Mark, Plot, Quantity};
use crate::ui::state::{App, Pane, Scaling};
use crate::ui::theme::Token;

use super::sides::Role;
use super::{Canvas, missing, scale};

fn curve(app: &App, points: usize) -> Option<DensityCurve> {
    app.readout.density_curve(points)
}

/// The height at which a single eigenvalue of P stands, widened as the curve is.
fn single(app: &App, width: f64) -> Option<f64> {
    let dim = app.readout.subject.as_ref()?.parameters as f64;
    Some(1.0 / (dim * width * (2.0 * std::f64::consts::PI).sqrt()))
}

pub(super) fn reading(app: &App) -> Option<String> {
    let curve = curve(app, 2)?;
    let [low, high] = curve.bulk.map(|end| number(end, 2));
    let probes = app.readout.exhibits.density.get(&app.readout.shown_n()).map_or(0, Vec::len);
    let known = app.readout.eigenspace.as_ref().map_or(0, |e| e.values.len());
    Some(format!(
        "The bulk lies from {low} to {high}; {} of the {known} eigenvalues found stand outside it (●). {probes} probes, \
         resolved to {}; their 95 % interval is shaded.",
        curve.outliers.len(),
        number(curve.width, 1)
    ))
}

pub(super) fn draw(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let points = 2 * usize::from(area.width);
    let known = curve(app, points).and_then(|c| Some((single(app, c.width)?, c)));
    let Some((single, curve)) = known else {
        let text = format!("The density of all eigenvalues. {}", missing(app, Exhibit::Density));
        return canvas.say(area, &text);
    };
    let up = scale(Scale::Log, app.view.heights[Pane::Spectrum.index()]);
    // Below a part of a single eigenvalue there is nothing but tails of the widening.
    let deepest = 0.3 * single;
    let Some(y) = Axis::covering(up, curve.mean.iter().map(|m| m.max(deepest)), 0.04) else { return };
    let across = match app.view.widths[Pane::Spectrum.index()] {
        Scaling::Suited => Scale::Linear,
        Scaling::Other => Scale::Symlog { linear: curve.width },
    };
    let ends = [curve.x.first(), curve.x.last()].map(|x| x.copied().unwrap_or(0.0));
    let mut plot = Plot::new(Axis::new(across, ends[0], ends[1]), Quantity::Eigenvalue, y);
    // Where all of it lies deeper, the band ends.
    let end = |high: f64| if high > deepest { high } else { f64::NAN };
    let band = (0..curve.x.len()).map(|i| (curve.x[i], curve.low[i].max(deepest), end(curve.high[i])));
    plot.bands.push(Band { points: band.collect(), style: app.style(Token::Band) });
    let style = app.style(Token::Guide);
    plot.guides.push(Guide { at: At::Y(single), label: "one eigenvalue".into(), style });
    let [low, high] = curve.bulk;
    plot.guides.push(Guide { at: At::X(low), label: String::new(), style });
    plot.guides.push(Guide { at: At::X(high), label: "bulk".into(), style });
    let mark = |value: &f64| Mark { point: (*value, single), sign: '●', style: app.style(Token::Series2) };
    plot.marks = curve.outliers.iter().map(mark).collect();
    let points = curve.x.iter().copied().zip(curve.mean.iter().copied()).collect();
    let mut density = Role::Shown.curve(app, 0, points, "density", "");
    density.label = None;
    plot.curves.push(density);
    canvas.plot(plot, area);
}
