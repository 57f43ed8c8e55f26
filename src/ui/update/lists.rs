//! The reducer for lists: commands, themes, presets, settings, sessions.

use super::{Effect, Message, ask_to_leave, edit, erase, update};
use crate::ui::action::Action;
use crate::ui::browser::{self, Asked};
use crate::ui::knob::Knob;
use crate::ui::menu::{Command, Kind, Menu};
use crate::ui::settings::{self, Panel};
use crate::ui::state::{App, Notice, Overlay};
use crate::ui::turning::ask;

/// The themes, with the one in use chosen.
pub fn choose_theme(app: &mut App) -> Vec<Effect> {
    let chosen = app.themes.iter().position(|(name, _)| *name == app.theme.name).unwrap_or(0);
    app.view.overlay = Overlay::Menu(Menu { chosen, ..Menu::new(Kind::Themes(Box::new(app.theme.clone()))) });
    vec![Effect::ReadThemes]
}

/// Choose another entry of the list: `to` makes the new place of the old one and the number of entries.
pub fn choose_entry(app: &mut App, to: impl FnOnce(usize, usize) -> usize) {
    let Overlay::Menu(menu) = &app.view.overlay else { return };
    let count = menu.entries(app).len();
    let last = count.saturating_sub(1);
    let chosen = to(menu.chosen.min(last), count).min(last);
    if let Overlay::Menu(menu) = &mut app.view.overlay {
        menu.chosen = chosen;
    }
    // A chosen theme is shown at once.
    if let Overlay::Menu(menu) = &app.view.overlay
        && matches!(menu.kind, Kind::Themes(_))
        && let Some(Command::Theme(name)) = menu.entry(app).map(|e| e.command)
        && let Ok(theme) = app.theme_called(&name)
    {
        app.theme = theme;
    }
}

/// Close the list and leave all as it was.
fn close_menu(app: &mut App) {
    if let Overlay::Menu(Menu { kind: Kind::Themes(before), .. }) = std::mem::take(&mut app.view.overlay) {
        app.theme = *before;
    }
}

/// What an action does in a list.
pub fn in_menu(app: &mut App, action: Action) -> Vec<Effect> {
    if erase(app, action) {
        return Vec::new();
    }
    let Overlay::Menu(menu) = &app.view.overlay else { return Vec::new() };
    match action {
        // Round at both ends, so that the last is one key away.
        Action::ScrollDown => choose_entry(app, |now, count| if now + 1 < count { now + 1 } else { 0 }),
        Action::ScrollUp => choose_entry(app, |now, count| now.checked_sub(1).unwrap_or(count.saturating_sub(1))),
        Action::Complete => {
            if let Some(entry) = menu.entry(app) {
                edit(app, |text| *text = entry.name.trim_end_matches('…').to_owned());
            }
        }
        Action::Accept => match menu.entry(app).map(|e| e.command) {
            Some(Command::Ask(knob)) => edit(app, |text| *text = format!("{} ", knob.command())),
            Some(command) => {
                close_menu(app);
                return run_command(app, command);
            }
            None => {}
        },
        Action::Cancel => close_menu(app),
        Action::Quit => {
            close_menu(app);
            return ask_to_leave(app);
        }
        _ => {}
    }
    Vec::new()
}

/// What an action does in the settings.
pub fn in_settings(app: &mut App, action: Action) -> Vec<Effect> {
    if action == Action::Quit {
        app.view.overlay = Overlay::None;
        return ask_to_leave(app);
    }
    if erase(app, action) {
        return Vec::new();
    }
    let Overlay::Settings(panel) = std::mem::take(&mut app.view.overlay) else { return Vec::new() };
    let (panel, effects) = settings::act(app, panel, action);
    app.view.overlay = panel.map_or(Overlay::None, Overlay::Settings);
    effects
}

/// What an action does among the sessions.
pub fn in_sessions(app: &mut App, action: Action) -> Vec<Effect> {
    if erase(app, action) {
        return Vec::new();
    }
    match browser::act(app, action) {
        Asked::Nothing => Vec::new(),
        Asked::Leave => ask_to_leave(app),
        Asked::Describe { name, note, tags } => vec![Effect::Describe { name, note, tags }],
    }
}

fn run_command(app: &mut App, command: Command) -> Vec<Effect> {
    app.view.notice = None;
    match command {
        Command::Act(action) => update(app, Message::Act(action)),
        Command::Set(knob, value) => {
            app.view.knob = if Knob::BAR.contains(&knob) { knob } else { app.view.knob };
            ask(app, knob.typed(&app.wanted, &value).map_err(|e| e.to_string()))
        }
        Command::Ask(_) => Vec::new(),
        Command::Theme(name) => {
            app.view.notice = Some(match app.theme_called(&name) {
                Ok(theme) => {
                    app.theme = theme;
                    Notice::Done(format!("theme {name}"))
                }
                Err(why) => Notice::Refused(why),
            });
            Vec::new()
        }
        Command::Preset(preset) => {
            let effects = ask(app, Ok(preset.of(&app.wanted)));
            if app.view.notice.is_none() {
                app.view.notice = Some(Notice::Done(format!("preset {}: {}", preset.name(), preset.about())));
            }
            effects
        }
    }
}

/// A click on a row chooses it; on the chosen row it takes it.
pub fn point_at_row(app: &mut App, row: usize) -> Vec<Effect> {
    match &app.view.overlay {
        Overlay::Menu(menu) if menu.chosen == row => in_menu(app, Action::Accept),
        Overlay::Menu(_) => {
            choose_entry(app, |_, _| row);
            Vec::new()
        }
        Overlay::Sessions(browser) if browser.chosen().is_some_and(|(at, _)| at == row) => {
            in_sessions(app, Action::Open)
        }
        Overlay::Sessions(_) => {
            browser::choose(app, row);
            Vec::new()
        }
        Overlay::Settings(panel) if panel.chosen == row => in_settings(app, Action::Type),
        Overlay::Settings(_) if row < app.settings.len() => {
            app.view.overlay = Overlay::Settings(Panel { chosen: row, line: None });
            Vec::new()
        }
        _ => Vec::new(),
    }
}
