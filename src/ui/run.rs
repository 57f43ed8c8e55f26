//! The loop: terminal input before data, data before drawing, and a frame only when something changed.

use std::path::PathBuf;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures::StreamExt;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use crate::engine::event::Stamped;
use crate::engine::knobs::Knobs;
use crate::engine::readout::Readout;
use crate::engine::worker::{Run, Worker};
use crate::error::{Error, Result};

use super::colour::{Choice, Colours};
use super::input::{self, Mouse};
use super::keymap::Keymap;
use super::playback::{Motion, Playback};
use super::plot::raster::Marker;
use super::screen::{self, Hits};
use super::settings::{self, Origin, Setting};
use super::state::{App, Feed, Notice, Pace};
use super::terminal::{self, Screen};
use super::theme::{self, Theme};
use super::update::{Effect, Leave, Message, pass, receive, update};

/// Shortest time between two frames: about 30 a second.
const FRAME: Duration = Duration::from_millis(33);

/// Most events folded before input is looked at again.
const BATCH: usize = 1024;

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
    },
    /// A recording.
    Replay {
        /// All events in order.
        events: Vec<Stamped>,
        /// Recorded seconds a second.
        speed: f64,
        /// The recording's name.
        name: String,
    },
}

/// Saves the running session under a name and says where.
pub type Save = Box<dyn FnMut(&str) -> Result<PathBuf>>;

/// Writes a key of the configuration file and says where.
pub type Keep = Box<dyn FnMut(&str, &str) -> Result<PathBuf>>;

/// What can be set about the dashboard.
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
    /// Saves the session; without it there is nothing to save.
    pub save: Option<Save>,
}

/// How the dashboard was left, for the summary on the normal screen.
#[derive(Debug)]
pub struct Outcome {
    /// All that was known at the end.
    pub readout: Readout,
    /// Complete or stopped.
    pub leave: Leave,
    /// The session's or recording's name.
    pub name: Option<String>,
    /// Where the session was saved last, if it was.
    pub saved: Option<PathBuf>,
}

/// Show the dashboard until the user leaves. A worker is stopped before this returns.
///
/// # Errors
/// If the terminal cannot be taken or written to. The terminal is given back first.
pub fn run(source: Source, options: Options) -> Result<Outcome> {
    let terminal = Colours::of_terminal();
    let theme = options.theme.clone().reduced(options.colour.of(terminal));
    let (mut app, worker, events) = match source {
        Source::Live { worker, events, name } => {
            let wanted = worker.wanted.borrow().clone();
            let pace = if wanted.run == Run::Paused { Pace::Paused } else { Pace::Going };
            (App::new(Feed::Live(pace), wanted.knobs, name, theme, options.marker), Some(worker), Some(events))
        }
        Source::Replay { events, speed, name } => {
            let feed = Feed::Replay(Playback::new(events, speed));
            (App::new(feed, Knobs::default(), Some(name), theme, options.marker), None, None)
        }
    };
    (app.colour, app.terminal) = (options.colour, terminal);
    app.themes = theme::all(options.themes.as_deref(), app.colours());
    app.keymap = options.keymap.clone();
    app.mouse = options.mouse;
    (app.settings, app.check_setting) = (options.settings.clone(), options.check_setting);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
    let mut dashboard = Dashboard { app, worker, options, hits: Hits::default(), saved: None };
    let left = runtime.block_on(dashboard.show(events));
    let Dashboard { app, worker, saved, .. } = dashboard;
    if let Some(worker) = worker {
        worker.stop();
    }
    Ok(Outcome { readout: app.readout, leave: left?, name: app.name, saved })
}

fn refused(source: std::io::Error) -> Error {
    Error::Computation(format!("the terminal cannot be used: {source}; try `eigentop measure`, which needs none"))
}

struct Dashboard {
    app: App,
    worker: Option<Worker>,
    options: Options,
    hits: Hits,
    saved: Option<PathBuf>,
}

impl Dashboard {
    async fn show(&mut self, mut events: Option<UnboundedReceiver<Stamped>>) -> Result<Leave> {
        let mut screen = Screen::take(self.options.mouse).map_err(refused)?;
        let mut input = EventStream::new();
        let mut batch = Vec::new();
        let mut due = Some(Instant::now());
        let mut shown = Instant::now() - FRAME;
        let mut ticked = Instant::now();
        let mut ended = std::pin::pin!(told_to_end());
        let mut jobs = Jobs::new();
        loop {
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
                    // A key is answered at once, whenever the last frame was.
                    due = Some(Instant::now());
                    self.press(&pressed, &mut screen)?
                }
                () = &mut ended => Some(Leave::Stopped),
                received = next_events(&mut events, &mut batch) => {
                    if received == 0 {
                        events = None;
                    }
                    due = due.or(Some(shown + FRAME));
                    let mut leave = None;
                    for stamped in batch.drain(..) {
                        let effects = receive(&mut self.app, &stamped);
                        leave = self.carry_out(effects, &mut screen)?.or(leave);
                    }
                    leave
                }
                () = tokio::time::sleep_until(ticked + FRAME), if playing => {
                    pass(&mut self.app, ticked.elapsed().as_secs_f64());
                    ticked = Instant::now();
                    due = due.or(Some(shown + FRAME));
                    None
                }
                () = tokio::time::sleep_until(due.unwrap_or(shown)), if due.is_some() => {
                    self.hits = screen.draw(|buffer| screen::draw(&self.app, buffer)).map_err(refused)?;
                    shown = Instant::now();
                    due = None;
                    None
                }
            };
            if let Some(leave) = leave {
                return Ok(leave);
            }
        }
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

    fn save(&mut self, name: &str) {
        let saved = match &mut self.options.save {
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

/// What a shell asks of a program it started.
enum Job {
    /// To stop for a while.
    Stop,
    /// To go on.
    Continue,
}

/// Requests to stop and go on, where the system has them.
struct Jobs {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Jobs {
    #[cfg(unix)]
    fn new() -> Jobs {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind: Signal| signal(SignalKind::from_raw(kind.as_raw()));
        let signals = listen(Signal::TSTP).and_then(|stop| Ok([stop, listen(Signal::CONT)?]));
        Jobs { signals: signals.ok() }
    }

    #[cfg(not(unix))]
    fn new() -> Jobs {
        Jobs {}
    }

    async fn next(&mut self) -> Job {
        #[cfg(unix)]
        if let Some([stop, go_on]) = &mut self.signals {
            return tokio::select! {
                _ = stop.recv() => Job::Stop,
                _ = go_on.recv() => Job::Continue,
            };
        }
        std::future::pending().await
    }
}

/// Resolves when the system asks the process to end (Ctrl-C from elsewhere, SIGTERM, SIGHUP).
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        // Without a handler nothing can be waited for; Ctrl-C as a key still works.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
