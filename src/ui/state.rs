//! What the dashboard knows: the readout, what the user wants, and the view onto both. No drawing, no input, no clock.

use std::collections::{BTreeMap, BTreeSet};

use ratatui::style::Style;
use serde::{Deserialize, Serialize};

use crate::engine::event::{Event, Stage, Stamped};
use crate::engine::knobs::Knobs;
use crate::engine::ladder;
use crate::engine::readout::{Readout, Standing, State};

use super::browser::list::Browser;
use super::colour::{Choice, Colours};
pub use super::freshness::Freshness;
use super::input::Mouse;
use super::key::Chord;
use super::keymap::Keymap;
use super::knob::Knob;
use super::menu::Menu;
pub use super::pane::{
    EstimatorsView, GrowthView, LawsView, Pane, PaneViews, ProxyView, RatioView, SpectrumView, TheoryView,
};
use super::playback::Playback;
use super::plot::raster::Marker;
use super::plot::window::Window;
use super::plot::{Placed, Quantity};
use super::settings::{Panel, Setting};
use super::theme::{Theme, Token};
pub use super::way::{Views, Way, cycled};

/// How an axis is scaled in a pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scaling {
    /// As suits the view.
    #[default]
    Suited,
    /// The other of linear and logarithmic.
    Other,
}

impl Scaling {
    /// The other one.
    pub fn other(self) -> Scaling {
        match self {
            Scaling::Suited => Scaling::Other,
            Scaling::Other => Scaling::Suited,
        }
    }
}

/// The x at which all plots of one quantity are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crosshair {
    /// What x counts.
    pub quantity: Quantity,
    /// Where, in data units.
    pub x: f64,
    /// Who holds it.
    pub held: Held,
}

/// Who holds the crosshair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The mouse: it goes when the pointer leaves the plots.
    Pointer,
    /// The keys: arrows move it until it is put away.
    Keys,
}

/// A session opened to be looked at: its dashboard at the end, or why it cannot be read.
pub type Preview = std::result::Result<Box<App>, String>;

/// A session drawn beside the one on the screen.
#[derive(Debug, Clone)]
pub struct Compared {
    /// Its name.
    pub name: String,
    /// All that is known of it.
    pub readout: Readout,
}

/// How panes share the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arrangement {
    /// All at once where there is room, else one at a time.
    #[default]
    Together,
    /// The pane in focus alone.
    Alone,
}

/// The log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Log {
    /// Not shown.
    #[default]
    Hidden,
    /// Shown, this many lines back from the newest.
    Shown {
        /// Lines back.
        back: usize,
    },
}

/// What lies over the dashboard.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Overlay {
    /// Nothing.
    #[default]
    None,
    /// The help, scrolled by this many lines.
    Help(usize),
    /// The question how to leave.
    Leaving,
    /// A line being typed.
    Typing(Typing),
    /// The recorded sessions.
    Sessions(Browser),
    /// A list of commands, themes or presets.
    Menu(Menu),
    /// The settings.
    Settings(Panel),
}

/// Where the user wants to go when this dashboard closes.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// To the replay of this session.
    Replay(String),
    /// On from this moment of the recording on the screen, computing with these knobs.
    Branch {
        /// Recorded seconds.
        t: f64,
        /// The knobs.
        knobs: Knobs,
    },
}

/// A line being typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typing {
    /// What it is for.
    pub purpose: Purpose,
    /// What was typed so far.
    pub text: String,
    /// Why it was not taken.
    pub refused: Option<String>,
}

/// What a typed line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A knob's value.
    Value(Knob),
    /// The session's name.
    Name,
}

/// A short message to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Something went well.
    Done(String),
    /// Something could not be done.
    Refused(String),
}

/// Whether computing goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// On.
    #[default]
    Going,
    /// Held.
    Paused,
}

/// Whether the dashboard closes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stay {
    /// Until told otherwise.
    #[default]
    Open,
    /// Until all stages are complete.
    UntilDone,
}

/// The user's view: nothing here changes what is computed.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Pane in focus.
    pub focus: Pane,
    /// How panes share the screen.
    pub arrangement: Arrangement,
    /// Panes put away; never the one in focus.
    pub hidden: BTreeSet<Pane>,
    /// Knob chosen.
    pub knob: Knob,
    /// The view of each pane.
    pub views: PaneViews,
    /// Scaling of heights by pane.
    pub heights: [Scaling; Pane::ALL.len()],
    /// Scaling of widths by pane.
    pub widths: [Scaling; Pane::ALL.len()],
    /// The part of each pane's plots that is looked at.
    pub windows: [Window; Pane::ALL.len()],
    /// Where the plots are read.
    pub crosshair: Option<Crosshair>,
    /// The pane whose plot is being dragged, and the cell it was last dragged to.
    pub dragged: Option<(Pane, (u16, u16))>,
    /// The log.
    pub log: Log,
    /// What lies over the dashboard.
    pub overlay: Overlay,
    /// The message to the user.
    pub notice: Option<Notice>,
    /// When to close.
    pub stay: Stay,
    /// Where to go then.
    pub next: Option<Next>,
    /// Keys after which the hint of the first start goes; 0 once it has gone.
    pub hint: u8,
    /// The keys pressed so far of a chord.
    pub begun: Chord,
}

/// Where events come from.
#[derive(Debug, Clone)]
pub enum Feed {
    /// A worker computes.
    Live(Pace),
    /// A recording plays.
    Replay(Playback),
}

/// The dashboard's state.
#[derive(Debug, Clone)]
pub struct App {
    /// All that is known.
    pub readout: Readout,
    /// The knobs the user wants: ahead of the readout's until the worker takes them up.
    pub wanted: Knobs,
    /// Where events come from.
    pub feed: Feed,
    /// The session's or recording's name.
    pub name: Option<String>,
    /// The view.
    pub view: View,
    /// The theme.
    pub theme: Theme,
    /// All themes by name, or why one cannot be used.
    pub themes: Vec<(String, Result<Theme, String>)>,
    /// How many colours are asked for.
    pub colour: Choice,
    /// How many the terminal has.
    pub terminal: Colours,
    /// What keys do.
    pub keymap: Keymap,
    /// Whether the mouse is listened to.
    pub mouse: Mouse,
    /// The keys of the configuration file.
    pub settings: Vec<Setting>,
    /// Whether a value is one of a key's.
    pub check_setting: fn(&str, &str) -> Result<(), String>,
    /// What curves are drawn with.
    pub marker: Marker,
    /// Knobs before each turn, oldest first.
    pub history: Vec<Knobs>,
    /// The session drawn beside this one.
    pub compared: Option<Compared>,
    /// Readouts of sessions the browser has shown, or why there are none.
    pub previews: BTreeMap<String, Preview>,
    /// The plots of the last frame, for what is done at their cells.
    pub plots: Vec<(Pane, Placed)>,
    /// Stages that have delivered a figure for the knobs in force.
    pub(super) delivered: BTreeSet<Stage>,
}

impl View {
    /// The panes that are not put away, in reading order; never empty.
    pub fn panes(&self) -> Vec<Pane> {
        Pane::ALL.into_iter().filter(|pane| !self.hidden.contains(pane)).collect()
    }
}

impl App {
    /// A dashboard that knows nothing yet.
    pub fn new(feed: Feed, wanted: Knobs, name: Option<String>, theme: Theme, marker: Marker) -> App {
        App {
            readout: Readout::default(),
            wanted,
            feed,
            name,
            view: View::default(),
            theme,
            themes: Vec::new(),
            colour: Choice::default(),
            terminal: Colours::True,
            keymap: Keymap::default(),
            mouse: Mouse::default(),
            settings: Vec::new(),
            check_setting: |_, _| Ok(()),
            marker,
            history: Vec::new(),
            compared: None,
            previews: BTreeMap::new(),
            plots: Vec::new(),
            delivered: BTreeSet::new(),
        }
    }

    /// A still picture of a readout.
    pub fn still(readout: Readout, theme: Theme) -> App {
        let wanted = readout.knobs.clone();
        let delivered = Stage::ALL.into_iter().filter(|s| readout.standing(*s) != Standing::Waiting).collect();
        let mut app = App::new(Feed::Live(Pace::Going), wanted, None, theme, Marker::Braille);
        if readout.exhibits.growth_plan.is_some() {
            app.view.focus = Pane::Growth;
        }
        App { readout, delivered, ..app }
    }

    /// How `token` looks in the theme in use.
    pub fn style(&self, token: Token) -> Style {
        self.theme.get(token)
    }

    /// The colours shown.
    pub fn colours(&self) -> Colours {
        self.colour.of(self.terminal)
    }

    /// The theme called `name`, or why it cannot be used.
    ///
    /// # Errors
    /// There is none of that name, or what is wrong with its file.
    pub fn theme_called(&self, name: &str) -> Result<Theme, String> {
        let found = self.themes.iter().find(|(known, _)| known == name);
        found.map_or_else(|| Err(format!("no theme {name:?}")), |(_, theme)| theme.clone())
    }

    /// Fold one event.
    pub fn fold(&mut self, stamped: &Stamped) {
        match &stamped.event {
            Event::Opened(_) => self.delivered.clear(),
            Event::Knobs(knobs) => {
                if let Some(first) = ladder::invalidated(&self.readout.knobs, knobs) {
                    self.delivered.retain(|stage| *stage < first);
                }
                if matches!(self.feed, Feed::Replay(_)) {
                    self.wanted = knobs.clone();
                }
            }
            Event::Iteration { .. } | Event::Eigenspace { .. } => {
                self.delivered.insert(Stage::Subspace);
            }
            Event::Coefficients { .. } => {
                self.delivered.insert(Stage::Coefficients);
            }
            _ => {}
        }
        self.readout.apply(stamped);
    }

    /// Forget all that was folded, before a recording is shown from its start.
    pub fn forget(&mut self) {
        self.readout = Readout::default();
        self.delivered.clear();
    }

    /// Whether there is a run or a recording, rather than the list of sessions alone.
    pub fn has_board(&self) -> bool {
        match &self.feed {
            Feed::Live(_) => true,
            Feed::Replay(playback) => playback.place().1 > 0,
        }
    }

    /// Whether the worker has work left.
    pub fn busy(&self) -> bool {
        matches!(self.feed, Feed::Live(_)) && matches!(self.readout.state, State::Loading | State::Running(_))
    }

    /// The dimensions to show: those wanted, as far as the basis reaches.
    pub fn shown_ks(&self) -> Vec<usize> {
        let most = self.readout.quadratic().map_or(0, |q| q.k());
        self.wanted.ks.iter().copied().filter(|k| *k <= most).collect()
    }
}
