//! Reading plots: the part that is looked at, and the crosshair at which curves are read. Pure, over the plots of the
//! last frame.

use super::action::{Action, Context};
use super::plot::window::Window;
use super::plot::{Placed, Quantity, Zone};
use super::state::{App, Crosshair, Held, Notice, Pane};

/// What the mouse does at a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// It came here.
    Moved,
    /// Its button went down.
    Pressed,
    /// It came here with the button down.
    Dragged,
    /// Its button went up.
    Released,
    /// Its wheel turned away from the user.
    WheelUp,
    /// Its wheel turned towards the user.
    WheelDown,
}

/// How much of what is looked at remains after one step of magnifying.
const STEP: f64 = 0.7;

/// What a part of the window a key pans by.
const PAN: f64 = 0.2;

/// What an action of the keyboard does.
pub fn act(app: &mut App, action: Action) {
    let pane = app.view.focus;
    match action {
        Action::ZoomReset => app.view.windows[pane.index()] = Window::default(),
        Action::Crosshair => toggle(app),
        Action::CrosshairLeft => step(app, -1.0),
        Action::CrosshairRight => step(app, 1.0),
        _ => {
            let Some(placed) = plot(app, pane) else { return no_plot(app) };
            let about = app.view.crosshair.filter(|c| c.quantity == placed.quantity);
            let about = about.and_then(|c| placed.x.position(c.x)).filter(|x| (0.0..=1.0).contains(x));
            let window = &mut app.view.windows[pane.index()];
            match action {
                Action::ZoomIn => zoom(window, Zone::Curves, (about.unwrap_or(0.5), 0.5), STEP),
                Action::ZoomOut => zoom(window, Zone::Curves, (about.unwrap_or(0.5), 0.5), 1.0 / STEP),
                Action::PanLeft => window.x = window.x.moved(-PAN),
                Action::PanRight => window.x = window.x.moved(PAN),
                Action::PanUp => window.y = window.y.moved(PAN),
                Action::PanDown => window.y = window.y.moved(-PAN),
                _ => {}
            }
        }
    }
}

/// What the mouse does at (`column`, `row`).
pub fn point(app: &mut App, pointer: Pointer, column: u16, row: u16) {
    let here = app.plots.iter().find_map(|(pane, placed)| Some((*pane, *placed, placed.zone(column, row)?)));
    match (pointer, here) {
        (Pointer::Moved, Some((_, placed, Zone::Curves))) => {
            let held = app.view.crosshair.map_or(Held::Pointer, |c| c.held);
            put(app, &placed, placed.data(column, row).0, held);
        }
        (Pointer::Moved, _) => app.view.crosshair = app.view.crosshair.filter(|c| c.held == Held::Keys),
        (Pointer::Pressed, Some((pane, _, Zone::Curves))) => app.view.dragged = Some((pane, (column, row))),
        (Pointer::Dragged, _) => drag(app, column, row),
        (Pointer::Released, _) => app.view.dragged = None,
        (Pointer::WheelUp | Pointer::WheelDown, Some((pane, placed, zone))) => {
            let factor = if pointer == Pointer::WheelUp { STEP } else { 1.0 / STEP };
            zoom(&mut app.view.windows[pane.index()], zone, placed.position(column, row), factor);
        }
        _ => {}
    }
}

/// A crosshair held by keys goes along when another pane comes into focus.
pub fn follow(app: &mut App) {
    if let Some(crosshair) = app.view.crosshair.filter(|c| c.held == Held::Keys)
        && let Some(placed) = plot(app, app.view.focus).filter(|p| p.quantity != crosshair.quantity)
    {
        put(app, &placed, placed.x.value(0.5), Held::Keys);
    }
}

/// Magnify about a place: along y on the labels of y, elsewhere along x.
fn zoom(window: &mut Window, zone: Zone, about: (f64, f64), factor: f64) {
    match zone {
        Zone::Y => window.y = window.y.zoomed(about.1, factor),
        Zone::X | Zone::Curves => window.x = window.x.zoomed(about.0, factor),
    }
}

fn drag(app: &mut App, column: u16, row: u16) {
    let Some((pane, (from_column, from_row))) = app.view.dragged else { return };
    let Some(placed) = plot(app, pane) else { return };
    let part = |from: u16, to: u16, cells: u16| (f64::from(from) - f64::from(to)) / f64::from(cells.max(1));
    let window = &mut app.view.windows[pane.index()];
    // The data under the pointer stay under it: they go right when what is looked at goes left.
    window.x = window.x.moved(part(from_column, column, placed.area.width));
    window.y = window.y.moved(-part(from_row, row, placed.area.height));
    app.view.dragged = Some((pane, (column, row)));
}

fn toggle(app: &mut App) {
    if app.view.crosshair.is_some_and(|c| c.held == Held::Keys) {
        app.view.crosshair = None;
        return;
    }
    let Some(placed) = plot(app, app.view.focus) else { return no_plot(app) };
    // Where the pointer stands, else where the knob stands, else in the middle.
    let pointed = app.view.crosshair.filter(|c| c.quantity == placed.quantity).map(|c| c.x);
    let (low, high) = placed.x.bounds();
    let sigma = Some(app.wanted.sigma).filter(|s| placed.quantity == Quantity::Sigma && (low..=high).contains(s));
    put(app, &placed, pointed.or(sigma).unwrap_or_else(|| placed.x.value(0.5)), Held::Keys);
}

/// Move the crosshair by one column of the plot in focus, or by one where x counts whole things.
fn step(app: &mut App, way: f64) {
    let Some(placed) = plot(app, app.view.focus) else { return no_plot(app) };
    let now = app.view.crosshair.filter(|c| c.quantity == placed.quantity).map(|c| c.x);
    let Some(now) = now else { return put(app, &placed, placed.x.value(0.5), Held::Keys) };
    let column = 1.0 / f64::from(placed.area.width.max(2) - 1);
    let moved = placed.x.value(placed.x.position(now).unwrap_or(0.5) + way * column);
    let snapped = placed.quantity.snapped(moved);
    put(app, &placed, if snapped == now { now + way } else { snapped }, Held::Keys);
}

/// Put the crosshair at `x`, inside the plot and on a value that x can take.
fn put(app: &mut App, placed: &Placed, x: f64, held: Held) {
    let (low, high) = placed.x.bounds();
    let (first, last) = match placed.quantity.is_count() {
        // The first and the last whole number inside.
        true => (low.ceil(), high.floor().max(low.ceil())),
        false => (low, high),
    };
    let x = placed.quantity.snapped(x).clamp(first, last);
    app.view.crosshair = Some(Crosshair { quantity: placed.quantity, x, held });
}

/// The first plot of a pane in the last frame.
fn plot(app: &App, pane: Pane) -> Option<Placed> {
    app.plots.iter().find(|(of, _)| *of == pane).map(|(_, placed)| *placed)
}

fn no_plot(app: &mut App) {
    let key = app.keymap.key(Context::Board, Action::NextView);
    app.view.notice = Some(Notice::Refused(format!("this pane shows no plot now; {key} shows its other views")));
}
