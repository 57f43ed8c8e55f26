//! `eigentop growth` through the real program: its points against other ways to the same figures, and runs that were
//! stopped against runs that were not.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eigentop::data::sequences::Sequences;
use eigentop::engine::problem::Problem;
use eigentop::math::vector;
use eigentop::model::checkpoint::Checkpoint;
use program::Program;
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/A").join(name)
}

/// A command on fixture A's checkpoint and sequences in f64, to a tight tolerance.
fn on(command: &str, checkpoint: &Path, rest: &[&str]) -> Vec<String> {
    let (checkpoint, tokens) = (checkpoint.to_str().unwrap(), fixture("tokens.json"));
    let tokens = tokens.to_str().unwrap();
    let mut args = vec![command, "--checkpoint", checkpoint, "--tokens", tokens, "--precision", "f64"];
    args.extend(["--tol", "1e-7", "--sigma", "1e-3", "--format", "json"]);
    args.extend(rest);
    args.into_iter().map(str::to_owned).collect()
}

fn json(p: &Program, args: &[String]) -> Value {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = p.run(&args);
    assert!(matches!(said.status, 0 | 3), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

fn growth(p: &Program, rest: &[&str]) -> Value {
    json(p, &on("growth", &fixture(""), rest))
}

/// The points of a run without the seconds they took.
fn points(report: &Value) -> Vec<Value> {
    let mut points = report["points"].as_array().unwrap().clone();
    points.iter_mut().for_each(|point| point["seconds"] = Value::Null);
    points
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Whether two figures agree to a relative error.
#[track_caller]
fn agree(a: f64, b: f64, error: f64) {
    assert!((a - b).abs() <= error * a.abs().max(b.abs()), "{a} {b}");
}

/// A curve's value at n.
fn at(report: &Value, quantity: &str, k: Option<u64>, n: u64) -> f64 {
    let curves = report["curves"].as_array().unwrap().iter();
    let curve = curves.into_iter().find(|c| c["quantity"] == quantity && c["k"].as_u64() == k).unwrap();
    let points = curve["points"].as_array().unwrap();
    number(&points.iter().find(|p| p["at"].as_u64() == Some(n)).unwrap()["value"])
}

#[test]
fn one_pass_gives_every_n_what_a_run_at_that_n_measures() {
    let p = Program::new();
    let few = ["--n", "4", "--grid", "linear", "--points", "4", "--k", "1,2", "--probes", "2"];
    let report = growth(&p, &[&few[..], &["--next", "2"]].concat());
    let checkpoint = Checkpoint::open(&fixture(""), None).unwrap();
    let sequences = Sequences::from_tokens(&fixture("tokens.json"), &checkpoint.config).unwrap();
    let mut risk = Problem { checkpoint, sequences }.risk::<f64>(Arc::new(|| Ok(())));
    let losses = risk.linearise(0..6).unwrap();
    let points = points(&report);
    assert_eq!(points.iter().map(|point| number(&point["n"])).collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0]);
    for (n, point) in (1..=4).zip(&points) {
        let mean = losses[..n].iter().sum::<f64>() / n as f64;
        let gradient = risk.gradient(0..n).unwrap();
        agree(number(&point["loss"]), mean, 1e-12);
        agree(number(&point["grad_norm"]), vector::norm(&gradient), 1e-12);
        let next = point["next"].as_array().unwrap();
        assert_eq!(next.len(), 2);
        for (j, next) in next.iter().enumerate() {
            agree(number(&next["a"]), (losses[n + j] - mean) / (n + 1) as f64, 1e-10);
            let own = risk.gradient(n + j..n + j + 1).unwrap();
            let b = vector::distance(1.0, &gradient, &own) / (n + 1) as f64;
            agree(number(&next["b_norm2"]), b * b, 1e-10);
        }
        // J_1 is the mean over the next sequences.
        let a = next.iter().map(|next| number(&next["a"]).abs()).sum::<f64>() / 2.0;
        agree(at(&report, "j1", None, n as u64), a, 1e-12);
    }

    // The whole ladder at n = 3, from a start of its own, finds the same eigenspace and the same criteria.
    let measured = json(&p, &on("measure", &fixture(""), &["--n", "3", "--k", "1,2", "--draws", "2"]));
    let single = growth(&p, &few);
    for (ours, theirs) in numbers(&points[2]["values"]).iter().zip(numbers(&measured["eigenvalues"])) {
        agree(*ours, theirs, 1e-9);
    }
    for (i, k) in [1, 2].into_iter().enumerate() {
        agree(at(&single, "j_sub", Some(k), 3), number(&measured["subspace"][i]["j"][0]["gm"]), 1e-6);
    }
    agree(at(&single, "j1", None, 3), number(&measured["j1"]), 1e-12);

    // Each basis starts from the one before it, so the first alone has no overlap.
    let cosines: Vec<usize> = points.iter().map(|point| point["cosines"].as_array().unwrap().len()).collect();
    assert_eq!(cosines, [0, 2, 2, 2]);

    // On the frozen basis the largest n stands as before, the others on that basis, which nothing was solved for.
    let frozen = growth(&p, &[&few[..], &["--mode", "frozen"]].concat());
    agree(at(&frozen, "j_sub", Some(2), 4), at(&single, "j_sub", Some(2), 4), 1e-6);
    agree(at(&frozen, "j_full", None, 2), at(&single, "j_full", None, 2), 1e-12);
    for (frozen, own) in frozen["points"].as_array().unwrap().iter().zip(&points) {
        assert_eq!(number(&frozen["products"]), 0.0);
        // No basis holds more of the top than the eigenspace.
        assert!(numbers(&frozen["values"])[0] <= numbers(&own["values"])[0] * (1.0 + 1e-9));
    }
}

#[test]
fn a_killed_run_goes_on_to_the_same_digits() {
    let p = Program::new();
    let common = ["--n", "4", "--grid", "linear", "--points", "4", "--k", "2", "--directions", "1"];
    let training = ["--mode", "training", "--runs", "2", "--steps-per-sequence", "2"];
    for (name, mode) in [("fixed", &["--mode", "fixed", "--runs", "2"][..]), ("training", &training[..])] {
        let straight = points(&growth(&p, &[&common[..], mode].concat()));
        assert_eq!(straight.len(), 8);
        let killed = format!("killed-{name}");
        let args = on("growth", &fixture(""), &[&common[..], mode, &["--session", &killed]].concat());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut child = p.command(&args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let events = p.sessions().join(&killed).join("events.jsonl");
        let told = || fs::read_to_string(&events).map_or(0, |text| text.matches("\"growth\":{\"mode\"").count());
        let began = Instant::now();
        while told() < 2 {
            assert!(began.elapsed() < Duration::from_secs(300), "no second point");
            std::thread::sleep(Duration::from_millis(2));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(told() < 8, "it was complete before it could be killed");
        let resume = ["growth", "--resume", &killed, "--format", "json"].map(str::to_owned);
        assert_eq!(points(&json(&p, &resume)), straight, "{name}");
    }
}

#[test]
fn training_looks_at_the_same_checkpoints_however_far_it_goes() {
    let p = Program::new();
    let train = |n: &str, rest: &[&str]| {
        let common = ["--mode", "training", "--grid", "linear", "--points", n, "--n", n, "--k", "1", "--probes", "2"];
        let more = ["--steps-per-sequence", "2", "--directions", "0"];
        points(&growth(&p, &[&common[..], &more, rest].concat()))
    };
    let far = train("3", &["--runs", "2"]);
    assert_eq!(train("2", &["--threads", "1"]), far[..2]);
    let steps: Vec<f64> = far.iter().map(|point| number(&point["step"])).collect();
    assert_eq!(steps, [2.0, 4.0, 6.0, 2.0, 4.0, 6.0]);
    assert_eq!((far[0]["seed"].as_u64(), far[3]["seed"].as_u64()), (Some(0), Some(1)));
    assert_ne!(far[0]["loss"], far[3]["loss"]);
    // The paper's curriculum and descent on all of L_n part ways at the second sequence.
    let all = train("2", &["--learn", "all"]);
    assert_eq!(all[0], far[0]);
    assert_ne!(all[1]["loss"], far[1]["loss"]);
}

#[test]
fn saved_checkpoints_are_followed_step_by_step() {
    let p = Program::new();
    let folder = p.path("run");
    fs::create_dir(&folder).unwrap();
    for step in ["000100", "000300"] {
        for (name, end) in [("model", "pt"), ("meta", "json")] {
            let from = fixture("nanochat").join(format!("{name}_000300.{end}"));
            fs::copy(from, folder.join(format!("{name}_{step}.{end}"))).unwrap();
        }
    }
    let flags = ["--mode", "checkpoints", "--n", "2", "--k", "1", "--probes", "2", "--directions", "1"];
    let report = json(&p, &on("growth", &folder, &flags));
    let points = points(&report);
    assert_eq!(points.iter().map(|point| number(&point["step"])).collect::<Vec<_>>(), [100.0, 300.0]);
    // The same weights stand in the fixture's other file.
    let fixed = growth(&p, &["--n", "2", "--points", "1", "--k", "1", "--probes", "2"]);
    for (i, point) in points.iter().enumerate() {
        agree(number(&point["loss"]), number(&fixed["points"][0]["loss"]), 1e-12);
        agree(numbers(&point["values"])[0], numbers(&fixed["points"][0]["values"])[0], 1e-9);
        assert_eq!(point["cosines"].as_array().unwrap().len(), i);
        assert!(!point["proxy"].as_array().unwrap().is_empty());
    }
    // The second basis is the first again.
    agree(numbers(&points[1]["cosines"])[0], 1.0, 1e-9);
    let args = on("growth", &fixture(""), &flags);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    p.run(&args).refused(1, &["--checkpoint", "model_NNNNNN.pt"]);
}
