//! Reading plots: wheel, drag and keys, and the crosshair that goes over all panes of one quantity.

use crossterm::event::{Event as Input, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use eigentop::engine::event::Event;
use eigentop::ui::action::Action;
use eigentop::ui::bars::contexts;
use eigentop::ui::input;
use eigentop::ui::look::Pointer;
use eigentop::ui::plot::window::Window;
use eigentop::ui::plot::{Placed, Quantity};
use eigentop::ui::screen::Hits;
use eigentop::ui::state::{App, Held, Notice, Pane};
use eigentop::ui::update::{Message, update};

use crate::screen::{drawn, live, text};
use crate::synthetic;

/// The dashboard at 120×40 with its plots known, as after a first frame.
fn shown() -> App {
    let mut app = live(&synthetic::run(), "mono");
    see(&mut app);
    app
}

/// Draw a frame and remember its plots.
fn see(app: &mut App) {
    app.plots = drawn(app, 120, 40).1.plots;
}

fn act(app: &mut App, action: Action) {
    update(app, Message::Act(action));
    see(app);
}

fn point(app: &mut App, pointer: Pointer, at: (u16, u16)) {
    update(app, Message::Point(pointer, at.0, at.1));
    see(app);
}

fn plot(app: &App, pane: Pane) -> Placed {
    app.plots.iter().find(|(of, _)| *of == pane).unwrap().1
}

/// A cell among the curves of `pane`, a third from the left and the top.
fn inside(app: &App, pane: Pane) -> (u16, u16) {
    let area = plot(app, pane).area;
    (area.x + area.width / 3, area.y + area.height / 3)
}

#[test]
fn the_wheel_magnifies_about_the_pointer() {
    let mut app = shown();
    let at = inside(&app, Pane::Proxy);
    let before = plot(&app, Pane::Proxy);
    point(&mut app, Pointer::WheelUp, at);
    let after = plot(&app, Pane::Proxy);
    let span = |p: &Placed| (p.x.bounds().1 / p.x.bounds().0).ln();
    assert!(span(&after) < 0.8 * span(&before));
    // What was under the pointer stays there, to within the cell.
    let cell = span(&after) / f64::from(after.area.width);
    assert!((after.data(at.0, at.1).0 / before.data(at.0, at.1).0).ln().abs() < cell);
    assert!(text(&app, 120, 40).contains("part, = whole"));
    update(&mut app, Message::Act(Action::Focus(Pane::Proxy)));
    act(&mut app, Action::ZoomReset);
    assert_eq!(plot(&app, Pane::Proxy).x, before.x);
    // On the labels of y, along y.
    let beside = (before.area.x - 3, at.1);
    point(&mut app, Pointer::WheelUp, beside);
    let one_way = plot(&app, Pane::Proxy);
    assert!(one_way.x == before.x && one_way.y != before.y);
    // Outside of all plots nothing.
    let windows = app.view.windows;
    point(&mut app, Pointer::WheelUp, (0, 0));
    assert_eq!(app.view.windows, windows);
}

#[test]
fn curves_stay_in_sight_however_far_x_is_magnified() {
    let mut app = shown();
    (0..12).for_each(|_| act(&mut app, Action::ZoomIn));
    for pane in [Pane::Spectrum, Pane::Proxy] {
        act(&mut app, Action::Focus(pane));
        (0..8).for_each(|_| act(&mut app, Action::ZoomIn));
        let (buffer, _) = drawn(&app, 120, 40);
        let braille = |c: &str| c.chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
        let lit = plot(&app, pane).area.positions().filter(|p| braille(buffer[*p].symbol())).count();
        assert!(lit >= 15, "{pane:?} shows {lit} cells of curves\n{}", text(&app, 120, 40));
    }
}

#[test]
fn dragging_takes_the_data_along() {
    let mut app = shown();
    let (x, y) = inside(&app, Pane::Spectrum);
    point(&mut app, Pointer::WheelUp, (x, y));
    point(&mut app, Pointer::WheelUp, (x, y));
    let before = plot(&app, Pane::Spectrum);
    point(&mut app, Pointer::Pressed, (x, y));
    point(&mut app, Pointer::Dragged, (x + 3, y));
    point(&mut app, Pointer::Released, (x + 3, y));
    let after = plot(&app, Pane::Spectrum);
    let moved = (after.data(x + 3, y).0 - before.data(x, y).0).abs();
    let cell = (after.x.bounds().1 - after.x.bounds().0) / f64::from(after.area.width);
    assert!(moved < 1.5 * cell && after.x != before.x);
    point(&mut app, Pointer::Dragged, (x + 9, y));
    assert_eq!(plot(&app, Pane::Spectrum).x, after.x, "the button is up");
}

#[test]
fn hovering_reads_every_pane_of_the_quantity_and_leaves_no_trace() {
    let mut app = shown();
    // The ratio pane shows its table here: another view makes a second plot over σ.
    update(&mut app, Message::Act(Action::Focus(Pane::Ratio)));
    (0..3).for_each(|_| act(&mut app, Action::NextView));
    let before = text(&app, 120, 40);
    // Where both reach.
    let (x, y) = inside(&app, Pane::Proxy);
    let at = (x + 12, y);
    point(&mut app, Pointer::Moved, at);
    let crosshair = app.view.crosshair.unwrap();
    assert_eq!((crosshair.quantity, crosshair.held), (Quantity::Sigma, Held::Pointer));
    let screen = text(&app, 120, 40);
    let readings: Vec<&str> = screen.lines().filter(|l| l.contains("σ ") && l.contains("median error ")).collect();
    assert!(readings.iter().any(|l| l.contains('╰') || l.contains('┗')), "{screen}");
    assert!(screen.lines().any(|l| l.contains("k 16 ") && l.contains("k 1 ")), "{screen}");
    point(&mut app, Pointer::Moved, (0, 0));
    assert_eq!(app.view.crosshair, None);
    assert_eq!(text(&app, 120, 40), before);
}

#[test]
fn keys_move_the_crosshair_by_whole_products() {
    let mut app = shown();
    act(&mut app, Action::Crosshair);
    let start = app.view.crosshair.unwrap();
    assert_eq!((start.quantity, start.held, start.x.fract()), (Quantity::Products, Held::Keys, 0.0));
    act(&mut app, Action::CrosshairRight);
    assert!(app.view.crosshair.unwrap().x > start.x);
    (0..200).for_each(|_| act(&mut app, Action::CrosshairRight));
    assert_eq!(app.view.crosshair.unwrap().x, 48.0);
    assert!(text(&app, 120, 40).contains(" products 48  λ₁ 9.303 "), "{}", text(&app, 120, 40));
    (0..200).for_each(|_| act(&mut app, Action::CrosshairLeft));
    assert_eq!(app.view.crosshair.unwrap().x, 0.0);
    // It goes along to another pane, and away again.
    act(&mut app, Action::Focus(Pane::Proxy));
    assert_eq!(app.view.crosshair.unwrap().quantity, Quantity::Sigma);
    act(&mut app, Action::Crosshair);
    assert_eq!(app.view.crosshair, None);
}

#[test]
fn a_crosshair_comes_before_the_knobs() {
    use eigentop::ui::action::Context;
    let mut app = shown();
    act(&mut app, Action::Crosshair);
    assert_eq!(contexts(&app)[0], Context::Crosshair);
    let right = Input::Key(crossterm::event::KeyCode::Right.into());
    assert_eq!(input::messages(&app, &Hits::default(), &right), [Message::Act(Action::CrosshairRight)]);
    let footer = text(&app, 120, 40).lines().last().unwrap().to_owned();
    assert!(footer.contains("←→ crosshair") && !footer.contains("←→ change"), "{footer}");
}

#[test]
fn a_pane_without_a_plot_says_so() {
    let mut app = shown();
    act(&mut app, Action::Focus(Pane::Ratio));
    act(&mut app, Action::Crosshair);
    assert!(matches!(&app.view.notice, Some(Notice::Refused(why)) if why.contains("no plot")));
}

#[test]
fn another_view_begins_whole() {
    let mut app = shown();
    act(&mut app, Action::ZoomIn);
    assert_ne!(app.view.windows[0], Window::default());
    act(&mut app, Action::NextView);
    assert_eq!(app.view.windows[0], Window::default());
}

#[test]
fn scales_change_both_ways() {
    let mut app = shown();
    let ratio = |p: Placed| (p.x.scale(), p.y.scale());
    let suited = ratio(plot(&app, Pane::Spectrum));
    act(&mut app, Action::ScaleX);
    let wide = ratio(plot(&app, Pane::Spectrum));
    act(&mut app, Action::ScaleY);
    let both = ratio(plot(&app, Pane::Spectrum));
    assert!(wide.0 != suited.0 && wide.1 == suited.1 && both.1 != suited.1);
    insta::assert_snapshot!(text(&app, 120, 40));
}

#[test]
fn the_mouse_reaches_plots_through_input() {
    let app = live(&synthetic::until(|e| matches!(e, Event::Done { .. })), "mono");
    let (_, hits) = drawn(&live(&synthetic::run(), "mono"), 120, 40);
    let area = hits.plots[0].1.area;
    let mouse = |kind| {
        let event = MouseEvent { kind, column: area.x + 1, row: area.y + 1, modifiers: KeyModifiers::NONE };
        input::messages(&app, &hits, &Input::Mouse(event))
    };
    let point = |pointer| Message::Point(pointer, area.x + 1, area.y + 1);
    assert_eq!(mouse(MouseEventKind::Moved), [point(Pointer::Moved)]);
    assert_eq!(mouse(MouseEventKind::ScrollUp), [point(Pointer::WheelUp)]);
    assert_eq!(
        mouse(MouseEventKind::Down(MouseButton::Left)),
        [Message::Act(Action::Focus(Pane::Spectrum)), point(Pointer::Pressed)]
    );
    assert_eq!(mouse(MouseEventKind::Drag(MouseButton::Left)), [point(Pointer::Dragged)]);
}
