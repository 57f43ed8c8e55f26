//! Flags of everything that draws a dashboard.

use clap::Args;

use super::folders;
use crate::ui;
use crate::ui::plot::raster::Marker;

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
    pub fn options(self, theme: Option<&String>) -> ui::Options {
        ui::Options {
            theme: self.theme.theme.or(theme.cloned()),
            themes: folders::themes(),
            marker: self.marker,
            mouse: self.mouse,
            save: None,
        }
    }
}
