//! What stands on the screen at each size.

use eigentop::ui::plot::raster::Marker;
use eigentop::ui::state::{App, Feed, Pace};
use eigentop::ui::theme::Theme;
use eigentop::ui::action::Action;
use eigentop::ui::update::{Message, update};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::synthetic;

/// A live dashboard that has seen `events`.
pub fn app(events: &[eigentop::engine::event::Stamped], theme: &str) -> App {
    let theme = Theme::load(theme, None).unwrap();
    let mut app = App::new(Feed::Live(Pace::Going), synthetic::knobs(), None, theme, Marker::Braille);
    for event in events {
        app.fold(event);
    }
    app
}

/// The screen as text.
pub fn text(app: &App, width: u16, height: u16) -> String {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    eigentop::ui::screen::draw(app, &mut buffer);
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn look() {
    let mut app1 = app(&synthetic::run(), "mono");
    println!("{}", text(&app1, 200, 60));
    for f in 0..4 {
        update(&mut app1, Message::Act(Action::NextView));
        for _ in 0..f { update(&mut app1, Message::Act(Action::NextView)); }
        update(&mut app1, Message::Act(Action::NextPane));
    }
    println!("{}", text(&app1, 120, 40));
    for f in 0..2 {
        update(&mut app1, Message::Act(Action::NextPane));
        update(&mut app1, Message::Act(Action::NextView));
    }
    println!("{}", text(&app1, 120, 40));
    let app2 = app(&synthetic::part(0.04), "mono");
    println!("{}", text(&app2, 120, 40));
    let app2 = app(&synthetic::with_power(), "mono");
    println!("{}", text(&app2, 120, 40));
    update(&mut app1, Message::Act(Action::Help));
    println!("{}", text(&app1, 120, 40));
    app1.marker = Marker::Ascii;
    println!("{}", text(&app1, 20, 5));
    update(&mut app1, Message::Act(Action::Cancel));
    println!("{}", text(&app1, 120, 40));
    std::fs::write("/tmp/dark.svg", eigentop::ui::picture::of_app(&app(&synthetic::run(), "dark"), (120, 40))).unwrap();
    std::fs::write("/tmp/power.svg", eigentop::ui::picture::of_app(&app(&synthetic::with_power(), "light"), (200, 60))).unwrap();
}
