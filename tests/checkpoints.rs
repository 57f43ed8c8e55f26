//! Checkpoints and token files: every form that is read, and what is said of those that cannot be.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use eigentop::data::sequences::Sequences;
use eigentop::data::tokenizer::Tokenizer;
use eigentop::model::checkpoint::Checkpoint;
use eigentop::model::config::GptConfig;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn a() -> Checkpoint {
    Checkpoint::open(&fixture("A"), None).unwrap()
}

/// A copy of fixture A's checkpoint, its tensors changed.
fn changed(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> TempDir {
    let folder = TempDir::new().unwrap();
    let mut tensors = candle_core::safetensors::load(fixture("A/model.safetensors"), &Device::Cpu).unwrap();
    change(&mut tensors);
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    fs::copy(fixture("A/config.json"), folder.path().join("config.json")).unwrap();
    folder
}

/// A copy of one step of the PyTorch fixtures.
fn pytorch_copy(folder: &str, step: u64) -> TempDir {
    let copy = TempDir::new().unwrap();
    for name in [format!("model_{step:06}.pt"), format!("meta_{step:06}.json")] {
        fs::copy(fixture(folder).join(&name), copy.path().join(&name)).unwrap();
    }
    copy
}

fn gpt(checkpoint: &Checkpoint) -> GptConfig {
    checkpoint.config.nanochat().unwrap().clone()
}

fn refusal(folder: &Path) -> String {
    Checkpoint::open(folder, None).unwrap_err().to_string()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

/// The part of the flat vector that holds one tensor.
fn part<'a>(checkpoint: &'a Checkpoint, name: &str) -> &'a [f64] {
    let layout = checkpoint.config.layout();
    let entry = &layout.entries()[layout.find(name).unwrap()];
    &checkpoint.parameters[entry.range()]
}

#[test]
fn the_layout_is_the_state_dict_order_of_the_golden_files() {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
        shape: Vec<usize>,
    }
    #[derive(serde::Deserialize)]
    struct Golden {
        parameters: usize,
        parameter_order: Vec<Named>,
    }
    for name in ["A", "B"] {
        let golden = fs::read_to_string(fixture(name).join("golden.json")).unwrap();
        let golden: Golden = serde_json::from_str(&golden).unwrap();
        let layout = Checkpoint::open(&fixture(name), None).unwrap().config.layout();
        let ours: Vec<_> = layout.entries().iter().map(|e| (&e.name, &e.shape)).collect();
        let theirs: Vec<_> = golden.parameter_order.iter().map(|e| (&e.name, &e.shape)).collect();
        assert_eq!(ours, theirs);
        assert_eq!(layout.len(), golden.parameters);
    }
}

#[test]
fn both_kinds_of_folder_give_the_same_model() {
    let (ours, theirs) = (a(), Checkpoint::open(&fixture("A/nanochat"), None).unwrap());
    assert_eq!((ours.name.as_str(), theirs.name.as_str()), ("A", "nanochat step 300"));
    assert_eq!(ours.parameters, theirs.parameters);
    assert_eq!(ours.config, theirs.config);
    assert_eq!(ours.fingerprint(), theirs.fingerprint());
    assert!(ours.notes.is_empty() && theirs.notes.is_empty());
}

#[test]
fn a_saved_checkpoint_reads_back_the_same() {
    let folder = TempDir::new().unwrap();
    let saved = folder.path().join("new");
    let mut checkpoint = a();
    checkpoint.save(&saved).unwrap();
    checkpoint.save(&saved).unwrap();
    let back = Checkpoint::open(&saved, None).unwrap();
    assert_eq!(back, Checkpoint { name: "new".into(), ..checkpoint.clone() });
    assert_eq!(fs::read_dir(&saved).unwrap().count(), 2, "only the two files remain");

    let before = checkpoint.fingerprint();
    checkpoint.parameters[7] += 1e-12;
    assert_ne!(checkpoint.fingerprint(), before);
    // What f32 cannot hold to the last digit is written in f64.
    let fine = folder.path().join("fine");
    checkpoint.save(&fine).unwrap();
    assert_eq!(Checkpoint::open(&fine, None).unwrap().parameters, checkpoint.parameters);
    checkpoint.parameters[5] = f64::INFINITY;
    assert_says(&checkpoint.save(&saved).unwrap_err().to_string(), &["backout_lambda", "inf", "nothing was saved"]);
    assert_eq!(Checkpoint::open(&saved, None).unwrap(), back);
    let other = Checkpoint { config: GptConfig { window_pattern: "SL".into(), ..gpt(&a()) }.into(), ..a() };
    assert_ne!(other.fingerprint(), before);
}

#[test]
fn compiled_names_and_other_precisions_are_read() {
    let original = a();
    for (dtype, tolerance) in [(DType::BF16, 1.0 / 256.0), (DType::F16, 1.0 / 1024.0), (DType::F64, 0.0)] {
        let folder = changed(|tensors| {
            *tensors = tensors.drain().map(|(k, t)| (format!("_orig_mod.{k}"), t.to_dtype(dtype).unwrap())).collect();
        });
        let read = Checkpoint::open(folder.path(), None).unwrap();
        let close =
            |(x, y): (&f64, &f64)| (x - y).abs() <= tolerance * x.abs() + if tolerance > 0.0 { 1e-7 } else { 0.0 };
        assert!(original.parameters.iter().zip(&read.parameters).all(close), "{dtype:?}");
        assert_eq!(read.parameters == original.parameters, dtype == DType::F64);
    }
}

#[test]
fn a_compiled_bf16_pytorch_file_is_read() {
    let read = Checkpoint::open(&fixture("pt"), None).unwrap();
    assert_eq!(read.name, "pt step 200", "the newest step");
    let cut = |x: &f64| f64::from(f32::from_bits((*x as f32).to_bits() & 0xffff_0000));
    assert_eq!(read.parameters, a().parameters.iter().map(cut).collect::<Vec<_>>());
    assert_eq!(gpt(&read).window_pattern, "L", "an old meta file has no window_pattern");
}

#[test]
fn an_old_checkpoint_gets_neutral_values_and_says_so() {
    let old_names = |name: &str| {
        name.ends_with("lambdas")
            || name.ends_with("_lambda")
            || name.starts_with("smear_gate")
            || name.starts_with("value_embeds")
            || name.contains("ve_gate")
    };
    let folder = changed(|tensors| tensors.retain(|name, _| !old_names(name)));
    let from_safetensors = Checkpoint::open(folder.path(), None).unwrap();
    let from_pytorch = Checkpoint::open(&fixture("pt"), Some(100)).unwrap();
    assert_eq!(from_safetensors.parameters, from_pytorch.parameters);
    assert_eq!(from_safetensors.notes, from_pytorch.notes);

    let original = a();
    for entry in original.config.layout().entries() {
        let read = part(&from_pytorch, &entry.name);
        match entry.name.as_str() {
            "resid_lambdas" => assert_eq!(read, [1.0, 1.0]),
            name if old_names(name) => assert!(read.iter().all(|x| *x == 0.0), "{name}"),
            name => assert_eq!(read, part(&original, name)),
        }
    }
    assert_eq!(from_pytorch.notes.len(), 5);
    assert_says(&from_pytorch.notes.join("\n"), &["resid_lambdas", "x0_lambdas", "smear off", "backout off"]);

    let folder = changed(|tensors| tensors.retain(|name, _| name != "smear_lambda"));
    assert_says(&refusal(folder.path()), &["model.safetensors: missing keys: smear_lambda"]);
}

#[test]
fn a_step_that_is_not_there_lists_those_that_are() {
    let error = Checkpoint::open(&fixture("pt"), Some(300)).unwrap_err().to_string();
    assert_says(&error, &["--step: 300", "1, 2, 100, 200"]);
    let error = Checkpoint::open(&fixture("A"), Some(300)).unwrap_err().to_string();
    assert_says(&error, &["--step", "single checkpoint"]);
}

#[test]
fn missing_files_are_named() {
    let folder = TempDir::new().unwrap();
    assert_says(&refusal(folder.path()), &["model.safetensors", "config.json", "model_NNNNNN.pt"]);
    assert_says(&refusal(&folder.path().join("nowhere")), &["nowhere", "No such file"]);
    assert_says(&refusal(&fixture("A/config.json")), &["config.json", "give the folder"]);

    let folder = changed(|_| ());
    fs::remove_file(folder.path().join("config.json")).unwrap();
    assert_says(&refusal(folder.path()), &["config.json", "No such file"]);

    let folder = pytorch_copy("A/nanochat", 300);
    fs::remove_file(folder.path().join("meta_000300.json")).unwrap();
    assert_says(&refusal(folder.path()), &["meta_000300.json", "No such file"]);
}

#[test]
fn truncated_files_are_named_at_every_length() {
    let folder = changed(|_| ());
    let path = folder.path().join("model.safetensors");
    let whole = fs::read(&path).unwrap();
    for length in [0, 4, 8, 100, 2000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_says(&refusal(folder.path()), &["model.safetensors: not a whole safetensors file", "copy it again"]);
    }
    fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
    assert_says(&refusal(folder.path()), &["not a whole safetensors file"]);

    let folder = pytorch_copy("A/nanochat", 300);
    let path = folder.path().join("model_000300.pt");
    let whole = fs::read(&path).unwrap();
    for length in [0, 10, 5000, whole.len() / 2, whole.len() - 1] {
        fs::write(&path, &whole[..length]).unwrap();
        assert_says(&refusal(folder.path()), &["model_000300.pt: not a whole PyTorch file", "copy it again"]);
    }
}

#[test]
fn pickles_that_are_malformed_or_call_functions_are_refused_and_not_run() {
    let error = Checkpoint::open(&fixture("pt"), Some(1)).unwrap_err().to_string();
    assert_says(&error, &["model_000001.pt: not a whole PyTorch file: a is not described as a tensor is"]);
    let error = Checkpoint::open(&fixture("pt"), Some(2)).unwrap_err().to_string();
    assert_says(
        &error,
        &["model_000002.pt: its pickle is not that of a state dict", "posix.system", "nothing in it was run"],
    );
    assert!(!Path::new("pickle-was-run").exists());
}

#[test]
fn wrong_keys_shapes_types_and_values_are_named() {
    let folder = changed(|tensors| {
        let first = tensors["smear_lambda"].clone();
        tensors.insert("transformer.h.0.attn.bias".into(), first);
    });
    assert_says(&refusal(folder.path()), &["unknown keys", "nanochat 2×64", "transformer.h.0.attn.bias"]);

    let folder = changed(|tensors| tensors.retain(|name, _| !name.starts_with("transformer.h.1")));
    assert_says(&refusal(folder.path()), &["missing keys: transformer.h.1.attn.c_q.weight", "and 2 more"]);

    let folder = changed(|tensors| {
        let head = tensors["lm_head.weight"].narrow(0, 0, 255).unwrap().contiguous().unwrap();
        tensors.insert("lm_head.weight".into(), head);
    });
    assert_says(&refusal(folder.path()), &["lm_head.weight has shape [255, 64], expected [256, 64]"]);

    let folder = changed(|tensors| {
        let first = tensors["smear_lambda"].clone();
        tensors.insert("_orig_mod.smear_lambda".into(), first);
    });
    assert_says(&refusal(folder.path()), &["_orig_mod.smear_lambda and smear_lambda are the same parameter"]);

    let folder = changed(|tensors| {
        tensors.insert("smear_lambda".into(), Tensor::zeros(1, DType::U8, &Device::Cpu).unwrap());
    });
    assert_says(&refusal(folder.path()), &["smear_lambda holds U8"]);

    for (value, text) in [(f32::NAN, "NaN"), (f32::NEG_INFINITY, "-inf")] {
        let folder = changed(|tensors| {
            let mut table = tensors["transformer.wte.weight"].to_vec2::<f32>().unwrap();
            table[3][5] = value;
            tensors.insert("transformer.wte.weight".into(), Tensor::new(table, &Device::Cpu).unwrap());
        });
        assert_says(&refusal(folder.path()), &[&format!("transformer.wte.weight[3, 5] is {text}")]);
    }
}

#[test]
fn a_config_that_describes_no_model_is_named_with_its_key() {
    let folder = changed(|_| ());
    let path = folder.path().join("config.json");
    let with = |from: &str, to: &str| {
        let text = fs::read_to_string(fixture("A/config.json")).unwrap();
        assert!(text.contains(from));
        fs::write(&path, text.replace(from, to)).unwrap();
        let message = refusal(folder.path());
        assert_says(&message, &["config.json"]);
        message
    };
    assert_says(&with("\"n_head\": 2", "\"n_head\": 3"), &["n_embd 64 is not a multiple of n_head 3"]);
    assert_says(&with("\"n_layer\": 2", "\"n_layer\": 0"), &["n_layer is 0"]);
    assert_says(&with("\"n_layer\": 2", "\"n_layer\": -2"), &["-2"]);
    assert_says(&with("\"n_layer\": 2,", ""), &["missing field `n_layer`"]);
    assert_says(&with("\"n_layer\"", "\"dropout\": 0, \"n_layer\""), &["unknown field `dropout`", "n_embd"]);
    assert_says(&with("\"L\"", "\"LX\""), &["window_pattern", "'X'"]);
    assert_says(&with("}", ""), &["EOF"]);

    let folder = pytorch_copy("A/nanochat", 300);
    fs::write(folder.path().join("meta_000300.json"), "{\"step\": 300}").unwrap();
    assert_says(&refusal(folder.path()), &["meta_000300.json", "model_config"]);
    fs::write(folder.path().join("meta_000300.json"), "{\"model_config\": {\"n_layer\": 2}}").unwrap();
    assert_says(&refusal(folder.path()), &["meta_000300.json", "model_config: missing field"]);
}

#[test]
fn token_files_are_checked_row_by_row() {
    let config = a().config;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokens.json");
    let read = |text: &str| {
        fs::write(&path, text).unwrap();
        Sequences::from_tokens(&path, &config)
    };
    let good = read(r#"{"inputs": [[1, 2], [3, 4]], "targets": [[2, 3], [4, 255]]}"#).unwrap();
    assert_eq!((good.name.as_str(), good.rows(), good.row_len()), ("tokens.json", 2, 2));
    let bad = |text: &str, parts: &[&str]| {
        let message = read(text).unwrap_err().to_string();
        assert_says(&message, parts);
        assert_says(&message, &["tokens.json"]);
    };
    bad(r#"{"inputs": [], "targets": []}"#, &["there are no rows"]);
    bad(r#"{"inputs": [[]], "targets": [[]]}"#, &["rows have 0 tokens"]);
    bad(r#"{"inputs": [[1]], "targets": []}"#, &["inputs has 1 rows but targets has 0"]);
    bad(r#"{"inputs": [[1, 2], [3]], "targets": [[2, 3], [4, 5]]}"#, &["inputs row 1 has 1 tokens"]);
    bad(r#"{"inputs": [[1, 2], [3, 4]], "targets": [[2, 3], [4]]}"#, &["targets row 1 has 1 tokens"]);
    bad(r#"{"inputs": [[1, 2]], "targets": [[2, 256]]}"#, &["targets row 0, column 1: token 256", "vocabulary of 256"]);
    bad(r#"{"inputs": [[1, -2]], "targets": [[2, 3]]}"#, &["inputs row 0, column 1: token -2 is outside"]);
    bad(r#"{"inputs": [[1, 2]]}"#, &["missing field `targets`"]);
    bad(r#"{"inputs": [[1, 2]], "targets": [[2"#, &["EOF"]);
    let long = format!("{:?}", vec![0; 65]);
    bad(&format!(r#"{{"inputs": [{long}], "targets": [{long}]}}"#), &["rows have 65 tokens", "1 to 64"]);
    let missing = Sequences::from_tokens(&folder.path().join("none.json"), &config).unwrap_err().to_string();
    assert_says(&missing, &["none.json", "No such file"]);
}

#[test]
fn a_text_is_cut_into_rows_that_follow_each_other() {
    let config = a().config;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("book.txt");
    let bytes: Vec<u8> = (0..=128).collect();
    fs::write(&path, &bytes).unwrap();
    let read = || Sequences::from_text(&path, &Tokenizer::Bytes, config.limits().sequence_len, usize::MAX);
    let text = read().unwrap();
    assert_eq!((text.name.as_str(), text.rows(), text.row_len()), ("book.txt", 2, 64));
    assert_eq!((text.inputs[1][0], text.targets[0][63], text.targets[1][63]), (64, 64, 128));
    assert_eq!(text.check(&config), Ok(()));

    // Without the last byte the second row has no last target.
    fs::write(&path, &bytes[..128]).unwrap();
    let shorter = read().unwrap();
    assert_eq!(shorter.rows(), 1);
    assert_ne!(shorter.fingerprint(), text.fingerprint());

    fs::write(&path, &bytes[..64]).unwrap();
    assert_says(&read().unwrap_err().to_string(), &["book.txt: 64 tokens are too few", "65"]);
}
