//! Flags of everything that draws a dashboard.

use clap::Args;
use terminal_colorsaurus::ThemeMode;

use super::flags::Options;
use super::folders;
use crate::error::Result;
use crate::ui;
use crate::ui::colour::{self, Choice};
use crate::ui::keymap::Keymap;
use crate::ui::plot::raster::Marker;
use crate::ui::theme::Theme;

/// How the dashboard looks; where these are silent, the configuration file's keys of the same names speak.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenFlags {
    /// Colour theme; `eigentop themes` lists them [default: dark or light, as the terminal's ground is].
    #[arg(long, value_name = "NAME", env = "EIGENTOP_THEME", hide_env_values = true)]
    theme: Option<String>,
    /// How many colours are shown [default: auto, what the terminal has; none where NO_COLOR is set].
    #[arg(long, value_enum, env = "EIGENTOP_COLOUR", hide_env_values = true)]
    colour: Option<Choice>,
    /// What curves are drawn with [default: braille].
    #[arg(long, value_enum, env = "EIGENTOP_MARKER", hide_env_values = true)]
    marker: Option<Marker>,
    /// Whether the mouse is listened to [default: on].
    #[arg(long, value_enum, env = "EIGENTOP_MOUSE", hide_env_values = true)]
    mouse: Option<ui::Mouse>,
}

impl ScreenFlags {
    /// What they, and where they are silent the configuration, ask of the dashboard.
    ///
    /// # Errors
    /// A theme or a keymap that cannot be used.
    pub fn options(self, config: &Options) -> Result<ui::Options> {
        let themes = folders::themes();
        let asked = self.theme.or_else(|| config.theme.clone());
        Ok(ui::Options {
            theme: Theme::load(&asked.unwrap_or_else(suited), themes.as_deref())?,
            themes,
            keymap: Keymap::load(folders::keymap().as_deref())?,
            colour: self.colour.or(config.colour).unwrap_or_default(),
            marker: self.marker.or(config.marker).unwrap_or_default(),
            mouse: self.mouse.or(config.mouse).unwrap_or_default(),
            save: None,
        })
    }
}

/// The theme for the terminal's ground where none is asked for.
fn suited() -> String {
    match colour::ground() {
        Some(ThemeMode::Light) => "light".to_owned(),
        Some(ThemeMode::Dark) | None => "dark".to_owned(),
    }
}
