//! The power check: whole runs of the worker where every figure is known in closed form, because losses are quadratic
//! in the parameters. What is exact must be exact, and what is drawn must lie within four standard errors.

mod full;
mod laws;
mod subspace;
mod truth;
#[path = "../worker/mod.rs"]
mod worker;
mod world;

use std::sync::OnceLock;

use eigentop::engine::knobs::{Exhibit, Knobs, Precision};
use eigentop::engine::readout::Readout;
use eigentop::math::stats::{Estimate, Interval};
use worker::Depth;

/// n of the runs.
const N: usize = 8;
/// Dimensions asked.
const KS: [usize; 3] = [1, 2, 4];
/// The largest of them.
const K: usize = KS[KS.len() - 1];
/// Standard deviations: the last one makes the model's curvature felt.
const SIGMAS: [f64; 3] = [1e-3, 1e-2, 1e-1];

fn knobs() -> Knobs {
    Knobs {
        n: N,
        ks: KS.to_vec(),
        sigmas: SIGMAS.to_vec(),
        tol: 1e-12,
        exhibits: Exhibit::ALL.into(),
        ..Knobs::default()
    }
}

/// One run with everything, for all tests.
fn readout() -> &'static Readout {
    static RUN: OnceLock<Readout> = OnceLock::new();
    RUN.get_or_init(|| worker::run(|| Ok(world::Bigrams), Precision::F64, knobs(), Depth::Everything))
}

/// Equal to 12 digits.
fn exact(what: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12 * want.abs(), "{what}: {got:e} is not {want:e}");
}

/// Equal to 10 digits of `whole`, of which the figure is the part on a basis: eigenvectors are known to rounding over the
/// gaps between eigenvalues, which are of the order of a hundredth.
fn part(what: &str, got: f64, want: f64, whole: f64) {
    assert!((got - want).abs() <= 1e-10 * whole, "{what}: {got:e} is not {want:e}, of {whole:e}");
}

/// An estimate without error.
fn sure(what: &str, got: Estimate, want: f64) {
    exact(what, got.mean, want);
    assert!(got.stderr <= 1e-12 * want.abs(), "{what}: an error of {:e} in what is exact, {want:e}", got.stderr);
}

/// Within four standard errors, which say something.
fn near(what: &str, got: Estimate, want: f64) {
    assert!(got.stderr > 0.0 && (got.mean - want).abs() <= 4.0 * got.stderr, "{what}: {got:?} against {want:e}");
}

/// Within twice the reach of a 95 % interval, which is open.
fn within(what: &str, got: Interval, want: f64) {
    let (below, above) = (got.value - got.low, got.high - got.value);
    let reach = got.value - 2.0 * below..=got.value + 2.0 * above;
    assert!(below + above > 0.0 && reach.contains(&want), "{what}: {got:?} against {want:e}");
}

/// The value of an interval that is exact and has no width.
fn closed(what: &str, got: Interval) -> f64 {
    assert!(got.high - got.low <= 1e-9 * got.value.abs(), "{what}: {got:?} is exact and has a width");
    got.value
}
