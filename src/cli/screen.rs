//! Flags of everything that draws a dashboard.

use clap::Args;

use super::folders;
use crate::error::Result;
use crate::ui;
use crate::ui::plot::raster::Marker;
use crate::ui::theme::{self, Theme};

/// How the dashboard looks.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Screen")]
pub struct ScreenFlags {
    #[command(flatten)]
    pub theme: ThemeFlag,
    /// What curves are drawn with.
    #[arg(long, value_enum, default_value = "braille", env = "EIGENTOP_MARKER", hide_env_values = true)]
    marker: Marker,
    /// Whether the mouse is listened to.
    #[arg(long, value_enum, default_value = "on", env = "EIGENTOP_MOUSE", hide_env_values = true)]
    mouse: ui::Mouse,
}

/// The theme by flag or environment.
#[derive(Debug, Clone, Args)]
pub struct ThemeFlag {
    /// Colour theme; `eigentop themes` lists them [default: dark, or mono where NO_COLOR is set].
    #[arg(long, value_name = "NAME", env = "EIGENTOP_THEME", hide_env_values = true)]
    pub theme: Option<String>,
}

impl ScreenFlags {
    /// What they ask of the dashboard; `theme` is the configuration's.
    ///
    /// # Errors
    /// A theme that cannot be used.
    pub fn options(self, theme: Option<&String>) -> Result<ui::Options> {
        let themes = folders::themes();
        let asked = self.theme.theme.as_ref().or(theme).map(String::as_str);
        let theme = Theme::load(theme::preferred(asked), themes.as_deref())?;
        Ok(ui::Options { theme, themes, marker: self.marker, mouse: self.mouse, save: None })
    }
}
