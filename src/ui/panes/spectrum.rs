//! Pane 1: how the eigenvalue estimates and their residuals converge, product by product, both ends of the spectrum,
//! and its density.

use ratatui::layout::{Constraint, Layout, Rect};

use crate::engine::event::Stage;
use crate::engine::readout::{Solve, Standing};
use crate::math::format::{number, subscript};
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Curve, Guide, Mark, Plot, Quantity};
use crate::ui::state::{App, Pane, SpectrumView};
use crate::ui::theme::Token;

use super::sides::{COMPARED, Role};
use super::{Awaited, Canvas, Face, coming, density, scale};

/// Rows from which both views have room.
const BOTH: u16 = 20;

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// What the pane is about now.
fn subject(app: &App) -> String {
    let n = app.readout.solve.as_ref().map_or(app.wanted.n, |s| s.n);
    match app.view.views.spectrum {
        SpectrumView::Values => format!("─ λ of H^({n}), per product"),
        SpectrumView::Residuals => format!("─ residuals ‖Hu − λu‖ of H^({n}), per product"),
        SpectrumView::Ends => format!("─ both ends of the spectrum of H^({n})"),
        SpectrumView::Density => format!("─ density of the spectrum of H^({})", app.readout.shown_n()),
    }
}

/// What the lines mean, how far the solve is, and what it is worth.
fn reading(app: &App) -> Option<String> {
    if app.view.views.spectrum == SpectrumView::Density {
        return density::reading(app);
    }
    let solve = app.readout.solve.as_ref()?;
    let last = solve.iterations.last()?;
    let k = app.wanted.k().min(last.values.len());
    let limit = tolerance(app, solve);
    let converged = last.residuals.iter().take(k).filter(|r| r.is_some_and(|r| r <= limit)).count();
    let so_far = format!("{converged} of {} after {} products ({})", app.wanted.k(), last.products, solve.solver);
    let ends = app.view.views.spectrum == SpectrumView::Ends;
    let mut text = match app.view.views.spectrum {
        SpectrumView::Values => format!("Flat lines are settled eigenvalues: {so_far}"),
        SpectrumView::Residuals => {
            format!("Each bounds the distance to a true eigenvalue; within {:e}·λ₁: {so_far}", app.wanted.tol)
        }
        SpectrumView::Ends | SpectrumView::Density => ends_reading(solve, &last.values[..k]),
    };
    if let Some(former) = app.readout.former.as_ref().and_then(|f| Some((f.solver, f.n, f.iterations.last()?.products)))
        && !ends
    {
        text.push_str(&format!("; before, dashed: {} {} products", former.0, former.2));
        if former.1 != solve.n {
            text.push_str(&format!(" at n = {}", former.1));
        }
    }
    let complete = app.readout.standing(Stage::Subspace) == Standing::Complete;
    if let Some(basis) = app.readout.eigenspace.as_ref().filter(|_| complete && !ends) {
        text.push_str(&format!("; UᵀU = I to {}", number(basis.orthonormality, 1)));
    }
    text.push('.');
    Some(text)
}

fn awaited(app: &App) -> Awaited {
    let progress = match app.readout.eigenspace {
        Some(_) => format!("The law {} needs no eigensolver.", app.wanted.law),
        None => coming(app, Stage::Subspace),
    };
    Awaited { what: format!("The first eigenvalue estimates of H^({}) come here.", app.wanted.n), progress }
}

/// Where the large end drops most, and whether there is a negative end.
fn ends_reading(solve: &Solve, values: &[f64]) -> String {
    let drops = values.windows(2).enumerate().filter(|(_, v)| v[1] > 0.0).map(|(i, v)| (i + 1, v[0] / v[1]));
    let steepest = match drops.max_by(|a, b| a.1.total_cmp(&b.1)) {
        Some((i, ratio)) => format!("The steepest step is after λ{} (× {})", subscript(i), number(ratio, 2)),
        None => "Too few eigenvalues yet for a slope".to_owned(),
    };
    match solve.smallest.first() {
        Some(s) if *s < 0.0 => {
            let top = values.first().copied().unwrap_or(f64::NAN);
            format!("{steepest}; the landscape bends down too, to −{}·λ₁ or below", number((s / top).abs(), 2))
        }
        Some(_) => format!("{steepest}; no negative curvature met so far"),
        None => steepest,
    }
}

/// Draw the view chosen, with another below it where there is room.
fn draw(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let Some(solve) = &app.readout.solve else { return };
    let view = app.view.views.spectrum;
    if view == SpectrumView::Density {
        return density::draw(canvas, area);
    }
    if area.height < BOTH {
        return canvas.plot(plot(app, solve, view, area.height), area);
    }
    let [upper, _, lower] =
        Layout::vertical([Constraint::Fill(3), Constraint::Length(1), Constraint::Fill(2)]).areas(area);
    let other = match view {
        SpectrumView::Values | SpectrumView::Ends | SpectrumView::Density => SpectrumView::Residuals,
        SpectrumView::Residuals => SpectrumView::Values,
    };
    canvas.plot(plot(app, solve, view, upper.height), upper);
    canvas.plot(plot(app, solve, other, lower.height), lower);
}

fn plot(app: &App, solve: &Solve, view: SpectrumView, rows: u16) -> Plot {
    match view {
        SpectrumView::Ends => ends(app, solve),
        SpectrumView::Values | SpectrumView::Residuals | SpectrumView::Density => course(app, solve, view, rows),
    }
}

/// The largest eigenvalues from the top and the smallest from the bottom, by their rank.
fn ends(app: &App, solve: &Solve) -> Plot {
    let ranked = |values: &[f64]| values.iter().enumerate().map(|(i, v)| (i as f64 + 1.0, *v)).collect::<Vec<_>>();
    let mut curves = Vec::new();
    let mut marks = Vec::new();
    let compared = app.compared.as_ref().and_then(|c| c.readout.solve.as_ref());
    for (solve, role) in compared.map(|s| (s, Role::Compared)).into_iter().chain([(solve, Role::Shown)]) {
        let Some(last) = solve.iterations.last() else { continue };
        let values = &last.values[..app.wanted.k().min(last.values.len())];
        curves.push(role.curve(app, 0, ranked(values), "largest", "largest"));
        curves.push(role.curve(app, 1, ranked(&solve.smallest), "smallest", "smallest ≤"));
        let sign = if role == Role::Shown { '●' } else { COMPARED };
        for (i, points) in [values, &solve.smallest].into_iter().map(ranked).enumerate() {
            let style = app.style(Token::series(i));
            marks.extend(points.into_iter().map(|point| Mark { point, sign, style }));
        }
    }
    let all = || curves.iter().flat_map(|c: &Curve| c.points.iter().map(|p| p.1));
    let suited = both_signs(all());
    let y = scale(suited, app.view.heights[Pane::Spectrum.index()]);
    let y = Axis::covering(y, all().chain([0.0]), 0.04).unwrap_or(Axis::new(y, 0.1, 1.0));
    let ranks = curves.iter().map(|c| c.points.len()).max().unwrap_or(0);
    let x = scale(Scale::Linear, app.view.widths[Pane::Spectrum.index()]);
    let mut plot = Plot::new(Axis::new(x, 1.0, ranks.max(2) as f64), Quantity::Rank, y);
    plot.guides.push(Guide { at: At::Y(0.0), label: String::new(), style: app.style(Token::Guide) });
    (plot.curves, plot.marks) = (curves, marks);
    plot
}

/// The scale on which positive values spread and a negative end shows without taking their place: logarithmic, and
/// linear as far as the negative end reaches.
fn both_signs(values: impl Iterator<Item = f64> + Clone) -> Scale {
    let top = values.clone().fold(0.0f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    let bottom = values.fold(0.0f64, f64::min);
    if bottom < 0.0 { Scale::Symlog { linear: bottom.abs().max(1e-3 * top) } } else { Scale::Log }
}

/// The residual at which a pair counts as converged.
fn tolerance(app: &App, solve: &Solve) -> f64 {
    let top = solve.iterations.last().and_then(|i| i.values.first()).copied().unwrap_or(0.0);
    app.wanted.tol * top.abs()
}

/// The course of the solve: estimates or residuals by products.
fn course(app: &App, solve: &Solve, view: SpectrumView, rows: u16) -> Plot {
    let k = app.wanted.k();
    let labelled = usize::from(rows / 3).clamp(1, 6);
    let compared = app.compared.as_ref().and_then(|c| c.readout.solve.as_ref());
    let mut curves = Vec::new();
    if let Some(former) = &app.readout.former {
        for i in (0..k.min(labelled)).rev() {
            let points = points(former, view, i);
            curves.push(Curve { points, style: app.style(Token::Faint), stroke: Stroke::Dashed, ..Curve::default() });
        }
    }
    // From the last to the first, so that the largest lie on top.
    for i in (0..k).rev() {
        let points = points(solve, view, i);
        curves.push(match i < labelled {
            true => Curve { label: label(app, solve, view, i), ..Role::Shown.curve(app, i, points, &lambda(i), "") },
            // The many small ones only whisper.
            false => Curve { points, style: app.style(Token::Faint), stroke: Stroke::Dotted, ..Curve::default() },
        });
    }
    if let Some(compared) = compared {
        for i in (0..k.min(labelled.div_ceil(2))).rev() {
            let last = compared.iterations.last().and_then(|it| it.values.get(i).copied());
            let label = format!("{} {}", lambda(i), last.map_or(String::new(), |v| number(v, 5)));
            curves.push(Role::Compared.curve(app, i, points(compared, view, i), &lambda(i), &label));
        }
    }
    let values = || curves.iter().flat_map(|c: &Curve| c.points.iter().map(|p| p.1));
    let smallest = solve.smallest.first().copied().filter(|_| view == SpectrumView::Values);
    let guide = match view {
        SpectrumView::Residuals => Some((tolerance(app, solve), format!("tolerance {:e}·λ₁", app.wanted.tol))),
        _ => smallest.map(|y| (y, format!("smallest λ {}", number(y, 3)))),
    };
    let suited = match view {
        SpectrumView::Residuals => Scale::Log,
        _ => both_signs(values().chain(smallest)),
    };
    let scale = scale(suited, app.view.heights[Pane::Spectrum.index()]);
    let y =
        Axis::covering(scale, values().chain(guide.as_ref().map(|g| g.0)), 0.04).unwrap_or(Axis::new(scale, 0.1, 1.0));
    let mut plot = Plot::new(products(app, solve, compared), Quantity::Products, y);
    plot.guides.extend(guide.map(|(at, label)| Guide { at: At::Y(at), label, style: app.style(Token::Guide) }));
    plot.curves = curves;
    plot
}

/// The axis of products: logarithmic where another solve took so many more, or fewer, that one would be squeezed.
fn products(app: &App, solve: &Solve, compared: Option<&Solve>) -> Axis {
    let count = |s: &Solve| s.iterations.last().map_or(1, |i| i.products).max(1) as f64;
    let now = count(solve);
    let others = || app.readout.former.iter().chain(compared).map(count);
    let squeezed = others().any(|other| other > 3.0 * now || now > 3.0 * other);
    let suited = if squeezed { Scale::Log } else { Scale::Linear };
    let scale = scale(suited, app.view.widths[Pane::Spectrum.index()]);
    let first = if scale == Scale::Log { 1.0 } else { 0.0 };
    Axis::new(scale, first, others().fold(now, f64::max))
}

fn points(solve: &Solve, view: SpectrumView, i: usize) -> Vec<(f64, f64)> {
    let points = solve.iterations.iter().filter_map(|it| {
        let y = match view {
            SpectrumView::Residuals => it.residuals.get(i).copied().flatten(),
            _ => it.values.get(i).copied(),
        };
        Some((it.products as f64, y?))
    });
    points.collect()
}

fn lambda(i: usize) -> String {
    format!("λ{}", subscript(i + 1))
}

/// λ with its residual: some true eigenvalue lies within that distance. The tick says that it is within tolerance.
fn label(app: &App, solve: &Solve, view: SpectrumView, i: usize) -> Option<String> {
    let last = solve.iterations.last()?;
    let value = *last.values.get(i)?;
    let residual = last.residuals.get(i).copied().flatten();
    let done = residual.is_some_and(|r| r <= tolerance(app, solve));
    let tick = if done { "✓" } else { "…" };
    let name = lambda(i);
    Some(match view {
        SpectrumView::Values | SpectrumView::Ends | SpectrumView::Density => match residual {
            Some(r) => format!("{name} {} ±{r:.0e} {tick}", number(value, 5)),
            None => format!("{name} {} {tick}", number(value, 5)),
        },
        SpectrumView::Residuals => residual.map_or(name.clone(), |r| format!("{name} {} {tick}", number(r, 2))),
    })
}
