//! Theme files: what one says, and where in it something is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use toml::de::DeTable;

use crate::error::{Error, Result, did_you_mean};

/// One theme file, read but not yet resolved.
pub(super) struct Source {
    /// Where it is, or what is said of one that is compiled in.
    pub path: PathBuf,
    text: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The theme it starts from.
    pub inherits: Option<String>,
    /// Its own names for colours.
    pub palette: BTreeMap<String, Color>,
    /// How tokens look, as written.
    pub tokens: toml::Table,
}

impl Source {
    /// Read a theme's text.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, or a value of the wrong kind, with its line.
    pub fn parse(path: PathBuf, text: String) -> Result<Source> {
        let table: toml::Table = toml::from_str(&text).map_err(|e| Error::toml(&path, &text, &e))?;
        let (about, palette) = (String::new(), BTreeMap::new());
        let mut source = Source { path, text, about, inherits: None, palette, tokens: toml::Table::new() };
        for (key, value) in table {
            match (key.as_str(), value) {
                ("about", toml::Value::String(about)) => source.about = about,
                ("inherits", toml::Value::String(parent)) => source.inherits = Some(parent),
                ("palette", toml::Value::Table(palette)) => {
                    for (name, value) in palette {
                        let colour = value.as_str().and_then(|text| colour(text, &BTreeMap::new()));
                        let colour = colour.ok_or_else(|| source.wrong(&["palette", &name], not_a_colour(&value)))?;
                        source.palette.insert(name, colour);
                    }
                }
                ("tokens", toml::Value::Table(tokens)) => source.tokens = tokens,
                ("about", _) => return Err(source.wrong(&[&key], "must be a sentence")),
                ("inherits", _) => return Err(source.wrong(&[&key], "must be the name of a theme")),
                ("palette" | "tokens", _) => return Err(source.wrong(&[&key], "must be a table")),
                _ => {
                    let known = ["about", "inherits", "palette", "tokens"];
                    let meant = did_you_mean(&key, known);
                    return Err(source.wrong(&[&key], format!("no such key{meant}; known are {}", known.join(", "))));
                }
            }
        }
        Ok(source)
    }

    /// What is wrong at a key, given as its path from the top; the message names file, line and key.
    pub fn wrong(&self, keys: &[&str], what: impl std::fmt::Display) -> Error {
        let mut place = 0;
        if let Ok(table) = DeTable::parse(&self.text) {
            let mut within = Some(table.get_ref());
            for key in keys {
                let found = within.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
                place = found.map_or(place, |(name, _)| name.span().start);
                within = found.and_then(|(_, value)| value.get_ref().as_table());
            }
        }
        Error::file_at(&self.path, &self.text, place, format!("{}: {what}", keys.join(".")))
    }
}

fn not_a_colour(value: &toml::Value) -> String {
    format!("{value} is no colour; use \"#rrggbb\", a palette name, a terminal colour such as \"red\", or \"default\"")
}

fn colour(text: &str, palette: &BTreeMap<String, Color>) -> Option<Color> {
    match text {
        "default" => Some(Color::Reset),
        _ => palette.get(text).copied().or_else(|| Color::from_str(text).ok()),
    }
}

/// How a token looks, from what a file says of it: a colour, or a table of `fg`, `bg` and `modifiers`.
///
/// # Errors
/// What is wrong with it; the caller knows where it stands.
pub(super) fn style(value: &toml::Value, palette: &BTreeMap<String, Color>) -> std::result::Result<Style, String> {
    let parse = |v: &toml::Value| v.as_str().and_then(|t| colour(t, palette)).ok_or_else(|| not_a_colour(v));
    let toml::Value::Table(parts) = value else { return Ok(Style::new().fg(parse(value)?)) };
    let mut style = Style::new();
    for (key, value) in parts {
        match key.as_str() {
            "fg" => style = style.fg(parse(value)?),
            "bg" => style = style.bg(parse(value)?),
            "modifiers" => {
                let names = value.as_array().ok_or("modifiers must be a list")?;
                for name in names {
                    style = style.add_modifier(match name.as_str() {
                        Some("bold") => Modifier::BOLD,
                        Some("dim") => Modifier::DIM,
                        Some("italic") => Modifier::ITALIC,
                        Some("underlined") => Modifier::UNDERLINED,
                        Some("reversed") => Modifier::REVERSED,
                        _ => return Err(format!("{name} is no modifier: bold, dim, italic, underlined, reversed")),
                    });
                }
            }
            _ => return Err(format!("no such key {key:?}; known are fg, bg, modifiers")),
        }
    }
    Ok(style)
}
