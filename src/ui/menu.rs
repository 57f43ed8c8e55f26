//! Lists that typing narrows: the palette of commands, the themes, the presets. What stands in them and in which order;
//! the reducer runs what is taken.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::action::{Action, BINDINGS, Context};
use super::knob::Knob;
use super::preset::Preset;
use super::state::{App, Feed};
use super::theme::Theme;

/// A list being looked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Menu {
    /// What it lists.
    pub kind: Kind,
    /// What was typed to narrow it.
    pub text: String,
    /// The chosen entry, counted among those shown.
    pub chosen: usize,
}

/// What a list lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Every command.
    Commands,
    /// The themes; the chosen one is shown at once, and leaving brings this one back.
    Themes(Box<Theme>),
    /// The presets.
    Presets,
}

/// What an entry does when it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// An action of the table.
    Act(Action),
    /// Give a knob a value.
    Set(Knob, String),
    /// Write the knob's name out, so that a value can follow.
    Ask(Knob),
    /// A theme by name.
    Theme(String),
    /// A preset.
    Preset(Preset),
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// What it does or is.
    pub about: String,
    /// Keys that do the same.
    pub keys: String,
    /// What it does when it is taken.
    pub command: Command,
    /// Places in the name that were typed, ascending.
    pub marks: Vec<u32>,
}

impl Entry {
    fn new(name: impl Into<String>, about: impl Into<String>, command: Command) -> Entry {
        Entry { name: name.into(), about: about.into(), keys: String::new(), command, marks: Vec::new() }
    }
}

impl Menu {
    /// A list not yet narrowed, with its first entry chosen.
    pub fn new(kind: Kind) -> Menu {
        Menu { kind, text: String::new(), chosen: 0 }
    }

    /// The entries that match what was typed, the best first.
    pub fn entries(&self, app: &App) -> Vec<Entry> {
        match &self.kind {
            Kind::Commands => {
                let value = value_command(app, &self.text);
                value.into_iter().chain(matching(commands(app), &self.text)).collect()
            }
            Kind::Themes(_) => matching(themes(app, ""), &self.text),
            Kind::Presets => matching(presets(""), &self.text),
        }
    }

    /// The chosen entry, if any matches.
    pub fn entry(&self, app: &App) -> Option<Entry> {
        let mut entries = self.entries(app);
        let at = self.chosen.min(entries.len().checked_sub(1)?);
        Some(entries.swap_remove(at))
    }
}

/// Everything that can be done from the dashboard now.
fn commands(app: &App) -> Vec<Entry> {
    let contexts = match app.feed {
        Feed::Live(_) => Context::LIVE,
        Feed::Replay(_) => Context::REPLAY,
    };
    let mut entries: Vec<Entry> = Vec::new();
    for binding in BINDINGS.iter().filter(|b| contexts.contains(&b.context) && b.action != Action::Commands) {
        let keys = app.keymap.of(binding.context, binding.action).map(|b| b.written()).unwrap_or_default();
        match entries.iter_mut().find(|e| e.command == Command::Act(binding.action)) {
            // An action that holds in two contexts stands once, with the keys of both.
            Some(entry) => entry.keys = [&entry.keys, "  ", &keys].concat().trim().to_owned(),
            None => {
                let entry = Entry::new(binding.action.name(), binding.description, Command::Act(binding.action));
                entries.push(Entry { keys, ..entry });
            }
        }
    }
    for knob in Knob::ALL {
        match knob.choices() {
            Some(choices) => entries.extend(choices.split(", ").map(|choice| {
                Entry::new(
                    format!("{} {choice}", knob.command()),
                    knob.meaning(),
                    Command::Set(knob, choice.to_owned()),
                )
            })),
            None => {
                let about = format!("{}; now {}", knob.meaning(), knob.value(&app.wanted));
                entries.push(Entry::new(format!("{} …", knob.command()), about, Command::Ask(knob)));
            }
        }
    }
    if matches!(app.feed, Feed::Live(_)) {
        entries.extend(presets("preset "));
    }
    entries.extend(themes(app, "theme "));
    entries
}

fn themes(app: &App, before: &str) -> Vec<Entry> {
    let entry = |(name, theme): &(String, Result<Theme, String>)| {
        let about = match theme {
            Ok(theme) => theme.about.clone(),
            Err(why) => format!("✗ {why}"),
        };
        Entry::new(format!("{before}{name}"), about, Command::Theme(name.clone()))
    };
    app.themes.iter().map(entry).collect()
}

fn presets(before: &str) -> Vec<Entry> {
    let entry =
        |preset: Preset| Entry::new(format!("{before}{}", preset.name()), preset.about(), Command::Preset(preset));
    Preset::ALL.map(entry).into()
}

/// A knob's name followed by a value, such as `sigma 1e-3`.
fn value_command(app: &App, text: &str) -> Option<Entry> {
    let (word, value) = text.trim().split_once(char::is_whitespace)?;
    let knob = Knob::ALL.into_iter().find(|k| k.command() == word || k.name() == word)?;
    let value = value.trim();
    if knob.choices().is_some_and(|choices| choices.split(", ").any(|choice| choice.starts_with(value))) {
        return None;
    }
    let about = match knob.typed(&app.wanted, value) {
        Ok(_) => format!("{}; now {}", knob.meaning(), knob.value(&app.wanted)),
        Err(e) => format!("✗ {e}"),
    };
    Some(Entry::new(format!("{} {value}", knob.command()), about, Command::Set(knob, value.to_owned())))
}

/// The entries that match `text`, best first: by name, then those whose description has every word.
fn matching(entries: Vec<Entry>, text: &str) -> Vec<Entry> {
    let pattern = Pattern::parse(text, CaseMatching::Ignore, Normalization::Smart);
    let words: Vec<String> = text.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut buffer = Vec::new();
    let mut scored: Vec<(Option<u32>, Entry)> = Vec::new();
    for mut entry in entries {
        let mut marks = Vec::new();
        let score = pattern.indices(Utf32Str::new(&entry.name, &mut buffer), &mut matcher, &mut marks);
        let about = entry.about.to_lowercase();
        if score.is_some() {
            marks.sort_unstable();
            marks.dedup();
            entry.marks = marks;
        } else if !words.iter().all(|word| about.contains(word)) {
            continue;
        }
        scored.push((score, entry));
    }
    // Stable: what matches equally well stays as it stood.
    scored.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    scored.into_iter().map(|(_, entry)| entry).collect()
}
