//! The whole ladder, through the worker, against the golden numbers.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;

use eigentop::data::sequences::Sequences;
use eigentop::engine::event::{Event, Stage, Stamped};
use eigentop::engine::knobs::{Knobs, Method, Precision, SolverKind};
use eigentop::engine::problem::Problem;
use eigentop::engine::readout::{Readout, Standing, State};
use eigentop::engine::worker::{Run, Settings, Wanted, Worker, spawn};
use eigentop::math::stats::Estimate;
use eigentop::model::checkpoint::Checkpoint;
use serde_json::Value;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder(name).join("golden.json")).unwrap()).unwrap()
}

fn start(name: &'static str, precision: Precision, knobs: Knobs) -> (Worker, mpsc::Receiver<Stamped>) {
    let (send, receive) = mpsc::channel();
    let open = move || {
        let checkpoint = Checkpoint::open(&folder(name), None)?;
        let sequences = Sequences::from_tokens(&folder(name).join("tokens.json"), &checkpoint.config)?;
        Ok(Problem { checkpoint, sequences })
    };
    let settings = Settings { precision, device: "cpu".into(), threads: 2, memory: None };
    let sink = Box::new(move |e: &Stamped| {
        let _ = send.send(e.clone());
    });
    (spawn(open, settings, Wanted { knobs, run: Run::Going }, sink).unwrap(), receive)
}

/// Fold events until `until` holds.
fn fold(readout: &mut Readout, events: &mpsc::Receiver<Stamped>, until: impl Fn(&Readout, &Event) -> bool) {
    loop {
        let stamped = events.recv_timeout(Duration::from_secs(120)).expect("the worker went silent");
        readout.apply(&stamped);
        if let State::Failed(message) = &readout.state {
            panic!("{message}");
        }
        if until(readout, &stamped.event) {
            return;
        }
    }
}

/// How far a run is followed.
#[derive(Clone, Copy, PartialEq)]
enum Depth {
    /// Until the quadratic model on the subspace is known.
    Coefficients,
    /// Until all stages are complete.
    Everything,
}

fn run(name: &'static str, precision: Precision, knobs: Knobs, depth: Depth) -> Readout {
    let (worker, events) = start(name, precision, knobs);
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| match depth {
        Depth::Coefficients => r.quadratic().is_some(),
        Depth::Everything => r.state == State::Idle,
    });
    worker.stop();
    readout
}

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

fn golden_run(name: &'static str, precision: Precision, depth: Depth) {
    let tight = precision == Precision::F64;
    let sigmas = vec![1e-4, 1e-3, 1e-2, 3e-2];
    let knobs = Knobs { tol: if tight { 1e-10 } else { 1e-5 }, draws: 24, sigmas, ..Knobs::default() };
    let r = run(name, precision, knobs, depth);
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
            }
        }
    }
    close("‖b‖²", r.b_norm2[&8], number(&g["b_norm2"]), if tight { 1e-6 } else { 1e-4 });
    if tight {
        close("leakage", r.leakage.unwrap(), number(&g["leakage_16"]), 1e-4);
    }
    if depth == Depth::Everything {
        golden_estimates(&r, &g);
    }
}

/// What Monte Carlo and the sweeps add.
fn golden_estimates(r: &Readout, g: &Value) {
    let full = r.full_moments(8, 1e-3).unwrap();
    agree("Tr A", full.trace, estimate(&g["full_traces"]["trace_a"]));
    agree("‖A‖²", full.frob2, estimate(&g["full_traces"]["frob2_a"]));
    for row in g["full"].as_array().unwrap() {
        let got = r.full(number(&row["sigma"]));
        agree("J_full", got.mc.unwrap(), estimate(&row["mc"]));
        agree("J_full with control", got.mc_cv.unwrap(), estimate(&row["mc"]));
    }
    let points = r.proxy();
    for row in g["proxy"].as_array().unwrap() {
        let sigma = number(&row["sigma"]);
        if let Some(p) = points.iter().find(|p| (p.sigma / sigma - 1.0).abs() < 1e-9) {
            agree("proxy error", p.absolute, estimate(&row["abs_err"]));
        }
    }
    // The curves against n are there for every m, and the last m agrees with stage II.
    assert_eq!(r.coefficients.keys().copied().collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
    assert!((1..=8).all(|m| r.ratio_gm(m, 16, 1e-3).is_some()));
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
fn golden_values_of_a_in_f32() {
    golden_run("A", Precision::F32, Depth::Coefficients);
}

#[test]
fn golden_values_of_b_in_f32() {
    golden_run("B", Precision::F32, Depth::Coefficients);
}

#[test]
fn power_iteration_finds_the_same_pairs_and_keeps_the_former_solve() {
    let (worker, events) = start("A", Precision::F32, Knobs { draws: 2, ks: vec![1, 4], ..Knobs::default() });
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
    let (worker, events) = start("A", Precision::F32, Knobs { draws: 2, ..Knobs::default() });
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
    let (worker, events) = start("A", Precision::F32, Knobs { draws: 2, ks: vec![2], ..Knobs::default() });
    let mut readout = Readout::default();
    fold(&mut readout, &events, |r, _| r.state == State::Idle);
    worker.wanted.send_modify(|w| w.knobs.n = 99);
    fold(&mut readout, &events, |r, _| r.log.iter().any(|l| l.text.starts_with("--n: 99 needs 100 sequences")));
    assert_eq!(readout.knobs.n, 8);
    worker.stop();
}

#[test]
fn a_pause_holds_and_a_stop_ends() {
    let (worker, events) = start("A", Precision::F32, Knobs::default());
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
        "A",
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
    let (send, receive) = mpsc::channel::<Stamped>();
    let settings = Settings { precision: Precision::F32, device: "cpu".into(), threads: 1, memory: None };
    let sink = Box::new(move |e: &Stamped| {
        let _ = send.send(e.clone());
    });
    let wanted = Wanted { knobs: Knobs::default(), run: Run::Going };
    let worker = spawn(|| panic!("out of cheese"), settings, wanted, sink).unwrap();
    let failed = receive.iter().find_map(|e| match e.event {
        Event::Failed { message } => Some(message),
        _ => None,
    });
    assert!(failed.unwrap().contains("out of cheese"));
    worker.stop();
}

#[test]
fn a_loss_that_is_not_finite_names_its_sequence() {
    let (send, receive) = mpsc::channel::<Stamped>();
    let open = || {
        let mut checkpoint = Checkpoint::open(&folder("A"), None)?;
        let sequences = Sequences::from_tokens(&folder("A").join("tokens.json"), &checkpoint.config)?;
        checkpoint.parameters.iter_mut().for_each(|w| *w *= 1e30);
        Ok(Problem { checkpoint, sequences })
    };
    let settings = Settings { precision: Precision::F32, device: "cpu".into(), threads: 2, memory: None };
    let sink = Box::new(move |e: &Stamped| {
        let _ = send.send(e.clone());
    });
    let worker = spawn(open, settings, Wanted { knobs: Knobs::default(), run: Run::Going }, sink).unwrap();
    let failed = receive.iter().find_map(|e| match e.event {
        Event::Failed { message } => Some(message),
        _ => None,
    });
    let message = failed.unwrap();
    assert!(message.starts_with("the loss of sequence 1 is NaN at the checkpoint"), "{message}");
    worker.stop();
}
