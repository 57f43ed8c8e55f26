//! Themes: every colour on the screen is a semantic token, and a theme is a TOML file that says how each looks.
//!
//! ```toml
//! inherits = "dark"            # optional: another theme to start from
//!
//! [palette]                    # optional: names for colours
//! ink = "#dfe3ea"
//!
//! [tokens]
//! text = "ink"                                        # a foreground colour, or
//! key = { fg = "ink", bg = "#20242c", modifiers = ["bold"] }
//! ```
//!
//! A colour is `#rrggbb`, a palette name, one of the sixteen terminal names (`red`, `light-blue`, …) or `default`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};

use crate::error::{Error, Result};

/// One definition of the tokens makes the enum, the list and the names in files.
macro_rules! tokens {
    ($($(#[doc = $doc:literal])+ $token:ident = $name:literal,)+) => {
        /// What a colour means, never what it looks like.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Token { $($(#[doc = $doc])+ $token,)+ }

        impl Token {
            /// Every token, in the order of declaration.
            pub const ALL: &[Token] = &[$(Token::$token,)+];

            /// The token's name in theme files.
            pub fn name(self) -> &'static str {
                match self { $(Token::$token => $name,)+ }
            }
        }
    };
}

tokens! {
    /// The screen's ground: background behind everything.
    Ground = "ground",
    /// Figures and what is being read now.
    Text = "text",
    /// Explanations and units.
    Muted = "muted",
    /// Axes, tracks and what should recede.
    Faint = "faint",
    /// Borders of panes.
    Border = "border",
    /// Border of the pane in focus.
    BorderFocus = "border-focus",
    /// Titles of panes.
    Title = "title",
    /// Title of the pane in focus.
    TitleFocus = "title-focus",
    /// The program's name, progress and the chosen knob.
    Accent = "accent",
    /// The chosen knob or row.
    Selected = "selected",
    /// Keys in the footer and the help.
    Key = "key",
    /// Converged, valid, agreed.
    Good = "good",
    /// A result in doubt.
    Warning = "warning",
    /// Something could not be done.
    Error = "error",
    /// Figures that belong to former knobs.
    Stale = "stale",
    /// Guides in plots: thresholds and marks.
    Guide = "guide",
    /// Intervals around curves.
    Band = "band",
    /// First curve.
    Series1 = "series-1",
    /// Second curve.
    Series2 = "series-2",
    /// Third curve.
    Series3 = "series-3",
    /// Fourth curve.
    Series4 = "series-4",
    /// Fifth curve.
    Series5 = "series-5",
    /// Sixth curve.
    Series6 = "series-6",
}

impl Token {
    /// The token of curve number `i`, counted from 0; they repeat after six.
    pub fn series(i: usize) -> Token {
        use Token::*;
        [Series1, Series2, Series3, Series4, Series5, Series6][i % 6]
    }
}

/// Themes compiled in, by name.
const BUILT_IN: [(&str, &str); 3] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// 24 bits.
    True,
    /// The 256 of xterm.
    Indexed,
}

impl Colours {
    /// What the environment promises: 24 bits where `COLORTERM` says so.
    pub fn of_terminal() -> Colours {
        match std::env::var("COLORTERM").as_deref() {
            Ok("truecolor" | "24bit") => Colours::True,
            _ => Colours::Indexed,
        }
    }
}

/// How each token looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// The theme's name.
    pub name: String,
    styles: Vec<Style>,
}

impl Theme {
    /// How `token` looks.
    pub fn get(&self, token: Token) -> Style {
        self.styles[token as usize]
    }

    /// The theme called `name`: from `NAME.toml` in `folder` if it is there, else compiled in.
    ///
    /// # Errors
    /// If there is no such theme, or a file cannot be read, has an unknown key, token, colour or modifier, or leaves a
    /// token unset. The message names the file and the key.
    pub fn load(name: &str, folder: Option<&Path>) -> Result<Theme> {
        let mut chain = vec![Source::find(name, folder)?];
        let mut seen = vec![name.to_owned()];
        while let Some(parent) = chain.last().and_then(|s| s.inherits.clone()) {
            let child = &chain[chain.len() - 1];
            if seen.contains(&parent) && BUILT_IN.iter().all(|(n, _)| *n != parent) {
                return Err(Error::file(&child.path, format!("inherits: {} inherits itself", seen.join(" → "))));
            }
            // A file may refine the built-in theme of its own name.
            let next =
                if seen.contains(&parent) { Source::find(&parent, None)? } else { Source::find(&parent, folder)? };
            if chain.len() > 8 {
                return Err(Error::file(&child.path, "inherits: more than eight themes in a chain"));
            }
            seen.push(parent);
            chain.push(next);
        }
        let palette: BTreeMap<_, _> = chain.iter().rev().flat_map(|s| s.palette.clone()).collect();
        let mut styles = vec![None; Token::ALL.len()];
        for source in chain.iter().rev() {
            for (key, value) in &source.tokens {
                let index = Token::ALL.iter().position(|t| t.name() == key).ok_or_else(|| {
                    let known: Vec<_> = Token::ALL.iter().map(|t| t.name()).collect();
                    Error::file(&source.path, format!("tokens.{key}: no such token; known are {}", known.join(", ")))
                })?;
                let style = style(value, &palette);
                styles[index] = Some(style.map_err(|what| Error::file(&source.path, format!("tokens.{key}: {what}")))?);
            }
        }
        let styles = styles.into_iter().zip(Token::ALL).map(|(style, token)| {
            style.ok_or_else(|| {
                Error::file(&chain[0].path, format!("tokens.{}: not set; set it or inherit from dark", token.name()))
            })
        });
        Ok(Theme { name: name.to_owned(), styles: styles.collect::<Result<_>>()? })
    }

    /// The same theme in the colours a terminal has.
    pub fn reduced(mut self, colours: Colours) -> Theme {
        if colours == Colours::Indexed {
            for style in &mut self.styles {
                style.fg = style.fg.map(nearest_indexed);
                style.bg = style.bg.map(nearest_indexed);
            }
        }
        self
    }
}

/// Names of all themes: compiled in, then those in `folder`, without repetition.
pub fn names(folder: Option<&Path>) -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let entries = folder.and_then(|f| std::fs::read_dir(f).ok()).into_iter().flatten().flatten();
    let mut own: Vec<String> = entries
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .filter_map(|p| Some(p.file_stem()?.to_str()?.to_owned()))
        .filter(|name| !names.contains(name))
        .collect();
    own.sort();
    names.extend(own);
    names
}

/// The theme to use: the one asked for; else `mono` where the environment's `NO_COLOR` is set to anything but
/// nothing (no-color.org); else `dark`.
pub fn preferred(asked: Option<&str>) -> &str {
    chosen(asked, std::env::var_os("NO_COLOR").as_deref())
}

fn chosen<'a>(asked: Option<&'a str>, no_color: Option<&OsStr>) -> &'a str {
    asked.unwrap_or(if no_color.is_some_and(|v| !v.is_empty()) { "mono" } else { "dark" })
}

/// One theme file, read but not yet resolved.
struct Source {
    path: PathBuf,
    inherits: Option<String>,
    palette: BTreeMap<String, Color>,
    tokens: toml::Table,
}

impl Source {
    fn find(name: &str, folder: Option<&Path>) -> Result<Source> {
        let file = folder.map(|f| f.join(format!("{name}.toml"))).filter(|p| p.exists());
        if let Some(path) = file {
            let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
            return Source::parse(path, &text);
        }
        match BUILT_IN.iter().find(|(n, _)| *n == name) {
            Some((_, text)) => Source::parse(PathBuf::from(format!("themes/{name}.toml (built in)")), text),
            None => Err(Error::knob("--theme", format!("no theme {name:?}; there are {}", names(folder).join(", ")))),
        }
    }

    fn parse(path: PathBuf, text: &str) -> Result<Source> {
        let table: toml::Table = toml::from_str(text).map_err(|e| Error::file(&path, e.to_string().trim_end()))?;
        let mut source = Source { path, inherits: None, palette: BTreeMap::new(), tokens: toml::Table::new() };
        let wrong = |key: &str, what: &str| Error::file(&source.path, format!("{key}: {what}"));
        for (key, value) in table {
            match (key.as_str(), value) {
                ("inherits", toml::Value::String(parent)) => source.inherits = Some(parent),
                ("palette", toml::Value::Table(palette)) => {
                    for (name, value) in palette {
                        let colour = value.as_str().and_then(|text| colour(text, &BTreeMap::new()));
                        let colour = colour.ok_or_else(|| wrong(&format!("palette.{name}"), &not_a_colour(&value)))?;
                        source.palette.insert(name, colour);
                    }
                }
                ("tokens", toml::Value::Table(tokens)) => source.tokens = tokens,
                ("inherits", _) => return Err(wrong("inherits", "must be the name of a theme")),
                ("palette" | "tokens", _) => return Err(wrong(&key, "must be a table")),
                _ => return Err(wrong(&key, "no such key; known are inherits, palette, tokens")),
            }
        }
        Ok(source)
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

fn style(value: &toml::Value, palette: &BTreeMap<String, Color>) -> std::result::Result<Style, String> {
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

/// The nearest of xterm's 6×6×6 cube and 24 greys, by squared distance.
pub(super) fn nearest_indexed(colour: Color) -> Color {
    let Color::Rgb(r, g, b) = colour else { return colour };
    let level = |i: i32| if i == 0 { 0 } else { 55 + 40 * i };
    let distance = |c: [i32; 3]| {
        let d = [c[0] - i32::from(r), c[1] - i32::from(g), c[2] - i32::from(b)];
        d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    };
    let cube = (0..216).map(|i| (16 + i, [level(i / 36), level(i / 6 % 6), level(i % 6)]));
    let greys = (0..24).map(|i| (232 + i, [8 + 10 * i; 3]));
    let best = cube.chain(greys).min_by_key(|(_, c)| distance(*c));
    best.map_or(colour, |(index, _)| Color::Indexed(index as u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> Result<Theme> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine.toml"), text).unwrap();
        Theme::load("mine", Some(folder.path()))
    }

    fn complaint(text: &str) -> String {
        load_text(text).unwrap_err().to_string()
    }

    #[test]
    fn built_in_themes_are_complete() {
        for (name, _) in BUILT_IN {
            assert_eq!(Theme::load(name, None).unwrap().name, name);
        }
    }

    #[test]
    fn mono_uses_no_colour() {
        let mono = Theme::load("mono", None).unwrap();
        for token in Token::ALL {
            let style = mono.get(*token);
            assert!(style.fg.is_none_or(|c| c == Color::Reset), "{}", token.name());
            assert!(style.bg.is_none_or(|c| c == Color::Reset), "{}", token.name());
        }
    }

    /// Contrast ratio of WCAG 2.
    fn contrast(a: Color, b: Color) -> f64 {
        let luminance = |c| {
            let Color::Rgb(r, g, b) = c else { panic!("{c:?} has no fixed luminance") };
            let channel = |v: u8| {
                let v = f64::from(v) / 255.0;
                if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_stands_out_from_the_ground() {
        for name in ["dark", "light"] {
            let theme = Theme::load(name, None).unwrap();
            let ground = theme.get(Token::Ground).bg.unwrap();
            for (tokens, least) in [
                (&[Token::Text, Token::TitleFocus, Token::Error, Token::Warning, Token::Good, Token::Muted][..], 4.5),
                (
                    &[Token::Series1, Token::Series2, Token::Series3, Token::Series4, Token::Series5, Token::Series6],
                    3.0,
                ),
                (&[Token::Stale, Token::Guide, Token::Accent], 3.0),
            ] {
                for token in tokens {
                    let seen = contrast(theme.get(*token).fg.unwrap(), ground);
                    assert!(seen >= least, "{name}: {} has contrast {seen:.2}", token.name());
                }
            }
        }
    }

    #[test]
    fn a_theme_inherits_tokens_and_palette() {
        let theme = load_text("inherits = 'dark'\n[palette]\nsea = '#102030'\n[tokens]\ntext = 'sea'").unwrap();
        let dark = Theme::load("dark", None).unwrap();
        assert_eq!(theme.get(Token::Text).fg, Some(Color::Rgb(0x10, 0x20, 0x30)));
        assert_eq!(theme.get(Token::Muted), dark.get(Token::Muted));
    }

    #[test]
    fn no_color_means_mono_unless_a_theme_is_asked_for() {
        assert_eq!(chosen(None, None), "dark");
        assert_eq!(chosen(None, Some(OsStr::new(""))), "dark");
        assert_eq!(chosen(None, Some(OsStr::new("1"))), "mono");
        assert_eq!(chosen(Some("light"), Some(OsStr::new("1"))), "light");
    }

    #[test]
    fn a_file_refines_the_built_in_theme_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dark.toml"), "inherits = 'dark'\n[tokens]\ntext = 'red'").unwrap();
        assert_eq!(Theme::load("dark", Some(folder.path())).unwrap().get(Token::Text).fg, Some(Color::Red));
    }

    #[test]
    fn mistakes_name_the_file_and_the_key() {
        for (text, key) in [
            ("colour = 1", "colour: no such key"),
            ("[tokens]\ntexxt = 'red'", "tokens.texxt: no such token"),
            ("inherits = 'dark'\n[tokens]\ntext = '#12'", "tokens.text: \"#12\" is no colour"),
            ("inherits = 'dark'\n[tokens]\ntext = { fg = 'red', blink = true }", "tokens.text: no such key \"blink\""),
            ("inherits = 'dark'\n[tokens]\ntext = { modifiers = ['loud'] }", "tokens.text: \"loud\" is no modifier"),
            ("[palette]\nsea = 7", "palette.sea: 7 is no colour"),
            ("[tokens]\ntext = 'red'", "tokens.ground: not set"),
            ("inherits = 'mine'", "inherits: mine inherits itself"),
            ("tokens = 3", "tokens: must be a table"),
            ("[tokens", "TOML parse error at line 1"),
        ] {
            let said = complaint(text);
            assert!(said.contains("mine.toml: ") && said.contains(key), "{text:?} gave {said:?}");
        }
        assert!(complaint("inherits = 'nowhere'").contains("no theme \"nowhere\"; there are dark, light, mono, mine"));
    }

    #[test]
    fn colours_fall_to_the_nearest_of_256() {
        assert_eq!(nearest_indexed(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(nearest_indexed(Color::Rgb(9, 9, 9)), Color::Indexed(232));
        assert_eq!(nearest_indexed(Color::Red), Color::Red);
    }
}
