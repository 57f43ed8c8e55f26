//! Training: it learns, it can be repeated, and it says when it cannot go on.

use std::sync::Arc;

use eigentop::data::demo;
use eigentop::data::sequences::Sequences;
use eigentop::diff::primitive::Batch;
use eigentop::diff::risk::Risk;
use eigentop::error::Error;
use eigentop::model::checkpoint::Checkpoint;
use eigentop::model::config::GptConfig;
use eigentop::train::run::{Source, Step, TrainOptions, run};

fn tiny(steps: usize) -> TrainOptions {
    let config = GptConfig {
        sequence_len: 32,
        vocab_size: 256,
        n_layer: 2,
        n_head: 2,
        n_kv_head: 1,
        n_embd: 32,
        window_pattern: "L".into(),
    };
    TrainOptions { config, steps, batch: 8, learning_rate: 1e-2, ..TrainOptions::default() }
}

fn train(options: &TrainOptions) -> (Checkpoint, Vec<Step>) {
    let mut steps = Vec::new();
    let checkpoint = run(options, &mut |step| steps.push(step)).unwrap();
    (checkpoint, steps)
}

/// Entropy of the tokens' frequencies, nats: the loss of the best model that looks at nothing.
fn unigram_entropy(data: &Sequences) -> f64 {
    let mut counts = [0.0; 256];
    data.targets.iter().flatten().for_each(|&token| counts[token as usize] += 1.0);
    let total: f64 = counts.iter().sum();
    counts.iter().filter(|&&c| c > 0.0).map(|c| -c / total * (c / total).ln()).sum()
}

#[test]
fn the_loss_falls_from_that_of_a_blind_guess_below_the_unigram_entropy() {
    let options = tiny(120);
    let (checkpoint, steps) = train(&options);
    assert_eq!(steps.len(), 120);
    assert!((steps[0].loss - 256f64.ln()).abs() < 0.01, "{}", steps[0].loss);
    assert_eq!((steps[0].step, steps[119].step, steps[119].steps), (1, 120, 120));
    let end = steps[112..].iter().map(|s| s.loss).sum::<f64>() / 8.0;
    let bound = unigram_entropy(&demo::text(&options.config, None).unwrap());
    assert!(end < bound - 0.1, "{end} is not below {bound}");
    assert_eq!(checkpoint.parameters.len(), checkpoint.config.layout().len());
}

#[test]
fn the_same_options_give_the_same_weights_on_any_number_of_threads() {
    let on = |threads: usize, options: TrainOptions| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(&options).0)
    };
    let one = on(1, tiny(3));
    assert_eq!(one, on(3, tiny(3)));
    assert_ne!(one.parameters, on(1, TrainOptions { seed: 1, ..tiny(3) }).parameters);
}

#[test]
fn rows_of_a_length_train_as_a_context_of_that_length() {
    let of = |sequence_len, length| {
        let config = GptConfig { sequence_len, ..tiny(3).config };
        train(&TrainOptions { config, length, ..tiny(3) }).0.parameters
    };
    // No parameter depends on the context, and nobody sees further than the row.
    assert_eq!(of(32, Some(20)), of(20, None));
    assert_ne!(of(32, Some(20)), of(32, None));
    let refused = |options: TrainOptions| run(&options, &mut |_| ()).unwrap_err().to_string();
    assert!(refused(TrainOptions { length: Some(33), ..tiny(0) }).starts_with("--length: rows of 33 tokens"));
    let tokens = TrainOptions { source: Source::Tokens("nowhere.json".into()), length: Some(4), ..tiny(0) };
    assert!(refused(tokens).contains("a length of their own"));
}

#[test]
fn without_steps_the_weights_are_the_initial_ones_and_no_rows_are_read() {
    let mut options = tiny(0);
    options.source = Source::Tokens("nowhere.json".into());
    options.config.vocab_size = 50_257;
    let (checkpoint, steps) = train(&options);
    assert!(steps.is_empty());
    let folder = tempfile::tempdir().unwrap();
    checkpoint.save(folder.path()).unwrap();
    assert_eq!(Checkpoint::open(folder.path(), None).unwrap().parameters, checkpoint.parameters);
    options.steps = 1;
    assert!(run(&options, &mut |_| ()).unwrap_err().to_string().starts_with("nowhere.json"));
}

#[test]
fn weight_decay_shrinks_the_matrices_of_the_layers_alone() {
    let plain = train(&tiny(4)).0;
    let decayed = train(&TrainOptions { weight_decay: 5.0, ..tiny(4) }).0;
    let norm = |checkpoint: &Checkpoint, name: &str| {
        let layout = checkpoint.config.layout();
        let range = layout.entries()[layout.find(name).unwrap()].range();
        checkpoint.parameters[range].iter().map(|x| x * x).sum::<f64>().sqrt()
    };
    let ratio = |name| norm(&decayed, name) / norm(&plain, name);
    assert!(ratio("transformer.h.0.attn.c_q.weight") < 0.95);
    assert!((ratio("transformer.wte.weight") - 1.0).abs() < 0.01);
}

#[test]
fn divergence_is_reported_with_the_step_and_what_to_try() {
    let options = TrainOptions { learning_rate: 1e38, ..tiny(50) };
    let error = run(&options, &mut |_| ()).unwrap_err();
    assert!(matches!(error, Error::NotFinite(_)));
    assert!(error.to_string().contains("at step 2 of 50") && error.to_string().contains("--lr"), "{error}");
}

#[test]
fn the_embedded_demo_is_what_the_defaults_train_and_knows_its_first_rows() {
    let demo = demo::checkpoint().unwrap();
    assert_eq!(demo.config, TrainOptions::default().config.into());
    let rows = demo::sequences(&demo.config, 8).unwrap();
    let pairs = rows.inputs.iter().zip(&rows.targets);
    let batches = pairs.map(|(inputs, targets)| Batch::new(inputs.clone(), targets.clone(), inputs.len()));
    let graph = demo.config.graph(rows.row_len());
    let mut risk = Risk::<f64>::new(graph, batches.collect(), demo.parameters, Arc::new(|| Ok(())));
    let mean = risk.linearise(0..8).unwrap().iter().sum::<f64>() / 8.0;
    let norm = risk.gradient(0..8).unwrap().iter().map(|x| x * x).sum::<f64>().sqrt();
    // The figures of assets/demo/README.md.
    assert!((mean - 0.0316).abs() < 1e-4 && (norm - 0.224).abs() < 1e-3, "loss {mean}, gradient norm {norm}");
}
