//! Pane 5: how the criteria fall as n grows, and how still the eigenspaces under them hold. The points come from a
//! growth run or from the exhibit of that name.

mod eigenspaces;

use std::collections::BTreeSet;

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::engine::event::Stage;
use crate::engine::growth::Mode;
use crate::engine::knobs::Exhibit;
use crate::engine::readout::Readout;
use crate::engine::readout::growth::{Position, Quantity as Criterion};
use crate::math::format::{exact, measured, measured_to, number};
use crate::math::stats::Interval;
use crate::ui::plot::axis::{Axis, Scale};
use crate::ui::plot::raster::Stroke;
use crate::ui::plot::{At, Band, Curve, Guide, Mark, Plot, Quantity};
use crate::ui::state::{App, GrowthView, Pane};
use crate::ui::theme::Token;

use super::parts::{interval, line, log_grid, times};
use super::sides::{COMPARED, Role};
use super::{Awaited, Canvas, Face, coming, missing, scale};

/// The pane.
pub(super) const FACE: Face = Face { subject, reading, draw, awaited };

/// Rows that a plot needs.
const PLOT: u16 = 9;

/// What is followed: a criterion, with k where it has one.
#[derive(Clone, Copy)]
struct Followed {
    criterion: Criterion,
    k: usize,
    /// Number of its colour and stroke.
    series: usize,
}

impl Followed {
    fn name(self) -> String {
        match self.criterion {
            Criterion::J1 => "J_1".to_owned(),
            Criterion::JFull => "J_full".to_owned(),
            Criterion::JSub => format!("J_sub k = {}", self.k),
        }
    }

    /// Its exponent of n + 1, with its interval.
    fn slope(self, readout: &Readout, sigma: f64) -> Option<Interval> {
        readout.growth_slope(self.criterion, self.k, sigma)
    }
}

/// The dimensions shown: those wanted, as far as the bases of `readout` reach.
fn ks(app: &App, readout: &Readout) -> Vec<usize> {
    let most = readout.growth_k().unwrap_or(0);
    app.wanted.ks.iter().copied().filter(|k| *k <= most).collect()
}

/// The largest of them.
fn focus_k(app: &App) -> usize {
    ks(app, &app.readout).last().copied().unwrap_or(app.wanted.k())
}

/// All that is followed, the subspaces first.
fn followed(app: &App, readout: &Readout) -> Vec<Followed> {
    let ks = ks(app, readout);
    let whole = [Criterion::JFull, Criterion::J1].map(|criterion| (criterion, 1));
    let all = ks.iter().map(|k| (Criterion::JSub, *k)).chain(whole);
    all.enumerate().map(|(series, (criterion, k))| Followed { criterion, k, series }).collect()
}

/// What x counts.
fn quantity(readout: &Readout) -> Quantity {
    match readout.growth_mode() {
        Some(Mode::Checkpoints) => Quantity::Step,
        _ => Quantity::N,
    }
}

fn subject(app: &App) -> String {
    let (sigma, x) = (exact(app.wanted.sigma), quantity(&app.readout).title());
    match app.view.views.growth {
        GrowthView::Decay => format!("─ J_1, J_full, J_sub against {x}, σ = {sigma}"),
        GrowthView::Constant => format!("─ C_n, J less its power of n + 1, σ = {sigma}"),
        GrowthView::Ratio => format!("─ J_sub/J_full against {x}"),
        GrowthView::Overlap => format!("─ eigenspaces from one {x} to the next, k = {}", focus_k(app)),
        GrowthView::Gradient => format!("─ ‖g^(n)‖ against {x}: the theory assumes 0"),
    }
}

fn awaited(app: &App) -> Awaited {
    let progress = match app.readout.exhibits.growth_plan {
        Some(_) => coming(app, Stage::Growth),
        None => missing(app, Exhibit::Growth),
    };
    let what = "J_1, J_full and J_sub against n come here, each n with an eigenspace of its own.";
    Awaited { what: what.into(), progress }
}

/// What a slope says of the exponent that theory gives.
fn verdict(theory: f64, slope: &Interval) -> (&'static str, Token) {
    match slope {
        i if !(i.low.is_finite() && i.high.is_finite()) => ("two points: no interval", Token::Muted),
        i if theory < i.low => ("slower", Token::Warning),
        i if theory > i.high => ("faster", Token::Warning),
        _ => ("agrees", Token::Good),
    }
}

fn exponent(slope: &Interval) -> String {
    let half = 0.5 * slope.width();
    if half.is_finite() { measured_to(slope.value, half, 3) } else { number(slope.value, 3) }
}

/// How many runs there are, and what their checkpoints are.
fn source(app: &App) -> String {
    let readout = &app.readout;
    let runs = readout.growth_points().iter().map(|p| p.run).collect::<BTreeSet<_>>().len();
    let what = match readout.growth_mode() {
        Some(Mode::Training) => "trained on the sequences in order",
        Some(Mode::Frozen) => "one checkpoint, one eigenspace",
        Some(Mode::Checkpoints) => "saved checkpoints, one n",
        _ => "one checkpoint, an eigenspace for each n",
    };
    if runs == 1 { format!("1 run: {what}") } else { format!("{runs} runs: {what}") }
}

fn reading(app: &App) -> Option<String> {
    let (readout, sigma, k) = (&app.readout, app.wanted.sigma, focus_k(app));
    readout.growth_mode()?;
    let source = source(app);
    Some(match app.view.views.growth {
        GrowthView::Decay => {
            let said = [Criterion::J1, Criterion::JFull].into_iter().filter_map(|criterion| {
                let slope = readout.growth_slope(criterion, k, sigma)?;
                let (words, _) = verdict(criterion.rate(), &slope);
                let name = if criterion == Criterion::J1 { "J_1" } else { "J_full" };
                Some(format!("{name} ∝ (n+1)^{} (theory {}: {words})", exponent(&slope), criterion.rate()))
            });
            let said: Vec<String> = said.collect();
            if said.is_empty() {
                format!("A slope needs two n. {source}.")
            } else {
                format!("{}. {source}.", said.join(", "))
            }
        }
        GrowthView::Constant => {
            let course = readout.growth_constant(Criterion::JFull, k, sigma);
            let (first, last) = (course.first()?.1.value, course.last()?.1.value);
            format!(
                "Flat where a criterion falls at theory's rate: (n+1)²J_full went from {} to {}. {source}.",
                number(first, 2),
                number(last, 2)
            )
        }
        GrowthView::Ratio => {
            let ratios = readout.growth_ratio(k, sigma);
            let (at, lowest) = ratios.iter().min_by(|a, b| a.1.value.total_cmp(&b.1.value))?;
            match lowest.value > 0.99 {
                true => {
                    format!("Near 1 at every n for σ = {}: a² dominates there, read the share. {source}.", exact(sigma))
                }
                false => format!(
                    "Lowest at {} = {at} for k = {k}, σ = {}: {}. {source}.",
                    quantity(readout).title(),
                    exact(sigma),
                    interval(lowest)
                ),
            }
        }
        GrowthView::Overlap => eigenspaces::reading(app)?,
        GrowthView::Gradient => {
            let (here, next) = (readout.growth_grad_norm(), readout.growth_next_gradient());
            let (at, norm) = here.last()?;
            let part = norm.value / next.last()?.1.value;
            format!(
                "A minimiser has 0. At {} = {at} it is {}, {} times what the next sequence changes it by. {source}.",
                quantity(readout).title(),
                number(norm.value, 3),
                times(part)
            )
        }
    })
}

fn draw(canvas: &mut Canvas, area: Rect) {
    match canvas.app.view.views.growth {
        GrowthView::Decay => {
            let table = canvas.app.wanted.ks.len() as u16 + 3;
            let [plot, below] = match area.height > PLOT + table {
                true => Layout::vertical([Constraint::Fill(1), Constraint::Length(table)]).spacing(1).areas(area),
                false => [area, Rect::ZERO],
            };
            criteria(canvas, plot, Readout::growth_curve, below.is_empty());
            rates(canvas, below);
        }
        GrowthView::Constant => criteria(canvas, area, Readout::growth_constant, false),
        GrowthView::Ratio => ratios(canvas, area),
        GrowthView::Overlap => eigenspaces::draw(canvas, area),
        GrowthView::Gradient => gradients(canvas, area),
    }
}

/// A curve of growth by position.
type Course = Vec<(Position, Interval)>;

/// The readouts to draw: a session compared first, so that the one on the screen lies on top.
fn sides(app: &App) -> impl Iterator<Item = (&Readout, Role)> {
    let compared = app.compared.iter().map(|c| (&c.readout, Role::Compared));
    // Another quantity than this one's has no place on the same axis.
    let alike = move |(other, _): &(&Readout, Role)| quantity(other) == quantity(&app.readout);
    compared.filter(alike).chain([(&app.readout, Role::Shown)])
}

/// The axis of n, or of training steps.
fn across(app: &App, positions: impl Iterator<Item = f64>) -> Axis {
    let suited = if quantity(&app.readout) == Quantity::N { Scale::Log } else { Scale::Linear };
    let scale = scale(suited, app.view.widths[Pane::Growth.index()]);
    Axis::covering(scale, positions, 0.03).unwrap_or(Axis::new(scale, 1.0, 2.0))
}

/// Fit the plot's axes to its curves and draw it.
fn fitted(canvas: &mut Canvas, area: Rect, mut plot: Plot, suited: Scale, also: impl IntoIterator<Item = f64>) {
    let app = canvas.app;
    let heights = plot.curves.iter().flat_map(|c| c.points.iter().map(|p| p.1)).chain(also);
    let Some(y) = Axis::covering(scale(suited, app.view.heights[Pane::Growth.index()]), heights, 0.05) else { return };
    plot.y = y;
    plot.x = across(app, plot.curves.iter().flat_map(|c| c.points.iter().map(|p| p.0)));
    canvas.plot(plot, area);
}

/// A plot whose axes are fitted later.
fn blank(app: &App) -> Plot {
    let axis = Axis::new(Scale::Linear, 0.0, 1.0);
    Plot::new(axis, quantity(&app.readout), axis)
}

/// Add a course as a curve with a sign on every point.
fn add(
    app: &App,
    plot: &mut Plot,
    role: Role,
    series: usize,
    course: &[(Position, Interval)],
    name: &str,
    label: &str,
) {
    let points: Vec<(f64, f64)> = course.iter().map(|(at, i)| (*at as f64, i.value)).collect();
    let curve = role.curve(app, series, points, name, label);
    let sign = if role == Role::Shown { '•' } else { COMPARED };
    plot.marks.extend(curve.points.iter().map(|point| Mark { point: *point, sign, style: curve.style }));
    plot.curves.push(curve);
}

/// Shade the intervals of a course; exact figures have none.
fn shade(app: &App, plot: &mut Plot, course: &[(Position, Interval)]) {
    if course.iter().any(|(_, i)| i.width() > 0.0) {
        let points = course.iter().map(|(at, i)| (*at as f64, i.low, i.high)).collect();
        plot.bands.push(Band { points, style: app.style(Token::Band) });
    }
}

/// The criteria against n, with the powers that theory gives them; with slopes on the labels where `slopes` says so.
fn criteria(canvas: &mut Canvas, area: Rect, of: fn(&Readout, Criterion, usize, f64) -> Course, slopes: bool) {
    let (app, sigma) = (canvas.app, canvas.app.wanted.sigma);
    let mut plot = blank(app);
    for (readout, role) in sides(app) {
        for followed in followed(app, readout) {
            let course = of(readout, followed.criterion, followed.k, sigma);
            let name = followed.name();
            let slope = followed.slope(readout, sigma).filter(|_| slopes);
            let label = slope.map_or(name.clone(), |s| format!("{name} n^{}", exponent(&s)));
            add(app, &mut plot, role, followed.series, &course, &name, &label);
            // J_sub runs along J_full, and its interval with that: one of them is enough to see.
            if role == Role::Shown && followed.criterion != Criterion::JSub {
                shade(app, &mut plot, &course);
            }
        }
    }
    if app.view.views.growth == GrowthView::Decay && quantity(&app.readout) == Quantity::N {
        let guides = [(Criterion::J1, "∝ 1/(n+1)"), (Criterion::JFull, "∝ 1/(n+1)²")].map(|(criterion, label)| {
            let course = of(&app.readout, criterion, 1, sigma);
            Some(guide(app, *course.first()?, *course.last()?, criterion.rate(), label))
        });
        plot.curves.splice(0..0, guides.into_iter().flatten());
    }
    fitted(canvas, area, plot, Scale::Log, []);
}

/// What a criterion would be if nothing but its power of n + 1 moved it from its first value on.
fn guide(app: &App, first: (Position, Interval), last: (Position, Interval), rate: f64, label: &str) -> Curve {
    let (from, to) = (first.0 as f64, last.0 as f64);
    let at = |n: f64| (n, first.1.value * ((n + 1.0) / (from + 1.0)).powf(rate));
    Curve {
        points: log_grid(from.max(1.0), to.max(1.0), 25).map(at).collect(),
        style: app.style(Token::Guide),
        stroke: Stroke::Dotted,
        label: Some(label.to_owned()),
        ..Curve::default()
    }
}

/// Slopes with their intervals beside those of theory, and the last value of each criterion.
fn rates(canvas: &mut Canvas, area: Rect) {
    let (app, sigma) = (canvas.app, canvas.app.wanted.sigma);
    let (muted, text) = (app.style(Token::Muted), app.style(Token::Text));
    let wide = area.width >= 72;
    let last = app.readout.growth_points().last().map_or(0, |p| p.n);
    let value = if wide { format!("at n = {last}") } else { String::new() };
    let head = format!("  {:<13}{:<15}{:<8}{:<10}{value}", "criterion", "slope in n+1", "theory", "");
    line(canvas.buffer, area, 0, &Line::styled(head, muted));
    for (row, followed) in followed(app, &app.readout).iter().rev().enumerate() {
        let sample = Span::styled(
            format!("{} ", Stroke::nth(followed.series).sample()),
            app.style(Token::series(followed.series)),
        );
        let mut spans =
            vec![sample, Span::styled(format!("{:<13}", followed.name()), app.style(Token::series(followed.series)))];
        match followed.slope(&app.readout, sigma) {
            Some(slope) => {
                let (words, token) = verdict(followed.criterion.rate(), &slope);
                spans.push(Span::styled(format!("{:<15}{:<8}", exponent(&slope), followed.criterion.rate()), text));
                spans.push(Span::styled(format!("{words:<10}"), app.style(token)));
            }
            None => spans.push(Span::styled(format!("{:<33}", "two n give a slope"), muted)),
        }
        let course = app.readout.growth_curve(followed.criterion, followed.k, sigma);
        if let Some((_, i)) = course.last().filter(|_| wide) {
            spans.push(Span::styled(measured(i.value, 0.5 * i.width()), text));
        }
        line(canvas.buffer, area, row as u16 + 1, &Line::from(spans));
    }
}

/// J_sub/J_full against n: a plot for each σ where there is room, else for the one in focus.
fn ratios(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let mut sigmas = app.wanted.sigmas.clone();
    let fits = |count: usize| usize::from(area.height) >= count * usize::from(PLOT);
    if !fits(sigmas.len()) {
        sigmas = vec![app.wanted.sigma];
    }
    // The one in focus goes first: the window is its own.
    sigmas.sort_by_key(|s| *s != app.wanted.sigma);
    let areas = Layout::vertical(vec![Constraint::Fill(1); sigmas.len()]).split(area);
    for (sigma, area) in sigmas.into_iter().zip(areas.iter()) {
        let focus = if sigma == app.wanted.sigma { Token::Accent } else { Token::Muted };
        canvas.line(*area, 0, &Line::styled(format!("σ = {}", exact(sigma)), app.style(focus)));
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..*area };
        let mut plot = blank(app);
        for (readout, role) in sides(app) {
            for (series, k) in ks(app, readout).into_iter().enumerate() {
                let course = readout.growth_ratio(k, sigma);
                let last = course.last().map_or(String::new(), |(_, i)| interval(i));
                add(app, &mut plot, role, series, &course, &format!("k {k}"), &format!("k = {k:<3} {last}"));
                if role == Role::Shown {
                    shade(app, &mut plot, &course);
                }
            }
        }
        plot.guides.push(Guide { at: At::Y(1.0), label: String::new(), style: app.style(Token::Guide) });
        fitted(canvas, below, plot, Scale::Linear, [1.0]);
    }
}

/// ‖g^(n)‖, and beside it by how much the next sequence changes the gradient.
fn gradients(canvas: &mut Canvas, area: Rect) {
    let app = canvas.app;
    let mut plot = blank(app);
    for (readout, role) in sides(app) {
        let next = readout.growth_next_gradient();
        add(app, &mut plot, role, 1, &next, "‖g_next − g^(n)‖", "‖g_next − g^(n)‖");
        add(app, &mut plot, role, 0, &readout.growth_grad_norm(), "‖g^(n)‖", "‖g^(n)‖");
        if role == Role::Shown {
            shade(app, &mut plot, &readout.growth_grad_norm());
        }
    }
    fitted(canvas, area, plot, Scale::Log, []);
}
