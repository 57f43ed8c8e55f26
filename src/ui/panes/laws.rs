//! Pane 6: the probing laws side by side, what each catches of the deformation, and the same share without the
//! quadratic model.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::knobs::{Exhibit, Law};
use crate::engine::readout::exhibits::LawFigures;
use crate::math::format::{exact, number};
use crate::math::stats::Interval;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::{At, Band, Curve, Guide, Plot, Quantity};
use crate::ui::state::{App, LawsView, Pane};
use crate::ui::theme::Token;

use super::parts::{bar, interval, line, log_grid, percent, times, wrapped};
use super::sides::Role;
use super::{Awaited, Canvas, Face, coming, focus_k, missing, scale};

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// Rows that a plot needs.
const PLOT: u16 = 9;

/// Columns from which shares and their parts stand side by side.
const WIDE: u16 = 100;

fn subject(app: &App) -> String {
    let (sigma, n, k) = (exact(app.wanted.sigma), app.readout.shown_n(), focus_k(app));
    match app.view.views.laws {
        LawsView::Shares => format!("─ share of each, k = {k}, σ = {sigma}, n = {n}"),
        LawsView::Parts => format!("─ gradient and curvature of each, k = {k}, n = {n}"),
        LawsView::ByK => format!("─ share against k, σ = {sigma}, n = {n}"),
        LawsView::BySigma => format!("─ share against σ, k = {k}, n = {n}"),
    }
}

fn awaited(app: &App) -> Awaited {
    let what =
        "What each probing law catches of the deformation comes here: top, bottom, random, and what else there is.";
    Awaited { what: what.into(), progress: coming(app, Stage::Coefficients) }
}

fn reading(app: &App) -> Option<String> {
    let (k, sigma) = (focus_k(app), app.wanted.sigma);
    let figures = app.readout.law_figures(k, sigma);
    let share = |law: Law| figures.iter().find(|f| f.law == law).and_then(|f| f.share);
    if figures.len() < 2 {
        return None;
    }
    Some(match app.view.views.laws {
        LawsView::Shares => {
            let most = figures.iter().max_by(|a, b| value(a).total_cmp(&value(b)))?;
            let top = share(Law::Top)?;
            let random = figures.iter().find(|f| f.law == Law::Top)?.enrichment?;
            format!(
                "Top catches {} of the deformation, {} times what {k} random directions would; {} catches most ({}).",
                interval(&top),
                times(random),
                most.law,
                interval(&most.share?)
            )
        }
        LawsView::Parts => {
            "Leakage: the part of A's action on the subspace that leaves it; 0 if A maps the subspace into itself."
                .into()
        }
        LawsView::ByK => {
            let here = share(Law::Top)?.value;
            let half = app.readout.law_figures(k.div_ceil(2), sigma);
            let half = half.iter().find(|f| f.law == Law::Top)?.share?.value;
            format!(
                "The first {} of {k} top directions hold {} % of what all {k} catch.",
                k.div_ceil(2),
                percent((half / here).min(1.0))
            )
        }
        LawsView::BySigma => {
            "Left the gradient decides, so increment (the span of b) catches most; right the curvature does.".into()
        }
    })
}

/// The share, or 0 where it is not known.
fn value(figures: &LawFigures) -> f64 {
    figures.share.map_or(0.0, |s| s.value)
}

fn draw(canvas: &mut Canvas, area: Rect) {
    match canvas.app.view.views.laws {
        LawsView::Shares => {
            let table = table(canvas, area);
            // Air between the two tables where there is room for it.
            let all = canvas.app.shown_ks().len() as u16 + 1;
            let used = table + u16::from(area.height > table + all);
            let free = (used + all + 1).min(area.height);
            if area.height - free >= PLOT {
                by_sigma(canvas, Rect { y: area.y + free, height: area.height - free, ..area });
            }
            let below = Rect { y: area.y + used.min(area.height), height: area.height.saturating_sub(used), ..area };
            without_model(canvas, below);
        }
        LawsView::Parts => {
            let used = (parts(canvas, area) + 1).min(area.height);
            if area.height - used >= PLOT {
                by_k(canvas, Rect { y: area.y + used, height: area.height - used, ..area });
            }
        }
        LawsView::ByK => by_k(canvas, area),
        LawsView::BySigma => by_sigma(canvas, area),
    }
}

/// The rows of a table over the laws: each known one by `row`; of the others that there are, and why not, below.
/// Returns the rows used.
fn over_laws(canvas: &mut Canvas, area: Rect, row: impl Fn(usize, &LawFigures) -> Vec<Span<'static>>) -> u16 {
    let app = canvas.app;
    let figures = app.readout.law_figures(focus_k(app), app.wanted.sigma);
    let mut used = 0;
    let mut unknown = Vec::new();
    for (i, law) in Law::ALL.into_iter().enumerate() {
        let Some(known) = figures.iter().find(|f| f.law == law) else {
            unknown.push(law.to_string());
            continue;
        };
        let in_force = if law == app.readout.knobs.law { "▸" } else { " " };
        let mut spans =
            vec![Span::styled(format!("{in_force}{:<11}{:>3}  ", law, known.k), app.style(Token::series(i)))];
        spans.extend(row(i, known));
        line(canvas.buffer, area, used, &Line::from(spans));
        used += 1;
    }
    if !unknown.is_empty() {
        let text = format!("{}: {}", unknown.join(", "), missing(app, Exhibit::Laws));
        for text in wrapped(&text, area.width, 3) {
            line(canvas.buffer, area, used, &Line::styled(text, app.style(Token::Muted)));
            used += 1;
        }
    }
    used
}

/// An interval, or a dash where it is not known.
fn known(i: Option<&Interval>) -> String {
    i.map_or("–".to_owned(), interval)
}

fn share_of(part: Option<f64>) -> String {
    part.map_or("–".to_owned(), |p| number(p, 2))
}

/// Shares with bars; on wide panes what they are made of too. Returns the rows used.
fn table(canvas: &mut Canvas, area: Rect) -> u16 {
    let app = canvas.app;
    let wide = area.width >= WIDE;
    let more = if wide { 42 } else { 0 };
    let track = usize::from(area.width).saturating_sub(42 + more).min(44);
    let track = if track >= 8 { track } else { 0 };
    let head = format!(" {:<11}{:>3}  {:<track$}  {:<14}{:>8}", "law", "k", "share", "", "× random");
    let parts = if wide { format!("  {:<10}{:<16}{:<10}", "gradient", "curvature", "leakage") } else { String::new() };
    line(canvas.buffer, area, 0, &Line::styled(head + &parts, app.style(Token::Muted)));
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let (text, muted) = (app.style(Token::Text), app.style(Token::Muted));
    1 + over_laws(canvas, below, |i, f| {
        let mut spans = Vec::new();
        if let Some(share) = f.share.filter(|_| track > 0) {
            spans.extend(bar(app, &share, track, app.style(Token::series(i))));
        }
        let many = f.enrichment.map_or("–".to_owned(), times);
        spans.push(Span::styled(format!("  {:<14}{many:>8}", known(f.share.as_ref())), text));
        if wide {
            let curvature = known(f.curvature_share.as_ref());
            let text = format!("  {:<10}{curvature:<16}{:<10}", share_of(f.gradient_share), share_of(f.leakage));
            spans.push(Span::styled(text, muted));
        }
        spans
    })
}

/// Gradient share and curvature share with a bar each, and leakage. Returns the rows used.
fn parts(canvas: &mut Canvas, area: Rect) -> u16 {
    let app = canvas.app;
    let track = (usize::from(area.width).saturating_sub(52) / 2).min(24);
    let track = if track >= 4 { track } else { 0 };
    let head = format!(
        " {:<11}{:>3}  {:<track$} {:<9} {:<track$} {:<14} {:<8}",
        "law", "k", "", "gradient", "", "curvature", "leakage"
    );
    line(canvas.buffer, area, 0, &Line::styled(head, app.style(Token::Muted)));
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let text = app.style(Token::Text);
    1 + over_laws(canvas, below, |i, f| {
        let style = app.style(Token::series(i));
        let mut spans = Vec::new();
        let blank = Interval::exact(0.0);
        spans.extend(bar(app, &f.gradient_share.map_or(blank, Interval::exact), track, style));
        spans.push(Span::styled(format!(" {:<9} ", share_of(f.gradient_share)), text));
        spans.extend(bar(app, &f.curvature_share.unwrap_or(blank), track, style));
        spans
            .push(Span::styled(format!(" {:<14} {:<8}", known(f.curvature_share.as_ref()), share_of(f.leakage)), text));
        spans
    })
}

/// The share of the law in force by the quadratic model and without it, by k.
fn without_model(canvas: &mut Canvas, area: Rect) {
    let (app, readout, sigma) = (canvas.app, &canvas.app.readout, canvas.app.wanted.sigma);
    if area.height < 2 {
        return;
    }
    let (muted, text) = (app.style(Token::Muted), app.style(Token::Text));
    let roomy = area.width >= 66;
    let plain = if roomy { "no control" } else { "" };
    let head = format!("{:>4}  {:<15}{:<16}{:<7}{:<8}{plain}", "k", "by the model", "pick-freeze", "pairs", "");
    line(canvas.buffer, area, 0, &Line::styled(head, muted));
    let n = readout.shown_n();
    let mut row = 1;
    let mut any = false;
    let ks = app.shown_ks();
    // Where not all fit, the largest tell most.
    let skipped = ks.len().saturating_sub(usize::from(area.height - 1));
    for (i, k) in ks.into_iter().enumerate().skip(skipped) {
        let Some(model) = readout.shares(n, k, sigma).map(|s| s.total) else { continue };
        let mut spans = vec![
            Span::styled(format!("{k:>4}  "), app.style(Token::series(i))),
            Span::styled(format!("{:<15}", interval(&model)), text),
        ];
        if let Some(free) = readout.pick_freeze_share(k, sigma) {
            any = true;
            let pairs = readout.exhibits.pick_freeze.get(&(k, n, sigma.to_bits())).map_or(0, Vec::len);
            let agree = free.low <= model.high && model.low <= free.high;
            let (words, token) = if agree { ("agrees", Token::Good) } else { ("differs", Token::Warning) };
            spans.push(Span::styled(format!("{:<16}{pairs:<7}", interval(&free)), text));
            spans.push(Span::styled(format!("{words:<8}"), app.style(token)));
            let plain = readout.pick_freeze_plain(k, sigma).filter(|_| roomy);
            spans.push(Span::styled(plain.map_or(String::new(), |p| interval(&p)), muted));
        }
        line(canvas.buffer, area, row, &Line::from(spans));
        row += 1;
    }
    if !any {
        let text = format!("Without the model: {}", missing(app, Exhibit::Shares));
        for text in wrapped(&text, area.width, 2) {
            line(canvas.buffer, area, row, &Line::styled(text, muted));
            row += 1;
        }
    }
}

/// One curve a law of its shares along x, the interval of the law in force as a band.
fn curves(canvas: &mut Canvas, area: Rect, mut plot: Plot, grid: &[f64], at: impl Fn(f64) -> Vec<LawFigures>) {
    let app = canvas.app;
    let all: Vec<(f64, Vec<LawFigures>)> = grid.iter().map(|x| (*x, at(*x))).collect();
    for (i, law) in Law::ALL.into_iter().enumerate().rev() {
        let here = |figures: &[LawFigures]| figures.iter().find(|f| f.law == law).and_then(|f| f.share);
        let run: Vec<(f64, Interval)> = all.iter().filter_map(|(x, figures)| Some((*x, here(figures)?))).collect();
        let Some((_, last)) = run.last() else { continue };
        if law == app.readout.knobs.law {
            let points = run.iter().map(|(x, i)| (*x, i.low, i.high)).collect();
            plot.bands.push(Band { points, style: app.style(Token::Band) });
        }
        let points = run.iter().map(|(x, i)| (*x, i.value)).collect();
        let label = format!("{law} {}", interval(last));
        plot.curves.push(Role::Shown.curve(app, i, points, &law.to_string(), &label));
    }
    let heights = plot.curves.iter().flat_map(|c: &Curve| c.points.iter().map(|p| p.1)).chain([0.0]);
    let scale = scale(Scale::Linear, app.view.heights[Pane::Laws.index()]);
    let Some(y) = Axis::covering(scale, heights, 0.04) else { return };
    plot.y = y;
    canvas.plot(plot, area);
}

fn by_k(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let most = app.readout.quadratic().map_or(1, |q| q.k());
    let axis = Axis::new(scale(Scale::Linear, app.view.widths[Pane::Laws.index()]), 1.0, most.max(2) as f64);
    let grid: Vec<f64> = (1..=most).map(|k| k as f64).collect();
    let at = |k: f64| {
        // A law with fewer dimensions ends where they do.
        let reaches = |f: &LawFigures| f.k == k as usize;
        app.readout.law_figures(k as usize, app.wanted.sigma).into_iter().filter(reaches).collect()
    };
    curves(canvas, area, Plot::new(axis, Quantity::Dimension, axis), &grid, at);
}

fn by_sigma(canvas: &mut Canvas, area: Rect) {
    const POINTS: usize = 33;
    let app = canvas.app;
    let (low, high) = (1e-5f64.min(app.wanted.sigma), 1e-1f64.max(app.wanted.sigma));
    let axis = Axis::new(scale(Scale::Log, app.view.widths[Pane::Laws.index()]), low, high);
    let mut plot = Plot::new(axis, Quantity::Sigma, axis);
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    let grid: Vec<f64> = log_grid(low, high, POINTS).collect();
    curves(canvas, area, plot, &grid, |sigma| app.readout.law_figures(focus_k(app), sigma));
}
