//! The GPU path, on a stand-in for the driver and its libraries (`tests/cuda/stand_in.cpp`): what the processor computes,
//! the GPU's rules compute too. Needs a C++ compiler, and no GPU.

#![cfg(feature = "cuda")]

mod program;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use eigentop::data::sequences::Sequences;
use eigentop::diff::primitive::Batch;
use eigentop::diff::product::Products;
use eigentop::diff::risk::Risk;
use eigentop::math::space::{Host, Room, Space};
use eigentop::model::checkpoint::Checkpoint;

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
        compiler.args(["-std=c++17", "-O3", "-shared", "-fPIC", source, "-ldl", "-o"]).arg(&library);
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
    let told =
        ["the GPU has", "one sequence of 64 tokens takes", "use --length ", "the longest that fits, or --device cpu"];
    on_gpu(&p, &args, &[("STAND_IN_MEMORY_MB", "3")]).refused(1, &told);
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

#[test]
fn a_driver_older_than_the_libraries_is_named() {
    let p = Program::new();
    let args = ["measure", "--n", "2", "--k", "1", "--draws", "2", "--sigma", "1e-3", "--format", "json"];
    let document = json(&on_gpu(&p, &args, &[("STAND_IN_OLD_DRIVER", "1")]));
    assert_eq!(document["device"], "cpu");
    let warnings = document["warnings"].as_array().unwrap();
    let told = warnings.iter().find(|w| w["name"] == "no-gpu").expect("a warning");
    assert!(told["message"].as_str().unwrap().contains("the driver is older than the CUDA libraries"), "{told}");
}

#[test]
fn memory_that_another_program_takes_is_named() {
    let p = Program::new();
    let args = ["measure", "--n", "2", "--k", "1", "--draws", "2", "--sigma", "1e-3", "--format", "json"];
    on_gpu(&p, &args, &[("STAND_IN_TAKEN", "1")]).refused(1, &["out of memory", "--length", "--device cpu"]);
}

/// Run the named test in a process that finds the stand-in. Returns whether this is that process.
fn within(name: &str, settings: &[(&str, &str)]) -> bool {
    const INSIDE: &str = "STAND_IN_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([name, "--exact"]).env(INSIDE, "1").env("LD_LIBRARY_PATH", libraries()).envs(settings.iter().copied());
    let said = command.output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    false
}

/// The risk of a fixture's model on its first sequences, at its checkpoint.
fn risk(model: &str, sequences: usize) -> Risk<f64> {
    let checkpoint = Checkpoint::open(Path::new(&fixture(model)), None).unwrap();
    let rows =
        Sequences::from_tokens(Path::new(&fixture(&format!("{model}/tokens.json"))), &checkpoint.config).unwrap();
    let batch = |i: usize| Batch::new(rows.inputs[i].clone(), rows.targets[i].clone(), rows.row_len());
    let graph = checkpoint.config.graph(rows.row_len());
    let w = checkpoint.parameters;
    Risk::new(graph, (0..sequences).map(batch).collect(), w, Arc::new(|| Ok(())))
}

/// Directions without any pattern, each its own.
fn directions(count: usize, dim: usize) -> Vec<Vec<f64>> {
    let element = |j: usize, i: usize| ((i * 7919 + j * 104_729) % 1009) as f64 / 1009.0 - 0.5;
    (0..count).map(|j| (0..dim).map(|i| element(j, i)).collect()).collect()
}

fn close(one: &[f64], other: &[f64], what: &str) {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let apart = norm(&mut one.iter().zip(other).map(|(a, b)| a - b));
    let size = norm(&mut one.iter().copied());
    assert!(size > 0.0 && apart <= 1e-10 * size, "{what}: {apart} of {size}");
}

/// Products of a block, one by one, and on the processor; those of one sequence, and slopes.
fn blocks_agree(model: &str) {
    let (mut here, mut there) = (risk(model, 3), risk(model, 3));
    there.use_gpu(0, Products::Full, Room::default()).unwrap();
    let v = directions(5, here.parameters());
    let v: Vec<&[f64]> = v.iter().map(Vec::as_slice).collect();
    close(&here.linearise(0..3).unwrap(), &there.linearise(0..3).unwrap(), "losses");
    for range in [0..3, 1..2] {
        let products = |risk: &Risk<f64>, together: usize| {
            let mut out = vec![vec![f64::NAN; risk.parameters()]; v.len()];
            for (v, out) in v.chunks(together).zip(out.chunks_mut(together)) {
                let mut out: Vec<&mut [f64]> = out.iter_mut().map(Vec::as_mut_slice).collect();
                risk.hvps(range.clone(), v, &mut out).unwrap();
            }
            out
        };
        let (block, single, processor) = (products(&there, 5), products(&there, 1), products(&here, 1));
        assert!(block == single, "{model}: a block and its members differ");
        for (block, processor) in block.iter().zip(&processor) {
            close(processor, block, model);
        }
        close(&here.slopes(range.clone(), v[0]).unwrap(), &there.slopes(range.clone(), v[0]).unwrap(), "slopes");
        let jet =
            |risk: &Risk<f64>| risk.jet(range.clone(), v[1]).map(|(slope, curvature)| [slope, curvature]).unwrap();
        close(&jet(&here)[..1], &jet(&there)[..1], "slope of a jet");
        close(&jet(&here)[1..], &jet(&there)[1..], "curvature of a jet");
        close(&here.gradient(range.clone()).unwrap(), &there.gradient(range).unwrap(), "gradient");
    }
    let of_one = |risk: &Risk<f64>| risk.map_hvps(2, &v, |j, product| product.dot(v[(j + 1) % 5])).unwrap();
    close(&of_one(&here), &of_one(&there), "one sequence's products");
}

#[test]
fn a_block_of_directions_gives_the_digits_of_its_members() {
    if within("a_block_of_directions_gives_the_digits_of_its_members", &[]) {
        ["A", "gpt2", "llama"].into_iter().for_each(blocks_agree);
    }
}

#[test]
fn blocks_in_little_memory_give_the_same() {
    if within("blocks_in_little_memory_give_the_same", &[("STAND_IN_MEMORY_MB", "28")]) {
        blocks_agree("A");
    }
}

/// Numbers that every operation of a space gives, on vectors without any pattern.
fn operations<S: Space<Element = f64>>(space: &S) -> Vec<Vec<f64>> {
    let v = directions(8, space.dim());
    let mut columns = space.columns(Room { columns: 6, beside: 3 }).unwrap();
    for v in &v[..3] {
        space.append(&mut columns, v).unwrap();
    }
    for v in &v[3..6] {
        space.push(&mut columns, &space.place(v.clone()).unwrap()).unwrap();
    }
    assert_eq!(space.len(&columns), 6);
    let (x, mut w) = (space.place(v[6].clone()).unwrap(), space.place(v[7].clone()).unwrap());
    let mut given = vec![vec![space.dot(&x, &w).unwrap(), space.norm(&x).unwrap()]];
    space.axpy(0.75, &x, &mut w).unwrap();
    space.scale(-3.0, &mut w).unwrap();
    given.push(space.read(&w).unwrap().into_owned());
    for coefficients in [&[0.5, 0.0, -1.0][..], &[0.0, 0.25, 0.0, 0.0, 2.0, -0.125]] {
        given.push(vec![space.add_to(&columns, coefficients, &mut w).unwrap()]);
        given.push(space.read(&w).unwrap().into_owned());
    }
    let taken = space.project_out(&columns, &mut w).unwrap();
    given.extend([taken.coefficients, vec![taken.norm], space.read(&w).unwrap().into_owned()]);
    // From six columns to five, to two, and on from there.
    let rotation = |count: usize| directions(1, count).remove(0);
    space.rotate(&mut columns, &rotation(6 * 5)).unwrap();
    let mut w = space.place(v[7].clone()).unwrap();
    given.push(space.project_out(&columns, &mut w).unwrap().coefficients);
    space.rotate(&mut columns, &rotation(5 * 2)).unwrap();
    space.push(&mut columns, &x).unwrap();
    given.push(space.project_out(&columns, &mut w).unwrap().coefficients);
    given.extend(space.basis(columns).unwrap().cols().map(<[f64]>::to_vec));
    given
}

/// The same numbers in the GPU's memory as in the host's; returns how many of six columns lay there.
fn operations_agree() -> usize {
    const ROOM: Room = Room { columns: 6, beside: 3 };
    let mut risk = risk("A", 1);
    risk.use_gpu(0, Products::Full, ROOM).unwrap();
    let there = risk.on_device().unwrap();
    let here = there.fitting(ROOM).unwrap().unwrap();
    let (host, device) = (operations(&Host::new(risk.parameters())), operations(&there.space().unwrap()));
    assert_eq!(host.len(), device.len());
    for (i, (host, device)) in host.iter().zip(&device).enumerate() {
        close(host, device, &format!("with {here} columns on the GPU, number {i}"));
    }
    here
}

#[test]
fn vectors_on_the_gpu_are_those_of_the_host() {
    if within("vectors_on_the_gpu_are_those_of_the_host", &[]) {
        assert_eq!(operations_agree(), 6);
    }
}

#[test]
fn columns_that_find_no_room_are_those_of_the_host() {
    const NAME: &str = "columns_that_find_no_room_are_those_of_the_host";
    if ["20", "22"].iter().any(|megabytes| within(NAME, &[("STAND_IN_MEMORY_MB", megabytes)])) {
        let here = operations_agree();
        assert!(0 < here && here < 6, "{here}");
    }
}

#[test]
fn a_block_of_directions_is_one_call_for_each_rule() {
    const NAME: &str = "a_block_of_directions_is_one_call_for_each_rule";
    const BLOCKS: &str = "STAND_IN_BLOCKS";
    let folder = tempfile::tempdir().unwrap();
    let mut calls = Vec::new();
    // Blocks of so many directions, one after another.
    for blocks in ["", "1", "1,1,1,1", "4"] {
        let log = folder.path().join(format!("of {blocks}"));
        if within(NAME, &[(BLOCKS, blocks), ("STAND_IN_CALLS", log.to_str().unwrap())]) {
            let mut risk = risk("A", 1);
            risk.use_gpu(0, Products::Full, Room::default()).unwrap();
            risk.linearise(0..1).unwrap();
            let v = directions(4, risk.parameters());
            let mut out = v.clone();
            for block in std::env::var(BLOCKS).unwrap().split(',').filter_map(|count| count.parse().ok()) {
                let v: Vec<&[f64]> = v.iter().take(block).map(Vec::as_slice).collect();
                let mut out: Vec<&mut [f64]> = out.iter_mut().take(block).map(Vec::as_mut_slice).collect();
                risk.hvps(0..1, &v, &mut out).unwrap();
            }
            return;
        }
        calls.push(std::fs::read_to_string(log).unwrap().lines().count());
    }
    let [none, one, four, block] = calls[..] else { unreachable!("four runs") };
    assert!(one > none + 50, "{calls:?}");
    assert_eq!(four - none, 4 * (one - none), "{calls:?}");
    assert_eq!(block, one, "{calls:?}");
}

#[test]
fn linearisations_give_way_to_a_larger_solve() {
    const NAME: &str = "linearisations_give_way_to_a_larger_solve";
    if within(NAME, &[("STAND_IN_MEMORY_MB", "36")]) {
        let solve = Room { columns: 6, beside: 3 };
        let mut risk = risk("A", 3);
        risk.use_gpu(0, Products::Full, Room::default()).unwrap();
        let v = directions(1, risk.parameters()).remove(0);
        let product = |risk: &Risk<f64>| {
            let mut out = vec![f64::NAN; risk.parameters()];
            risk.hvp(0..3, &v, &mut out).unwrap();
            out
        };
        let before = product(&risk);
        assert!(risk.on_device().unwrap().fitting(solve).unwrap().is_none_or(|here| here < 6));
        risk.make_room(solve).unwrap();
        assert_eq!(risk.on_device().unwrap().fitting(solve).unwrap(), Some(6));
        close(&before, &product(&risk), "a product");
    }
}

/// What a solve on a small model in f64 is asked: long enough to restart, and by a law whose basis Lanczos finds.
fn solve_for<'a>(checkpoint: &'a str, tokens: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["measure", "--checkpoint", checkpoint, "--tokens", tokens, "--format", "json", "--precision", "f64"];
    let few = ["--n", "2", "--k", "3", "--draws", "2", "--sigma", "1e-3", "--session", "solve"];
    [&args[..], &few, more].concat()
}

/// The document of [`solve_for`] on the GPU, and the log of its session.
fn solved_on_gpu(more: &[&str], settings: &[(&str, &str)]) -> (Value, String) {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("A"), fixture("A/tokens.json"));
    let document = json(&on_gpu(&p, &solve_for(&checkpoint, &tokens, more), settings));
    (document, std::fs::read_to_string(p.sessions().join("solve/events.jsonl")).unwrap())
}

/// Fails unless two solves found the same pairs, each to its tolerance.
fn same_pairs(one: &Value, other: &Value, tolerance: f64) {
    same(&one["eigenvalues"], &other["eigenvalues"], 1e-9, "eigenvalues");
    for document in [one, other] {
        assert!(document["orthonormality"].as_f64().unwrap() < 1e-12, "{}", document["orthonormality"]);
        let values = document["eigenvalues"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap().abs());
        let largest = values.fold(0.0, f64::max);
        for residual in document["residuals"].as_array().unwrap() {
            assert!(residual.as_f64().unwrap() <= tolerance * largest, "{residual}");
        }
    }
}

#[test]
fn lanczos_with_its_vectors_on_the_gpu_finds_what_the_processor_finds() {
    let (checkpoint, tokens) = (fixture("A"), fixture("A/tokens.json"));
    for law in ["top", "bottom"] {
        let more = ["--law", law, "--tol", "1e-6"];
        let here = json(&Program::new().run(&solve_for(&checkpoint, &tokens, &more)));
        let (there, log) = solved_on_gpu(&more, &[]);
        assert!(log.contains("all in the GPU's memory"), "{log}");
        same_pairs(&here, &there, 1e-6);
        let products = [&here, &there].map(|d| d["hvp_count"].as_i64().unwrap());
        assert!((products[0] - products[1]).abs() <= 2, "{products:?}");
    }
    let (one, other) = (solved_on_gpu(&["--tol", "1e-3"], &[]).0, solved_on_gpu(&["--tol", "1e-3"], &[]).0);
    // Same seed, same numbers.
    for key in ["eigenvalues", "residuals", "orthonormality", "subspace"] {
        assert_eq!(one[key], other[key]);
    }
}

#[test]
fn other_operators_have_their_vectors_on_the_gpu_too() {
    let (checkpoint, tokens) = (fixture("A"), fixture("A/tokens.json"));
    let more = ["--law", "deformation", "--tol", "1e-4", "--exhibits", "density,theory"];
    let here = json(&Program::new().run(&solve_for(&checkpoint, &tokens, &more)));
    let (there, _) = solved_on_gpu(&more, &[]);
    // Eigenvectors agree to the tolerance over the gaps of the spectrum, and what follows from them no better.
    same(&here["eigenvalues"], &there["eigenvalues"], 1e-3, "eigenvalues");
    same(&here["subspace"], &there["subspace"], 1e-3, "subspace");
    let exhibits = |document: &Value| {
        [&document["exhibits"]["density"], &document["exhibits"]["theory"]["constants"]].map(Value::clone)
    };
    for (here, there) in exhibits(&here).iter().zip(&exhibits(&there)) {
        assert!(here.is_object(), "{here}");
        same(here, there, 1e-3, "exhibits");
    }
}

#[test]
fn columns_without_room_on_the_gpu_lie_on_the_host_and_give_the_same_pairs() {
    let more = ["--tol", "1e-6"];
    let (all, _) = solved_on_gpu(&more, &[]);
    for megabytes in ["27", "23"] {
        let (some, log) = solved_on_gpu(&more, &[("STAND_IN_MEMORY_MB", megabytes)]);
        let plan = log.lines().find(|line| line.contains("the solver may hold")).unwrap();
        assert!(plan.contains("in the GPU's memory and") && plan.contains("on the host"), "{plan}");
        same_pairs(&all, &some, 1e-6);
    }
}

#[test]
fn no_vector_leaves_the_gpu_between_the_ends_of_a_solve() {
    let whole_vectors = |tolerance: &str| {
        let folder = tempfile::tempdir().unwrap();
        let copies = folder.path().join("copies");
        let (document, _) = solved_on_gpu(&["--tol", tolerance], &[("STAND_IN_COPIES", copies.to_str().unwrap())]);
        let vector = 8 * document["parameters"].as_u64().unwrap();
        let log = std::fs::read_to_string(copies).unwrap();
        let whole = log.lines().filter(|bytes| bytes.parse::<u64>().unwrap() >= vector).count();
        (document["hvp_count"].as_u64().unwrap(), whole)
    };
    let ((few, copies_of_few), (many, copies_of_many)) = (whole_vectors("1e-2"), whole_vectors("1e-8"));
    assert!(many > few + 10, "{few} and {many} products");
    assert_eq!(copies_of_few, copies_of_many, "{few} and {many} products");
}

#[test]
fn tf32_is_the_gpus_and_bears_its_name() {
    let p = Program::new();
    let (checkpoint, tokens) = (fixture("A"), fixture("A/tokens.json"));
    let args =
        ["measure", "--checkpoint", &checkpoint, "--tokens", &tokens, "--format", "json", "--n", "2", "--k", "1"];
    let args = [&args[..], &["--draws", "2", "--sigma", "1e-3", "--tol", "1e-1", "--precision"]].concat();
    let with = |precision| [&args[..], &[precision]].concat();
    let (single, tf32) = (json(&on_gpu(&p, &with("f32"), &[])), json(&on_gpu(&p, &with("tf32"), &[])));
    assert_eq!((single["precision"].as_str(), tf32["precision"].as_str()), (Some("f32"), Some("tf32")));
    let warnings = tf32["warnings"].as_array().unwrap();
    assert!(warnings.iter().any(|w| w["name"] == "rounded-products"), "{warnings:?}");
    same(&single["losses"], &tf32["losses"], 5e-3, "losses");
    assert_ne!(single["losses"], tf32["losses"], "products are rounded");
    p.run(&with("tf32")).refused(1, &["--precision", "tf32", "--precision f32", "--device cuda:N"]);
    on_gpu(&p, &with("tf32"), &[("STAND_IN_OLD_DRIVER", "1")]).refused(1, &["--precision", "driver is older"]);
}
