//! Actions: one table drives what keys do, what footer, help and palette say, what `eigentop keys` lists, and what
//! `keymap.toml` may bind.

use crokey::{KeyCombination, key};

pub use super::context::Context;
use super::state::Pane;

/// Something the user can do. Its [name](Action::name) is what `keymap.toml` and the palette call it.
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
    /// Choose a theme.
    Theme,
    /// Choose a preset of knobs.
    Preset,
    /// Find and run a command.
    Commands,
    /// Look at all settings and change them.
    Settings,
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
    /// Take back the last word typed.
    EraseWord,
    /// Take back all that was typed.
    Clear,
    /// Write the chosen command out.
    Complete,
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
    /// Give the terminal back for a while.
    Suspend,
}

impl Action {
    /// Its stable name: the variant in kebab case, such as `next-pane` or `focus-ratio`. The list of keys in
    /// `assets/keys.md` pins them.
    pub fn name(self) -> String {
        let mut name = String::new();
        for c in format!("{self:?}").chars().filter(|c| *c != ')') {
            match c {
                '(' => {}
                c if c.is_uppercase() && !name.is_empty() => name.extend(['-', c.to_ascii_lowercase()]),
                c => name.push(c.to_ascii_lowercase()),
            }
        }
        name
    }
}

/// Whether and where a binding stands in the footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footer {
    /// Shown with its first key and its label, as far as there is room.
    Shown,
    /// Shown for a pair of bindings: this one and, before it, the one of this action in the same context.
    After(Action),
    /// Only in the help.
    Hidden,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// Where it holds.
    pub context: Context,
    /// Keys that do it unless `keymap.toml` says otherwise; the first stands in the footer.
    pub keys: &'static [KeyCombination],
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
    keys: &'static [KeyCombination],
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
    use self::Context::{Board, Everywhere, Leaving, List, Live, Replay, Typing};
    use self::Footer::{After, Hidden, Shown};
    &[
        row(Board, Quit, &[key!(q)], Shown, "quit", "Leave; asks first while computing"),
        row(Board, Help, &[key!('?')], Shown, "help", "Show this help"),
        row(Board, Commands, &[key!(':')], Shown, "commands", "Find and run any command by name, such as sigma 1e-3"),
        row(Context::Crosshair, CrosshairLeft, &[key!(left), key!(h)], Hidden, "left", "Move the crosshair left"),
        row(Context::Crosshair, CrosshairRight, &[key!(right), key!(l)], After(CrosshairLeft), "crosshair", "Move the crosshair right"),
        row(Context::Crosshair, Crosshair, &[key!(esc), key!(c)], Shown, "done", "Put the crosshair away"),
        row(Context::Crosshair, PanLeft, &[key!(shift-left), key!(shift-h)], Hidden, "pan", "Look further left in a magnified plot"),
        row(Context::Crosshair, PanRight, &[key!(shift-right)], After(PanLeft), "pan", "Look further right"),
        row(Context::Crosshair, PanUp, &[key!(shift-up), key!(shift-k)], Hidden, "pan", "Look further up"),
        row(Context::Crosshair, PanDown, &[key!(shift-down), key!(shift-j)], Hidden, "pan", "Look further down"),
        row(Live, Decrease, &[key!(left), key!(h)], Hidden, "less", "Turn the chosen knob down"),
        row(Live, Increase, &[key!(right), key!(l)], After(Decrease), "change", "Turn the chosen knob up"),
        row(Replay, Play, &[key!(space)], Shown, "play", "Play or hold the recording"),
        row(Replay, Rewind, &[key!(left), key!(h)], Hidden, "back", "Go back in the recording"),
        row(Replay, Forward, &[key!(right), key!(l)], After(Rewind), "scrub", "Go on in the recording"),
        row(Replay, Slower, &[key!('<')], Hidden, "slower", "Play at half the speed"),
        row(Replay, Faster, &[key!('>')], After(Slower), "speed", "Play at twice the speed"),
        row(Replay, Start, &[key!(home), key!(g)], Hidden, "start", "To the recording's start"),
        row(Replay, End, &[key!(end), key!(shift-g)], Hidden, "end", "To the recording's end"),
        row(Replay, StepBack, &[key!(',')], Hidden, "event", "To the event before"),
        row(Replay, StepOn, &[key!('.')], After(StepBack), "event", "To the next event"),
        row(Replay, MarkBack, &[key!('{')], Hidden, "mark", "To the mark before"),
        row(Replay, MarkOn, &[key!('}')], After(MarkBack), "mark", "To the next mark: a stage, a turned knob, a warning"),
        row(Replay, Branch, &[key!(b)], Shown, "branch", "Go on computing from this moment, as a new session"),
        row(Board, PreviousKnob, &[key!(up), key!(k)], Hidden, "knob", "Choose the knob before"),
        row(Board, NextKnob, &[key!(down), key!(j)], After(PreviousKnob), "knob", "Choose the next knob"),
        row(Board, Type, &[key!(enter)], Shown, "type", "Type a value for the chosen knob"),
        row(Board, NextPane, &[key!(tab)], Shown, "pane", "Focus the next pane"),
        row(Board, PreviousPane, &[key!(backtab)], Hidden, "pane", "Focus the pane before"),
        row(Board, Zoom, &[key!(z)], Shown, "zoom", "Fill the screen with the pane in focus, and back"),
        row(Board, Hide, &[key!(d)], Hidden, "hide", "Put the pane in focus away; its key brings it back"),
        row(Board, NextView, &[key!(v)], Shown, "view", "The next view of the pane in focus"),
        row(Board, PreviousView, &[key!(shift-v)], Hidden, "view", "The view before"),
        row(Live, Pause, &[key!(space)], Shown, "pause", "Hold computing, or go on"),
        row(Live, Save, &[key!(s)], Shown, "save", "Save the session under a name"),
        row(Live, Preset, &[key!(p)], Shown, "preset", "Set the knobs: default, quick, careful or the paper's"),
        row(Board, Sessions, &[key!(r)], Shown, "sessions", "Show the recorded sessions: replay, compare, describe"),
        row(Board, Compare, &[key!(shift-c)], Hidden, "compare", "Draw a session beside this one, or no longer"),
        row(Board, Undo, &[key!(u)], Shown, "undo", "Undo the last turn of a knob"),
        row(Board, ScaleY, &[key!(y)], Shown, "lin/log", "Linear or logarithmic heights in the pane in focus"),
        row(Board, ScaleX, &[key!(x)], Hidden, "lin/log x", "Linear or logarithmic widths in the pane in focus"),
        row(Board, Crosshair, &[key!(c)], Shown, "read", "Read all curves at a crosshair, or put it away"),
        row(Board, ZoomIn, &[key!('+')], Hidden, "magnify", "Magnify the plot in focus, about the crosshair if any"),
        row(Board, ZoomOut, &[key!('-')], After(ZoomIn), "magnify", "See more of the plot in focus"),
        row(Board, ZoomReset, &[key!('=')], Hidden, "whole", "See the whole plot again"),
        row(Board, Log, &[key!(shift-l)], Shown, "log", "Show or hide the log"),
        row(Board, Theme, &[key!(t)], Shown, "theme", "Choose a theme and see it at once"),
        row(Board, Settings, &[key!(shift-s)], Shown, "settings", "Look at all settings, change them and save them"),
        row(Board, Focus(Pane::Spectrum), &[key!(1)], Hidden, "spectrum", "Focus the spectrum"),
        row(Board, Focus(Pane::Ratio), &[key!(2)], Hidden, "ratio", "Focus the ratio"),
        row(Board, Focus(Pane::Proxy), &[key!(3)], Hidden, "proxy", "Focus the proxy"),
        row(Board, Focus(Pane::Estimators), &[key!(4)], Hidden, "estimators", "Focus the estimators"),
        row(Board, Focus(Pane::Growth), &[key!(5)], Hidden, "growth", "Focus the growth: the criteria against n"),
        row(Board, Focus(Pane::Laws), &[key!(6)], Hidden, "laws", "Focus the probing laws side by side"),
        row(Board, Focus(Pane::Theory), &[key!(7)], Hidden, "theory", "Focus the theory: bound, corollary, proposition"),
        row(Live, Leap, &[key!(shift-right), key!('}')], Hidden, "leap", "Turn the chosen knob up by a leap"),
        row(Live, Drop, &[key!(shift-left), key!('{')], Hidden, "drop", "Turn the chosen knob down by a leap"),
        row(Board, Increase, &[key!(']')], Hidden, "more", "Turn the chosen knob up (σ in a replay too)"),
        row(Board, Decrease, &[key!('[')], Hidden, "less", "Turn the chosen knob down (σ in a replay too)"),
        row(Board, LogBack, &[key!(pageup)], Hidden, "log back", "Scroll the log back"),
        row(Board, LogOn, &[key!(pagedown)], Hidden, "log on", "Scroll the log on"),
        row(Board, Back, &[key!(esc)], Hidden, "back", "Close the zoom, the log or the message"),
        row(Context::Sessions, Open, &[key!(enter)], Shown, "replay", "Replay the chosen session"),
        row(Context::Sessions, Compare, &[key!(c)], Shown, "compare", "Draw the chosen session beside the one shown"),
        row(Context::Sessions, Search, &[key!('/')], Shown, "search", "Search names, checkpoints, notes and tags"),
        row(Context::Sessions, Note, &[key!(n)], Shown, "note", "Write a note"),
        row(Context::Sessions, Tags, &[key!(t)], Shown, "tags", "Write tags, with blanks between them"),
        row(Context::Sessions, ScrollUp, &[key!(up), key!(k)], Hidden, "choose", "Choose the session before"),
        row(Context::Sessions, ScrollDown, &[key!(down), key!(j)], After(ScrollUp), "choose", "Choose the next session"),
        row(Context::Sessions, Start, &[key!(home), key!(g)], Hidden, "first", "Choose the newest"),
        row(Context::Sessions, End, &[key!(end), key!(shift-g)], Hidden, "last", "Choose the oldest"),
        row(Context::Sessions, Cancel, &[key!(esc), key!(q), key!(r)], Shown, "close", "Close the list"),
        row(Typing, Accept, &[key!(enter)], Shown, "take it", "Take what was typed or chosen"),
        row(List, ScrollUp, &[key!(up), key!(ctrl-p)], Hidden, "up", "The entry above"),
        row(List, ScrollDown, &[key!(down), key!(ctrl-n)], After(ScrollUp), "choose", "The entry below"),
        row(List, Complete, &[key!(tab)], Hidden, "complete", "Write the chosen command out, to go on typing"),
        row(Typing, Cancel, &[key!(esc)], Shown, "cancel", "Leave all as it was"),
        row(Typing, Erase, &[key!(backspace), key!(ctrl-h)], Shown, "erase", "Take back the last sign"),
        row(Typing, EraseWord, &[key!(ctrl-w)], Hidden, "erase word", "Take back the last word"),
        row(Typing, Clear, &[key!(ctrl-u)], Hidden, "clear", "Take back all that was typed"),
        row(Context::Settings, Decrease, &[key!(left), key!(h)], Hidden, "less", "The value before, or less"),
        row(Context::Settings, Increase, &[key!(right), key!(l)], After(Decrease), "change", "The next value, or more"),
        row(Context::Settings, Type, &[key!(enter)], Shown, "type", "Type a value"),
        row(Context::Settings, Save, &[key!(s)], Shown, "save", "Write the value to config.toml"),
        row(Context::Settings, ScrollUp, &[key!(k)], Hidden, "up", "The setting above"),
        row(Context::Settings, ScrollDown, &[key!(j)], Hidden, "down", "The setting below"),
        row(Context::Settings, Cancel, &[key!(esc), key!(q), key!(shift-s)], Shown, "close", "Close the settings"),
        row(Context::Help, ScrollUp, &[key!(up), key!(k), key!(pageup)], Hidden, "up", "Scroll up"),
        row(Context::Help, ScrollDown, &[key!(down), key!(j), key!(pagedown)], After(ScrollUp), "scroll", "Scroll down"),
        row(Context::Help, Cancel, &[key!(esc), key!('?'), key!(q), key!(enter)], Shown, "close", "Close the help"),
        row(Leaving, Finish, &[key!(f)], Shown, "finish", "Compute to the end, then leave"),
        row(Leaving, Stop, &[key!(s), key!(enter)], Shown, "stop", "Stop now and leave; what was computed is kept"),
        row(Leaving, Cancel, &[key!(c), key!(esc)], Shown, "cancel", "Stay"),
        row(Everywhere, Quit, &[key!(ctrl-c)], Hidden, "quit", "Leave; twice, at once"),
        row(Everywhere, Suspend, &[key!(ctrl-z)], Hidden, "suspend", "Give the terminal back until `fg`"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_binding_explains_itself_and_stands_once() {
        let mut seen = HashSet::new();
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty() && !binding.label.is_empty() && !binding.description.is_empty());
            // On 80 columns the help has room for this much.
            assert!(binding.description.chars().count() <= 54, "{}", binding.description);
            assert!(Context::ALL.contains(&binding.context));
            assert!(Context::TOGETHER.iter().any(|set| set.contains(&binding.context)));
            assert!(seen.insert((binding.context, binding.action)), "{:?} stands twice", binding.action);
            if let Footer::After(other) = binding.footer {
                assert!(BINDINGS.iter().any(|b| b.context == binding.context && b.action == other), "{other:?}");
            }
        }
    }

    #[test]
    fn names_are_kebab_case_and_differ() {
        assert_eq!(Action::NextPane.name(), "next-pane");
        assert_eq!(Action::Focus(Pane::Ratio).name(), "focus-ratio");
        let actions: HashSet<Action> = BINDINGS.iter().map(|b| b.action).collect();
        let names: HashSet<String> = actions.iter().map(|a| a.name()).collect();
        assert_eq!(actions.len(), names.len());
    }
}
