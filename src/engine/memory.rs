//! The memory plan: what a run will hold, before the first product, and what gives way when it would not fit.
//!
//! Two things can give way without changing what is computed: sequences that do not keep their linearisation are
//! linearised anew for every product, and an eigensolver with fewer columns restarts more often. Columns are cut down to
//! what a solver needs to run smoothly first, then linearisations, then columns to the least it can do with.
//!
//! On a GPU Lanczos has its columns there, and linearisations lie there too. Columns that a solver needs to run smoothly
//! come first, then linearisations, then further columns in what is left. Where not even the first find
//! room, the rest of them lies on the host: restarts that come too soon would cost more.

use super::hessian::block;
use super::knobs::{Knobs, Law, Method, SolverKind};
use crate::diff::risk::{ROUND, Risk};
use crate::error::{Error, Result};
use crate::math::array::Real;
use crate::math::space::Room;
use crate::spectrum::{lanczos, lobpcg};

/// What a run will hold and how it makes do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Bytes by purpose.
    pub parts: Vec<(String, u64)>,
    /// Sequences that keep their linearisation, of n + 1.
    pub kept: usize,
    /// Columns the eigensolver may hold.
    pub columns: usize,
    /// How many of them lie in a device's memory, if the eigensolver works there.
    pub on_device: Option<usize>,
}

/// Vectors of P elements that the later stages work with once the solver's columns are gone: a direction and the points
/// along it, or images and sums in f64.
const VECTORS: usize = 7;

/// Columns of a solve.
struct Columns {
    /// Fewest it can do with.
    least: usize,
    /// Fewest it does well with.
    smooth: usize,
    /// As many as it has a use for.
    most: usize,
}

impl Columns {
    fn of(knobs: &Knobs, dim: usize) -> Columns {
        let (k, exactly) = (knobs.k(), |columns| (columns, columns, columns));
        let lanczos = || {
            let Columns { least, smooth, most } = Columns::of_lanczos(knobs, dim);
            (least, smooth, most)
        };
        let (least, smooth, most) = match (knobs.law, knobs.method, knobs.solver) {
            (Law::Random | Law::Gradients | Law::Increment, ..) => exactly(2 * k),
            (Law::Deformation, ..) => lanczos(),
            (_, Method::Paper, _) => exactly(3 * k),
            (.., SolverKind::Power) => exactly(6 * k),
            (.., SolverKind::Lobpcg) => exactly(lobpcg::columns(k, dim)),
            (.., SolverKind::Lanczos) => lanczos(),
        };
        // Exhibits run Lanczos of their own, whatever found the basis.
        let beside = if knobs.exhibits.is_empty() { (0, 0, 0) } else { lanczos() };
        let (least, smooth, most) = (least.max(beside.0), smooth.max(beside.1), most.max(beside.2));
        Columns { least, smooth: smooth.min(most), most }
    }

    fn of_lanczos(knobs: &Knobs, dim: usize) -> Columns {
        let (k, most) = (knobs.k(), lanczos::columns(knobs.k(), dim));
        let least = lanczos::fewest_columns(k, block(knobs.n), dim);
        Columns { least, smooth: (least + (k / 4).max(2)).min(most), most }
    }
}

/// Whether the basis that the knobs ask for is found by Lanczos.
fn by_lanczos(knobs: &Knobs) -> bool {
    match (knobs.law, knobs.method, knobs.solver) {
        (Law::Random | Law::Gradients | Law::Increment, ..) => false,
        (Law::Deformation, ..) => true,
        (_, method, solver) => (method, solver) == (Method::Exact, SolverKind::Lanczos),
    }
}

/// What a device should have room for beside linearisations: what a solve by Lanczos needs to run smoothly, if there is
/// to be one.
pub(super) fn solve_room(knobs: &Knobs, dim: usize) -> Room {
    if !by_lanczos(knobs) && knobs.exhibits.is_empty() {
        return Room::default();
    }
    let beside = match knobs.law {
        // One vector more for the difference of two products.
        Law::Deformation => lanczos::vectors_beside(1) + 1,
        _ => lanczos::vectors_beside(block(knobs.n)),
    };
    Room { columns: Columns::of_lanczos(knobs, dim).smooth, beside }
}

/// How many of so many columns, from none to as many as can be, a solve with these knobs has on a device; `None` if it works
/// on the host.
fn on_device<T: Real>(risk: &Risk<T>, knobs: &Knobs, columns: &Columns) -> Result<Option<Vec<usize>>> {
    let Some(there) = risk.on_device().filter(|_| by_lanczos(knobs)) else { return Ok(None) };
    let room = solve_room(knobs, risk.parameters());
    let fitting = (0..=columns.most).map(|columns| there.fitting(Room { columns, ..room }));
    let fitting: Vec<usize> = fitting.map_while(Result::transpose).collect::<Result<_>>()?;
    Ok(Some(fitting).filter(|f| f.len() > columns.smooth))
}

/// Plan a run with these knobs within `limit` bytes.
///
/// # Errors
/// [`Error::Knob`] naming the bytes needed, the largest part and the smallest setting that would fit.
pub fn plan<T: Real>(risk: &Risk<T>, knobs: &Knobs, limit: u64) -> Result<Plan> {
    let (dim, sequences) = (risk.parameters(), knobs.n + 1);
    let vector = (dim * size_of::<T>()) as u64;
    let (linearised, share) = risk.sequence_bytes(0..sequences);
    let (batch, graph) = (&risk.batches()[0], risk.graph());
    let threads = rayon::current_num_threads() as u64;
    // Values in the other precision are needed once, for the rounding floor: at most twice as wide.
    let scratch = threads * (graph.scratch_bytes(batch) + 3 * graph.value_bytes(batch));
    let mut columns = Columns::of(knobs, dim);
    let there = on_device(risk, knobs, &columns)?;
    if let Some(there) = &there {
        let all = (0..there.len()).rfind(|&columns| there[columns] == columns).unwrap_or(0);
        columns.most = columns.most.min(all.max(columns.smooth));
    }
    let elsewhere = |columns: usize| match &there {
        // Exhibits hold as many vectors of their own on the host.
        Some(there) if knobs.exhibits.is_empty() => there[columns],
        _ => 0,
    };
    let sizes = Sizes {
        fixed: vec![
            ("parameters", vector + (dim * size_of::<f64>()) as u64),
            ("products", ROUND.min(sequences) as u64 * share),
            ("scratch", scratch),
        ],
        // A basis that is at hand stays while its successor is sought.
        basis: |columns: usize| ((columns - elsewhere(columns)).max(VECTORS) + knobs.k() + 3) as u64 * vector,
        linearised,
        occasional: threads * linearised,
    };
    let plan = fit(&sizes, &columns, sequences, limit)?;
    Ok(Plan { on_device: there.map(|there| there[plan.columns]), ..plan })
}

/// Bytes of the parts of a run.
struct Sizes<F> {
    fixed: Vec<(&'static str, u64)>,
    basis: F,
    /// One sequence's linearisation, kept.
    linearised: u64,
    /// Linearisations made for the occasion, if not all are kept.
    occasional: u64,
}

fn fit(sizes: &Sizes<impl Fn(usize) -> u64>, columns: &Columns, sequences: usize, limit: u64) -> Result<Plan> {
    let fixed: u64 = sizes.fixed.iter().map(|(_, bytes)| bytes).sum();
    let linearisations = |kept: usize| {
        let occasional = if kept < sequences { sizes.occasional } else { 0 };
        kept as u64 * sizes.linearised + occasional
    };
    let parts = |kept, columns| {
        let fixed = sizes.fixed.iter().map(|(what, bytes)| ((*what).to_owned(), *bytes));
        let chosen = [("linearisation", linearisations(kept)), ("basis", (sizes.basis)(columns))];
        fixed.chain(chosen.map(|(what, bytes)| (what.to_owned(), bytes))).collect::<Vec<_>>()
    };
    let fits = |kept, columns| fixed + linearisations(kept) + (sizes.basis)(columns) <= limit;
    let fewest = if linearisations(0) < linearisations(sequences) { 0 } else { sequences };
    let Some(modest) = (columns.least..=columns.smooth).rev().find(|&c| fits(fewest, c)) else {
        return Err(refusal(&parts(fewest, columns.least), limit));
    };
    let kept = (0..=sequences).rev().find(|&kept| fits(kept, modest)).unwrap_or(fewest);
    let columns = (modest..=columns.most).rev().find(|&c| fits(kept, c)).unwrap_or(modest);
    Ok(Plan { parts: parts(kept, columns), kept, columns, on_device: None })
}

/// The error of a run that does not fit even if everything gives way.
fn refusal(parts: &[(String, u64)], limit: u64) -> Error {
    let total: u64 = parts.iter().map(|(_, bytes)| bytes).sum();
    let (largest, bytes) = parts.iter().max_by_key(|(_, bytes)| *bytes).map_or(("", 0), |(p, b)| (p.as_str(), *b));
    Error::knob(
        "--memory",
        format!(
            "this run needs at least {} ({} for the {largest}) but {} may be used; lower --n or --k, or allow --memory {}",
            human(total),
            human(bytes),
            human(limit),
            human(total)
        ),
    )
}

/// Bytes that a run may hold that was allowed `asked`, or what the machine has.
pub(super) fn limit(asked: Option<u64>) -> u64 {
    asked.or_else(available).unwrap_or(u64::MAX)
}

/// Memory the system says is available, where it says so.
pub fn available() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemAvailable:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes in words, such as `1.5GiB`, never less than they are.
pub fn human(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes}B") } else { format!("{:.1}{}", (value * 10.0).ceil() / 10.0, units[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns = Columns { least: 6, smooth: 10, most: 24 };

    fn fitted(limit: u64) -> Result<Plan> {
        let basis = |columns| columns as u64 * 100;
        let sizes = Sizes { fixed: vec![("parameters", 1000)], basis, linearised: 200, occasional: 400 };
        fit(&sizes, &COLUMNS, 5, limit)
    }

    #[test]
    fn columns_then_linearisations_then_columns_give_way() {
        let made = |limit| fitted(limit).map(|p| (p.kept, p.columns)).unwrap();
        // Everything: 1000 + 5·200 + 24·100.
        assert_eq!(made(4400), (5, 24));
        assert_eq!(made(4399), (5, 23));
        assert_eq!(made(3000), (5, 10));
        // Two of five kept: 1000 + 400 + 2·200 + 10·100.
        assert_eq!(made(2999), (2, 11));
        assert_eq!(made(2400), (0, 10));
        assert_eq!(made(2000), (0, 6));
        for limit in 2000..4400 {
            let total: u64 = fitted(limit).unwrap().parts.iter().map(|(_, bytes)| bytes).sum();
            assert!(total <= limit);
        }
    }

    #[test]
    fn a_run_that_cannot_fit_says_what_would() {
        let message = fitted(1999).unwrap_err().to_string();
        assert!(message.contains("at least 2.0KiB (1000B for the parameters)"), "{message}");
        assert!(message.contains("--memory 2.0KiB"), "{message}");
        assert_eq!(human((5 << 30) + 1), "5.1GiB");
    }
}
