//! The memory plan: how many bytes a run will hold, before the first product.

use super::knobs::Knobs;
use crate::diff::primitive::Batch;
use crate::diff::risk::{ROUND, Risk};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::spectrum::lanczos;

/// Bytes by purpose.
pub type Plan = Vec<(String, u64)>;

/// Bytes a run with these knobs will hold.
pub fn plan<T: Real>(risk: &Risk<T>, batch: &Batch, knobs: &Knobs) -> Plan {
    let vector = (risk.parameters() * size_of::<T>()) as u64;
    let sequences = (knobs.n + 1) as u64;
    let threads = rayon::current_num_threads() as u64;
    let columns = lanczos::columns(knobs.k(), risk.parameters()) as u64;
    vec![
        ("parameters".into(), 2 * vector),
        ("basis".into(), (columns + 2 + knobs.k() as u64) * vector),
        ("linearisation".into(), sequences * risk.graph().linearised_bytes(batch)),
        ("gradients".into(), sequences * vector),
        ("products".into(), sequences.min(ROUND as u64) * vector),
        ("scratch".into(), threads * (risk.graph().scratch_bytes(batch) + risk.graph().linearised_bytes(batch))),
    ]
}

/// Refuse a plan that does not fit.
///
/// # Errors
/// [`Error::Knob`] naming the bytes needed, the largest part and what would fit.
pub fn check(plan: &Plan, limit: Option<u64>) -> Result<()> {
    let Some(limit) = limit.or_else(available) else { return Ok(()) };
    let total: u64 = plan.iter().map(|(_, bytes)| bytes).sum();
    if total <= limit {
        return Ok(());
    }
    let (largest, bytes) = plan.iter().max_by_key(|(_, bytes)| *bytes).map_or(("", 0), |(p, b)| (p.as_str(), *b));
    Err(Error::knob(
        "--memory",
        format!(
            "this run needs {} ({} for the {largest}) but {} may be used; lower --n or --k, or allow --memory {}",
            human(total),
            human(bytes),
            human(limit),
            human(total)
        ),
    ))
}

/// Memory the system says is available, where it says so.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes in words, such as `1.5GiB`.
pub fn human(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{value:.1}{}", units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_does_not_fit_says_what_would() {
        let plan = vec![("basis".to_owned(), 3 << 30), ("parameters".to_owned(), 1 << 30)];
        assert!(check(&plan, Some(4 << 30)).is_ok());
        let message = check(&plan, Some(2 << 30)).unwrap_err().to_string();
        assert!(message.contains("4.0GiB (3.0GiB for the basis)") && message.contains("--memory 4.0GiB"), "{message}");
    }
}
