//! Keys: as the terminal reports them, as `keymap.toml` has them, and as people write them.

use crokey::{KeyCombination, OneToThree};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::error::did_you_mean;

/// Keys pressed one after the other; mostly one.
pub type Chord = Vec<KeyCombination>;

/// The key of a terminal event. Shift is part of a sign, so it counts for letters and named keys alone.
pub fn pressed(event: &KeyEvent) -> KeyCombination {
    let mut event = *event;
    match event.code {
        KeyCode::Char(c) if !c.is_ascii_alphabetic() => event.modifiers.remove(KeyModifiers::SHIFT),
        KeyCode::BackTab => event.modifiers.insert(KeyModifiers::SHIFT),
        _ => {}
    }
    event.into()
}

/// Whether a key is text where text is typed.
pub fn is_text(key: KeyCombination) -> bool {
    matches!(key.codes, OneToThree::One(KeyCode::Char(_))) && (key.modifiers - KeyModifiers::SHIFT).is_empty()
}

/// Keys with names, for what a wrong one may have meant.
const NAMED: [&str; 18] = [
    "space",
    "enter",
    "esc",
    "tab",
    "backtab",
    "backspace",
    "delete",
    "insert",
    "left",
    "right",
    "up",
    "down",
    "home",
    "end",
    "pageup",
    "pagedown",
    "f1",
    "hyphen",
];

/// A chord as it is written in `keymap.toml`: keys between spaces, each such as `g`, `G`, `?`, `ctrl-x` or `shift-left`.
pub fn chord(text: &str) -> Result<Chord, String> {
    let keys: Chord = text.split_whitespace().map(single).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err("an empty text is no key; the space bar is \"space\"".into()) } else { Ok(keys) }
}

fn single(text: &str) -> Result<KeyCombination, String> {
    let mut signs = text.chars();
    if let (Some(sign), None) = (signs.next(), signs.next()) {
        return Ok(pressed(&KeyEvent::from(KeyCode::Char(sign))));
    }
    let key = crokey::parse(text).ok().filter(|key| key.is_ansi_compatible()).ok_or_else(|| {
        let name = text.rsplit('-').next().unwrap_or(text);
        format!(
            "{text:?} is no key{}; write keys such as \"ctrl-x\", \"shift-left\" or \"f5\"",
            did_you_mean(name, NAMED)
        )
    })?;
    let event: KeyEvent = key.into();
    Ok(pressed(&event))
}

/// A chord as `keymap.toml` has it.
pub fn file_form(chord: &[KeyCombination]) -> String {
    let form = |key: &KeyCombination| match key.codes {
        OneToThree::One(KeyCode::Char(c)) if c != ' ' && (key.modifiers - KeyModifiers::SHIFT).is_empty() => {
            c.to_string()
        }
        _ => key.to_string().to_lowercase(),
    };
    chord.iter().map(form).collect::<Vec<_>>().join(" ")
}

/// A chord as people write it.
pub fn written(chord: &[KeyCombination]) -> String {
    chord.iter().map(|key| written_key(*key)).collect::<Vec<_>>().join(" ")
}

fn written_key(key: KeyCombination) -> String {
    let code = *key.codes.first();
    let is_sign = matches!(code, KeyCode::Char(_) | KeyCode::BackTab);
    let commanded = !(key.modifiers - KeyModifiers::SHIFT).is_empty();
    let mut text = String::new();
    for (modifier, name) in [
        (KeyModifiers::CONTROL, "Ctrl-"),
        (KeyModifiers::ALT, "Alt-"),
        (KeyModifiers::SUPER, "Cmd-"),
        (KeyModifiers::SHIFT, "Shift-"),
    ] {
        let part_of_sign = modifier == KeyModifiers::SHIFT && is_sign && !(commanded && code != KeyCode::BackTab);
        if key.modifiers.contains(modifier) && !part_of_sign {
            text += name;
        }
    }
    text + &match code {
        KeyCode::Char(' ') => "Space".to_owned(),
        KeyCode::Char(c) if commanded => c.to_uppercase().to_string(),
        KeyCode::Char(c) => c.to_string(),
        KeyCode::Left => "←".to_owned(),
        KeyCode::Right => "→".to_owned(),
        KeyCode::Up => "↑".to_owned(),
        KeyCode::Down => "↓".to_owned(),
        KeyCode::PageUp => "PgUp".to_owned(),
        KeyCode::PageDown => "PgDn".to_owned(),
        KeyCode::BackTab => "Shift-Tab".to_owned(),
        KeyCode::F(number) => format!("F{number}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_as_people_say_them() {
        for (file, people) in [
            ("ctrl-c", "Ctrl-C"),
            ("shift-right", "Shift-→"),
            ("space", "Space"),
            ("tab", "Tab"),
            ("backtab", "Shift-Tab"),
            ("G", "G"),
            ("shift-g", "G"),
            ("g g", "g g"),
            ("f5", "F5"),
            ("ctrl-shift-x", "Ctrl-Shift-X"),
        ] {
            assert_eq!(written(&chord(file).unwrap()), people);
        }
    }
}
