//! The worker: one background thread that climbs the ladder of stages and emits events.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::watch;

use super::climb::Climb;
use super::control::Control;
use super::device::{Place, placed, usable};
use super::emitter::Emitter;
use super::event::{Event, Stage, Stamped, Subject};
use super::knobs::{Knobs, Precision};
use super::memory;
use super::problem::Landscape;
use crate::diff::risk::{Interrupt, Risk};
use crate::error::{Error, Result};
use crate::math::array::Real;

/// Whether the worker should go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Compute.
    Going,
    /// Hold after the slice under way.
    Paused,
    /// Stop after the slice under way and end the thread.
    Stopping,
}

/// What the front end wants; the latest value wins.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// The knobs.
    pub knobs: Knobs,
    /// Whether to go on.
    pub run: Run,
}

/// What stays fixed for a whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Precision of values, derivatives and basis vectors.
    pub precision: Precision,
    /// Device, `cpu` or `cuda:N`.
    pub device: String,
    /// Threads; 0 means one per core.
    pub threads: usize,
    /// Memory that may be used, bytes; `None` means what the machine has.
    pub memory: Option<u64>,
}

/// Receives every event, in order, on the worker's thread: the recorder and the front end's channel.
pub type Sink = Box<dyn FnMut(&Stamped) + Send>;

/// A running worker.
pub struct Worker {
    /// Tell the worker what is wanted; the latest value wins.
    pub wanted: watch::Sender<Wanted>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Ask the worker to stop and wait until the slice under way is done.
    pub fn stop(self) {
        self.wanted.send_modify(|w| w.run = Run::Stopping);
        // A panic in the thread was already turned into an event; nothing is left to report.
        let _ = self.thread.join();
    }

    /// Whether the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Start the worker. `open` reads what is looked at on the worker's thread, so that the first frame need not wait for
/// it.
///
/// # Errors
/// If the system refuses a thread. Later errors, a panic among them, arrive as [`Event::Failed`].
pub fn spawn<L: Landscape + 'static>(
    open: impl FnOnce() -> Result<L> + Send + 'static,
    settings: Settings,
    wanted: Wanted,
    sink: Sink,
) -> Result<Worker> {
    thread(wanted, sink, move |emitter| work(open, &settings, emitter))
}

/// Start a worker that does `work` and nothing else.
///
/// # Errors
/// If the system refuses a thread.
pub(super) fn thread(wanted: Wanted, sink: Sink, work: impl FnOnce(Emitter) + Send + 'static) -> Result<Worker> {
    let (wanted, receiver) = watch::channel(wanted);
    let body = move || {
        let control = Arc::new(Control::new(receiver));
        let mouth = Arc::new(Mutex::new(sink));
        let speaker = mouth.clone();
        let sink: Sink = Box::new(move |stamped| (speaker.lock().unwrap_or_else(PoisonError::into_inner))(stamped));
        let emitter = Emitter::new(sink, control);
        let began = Instant::now();
        let run = AssertUnwindSafe(|| work(emitter));
        if let Err(panic) = catch_unwind(run) {
            let message = format!("the compute thread stopped on a defect: {}", panic_message(panic.as_ref()));
            let event = Stamped { t: began.elapsed().as_secs_f64(), event: Event::Failed { message } };
            (mouth.lock().unwrap_or_else(PoisonError::into_inner))(&event);
        }
    };
    let thread = std::thread::Builder::new()
        .name("compute".into())
        .spawn(body)
        .map_err(|e| Error::Computation(format!("the system refused the compute thread: {e}")))?;
    Ok(Worker { wanted, thread })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".into())
}

/// Open the landscape and climb until told to stop.
fn work<L: Landscape + 'static>(open: impl FnOnce() -> Result<L>, settings: &Settings, mut emitter: Emitter) {
    let (landscape, pool, place) = match opened(open, settings, &mut emitter, |_| Ok(())) {
        Ok(ready) => ready,
        Err(error) => return emitter.fail(&error),
    };
    emitter.complete();
    // Before anything is allocated: what is in use later is this run's own.
    let memory = memory::limit(settings.memory);
    let control = emitter.control.clone();
    let knobs = control.knobs();
    let interrupt: Interrupt = Arc::new(move || control.check());
    pool.install(|| match settings.precision {
        Precision::F32 | Precision::Tf32 => {
            climb(placed(landscape.single(interrupt), &place, Some(&knobs)), Box::new(landscape), emitter, memory)
        }
        Precision::F64 => {
            climb(placed(landscape.double(interrupt), &place, Some(&knobs)), Box::new(landscape), emitter, memory)
        }
    });
}

/// Read the landscape and make the threads; once the knobs and what else `check` looks at can be used, tell what is looked
/// at and by which knobs. The place returned is one that can be used.
pub(super) fn opened<L: Landscape>(
    open: impl FnOnce() -> Result<L>,
    settings: &Settings,
    emitter: &mut Emitter,
    check: impl FnOnce(&Subject) -> Result<()>,
) -> Result<(L, rayon::ThreadPool, Place)> {
    emitter.begin(Stage::Load, 1);
    let (settings, note) = usable(settings)?;
    let (landscape, pool) = (open()?, pool(&settings)?);
    let knobs = emitter.control.knobs();
    let subject = landscape.subject(&settings, pool.current_num_threads());
    check(&subject)?;
    knobs.check(subject.sequences, subject.parameters)?;
    emitter.emit(Event::Opened(subject));
    emitter.emit(Event::Knobs(knobs));
    landscape.notes().iter().for_each(|note| emitter.log(note.clone()));
    note.into_iter().for_each(|note| emitter.emit(note));
    Ok((landscape, pool, Place::of(&settings)))
}

fn climb<T: Real>(risk: Result<Risk<T>>, landscape: Box<dyn Landscape>, mut emitter: Emitter, memory: u64) {
    let mut climb = match risk {
        Ok(risk) => Climb::new(risk, landscape, emitter, memory),
        Err(error) => return emitter.fail(&error),
    };
    loop {
        match climb.ascend() {
            Ok(()) => climb.emitter.control.wait(),
            Err(Error::Cancelled) => {}
            Err(error) => {
                // Other knobs may work: say what went wrong and wait for them.
                climb.emitter.fail(&error);
                climb.emitter.control.wait();
            }
        }
        if climb.emitter.control.stopping() {
            return;
        }
    }
}

/// The threads of a run.
pub(super) fn pool(settings: &Settings) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(settings.threads)
        .thread_name(|i| format!("compute-{i}"))
        .build()
        .map_err(|e| Error::knob("--threads", format!("the system refused {} threads: {e}", settings.threads)))
}
