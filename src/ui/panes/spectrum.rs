//! Pane 1: how the eigenvalue estimates and their residuals converge, product by product.

use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};

use crate::engine::event::Stage;
use crate::engine::readout::{Solve, Standing};
use crate::math::format::{number, subscript};
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Curve, Guide, Plot};
use crate::ui::state::{App, Heights, Pane, SpectrumView};
use crate::ui::theme::Token;

use super::ink;

/// Rows from which both views have room.
const BOTH: u16 = 20;

/// What the pane is about now.
pub fn subject(app: &App) -> String {
    let n = app.readout.solve.as_ref().map_or(app.wanted.n, |s| s.n);
    match app.view.spectrum {
        SpectrumView::Values => format!("─ λ of H^({n}), per product"),
        SpectrumView::Residuals => format!("─ residuals ‖Hu − λu‖ of H^({n}), per product"),
    }
}

/// How far the solve is, and what it is worth.
pub fn reading(app: &App) -> Option<String> {
    let solve = app.readout.solve.as_ref()?;
    let last = solve.iterations.last()?;
    let k = app.wanted.k().min(last.values.len());
    let limit = tolerance(app, solve);
    let converged = last.residuals.iter().take(k).filter(|r| r.is_some_and(|r| r <= limit)).count();
    let mut text = format!(
        "{converged} of {} pairs within {:e}·λ₁ after {} products ({})",
        app.wanted.k(),
        app.wanted.tol,
        last.products,
        solve.solver
    );
    if let Some(former) = app.readout.former.as_ref().and_then(|f| Some((f.solver, f.n, f.iterations.last()?.products)))
    {
        text.push_str(&format!("; before, dashed: {} {} products", former.0, former.2));
        if former.1 != solve.n {
            text.push_str(&format!(" at n = {}", former.1));
        }
    }
    let complete = app.readout.standing(Stage::Subspace) == Standing::Complete;
    if let Some(basis) = app.readout.eigenspace.as_ref().filter(|_| complete) {
        text.push_str(&format!("; UᵀU = I to {}", number(basis.orthonormality, 1)));
    }
    text.push('.');
    Some(text)
}

/// Draw the view chosen, with the other below it where there is room.
pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(solve) = &app.readout.solve else { return };
    if area.height < BOTH {
        return plot(app, solve, app.view.spectrum, area.height).render(area, buffer, ink(app));
    }
    let [upper, _, lower] =
        Layout::vertical([Constraint::Fill(3), Constraint::Length(1), Constraint::Fill(2)]).areas(area);
    let other = match app.view.spectrum {
        SpectrumView::Values => SpectrumView::Residuals,
        SpectrumView::Residuals => SpectrumView::Values,
    };
    plot(app, solve, app.view.spectrum, upper.height).render(upper, buffer, ink(app));
    plot(app, solve, other, lower.height).render(lower, buffer, ink(app));
}

/// The residual at which a pair counts as converged.
fn tolerance(app: &App, solve: &Solve) -> f64 {
    let top = solve.iterations.last().and_then(|i| i.values.first()).copied().unwrap_or(0.0);
    app.wanted.tol * top.abs()
}

fn plot(app: &App, solve: &Solve, view: SpectrumView, rows: u16) -> Plot {
    let k = app.wanted.k();
    let labelled = usize::from(rows / 3).clamp(1, 6);
    let mut curves = Vec::new();
    if let Some(former) = &app.readout.former {
        for i in (0..k.min(labelled)).rev() {
            curves.push(curve(former, view, i, |c| Curve {
                style: app.style(Token::Faint),
                stroke: Stroke::Dashed,
                ..c
            }));
        }
    }
    // From the last to the first, so that the largest lie on top.
    for i in (0..k).rev() {
        curves.push(curve(solve, view, i, |c| match i < labelled {
            true => Curve {
                style: app.style(Token::series(i)),
                stroke: Stroke::nth(i),
                label: label(app, solve, view, i),
                ..c
            },
            // The many small ones only whisper.
            false => Curve { style: app.style(Token::Faint), stroke: Stroke::Dotted, ..c },
        }));
    }
    let values = || curves.iter().flat_map(|c: &Curve| c.points.iter().map(|p| p.1));
    let smallest = solve.smallest.first().copied().filter(|_| view == SpectrumView::Values);
    let guide = match view {
        SpectrumView::Values => smallest.map(|y| (y, format!("smallest λ {}", number(y, 3)))),
        SpectrumView::Residuals => Some((tolerance(app, solve), format!("tolerance {:e}·λ₁", app.wanted.tol))),
    };
    let scale = match (app.view.heights[Pane::Spectrum.index()], view) {
        (Heights::Linear, _) => Scale::Linear,
        (Heights::Suited, SpectrumView::Residuals) => Scale::Log,
        (Heights::Suited, SpectrumView::Values) => {
            let top = values().fold(0.0f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
            let negative = smallest.filter(|s| *s < 0.0).map(|s| s.abs().max(1e-3 * top));
            // Linear as far as the negative end reaches: it shows without taking the place of the large ones.
            negative.map_or(Scale::Log, |linear| Scale::Symlog { linear })
        }
    };
    let y =
        Axis::covering(scale, values().chain(guide.as_ref().map(|g| g.0)), 0.04).unwrap_or(Axis::new(scale, 0.1, 1.0));
    let mut plot = Plot::new(products(app, solve), "products", y);
    plot.guides.extend(guide.map(|(at, label)| Guide { at: At::Y(at), label, style: app.style(Token::Guide) }));
    plot.curves = curves;
    plot
}

/// The axis of products: logarithmic where the former solve took so many more, or fewer, that one would be squeezed.
fn products(app: &App, solve: &Solve) -> Axis {
    let count = |s: &Solve| s.iterations.last().map_or(1, |i| i.products).max(1) as f64;
    let now = count(solve);
    match app.readout.former.as_ref().map(count) {
        Some(before) if before > 3.0 * now || now > 3.0 * before => Axis::new(Scale::Log, 1.0, now.max(before)),
        Some(before) => Axis::new(Scale::Linear, 0.0, now.max(before)),
        None => Axis::new(Scale::Linear, 0.0, now),
    }
}

fn curve(solve: &Solve, view: SpectrumView, i: usize, dress: impl Fn(Curve) -> Curve) -> Curve {
    let points = solve.iterations.iter().filter_map(|it| {
        let y = match view {
            SpectrumView::Values => it.values.get(i).copied(),
            SpectrumView::Residuals => it.residuals.get(i).copied().flatten(),
        };
        Some((it.products as f64, y?))
    });
    dress(Curve { points: points.collect(), ..Curve::default() })
}

/// λ with its residual: some true eigenvalue lies within that distance. The tick says that it is within tolerance.
fn label(app: &App, solve: &Solve, view: SpectrumView, i: usize) -> Option<String> {
    let last = solve.iterations.last()?;
    let value = *last.values.get(i)?;
    let residual = last.residuals.get(i).copied().flatten();
    let done = residual.is_some_and(|r| r <= tolerance(app, solve));
    let tick = if done { "✓" } else { "…" };
    let name = format!("λ{}", subscript(i + 1));
    Some(match view {
        SpectrumView::Values => match residual {
            Some(r) => format!("{name} {} ±{r:.0e} {tick}", number(value, 5)),
            None => format!("{name} {} {tick}", number(value, 5)),
        },
        SpectrumView::Residuals => residual.map_or(name.clone(), |r| format!("{name} {} {tick}", number(r, 2))),
    })
}
