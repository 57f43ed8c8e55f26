//! Where a binding of the table of actions holds.

/// Where a binding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// Everywhere.
    Everywhere,
    /// On the dashboard, live or replayed.
    Board,
    /// On the dashboard while computing live.
    Live,
    /// On the dashboard while replaying.
    Replay,
    /// While a crosshair is moved by keys.
    Crosshair,
    /// Among the recorded sessions.
    Sessions,
    /// While typing a value, a name or a command.
    Typing,
    /// In a list: commands, themes, presets, settings.
    List,
    /// In the settings.
    Settings,
    /// In the help.
    Help,
    /// At the question how to leave.
    Leaving,
}

impl Context {
    /// All contexts, in the order of the help.
    pub const ALL: [Context; 11] = [
        Context::Board,
        Context::Live,
        Context::Replay,
        Context::Crosshair,
        Context::Sessions,
        Context::List,
        Context::Typing,
        Context::Settings,
        Context::Help,
        Context::Leaving,
        Context::Everywhere,
    ];

    /// The contexts that hold together; one of these sets holds at any time. One that covers others comes first.
    pub const TOGETHER: [&[Context]; 10] = [
        Context::LIVE,
        Context::REPLAY,
        Context::CROSSHAIR_LIVE,
        Context::CROSSHAIR_REPLAY,
        Context::SESSIONS,
        Context::TYPING,
        Context::MENU,
        Context::SETTINGS,
        Context::HELP,
        Context::LEAVING,
    ];
    /// On the live dashboard.
    pub const LIVE: &[Context] = &[Context::Board, Context::Live, Context::Everywhere];
    /// In a replay.
    pub const REPLAY: &[Context] = &[Context::Board, Context::Replay, Context::Everywhere];
    /// On the live dashboard, with a crosshair moved by keys.
    pub const CROSSHAIR_LIVE: &[Context] = &[Context::Crosshair, Context::Board, Context::Live, Context::Everywhere];
    /// In a replay, with a crosshair moved by keys.
    pub const CROSSHAIR_REPLAY: &[Context] =
        &[Context::Crosshair, Context::Board, Context::Replay, Context::Everywhere];
    /// Among the recorded sessions.
    pub const SESSIONS: &[Context] = &[Context::Sessions, Context::Everywhere];
    /// While typing a line.
    pub const TYPING: &[Context] = &[Context::Typing, Context::Everywhere];
    /// In a list that is narrowed by typing.
    pub const MENU: &[Context] = &[Context::List, Context::Typing, Context::Everywhere];
    /// In the settings.
    pub const SETTINGS: &[Context] = &[Context::Settings, Context::List, Context::Everywhere];
    /// In the help.
    pub const HELP: &[Context] = &[Context::Help, Context::Everywhere];
    /// At the question how to leave.
    pub const LEAVING: &[Context] = &[Context::Leaving, Context::Everywhere];

    /// Whether it lies over the others: its keys come before theirs, and may be the same.
    pub fn covers(self) -> bool {
        matches!(self, Context::Settings | Context::Crosshair)
    }

    /// Its name in `keymap.toml`.
    pub fn name(self) -> &'static str {
        match self {
            Context::Everywhere => "everywhere",
            Context::Board => "dashboard",
            Context::Live => "live",
            Context::Replay => "replay",
            Context::Crosshair => "crosshair",
            Context::Sessions => "sessions",
            Context::Typing => "typing",
            Context::List => "list",
            Context::Settings => "settings",
            Context::Help => "help",
            Context::Leaving => "leaving",
        }
    }

    /// Heading in the help.
    pub fn heading(self) -> &'static str {
        match self {
            Context::Everywhere => "Everywhere",
            Context::Board => "Dashboard",
            Context::Live => "While computing",
            Context::Replay => "In a replay",
            Context::Crosshair => "With the crosshair",
            Context::Sessions => "Among the sessions",
            Context::Typing => "While typing",
            Context::List => "In a list",
            Context::Settings => "In the settings",
            Context::Help => "In this help",
            Context::Leaving => "When leaving",
        }
    }
}
