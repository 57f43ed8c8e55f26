//! From terminal events to messages: keys through the table of actions, the mouse through what lies where.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, find};
use super::bars::contexts;
use super::knob::Turn;
use super::screen::Hits;
use super::state::{App, Overlay};
use super::update::Message;

/// What `event` asks for, if anything.
pub fn messages(app: &App, hits: &Hits, event: &Event) -> Vec<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => pressed(app, key).into_iter().collect(),
        Event::Paste(text) => text.chars().map(Message::Char).collect(),
        Event::Mouse(mouse) if app.view.overlay == Overlay::None => pointed(hits, mouse).into_iter().collect(),
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

fn pointed(hits: &Hits, mouse: &MouseEvent) -> Option<Message> {
    let (x, y) = (mouse.column, mouse.row);
    let knob = hits.knob(x, y);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => match knob {
            Some(knob) => Some(Message::Choose(knob)),
            None => hits.pane(x, y).map(|pane| Message::Act(Action::Focus(pane))),
        },
        MouseEventKind::ScrollUp => knob.map(|k| Message::Turn(k, Turn::Up)),
        MouseEventKind::ScrollDown => knob.map(|k| Message::Turn(k, Turn::Down)),
        _ => None,
    }
}
