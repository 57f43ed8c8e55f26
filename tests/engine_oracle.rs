//! The whole ladder, through the worker, against the golden numbers.

mod worker;

use std::collections::BTreeSet;
use std::time::Duration;

use eigentop::criteria::quadratic::Moments;
use eigentop::engine::event::{Event, Stage};
use eigentop::engine::knobs::{Exhibit, Knobs, Method, Precision, SolverKind};
use eigentop::engine::problem::Problem;
use eigentop::engine::readout::{Readout, Standing, State};
use eigentop::engine::worker::Run;
use eigentop::error::Result;
use eigentop::math::stats::{Estimate, Interval};
use serde_json::Value;
use worker::{Depth, fixture, fold, golden, run, start};

fn number(v: &Value) -> f64 {
    v.as_f64().unwrap()
}

fn estimate(v: &Value) -> Estimate {
    Estimate { mean: number(&v["mean"]), stderr: number(&v["stderr"]), draws: 100 }
}

/// Two estimates agree within four combined standard errors.
fn agree(what: &str, got: Estimate, want: Estimate) {
    let error = got.stderr.hypot(want.stderr);
    assert!((got.mean - want.mean).abs() <= 4.0 * error, "{what}: {got:?} against {want:?}");
}

fn close(what: &str, got: f64, want: f64, tolerance: f64) {
    assert!((got - want).abs() <= tolerance * want.abs(), "{what}: {got} against {want}");
}

/// The knobs of a golden run.
fn golden_knobs(precision: Precision, depth: Depth) -> Knobs {
    Knobs {
        tol: if precision == Precision::F64 { 1e-10 } else { 1e-5 },
        draws: 24,
        sigmas: vec![1e-4, 1e-3, 1e-2, 3e-2],
        exhibits: match depth {
            Depth::Coefficients => BTreeSet::new(),
            Depth::Everything => BTreeSet::from([Exhibit::Traces, Exhibit::Shares]),
        },
        ..Knobs::default()
    }
}

fn golden_run(name: &'static str, precision: Precision, depth: Depth) {
    let tight = precision == Precision::F64;
    let r = run(fixture(name), precision, golden_knobs(precision, depth), depth);
    let g = golden(name);
    let e = r.eigenspace.as_ref().unwrap();
    let top = number(&g["eigenvalues"][0]);
    for (i, got) in e.values.iter().enumerate() {
        let want = number(&g["eigenvalues"][i]);
        let tolerance = if tight { 1e-7 } else { 1e-4 };
        assert!((got - want).abs() <= tolerance * top, "eigenvalue {i}: {got} {want}");
    }
    close("a", r.increment(8).unwrap(), number(&g["a"]), if tight { 1e-6 } else { 2e-3 });
    let q = r.quadratic().unwrap();
    for row in g["subspace"].as_array().unwrap() {
        let k = row["k"].as_u64().unwrap() as usize;
        if tight {
            close("‖c‖²", q.c_norm2(k), number(&row["c_norm2"]), 1e-6);
            close("Tr B", q.trace(k), number(&row["trace_b"]), 1e-6);
            close("‖B‖²", q.frob2(k), number(&row["frob2_b"]), 1e-6);
        }
        for j in row["j"].as_array().unwrap() {
            let sigma = number(&j["sigma"]);
            let got = r.subspace(k, sigma).unwrap();
            close("GM", got.gm.j(), number(&j["gm"]), if tight { 1e-6 } else { 1e-2 });
            if depth == Depth::Everything {
                agree("direct", got.direct.unwrap(), estimate(&j["direct"]));
                agree("control variate", got.direct_cv.unwrap(), estimate(&j["direct_cv"]));
                if sigma <= 1e-3 {
                    // What the control variate finds of the model's bias is of the order of σ² beside J.
                    close("GM and the control variate", got.direct_cv.unwrap().mean, got.gm.j(), 1e-5);
                }
            }
        }
    }
    close("‖b‖²", r.b_norm2[&8], number(&g["b_norm2"]), if tight { 1e-6 } else { 1e-4 });
    if tight {
        close("leakage", r.leakage.unwrap(), number(&g["leakage_16"]), 1e-4);
    }
    if depth == Depth::Everything {
        golden_in_full_space(&r, &g);
        golden_shares(&r, &g);
        golden_proxy(&r, &g);
        // The curves against n are there for every m, and the last m agrees with stage II.
        assert_eq!(r.coefficients.keys().copied().collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
        assert!((1..=8).all(|m| r.ratio_gm(m, 16, 1e-3).is_some()));
    }
}

/// The golden closed form of J_full and of the variance, with what its traces' errors make of them (dJ/dTr A = σ² mean,
/// dJ/d‖A‖² = ½σ⁴).
fn golden_moments(g: &Value, sigma: f64) -> (Estimate, Estimate) {
    let (trace, frob2) = (estimate(&g["full_traces"]["trace_a"]), estimate(&g["full_traces"]["frob2_a"]));
    let moments = Moments::of(number(&g["a"]), number(&g["b_norm2"]), trace.mean, frob2.mean, sigma);
    let of_frob2 = 0.5 * sigma.powi(4) * frob2.stderr;
    let of_trace = sigma * sigma * moments.mean * trace.stderr;
    let with = |mean, stderr| Estimate { mean, stderr, draws: frob2.draws };
    (with(moments.j(), of_trace.hypot(of_frob2)), with(moments.variance(), of_frob2))
}

/// Traces by plain probes and by the exhibit, the closed form with each, and Monte Carlo.
fn golden_in_full_space(r: &Readout, g: &Value) {
    let exhibit = r.exhibits.traces[&8];
    let probes = r.probed_traces(8).unwrap();
    for (how, (trace, frob2)) in [("probes", probes), ("XTrace", (exhibit.trace, exhibit.frob2))] {
        agree(&format!("Tr A by {how}"), trace, estimate(&g["full_traces"]["trace_a"]));
        agree(&format!("‖A‖² by {how}"), frob2, estimate(&g["full_traces"]["frob2_a"]));
    }
    // Knowing the basis pays: the same products, a smaller error.
    assert!(exhibit.frob2.stderr < probes.1.stderr, "{exhibit:?} {probes:?}");
    for row in g["full"].as_array().unwrap() {
        let sigma = number(&row["sigma"]);
        let got = r.full(sigma);
        let mc = estimate(&row["mc"]);
        agree("J_full", got.mc.unwrap(), mc);
        agree("J_full with control", got.mc_cv.unwrap(), mc);
        let full = r.full_moments(8, sigma).unwrap();
        let gm = Estimate { mean: full.moments.j(), stderr: full.j_stderr, draws: full.trace.draws };
        let (theirs, _) = golden_moments(g, sigma);
        close("the golden closed form", theirs.mean, number(&row["gm"]), 1e-12);
        agree("J_full in closed form", gm, theirs);
        if sigma <= 1e-3 {
            agree("J_full in closed form and by Monte Carlo", gm, mc);
            agree("J_full in closed form and with control", gm, got.mc_cv.unwrap());
        }
    }
}

/// The share by the closed form and by pick-freeze, where the model holds, against the golden closed form.
fn golden_shares(r: &Readout, g: &Value) {
    for row in g["subspace"].as_array().unwrap() {
        let k = row["k"].as_u64().unwrap() as usize;
        for sigma in [1e-4, 1e-3] {
            let (_, full) = golden_moments(g, sigma);
            let sub = Moments::of(0.0, number(&row["c_norm2"]), 0.0, number(&row["frob2_b"]), sigma).variance();
            let share = sub / full.mean;
            let want = Estimate { mean: share, stderr: share * full.stderr / full.mean, draws: full.draws };
            // Half of a 95 % interval is about two standard errors.
            let estimate = |i: Interval| Estimate { mean: i.value, stderr: (i.high - i.low) / 4.0, draws: 24 };
            agree("share", estimate(r.shares(8, k, sigma).unwrap().total), want);
            let plain = estimate(r.pick_freeze_plain(k, sigma).unwrap());
            agree("share by pick-freeze", plain, want);
            let controlled = estimate(r.pick_freeze_share(k, sigma).unwrap());
            agree("share by pick-freeze with control", controlled, want);
            assert!(controlled.stderr < 0.2 * plain.stderr, "k {k}, σ {sigma}: {controlled:?} {plain:?}");
        }
    }
}

fn golden_proxy(r: &Readout, g: &Value) {
    let points = r.proxy();
    for row in g["proxy"].as_array().unwrap() {
        let sigma = number(&row["sigma"]);
        let p = points.iter().find(|p| (p.sigma / sigma - 1.0).abs() < 1e-9).unwrap();
        agree("proxy error", p.absolute, estimate(&row["abs_err"]));
        agree("relative proxy error", p.relative, estimate(&row["rel_err"]));
    }
}

#[test]
fn golden_values_of_a_in_f64() {
    golden_run("A", Precision::F64, Depth::Everything);
}

#[test]
fn golden_values_of_b_in_f64() {
    golden_run("B", Precision::F64, Depth::Coefficients);
}

#[test]
#[ignore = "takes minutes"]
fn every_golden_value_of_b_in_f64() {
    golden_run("B", Precision::F64, Depth::Everything);
}

#[test]
fn golden_values_of_a_in_f32() {
    golden_run("A", Precision::F32, Depth::Coefficients);
}

#[test]
fn golden_values_of_b_in_f32() {
    golden_run("B", Precision::F32, Depth::Coefficients);
}

#[test]
fn power_iteration_finds_the_same_pairs_and_keeps_the_former_solve() {
    let (worker, events) = start(fixture("A"), Precision::F32, Knobs { draws: 2, ks: vec![1, 4], ..Knobs::default() });
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| r.eigenspace.is_some());
    let lanczos = readout.eigenspace.clone().unwrap();
    worker.wanted.send_modify(|w| w.knobs.solver = SolverKind::Power);
    fold(&mut readout, &events, |r, _| r.eigenspace.as_ref().is_some_and(|e| e.solver == SolverKind::Power));
    let power = readout.eigenspace.clone().unwrap();
    for (a, b) in lanczos.values.iter().zip(&power.values) {
        assert!((a - b).abs() < 1e-2 * lanczos.values[0], "{a} {b}");
    }
    assert!(power.products > lanczos.products);
    assert_eq!(readout.former.as_ref().unwrap().solver, SolverKind::Lanczos);
    worker.stop();
}

#[test]
fn a_moved_sigma_keeps_the_basis_and_a_moved_n_warm_starts() {
    let (worker, events) = start(fixture("A"), Precision::F32, Knobs { draws: 2, ..Knobs::default() });
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| r.state == State::Idle);
    let cold = readout.eigenspace.clone().unwrap();
    worker.wanted.send_modify(|w| w.knobs.set_sigma(2e-3));
    fold(&mut readout, &events, |r, e| matches!(e, Event::Idle) && r.knobs.sigma == 2e-3);
    assert_eq!(readout.eigenspace.as_ref().unwrap().basis, cold.basis);
    assert_eq!(readout.subspace(16, 2e-3).unwrap().direct.unwrap().draws, 2);
    // Back to a σ that has its draws: nothing is computed, everything is complete, and then there is silence.
    worker.wanted.send_modify(|w| w.knobs.set_sigma(1e-3));
    fold(&mut readout, &events, |r, e| matches!(e, Event::Idle) && r.knobs.sigma == 1e-3);
    let asked = Stage::ALL.into_iter().filter(|s| !matches!(s, Stage::Exhibits | Stage::Growth | Stage::Settle));
    assert!(asked.into_iter().all(|s| readout.standing(s) == Standing::Complete));
    std::thread::sleep(Duration::from_millis(200));
    assert!(events.try_recv().is_err(), "an idle worker is silent");
    worker.wanted.send_modify(|w| w.knobs.n = 7);
    fold(&mut readout, &events, |r, e| matches!(e, Event::Idle) && r.knobs.n == 7);
    let warm = readout.eigenspace.clone().unwrap();
    assert_eq!(warm.n, 7);
    assert!(warm.products < cold.products + 20, "{} {}", warm.products, cold.products);
    worker.stop();
}

#[test]
fn unusable_knobs_are_refused_and_the_run_goes_on() {
    let (worker, events) = start(fixture("A"), Precision::F32, Knobs { draws: 2, ks: vec![2], ..Knobs::default() });
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| r.state == State::Idle);
    worker.wanted.send_modify(|w| w.knobs.n = 99);
    fold(&mut readout, &events, |r, _| r.log.iter().any(|l| l.text.starts_with("--n: 99 needs 100 sequences")));
    assert_eq!(readout.knobs.n, 8);
    worker.stop();
}

#[test]
fn a_pause_holds_and_a_stop_ends() {
    let (worker, events) = start(fixture("A"), Precision::F32, Knobs::default());
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| r.solve.is_some());
    worker.wanted.send_modify(|w| w.run = Run::Paused);
    // What was under way may still report; after that, silence.
    std::thread::sleep(Duration::from_millis(300));
    while events.try_recv().is_ok() {}
    std::thread::sleep(Duration::from_millis(300));
    assert!(events.try_recv().is_err(), "a paused worker is silent");
    worker.wanted.send_modify(|w| w.run = Run::Going);
    fold(&mut readout, &events, |r, _| r.eigenspace.is_some());
    worker.stop();
}

#[test]
fn the_papers_method_runs_and_is_labelled() {
    let r = run(
        fixture("A"),
        Precision::F32,
        Knobs { method: Method::Paper, draws: 2, ks: vec![4], ..Knobs::default() },
        Depth::Everything,
    );
    let exact = golden("A")["subspace"][1]["frob2_b"].as_f64().unwrap();
    assert!(r.quadratic().unwrap().frob2(4) > 4.0 * exact, "the paper's B is inflated");
    assert!(r.warnings.keys().any(|w| *w == eigentop::engine::event::WarningName::PaperMethod));
    assert_eq!(r.here().unwrap().sphere.len(), 50);
}

#[test]
fn a_panic_on_the_worker_is_reported() {
    let message = failure(|| panic!("out of cheese"));
    assert!(message.contains("out of cheese"), "{message}");
}

#[test]
fn a_loss_that_is_not_finite_names_its_sequence() {
    let message = failure(|| {
        let mut problem = fixture("A")()?;
        problem.checkpoint.parameters.iter_mut().for_each(|w| *w *= 1e30);
        Ok(problem)
    });
    assert!(message.starts_with("the loss of sequence 1 is NaN at the checkpoint"), "{message}");
}

/// With what message a run fails.
fn failure(open: impl FnOnce() -> Result<Problem> + Send + 'static) -> String {
    let (worker, events) = start(open, Precision::F32, Knobs::default());
    let failed = events.iter().find_map(|e| match e.event {
        Event::Failed { message } => Some(message),
        _ => None,
    });
    worker.stop();
    failed.unwrap()
}
