//! The candle oracle against the golden numbers of the paper authors' own model class (`tests/fixtures`), so that what
//! the tape is tested against is itself tested.

mod candle_gpt;

use std::path::PathBuf;

use candle_core::DType;
use candle_gpt::CandleGpt;
use eigentop::data::sequences::Sequences;
use eigentop::model::checkpoint::Checkpoint;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    n: usize,
    losses: Vec<f64>,
    sample_indices: Vec<usize>,
    grad_samples: Vec<f64>,
    grad_max_abs: f64,
    hvp_samples: Vec<f64>,
    hvp_max_abs: f64,
}

struct Fixture {
    checkpoint: Checkpoint,
    data: Sequences,
    golden: Golden,
}

fn fixture(name: &str) -> Fixture {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let checkpoint = Checkpoint::open(&folder, None).unwrap();
    let data = Sequences::from_tokens(&folder.join("tokens.json"), &checkpoint.config).unwrap();
    let golden = serde_json::from_str(&std::fs::read_to_string(folder.join("golden.json")).unwrap()).unwrap();
    Fixture { checkpoint, data, golden }
}

fn losses_agree(name: &str, dtype: DType, tolerance: f64) {
    let Fixture { checkpoint, data, golden } = fixture(name);
    let model = CandleGpt::new(checkpoint.config.nanochat().unwrap(), dtype, &data.inputs, &data.targets).unwrap();
    let losses = model.losses(&checkpoint.parameters).unwrap();
    assert_eq!(losses.len(), golden.losses.len());
    for (i, (ours, theirs)) in losses.iter().zip(&golden.losses).enumerate() {
        assert!((ours - theirs).abs() <= tolerance * theirs.abs(), "sequence {i}: {ours} against {theirs}");
    }
}

fn derivatives_agree(name: &str) {
    let Fixture { checkpoint, data, golden } = fixture(name);
    let n = golden.n;
    let model =
        CandleGpt::new(checkpoint.config.nanochat().unwrap(), DType::F64, &data.inputs[..n], &data.targets[..n])
            .unwrap();
    let agree = |what: &str, ours: Vec<f64>, theirs: &[f64], largest: f64| {
        assert_eq!(theirs.len(), golden.sample_indices.len());
        for (&i, theirs) in golden.sample_indices.iter().zip(theirs) {
            assert!((ours[i] - theirs).abs() <= 1e-9 * largest, "{what}[{i}]: {} against {theirs}", ours[i]);
        }
        let max = ours.iter().fold(0.0f64, |max, x| max.max(x.abs()));
        assert!((max - largest).abs() <= 1e-9 * largest, "{what}: largest {max} against {largest}");
    };
    let gradient = model.gradient(&checkpoint.parameters).unwrap();
    agree("gradient", gradient, &golden.grad_samples, golden.grad_max_abs);

    let mut probe: Vec<f64> = (1..=checkpoint.parameters.len()).map(|i| (i as f64).sin()).collect();
    let norm = probe.iter().map(|x| x * x).sum::<f64>().sqrt();
    probe.iter_mut().for_each(|x| *x /= norm);
    let product = model.hvp(&checkpoint.parameters, &probe).unwrap();
    agree("Hessian-vector product", product, &golden.hvp_samples, golden.hvp_max_abs);
}

#[test]
fn losses_of_a_in_double_precision() {
    losses_agree("A", DType::F64, 1e-10);
}

#[test]
fn losses_of_b_in_double_precision() {
    losses_agree("B", DType::F64, 1e-10);
}

#[test]
fn losses_of_b_in_single_precision() {
    losses_agree("B", DType::F32, 1e-5);
}

#[test]
fn gradient_and_hessian_product_of_a() {
    derivatives_agree("A");
}

#[test]
fn gradient_and_hessian_product_of_b() {
    derivatives_agree("B");
}
