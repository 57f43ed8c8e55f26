//! Flags of everything that draws a dashboard.

use clap::Args;

use super::flags::Options;
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
    /// What curves are drawn with; unless given, the finest that the terminal is known to have signs for.
    #[arg(long, value_enum, env = "EIGENTOP_MARKER", hide_env_values = true)]
    marker: Option<Marker>,
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
    /// The marker asked for, here or in the configuration.
    pub fn marker(&self, config: &Options) -> Option<Marker> {
        self.marker.or(config.marker)
    }

    /// What they ask of the dashboard, and where they are silent the configuration, and then the terminal.
    ///
    /// # Errors
    /// A theme that cannot be used.
    pub fn options(self, config: &Options) -> Result<ui::Options> {
        let themes = folders::themes();
        let asked = self.theme.theme.as_ref().or(config.theme.as_ref()).map(String::as_str);
        let theme = Theme::load(theme::preferred(asked), themes.as_deref())?;
        Ok(ui::Options {
            theme,
            themes,
            marker: self.marker(config).unwrap_or_else(Marker::of_terminal),
            mouse: self.mouse,
            sessions: folders::sessions().ok(),
            state: folders::state(),
            compared: None,
            notice: None,
        })
    }
}
