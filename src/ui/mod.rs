//! Floor 7. The dashboard: draws from the [`Readout`](crate::engine::readout::Readout) and its own view state, and
//! tells the worker nothing but knobs and whether to go on.
//!
//! | file | is |
//! |---|---|
//! | [`state`], [`message`], [`update`], [`turning`] | what the dashboard knows, what happens to it, the pure reducer |
//! | [`pane`](mod@pane), [`freshness`] | the panes with their views, and what their figures are worth |
//! | [`look`], [`way`] | reading plots: zoom, pan, crosshair; walking through lists |
//! | [`action`], [`context`], [`key`], [`keymap`], [`input`] | the table of actions, its keys in force, from the terminal to messages |
//! | [`knob`], [`preset`], [`menu`], [`settings`] | the knobs, presets of them, lists to choose from, the configuration |
//! | [`browser`], [`memory`] | the recorded sessions; what is remembered from one start to the next |
//! | [`screen`], [`layout`], [`bars`], [`overlay`], [`panes`] | drawing, top down |
//! | [`plot`], [`theme`], [`colour`] | curves, how each meaning looks, what the terminal can show |
//! | [`playback`] | a recording and the place in it |
//! | [`run`](mod@run), [`terminal`] | the loop and the terminal it borrows |
//! | [`picture`](mod@picture) | a frame as SVG |

pub mod action;
pub mod bars;
pub mod browser;
pub mod colour;
pub mod context;
pub mod freshness;
pub mod input;
pub mod key;
pub mod keymap;
pub mod knob;
pub mod layout;
pub mod look;
pub mod memory;
pub mod menu;
pub mod message;
pub mod overlay;
pub mod pane;
pub mod panes;
pub mod picture;
pub mod playback;
pub mod plot;
pub mod preset;
pub mod run;
pub mod screen;
pub mod settings;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod turning;
pub mod update;
pub mod way;

pub use input::Mouse;
pub use picture::picture;
pub use run::{Options, Outcome, Save, Source, run};
