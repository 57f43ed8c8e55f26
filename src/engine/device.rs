//! Where a run computes: on the processor, or on a GPU that can be used.

use super::event::{Event, Level, WarningName};
use super::knobs::{Knobs, Precision};
use super::memory::{human, solve_room};
use super::worker::Settings;
use crate::diff::cuda;
use crate::diff::product::Products;
use crate::diff::risk::Risk;
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::space::Room;

/// The number of the GPU that a device's name stands for (`cuda:N`); `None` is the processor.
fn gpu(device: &str) -> Option<usize> {
    device.strip_prefix("cuda:").and_then(|ordinal| ordinal.parse().ok())
}

/// Where a run computes and how it multiplies there.
pub(super) struct Place {
    /// `None` is the processor.
    gpu: Option<usize>,
    products: Products,
}

impl Place {
    /// Where these settings say.
    pub(super) fn of(settings: &Settings) -> Place {
        let products = if settings.precision == Precision::Tf32 { Products::Tf32 } else { Products::Full };
        Place { gpu: gpu(&settings.device), products }
    }
}

/// The processor in place of a GPU, unless it is asked for what it cannot do.
///
/// # Errors
/// If products are to be TF32's; `why` says what there is to say of a GPU.
fn processor(settings: &Settings, why: &str) -> Result<Settings> {
    match settings.precision {
        Precision::Tf32 => {
            let what = "tf32 is how a GPU multiplies, and the processor would compute";
            Err(Error::knob(
                "--precision",
                format!("{what}{why}; use --precision f32, or a --device cuda:N that works"),
            ))
        }
        Precision::F32 | Precision::F64 => Ok(Settings { device: "cpu".to_owned(), ..settings.clone() }),
    }
}

/// The same settings with a device that can be used, and what there is to tell of it. Where no GPU can be used it is the
/// processor.
///
/// # Errors
/// If this build knows no GPUs and one was asked for; if TF32 is asked of the processor.
pub(super) fn usable(settings: &Settings) -> Result<(Settings, Option<Event>)> {
    let Some(ordinal) = gpu(&settings.device) else {
        return Ok((processor(settings, "")?, None));
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
            Ok((processor(settings, &format!(": {error}"))?, Some(warning)))
        }
    }
}

/// A risk, moved to its place, with room there for the solves that these knobs ask for.
///
/// # Errors
/// A GPU that cannot be used, or is too small.
pub(super) fn placed<T: Real>(mut risk: Risk<T>, place: &Place, solves: Option<&Knobs>) -> Result<Risk<T>> {
    if let Some(ordinal) = place.gpu {
        let room = solves.map_or_else(Room::default, |knobs| solve_room(knobs, risk.parameters()));
        risk.use_gpu(ordinal, place.products, room)?;
    }
    Ok(risk)
}

/// What there is to say of the first GPU, for `doctor`: its name and memory, or why there is none.
pub fn report() -> std::result::Result<String, String> {
    cuda::describe(0).map(|(name, memory)| format!("cuda:0 {name}, {}", human(memory))).map_err(|e| e.to_string())
}
