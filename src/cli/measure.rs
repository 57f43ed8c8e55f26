//! `eigentop measure`: the run of the dashboard without a screen.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use clap::Args;

use super::Outcome;
use super::config::Config;
use super::flags::{Options, SourceFlags};
use super::output::{self, OutputFlags};
use super::progress::{Progress, of_run};
use super::recording::{SessionFlag, recorder};
use crate::engine::event::Stamped;
use crate::engine::knobs::Knobs;
use crate::engine::probe;
use crate::engine::readout::{Readout, State};
use crate::engine::source::Source;
use crate::engine::worker::{self, Run, Settings, Sink, Wanted};
use crate::error::{Error, Result};
use crate::report::{self, Document};
use crate::session::Recorder;

/// How often a silent worker is asked whether it is still there.
const POLL: Duration = Duration::from_millis(200);

/// Flags of `eigentop measure`.
#[derive(Debug, Args)]
pub struct MeasureArgs {
    #[command(flatten)]
    source: SourceFlags,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    session: SessionFlag,
    #[command(flatten)]
    output: OutputFlags,
    /// Add one Hessian–vector product along v_i = sin(i), normalised, that another implementation can repeat.
    #[arg(long)]
    probe_hvp: bool,
    /// Print the name, shape and place of every parameter tensor in the flat vector, and compute nothing.
    #[arg(long, conflicts_with = "probe_hvp")]
    print_parameters: bool,
}

/// Run it.
///
/// # Errors
/// Whatever stopped the run, in the words of the worker.
pub fn run(args: MeasureArgs, config: &Config) -> Result<Outcome> {
    let source = args.source.source();
    if args.print_parameters {
        let layout = source.checkpoint()?.config.layout();
        output::write(&report::parameters(&layout, args.output.format), args.output.out.as_deref())?;
        return Ok(Outcome::Done);
    }
    let options = args.options.or(&config.0);
    let (knobs, settings) = (options.knobs(), options.settings());
    let recorder = recorder(&options, args.session, &knobs, &source)?;
    let n = knobs.n;
    let readout = fold(&source, settings.clone(), knobs, recorder.as_ref())?;
    let mut document = Document::of(&readout).ok_or_else(|| Error::Computation("nothing was opened".into()))?;
    if args.probe_hvp {
        document.probe = Some(probe::hvp(&source.open(n)?, n, &settings)?);
    }
    output::write(&report::render(&document, args.output.format), args.output.out.as_deref())?;
    Ok(Outcome::of(&document))
}

/// What reaches the front end while the worker computes.
enum Message {
    Event(Box<Stamped>),
    Interrupted,
}

/// Compute until all stages are complete, and fold what happens.
fn fold(source: &Source, settings: Settings, knobs: Knobs, recorder: Option<&Recorder>) -> Result<Readout> {
    let (send, receive) = mpsc::channel();
    interrupts(send.clone())?;
    let forward: Sink = Box::new(move |event| {
        // The front end may have left already; the recorder still gets what comes.
        let _ = send.send(Message::Event(Box::new(event.clone())));
    });
    let sink = match recorder {
        Some(recorder) => recorder.sink(forward),
        None => forward,
    };
    let (source, n) = (source.clone(), knobs.n);
    let worker = worker::spawn(move || source.open(n), settings, Wanted { knobs, run: Run::Going }, sink)?;

    let mut readout = Readout::default();
    let mut progress = Progress::new();
    let result = loop {
        match receive.recv_timeout(POLL) {
            Ok(Message::Event(event)) => readout.apply(&event),
            Ok(Message::Interrupted) => break Err(interrupted(recorder)),
            // Asked in this order, a last word said between the two is heard in the next round.
            Err(RecvTimeoutError::Timeout) if !worker.is_finished() => (),
            Err(_) => break Err(Error::Computation("the engine ended without a word; this is a defect".into())),
        }
        match &readout.state {
            State::Idle => break Ok(()),
            State::Failed(message) => break Err(Error::Computation(message.clone())),
            State::Loading | State::Running(_) => progress.show(|| of_run(&readout)),
        }
    };
    progress.clear();
    worker.stop();
    result.map(|()| readout)
}

fn interrupted(recorder: Option<&Recorder>) -> Error {
    Error::Computation(match recorder.and_then(Recorder::name) {
        Some(name) => format!("interrupted; what was computed is kept as session {name}"),
        None => "interrupted".to_owned(),
    })
}

/// Send a message for the first Ctrl-C, so that the run ends in good order; end at once at the second.
fn interrupts(send: Sender<Message>) -> Result<()> {
    let system = |e| Error::Computation(format!("the system refused to watch for Ctrl-C: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
    let watch = async move {
        if tokio::signal::ctrl_c().await.is_ok() && send.send(Message::Interrupted).is_ok() {
            // The slice under way is still computed; who asks again does not want to wait for it.
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(1);
            }
        }
    };
    std::thread::Builder::new().name("interrupts".into()).spawn(move || runtime.block_on(watch)).map_err(system)?;
    Ok(())
}
