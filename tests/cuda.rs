//! The GPU path, on a stand-in for the driver and its libraries (`tests/cuda/stand_in.cpp`): what the processor computes,
//! the GPU's rules compute too. Needs a C++ compiler, and no GPU.

#![cfg(feature = "cuda")]

mod program;

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use program::{Program, Said};
use serde_json::Value;

/// The folder of the stand-in's libraries.
fn libraries() -> &'static PathBuf {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, folder) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cuda/stand_in.cpp");
        let library = folder.path().join("libcuda.so");
        let mut compiler = Command::new("c++");
        compiler.args(["-std=c++17", "-O2", "-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library);
        assert!(compiler.status().expect("a C++ compiler").success());
        for name in ["libnvrtc.so", "libcublas.so"] {
            std::fs::copy(&library, folder.path().join(name)).unwrap();
        }
        let path = folder.path().to_owned();
        (folder, path)
    });
    folder
}

fn fixture(path: &str) -> String {
    format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Run with the stand-in, and with settings for it.
fn on_gpu(p: &Program, args: &[&str], settings: &[(&str, &str)]) -> Said {
    let mut command = p.command(&[args, &["--device", "cuda:0"]].concat());
    command.env("LD_LIBRARY_PATH", libraries()).envs(settings.iter().copied());
    Said::of(command.output().unwrap())
}

fn json(said: &Said) -> Value {
    assert!(matches!(said.status, 0 | 3), "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// Whether two documents hold the same numbers to a part of the largest of each list.
fn same(one: &Value, other: &Value, tolerance: f64, place: &str) {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= tolerance * a.abs().max(b.abs()).max(1e-3), "{place}: {a} and {b}");
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| same(a, b, tolerance, &format!("{place}[{i}]")));
        }
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{place}");
            a.iter().for_each(|(key, a)| same(a, &b[key], tolerance, &format!("{place}.{key}")));
        }
        (a, b) => assert_eq!(a, b, "{place}"),
    }
}

/// The figures that a probe and a short measurement give, on the processor and on the GPU.
fn agree(model: &str, precision: &str, tolerance: f64) {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture(model), fixture(&format!("{model}/tokens.json")));
    let args = [
        &["measure", "--checkpoint", &checkpoint, "--tokens", &tokens, "--format", "json", "--probe-hvp"],
        &["--precision", precision, "--n", "2", "--k", "1", "--draws", "2", "--sigma", "1e-3", "--tol", "1e-2"][..],
    ]
    .concat();
    let (here, there) = (json(&p.run(&args)), json(&on_gpu(&p, &args, &[])));
    assert_eq!((here["device"].as_str(), there["device"].as_str()), (Some("cpu"), Some("cuda:0")));
    for key in ["losses", "a", "grad_norm", "b_norm2", "hvp_norm", "vHv", "tensor_norms", "eigenvalues", "subspace"] {
        same(&here[key], &there[key], tolerance, key);
    }
}

#[test]
fn nanochat_is_the_same_on_the_gpu() {
    agree("A", "f64", 1e-9);
    agree("A", "f32", 2e-3);
}

#[test]
fn gpt2_is_the_same_on_the_gpu() {
    agree("gpt2", "f64", 1e-9);
}

#[test]
fn llama_is_the_same_on_the_gpu() {
    agree("llama", "f64", 1e-9);
}

#[test]
fn little_memory_is_used_in_pieces_and_too_little_is_named() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("A"), fixture("A/tokens.json"));
    let args =
        ["measure", "--checkpoint", &checkpoint, "--tokens", &tokens, "--format", "json", "--n", "4", "--k", "1"];
    let args = [&args[..], &["--draws", "2", "--sigma", "1e-3", "--tol", "1e-2", "--probe-hvp"]].concat();
    let (all, pieces) = (on_gpu(&p, &args, &[]), on_gpu(&p, &args, &[("STAND_IN_MEMORY_MB", "24")]));
    for key in ["losses", "grad_norm", "hvp_norm", "eigenvalues"] {
        same(&json(&all)[key], &json(&pieces)[key], 1e-4, key);
    }
    on_gpu(&p, &args, &[("STAND_IN_MEMORY_MB", "3")]).refused(1, &["the GPU has", "one sequence of 64 tokens takes"]);
}

#[test]
fn without_a_gpu_the_processor_computes_and_says_so() {
    let p = Program::new();
    let args = ["measure", "--n", "2", "--k", "1", "--draws", "2", "--sigma", "1e-3", "--format", "json"];
    let said = on_gpu(&p, &args, &[("STAND_IN_DEVICES", "0")]);
    let document = json(&said);
    assert_eq!(document["device"], "cpu");
    let warnings = document["warnings"].as_array().unwrap();
    let told = warnings.iter().find(|w| w["name"] == "no-gpu").expect("a warning");
    assert!(
        told["message"].as_str().unwrap().contains("cuda:0") && told["message"].as_str().unwrap().contains("no GPU")
    );
}
