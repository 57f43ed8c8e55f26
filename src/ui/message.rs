//! What the user did, and what must happen outside the state because of it.

use crokey::KeyCombination;

use super::action::Action;
use super::input::Mouse;
use super::knob::{Knob, Turn};
use super::look::Pointer;
use crate::engine::worker::Wanted;

/// Something the user did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Message {
    /// An action of the table.
    Act(Action),
    /// A key that begins or continues a chord.
    Begin(KeyCombination),
    /// A key that does not continue the chord begun.
    Break,
    /// A sign typed.
    Char(char),
    /// A row of the list that lies over the dashboard, pointed at.
    Row(usize),
    /// A knob pointed at.
    Choose(Knob),
    /// A knob turned where it was pointed at.
    Turn(Knob, Turn),
    /// The mouse did something at a cell of a plot, or left the plots.
    Point(Pointer, u16, u16),
}

/// How the dashboard was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// With all stages complete, or a recording.
    Done,
    /// In the middle of computing.
    Stopped,
}

/// Something that must happen outside the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the worker.
    Want(Wanted),
    /// Save the session under this name.
    Save(String),
    /// Listen to the mouse, or no longer.
    Mouse(Mouse),
    /// Write a key of the configuration file.
    Keep {
        /// The key.
        key: String,
        /// Its value as the flag has it.
        value: String,
    },
    /// Read the themes anew.
    ReadThemes,
    /// List the recorded sessions and open the browser.
    ListSessions,
    /// Write a session's note and tags.
    Describe {
        /// Its name.
        name: String,
        /// The note.
        note: String,
        /// The tags.
        tags: Vec<String>,
    },
    /// Give the terminal back and stop until the user comes back.
    Suspend,
    /// Close the dashboard.
    Quit(Leave),
}
