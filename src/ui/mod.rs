//! Floor 7. The dashboard: draws from the [`Readout`](crate::engine::readout::Readout) and its own view state, and
//! tells the worker nothing but knobs and whether to go on.
//!
//! | file | is |
//! |---|---|
//! | [`state`], [`update`] | what the dashboard knows, and the pure reducer over it |
//! | [`way`] | walking through lists |
//! | [`look`] | reading plots: zoom, pan, crosshair |
//! | [`action`], [`knob`], [`input`] | the table of keys, the knobs, from terminal events to messages |
//! | [`screen`], [`bars`], [`overlay`], [`panes`] | drawing, top down |
//! | [`browser`] | the recorded sessions |
//! | [`layout`] | which pane stands where |
//! | [`memory`] | what is remembered from one start to the next |
//! | [`plot`], [`theme`] | curves, colours |
//! | [`playback`] | a recording and the place in it |
//! | [`run`](mod@run), [`terminal`] | the loop and the terminal it borrows |
//! | [`picture`](mod@picture) | a frame as SVG |

pub mod action;
pub mod bars;
pub mod browser;
pub mod input;
pub mod knob;
pub mod layout;
pub mod look;
pub mod memory;
pub mod overlay;
pub mod panes;
pub mod picture;
pub mod playback;
pub mod plot;
pub mod run;
pub mod screen;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod way;

pub use picture::picture;
pub use run::{Mouse, Options, Outcome, Save, Source, run};
