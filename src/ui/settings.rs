//! The settings: every key of `config.toml` with its value and where that came from; what can change while running
//! changes at once, the rest at the next start. Whoever opens the dashboard lists them, checks them and keeps them.

use clap::ValueEnum;

use super::action::Action;
use super::colour::Choice;
use super::input::Mouse;
use super::knob::{Knob, Turn};
use super::message::Effect;
use super::plot::raster::Marker;
use super::state::{App, Feed, Notice, Way, cycled};
use super::turning::{ask, turn_knob};

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A flag.
    Flag,
    /// The environment.
    Environment,
    /// The configuration file.
    File,
    /// Nothing set it.
    Default,
}

impl Origin {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Origin::Flag => "flag",
            Origin::Environment => "environment",
            Origin::File => "file",
            Origin::Default => "default",
        }
    }
}

/// A key of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key.
    pub key: String,
    /// What it is.
    pub about: String,
    /// Its values, where there are only a few.
    pub choices: Vec<String>,
    /// Its value at the start; empty if it has none.
    pub value: String,
    /// Where that came from.
    pub origin: Origin,
    /// What it is to be from the next start on, if something else.
    pub next: Option<String>,
}

/// The settings, looked through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panel {
    /// The chosen row.
    pub chosen: usize,
    /// A value being typed for it.
    pub line: Option<Line>,
}

/// A value being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What was typed so far.
    pub text: String,
    /// Why it was not taken.
    pub refused: Option<String>,
}

/// A setting that changes while running.
enum Live {
    Knob(Knob),
    Theme,
    Colour,
    Marker,
    Mouse,
}

fn live(app: &App, key: &str) -> Option<Live> {
    let knob = Knob::ALL.into_iter().find(|knob| knob.command() == key);
    match (key, knob) {
        ("theme", _) => Some(Live::Theme),
        ("colour", _) => Some(Live::Colour),
        ("marker", _) => Some(Live::Marker),
        ("mouse", _) => Some(Live::Mouse),
        // A recording has its own knobs.
        (_, Some(knob)) if matches!(app.feed, Feed::Live(_)) => Some(Live::Knob(knob)),
        _ => None,
    }
}

/// The value in force.
pub fn value(app: &App, setting: &Setting) -> String {
    match live(app, &setting.key) {
        Some(Live::Knob(knob)) => knob.setting(&app.wanted),
        Some(Live::Theme) => app.theme.name.clone(),
        Some(Live::Colour) => name(app.colour),
        Some(Live::Marker) => name(app.marker),
        Some(Live::Mouse) => name(app.mouse),
        None => setting.value.clone(),
    }
}

/// Whether a change of it waits for the next start.
pub fn waits(app: &App, setting: &Setting) -> bool {
    live(app, &setting.key).is_none()
}

fn name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or(String::new(), |v| v.get_name().to_owned())
}

/// What an action does to the settings; `panel` lies over the dashboard.
pub fn act(app: &mut App, mut panel: Panel, action: Action) -> (Option<Panel>, Vec<Effect>) {
    let count = app.settings.len();
    let Some(setting) = app.settings.get(panel.chosen).cloned() else { return (None, Vec::new()) };
    if let Some(line) = &mut panel.line {
        match action {
            Action::Cancel => panel.line = None,
            Action::Accept => match set(app, panel.chosen, line.text.trim()) {
                Ok(effects) => return (Some(Panel { line: None, ..panel }), effects),
                Err(why) => line.refused = Some(why),
            },
            _ => {}
        }
        return (Some(panel), Vec::new());
    }
    app.view.notice = None;
    let mut effects = Vec::new();
    match action {
        Action::ScrollDown => panel.chosen = (panel.chosen + 1) % count,
        Action::ScrollUp => panel.chosen = panel.chosen.checked_sub(1).unwrap_or(count - 1),
        Action::Increase => effects = step(app, panel.chosen, Way::On),
        Action::Decrease => effects = step(app, panel.chosen, Way::Back),
        Action::Type => panel.line = Some(Line::default()),
        Action::Save => {
            let value = setting.next.clone().unwrap_or_else(|| value(app, &setting));
            effects = vec![Effect::Keep { key: setting.key, value }];
        }
        Action::Cancel => return (None, Vec::new()),
        _ => {}
    }
    (Some(panel), effects)
}

/// The neighbouring value.
fn step(app: &mut App, row: usize, way: Way) -> Vec<Effect> {
    let setting = app.settings[row].clone();
    let turn = if way == Way::On { Turn::Up } else { Turn::Down };
    let among = |names: Vec<String>, now: &str| {
        let at = names.iter().position(|name| name == now).unwrap_or(0);
        names.get((at + if way == Way::On { 1 } else { names.len() - 1 }) % names.len()).cloned()
    };
    let next = match live(app, &setting.key) {
        Some(Live::Knob(knob)) => return turn_knob(app, knob, turn),
        Some(Live::Colour) => Some(name(cycled(Choice::value_variants(), app.colour, way))),
        Some(Live::Marker) => Some(name(cycled(Marker::value_variants(), app.marker, way))),
        Some(Live::Mouse) => Some(name(cycled(Mouse::value_variants(), app.mouse, way))),
        Some(Live::Theme) => {
            let usable = app.themes.iter().filter(|(_, theme)| theme.is_ok()).map(|(name, _)| name.clone());
            let names: Vec<String> = usable.collect();
            if names.is_empty() { None } else { among(names, &app.theme.name) }
        }
        None if setting.choices.is_empty() => {
            app.view.notice = Some(Notice::Refused(format!("type a value for {}", setting.key)));
            None
        }
        None => among(setting.choices.clone(), setting.next.as_ref().unwrap_or(&setting.value)),
    };
    let set = next.map_or(Ok(Vec::new()), |value| set(app, row, &value));
    set.unwrap_or_else(|why| {
        app.view.notice = Some(Notice::Refused(why));
        Vec::new()
    })
}

/// Give the setting in this row a value, now or from the next start on.
fn set(app: &mut App, row: usize, text: &str) -> Result<Vec<Effect>, String> {
    let key = app.settings[row].key.clone();
    (app.check_setting)(&key, text)?;
    match live(app, &key) {
        Some(Live::Knob(knob)) => {
            let knobs = knob.typed(&app.wanted, text).map_err(|e| e.to_string())?;
            super::turning::check(app, &knobs)?;
            return Ok(ask(app, Ok(knobs)));
        }
        Some(Live::Theme) => app.theme = app.theme_called(text)?,
        Some(Live::Colour) => {
            app.colour = Choice::from_str(text, true)?;
            let colours = app.colours();
            app.theme = app.theme.clone().reduced(colours);
            return Ok(vec![Effect::ReadThemes]);
        }
        Some(Live::Marker) => app.marker = Marker::from_str(text, true)?,
        Some(Live::Mouse) => {
            app.mouse = Mouse::from_str(text, true)?;
            return Ok(vec![Effect::Mouse(app.mouse)]);
        }
        None => app.settings[row].next = Some(text.to_owned()).filter(|next| *next != app.settings[row].value),
    }
    Ok(Vec::new())
}

/// What was written to the file is now what the file says.
pub fn kept(app: &mut App, key: &str, text: &str) {
    let waits = live(app, key).is_none();
    if let Some(setting) = app.settings.iter_mut().find(|setting| setting.key == key)
        && !waits
    {
        setting.value = text.to_owned();
        // What the environment says still comes before the file at the next start.
        if setting.origin != Origin::Environment {
            setting.origin = Origin::File;
        }
    }
}
