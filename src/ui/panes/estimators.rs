//! Pane 4: the estimators of J_sub side by side, by draws, by σ and by n.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::criteria::estimators::{Pair, direct, quadratic, with_control};
use crate::engine::readout::views::Subspace;
use crate::math::format::{deviation, exact, measured, number};
use crate::math::stats::Estimate;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Band, Curve, Guide, Mark, Plot};
use crate::ui::state::{App, EstimatorsView, Heights, Pane};
use crate::ui::theme::Token;

use super::{ink, line, log_grid};

/// The dimension in focus: the largest shown, or the one wanted before any is.
fn k(app: &App) -> usize {
    app.shown_ks().last().copied().unwrap_or(app.wanted.k())
}

/// What the pane is about now.
pub fn subject(app: &App) -> String {
    let (sigma, n) = (exact(app.wanted.sigma), app.readout.shown_n());
    match app.view.estimators {
        EstimatorsView::ByDraws => format!("─ J_sub, k = {}, σ = {sigma}, against draws", k(app)),
        EstimatorsView::BySigma => format!("─ J against σ, n = {n} (○ drawn)"),
        EstimatorsView::ByN => format!("─ J against n, σ = {sigma}, U of n = {n}"),
    }
}

/// Whether the closed form is confirmed by the draws.
pub fn reading(app: &App) -> Option<String> {
    let sigma = app.wanted.sigma;
    let sub = app.readout.subspace(k(app), sigma)?;
    let gm = sub.gm.j();
    match sub.direct_cv.filter(|e| e.draws >= 2) {
        Some(cv) => {
            let (bias, half) = (cv.mean / gm - 1.0, cv.half_width() / gm);
            Some(match bias.abs() <= half {
                true => {
                    format!("The draws confirm the closed form within ±{}.", deviation(half).trim_start_matches('+'))
                }
                false => format!(
                    "The true criterion lies {} from the closed form (±{}): terms beyond the quadratic.",
                    deviation(bias),
                    deviation(half).trim_start_matches('+')
                ),
            })
        }
        None => Some(format!("No draws at σ = {} yet: the closed form needs none.", exact(sigma))),
    }
}

/// Draw the view chosen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    match app.view.estimators {
        EstimatorsView::ByDraws => by_draws(app, area, buffer),
        EstimatorsView::BySigma => by_sigma(app, area, buffer),
        EstimatorsView::ByN => by_n(app, area, buffer),
    }
}

/// The estimators of the table and the plot: name, curve, and how it follows from the first pairs.
struct Kind {
    name: &'static str,
    token: Token,
    stroke: Stroke,
    of: fn(&[Pair], f64) -> Option<Estimate>,
}

/// The three Monte Carlo estimators.
const KINDS: [Kind; 3] = [
    Kind { name: "direct", token: Token::Series1, stroke: Stroke::Solid, of: |pairs, _| direct(pairs) },
    Kind { name: "quadratic", token: Token::Series2, stroke: Stroke::Dashed, of: |pairs, _| quadratic(pairs) },
    Kind { name: "control", token: Token::Series3, stroke: Stroke::Dotted, of: with_control },
];

fn by_draws(app: &App, area: Rect, buffer: &mut Buffer) {
    let (k, sigma) = (k(app), app.wanted.sigma);
    let Some(sub) = app.readout.subspace(k, sigma) else { return };
    let rows = estimates(app, &sub, area, buffer);
    let Some(target) = app.readout.subspace_target(k) else { return };
    let pairs = app.readout.pairs(target, app.readout.shown_n(), sigma);
    let below = Rect { y: area.y + rows + 1, height: area.height.saturating_sub(rows + 1), ..area };
    if pairs.len() < 2 {
        return;
    }
    let gm = sub.gm.j();
    let stops = stops(pairs.len());
    let run = |kind: &Kind| -> Vec<(f64, f64, f64)> {
        let at = |s: &usize| (kind.of)(&pairs[..*s], gm).map(|e| (*s as f64, e.mean / gm - 1.0, e.half_width() / gm));
        stops.iter().filter_map(at).collect()
    };
    let runs = KINDS.each_ref().map(run);
    // Early intervals are as wide as the sky; the later half of the draws decides the heights.
    let settled = (pairs.len() / 4).max(2) as f64;
    let late = runs.iter().flatten().filter(|(s, ..)| *s >= settled);
    let reach = late.map(|(_, mean, half)| mean.abs() + half).filter(|r| r.is_finite()).fold(0.0, f64::max);
    let x = Axis::new(Scale::Log, 2.0, pairs.len() as f64);
    let mut plot = Plot::new(x, "draws", Axis::new(Scale::Linear, -1.1 * reach, 1.1 * reach));
    plot.guides.push(Guide { at: At::Y(0.0), label: "J/GM − 1 = 0".into(), style: app.style(Token::Guide) });
    let band = |(s, mean, half): &(f64, f64, f64)| (*s, mean - half, mean + half);
    plot.bands.push(Band { points: runs[0].iter().map(band).collect(), style: app.style(Token::Band) });
    for (kind, run) in KINDS.iter().zip(&runs) {
        plot.curves.push(Curve {
            points: run.iter().map(|(s, mean, _)| (*s, *mean)).collect(),
            style: app.style(kind.token),
            stroke: kind.stroke,
            label: None,
        });
    }
    plot.render(below, buffer, ink(app));
}

/// The numbers behind the curves, which are their legend too. Returns the rows used.
fn estimates(app: &App, sub: &Subspace, area: Rect, buffer: &mut Buffer) -> u16 {
    let gm = sub.gm.j();
    let wide = area.width >= 48;
    let exact = Line::from(vec![
        Span::styled("┄ GM         ", app.style(Token::Guide)),
        Span::styled(format!("{:<20}", number(gm, 6)), app.style(Token::Text)),
        Span::styled(if wide { "closed form" } else { "" }, app.style(Token::Muted)),
    ]);
    line(buffer, area, 0, &exact);
    let drawn = [sub.direct, sub.quadratic, sub.direct_cv];
    for (i, (kind, estimate)) in KINDS.iter().zip(drawn).enumerate() {
        let mut spans =
            vec![Span::styled(format!("{} {:<11}", kind.stroke.sample(), kind.name), app.style(kind.token))];
        match estimate {
            Some(e) => {
                spans.push(Span::styled(format!("{:<20}", measured(e.mean, e.half_width())), app.style(Token::Text)));
                if wide {
                    let text = format!("{:>4} draws  {}", e.draws, deviation(e.mean / gm - 1.0));
                    spans.push(Span::styled(text, app.style(Token::Muted)));
                }
            }
            None => spans.push(Span::styled("draws come", app.style(Token::Muted))),
        }
        line(buffer, area, i as u16 + 1, &Line::from(spans));
    }
    let full = app.readout.full(app.wanted.sigma);
    let best = full.mc_cv.map(|e| (measured(e.mean, e.half_width()), format!("{:>4} draws, controlled", e.draws)));
    let closed = full.gm.map(|i| (measured(i.value, 0.5 * (i.high - i.low)), "closed form".to_owned()));
    if let Some((value, source)) = best.or(closed).filter(|_| area.height >= 14) {
        let spans = vec![
            Span::styled("  J_full     ", app.style(Token::Muted)),
            Span::styled(format!("{value:<20}"), app.style(Token::Text)),
            Span::styled(if wide { source } else { String::new() }, app.style(Token::Muted)),
        ];
        line(buffer, area, 4, &Line::from(spans));
        return 5;
    }
    4
}

/// Numbers of draws at which running means are shown: all up to 16, then evenly spaced in the logarithm.
fn stops(draws: usize) -> Vec<usize> {
    let tail = log_grid(16.0, draws.max(16) as f64, 48).map(|s| s.round() as usize);
    let mut stops: Vec<usize> = (2..=16).chain(tail).filter(|s| *s <= draws).collect();
    stops.dedup();
    stops
}

/// Heights of J: logarithmic unless told otherwise.
fn heights(app: &App) -> Scale {
    match app.view.heights[Pane::Estimators.index()] {
        Heights::Suited => Scale::Log,
        Heights::Linear => Scale::Linear,
    }
}

fn by_sigma(app: &App, area: Rect, buffer: &mut Buffer) {
    const POINTS: usize = 49;
    let (readout, n) = (&app.readout, app.readout.shown_n());
    let (low, high) = (1e-5f64.min(app.wanted.sigma), 1e-1f64.max(app.wanted.sigma));
    let grid: Vec<f64> = log_grid(low, high, POINTS).collect();
    let mut curves = Vec::new();
    curves.push(Curve {
        points: grid.iter().filter_map(|s| Some((*s, readout.full_moments(n, *s)?.moments.j()))).collect(),
        style: app.style(Token::Text),
        stroke: Stroke::Dotted,
        label: Some("J_full".into()),
    });
    for (i, k) in app.shown_ks().into_iter().enumerate() {
        curves.push(Curve {
            points: grid.iter().filter_map(|s| Some((*s, readout.quadratic()?.moments(k, *s).j()))).collect(),
            style: app.style(Token::series(i)),
            stroke: Stroke::nth(i),
            label: Some(format!("J_sub k = {k}")),
        });
    }
    let marks = app.shown_ks().into_iter().enumerate().flat_map(|(i, k)| {
        let drawn = move |s: &f64| Some((*s, readout.subspace(k, *s)?.direct?.mean));
        let mark = move |point| Mark { point, sign: '○', style: app.style(Token::series(i)) };
        app.wanted.sigmas.iter().filter_map(drawn).map(mark)
    });
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let Some(y) = Axis::covering(heights(app), values, 0.04) else { return };
    let mut plot = Plot::new(Axis::new(Scale::Log, low, high), "σ", y);
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    plot.marks = marks.collect();
    plot.curves = curves;
    plot.render(area, buffer, ink(app));
}

fn by_n(app: &App, area: Rect, buffer: &mut Buffer) {
    let (readout, n, sigma, k) = (&app.readout, app.readout.shown_n(), app.wanted.sigma, k(app));
    let along = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        (1..=n).filter_map(|m| Some((m as f64, of(m)?))).collect()
    };
    let sub = along(&|m| Some(readout.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j()));
    let full = along(&|m| Some(readout.full_moments(m, sigma)?.moments.j()));
    let point = along(&|m| Some(readout.increment(m)?.powi(2)));
    // n enters J through 1/(n+1)² algebraically: the guide is what remains if nothing else changes.
    let first = sub.first().copied().unwrap_or((1.0, 1.0));
    let guide = along(&|m| Some(first.1 * ((first.0 + 1.0) / (m as f64 + 1.0)).powi(2)));
    let curve = |points, token, stroke, label: &str| Curve {
        points,
        style: app.style(token),
        stroke,
        label: Some(label.to_owned()),
    };
    let curves = vec![
        curve(guide, Token::Guide, Stroke::Dotted, "∝ 1/(n+1)²"),
        curve(point, Token::Series3, Stroke::Dotted, "J₁²"),
        curve(full, Token::Series2, Stroke::Dashed, "J_full"),
        curve(sub, Token::Series1, Stroke::Solid, &format!("J_sub k = {k}")),
    ];
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let Some(y) = Axis::covering(heights(app), values, 0.04) else { return };
    let mut plot = Plot::new(Axis::new(Scale::Log, 1.0, n.max(2) as f64), "n", y);
    plot.curves = curves;
    plot.render(area, buffer, ink(app));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_ascend_to_the_last_draw() {
        assert_eq!(stops(5), [2, 3, 4, 5]);
        let many = stops(4096);
        assert!(many.len() < 70 && many.is_sorted() && many.last() == Some(&4096));
        assert!(stops(1).is_empty());
    }
}
