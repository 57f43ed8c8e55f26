//! Pane 7: what the theory promises beside what is measured: Theorem 2's bound, Corollary 4's diagonal formula,
//! Proposition 3's choice of subspace.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::knobs::{Exhibit, Law};
use crate::engine::readout::exhibits::{Bound, IndexSet};
use crate::math::format::{exact, number};
use crate::math::stats::Interval;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Curve, Guide, Mark, Plot, Quantity};
use crate::ui::state::{App, Pane, TheoryView};
use crate::ui::theme::Token;

use super::parts::{bar, line, percent, times, wrapped};
use super::sides::Role;
use super::{Awaited, Canvas, Face, coming, focus_k, missing, scale};

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// Rows that a plot needs.
const PLOT: u16 = 6;

fn subject(app: &App) -> String {
    let (sigma, n) = (exact(app.wanted.sigma), app.readout.shown_n());
    match app.view.views.theory {
        TheoryView::Bound => format!("─ Theorem 2: J_sub ≤ bound, σ = {sigma}, U of n = {n}"),
        TheoryView::Diagonal => format!("─ Corollary 4: the diagonal of B alone, σ = {sigma}"),
        TheoryView::Choice => format!("─ Proposition 3: which k = {} directions, σ = {sigma}", chosen_k(app)),
    }
}

fn awaited(app: &App) -> Awaited {
    let what =
        "Theorem 2's bound over J_sub, Corollary 4 and Proposition 3 come here, once the coefficients are known.";
    Awaited { what: what.into(), progress: coming(app, Stage::Coefficients) }
}

/// The largest of the bound's three parts: its name, and its part of the whole.
fn largest(bound: &Bound) -> (&'static str, f64) {
    let parts = [("12 M_ℓ²", bound.loss), ("3σ² M_g²", bound.gradient), ("3σ⁴(k²+2k) M_H²", bound.curvature)];
    let (name, most) = parts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or(parts[0]);
    (name, most / bound.value())
}

fn reading(app: &App) -> Option<String> {
    let (readout, sigma, k, n) = (&app.readout, app.wanted.sigma, focus_k(app), app.readout.shown_n());
    Some(match app.view.views.theory {
        TheoryView::Bound => {
            let (bound, slack) = (readout.theory(n, k, sigma)?, readout.slack(n, k, sigma)?);
            let (name, part) = largest(&bound);
            let holds = if slack >= 1.0 { "holds" } else { "does not hold" };
            format!(
                "The bound {holds}: {} times J_sub at n = {n}, k = {k}. {name} is {} % of it: it falls as 1/(n+1)² whatever the landscape does.",
                times(slack),
                percent(part)
            )
        }
        TheoryView::Diagonal => {
            let found = readout.corollary4(k, sigma)?;
            format!(
                "At k = {k} {} % of ‖B‖² lies off its diagonal; without it the quadratic signal is {} of what it is, which is {} % of J_sub.",
                number(100.0 * found.off_diagonal, 2),
                number(found.diagonal / found.signal, 3),
                number(100.0 * found.signal / found.full, 2)
            )
        }
        TheoryView::Choice => {
            let found = readout.proposition3(chosen_k(app), sigma)?;
            let (best, most) = choices(app).into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
            let top = found.signals.first()?.1;
            let verdict = match most > top {
                true => format!("{best} has {} times the signal of the first {}", times(most / top), chosen_k(app)),
                false => format!("the first {} have the largest signal, as it says", chosen_k(app)),
            };
            let (all, good) = (found.increments.len(), found.nonnegative);
            format!("It asks for increments μ ≥ 0 on shared eigenvectors: {good} of {all} are; {verdict}.")
        }
    })
}

fn draw(canvas: &mut Canvas, area: Rect) {
    let (app, k) = (canvas.app, focus_k(canvas.app));
    // The picture says most of the bound: where there is no room for both, it stands alone.
    let table = app.shown_ks().len() as u16 + 3;
    let bounded = app.readout.theory(app.readout.shown_n(), k, app.wanted.sigma).is_some();
    if app.view.views.theory == TheoryView::Bound && bounded && area.height < table + PLOT {
        return bound_by_n(canvas, area);
    }
    let used = match app.view.views.theory {
        TheoryView::Bound => bounds(canvas, area),
        TheoryView::Diagonal => diagonals(canvas, area),
        TheoryView::Choice => signals(canvas, area),
    };
    let used = (used + 1).min(area.height);
    let below = Rect { y: area.y + used, height: area.height - used, ..area };
    if below.height < PLOT {
        return;
    }
    match app.view.views.theory {
        TheoryView::Bound => bound_by_n(canvas, below),
        TheoryView::Diagonal => diagonal_by_k(canvas, below),
        TheoryView::Choice => increments(canvas, below),
    }
}

/// Write muted text over a few rows; returns the row after it.
fn explain(canvas: &mut Canvas, area: Rect, mut row: u16, text: &str) -> u16 {
    let style = canvas.app.style(Token::Muted);
    for text in wrapped(text, area.width, 3) {
        line(canvas.buffer, area, row, &Line::styled(text, style));
        row += 1;
    }
    row
}

/// J_sub, its bound and the slack by k, then the constants. Returns the rows used.
fn bounds(canvas: &mut Canvas, area: Rect) -> u16 {
    let (app, readout, sigma) = (canvas.app, &canvas.app.readout, canvas.app.wanted.sigma);
    let n = readout.shown_n();
    let head = format!("{:>4}  {:<12}{:<12}{:<11}{}", "k", "J_sub, nats²", "bound", "× slack", "largest part");
    line(canvas.buffer, area, 0, &Line::styled(head, app.style(Token::Muted)));
    let mut row = 1;
    let mut constants = None;
    for (i, k) in app.shown_ks().into_iter().enumerate() {
        let Some(j) = readout.quadratic().map(|q| q.moments(k, sigma).j()) else { continue };
        let mut spans = vec![
            Span::styled(format!("{k:>4}  "), app.style(Token::series(i))),
            Span::styled(format!("{:<12}", number(j, 4)), app.style(Token::Text)),
        ];
        if let Some(bound) = readout.theory(n, k, sigma) {
            let slack = bound.value() / j;
            let token = if slack >= 1.0 { Token::Good } else { Token::Error };
            spans.push(Span::styled(format!("{:<12}", number(bound.value(), 3)), app.style(Token::Text)));
            spans.push(Span::styled(format!("{:<11}", number(slack, 3)), app.style(token)));
            let (name, part) = largest(&bound);
            spans.push(Span::styled(format!("{name} {} %", percent(part)), app.style(Token::Muted)));
            constants = Some(bound.constants);
        }
        line(canvas.buffer, area, row, &Line::from(spans));
        row += 1;
    }
    let text = match constants {
        Some(c) => format!(
            "M_ℓ {} nats · M_g {} · M_H {} (‖H_i‖ with its residual)",
            number(c.loss, 3),
            number(c.gradient, 3),
            number(c.curvature, 3)
        ),
        None => format!("The bound's constants: {}", missing(app, Exhibit::Theory)),
    };
    explain(canvas, area, row, &text)
}

/// The bound over J_sub, against n on the eigenspace shown.
fn bound_by_n(canvas: &mut Canvas, area: Rect) {
    let (app, readout, sigma, k) = (canvas.app, &canvas.app.readout, canvas.app.wanted.sigma, focus_k(canvas.app));
    let n = readout.shown_n();
    let along = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        (1..=n).filter_map(|m| Some((m as f64, of(m)?))).collect()
    };
    let bound = along(&|m| Some(readout.theory(m, k, sigma)?.value()));
    let mut curves = vec![Curve {
        points: bound,
        style: app.style(Token::Text),
        stroke: Stroke::Dashed,
        name: "bound".into(),
        label: Some(format!("bound, k = {k}")),
        ..Curve::default()
    }];
    for (i, k) in app.shown_ks().into_iter().enumerate() {
        let sub = along(&|m| Some(readout.coefficients.get(&m).filter(|q| k <= q.k())?.moments(k, sigma).j()));
        curves.push(Role::Shown.curve(app, i, sub, &format!("k {k}"), &format!("J_sub k = {k}")));
    }
    let x = Axis::new(scale(Scale::Log, app.view.widths[Pane::Theory.index()]), 1.0, n.max(2) as f64);
    fitted(canvas, area, Plot::new(x, Quantity::N, x), curves, Scale::Log, &[]);
}

/// Put `curves` on a plot whose height fits them, and draw it.
fn fitted(canvas: &mut Canvas, area: Rect, mut plot: Plot, curves: Vec<Curve>, suited: Scale, also: &[f64]) {
    let scale = scale(suited, canvas.app.view.heights[Pane::Theory.index()]);
    let heights = curves.iter().flat_map(|c| c.points.iter().map(|p| p.1)).chain(also.iter().copied());
    let Some(y) = Axis::covering(scale, heights, 0.05) else { return };
    (plot.y, plot.curves) = (y, curves);
    canvas.plot(plot, area);
}

/// The diagonal formula beside all of B, by k. Returns the rows used.
fn diagonals(canvas: &mut Canvas, area: Rect) -> u16 {
    let (app, readout, sigma) = (canvas.app, &canvas.app.readout, canvas.app.wanted.sigma);
    let track = usize::from(area.width).saturating_sub(52).min(24);
    let track = if track >= 5 { track } else { 0 };
    let head =
        format!("{:>4}  {:<track$} {:<9}{:<12}{:<12}{:<10}", "k", "", "off", "diagonal", "all of B", "J_sub, nats²");
    line(canvas.buffer, area, 0, &Line::styled(head, app.style(Token::Muted)));
    let mut row = 1;
    for (i, k) in app.shown_ks().into_iter().enumerate() {
        let Some(found) = readout.corollary4(k, sigma) else { continue };
        let mut spans = vec![Span::styled(format!("{k:>4}  "), app.style(Token::series(i)))];
        spans.extend(bar(app, &Interval::exact(found.off_diagonal), track, app.style(Token::series(i))));
        let off = format!("{} %", number(100.0 * found.off_diagonal, 2));
        let [diagonal, signal, full] = [found.diagonal, found.signal, found.full].map(|x| number(x, 3));
        spans.push(Span::styled(format!(" {off:<9}{diagonal:<12}{signal:<12}{full:<10}"), app.style(Token::Text)));
        line(canvas.buffer, area, row, &Line::from(spans));
        row += 1;
    }
    row
}

/// The part of ‖B‖² off the diagonal and what the diagonal formula gives of the signal, against k.
fn diagonal_by_k(canvas: &mut Canvas, area: Rect) {
    let (app, readout, sigma) = (canvas.app, &canvas.app.readout, canvas.app.wanted.sigma);
    let most = readout.quadratic().map_or(1, |q| q.k());
    let along = |of: &dyn Fn(usize) -> Option<f64>| -> Vec<(f64, f64)> {
        (1..=most).filter_map(|k| Some((k as f64, of(k)?))).collect()
    };
    let off = along(&|k| Some(readout.corollary4(k, sigma)?.off_diagonal));
    let part = along(&|k| readout.corollary4(k, sigma).map(|c| c.diagonal / c.signal));
    let curves = vec![
        Role::Shown.curve(app, 1, part, "diagonal/all", "diagonal/all of B"),
        Role::Shown.curve(app, 0, off, "off the diagonal", "off the diagonal"),
    ];
    let x = Axis::new(scale(Scale::Linear, app.view.widths[Pane::Theory.index()]), 1.0, most.max(2) as f64);
    fitted(canvas, area, Plot::new(x, Quantity::Dimension, x), curves, Scale::Linear, &[0.0, 1.0]);
}

/// The dimension at which there is a choice: the largest shown that leaves as many directions out, else the least.
fn chosen_k(app: &App) -> usize {
    let found = app.readout.quadratic().map_or(0, |q| q.k());
    let ks = app.shown_ks();
    ks.iter().rev().copied().find(|k| 2 * k <= found).or(ks.first().copied()).unwrap_or(1)
}

/// The pure quadratic signal of every choice of directions that is known, nats².
fn choices(app: &App) -> Vec<(String, f64)> {
    let (k, sigma) = (chosen_k(app), app.wanted.sigma);
    let Some(found) = app.readout.proposition3(k, sigma) else { return Vec::new() };
    let all = found.increments.len();
    let of_basis = found.signals.into_iter().map(|(set, signal)| {
        let name = match set {
            IndexSet::Leading => format!("first {k} found"),
            IndexSet::Trailing => format!("last {k} of {all}"),
            IndexSet::Spread => format!("{k} evenly of {all}"),
        };
        (name, signal)
    });
    let law = app.readout.knobs.law;
    let others = app.readout.law_figures(k, sigma).into_iter().filter(|f| f.law != law);
    let others = others.map(|f| match f.law {
        Law::Random => (format!("{} at random", f.k), f.signal),
        law => (format!("{law}, {}", f.k), f.signal),
    });
    of_basis.chain(others).collect()
}

/// The signals with bars, the largest first in length. Returns the rows used.
fn signals(canvas: &mut Canvas, area: Rect) -> u16 {
    let app = canvas.app;
    let choices = choices(app);
    let most = choices.iter().map(|c| c.1).fold(0.0, f64::max);
    let track = usize::from(area.width).saturating_sub(34).min(40);
    let track = if track >= 6 { track } else { 0 };
    let head = format!("{:<18}{:<track$} {:<12}", "directions", "", "signal, nats²");
    line(canvas.buffer, area, 0, &Line::styled(head, app.style(Token::Muted)));
    for (i, (name, signal)) in choices.iter().enumerate() {
        let style = app.style(Token::series(i));
        let mut spans = vec![Span::styled(format!("{name:<18}"), style)];
        spans.extend(bar(app, &Interval::exact(signal / most), track, style));
        spans.push(Span::styled(format!(" {:<12}", number(*signal, 3)), app.style(Token::Text)));
        line(canvas.buffer, area, i as u16 + 1, &Line::from(spans));
    }
    let row = choices.len() as u16 + 1;
    if app.readout.exhibits.laws.is_empty() {
        return explain(canvas, area, row, &format!("Other laws: {}", missing(app, Exhibit::Laws)));
    }
    row
}

/// The increments μ_j by the rank of their eigenvector.
fn increments(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let Some(found) = app.readout.proposition3(chosen_k(app), app.wanted.sigma) else { return };
    let points: Vec<(f64, f64)> = found.increments.iter().enumerate().map(|(j, mu)| (j as f64 + 1.0, *mu)).collect();
    let x = scale(Scale::Linear, app.view.widths[Pane::Theory.index()]);
    let x = Axis::new(x, 1.0, points.len().max(2) as f64);
    let mut plot = Plot::new(x, Quantity::Rank, x);
    plot.guides.push(Guide { at: At::Y(0.0), label: String::new(), style: app.style(Token::Guide) });
    let mark = |point: &(f64, f64)| {
        let (sign, token) = if point.1 >= 0.0 { ('●', Token::Series1) } else { ('○', Token::Warning) };
        Mark { point: *point, sign, style: app.style(token) }
    };
    plot.marks = points.iter().map(mark).collect();
    let curve = Role::Shown.curve(app, 0, points, "μ", "μ = uᵀAu (○ < 0)");
    fitted(canvas, area, plot, vec![Curve { style: app.style(Token::Faint), ..curve }], Scale::Linear, &[0.0]);
}
