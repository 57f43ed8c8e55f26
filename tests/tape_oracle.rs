//! The tape against golden numbers from the paper authors' own model, and against automatic differentiation.

mod candle_gpt;

use std::path::PathBuf;
use std::sync::Arc;

use candle_gpt::CandleGpt;
use eigentop::data::sequences::Sequences;
use eigentop::diff::primitive::Batch;
use eigentop::diff::risk::Risk;
use eigentop::math::array::Real;
use eigentop::model::checkpoint::Checkpoint;
use serde_json::Value;

struct Fixture {
    checkpoint: Checkpoint,
    sequences: Sequences,
    golden: Value,
}

fn fixture(name: &str) -> Fixture {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let checkpoint = Checkpoint::open(&folder, None).unwrap();
    let sequences = Sequences::from_tokens(&folder.join("tokens.json"), &checkpoint.config).unwrap();
    let golden = serde_json::from_str(&std::fs::read_to_string(folder.join("golden.json")).unwrap()).unwrap();
    Fixture { checkpoint, sequences, golden }
}

fn risk<T: Real>(f: &Fixture) -> Risk<T> {
    let batches = f
        .sequences
        .inputs
        .iter()
        .zip(&f.sequences.targets)
        .map(|(i, t)| Batch::new(i.clone(), t.clone(), i.len()))
        .collect();
    let w = f.checkpoint.parameters.iter().map(|x| T::of(*x)).collect();
    Risk::new(f.checkpoint.config.graph(f.sequences.row_len()), batches, w, Arc::new(|| Ok(())))
}

fn numbers(v: &Value) -> Vec<f64> {
    v.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn probe<T: Real>(p: usize) -> Vec<T> {
    let v: Vec<f64> = (1..=p).map(|i| (i as f64).sin()).collect();
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter().map(|x| T::of(x / norm)).collect()
}

fn norm2(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn wide<T: Real>(x: &[T]) -> Vec<f64> {
    x.iter().map(|x| x.wide()).collect()
}

fn golden_f64(name: &str) {
    let f = fixture(name);
    let g = &f.golden;
    let n = g["n"].as_u64().unwrap() as usize;
    let mut risk = risk::<f64>(&f);
    for (got, want) in risk.linearise(0..16).unwrap().iter().zip(numbers(&g["losses"])) {
        assert!((got - want).abs() <= 1e-10 * want, "loss {got} {want}");
    }
    let gradient = risk.gradient(0..n).unwrap();
    let v = probe::<f64>(risk.parameters());
    let mut hv = vec![0.0; v.len()];
    risk.hvp(0..n, &v, &mut hv).unwrap();
    for (what, got) in [("grad", &gradient), ("hvp", &hv)] {
        let tolerance = 1e-9 * g[format!("{what}_max_abs")].as_f64().unwrap();
        let positions = g["sample_indices"].as_array().unwrap();
        for (i, want) in positions.iter().zip(numbers(&g[format!("{what}_samples")])) {
            let got = got[i.as_u64().unwrap() as usize];
            assert!((got - want).abs() <= tolerance, "{what} at {i}: {got} {want}");
        }
        let norm = g[format!("{what}_norm")].as_f64().unwrap();
        assert!((norm2(got) / norm - 1.0).abs() < 1e-9, "{what} norm");
        for (entry, want) in risk.graph().layout.entries().iter().zip(g["tensor_norms"].as_array().unwrap()) {
            assert_eq!(entry.name, want["name"]);
            let want = want[what].as_f64().unwrap();
            let got = norm2(&got[entry.range()]);
            assert!((got - want).abs() <= 1e-8 * want.max(1e-3 * norm), "{what} of {}: {got} {want}", entry.name);
        }
    }
    let vhv: f64 = v.iter().zip(&hv).map(|(v, h)| v * h).sum();
    let want = g["vHv"].as_f64().unwrap();
    assert!((vhv / want - 1.0).abs() < 1e-8);
    // The jet finds the same without a backward sweep.
    let (slope, curvature) = risk.jet(0..n, &v).unwrap();
    assert!((curvature / want - 1.0).abs() < 1e-8, "{curvature} {want}");
    let gv: f64 = v.iter().zip(&gradient).map(|(v, g)| v * g).sum();
    assert!((slope - gv).abs() < 1e-10 * norm2(&gradient));
}

#[test]
fn golden_values_of_a_in_f64() {
    golden_f64("A");
}

#[test]
fn golden_values_of_b_in_f64() {
    golden_f64("B");
}

#[test]
fn golden_values_of_gpt2_in_f64() {
    golden_f64("gpt2");
}

#[test]
fn golden_values_of_llama_in_f64() {
    golden_f64("llama");
}

#[test]
fn golden_values_in_f32() {
    for name in ["A", "B", "gpt2", "llama"] {
        let f = fixture(name);
        let n = f.golden["n"].as_u64().unwrap() as usize;
        let mut risk = risk::<f32>(&f);
        for (got, want) in risk.linearise(0..16).unwrap().iter().zip(numbers(&f.golden["losses"])) {
            assert!((got - want).abs() <= 1e-5 * want, "loss {got} {want}");
        }
        let v = probe::<f32>(risk.parameters());
        let mut hv = vec![0.0; v.len()];
        risk.hvp(0..n, &v, &mut hv).unwrap();
        let norm = f.golden["hvp_norm"].as_f64().unwrap();
        assert!((norm2(&wide(&hv)) / norm - 1.0).abs() < 1e-4, "{name}");
    }
}

#[test]
fn the_hessian_is_symmetric() {
    let f = fixture("A");
    let mut risk = risk::<f64>(&f);
    risk.linearise(0..3).unwrap();
    let p = risk.parameters();
    let u: Vec<f64> = (0..p).map(|i| ((i * 7919) % 1013) as f64 / 1013.0 - 0.5).collect();
    let v = probe::<f64>(p);
    let (mut hu, mut hv) = (vec![0.0; p], vec![0.0; p]);
    risk.hvp(0..3, &u, &mut hu).unwrap();
    risk.hvp(0..3, &v, &mut hv).unwrap();
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (product(&u, &hv), product(&v, &hu));
    assert!((a - b).abs() < 1e-12 * norm2(&u) * norm2(&hv), "{a} {b}");
}

#[test]
fn gradients_and_products_agree_with_automatic_differentiation() {
    let f = fixture("A");
    let mut risk = risk::<f64>(&f);
    risk.linearise(0..2).unwrap();
    let w = &f.checkpoint.parameters;
    let oracle = CandleGpt::new(
        f.checkpoint.config.nanochat().unwrap(),
        candle_core::DType::F64,
        &f.sequences.inputs[..2],
        &f.sequences.targets[..2],
    )
    .unwrap();
    let v = probe::<f64>(w.len());
    let mut hv = vec![0.0; w.len()];
    risk.hvp(0..2, &v, &mut hv).unwrap();
    for (got, want) in [(risk.gradient(0..2).unwrap(), oracle.gradient(w).unwrap()), (hv, oracle.hvp(w, &v).unwrap())] {
        let scale = want.iter().fold(0.0f64, |m, x| m.max(x.abs()));
        for (i, (got, want)) in got.iter().zip(&want).enumerate() {
            assert!((got - want).abs() < 1e-11 * scale, "position {i}: {got} {want}");
        }
    }
}

#[test]
fn digits_do_not_depend_on_the_number_of_threads() {
    let f = fixture("A");
    let run = |threads| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let mut risk = risk::<f32>(&f);
            let losses = risk.linearise(0..16).unwrap();
            let v = probe::<f32>(risk.parameters());
            let mut hv = vec![0.0; v.len()];
            risk.hvp(0..16, &v, &mut hv).unwrap();
            (losses, hv)
        })
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

#[test]
fn sequences_linearised_for_the_occasion_and_blocks_change_no_digit() {
    let f = fixture("A");
    let run = |keep: usize| {
        let mut risk = risk::<f32>(&f);
        risk.keep(keep);
        let losses = risk.linearise(0..16).unwrap();
        let p = risk.parameters();
        let directions = [probe::<f32>(p), (0..p).map(|i| (i % 7) as f32 - 3.0).collect(), vec![1.0; p]];
        let directions: Vec<&[f32]> = directions.iter().map(Vec::as_slice).collect();
        let mut out = vec![vec![0.0; p]; 3];
        risk.hvps(0..16, &directions, &mut out.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>()).unwrap();
        for (v, block) in directions.iter().zip(&out) {
            let mut alone = vec![0.0; p];
            risk.hvp(0..16, v, &mut alone).unwrap();
            assert!(alone == *block);
        }
        let slopes = risk.slopes(0..16, directions[0]).unwrap();
        let jet = risk.jet(0..5, directions[1]).unwrap();
        (losses, out, risk.gradient(2..9).unwrap(), slopes, jet)
    };
    let all = run(16);
    assert!(all == run(0) && all == run(5));
}
