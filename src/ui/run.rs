//! The loop: terminal input before data, data before drawing, and a frame only when something changed.

mod signals;

use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, MouseEventKind};
use futures::StreamExt;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::Instant;

use crate::engine::event::{self, Stamped};
use crate::engine::knobs::Knobs;
use crate::engine::readout::Readout;
use crate::engine::worker::{Run, Worker};
use crate::error::{Error, Result};
use crate::session::{self, Metadata, Store};

use super::action::Action;
use super::browser;
use super::colour::{Choice, Colours};
use super::input::{self, Mouse};
use super::keymap::Keymap;
use super::memory::Memory;
use super::playback::{Motion, Playback};
use super::plot::raster::Marker;
use super::screen::{self, Hits};
use super::settings::{self, Origin, Setting};
use super::state::{App, Compared, Feed, Next, Notice, Pace, Pane};
use super::terminal::{self, Screen};
use super::theme::{self, Theme};
use super::update::{Effect, Leave, Message, begin_at, pass, receive, update};
use signals::{Job, Jobs, told_to_end};

/// Shortest time between two frames: about 30 a second.
const FRAME: Duration = Duration::from_millis(33);

/// Bytes a second that frames drawn for data may take: what a slow line carries. A large frame is followed by a longer
/// rest; keys are answered at once all the same.
const RATE: f64 = 24_000.0;

/// Most events folded for one frame, so that a key is not kept waiting by a flood.
const BATCH: usize = 4096;

/// Where events come from.
pub enum Source {
    /// A worker that computes.
    Live {
        /// The worker; stopped when the dashboard closes.
        worker: Worker,
        /// Its events.
        events: UnboundedReceiver<Stamped>,
        /// The session's name, if it has one.
        name: Option<String>,
        /// Saves the session; without it there is nothing to save.
        save: Option<Save>,
    },
    /// A recording.
    Replay {
        /// All events in order.
        events: Vec<Stamped>,
        /// Recorded seconds a second.
        speed: f64,
        /// The recording's name.
        name: String,
        /// Recorded seconds at which to begin, held; from the start and running without it.
        at: Option<f64>,
    },
    /// Nothing but the list of sessions.
    Sessions,
}

/// Saves the running session under a name and says where.
pub type Save = Box<dyn FnMut(&str) -> Result<PathBuf>>;

/// Writes a key of the configuration file and says where.
pub type Keep = Rc<dyn Fn(&str, &str) -> Result<PathBuf>>;

/// What can be set about the dashboard.
#[derive(Clone)]
pub struct Options {
    /// The theme to begin with.
    pub theme: Theme,
    /// Folder of the user's themes.
    pub themes: Option<PathBuf>,
    /// What keys do.
    pub keymap: Keymap,
    /// How many colours are shown.
    pub colour: Choice,
    /// What curves are drawn with.
    pub marker: Marker,
    /// Whether the mouse is listened to.
    pub mouse: Mouse,
    /// The keys of the configuration file.
    pub settings: Vec<Setting>,
    /// Whether a value is one of a key's.
    pub check_setting: fn(&str, &str) -> std::result::Result<(), String>,
    /// Writes one of them.
    pub keep: Keep,
    /// Where sessions are kept.
    pub sessions: Option<Store>,
    /// File of what is remembered from one start to the next.
    pub state: Option<PathBuf>,
    /// A session to draw beside.
    pub compared: Option<Compared>,
    /// Something to say at the beginning.
    pub notice: Option<Notice>,
}

/// How the dashboard was left, for the summary on the normal screen.
pub struct Outcome {
    /// All that was known at the end.
    pub readout: Readout,
    /// Complete or stopped.
    pub leave: Leave,
    /// The session's or recording's name.
    pub name: Option<String>,
    /// Where the session was saved last, if it was.
    pub saved: Option<PathBuf>,
    /// Where the user wants to go next.
    pub next: Option<Next>,
    /// The options for a dashboard there: what was chosen on the screen goes along.
    pub options: Options,
}

/// Show the dashboard until the user leaves. A worker is stopped before this returns.
///
/// # Errors
/// If the terminal cannot be taken or written to. The terminal is given back first.
pub fn run(source: Source, options: Options) -> Result<Outcome> {
    let terminal = Colours::of_terminal();
    let theme = options.theme.clone().reduced(options.colour.of(terminal));
    let replay =
        |playback, name| App::new(Feed::Replay(playback), Knobs::default(), name, theme.clone(), options.marker);
    let is_growth = |e: &Stamped| matches!(e.event, event::Event::GrowthPlan(_));
    let follows_growth = matches!(&source, Source::Replay { events, .. } if events.iter().any(is_growth));
    let (mut app, worker, events, save) = match source {
        Source::Live { worker, events, name, save } => {
            let wanted = worker.wanted.borrow().clone();
            let pace = if wanted.run == Run::Paused { Pace::Paused } else { Pace::Going };
            let app = App::new(Feed::Live(pace), wanted.knobs, name, theme.clone(), options.marker);
            (app, Some(worker), Some(events), save)
        }
        Source::Replay { events, speed, name, at } => {
            let mut app = replay(Playback::new(events, speed), Some(name));
            if let Some(t) = at {
                begin_at(&mut app, t);
            }
            (app, None, None, None)
        }
        Source::Sessions => (replay(Playback::new(Vec::new(), 1.0), None), None, None, None),
    };
    (app.colour, app.terminal) = (options.colour, terminal);
    app.themes = theme::all(options.themes.as_deref(), app.colours());
    app.keymap = options.keymap.clone();
    app.mouse = options.mouse;
    (app.settings, app.check_setting) = (options.settings.clone(), options.check_setting);
    app.compared.clone_from(&options.compared);
    app.view.notice.clone_from(&options.notice);
    if let Some(file) = &options.state {
        match Memory::load(file) {
            Some(memory) => memory.restore(&mut app.view),
            None => app.view.hint = HINT,
        }
    }
    if follows_growth {
        // The one pane that such a recording fills.
        update(&mut app, Message::Act(Action::Focus(Pane::Growth)));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let state = options.state.clone();
    let mut dashboard = Dashboard { app, worker, save, options, hits: Hits::default(), saved: None, reading: None };
    if !dashboard.app.has_board() {
        dashboard.list_sessions();
    }
    let left = runtime.block_on(dashboard.show(events));
    let Dashboard { app, worker, saved, options, .. } = dashboard;
    if let Some(worker) = worker {
        worker.stop();
    }
    // Where a recording of growth began is no choice of the user.
    if let Some(file) = state.filter(|_| !follows_growth) {
        // Not worth a word: nothing but the choice of panes is lost.
        let _ = Memory::of(&app.view).save(&file);
    }
    let theme = Theme::load(&app.theme.name, options.themes.as_deref()).unwrap_or(options.theme);
    let (colour, marker, mouse, settings) = (app.colour, app.marker, app.mouse, app.settings);
    let options = Options { theme, colour, marker, mouse, settings, compared: None, notice: None, ..options };
    Ok(Outcome { readout: app.readout, leave: left?, name: app.name, saved, next: app.view.next, options })
}

fn refused(source: std::io::Error) -> Error {
    Error::Computation(format!("the terminal cannot be used: {source}; try `eigentop measure`, which needs none"))
}

/// Actions until the hint of the first start goes.
const HINT: u8 = 6;

/// Time until it goes by itself.
const HINT_TIME: Duration = Duration::from_secs(45);

struct Dashboard {
    app: App,
    worker: Option<Worker>,
    save: Option<Save>,
    options: Options,
    hits: Hits,
    saved: Option<PathBuf>,
    /// The session that is being read for a preview.
    reading: Option<String>,
}

/// A session that was read for a preview.
type Read = (String, Result<Readout>);

impl Dashboard {
    async fn show(&mut self, mut events: Option<UnboundedReceiver<Stamped>>) -> Result<Leave> {
        let mut screen = Screen::take(self.options.mouse).map_err(refused)?;
        let mut input = EventStream::new();
        let mut batch = Vec::new();
        let mut due = Some(Instant::now());
        let mut shown = Instant::now() - FRAME;
        let mut rest = FRAME;
        let mut ticked = Instant::now();
        let mut ended = std::pin::pin!(told_to_end());
        let mut jobs = Jobs::new();
        let (tell, mut read) = tokio::sync::mpsc::unbounded_channel::<Read>();
        let hint_goes = Instant::now() + HINT_TIME;
        loop {
            self.read_preview(&tell);
            let playing = matches!(&self.app.feed, Feed::Replay(p) if p.motion == Motion::Playing);
            if !playing {
                ticked = Instant::now();
            }
            let leave = tokio::select! {
                biased;
                job = jobs.next() => {
                    match job {
                        Job::Stop => self.suspend(&mut screen)?,
                        Job::Continue => screen.resume(self.app.mouse).map_err(refused)?,
                    }
                    due = Some(Instant::now());
                    None
                }
                pressed = input.next() => {
                    let pressed = pressed.unwrap_or_else(|| Err(std::io::Error::other("input ended")));
                    let pressed = pressed.map_err(refused)?;
                    if matches!(pressed, Event::Resize(..)) {
                        screen.resized().map_err(refused)?;
                    }
                    // A key acts on all that is known, not on what was known at the last frame.
                    let leave = self.fold(&mut events, &mut batch, &mut screen)?;
                    let crosshair = self.app.view.crosshair;
                    let leave = self.press(&pressed, &mut screen)?.or(leave);
                    match pressed {
                        // A pointer that moves over nothing draws nothing, over a plot no more often than frames come.
                        Event::Mouse(mouse) if mouse.kind == MouseEventKind::Moved => {
                            if self.app.view.crosshair != crosshair {
                                due = Some(due.map_or(shown + FRAME, |due| due.min(shown + FRAME)));
                            }
                        }
                        // A key is answered at once, whenever the last frame was.
                        _ => due = Some(Instant::now()),
                    }
                    leave
                }
                () = &mut ended => Some(Leave::Stopped),
                // Reached at every turn of the loop, however busy the engine: data never keep a frame from being drawn.
                () = std::future::ready(()), if due.is_some_and(|due| due <= Instant::now()) => {
                    let leave = self.fold(&mut events, &mut batch, &mut screen)?;
                    self.hits = screen.draw(|buffer| screen::draw(&self.app, buffer)).map_err(refused)?;
                    self.app.plots.clone_from(&self.hits.plots);
                    rest = FRAME.max(Duration::from_secs_f64(screen.written() as f64 / RATE));
                    shown = Instant::now();
                    due = None;
                    leave
                }
                // What comes first asks for a frame; the rest waits for it, so that the loop turns once a frame and not
                // once an event.
                received = next_events(&mut events, &mut batch), if batch.is_empty() => {
                    if received == 0 {
                        events = None;
                    }
                    due = due.or(Some(shown + rest));
                    None
                }
                Some((name, readout)) = read.recv() => {
                    self.reading = None;
                    browser::arrived(&mut self.app, name, readout);
                    due = due.or(Some(shown + rest));
                    None
                }
                () = tokio::time::sleep_until(hint_goes), if self.app.view.hint > 0 => {
                    self.app.view.hint = 0;
                    due = due.or(Some(shown + rest));
                    None
                }
                () = tokio::time::sleep_until(ticked + FRAME), if playing => {
                    pass(&mut self.app, ticked.elapsed().as_secs_f64());
                    ticked = Instant::now();
                    due = due.or(Some(shown + rest));
                    None
                }
                () = tokio::time::sleep_until(due.unwrap_or(shown)), if due.is_some() => None,
            };
            if let Some(leave) = leave {
                self.fold(&mut events, &mut batch, &mut screen)?;
                return Ok(leave);
            }
        }
    }

    /// Fold what the worker sent since the last frame.
    fn fold(
        &mut self,
        events: &mut Option<UnboundedReceiver<Stamped>>,
        batch: &mut Vec<Stamped>,
        screen: &mut Screen,
    ) -> Result<Option<Leave>> {
        let waiting = std::iter::from_fn(|| events.as_mut()?.try_recv().ok());
        batch.extend(waiting.take(BATCH));
        let mut leave = None;
        for stamped in batch.drain(..) {
            let effects = receive(&mut self.app, &stamped);
            leave = self.carry_out(effects, screen)?.or(leave);
        }
        Ok(leave)
    }

    fn press(&mut self, event: &Event, screen: &mut Screen) -> Result<Option<Leave>> {
        let messages: Vec<Message> = input::messages(&self.app, &self.hits, event);
        let mut leave = None;
        for message in messages {
            let effects = update(&mut self.app, message);
            leave = self.carry_out(effects, screen)?.or(leave);
        }
        Ok(leave)
    }

    fn carry_out(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> Result<Option<Leave>> {
        let mut leave = None;
        for effect in effects {
            match effect {
                Effect::Want(wanted) => {
                    if let Some(worker) = &self.worker {
                        worker.wanted.send_replace(wanted);
                    }
                }
                Effect::Save(name) => self.save(&name),
                Effect::ListSessions => self.list_sessions(),
                Effect::Describe { name, note, tags } => self.describe(&name, &note, &tags),
                Effect::ReadThemes => {
                    self.app.themes = theme::all(self.options.themes.as_deref(), self.app.colours());
                }
                Effect::Keep { key, value } => self.keep(&key, &value),
                Effect::Mouse(mouse) => screen.listen(mouse).map_err(refused)?,
                Effect::Suspend => self.suspend(screen)?,
                Effect::Quit(how) => leave = Some(how),
            }
        }
        Ok(leave)
    }

    fn suspend(&mut self, screen: &mut Screen) -> Result<()> {
        if terminal::has_shell() {
            return screen.suspend(self.app.mouse).map_err(refused);
        }
        self.app.view.notice = Some(Notice::Refused("no shell started this, so none could bring it back".into()));
        Ok(())
    }

    fn keep(&mut self, key: &str, value: &str) {
        self.app.view.notice = Some(match (self.options.keep)(key, value) {
            Ok(path) => {
                settings::kept(&mut self.app, key, value);
                let origin = self.app.settings.iter().find(|s| s.key == key).map(|s| s.origin);
                let but = if origin == Some(Origin::Environment) { "; the environment comes before it" } else { "" };
                Notice::Done(format!("{key} = {value} saved to {}{but}", path.display()))
            }
            Err(e) => Notice::Refused(e.to_string()),
        });
    }

    /// Open the list of sessions.
    fn list_sessions(&mut self) {
        let listed = match &self.options.sessions {
            Some(store) => store.list(),
            None => Err(Error::Computation("there is no folder for sessions; set EIGENTOP_DATA_DIR".into())),
        };
        match listed {
            Ok(entries) => browser::open(&mut self.app, entries),
            Err(e) => self.app.view.notice = Some(Notice::Refused(e.to_string())),
        }
    }

    fn describe(&mut self, name: &str, note: &str, tags: &[String]) {
        let Some(store) = &self.options.sessions else { return };
        let written = store.path(name).and_then(|folder| Metadata::describe(&folder, note, tags));
        self.app.view.notice = Some(match written {
            Ok(()) => Notice::Done(format!("{name} is described anew")),
            Err(e) => Notice::Refused(e.to_string()),
        });
    }

    /// Read the session looked at, one at a time and aside, so that a long one holds nothing up.
    fn read_preview(&mut self, tell: &UnboundedSender<Read>) {
        let (None, Some(name), Some(store)) = (&self.reading, browser::awaited(&self.app), &self.options.sessions)
        else {
            return;
        };
        self.reading = Some(name.clone());
        let (store, tell) = (store.clone(), tell.clone());
        std::thread::spawn(move || {
            let readout = store.path(&name).and_then(|folder| session::read(&folder)).map(|s| s.readout());
            // A dashboard that has closed meanwhile does not care.
            let _ = tell.send((name, readout));
        });
    }

    fn save(&mut self, name: &str) {
        let saved = match &mut self.save {
            Some(save) => save(name),
            None => Err(Error::Computation("this run is not recorded, so there is nothing to save".into())),
        };
        self.app.view.notice = Some(match saved {
            Ok(path) => {
                let text = format!("saved to {}", path.display());
                self.app.name = Some(name.to_owned());
                self.saved = Some(path);
                Notice::Done(text)
            }
            Err(e) => Notice::Refused(e.to_string()),
        });
    }
}

/// The next events, at most a batch; never if there are none to come.
async fn next_events(events: &mut Option<UnboundedReceiver<Stamped>>, batch: &mut Vec<Stamped>) -> usize {
    match events {
        Some(events) => events.recv_many(batch, BATCH).await,
        None => std::future::pending().await,
    }
}
