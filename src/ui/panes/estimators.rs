//! Pane 4: the estimators of J_sub side by side, by draws, by σ, by n, their gap over (k, σ), and what each stage took.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::readout::Readout;
use crate::engine::readout::agreement::AfterDraws;
use crate::engine::readout::views::Subspace;
use crate::math::format::{deviation, exact, measured, number};
use crate::math::stats::Estimate;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::heat::{Cell, Heat, Shades};
use crate::ui::plot::raster::{Marker, Stroke};
use crate::ui::plot::{At, Band, Curve, Guide, Mark, Plot, Quantity};
use crate::ui::state::{App, EstimatorsView, Pane};
use crate::ui::theme::Token;

use super::parts::{line, log_grid};
use super::sides::{COMPARED, Role, Side, sides};
use super::{Awaited, Canvas, Face, coming, focus_k, scale, stages};

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// What the pane is about now.
fn subject(app: &App) -> String {
    let (sigma, n) = (exact(app.wanted.sigma), app.readout.shown_n());
    match app.view.views.estimators {
        EstimatorsView::ByDraws => format!("─ J_sub, k = {}, σ = {sigma}, against draws", focus_k(app)),
        EstimatorsView::BySigma => format!("─ J against σ, n = {n} (○ drawn)"),
        EstimatorsView::ByN => format!("─ J against n, σ = {sigma}, U of n = {n}"),
        EstimatorsView::ByKAndSigma => "─ |direct − GM|/|direct| over k and σ".into(),
        EstimatorsView::Stages => stages::subject(app),
    }
}

/// What the view says: whether draws confirm the closed form, and what makes J what it is.
fn reading(app: &App) -> Option<String> {
    let (readout, sigma, k) = (&app.readout, app.wanted.sigma, focus_k(app));
    match app.view.views.estimators {
        EstimatorsView::ByDraws => confirmed(app),
        EstimatorsView::BySigma => {
            let j = |s: f64| Some(readout.quadratic().filter(|q| k <= q.k())?.moments(k, s).j());
            let power = (j(1.1 * sigma)? / j(sigma / 1.1)?).ln() / 1.21f64.ln();
            let why = match power {
                p if p < 0.5 => "a² decides, which no probing moves",
                p if p < 3.0 => "the gradient's σ² decides",
                _ => "the curvature's σ⁴ decides",
            };
            Some(format!("At σ = {} J_sub grows as σ^{power:.1}: {why}. Rings are drawn.", exact(sigma)))
        }
        EstimatorsView::ByN => {
            let n = readout.shown_n();
            let j = |m: usize| Some(readout.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j());
            let (fallen, averaged) = (j(1)? / j(n)?, ((n as f64 + 1.0) / 2.0).powi(2));
            let verdict =
                if fallen > averaged { "the landscape settles beyond averaging" } else { "no more than averaging" };
            Some(format!(
                "From n = 1 to {n} J_sub changed by a factor {}; averaging alone gives {}: {verdict}.",
                number(fallen, 2),
                number(averaged, 2)
            ))
        }
        EstimatorsView::ByKAndSigma => {
            let gaps = app.wanted.sigmas.iter().flat_map(|s| app.shown_ks().into_iter().map(move |k| (k, *s)));
            let known: Vec<_> = gaps.filter_map(|(k, s)| Some((k, s, readout.gap(k, s)?))).collect();
            let (k, s, most) =
                known.iter().filter(|(.., g)| !g.confirms()).max_by(|a, b| a.2.size.total_cmp(&b.2.size))?;
            Some(format!(
                "≈ marks where the draws confirm the closed form. Largest departure: {} (±{}) at k = {k}, σ = {}.",
                part(most.size),
                part(most.half),
                exact(*s)
            ))
        }
        EstimatorsView::Stages => stages::reading(app),
    }
}

fn awaited(app: &App) -> Awaited {
    Awaited {
        what: "Direct, quadratic and closed-form estimates come here, once the coefficients are known.".into(),
        progress: coming(app, Stage::Coefficients),
    }
}

/// Whether the draws at the σ in focus confirm the closed form.
fn confirmed(app: &App) -> Option<String> {
    let sigma = app.wanted.sigma;
    let sub = app.readout.subspace(focus_k(app), sigma)?;
    let gm = sub.gm.j();
    let Some(cv) = sub.direct_cv.filter(|e| e.draws >= 2) else {
        return Some(format!("No draws at σ = {} yet: the closed form needs none.", exact(sigma)));
    };
    let (bias, half) = (cv.mean / gm - 1.0, cv.half_width() / gm);
    Some(match bias.abs() <= half {
        true => format!("The draws confirm the closed form within ±{}.", part(half)),
        false => format!(
            "The true criterion lies {} from the closed form (±{}): terms beyond the quadratic.",
            deviation(bias),
            part(half)
        ),
    })
}

/// A part without its sign: `0.3 %`, `12 ppm`.
fn part(x: f64) -> String {
    deviation(x).trim_start_matches(['+', '−']).to_owned()
}

/// Draw the view chosen.
fn draw(canvas: &mut Canvas, area: Rect) {
    match canvas.app.view.views.estimators {
        EstimatorsView::ByDraws => by_draws(canvas, area),
        EstimatorsView::BySigma => by_sigma(canvas, area),
        EstimatorsView::ByN => by_n(canvas, area),
        EstimatorsView::ByKAndSigma => by_k_and_sigma(canvas, area),
        EstimatorsView::Stages => stages::draw(canvas, area),
    }
}

/// |direct − GM|/|direct| in a cell for each k and σ, shaded by its logarithm; a session compared has a map of its own,
/// beside or below.
fn by_k_and_sigma(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let sides = sides(app);
    let count = sides.len();
    let layout = if usize::from(area.width) >= count * MAP { Layout::horizontal } else { Layout::vertical };
    let areas = layout(vec![Constraint::Fill(1); count]).spacing(count as u16 - 1).split(area);
    // The one on the screen first, as in the table.
    for (side, area) in sides.iter().rev().zip(areas.iter()) {
        map(canvas, side, *area);
    }
}

/// Columns that a map needs.
const MAP: usize = 40;

fn map(canvas: &mut Canvas, side: &Side, area: Rect) {
    /// Shades run from one part in a million …
    const LIGHT: f64 = 1e-6;
    /// … to the whole.
    const DEEP: f64 = 1.0;
    let app = canvas.app;
    let cell = |k: usize, sigma: f64| {
        let gap = side.readout.gap(k, sigma)?;
        let shade = ((gap.size.max(LIGHT) / LIGHT).ln() / (DEEP / LIGHT).ln()).clamp(0.0, 1.0);
        let sign = if gap.confirms() { "≈ " } else { "" };
        Some(Cell { shade, lines: vec![format!("{sign}{}", part(gap.size)), format!("±{}", part(gap.half))] })
    };
    let letter = if side.role == Role::Compared { "B " } else { "" };
    let heat = Heat {
        columns: side.ks.iter().map(|k| format!("{letter}k = {k}")).collect(),
        // Like an axis: the largest σ on top.
        rows: app.wanted.sigmas.iter().rev().map(|s| format!("σ = {}", exact(*s))).collect(),
        cells: app.wanted.sigmas.iter().rev().map(|s| side.ks.iter().map(|k| cell(*k, *s)).collect()).collect(),
    };
    let signs = if app.marker == Marker::Ascii { [' ', '.', ':', '+', '#'] } else { [' ', '░', '▒', '▓', '█'] };
    let shades = Shades {
        ground: app.style(Token::Ground),
        full: app.style(Token::Series1),
        text: app.style(Token::Text),
        label: app.style(Token::Muted),
        signs,
    };
    let used = heat.render(area, canvas.buffer, &shades);
    if heat.cells.iter().flatten().all(Option::is_none) {
        let text = match side.role {
            Role::Shown => "Draws come here, one cell for each k and σ.",
            Role::Compared => "B has no draws at these k and σ.",
        };
        let text = Line::styled(text, app.style(Token::Muted));
        canvas.line(area, used.min(area.height.saturating_sub(1)), &text);
    }
}

/// An estimator of the table and the plot.
struct Kind {
    name: &'static str,
    of: fn(&AfterDraws) -> Estimate,
}

/// The three Monte Carlo estimators.
const KINDS: [Kind; 3] = [
    Kind { name: "direct", of: |after| after.direct },
    Kind { name: "quadratic", of: |after| after.quadratic },
    Kind { name: "control", of: |after| after.direct_cv },
];

fn by_draws(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let (k, sigma) = (focus_k(app), app.wanted.sigma);
    let Some(sub) = app.readout.subspace(k, sigma) else { return };
    let rows = estimates(app, &sub, area, canvas.buffer);
    let below = Rect { y: area.y + rows + 1, height: area.height.saturating_sub(rows + 1), ..area };
    let Some(runs) = runs(&app.readout, k, sigma) else { return };
    let draws = |runs: &[Vec<(f64, f64, f64)>; 3]| runs[0].last().map_or(2.0, |r| r.0);
    let compared = app.compared.as_ref().and_then(|c| self::runs(&c.readout, k, sigma));
    let most = compared.as_ref().map_or(0.0, draws).max(draws(&runs));
    // Early intervals are as wide as the sky; the later half of the draws decides the heights.
    let settled = (draws(&runs) / 4.0).max(2.0);
    let late = runs.iter().flatten().filter(|(s, ..)| *s >= settled);
    let reach = late.map(|(_, mean, half)| mean.abs() + half).filter(|r| r.is_finite()).fold(0.0, f64::max);
    let x = Axis::new(scale(Scale::Log, app.view.widths[Pane::Estimators.index()]), 2.0, most);
    let mut plot = Plot::new(x, Quantity::Draws, Axis::new(Scale::Linear, -1.1 * reach, 1.1 * reach));
    plot.guides.push(Guide { at: At::Y(0.0), label: "J/GM − 1 = 0".into(), style: app.style(Token::Guide) });
    let band = |(s, mean, half): &(f64, f64, f64)| (*s, mean - half, mean + half);
    plot.bands.push(Band { points: runs[0].iter().map(band).collect(), style: app.style(Token::Band) });
    for (role, runs) in compared.map(|c| (Role::Compared, c)).into_iter().chain([(Role::Shown, runs)]) {
        for (i, (kind, run)) in KINDS.iter().zip(&runs).enumerate() {
            let points = run.iter().map(|(s, mean, _)| (*s, *mean)).collect();
            // The table above is the legend.
            plot.curves.push(Curve { label: None, ..role.curve(app, i, points, kind.name, "") });
        }
    }
    canvas.plot(plot, below);
}

/// J/GM − 1 by draws for each of [`KINDS`]: draws, mean so far, half of its interval. `None` before two draws.
fn runs(readout: &Readout, k: usize, sigma: f64) -> Option<[Vec<(f64, f64, f64)>; 3]> {
    let gm = readout.subspace(k, sigma)?.gm.j();
    let course = readout.s_curve(k, sigma);
    let run = |kind: &Kind| -> Vec<(f64, f64, f64)> {
        let at = |after: &AfterDraws| {
            let e = (kind.of)(after);
            (after.draws as f64, e.mean / gm - 1.0, e.half_width() / gm)
        };
        course.iter().map(at).collect()
    };
    (!course.is_empty()).then(|| KINDS.each_ref().map(run))
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
        let name = format!("{} {:<11}", Stroke::nth(i).sample(), kind.name);
        let mut spans = vec![Span::styled(name, app.style(Token::series(i)))];
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
    let mut row = 4;
    let full = app.readout.full(app.wanted.sigma);
    let best = full.mc_cv.map(|e| (measured(e.mean, e.half_width()), format!("{:>4} draws, controlled", e.draws)));
    let closed = full.gm.map(|i| (measured(i.value, 0.5 * (i.high - i.low)), "closed form".to_owned()));
    let mut tell = |name: &str, value: String, source: String| {
        let spans = vec![
            Span::styled(format!("{name:<13}"), app.style(Token::Muted)),
            Span::styled(format!("{value:<20}"), app.style(Token::Text)),
            Span::styled(if wide { source } else { String::new() }, app.style(Token::Muted)),
        ];
        line(buffer, area, row, &Line::from(spans));
        row += 1;
    };
    if let Some((value, source)) = best.or(closed).filter(|_| area.height >= 14) {
        tell("  J_full", value, source);
    }
    let other = app.compared.as_ref().and_then(|c| c.readout.subspace(focus_k(app), app.wanted.sigma));
    if let Some(other) = other.filter(|_| area.height >= 16) {
        let gap = other.gm.j() / gm - 1.0;
        tell(&format!("{COMPARED} B GM"), number(other.gm.j(), 6), format!("closed form  {}", deviation(gap)));
        if let Some(e) = other.direct_cv {
            let source = format!("{:>4} draws  {}", e.draws, deviation(e.mean / gm - 1.0));
            tell(&format!("{COMPARED} B control"), measured(e.mean, e.half_width()), source);
        }
    }
    row
}

/// The pane's axes for J: logarithmic unless told otherwise.
fn axes(app: &App, low: f64, high: f64, curves: &[Curve]) -> Option<(Axis, Axis)> {
    let here = Pane::Estimators.index();
    let x = Axis::new(scale(Scale::Log, app.view.widths[here]), low, high);
    let values = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    Some((x, Axis::covering(scale(Scale::Log, app.view.heights[here]), values, 0.04)?))
}

fn by_sigma(canvas: &mut Canvas, area: Rect) {
    const POINTS: usize = 49;
    let app = canvas.app;
    let (low, high) = (1e-5f64.min(app.wanted.sigma), 1e-1f64.max(app.wanted.sigma));
    let grid: Vec<f64> = log_grid(low, high, POINTS).collect();
    let mut curves = Vec::new();
    for Side { readout, ks, role } in sides(app) {
        let n = readout.shown_n();
        let full = grid.iter().filter_map(|s| Some((*s, readout.full_moments(n, *s)?.moments.j()))).collect();
        let full = role.curve(app, 0, full, "J_full", "J_full");
        curves.push(Curve { style: app.style(Token::Text), stroke: Stroke::Dotted, ..full });
        for (i, k) in ks.into_iter().enumerate() {
            let points = grid.iter().filter_map(|s| Some((*s, readout.quadratic()?.moments(k, *s).j()))).collect();
            curves.push(role.curve(app, i, points, &format!("k {k}"), &format!("J_sub k = {k}")));
        }
    }
    let marks = app.shown_ks().into_iter().enumerate().flat_map(|(i, k)| {
        let drawn = move |s: &f64| Some((*s, app.readout.subspace(k, *s)?.direct?.mean));
        let mark = move |point| Mark { point, sign: '○', style: app.style(Token::series(i)) };
        app.wanted.sigmas.iter().filter_map(drawn).map(mark)
    });
    let Some((x, y)) = axes(app, low, high, &curves) else { return };
    let mut plot = Plot::new(x, Quantity::Sigma, y);
    let label = format!("σ = {}", exact(app.wanted.sigma));
    plot.guides.push(Guide { at: At::X(app.wanted.sigma), label, style: app.style(Token::Accent) });
    plot.marks = marks.collect();
    plot.curves = curves;
    canvas.plot(plot, area);
}

fn by_n(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let (sigma, k) = (app.wanted.sigma, focus_k(app));
    let mut curves = Vec::new();
    let mut most = 2;
    for Side { readout, role, .. } in sides(app) {
        let n = readout.shown_n();
        most = most.max(n);
        let along = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
            (1..=n).filter_map(|m| Some((m as f64, of(m)?))).collect()
        };
        let sub = along(&|m| Some(readout.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j()));
        let full = along(&|m| Some(readout.full_moments(m, sigma)?.moments.j()));
        let point = along(&|m| Some(readout.increment(m)?.powi(2)));
        // n enters J through 1/(n+1)² algebraically: the guide is what remains if nothing else changes.
        let first = sub.first().copied().unwrap_or((1.0, 1.0));
        let guide = along(&|m| Some(first.1 * ((first.0 + 1.0) / (m as f64 + 1.0)).powi(2)));
        if role == Role::Shown {
            curves.push(Curve {
                points: guide,
                style: app.style(Token::Guide),
                stroke: Stroke::Dotted,
                label: Some("∝ 1/(n+1)²".into()),
                ..Curve::default()
            });
            curves.push(role.curve(app, 2, point, "J₁²", "J₁²"));
        }
        curves.push(role.curve(app, 1, full, "J_full", "J_full"));
        curves.push(role.curve(app, 0, sub, "J_sub", &format!("J_sub k = {k}")));
    }
    let Some((x, y)) = axes(app, 1.0, most as f64, &curves) else { return };
    let mut plot = Plot::new(x, Quantity::N, y);
    plot.curves = curves;
    canvas.plot(plot, area);
}
