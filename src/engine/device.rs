//! Where a run computes: on the processor, or on a GPU that can be used.

use super::event::{Event, Level, WarningName};
use super::knobs::Knobs;
use super::memory::{human, solve_room};
use super::worker::Settings;
use crate::diff::cuda;
use crate::diff::risk::{Risk, Room};
use crate::error::{Error, Result};
use crate::math::array::Real;

/// The number of the GPU that a device's name stands for (`cuda:N`); `None` is the processor.
fn gpu(device: &str) -> Option<usize> {
    device.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok())
}

/// The same settings with a device that can be used, and what there is to tell of it. Where no GPU can be used it is the
/// processor.
///
/// # Errors
/// If this build knows no GPUs and one was asked for.
pub(super) fn usable(settings: &Settings) -> Result<(Settings, Option<Event>)> {
    let Some(ordinal) = gpu(&settings.device) else {
        return Ok((settings.clone(), None));
    };
    match cuda::describe(ordinal) {
        Ok((name, memory)) => {
            let text = format!("{} is {name} with {}", settings.device, human(memory));
            Ok((settings.clone(), Some(Event::Log { level: Level::Info, text })))
        }
        Err(error @ Error::Knob { .. }) => Err(error),
        Err(error) => {
            let message = format!("{} cannot be used, so the processor computes: {error}", settings.device);
            let warning = Event::Warning { name: WarningName::NoGpu, message };
            Ok((Settings { device: "cpu".to_owned(), ..settings.clone() }, Some(warning)))
        }
    }
}

/// A risk, moved to where the device's name says, with room there for the solves that these knobs ask for.
///
/// # Errors
/// A GPU that cannot be used, or is too small.
pub(super) fn placed<T: Real>(mut risk: Risk<T>, device: &str, solves: Option<&Knobs>) -> Result<Risk<T>> {
    if let Some(ordinal) = gpu(device) {
        let room = solves.map_or_else(Room::default, |knobs| solve_room(knobs, risk.parameters()));
        risk.use_gpu(ordinal, room)?;
    }
    Ok(risk)
}

/// What there is to say of the first GPU, for `doctor`: its name and memory, or why there is none.
pub fn report() -> std::result::Result<String, String> {
    cuda::describe(0).map(|(name, memory)| format!("cuda:0 {name}, {}", human(memory))).map_err(|e| e.to_string())
}
