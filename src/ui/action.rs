//! Actions: one table drives what keys do, what the footer and the help say, and what can be listed elsewhere.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::Pane;

/// Something the user can do with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Leave; asks first while computing.
    Quit,
    /// Show the help.
    Help,
    /// Close what is open: zoom, log, notice.
    Back,
    /// Focus the next pane.
    NextPane,
    /// Focus the pane before.
    PreviousPane,
    /// Focus one pane.
    Focus(Pane),
    /// Fill the screen with the pane in focus, or go back to all.
    Zoom,
    /// Put the pane in focus away.
    Hide,
    /// The next view of the pane in focus.
    NextView,
    /// The view before.
    PreviousView,
    /// Linear or logarithmic heights in the pane in focus.
    ScaleY,
    /// Linear or logarithmic widths in the pane in focus.
    ScaleX,
    /// Look at half of the plot in focus.
    ZoomIn,
    /// Look at twice as much of it.
    ZoomOut,
    /// Look at the whole plot.
    ZoomReset,
    /// Read the curves at a crosshair, or put it away.
    Crosshair,
    /// Move the crosshair left.
    CrosshairLeft,
    /// Move the crosshair right.
    CrosshairRight,
    /// Look further left.
    PanLeft,
    /// Look further right.
    PanRight,
    /// Look further up.
    PanUp,
    /// Look further down.
    PanDown,
    /// Show or hide the log.
    Log,
    /// Scroll the log back.
    LogBack,
    /// Scroll the log on.
    LogOn,
    /// The next theme.
    Theme,
    /// Choose the knob to the right.
    NextKnob,
    /// Choose the knob to the left.
    PreviousKnob,
    /// Turn the chosen knob up.
    Increase,
    /// Turn the chosen knob down.
    Decrease,
    /// Turn the chosen knob up by a leap.
    Leap,
    /// Turn the chosen knob down by a leap.
    Drop,
    /// Type a value for the chosen knob.
    Type,
    /// Undo the last turn of a knob.
    Undo,
    /// Hold or go on computing.
    Pause,
    /// Save the session under a name.
    Save,
    /// Play or hold the recording.
    Play,
    /// Go back in the recording.
    Rewind,
    /// Go on in the recording.
    Forward,
    /// To the recording's start.
    Start,
    /// To the recording's end.
    End,
    /// Play slower.
    Slower,
    /// Play faster.
    Faster,
    /// To the next event of the recording.
    StepOn,
    /// To the event before.
    StepBack,
    /// To the next mark on the time line.
    MarkOn,
    /// To the mark before.
    MarkBack,
    /// Go on computing from the moment on the screen.
    Branch,
    /// Show the recorded sessions.
    Sessions,
    /// Draw a session beside this one, or no longer.
    Compare,
    /// Search among the sessions.
    Search,
    /// Write a session's note.
    Note,
    /// Write a session's tags.
    Tags,
    /// Replay the chosen session.
    Open,
    /// Take what was typed.
    Accept,
    /// Take back the last sign typed.
    Erase,
    /// Leave without a change.
    Cancel,
    /// Scroll down.
    ScrollDown,
    /// Scroll up.
    ScrollUp,
    /// Go on computing, leave when all is done.
    Finish,
    /// Stop computing and leave.
    Stop,
}

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
    /// While a crosshair is moved by keys; its bindings come before those of the dashboard.
    Crosshair,
    /// While typing a value or a name.
    Typing,
    /// Among the recorded sessions.
    Sessions,
    /// In the help.
    Help,
    /// At the question how to leave.
    Leaving,
}

impl Context {
    /// All contexts, in the order of the help.
    pub const ALL: [Context; 9] = [
        Context::Board,
        Context::Live,
        Context::Replay,
        Context::Crosshair,
        Context::Sessions,
        Context::Typing,
        Context::Help,
        Context::Leaving,
        Context::Everywhere,
    ];

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
            Context::Help => "In this help",
            Context::Leaving => "When leaving",
        }
    }
}

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    const fn char(c: char) -> Key {
        Key::code(KeyCode::Char(c))
    }

    const fn code(code: KeyCode) -> Key {
        Key { code, modifiers: KeyModifiers::NONE }
    }

    const fn with(modifiers: KeyModifiers, code: KeyCode) -> Key {
        Key { code, modifiers }
    }

    /// Whether `event` is this key. Shift is part of a character, so it does not count there.
    pub fn is(self, event: &KeyEvent) -> bool {
        let ignored = match event.code {
            KeyCode::Char(_) | KeyCode::BackTab => KeyModifiers::SHIFT,
            _ => KeyModifiers::NONE,
        };
        event.code == self.code && event.modifiers - ignored == self.modifiers
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = match self.code {
            KeyCode::Char(' ') => "Space".to_owned(),
            KeyCode::Char(c) if self.modifiers.contains(KeyModifiers::CONTROL) => c.to_uppercase().to_string(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Left => "←".to_owned(),
            KeyCode::Right => "→".to_owned(),
            KeyCode::Up => "↑".to_owned(),
            KeyCode::Down => "↓".to_owned(),
            KeyCode::PageUp => "PgUp".to_owned(),
            KeyCode::PageDown => "PgDn".to_owned(),
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            other => format!("{other:?}"),
        };
        let control = if self.modifiers.contains(KeyModifiers::CONTROL) { "Ctrl-" } else { "" };
        let shift = if self.modifiers.contains(KeyModifiers::SHIFT) { "Shift-" } else { "" };
        write!(f, "{control}{shift}{code}")
    }
}

/// Whether and where a binding stands in the footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footer {
    /// Shown with its first key and its label, as far as there is room.
    Shown,
    /// Shown for a pair of bindings, with these keys.
    Pair(&'static str),
    /// Only in the help.
    Hidden,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Where it holds.
    pub context: Context,
    /// Keys that do it; the first stands in the footer.
    pub keys: &'static [Key],
    /// A word or two for the footer.
    pub label: &'static str,
    /// A sentence for the help.
    pub description: &'static str,
    /// Whether it stands in the footer.
    pub footer: Footer,
}

const fn row(
    context: Context,
    action: Action,
    keys: &'static [Key],
    footer: Footer,
    label: &'static str,
    description: &'static str,
) -> Binding {
    Binding { action, context, keys, label, description, footer }
}

/// The table.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = {
    use self::Action::*;
    use self::Context::{Board, Everywhere, Leaving, Live, Replay, Typing};
    use self::Footer::{Hidden, Pair, Shown};
    const SHIFT: KeyModifiers = KeyModifiers::SHIFT;
    &[
        row(Board, Quit, &[Key::char('q')], Shown, "quit", "Leave; asks first while computing"),
        row(Board, Help, &[Key::char('?')], Shown, "help", "Show this help"),
        row(Context::Crosshair, CrosshairLeft, &[Key::code(KeyCode::Left), Key::char('h')], Hidden, "left", "Move the crosshair left"),
        row(Context::Crosshair, CrosshairRight, &[Key::code(KeyCode::Right), Key::char('l')], Pair("←→"), "crosshair", "Move the crosshair right"),
        row(Context::Crosshair, PanLeft, &[Key::with(SHIFT, KeyCode::Left), Key::char('H')], Hidden, "pan", "Look further left in a magnified plot"),
        row(Context::Crosshair, PanRight, &[Key::with(SHIFT, KeyCode::Right)], Hidden, "pan", "Look further right"),
        row(Context::Crosshair, PanUp, &[Key::with(SHIFT, KeyCode::Up), Key::char('K')], Pair("Shift-arrows"), "pan", "Look further up"),
        row(Context::Crosshair, PanDown, &[Key::with(SHIFT, KeyCode::Down), Key::char('J')], Hidden, "pan", "Look further down"),
        row(Context::Crosshair, Action::Crosshair, &[Key::code(KeyCode::Esc), Key::char('c')], Shown, "done", "Put the crosshair away"),
        row(Live, Decrease, &[Key::code(KeyCode::Left), Key::char('h')], Hidden, "less", "Turn the chosen knob down"),
        row(Live, Increase, &[Key::code(KeyCode::Right), Key::char('l')], Pair("←→"), "change", "Turn the chosen knob up"),
        row(Replay, Play, &[Key::char(' ')], Shown, "play", "Play or hold the recording"),
        row(Replay, Rewind, &[Key::code(KeyCode::Left), Key::char('h')], Hidden, "back", "Go back in the recording"),
        row(Replay, Forward, &[Key::code(KeyCode::Right), Key::char('l')], Pair("←→"), "scrub", "Go on in the recording"),
        row(Replay, Slower, &[Key::char('<')], Pair("<>"), "speed", "Play at half the speed"),
        row(Replay, Faster, &[Key::char('>')], Hidden, "faster", "Play at twice the speed"),
        row(Replay, Start, &[Key::code(KeyCode::Home), Key::char('g')], Hidden, "start", "To the recording's start"),
        row(Replay, End, &[Key::code(KeyCode::End), Key::char('G')], Hidden, "end", "To the recording's end"),
        row(Replay, StepOn, &[Key::char('.')], Pair(",."), "event", "To the next event"),
        row(Replay, StepBack, &[Key::char(',')], Hidden, "event", "To the event before"),
        row(Replay, MarkOn, &[Key::char('}')], Pair("{}"), "mark", "To the next mark: a stage, a turned knob, a warning"),
        row(Replay, MarkBack, &[Key::char('{')], Hidden, "mark", "To the mark before"),
        row(Replay, Branch, &[Key::char('b')], Shown, "branch", "Go on computing from this moment, as a new session"),
        row(Board, NextKnob, &[Key::code(KeyCode::Down), Key::char('j')], Pair("↑↓"), "knob", "Choose the next knob"),
        row(Board, PreviousKnob, &[Key::code(KeyCode::Up), Key::char('k')], Hidden, "knob", "Choose the knob before"),
        row(Board, Type, &[Key::code(KeyCode::Enter)], Shown, "type", "Type a value for the chosen knob"),
        row(Board, NextPane, &[Key::code(KeyCode::Tab)], Shown, "pane", "Focus the next pane"),
        row(Board, PreviousPane, &[Key::code(KeyCode::BackTab)], Hidden, "pane", "Focus the pane before"),
        row(Board, Zoom, &[Key::char('z')], Shown, "zoom", "Fill the screen with the pane in focus, and back"),
        row(Board, Hide, &[Key::char('d')], Hidden, "hide", "Put the pane in focus away; its digit brings it back"),
        row(Board, NextView, &[Key::char('v')], Shown, "view", "The next view of the pane in focus"),
        row(Board, PreviousView, &[Key::char('V')], Hidden, "view", "The view before"),
        row(Live, Pause, &[Key::char(' ')], Shown, "pause", "Hold computing, or go on"),
        row(Live, Save, &[Key::char('s')], Shown, "save", "Save the session under a name"),
        row(Board, Action::Sessions, &[Key::char('r')], Shown, "sessions", "Show the recorded sessions: replay, compare, describe"),
        row(Board, Compare, &[Key::char('C')], Hidden, "compare", "Draw a session beside this one, or no longer"),
        row(Board, Undo, &[Key::char('u')], Shown, "undo", "Undo the last turn of a knob"),
        row(Board, ScaleY, &[Key::char('y')], Shown, "lin/log", "Linear or logarithmic heights in the pane in focus"),
        row(Board, ScaleX, &[Key::char('x')], Hidden, "lin/log x", "Linear or logarithmic widths in the pane in focus"),
        row(Board, Action::Crosshair, &[Key::char('c')], Shown, "read", "Read all curves at a crosshair, or put it away"),
        row(Board, ZoomIn, &[Key::char('+')], Pair("+-="), "magnify", "Magnify the plot in focus, about the crosshair if any"),
        row(Board, ZoomOut, &[Key::char('-')], Hidden, "less", "See more of the plot in focus"),
        row(Board, ZoomReset, &[Key::char('=')], Hidden, "whole", "See the whole plot again"),
        row(Board, Log, &[Key::char('L')], Shown, "log", "Show or hide the log"),
        row(Board, Theme, &[Key::char('t')], Shown, "theme", "The next theme"),
        row(Board, Focus(Pane::Spectrum), &[Key::char('1')], Hidden, "spectrum", "Focus the spectrum"),
        row(Board, Focus(Pane::Ratio), &[Key::char('2')], Hidden, "ratio", "Focus the ratio"),
        row(Board, Focus(Pane::Proxy), &[Key::char('3')], Hidden, "proxy", "Focus the proxy"),
        row(Board, Focus(Pane::Estimators), &[Key::char('4')], Hidden, "estimators", "Focus the estimators"),
        row(Live, Leap, &[Key::with(SHIFT, KeyCode::Right), Key::char('}')], Hidden, "leap", "Turn the chosen knob up by a leap"),
        row(Live, Drop, &[Key::with(SHIFT, KeyCode::Left), Key::char('{')], Hidden, "drop", "Turn the chosen knob down by a leap"),
        row(Board, Increase, &[Key::char(']')], Hidden, "more", "Turn the chosen knob up (σ in a replay too)"),
        row(Board, Decrease, &[Key::char('[')], Hidden, "less", "Turn the chosen knob down (σ in a replay too)"),
        row(Board, LogBack, &[Key::code(KeyCode::PageUp)], Hidden, "log back", "Scroll the log back"),
        row(Board, LogOn, &[Key::code(KeyCode::PageDown)], Hidden, "log on", "Scroll the log on"),
        row(Board, Back, &[Key::code(KeyCode::Esc)], Hidden, "back", "Close the zoom, the log or the message"),
        row(Context::Sessions, Open, &[Key::code(KeyCode::Enter)], Shown, "replay", "Replay the chosen session"),
        row(Context::Sessions, Compare, &[Key::char('c')], Shown, "compare", "Draw the chosen session beside the one shown"),
        row(Context::Sessions, Search, &[Key::char('/')], Shown, "search", "Search names, checkpoints, notes and tags"),
        row(Context::Sessions, Note, &[Key::char('n')], Shown, "note", "Write a note"),
        row(Context::Sessions, Tags, &[Key::char('t')], Shown, "tags", "Write tags, with blanks between them"),
        row(Context::Sessions, ScrollDown, &[Key::code(KeyCode::Down), Key::char('j')], Pair("↑↓"), "choose", "Choose the next session"),
        row(Context::Sessions, ScrollUp, &[Key::code(KeyCode::Up), Key::char('k')], Hidden, "choose", "Choose the session before"),
        row(Context::Sessions, Start, &[Key::code(KeyCode::Home), Key::char('g')], Hidden, "first", "Choose the newest"),
        row(Context::Sessions, End, &[Key::code(KeyCode::End), Key::char('G')], Hidden, "last", "Choose the oldest"),
        row(Context::Sessions, Cancel, &[Key::code(KeyCode::Esc), Key::char('q'), Key::char('r')], Shown, "close", "Close the list"),
        row(Typing, Accept, &[Key::code(KeyCode::Enter)], Shown, "take it", "Take what was typed"),
        row(Typing, Erase, &[Key::code(KeyCode::Backspace)], Shown, "erase", "Take back the last sign"),
        row(Typing, Cancel, &[Key::code(KeyCode::Esc)], Shown, "cancel", "Leave all as it was"),
        row(Context::Help, Cancel, &[Key::code(KeyCode::Esc), Key::char('?'), Key::char('q'), Key::code(KeyCode::Enter)], Shown, "close", "Close the help"),
        row(Context::Help, ScrollDown, &[Key::code(KeyCode::Down), Key::char('j'), Key::code(KeyCode::PageDown)], Pair("↑↓"), "scroll", "Scroll down"),
        row(Context::Help, ScrollUp, &[Key::code(KeyCode::Up), Key::char('k'), Key::code(KeyCode::PageUp)], Hidden, "up", "Scroll up"),
        row(Leaving, Finish, &[Key::char('f')], Shown, "finish", "Compute to the end, then leave"),
        row(Leaving, Stop, &[Key::char('s'), Key::code(KeyCode::Enter)], Shown, "stop", "Stop now and leave; what was computed is kept"),
        row(Leaving, Cancel, &[Key::char('c'), Key::code(KeyCode::Esc)], Shown, "cancel", "Stay"),
        row(Everywhere, Quit, &[Key::with(KeyModifiers::CONTROL, KeyCode::Char('c'))], Hidden, "quit", "Leave; twice, at once"),
    ]
};

/// What `event` does where `contexts` hold; an earlier context comes before a later one.
pub fn find(contexts: &[Context], event: &KeyEvent) -> Option<Action> {
    let held = contexts.iter().flat_map(|c| BINDINGS.iter().filter(move |b| b.context == *c));
    held.into_iter().find(|b| b.keys.iter().any(|k| k.is(event))).map(|b| b.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_key_means_two_things_where_both_hold() {
        use Context::*;
        for contexts in [
            &[Board, Live][..],
            &[Board, Replay],
            &[Context::Crosshair],
            &[Context::Sessions],
            &[Typing],
            &[Context::Help],
            &[Leaving],
        ] {
            let mut seen = HashSet::new();
            for binding in BINDINGS.iter().filter(|b| contexts.contains(&b.context) || b.context == Everywhere) {
                for key in binding.keys {
                    assert!(seen.insert(*key), "{key} is bound twice in {contexts:?}");
                }
            }
        }
    }

    #[test]
    fn every_binding_explains_itself() {
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty() && !binding.label.is_empty() && !binding.description.is_empty());
            assert!(Context::ALL.contains(&binding.context));
        }
    }

    #[test]
    fn keys_are_found_with_their_modifiers() {
        let board = [Context::Board, Context::Live, Context::Everywhere];
        let press = |code, modifiers| find(&board, &KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::NONE), Some(Action::Crosshair));
        assert_eq!(press(KeyCode::Char('e'), KeyModifiers::NONE), None);
        assert_eq!(press(KeyCode::Char('L'), KeyModifiers::SHIFT), Some(Action::Log));
        assert_eq!(press(KeyCode::BackTab, KeyModifiers::SHIFT), Some(Action::PreviousPane));
        assert_eq!(press(KeyCode::Right, KeyModifiers::SHIFT), Some(Action::Leap));
        assert_eq!(find(&[Context::Typing], &KeyEvent::from(KeyCode::Char('q'))), None);
    }

    #[test]
    fn keys_are_written_as_people_say_them() {
        assert_eq!(Key::with(KeyModifiers::CONTROL, KeyCode::Char('c')).to_string(), "Ctrl-C");
        assert_eq!(Key::with(KeyModifiers::SHIFT, KeyCode::Right).to_string(), "Shift-→");
        assert_eq!(Key::char(' ').to_string(), "Space");
        assert_eq!(Key::code(KeyCode::Tab).to_string(), "Tab");
    }
}
