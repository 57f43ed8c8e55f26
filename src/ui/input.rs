//! From terminal events to messages: keys through the keymap, the mouse through what lies where.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::action::Action;
use super::bars::contexts;
use super::key;
use super::keymap::Found;
use super::knob::Turn;
use super::look::Pointer;
use super::screen::Hits;
use super::state::{App, Overlay};
use super::update::Message;

/// Whether the mouse is listened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mouse {
    /// Clicks and wheel act; the terminal's own selection needs Shift.
    #[default]
    On,
    /// Left to the terminal.
    Off,
}

/// What `event` asks for, if anything.
pub fn messages(app: &App, hits: &Hits, event: &Event) -> Vec<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(app, key).into_iter().collect(),
        Event::Paste(text) => text.chars().map(Message::Char).collect(),
        Event::Mouse(mouse) if app.view.overlay == Overlay::None => pointed(hits, mouse),
        Event::Mouse(mouse) => listed(hits, mouse).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn pressed(app: &App, event: &KeyEvent) -> Option<Message> {
    let key = key::pressed(event);
    match (app.keymap.find(contexts(app), &app.view.begun, key), event.code) {
        (Found::Action(action), _) => Some(Message::Act(action)),
        (Found::Beginning, _) => Some(Message::Begin(key)),
        // A key that does not continue a chord ends it, and does nothing else.
        (Found::Nothing, _) if !app.view.begun.is_empty() => Some(Message::Break),
        (Found::Nothing, KeyCode::Char(c)) if (event.modifiers - KeyModifiers::SHIFT).is_empty() => {
            Some(Message::Char(c))
        }
        _ => None,
    }
}

fn pointed(hits: &Hits, mouse: &MouseEvent) -> Vec<Message> {
    let (x, y) = (mouse.column, mouse.row);
    let point = |pointer| vec![Message::Point(pointer, x, y)];
    match (mouse.kind, hits.knob(x, y)) {
        (MouseEventKind::Down(MouseButton::Left), Some(knob)) => vec![Message::Choose(knob)],
        (MouseEventKind::Down(MouseButton::Left), None) => {
            let focus = hits.pane(x, y).map(|pane| Message::Act(Action::Focus(pane)));
            focus.into_iter().chain(point(Pointer::Pressed)).collect()
        }
        (MouseEventKind::ScrollUp, Some(knob)) => vec![Message::Turn(knob, Turn::Up)],
        (MouseEventKind::ScrollDown, Some(knob)) => vec![Message::Turn(knob, Turn::Down)],
        (MouseEventKind::ScrollUp, None) => point(Pointer::WheelUp),
        (MouseEventKind::ScrollDown, None) => point(Pointer::WheelDown),
        (MouseEventKind::Drag(MouseButton::Left), _) => point(Pointer::Dragged),
        (MouseEventKind::Up(MouseButton::Left), _) => point(Pointer::Released),
        (MouseEventKind::Moved, _) => point(Pointer::Moved),
        _ => Vec::new(),
    }
}

/// In what lies over the dashboard: a click chooses a row, or takes it if it was chosen; the wheel scrolls.
fn listed(hits: &Hits, mouse: &MouseEvent) -> Option<Message> {
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => hits.row(mouse.column, mouse.row).map(Message::Row),
        MouseEventKind::ScrollUp => Some(Message::Act(Action::ScrollUp)),
        MouseEventKind::ScrollDown => Some(Message::Act(Action::ScrollDown)),
        _ => None,
    }
}
