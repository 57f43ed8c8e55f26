//! `eigentop measure` and `eigentop bench` through the real program, engine included: their documents, against the oracle
//! where it has the figures, what is recorded, what is refused, and what a signal leaves behind.

mod program;

use std::path::Path;

use program::Program;
use serde_json::Value;

/// Flags of a run that takes a fraction of a second.
const QUICK: [&str; 8] = ["--n", "2", "--k", "2", "--sigma", "1e-3", "--draws", "2"];

fn fixture(file: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/A").join(file).to_str().unwrap().to_owned()
}

fn measure<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["measure"], &QUICK[..], more].concat()
}

#[test]
fn the_document_is_the_oracles_and_the_session_replays_it() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("."), fixture("tokens.json"));
    let said = p.run(&[
        "measure",
        "--checkpoint",
        &checkpoint,
        "--tokens",
        &tokens,
        "--precision",
        "f64",
        "--k",
        "1,4",
        "--draws",
        "4",
        "--sigma",
        "1e-3",
        "--probe-hvp",
        "--session",
        "oracle",
        "--format",
        "json",
    ]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(fixture("golden.json")).unwrap()).unwrap();
    let caveats = ["far-from-minimiser", "paper-method", "torn-session"];
    let mut warnings = document["warnings"].as_array().unwrap().iter();
    let doubt = warnings.any(|w| !caveats.contains(&w["name"].as_str().unwrap()));
    assert_eq!(said.status, if doubt { 3 } else { 0 }, "{}", said.err);

    let close = |found: &Value, expected: &Value, relative: f64| {
        let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
        assert!((found - expected).abs() <= relative * expected.abs(), "{found} is not {expected}");
    };
    for key in ["parameters", "n", "config"] {
        assert_eq!(document[key], golden[key], "{key}");
    }
    for (found, expected) in document["losses"].as_array().unwrap().iter().zip(golden["losses"].as_array().unwrap()) {
        close(found, expected, 1e-10);
    }
    for key in ["loss_n", "loss_n1", "a", "j1", "grad_norm", "b_norm2", "hvp_norm", "vHv"] {
        close(&document[key], &golden[key], 1e-8);
    }
    let norms = document["tensor_norms"].as_array().unwrap().iter().zip(golden["tensor_norms"].as_array().unwrap());
    for (found, expected) in norms {
        assert_eq!(found["name"], expected["name"]);
        for (key, whole) in [("grad", "grad_norm"), ("hvp", "hvp_norm")] {
            // Some tensors' parts cancel to nothing but rounding, so the whole is the measure.
            let error = found[key].as_f64().unwrap() - expected[key].as_f64().unwrap();
            assert!(error.abs() <= 1e-8 * golden[whole].as_f64().unwrap(), "{found} is not {expected}");
        }
    }
    close(&document["eigenvalues"][0], &golden["eigenvalues"][0], 1e-5);
    assert_eq!(document["subspace"].as_array().unwrap().len(), 2);

    // The probe is no part of the run; everything else comes back from the session.
    let replayed = p.run(&["replay", "oracle", "--headless", "--format", "json"]);
    let mut expected = document.clone();
    for key in ["hvp_norm", "vHv", "tensor_norms"] {
        expected.as_object_mut().unwrap().remove(key);
    }
    assert_eq!(serde_json::from_str::<Value>(&replayed.out).unwrap(), expected);
    assert_eq!(replayed.status, said.status);

    let svg = p.path("board.svg");
    p.run(&["replay", "oracle", "--picture", svg.to_str().unwrap(), "--size", "100x30", "--theme", "light"]).done();
    assert!(std::fs::read_to_string(svg).unwrap().starts_with("<svg"));
    p.run(&["replay", "oracle", "--picture", "x.svg", "--theme", "plaid"]).refused(2, &["--theme", "plaid", "dark"]);
}

#[test]
fn every_exhibit_is_measured_told_and_replayed() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("."), fixture("tokens.json"));
    let source = ["--checkpoint", checkpoint.as_str(), "--tokens", &tokens, "--precision", "f64"];
    let knobs = ["--n", "3", "--k", "1,2", "--sigma", "1e-3,1e-2", "--draws", "8", "--exhibits", "all"];
    let said = p.run(&[&["measure"], &source[..], &knobs[..], &["--session", "all", "--format", "json"]].concat());
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let (e, n1) = (&document["exhibits"], 4.0);
    let number = |v: &Value| v.as_f64().unwrap_or_else(|| panic!("{v} is no number"));
    let near = |found: &Value, expected: f64, relative: f64| {
        assert!((number(found) - expected).abs() <= relative * expected.abs(), "{found} is not {expected}");
    };
    let list = |key: &str| e[key].as_array().unwrap().clone();
    let sub = |k: &Value, sigma: &Value| -> Value {
        let of_k = document["subspace"].as_array().unwrap().iter().find(|s| s["k"] == *k).unwrap();
        of_k["j"].as_array().unwrap().iter().find(|j| j["sigma"] == *sigma).unwrap().clone()
    };

    // Two estimators of the same traces, by other products.
    for key in ["trace_a", "frob2_a"] {
        let (own, plain) = (&e["traces"][key], &e["traces"]["plain"][key]);
        let stderr = number(&own["stderr"]).hypot(number(&plain["stderr"]));
        assert!((number(&own["mean"]) - number(&plain["mean"])).abs() < 5.0 * stderr, "{key}: {own} {plain}");
    }
    let column = |key: &str| -> Vec<f64> { e["density"][key].as_array().unwrap().iter().map(number).collect() };
    let (x, density) = (column("x"), column("mean"));
    let area: f64 = x.windows(2).zip(density.windows(2)).map(|(x, y)| 0.5 * (x[1] - x[0]) * (y[0] + y[1])).sum();
    assert!((area - 1.0).abs() < 0.02, "{area}");

    // Seven laws at two k and two σ; the one in force is the subspace of the run.
    let laws = list("laws");
    assert_eq!(laws.len(), 7 * 4);
    for law in &laws {
        let within = |key: &str, most: f64| (0.0..=most).contains(&number(&law[key]["value"]));
        assert!(within("share", 1.5) && within("curvature_share", 1.5), "{law}");
        if law["law"] == "top" {
            near(&law["j"], number(&sub(&law["k"], &law["sigma"])["gm"]), 1e-12);
        }
        if law["law"] == "increment" {
            near(&law["gradient_share"], 1.0, 1e-9);
        }
    }
    for share in list("shares") {
        assert_eq!(share["pairs"], 8);
        assert!(number(&share["pick_freeze"]["low"]) <= number(&share["quadratic"]["high"]), "{share}");
        assert!(number(&share["quadratic"]["low"]) <= number(&share["pick_freeze"]["high"]), "{share}");
    }
    assert_eq!((list("shares").len(), list("gap").len(), list("corollary4").len()), (4, 4, 4));

    let losses: Vec<f64> = document["losses"].as_array().unwrap()[..4].iter().map(number).collect();
    let constants = &e["theory"]["constants"];
    near(&constants["loss"], losses.iter().copied().fold(0.0, f64::max), 1e-12);
    assert!(number(&constants["curvature"]) >= number(&document["eigenvalues"][0]));
    for bound in e["theory"]["bounds"].as_array().unwrap() {
        assert!(number(&bound["slack"]) > 1.0, "{bound}");
        if bound["n"] == 3 {
            near(&bound["measured"], number(&sub(&bound["k"], &bound["sigma"])["gm"]), 1e-12);
            near(&bound["loss"], 12.0 * number(&constants["loss"]).powi(2) / (n1 * n1), 1e-12);
        }
    }
    assert_eq!(e["proposition3"]["increments"].as_array().unwrap().len(), 2);

    // Growth at 1, 2 and 3; its last point stands where the run does.
    let checkpoints = e["growth"]["checkpoints"].as_array().unwrap();
    assert_eq!(checkpoints.iter().map(|c| c["n"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2, 3]);
    near(&checkpoints[2]["grad_norm"], number(&document["grad_norm"]), 1e-9);
    assert!(checkpoints[1]["angles"].as_array().unwrap().len() == 2 && checkpoints[0]["overlap"].is_null());
    for curve in e["growth"]["curves"].as_array().unwrap() {
        let last = curve["points"].as_array().unwrap().last().unwrap();
        match curve["quantity"].as_str().unwrap() {
            "j1" => near(&last["value"], number(&document["j1"]), 1e-9),
            "c_j1" => near(&last["value"], n1 * number(&document["j1"]), 1e-9),
            "j_sub" => near(&last["value"], number(&sub(&curve["k"], &curve["sigma"])["gm"]), 1e-6),
            _ => (),
        }
    }
    assert_eq!(e["growth"]["rates"].as_array().unwrap().len(), 1 + 2 + 4);

    let replayed = p.run(&["replay", "all", "--headless", "--format", "json"]);
    assert_eq!(serde_json::from_str::<Value>(&replayed.out).unwrap(), document);
    assert_eq!(replayed.status, said.status);
}

#[test]
fn growth_lists_its_warnings_and_ends_with_their_status() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("."), fixture("tokens.json"));
    let source = ["--checkpoint", checkpoint.as_str(), "--tokens", &tokens];
    let flags = ["--n", "4", "--points", "2", "--k", "1", "--sigma", "1e-3", "--probes", "2", "--format", "json"];
    let said = p.run(&[&["growth"], &source[..], &flags[..]].concat());
    let document: Value = serde_json::from_str(&said.out).unwrap();
    for key in ["subject", "plan", "seed", "mode", "ks", "sigmas", "rates", "curves", "checkpoints", "points"] {
        assert!(!document[key].is_null(), "{key}");
    }
    // Two points have a slope but no interval, so nothing is known of it.
    assert!(document["rates"][0]["slope"]["high"].is_null());
    let warnings = document["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|w| w["name"] == "wide-interval" && w["message"].as_str().unwrap().contains("slope")));
    assert_eq!(said.status, 3);
}

#[test]
fn a_run_is_recorded_unless_told_otherwise() {
    let p = Program::new();
    p.run(&measure(&["--record", "off"]));
    assert!(!p.sessions().exists());
    p.run(&measure(&[]));
    let names: Vec<String> = std::fs::read_dir(p.sessions())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].ends_with("_demo"), "{names:?}");
    p.run(&measure(&["--session", &names[0]])).refused(2, &["session", &names[0], "exists already"]);
}

#[test]
fn what_does_not_fit_the_data_names_the_flag_and_records_nothing() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("."), fixture("tokens.json"));
    let source = ["--checkpoint", checkpoint.as_str(), "--tokens", tokens.as_str()];
    let bad_tokens = |name: &str, contents: &str| {
        std::fs::write(p.path(name), contents).unwrap();
    };
    bad_tokens("high.json", r#"{"inputs": [[1, 2], [3, 999]], "targets": [[1, 2], [3, 4]]}"#);
    bad_tokens("ragged.json", r#"{"inputs": [[1, 2], [3]], "targets": [[1, 2], [3]]}"#);
    for (args, words) in [
        ([&["measure"], &source[..], &["--n", "16"]].concat(), &["--n", "17"][..]),
        ([&["measure"], &source[..], &["--k", "131115"]].concat(), &["--k", "131114"]),
        ([&["measure"], &source[..], &["--k", "9", "--law", "gradients"]].concat(), &["--law", "9"]),
        (vec!["measure", "--n", "100000"], &["--n", "100001", "give more data"]),
        (vec!["measure", "--device", "cuda:7"], &["--device", "cuda:7"]),
        (vec!["measure", "--checkpoint", "gone", "--tokens", &tokens], &["gone"]),
        (vec!["measure", "--tokens", "gone.json"], &["gone.json"]),
        (vec!["measure", "--tokens", "high.json"], &["high.json", "row 1, column 1", "999"]),
        (vec!["measure", "--tokens", "ragged.json"], &["ragged.json", "row 1"]),
        (vec!["measure", "--memory", "1KiB"], &["memory"]),
    ] {
        let said = p.run(&args);
        assert!(matches!(said.status, 1 | 2), "{said:?}");
        said.refused(said.status, words);
    }
    let left = p.sessions().read_dir().map_or(0, |entries| entries.count());
    assert!(left <= 1, "only a run that opened its checkpoint before its memory was refused leaves a session");
}

#[test]
fn without_a_terminal_there_is_no_dashboard() {
    let p = Program::new();
    p.run(&[]).refused(1, &["no terminal", "eigentop measure"]);
    assert!(!p.sessions().exists());
}

#[test]
fn training_writes_a_checkpoint_that_can_be_measured() {
    let p = Program::new();
    let sizes = ["--layers", "1", "--width", "32", "--heads", "2", "--kv-heads", "1", "--context", "16"];
    let train = [&["train", "--out", "tiny", "--steps", "2", "--batch", "2"], &sizes[..]].concat();
    assert!(p.run(&train).done().starts_with("tiny: "));
    p.run(&train).refused(2, &["--out", "tiny", "already"]);
    std::fs::write(
        p.path("text.txt"),
        "All happy families are alike; each unhappy one is so in its own way.\n".repeat(3),
    )
    .unwrap();
    let said = p.run(&measure(&["--checkpoint", "tiny", "--text", "text.txt", "--format", "json"]));
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(document["config"]["n_embd"], 32);
    for (args, words) in [
        (&["train"][..], &["--out"][..]),
        (&["train", "--out", "x", "--batch", "0"], &["--batch"]),
        (&["train", "--out", "x", "--lr", "0"], &["--lr"]),
        (&["train", "--out", "x", "--heads", "5"], &["--heads"]),
        (&["train", "--out", "x", "--text", "a", "--tokens", "b"], &["--text", "--tokens"]),
    ] {
        p.run(args).refused(2, words);
    }
    assert!(!p.path("x").exists());
}

/// Signals: what was computed when one arrives is kept.
#[cfg(unix)]
mod signals {
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use super::program::{Program, Said};

    /// Start a run that would take hours, and wait until its session holds draws.
    fn endless(p: &Program, session: &str) -> Child {
        let args = ["measure", "--draws", "10000000", "--k", "2", "--n", "2", "--session", session];
        let child = p.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let events = p.sessions().join(session).join("events.jsonl");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !std::fs::read_to_string(&events).is_ok_and(|text| text.matches("\"draw\"").count() > 5) {
            assert!(Instant::now() < deadline, "no draws after a minute");
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    }

    #[test]
    fn an_interrupt_ends_the_run_in_good_order() {
        let p = Program::new();
        let child = endless(&p, "cut");
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        Said::of(child.wait_with_output().unwrap()).refused(1, &["interrupted", "session cut"]);
        // No torn line, no lock left behind.
        let json = p.run(&["replay", "cut", "--headless", "--format", "json"]).out;
        assert!(!json.contains("torn-session") && json.contains("\"direct\""), "{json}");
        p.run(&["sessions", "remove", "cut"]).done();
    }

    #[test]
    fn a_kill_loses_nothing_that_was_recorded() {
        let p = Program::new();
        let mut child = endless(&p, "killed");
        p.run(&["sessions", "remove", "killed"]).refused(1, &["killed", "being recorded"]);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = p.run(&["replay", "killed", "--headless", "--format", "json"]);
        assert!(matches!(said.status, 0 | 3) && said.out.contains("\"direct\""), "{said:?}");
        p.run(&["sessions", "remove", "killed"]).done();
    }
}

#[test]
fn a_benchmark_has_both_methods_and_their_ratios() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("."), fixture("tokens.json"));
    let flags = ["--n", "3", "--k", "1", "--sigma", "1e-3", "--draws", "8", "--precision", "f64", "--format", "json"];
    let said = p.run(&[&["bench", "--quick", "--checkpoint", &checkpoint, "--tokens", &tokens], &flags[..]].concat());
    assert_eq!(said.status, 0, "{said:?}");
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let number = |path: &str| document.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {path}"));
    for stage in ["forward", "gradient", "hvp", "subspace", "coefficients", "direct_mc"] {
        let (ours, paper) = (number(&format!("/seconds/ours/{stage}")), number(&format!("/seconds/paper/{stage}")));
        assert!(ours > 0.0 && paper > 0.0);
        if !["forward", "gradient"].contains(&stage) {
            assert_eq!(number(&format!("/ratios/{stage}")), paper / ours, "{stage}");
        }
    }
    assert!(number("/matmul_gflops") > 0.0 && number("/hvp_gflops") > 0.0);
    assert!((0.0..=1.05).contains(&number("/hvp_matmul_share")));
    assert!(document["machine"]["processor"].is_string() && document["load"].is_array());
    // Antithetic pairs with the quadratic control remove nearly all variance; that is arithmetic, not timing.
    assert!(number("/variance_ratios/0/ratio") > 1e3);
    for solver in document["solvers"].as_array().unwrap() {
        assert_eq!(
            (solver["converged"].as_bool(), solver["residual"].as_f64().map(|r| r <= 1e-3)),
            (Some(true), Some(true))
        );
    }
}

#[test]
fn a_benchmark_of_sizes_that_the_problem_does_not_have_is_refused() {
    let said = Program::new().run(&["bench", "--quick", "--reach", "product", "--n", "100000"]);
    said.refused(2, &["--n: 100000 needs 100001 sequences"]);
}
