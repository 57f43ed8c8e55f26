//! GPT-2 and Llama as Hugging Face stores them: the program against golden numbers made by another implementation
//! (`fixtures/make_hf.py`), and what it says of files that it cannot read.

mod program;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor, safetensors};
use eigentop::model::checkpoint::Checkpoint;
use program::Program;
use serde_json::{Value, json};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[track_caller]
fn assert_close(what: &str, got: &Value, want: &Value, tolerance: f64) {
    let (got, want) = (got.as_f64().unwrap(), want.as_f64().unwrap());
    assert!((got - want).abs() <= tolerance * want.abs(), "{what}: {got} {want}");
}

#[test]
fn the_program_agrees_with_another_implementation() {
    for (name, model) in [("gpt2", "GPT-2 2×48"), ("llama", "Llama 2×48")] {
        let p = Program::new();
        let (folder, tokens) = (fixture(name), fixture(name).join("tokens.json"));
        let source = ["--checkpoint", folder.to_str().unwrap(), "--tokens", tokens.to_str().unwrap()];
        let knobs = "--n 8 --k 4 --sigma 1e-3 --draws 2 --precision f64 --tol 1e-11 --record off --format json";
        let mut args = vec!["measure", "--probe-hvp"];
        args.extend(source);
        args.extend(knobs.split(' '));
        let said = p.run(&args);
        assert!([0, 3].contains(&said.status), "{said:?}");
        let (document, golden): (Value, _) =
            (serde_json::from_str(&said.out).unwrap(), read_json(&folder.join("golden.json")));
        for (i, want) in golden["losses"].as_array().unwrap().iter().enumerate() {
            assert_close("loss", &document["losses"][i], want, 1e-12);
        }
        for key in ["loss_n", "loss_n1", "grad_norm", "parameters"] {
            assert_close(key, &document[key], &golden[key], 1e-11);
        }
        assert_close("a", &document["a"], &golden["a"], 1e-10);
        for (i, value) in document["eigenvalues"].as_array().unwrap().iter().enumerate() {
            assert_close("eigenvalue", value, &golden["eigenvalues"][i], 1e-10);
        }
        for key in ["hvp_norm", "vHv"] {
            assert_close(key, &document[key], &golden[key], 1e-10);
        }
        let norms = document["tensor_norms"].as_array().unwrap();
        assert_eq!(norms.len(), golden["tensor_norms"].as_array().unwrap().len());
        for (got, want) in norms.iter().zip(golden["tensor_norms"].as_array().unwrap()) {
            assert_eq!(got["name"], want["name"]);
            assert_close("gradient of a tensor", &got["grad"], &want["grad"], 1e-9);
            assert_close("product of a tensor", &got["hvp"], &want["hvp"], 1e-9);
        }

        assert!(!p.sessions().exists(), "nothing was to be recorded");

        args = vec!["measure", "--print-parameters", "--format", "json"];
        args.extend(source);
        let order: Value = serde_json::from_str(&p.run(&args).done()).unwrap();
        let order: Vec<Value> = order
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| json!({"name": entry["name"], "shape": entry["shape"]}))
            .collect();
        assert_eq!(Value::from(order), golden["parameter_order"]);
        assert_eq!(Checkpoint::open(&folder, None).unwrap().config.to_string(), model);
    }
}

/// A copy of a fixture whose configuration and, if it is in one file, tensors were changed.
fn changed(name: &str, config: impl FnOnce(&mut Value), tensors: impl FnOnce(&mut HashMap<String, Tensor>)) -> TempDir {
    let folder = TempDir::new().unwrap();
    for entry in fixture(name).read_dir().unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let mut keys = read_json(&folder.path().join("config.json"));
    config(&mut keys);
    fs::write(folder.path().join("config.json"), keys.to_string()).unwrap();
    let weights = folder.path().join("model.safetensors");
    if weights.exists() {
        let mut all = safetensors::load(&weights, &Device::Cpu).unwrap();
        tensors(&mut all);
        safetensors::save(&all, &weights).unwrap();
    }
    folder
}

#[track_caller]
fn refused(folder: &TempDir, parts: &[&str]) {
    let message = Checkpoint::open(folder.path(), None).unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn configurations_that_are_not_known_are_refused_by_key() {
    let with = |name: &str, key: &str, value: Value| changed(name, |keys| keys[key] = value, |_| ());
    refused(&with("gpt2", "model_type", json!("bert")), &["config.json: model_type \"bert\"", "gpt2, llama"]);
    refused(&with("gpt2", "activation_function", json!("relu")), &["activation_function \"relu\"", "gelu_new"]);
    refused(&with("gpt2", "scale_attn_weights", json!(false)), &["scale_attn_weights is false"]);
    refused(&with("gpt2", "scale_attn_by_inverse_layer_idx", json!(true)), &["scale_attn_by_inverse_layer_idx"]);
    refused(&with("gpt2", "n_head", json!(5)), &["n_embd 48 is not a multiple of n_head 5"]);
    refused(&with("gpt2", "n_layer", json!(0)), &["n_layer is 0"]);
    refused(&with("llama", "hidden_act", json!("gelu")), &["hidden_act \"gelu\"", "silu"]);
    refused(&with("llama", "rope_scaling", json!({"type": "yarn", "factor": 2.0})), &["rope_type \"yarn\"", "llama3"]);
    refused(&with("llama", "rope_scaling", json!({"rope_type": "linear"})), &["rope_scaling", "factor"]);
    refused(&with("llama", "num_key_value_heads", json!(4)), &["num_attention_heads 6", "num_key_value_heads 4"]);
    refused(&with("llama", "rms_norm_eps", json!(0.0)), &["rms_norm_eps is 0"]);
}

#[test]
fn what_is_saved_reads_back_the_same() {
    for name in ["gpt2", "llama"] {
        let folder = TempDir::new().unwrap();
        let original = Checkpoint::open(&fixture(name), None).unwrap();
        original.save(&folder.path().join(name)).unwrap();
        assert_eq!(Checkpoint::open(&folder.path().join(name), None).unwrap(), original);
    }
}

#[test]
fn newer_rope_keys_say_the_same_as_older_ones() {
    let folder = changed(
        "llama",
        |keys| {
            let mut rope = keys["rope_scaling"].take();
            rope["rope_theta"] = keys["rope_theta"].take();
            keys["rope_parameters"] = rope;
        },
        |_| (),
    );
    let (old, new) = (Checkpoint::open(&fixture("llama"), None), Checkpoint::open(folder.path(), None));
    assert_eq!(old.unwrap().fingerprint(), new.unwrap().fingerprint());
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let bad = changed(
        "gpt2",
        |_| (),
        |tensors| {
            tensors.insert("h.1.mlp.c_fc.weight".into(), Tensor::zeros((192, 48), DType::F32, &Device::Cpu).unwrap());
        },
    );
    refused(&bad, &["transformer.h.1.mlp.c_fc.weight has shape [192, 48], expected [48, 192]"]);
    let bad = changed("gpt2", |_| (), |tensors| drop(tensors.remove("wpe.weight")));
    refused(&bad, &["missing keys: transformer.wpe.weight"]);

    // A head beside tied embeddings must be their copy.
    let copy = |tensors: &mut HashMap<String, Tensor>, scale: f64| {
        let head = (&tensors["wte.weight"] * scale).unwrap();
        tensors.insert("lm_head.weight".into(), head);
    };
    let same = changed("gpt2", |_| (), |tensors| copy(tensors, 1.0));
    let original = Checkpoint::open(&fixture("gpt2"), None).unwrap();
    assert_eq!(Checkpoint::open(same.path(), None).unwrap().parameters, original.parameters);
    let other = changed("gpt2", |_| (), |tensors| copy(tensors, 2.0));
    refused(&other, &["lm_head.weight is not transformer.wte.weight", "tied", "tie_word_embeddings"]);
    let untied = changed("gpt2", |keys| keys["tie_word_embeddings"] = json!(false), |tensors| copy(tensors, 2.0));
    let untied = Checkpoint::open(untied.path(), None).unwrap();
    assert_eq!(untied.parameters.len(), original.parameters.len() + 101 * 48);
}

#[test]
fn shards_must_be_there_and_hold_what_the_index_says() {
    let copy = || changed("llama", |_| (), |_| ());
    let (second, index) = ("model-00002-of-00002.safetensors", "model.safetensors.index.json");

    let folder = copy();
    fs::remove_file(folder.path().join(second)).unwrap();
    refused(&folder, &[second, index, "is missing"]);

    let folder = copy();
    let bytes = fs::read(folder.path().join(second)).unwrap();
    fs::write(folder.path().join(second), &bytes[..bytes.len() - 10]).unwrap();
    refused(&folder, &[second, "not a whole safetensors file"]);

    let edit = |change: fn(&mut Value)| {
        let folder = copy();
        let mut keys = read_json(&folder.path().join(index));
        change(&mut keys["weight_map"]);
        fs::write(folder.path().join(index), keys.to_string()).unwrap();
        folder
    };
    let folder = edit(|map| drop(map.as_object_mut().unwrap().remove("model.norm.weight")));
    refused(&folder, &[second, "puts elsewhere: model.norm.weight"]);
    let folder = edit(|map| map["model.norm.bias"] = map["model.norm.weight"].clone());
    refused(&folder, &[second, "lacks tensors", "model.norm.bias"]);
    let folder = edit(|map| map["model.norm.weight"] = json!("../elsewhere.safetensors"));
    refused(&folder, &[index, "../elsewhere.safetensors", "beside"]);
}

#[test]
fn a_folder_with_two_checkpoints_is_not_guessed_at() {
    let folder = changed("gpt2", |_| (), |_| ());
    for name in ["model_000300.pt", "meta_000300.json"] {
        fs::copy(fixture("A/nanochat").join(name), folder.path().join(name)).unwrap();
    }
    refused(&folder, &["model.safetensors and model_000300.pt", "--step 300"]);
    assert_eq!(Checkpoint::open(folder.path(), Some(300)).unwrap().config.to_string(), "nanochat 2×64");
}

#[test]
fn nanochats_own_folder_is_found_by_phase_and_tag() {
    let p = Program::new();
    for (phase, tag) in [("base", "d2"), ("base", "d10"), ("chatsft", "d2")] {
        let folder = p.path(&format!("home/{phase}_checkpoints/{tag}"));
        fs::create_dir_all(&folder).unwrap();
        for name in ["model_000300.pt", "meta_000300.json"] {
            fs::copy(fixture("A/nanochat").join(name), folder.join(name)).unwrap();
        }
    }
    let tokens = fixture("A/tokens.json");
    let measure = |args: &[&str]| {
        let mut all =
            "measure --n 1 --k 1 --sigma 1e-3 --draws 1 --tol 0.1 --format json".split(' ').collect::<Vec<_>>();
        all.extend(["--record", "off", "--tokens", tokens.to_str().unwrap(), "--checkpoint"]);
        all.extend(args);
        p.command(&all).env("NANOCHAT_BASE_DIR", p.path("home")).output().unwrap()
    };
    let fingerprint = Checkpoint::open(&fixture("A"), None).unwrap().fingerprint();
    for args in [&["base"][..], &["base", "--model-tag", "d2"], &["sft", "--step", "300"]] {
        let said = program::Said::of(measure(args));
        assert!([0, 3].contains(&said.status), "{said:?}");
        let document: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(document["fingerprints"]["checkpoint"], fingerprint);
    }
    let said = program::Said::of(measure(&["rl"]));
    said.refused(1, &["chatrl_checkpoints", "phases there: base, sft"]);
    let said = program::Said::of(measure(&["base", "--model-tag", "d20"]));
    said.refused(2, &["--model-tag: d20", "models there: d10, d2"]);
    let said = program::Said::of(measure(&["base", "--step", "1"]));
    said.refused(1, &["--step: 1 is not in", "d10", "300"]);
}
