//! From terminal events to messages: keys through the table of actions, the mouse through what lies where.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, find};
use super::bars::contexts;
use super::knob::Turn;
use super::look::Pointer;
use super::screen::Hits;
use super::state::{App, Overlay};
use super::update::Message;

/// What `event` asks for, if anything.
pub fn messages(app: &App, hits: &Hits, event: &Event) -> Vec<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(app, key).into_iter().collect(),
        Event::Paste(text) => text.chars().map(Message::Char).collect(),
        Event::Mouse(mouse) if app.view.overlay == Overlay::None => pointed(hits, mouse),
        _ => Vec::new(),
    }
}

fn pressed(app: &App, key: &KeyEvent) -> Option<Message> {
    if let Some(action) = find(contexts(app), key) {
        return Some(Message::Act(action));
    }
    match key.code {
        KeyCode::Char(c) if (key.modifiers - KeyModifiers::SHIFT).is_empty() => Some(Message::Char(c)),
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
