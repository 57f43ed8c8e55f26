//! Flags of everything that draws a dashboard.

use std::rc::Rc;

use clap::Args;
use terminal_colorsaurus::ThemeMode;

use super::config::Config;
use super::flags::Options;
use super::{Invoked, folders, settings};
use crate::error::{Error, Result};
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
    /// What curves are drawn with [default: the finest that the terminal is known to have signs for].
    #[arg(long, value_enum, env = "EIGENTOP_MARKER", hide_env_values = true)]
    marker: Option<Marker>,
    /// Whether the mouse is listened to [default: on].
    #[arg(long, value_enum, env = "EIGENTOP_MOUSE", hide_env_values = true)]
    mouse: Option<ui::Mouse>,
}

impl ScreenFlags {
    /// These flags over `options`.
    pub fn over(self, options: &Options) -> Options {
        let screen = Options {
            theme: self.theme,
            colour: self.colour,
            marker: self.marker,
            mouse: self.mouse,
            ..Options::default()
        };
        screen.or(options)
    }

    /// The theme they, and where they are silent `options`, ask for; else the one called `otherwise`.
    ///
    /// # Errors
    /// A theme that cannot be used.
    pub fn theme(&self, options: &Options, otherwise: impl FnOnce() -> String) -> Result<Theme> {
        let asked = self.theme.clone().or_else(|| options.theme.clone());
        Theme::load(&asked.unwrap_or_else(otherwise), folders::themes().as_deref())
    }

    /// What they, and where they are silent the configuration, ask of the dashboard.
    ///
    /// # Errors
    /// A theme or a keymap that cannot be used.
    pub fn options(self, invoked: &Invoked, options: &Options) -> Result<ui::Options> {
        let theme = self.theme(options, suited)?;
        let options = self.over(options);
        let mut settings = settings::list(&invoked.matches, &invoked.config, &options)?;
        let unset = settings.iter_mut().find(|s| s.key == "theme" && s.value.is_empty());
        unset.into_iter().for_each(|setting| setting.value.clone_from(&theme.name));
        let file = Config::path(invoked.config_file.as_deref());
        let nowhere = "there is no home folder for config.toml; set EIGENTOP_CONFIG_DIR";
        let keep = move |key: &str, value: &str| match &file {
            Some(path) => settings::keep(path, key, value),
            None => Err(Error::Computation(nowhere.into())),
        };
        Ok(ui::Options {
            theme,
            themes: folders::themes(),
            keymap: Keymap::load(folders::keymap().as_deref())?,
            colour: options.colour.unwrap_or_default(),
            marker: options.marker.unwrap_or_else(Marker::of_terminal),
            mouse: options.mouse.unwrap_or_default(),
            settings,
            check_setting: settings::check,
            keep: Rc::new(keep),
            sessions: folders::sessions().ok(),
            state: folders::state(),
            compared: None,
            notice: None,
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
