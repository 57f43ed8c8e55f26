//! Whether a run is recorded, and under which name.

use clap::Args;

use super::flags::Options;
use super::folders;
use super::values::Record;
use crate::engine::knobs::Knobs;
use crate::engine::source::Source;
use crate::error::{Error, Result};
use crate::session::{Naming, Origin, Recorder};

/// The session's name.
#[derive(Debug, Clone, Args)]
pub struct SessionFlag {
    /// Name of the recorded session [default: date, time and checkpoint].
    #[arg(long, value_name = "NAME")]
    session: Option<String>,
}

/// The recorder a run was asked to have.
///
/// # Errors
/// A session's name that cannot be used or is taken; no folder for sessions.
pub fn recorder(options: &Options, session: SessionFlag, knobs: &Knobs, source: &Source) -> Result<Option<Recorder>> {
    if options.record == Some(Record::Off) {
        return match session.session {
            Some(_) => {
                Err(Error::knob("--session", "a run that is not recorded (--record off) has no session to name"))
            }
            None => Ok(None),
        };
    }
    let naming = session.session.map_or(Naming::Automatic, Naming::Given);
    let memory = options.memory.map(|m| m.0);
    let recorder = Recorder::new(folders::sessions()?, naming, knobs.clone(), memory)?;
    recorder.set_origin(Origin { source: Some(source.absolute()?), branched_from: None });
    Ok(Some(recorder))
}
