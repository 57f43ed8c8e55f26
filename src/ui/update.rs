//! The reducer: what an action does to the state, and what must happen outside it. Pure: no clock, no terminal.

mod lists;
mod replay;

use crate::engine::event::Stamped;

use super::action::{Action, Context};
use super::knob::{Knob, Turn};
use super::look;
use super::menu::{Kind, Menu};
use super::plot::window::Window;
use super::settings::Panel;
use super::state::{App, Arrangement, Log, Notice, Overlay, Pace, Purpose, Stay, Typing, Way, cycled};
use super::turning::{check, pause, set_pace, turn_knob, undo, want};

pub use super::message::{Effect, Leave, Message};
use lists::{choose_entry, choose_theme, in_menu, in_sessions, in_settings, point_at_row};
pub use replay::{begin_at, pass};

/// Longest line that can be typed: a note has room for a sentence or two.
const LONGEST: usize = 200;

/// What `message` does.
pub fn update(app: &mut App, message: Message) -> Vec<Effect> {
    app.view.hint = app.view.hint.saturating_sub(u8::from(matches!(message, Message::Act(_))));
    if !matches!(message, Message::Begin(_)) {
        app.view.begun.clear();
    }
    match message {
        Message::Act(Action::Suspend) => vec![Effect::Suspend],
        Message::Act(action) => match app.view.overlay {
            Overlay::None => on_board(app, action),
            Overlay::Help(_) => in_help(app, action),
            Overlay::Leaving => when_leaving(app, action),
            Overlay::Typing(_) => while_typing(app, action),
            Overlay::Sessions(_) => in_sessions(app, action),
            Overlay::Menu(_) => in_menu(app, action),
            Overlay::Settings(_) => in_settings(app, action),
        },
        Message::Begin(key) => {
            app.view.begun.push(key);
            Vec::new()
        }
        Message::Break => Vec::new(),
        Message::Char(c) => {
            edit(app, |text| {
                if !c.is_control() && text.chars().count() < LONGEST {
                    text.push(c);
                }
            });
            Vec::new()
        }
        Message::Row(row) => point_at_row(app, row),
        Message::Choose(knob) => {
            app.view.knob = knob;
            Vec::new()
        }
        Message::Turn(knob, turn) => {
            app.view.knob = knob;
            turn_knob(app, knob, turn)
        }
        Message::Point(pointer, column, row) => {
            look::point(app, pointer, column, row);
            Vec::new()
        }
    }
}

/// Change the text being typed, if one is.
fn edit(app: &mut App, change: impl FnOnce(&mut String)) {
    match &mut app.view.overlay {
        Overlay::Typing(typing) => {
            change(&mut typing.text);
            typing.refused = None;
        }
        Overlay::Menu(menu) => {
            change(&mut menu.text);
            choose_entry(app, |_, _| 0);
        }
        Overlay::Sessions(browser) => browser.change(change),
        Overlay::Settings(Panel { line: Some(line), .. }) => {
            change(&mut line.text);
            line.refused = None;
        }
        _ => {}
    }
}

/// What erasing does to the text being typed; whether `action` was one.
fn erase(app: &mut App, action: Action) -> bool {
    let change: fn(&mut String) = match action {
        Action::Erase => |text| {
            text.pop();
        },
        Action::EraseWord => |text| text.truncate(text.trim_end().rfind(' ').map_or(0, |at| at + 1)),
        Action::Clear => String::clear,
        _ => return false,
    };
    edit(app, change);
    true
}

/// What an event from the worker does.
pub fn receive(app: &mut App, stamped: &Stamped) -> Vec<Effect> {
    app.fold(stamped);
    if app.view.stay == Stay::UntilDone && !app.busy() { vec![Effect::Quit(Leave::Done)] } else { Vec::new() }
}

fn on_board(app: &mut App, action: Action) -> Vec<Effect> {
    let view = &mut app.view;
    match action {
        Action::Quit => return ask_to_leave(app),
        Action::Help => view.overlay = Overlay::Help(0),
        Action::Back => back(app),
        Action::NextPane => focus(app, Way::On),
        Action::PreviousPane => focus(app, Way::Back),
        Action::Focus(pane) => {
            view.focus = pane;
            view.hidden.remove(&pane);
            look::follow(app);
        }
        Action::Zoom => {
            view.arrangement = match view.arrangement {
                Arrangement::Together => Arrangement::Alone,
                Arrangement::Alone => Arrangement::Together,
            }
        }
        Action::Hide => hide(app),
        Action::NextView => step_view(app, Way::On),
        Action::PreviousView => step_view(app, Way::Back),
        Action::ScaleY => {
            let heights = &mut view.heights[view.focus.index()];
            *heights = heights.other();
        }
        Action::ScaleX => {
            let widths = &mut view.widths[view.focus.index()];
            *widths = widths.other();
        }
        Action::ZoomIn
        | Action::ZoomOut
        | Action::ZoomReset
        | Action::Crosshair
        | Action::CrosshairLeft
        | Action::CrosshairRight
        | Action::PanLeft
        | Action::PanRight
        | Action::PanUp
        | Action::PanDown => look::act(app, action),
        Action::Log => {
            view.log = match view.log {
                Log::Hidden => Log::Shown { back: 0 },
                Log::Shown { .. } => Log::Hidden,
            }
        }
        Action::LogBack => scroll_log(app, Way::Back),
        Action::LogOn => scroll_log(app, Way::On),
        Action::Theme => return choose_theme(app),
        Action::Preset => view.overlay = Overlay::Menu(Menu::new(Kind::Presets)),
        Action::Commands => view.overlay = Overlay::Menu(Menu::new(Kind::Commands)),
        Action::Settings if app.settings.is_empty() => {
            view.notice = Some(Notice::Refused("there are no settings here".into()));
        }
        Action::Settings => view.overlay = Overlay::Settings(Panel::default()),
        Action::NextKnob => choose(app, Way::On),
        Action::PreviousKnob => choose(app, Way::Back),
        Action::Increase => return turn_knob(app, app.view.knob, Turn::Up),
        Action::Decrease => return turn_knob(app, app.view.knob, Turn::Down),
        Action::Leap => return turn_knob(app, app.view.knob, Turn::FarUp),
        Action::Drop => return turn_knob(app, app.view.knob, Turn::FarDown),
        Action::Type => type_line(app, Purpose::Value(app.view.knob)),
        Action::Undo => return undo(app),
        Action::Pause => return pause(app),
        Action::Save => type_line(app, Purpose::Name),
        Action::Sessions => return vec![Effect::ListSessions],
        Action::Compare => match app.compared.take() {
            Some(_) => {}
            None => return vec![Effect::ListSessions],
        },
        Action::Branch => return replay::branch(app),
        Action::StepOn | Action::StepBack | Action::MarkOn | Action::MarkBack => replay::step(app, action),
        Action::Play
        | Action::Rewind
        | Action::Forward
        | Action::Start
        | Action::End
        | Action::Slower
        | Action::Faster => replay::act(app, action),
        // Actions of other contexts mean nothing here.
        Action::Accept
        | Action::Erase
        | Action::EraseWord
        | Action::Clear
        | Action::Complete
        | Action::Cancel
        | Action::ScrollDown
        | Action::ScrollUp
        | Action::Search
        | Action::Note
        | Action::Tags
        | Action::Open
        | Action::Finish
        | Action::Suspend
        | Action::Stop => {}
    }
    Vec::new()
}

fn in_help(app: &mut App, action: Action) -> Vec<Effect> {
    let Overlay::Help(scrolled) = &mut app.view.overlay else { return Vec::new() };
    match action {
        // The drawing stops at the last line; here only runaway is prevented.
        Action::ScrollDown => *scrolled = (*scrolled + 1).min(500),
        Action::ScrollUp => *scrolled = scrolled.saturating_sub(1),
        Action::Cancel => app.view.overlay = Overlay::None,
        Action::Quit => return ask_to_leave(app),
        _ => {}
    }
    Vec::new()
}

fn when_leaving(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::Finish => {
            app.view.overlay = Overlay::None;
            if !app.busy() {
                return vec![Effect::Quit(Leave::Done)];
            }
            app.view.stay = Stay::UntilDone;
            let quit = app.keymap.key(Context::Board, Action::Quit);
            app.view.notice = Some(Notice::Done(format!("leaving when all is done; {quit} to choose again")));
            set_pace(app, Pace::Going)
        }
        Action::Stop | Action::Quit => vec![Effect::Quit(Leave::Stopped)],
        Action::Cancel => {
            app.view.overlay = Overlay::None;
            (app.view.stay, app.view.next) = (Stay::Open, None);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn while_typing(app: &mut App, action: Action) -> Vec<Effect> {
    if erase(app, action) {
        return Vec::new();
    }
    let Overlay::Typing(typing) = &mut app.view.overlay else { return Vec::new() };
    match action {
        Action::Cancel => app.view.overlay = Overlay::None,
        Action::Quit => return ask_to_leave(app),
        Action::Accept => {
            let text = typing.text.trim().to_owned();
            return match typing.purpose {
                Purpose::Name if text.is_empty() => {
                    typing.refused = Some("a session needs a name".into());
                    Vec::new()
                }
                Purpose::Name => {
                    app.view.overlay = Overlay::None;
                    vec![Effect::Save(text)]
                }
                Purpose::Value(knob) => {
                    let knobs = knob.typed(&app.wanted, &text).map_err(|e| e.to_string());
                    match knobs.and_then(|k| check(app, &k).map(|()| k)) {
                        Ok(knobs) => {
                            app.view.overlay = Overlay::None;
                            want(app, knobs)
                        }
                        Err(why) => {
                            if let Overlay::Typing(typing) = &mut app.view.overlay {
                                typing.refused = Some(why);
                            }
                            Vec::new()
                        }
                    }
                }
            };
        }
        _ => {}
    }
    Vec::new()
}

fn ask_to_leave(app: &mut App) -> Vec<Effect> {
    if !app.busy() {
        return vec![Effect::Quit(Leave::Done)];
    }
    app.view.overlay = Overlay::Leaving;
    Vec::new()
}

fn back(app: &mut App) {
    let view = &mut app.view;
    if view.notice.take().is_none() {
        if view.log != Log::Hidden {
            view.log = Log::Hidden;
        } else {
            view.arrangement = Arrangement::Together;
        }
    }
}

fn focus(app: &mut App, way: Way) {
    app.view.focus = cycled(&app.view.panes(), app.view.focus, way);
    look::follow(app);
}

/// Put the pane in focus away; the last one brings all back instead.
fn hide(app: &mut App) {
    let view = &mut app.view;
    if view.panes().len() == 1 {
        view.hidden.clear();
        return;
    }
    let pane = view.focus;
    focus(app, Way::On);
    app.view.hidden.insert(pane);
    let key = app.keymap.key(Context::Board, Action::Focus(pane));
    let text = format!("{} is put away; {key} brings it back", pane.name());
    app.view.notice = Some(Notice::Done(text));
}

fn choose(app: &mut App, way: Way) {
    app.view.knob = cycled(&Knob::BAR, app.view.knob, way);
}

fn step_view(app: &mut App, way: Way) {
    let view = &mut app.view;
    // Another view has other axes, of which a part means something else.
    view.windows[view.focus.index()] = Window::default();
    view.views.step(view.focus, way);
}

fn scroll_log(app: &mut App, way: Way) {
    const PAGE: usize = 5;
    if let Log::Shown { back } = &mut app.view.log {
        *back = match way {
            Way::Back => (*back + PAGE).min(app.readout.log.len().saturating_sub(1)),
            Way::On => back.saturating_sub(PAGE),
        };
    }
}

fn type_line(app: &mut App, purpose: Purpose) {
    app.view.notice = None;
    app.view.overlay = Overlay::Typing(Typing { purpose, text: String::new(), refused: None });
}
