//! Pane 2: J_sub/J_full and, since a² can make that ratio 1 for a trivial reason, the share of the deformation itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::criteria::quadratic::Moments;
use crate::math::format::{exact, measured_to, number};
use crate::math::stats::Interval;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Band, Curve, Guide, Plot};
use crate::ui::state::{App, Heights, Pane, RatioView};
use crate::ui::theme::Token;

use super::{ink, line, log_grid, wrapped};

/// Above this part of J_full, mean² decides the ratio and nothing else does.
const DOMINATES: f64 = 0.9;

/// Rows from which a curve fits below the table.
const ROOM: u16 = 9;

/// What the pane is about now.
pub fn subject(app: &App) -> String {
    let (sigma, n) = (exact(app.wanted.sigma), app.readout.shown_n());
    match app.view.ratio {
        RatioView::Table => format!("─ J_sub/J_full at σ = {sigma}, n = {n}"),
        RatioView::ShareByN => format!("─ share against n, σ = {sigma}, U frozen at n = {n}"),
        RatioView::RatioByN => format!("─ ratio against n, σ = {sigma}, U frozen at n = {n}"),
        RatioView::ShareBySigma => format!("─ share against σ, n = {n}"),
        RatioView::RatioBySigma => format!("─ ratio against σ, n = {n}"),
    }
}

/// Whether the ratio says anything at this σ.
pub fn reading(app: &App) -> Option<String> {
    let n = app.readout.shown_n();
    let full = app.readout.full_moments(n, app.wanted.sigma)?.moments;
    let part = full.mean * full.mean / full.j();
    Some(match part > DOMINATES {
        true => format!("Ratio ≈ 1 because a² dominates at this σ ({} % of J): read the share.", percent(part)),
        false => format!("mean² is {} % of J_full here, so the ratio and the share both tell.", percent(part)),
    })
}

/// A part in per cent, never rounded up to 100.
fn percent(part: f64) -> String {
    let percent = 100.0 * part;
    if percent > 99.0 { format!("{:.2}", (percent * 100.0).floor() / 100.0) } else { format!("{percent:.0}") }
}

/// Draw the view chosen.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    match app.view.ratio {
        RatioView::Table => {
            let rows = table(app, area, buffer) + 1;
            let below = Rect { y: area.y + rows.min(area.height), height: area.height.saturating_sub(rows), ..area };
            // With room to spare, the curve that the table is a cut of.
            if below.height >= ROOM {
                by_sigma(app, below, buffer);
            }
        }
        RatioView::ShareByN | RatioView::RatioByN => by_n(app, area, buffer),
        RatioView::ShareBySigma | RatioView::RatioBySigma => by_sigma(app, area, buffer),
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
    for (i, &k) in ks.iter().enumerate() {
        let ratio = readout.ratio(k, sigma).map_or("…".into(), |r| interval(&r));
        let mut spans = vec![
            Span::styled(format!("{k:>4}  "), app.style(Token::series(i))),
            Span::styled(format!("{ratio:<18}"), app.style(Token::Text)),
        ];
        match readout.shares(n, k, sigma) {
            Some(shares) => {
                if track >= 8 {
                    spans.extend(bar(app, &shares.total, track, app.style(Token::series(i))));
                    spans.push(Span::raw("  "));
                }
                spans.push(Span::styled(interval(&shares.total), app.style(Token::Text)));
            }
            None => spans.push(Span::styled("awaiting the traces", muted)),
        }
        line(buffer, area, row, &Line::from(spans));
        row += 1;
    }
    row += 1;
    line(
        buffer,
        area,
        row,
        &Line::styled(
            format!("{:>4}  {:<11}{:<11}{:<12}{}", "", "J, nats²", "= mean²", "+ variance", "from gradient"),
            muted,
        ),
    );
    row += 1;
    let of = |k: usize| Some((k.to_string(), readout.subspace(k, sigma)?.gm));
    let full = readout.full_moments(n, sigma).map(|f| ("full".to_owned(), f.moments));
    for (name, moments) in ks.iter().filter_map(|k| of(*k)).chain(full) {
        line(buffer, area, row, &Line::styled(decomposition(&name, &moments), app.style(Token::Text)));
        row += 1;
    }
    if let Some(leakage) = readout.leakage.filter(|_| row + 1 < area.height) {
        let shares = ks.last().and_then(|k| readout.shares(n, *k, sigma));
        let k = ks.last().copied().unwrap_or(0);
        let parts = shares.map_or(String::new(), |s| {
            format!("gradient {}, curvature {}, ", number(s.gradient, 2), interval(&s.curvature))
        });
        let text = format!("k {k}: {parts}leakage {}", number(leakage, 2));
        for text in wrapped(&text, area.width) {
            row += 1;
            line(buffer, area, row, &Line::styled(text, muted));
        }
        row += 1;
    }
    row
}

fn decomposition(name: &str, m: &Moments) -> String {
    let gradient = if m.variance() > 0.0 { format!("{} %", percent(m.gradient / m.variance())) } else { "–".into() };
    format!(
        "{name:>4}  {:<11}{:<11}{:<12}{gradient}",
        number(m.j(), 4),
        number(m.mean * m.mean, 4),
        number(m.variance(), 3)
    )
}

/// A ratio with half the width of its interval.
fn interval(i: &Interval) -> String {
    measured_to(i.value, 0.5 * (i.high - i.low), 4)
}

/// A bar to the value in eighths of a cell; the interval's reach beyond it is shaded.
fn bar(app: &App, share: &Interval, width: usize, style: Style) -> [Span<'static>; 3] {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let place = |v: f64| (v.clamp(0.0, 1.0) * (8 * width) as f64).round() as usize;
    let eighths = place(share.value);
    let solid = format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8]);
    let used = eighths.div_ceil(8);
    let reach = place(share.high).div_ceil(8).saturating_sub(used);
    let rest = width - used - reach;
    [
        Span::styled(solid, style),
        Span::styled("▒".repeat(reach), style),
        Span::styled("·".repeat(rest), app.style(Token::Faint)),
    ]
}

/// The ratio or the share, as the view asks; below the table, the share.
fn figure(app: &App, m: usize, k: usize, sigma: f64) -> Option<Interval> {
    match app.view.ratio {
        RatioView::Table | RatioView::ShareByN | RatioView::ShareBySigma => {
            Some(app.readout.shares(m, k, sigma)?.total)
        }
        RatioView::RatioByN | RatioView::RatioBySigma => app.readout.ratio_gm(m, k, sigma),
    }
}

fn by_n(app: &App, area: Rect, buffer: &mut Buffer) {
    let n = app.readout.shown_n();
    let along = |k: usize| -> Vec<(f64, Interval)> {
        (1..=n).filter_map(|m| Some((m as f64, figure(app, m, k, app.wanted.sigma)?))).collect()
    };
    let x = Axis::new(Scale::Linear, 1.0, n.max(2) as f64);
    curves(app, area, buffer, Plot::new(x, "n", Axis::new(Scale::Linear, 0.0, 1.0)), along);
}

fn by_sigma(app: &App, area: Rect, buffer: &mut Buffer) {
    const POINTS: usize = 49;
    let n = app.readout.shown_n();
    let (low, high) = (1e-5f64.min(app.wanted.sigma), 1e-1f64.max(app.wanted.sigma));
    let along = |k: usize| -> Vec<(f64, Interval)> {
        log_grid(low, high, POINTS).filter_map(|s| Some((s, figure(app, n, k, s)?))).collect()
    };
    let mut plot = Plot::new(Axis::new(Scale::Log, low, high), "σ", Axis::new(Scale::Linear, 0.0, 1.0));
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    curves(app, area, buffer, plot, along);
}

/// One curve a k, the interval of the largest k as a band.
fn curves(app: &App, area: Rect, buffer: &mut Buffer, mut plot: Plot, along: impl Fn(usize) -> Vec<(f64, Interval)>) {
    let ks = app.shown_ks();
    let runs: Vec<_> = ks.iter().map(|k| along(*k)).collect();
    let scale = match app.view.heights[Pane::Ratio.index()] {
        Heights::Suited => Scale::Linear,
        Heights::Linear => Scale::Log,
    };
    let heights = runs.iter().flatten().map(|(_, i)| i.value).chain([1.0]);
    let Some(y) = Axis::covering(scale, heights, 0.02) else { return };
    plot.y = y;
    if let Some(last) = runs.last() {
        let points = last.iter().map(|(x, i)| (*x, i.low, i.high)).collect();
        plot.bands.push(Band { points, style: app.style(Token::Band) });
    }
    for (i, (k, run)) in ks.iter().zip(&runs).enumerate() {
        let value = run.last().map_or(String::new(), |(_, i)| interval(i));
        plot.curves.push(Curve {
            points: run.iter().map(|(x, i)| (*x, i.value)).collect(),
            style: app.style(Token::series(i)),
            stroke: Stroke::nth(i),
            label: Some(format!("k = {k:<3} {value}")),
        });
    }
    plot.render(area, buffer, ink(app));
}
