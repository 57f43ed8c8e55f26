//! `eigentop settle` through the real program: what it claims of the checkpoint it writes holds for that checkpoint.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eigentop::data::sequences::Sequences;
use eigentop::engine::problem::Problem;
use eigentop::math::vector;
use eigentop::model::checkpoint::Checkpoint;
use program::{Program, Said};
use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/A").join(name)
}

/// Flags for the first two sequences of fixture A.
fn of_a<'a>(checkpoint: &'a str, tokens: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["settle", "--checkpoint", checkpoint, "--tokens", tokens, "--n", "2"];
    args.extend(rest);
    args
}

/// Settle fixture A with these flags.
fn settle(p: &Program, rest: &[&str]) -> Said {
    p.run(&of_a(fixture("").to_str().unwrap(), fixture("tokens.json").to_str().unwrap(), rest))
}

/// L_2 and ‖g^(2)‖ of a saved checkpoint on the sequences beside it, in f64.
fn at(folder: &Path, tokens: &Path) -> (f64, f64) {
    let checkpoint = Checkpoint::open(folder, None).unwrap();
    let sequences = Sequences::from_tokens(tokens, &checkpoint.config).unwrap();
    let mut risk = Problem { checkpoint, sequences }.risk::<f64>(Arc::new(|| Ok(())));
    let losses = risk.linearise(0..2).unwrap();
    (losses.iter().sum::<f64>() / 2.0, vector::norm(&risk.gradient(0..2).unwrap()))
}

fn numbers(steps: &Value, key: &str) -> Vec<f64> {
    steps.as_array().unwrap().iter().map(|step| step[key].as_f64().unwrap()).collect()
}

#[test]
fn the_settled_checkpoint_is_what_the_report_says_and_is_never_written_over_unasked() {
    let p = Program::new();
    let flags = ["--until", "0.1", "--to", "deep/settled", "--session", "one", "--format", "json"];
    let json = settle(&p, &flags).done();
    let report: Value = serde_json::from_str(&json).unwrap();
    let steps = &report["steps"];
    let (losses, norms) = (numbers(steps, "loss"), numbers(steps, "grad_norm"));
    assert_eq!((report["outcome"].as_str(), report["subject"]["precision"].as_str()), (Some("reached"), Some("f64")));
    assert!(losses.len() > 1 && losses.is_sorted_by(|a, b| a > b), "L_n never rises: {losses:?}");
    let (last_loss, last_norm) = (losses[losses.len() - 1], norms[norms.len() - 1]);
    assert!(last_norm <= 0.1 && norms[..norms.len() - 1].iter().all(|norm| *norm > 0.1), "{norms:?}");

    let start = at(&fixture(""), &fixture("tokens.json"));
    assert!((losses[0] - start.0).abs() < 1e-12 && (norms[0] - start.1).abs() < 1e-12);
    let folder = p.path("deep/settled");
    let end = at(&folder, &folder.join("tokens.json"));
    assert!((last_loss - end.0).abs() < 1e-12 && (last_norm - end.1).abs() < 1e-12, "{end:?}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);

    // A replay says the same, digit for digit.
    assert_eq!(p.run(&["replay", "one", "--headless", "--format", "json"]).done(), json);
    assert!(p.run(&["replay", "one", "--headless"]).done().contains("settled; ‖g^(2)‖"));

    let bytes = || fs::read(folder.join("model.safetensors")).unwrap();
    let before = bytes();
    settle(&p, &flags[..4]).refused(2, &["--to", "holds a checkpoint already", "--overwrite"]);
    assert_eq!(bytes(), before);
    // Another number of threads, the same digits.
    settle(&p, &["--until", "0.1", "--to", "deep/settled", "--overwrite", "--threads", "1"]).done();
    assert_eq!(bytes(), before);
}

#[test]
fn a_run_out_of_steps_says_how_far_it_came_and_is_in_doubt() {
    let p = Program::new();
    let said = settle(&p, &["--until", "1e-9", "--steps", "2", "--to", "s", "--precision", "f32"]);
    assert_eq!(said.status, 3, "{said:?}");
    for word in ["not settled: all steps are taken", "--steps", "w* did not settle", "(asked: 1e-9)", "f32 on cpu"] {
        assert!(said.out.contains(word), "{word:?} is not in {}", said.out);
    }
    let start = at(&fixture(""), &fixture("tokens.json")).0;
    assert!(at(&p.path("s"), &p.path("s/tokens.json")).0 < start);
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_written() {
    let p = Program::new();
    settle(&p, &["--until", "1e-3"]).refused(2, &["--to"]);
    settle(&p, &["--until", "0", "--to", "s"]).refused(2, &["--until"]);
    settle(&p, &["--products", "0", "--to", "s"]).refused(2, &["--products"]);
    fs::write(p.path("file"), "").unwrap();
    settle(&p, &["--to", "file"]).refused(2, &["--to", "file"]);
    let steps = fixture("nanochat");
    settle(&p, &["--to", steps.to_str().unwrap(), "--overwrite"]).refused(2, &["--to", "nanochat", "another folder"]);

    // Finite weights whose loss is not.
    let mut sick = Checkpoint::open(&fixture(""), None).unwrap();
    let layout = sick.config.layout();
    let range = layout.entries()[layout.find("transformer.h.0.mlp.c_fc.weight").unwrap()].range();
    sick.parameters[range].iter_mut().for_each(|x| *x *= 1e200);
    sick.save(&p.path("sick")).unwrap();
    let tokens = fixture("tokens.json");
    let args = of_a("sick", tokens.to_str().unwrap(), &["--to", "s"]);
    p.run(&args).refused(1, &["the loss of sequence 1 is NaN"]);
    assert!(!p.path("s").exists());
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_the_lowest_point_so_far() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture(""), fixture("tokens.json"));
    let rest = ["--until", "1e-300", "--steps", "1000000", "--to", "s", "--session", "cut"];
    let mut command = p.command(&of_a(checkpoint.to_str().unwrap(), tokens.to_str().unwrap(), &rest));
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let events = p.sessions().join("cut/events.jsonl");
    let began = Instant::now();
    while !fs::read_to_string(&events).is_ok_and(|text| text.contains("\"step\":2,")) {
        assert!(began.elapsed() < Duration::from_secs(120), "no second step");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = Said::of(child.wait_with_output().unwrap());
    said.refused(1, &["interrupted", "session cut", "s: stopped before it was settled"]);
    let settled = at(&p.path("s"), &p.path("s/tokens.json"));
    let json = p.run(&["replay", "cut", "--headless", "--format", "json"]);
    assert_eq!(json.status, 3, "{json:?}");
    let report: Value = serde_json::from_str(&json.out).unwrap();
    let losses = numbers(&report["steps"], "loss");
    assert_eq!(report["outcome"].as_str(), Some("stopped"));
    assert!((settled.0 - losses[losses.len() - 1]).abs() < 1e-12 && losses.len() >= 3);
}
