//! Pane 2: J_sub/J_full and, since a² can make that ratio 1 for a trivial reason, the share of the deformation itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::criteria::quadratic::Moments;
use crate::engine::event::Stage;
use crate::engine::readout::Readout;
use crate::math::format::{exact, measured_to, number};
use crate::math::stats::Interval;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::{At, Band, Guide, Plot, Quantity};
use crate::ui::state::{App, Pane, RatioView};
use crate::ui::theme::Token;

use super::parts::{bar, interval, line, log_grid, percent, wrapped};
use super::sides::{COMPARED, Role, Side, sides};
use super::{Awaited, Canvas, Face, coming, scale};

/// Above this part of J_full, mean² decides the ratio and nothing else does.
const DOMINATES: f64 = 0.9;

/// Rows from which a curve fits below the table.
const ROOM: u16 = 9;

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// What the pane is about now.
fn subject(app: &App) -> String {
    let (sigma, n) = (exact(app.wanted.sigma), app.readout.shown_n());
    match app.view.views.ratio {
        RatioView::Table => format!("─ J_sub/J_full at σ = {sigma}, n = {n}"),
        RatioView::ShareByN => format!("─ share against n, σ = {sigma}, U frozen at n = {n}"),
        RatioView::RatioByN => format!("─ ratio against n, σ = {sigma}, U frozen at n = {n}"),
        RatioView::ShareBySigma => format!("─ share against σ, n = {n}"),
        RatioView::RatioBySigma => format!("─ ratio against σ, n = {n}"),
    }
}

/// What the view says at this σ and n, and what it cannot say.
fn reading(app: &App) -> Option<String> {
    let (readout, n, sigma) = (&app.readout, app.readout.shown_n(), app.wanted.sigma);
    let k = *app.shown_ks().last()?;
    Some(match app.view.views.ratio {
        RatioView::Table | RatioView::RatioBySigma => {
            let full = readout.full_moments(n, sigma)?.moments;
            let part = full.mean * full.mean / full.j();
            match part > DOMINATES {
                true => format!("Ratio ≈ 1 because a² dominates at this σ ({} % of J): read the share.", percent(part)),
                false => format!("mean² is {} % of J_full here, so the ratio and the share both tell.", percent(part)),
            }
        }
        RatioView::ShareByN => {
            let shares = (1..=n).filter_map(|m| Some((m, readout.shares(m, k, sigma)?.total.value)));
            let (lowest, least) = shares.min_by(|a, b| a.1.total_cmp(&b.1))?;
            let here = readout.shares(n, k, sigma)?.total.value;
            format!(
                "How much of each increment's variance U of n = {n} catches: {} % at n = {n}, least {} % at n = {lowest}.",
                percent(here),
                percent(least)
            )
        }
        RatioView::RatioByN => {
            let ratios = (1..=n).filter_map(|m| Some((m, readout.ratio_gm(m, k, sigma)?.value)));
            let (m, lowest) = ratios.min_by(|a, b| a.1.total_cmp(&b.1))?;
            match lowest > 1.0 - 1e-2 {
                true => "Near 1 for every n: a² dominates at this σ, so the ratio says little; read the share.".into(),
                false => format!("Falls where the increment's mean is small: lowest {} at n = {m}.", number(lowest, 3)),
            }
        }
        RatioView::ShareBySigma => {
            let shares = readout.shares(n, k, sigma)?;
            format!(
                "Left the gradient decides, right the curvature: for k = {k} the share goes from {} % to {} %.",
                percent(shares.gradient),
                percent(shares.curvature.value)
            )
        }
    })
}

fn awaited(app: &App) -> Awaited {
    let n = app.wanted.n;
    Awaited {
        what: format!("J_sub/J_full comes here, once the eigenspace of H^({n}) and the coefficients on it are known."),
        progress: coming(app, Stage::Coefficients),
    }
}

/// Draw the view chosen.
fn draw(canvas: &mut Canvas, area: Rect) {
    match canvas.app.view.views.ratio {
        RatioView::Table => {
            let rows = table(canvas.app, area, canvas.buffer) + 1;
            let below = Rect { y: area.y + rows.min(area.height), height: area.height.saturating_sub(rows), ..area };
            // With room to spare, the curve that the table is a cut of.
            if below.height >= ROOM {
                by_sigma(canvas, below);
            }
        }
        RatioView::ShareByN | RatioView::RatioByN => by_n(canvas, area),
        RatioView::ShareBySigma | RatioView::RatioBySigma => by_sigma(canvas, area),
    }
}

/// Ratios, shares and the decomposition by k. Returns the rows used.
fn table(app: &App, area: Rect, buffer: &mut Buffer) -> u16 {
    let (readout, sigma) = (&app.readout, app.wanted.sigma);
    let (n, ks) = (readout.shown_n(), app.shown_ks());
    let muted = app.style(Token::Muted);
    let track = usize::from(area.width).saturating_sub(40).min(44);
    let bar_title =
        if track >= 8 { format!("{:<width$}", "share of the deformation", width = track + 2) } else { "share".into() };
    line(buffer, area, 0, &Line::styled(format!("{:>4}  {:<18}{bar_title}", "k", "J_sub/J_full"), muted));
    let mut row = 1;
    // The session compared comes below the one on the screen.
    for side in sides(app).iter().rev() {
        for (i, &k) in side.ks.iter().enumerate() {
            line(buffer, area, row, &share_row(app, side, i, k, track));
            row += 1;
        }
    }
    row += 1;
    let wide = area.width >= 66;
    let second = if wide { 17 } else { 9 };
    let head = format!("{:>4}  {:<16}{:<second$}{:<17}{}", "", "J, nats²", "= mean²", "+ variance", "gradient");
    line(buffer, area, row, &Line::styled(head, muted));
    row += 1;
    let of = |k: usize| {
        let gm = readout.subspace(k, sigma)?.gm;
        let parts = [gm.j(), gm.mean * gm.mean, gm.variance()].map(Interval::exact);
        Some((k.to_string(), gm, parts))
    };
    let full = readout.full_moments(n, sigma).map(|f| ("full".to_owned(), f.moments, [f.j(), f.mean2(), f.variance()]));
    for (name, moments, parts) in ks.iter().filter_map(|k| of(*k)).chain(full) {
        line(buffer, area, row, &Line::styled(decomposition(&name, &moments, &parts, wide), app.style(Token::Text)));
        row += 1;
    }
    if let Some(leakage) = readout.leakage.filter(|_| row + 1 < area.height) {
        let shares = ks.last().and_then(|k| readout.shares(n, *k, sigma));
        let k = ks.last().copied().unwrap_or(0);
        let parts = shares.map_or(String::new(), |s| {
            let curvature = measured_to(s.curvature.value, 0.5 * s.curvature.width(), 2);
            format!("gradient {}, curvature {curvature}, ", number(s.gradient, 2))
        });
        let text = format!("k {k}: {parts}leakage {}", number(leakage, 2));
        for text in wrapped(&text, area.width, 2) {
            row += 1;
            line(buffer, area, row, &Line::styled(text, muted));
        }
        row += 1;
    }
    row
}

/// k, the ratio with its interval, the share as a bar and as a number.
fn share_row(app: &App, side: &Side, i: usize, k: usize, track: usize) -> Line<'static> {
    let (readout, sigma, style) = (side.readout, app.wanted.sigma, app.style(Token::series(i)));
    let sign = if side.role == Role::Compared { COMPARED } else { ' ' };
    let ratio = readout.ratio(k, sigma).map_or("…".into(), |r| interval(&r));
    let mut spans = vec![
        Span::styled(format!("{sign}{k:>3}  "), style),
        Span::styled(format!("{ratio:<18}"), app.style(Token::Text)),
    ];
    match readout.shares(readout.shown_n(), k, sigma) {
        Some(shares) => {
            if track >= 8 {
                spans.extend(bar(app, &shares.total, track, style));
                spans.push(Span::raw("  "));
            }
            spans.push(Span::styled(interval(&shares.total), app.style(Token::Text)));
        }
        None => spans.push(Span::styled("awaiting the traces", app.style(Token::Muted))),
    }
    Line::from(spans)
}

/// J, its mean² and its variance, each with its interval where it is estimated; the closed forms on a basis are exact.
/// On a narrow pane the interval of mean² is left out: it is that of J but for the variance's.
fn decomposition(name: &str, m: &Moments, [j, mean2, variance]: &[Interval; 3], wide: bool) -> String {
    let gradient = if m.variance() > 0.0 { format!("{} %", percent(m.gradient / m.variance())) } else { "–".into() };
    let figure = |i: &Interval| if i.width() > 0.0 { interval(i) } else { number(i.value, 4) };
    let mean2 = if wide { format!("{:<17}", figure(mean2)) } else { format!("{:<9}", number(mean2.value, 4)) };
    format!("{name:>4}  {:<16}{mean2}{:<17}{gradient}", figure(j), figure(variance))
}

/// The ratio or the share, as the view asks; below the table, the share.
fn figure(view: RatioView, readout: &Readout, m: usize, k: usize, sigma: f64) -> Option<Interval> {
    match view {
        RatioView::Table | RatioView::ShareByN | RatioView::ShareBySigma => Some(readout.shares(m, k, sigma)?.total),
        RatioView::RatioByN | RatioView::RatioBySigma => readout.ratio_gm(m, k, sigma),
    }
}

fn by_n(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let (view, sigma) = (app.view.views.ratio, app.wanted.sigma);
    let along = |readout: &Readout, k: usize| -> Vec<(f64, Interval)> {
        (1..=readout.shown_n()).filter_map(|m| Some((m as f64, figure(view, readout, m, k, sigma)?))).collect()
    };
    let most = sides(app).iter().map(|s| s.readout.shown_n()).max().unwrap_or(2).max(2);
    let x = Axis::new(scale(Scale::Linear, app.view.widths[Pane::Ratio.index()]), 1.0, most as f64);
    curves(canvas, area, Plot::new(x, Quantity::N, x), along);
}

fn by_sigma(canvas: &mut Canvas, area: Rect) {
    const POINTS: usize = 49;
    let app = canvas.app;
    let (low, high) = (1e-5f64.min(app.wanted.sigma), 1e-1f64.max(app.wanted.sigma));
    let along = |readout: &Readout, k: usize| -> Vec<(f64, Interval)> {
        let at = |s: f64| figure(app.view.views.ratio, readout, readout.shown_n(), k, s);
        log_grid(low, high, POINTS).filter_map(|s| Some((s, at(s)?))).collect()
    };
    let x = Axis::new(scale(Scale::Log, app.view.widths[Pane::Ratio.index()]), low, high);
    let mut plot = Plot::new(x, Quantity::Sigma, x);
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    curves(canvas, area, plot, along);
}

/// One curve a k, the interval of the largest k as a band.
fn curves(canvas: &mut Canvas, area: Rect, mut plot: Plot, along: impl Fn(&Readout, usize) -> Vec<(f64, Interval)>) {
    let app = canvas.app;
    for side in sides(app) {
        for (i, &k) in side.ks.iter().enumerate() {
            let run = along(side.readout, k);
            if side.role == Role::Shown && i + 1 == side.ks.len() {
                let points = run.iter().map(|(x, i)| (*x, i.low, i.high)).collect();
                plot.bands.push(Band { points, style: app.style(Token::Band) });
            }
            let label = format!("k = {k:<3} {}", run.last().map_or(String::new(), |(_, i)| interval(i)));
            let points = run.iter().map(|(x, i)| (*x, i.value)).collect();
            plot.curves.push(side.role.curve(app, i, points, &format!("k {k}"), &label));
        }
    }
    let scale = scale(Scale::Linear, app.view.heights[Pane::Ratio.index()]);
    let heights = plot.curves.iter().flat_map(|c| c.points.iter().map(|p| p.1)).chain([1.0]);
    let Some(y) = Axis::covering(scale, heights, 0.02) else { return };
    plot.y = y;
    canvas.plot(plot, area);
}
