//! Real texts: tokens as tiktoken and tokenizers give them, rows as nanochat packs them, and what is said when a file is
//! not as it should be. `fixtures/text/make_text.py` made the files and the golden numbers.

mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use eigentop::data::sequences::Sequences;
use eigentop::data::tokenizer::{Tokenizer, TokenizerChoice};
use eigentop::session::Metadata;
use program::Program;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/text").join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

fn open(choice: &str) -> Tokenizer {
    choice.parse::<TokenizerChoice>().unwrap().open().unwrap()
}

fn nanochat() -> Tokenizer {
    open(fixture("nanochat/tokenizer").to_str().unwrap())
}

fn tokenizers() -> [(&'static str, Tokenizer); 3] {
    [("nanochat", nanochat()), ("gpt2", open("gpt2")), ("json", open(fixture("json").to_str().unwrap()))]
}

#[track_caller]
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

#[test]
fn tokens_are_those_of_tiktoken_and_tokenizers() {
    let golden = golden("tokens.json");
    let text = golden["text"].as_str().unwrap().as_bytes();
    for (name, tokenizer) in tokenizers() {
        let expected: Vec<u32> = serde_json::from_value(golden["mixed"][name].clone()).unwrap();
        assert_eq!(tokenizer.encode(text).unwrap(), expected, "{name}");
        assert_eq!(tokenizer.beginning().map(u64::from), golden["bos"][name].as_u64(), "{name}");
        assert_eq!(tokenizer.vocabulary() as u64, golden["vocabulary"][name].as_u64().unwrap(), "{name}");
        assert_eq!(tokenizer.encode(b"").unwrap(), [0; 0]);
    }
    let bytes = open("bytes");
    assert_eq!(bytes.encode(text).unwrap(), text.iter().map(|b| u32::from(*b)).collect::<Vec<_>>());
}

#[test]
fn a_million_blanks_take_seconds_and_give_the_same_tokens() {
    let golden = golden("tokens.json");
    for (name, tokenizer) in tokenizers() {
        for (key, tail) in [("blanks", ""), ("blanks_then_x", "x")] {
            let runs: Vec<(u32, usize)> = serde_json::from_value(golden[key][name].clone()).unwrap();
            let expected: Vec<u32> = runs.iter().flat_map(|(token, count)| vec![*token; *count]).collect();
            let started = Instant::now();
            let tokens = tokenizer.encode((" ".repeat(1_000_000) + tail).as_bytes());
            assert!(started.elapsed() < Duration::from_secs(30), "{name}: {:?}", started.elapsed());
            if name == "json" {
                // That library would give other tokens without a word.
                assert_says(&tokens.unwrap_err(), &["1000000 bytes of whitespace on end"]);
                continue;
            }
            let tokens = tokens.unwrap();
            assert!(tokens == expected, "{name} {key}: {} tokens, expected {}", tokens.len(), expected.len());
        }
    }
}

#[test]
fn a_text_is_cut_into_rows_of_its_tokens() {
    let golden = golden("tokens.json");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mixed.txt");
    fs::write(&path, golden["text"].as_str().unwrap()).unwrap();
    let tokens: Vec<u32> = serde_json::from_value(golden["mixed"]["nanochat"].clone()).unwrap();
    let rows = Sequences::from_text(&path, &nanochat(), 32, usize::MAX).unwrap();
    assert_eq!(rows.inputs.concat(), tokens[..32 * ((tokens.len() - 1) / 32)]);
    assert_eq!(rows.targets.concat(), tokens[1..][..32 * ((tokens.len() - 1) / 32)]);

    fs::write(&path, b"caf\xe9").unwrap();
    let refused = Sequences::from_text(&path, &nanochat(), 2, 9).unwrap_err().to_string();
    assert_says(&refused, &["mixed.txt: not UTF-8", "byte 3", "--tokenizer bytes"]);
    assert_eq!(Sequences::from_text(&path, &Tokenizer::Bytes, 2, 9).unwrap().inputs, [[99, 97]]);
    fs::write(&path, b"\x1f\x8b\x08\x00").unwrap();
    let refused = Sequences::from_text(&path, &Tokenizer::Bytes, 2, 9).unwrap_err().to_string();
    assert_says(&refused, &["mixed.txt", "compressed", "gunzip"]);
}

#[test]
fn of_a_text_no_more_is_read_than_the_rows_need() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("long.txt");
    let words = "some words, and 22 more\n".repeat(20_000);
    fs::write(&path, [words.as_bytes(), b"caf\xe9 "].concat()).unwrap();
    for (name, tokenizer) in tokenizers() {
        let rows = Sequences::from_text(&path, &tokenizer, 32, 9).unwrap();
        let whole = tokenizer.encode(words.as_bytes()).unwrap();
        assert_eq!(rows.inputs.concat(), whole[..9 * 32], "{name}");
        assert_eq!(rows.targets.concat(), whole[1..][..9 * 32], "{name}");
        let refused = Sequences::from_text(&path, &tokenizer, 32, usize::MAX).unwrap_err().to_string();
        assert_says(&refused, &["long.txt: not UTF-8", &format!("byte {} ", words.len() + 3)]);
    }
    fs::write(&path, "").unwrap();
    let refused = Sequences::from_text(&path, &nanochat(), 32, 9).unwrap_err().to_string();
    assert_says(&refused, &["long.txt: 0 tokens are too few: one row takes 33"]);
}

fn pack(path: &Path, rows: usize) -> eigentop::error::Result<Vec<Vec<u32>>> {
    let sequences = Sequences::from_shards(path, &nanochat(), 64, rows)?;
    let whole = |(inputs, targets): (&Vec<u32>, &Vec<u32>)| {
        assert_eq!(inputs[1..], targets[..63]);
        inputs.iter().chain(targets.last()).copied().collect()
    };
    Ok(sequences.inputs.iter().zip(&sequences.targets).map(whole).collect())
}

#[test]
fn rows_are_those_that_nanochat_packs() {
    let golden = golden("rows.json");
    let rows = |key: &str| serde_json::from_value::<Vec<Vec<u32>>>(golden[key].clone()).unwrap();
    let packed = pack(&fixture("shards"), usize::MAX).unwrap();
    assert_eq!(packed.len() as u64, golden["count"].as_u64().unwrap());
    assert_eq!(packed[..24], rows("first"));
    assert_eq!(packed[packed.len() - 8..], rows("last"));
    assert_eq!(pack(&fixture("shards"), 24).unwrap(), rows("first"));
    // One shard alone is a shorter book, but a book.
    assert!(pack(&fixture("shards/shard_00001.parquet"), usize::MAX).unwrap().len() < packed.len());
}

/// The shards in a folder where they can be damaged.
fn shards() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["shard_00000.parquet", "shard_00001.parquet"] {
        fs::copy(fixture("shards").join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn what_lies_behind_the_rows_is_never_read() {
    let folder = shards();
    fs::write(folder.path().join("shard_00002.parquet"), "not a shard").unwrap();
    fs::write(folder.path().join("notes.txt"), "not a shard either").unwrap();
    // In the second shard, the end of the last row group too.
    let second = folder.path().join("shard_00001.parquet");
    let mut bytes = fs::read(&second).unwrap();
    let length = bytes.len();
    let footer = u32::from_le_bytes(bytes[length - 8..length - 4].try_into().unwrap()) as usize;
    bytes[length - 8 - footer - 2000..length - 8 - footer].fill(0x55);
    fs::write(&second, bytes).unwrap();
    let first: Vec<Vec<u32>> = serde_json::from_value(golden("rows.json")["first"].clone()).unwrap();
    assert_eq!(pack(folder.path(), 24).unwrap(), first);
    let refused = pack(folder.path(), 10_000).unwrap_err().to_string();
    assert_says(&refused, &["shard_00001.parquet: row group 3 cannot be read", "cut off or damaged"]);
    fs::copy(fixture("shards/shard_00001.parquet"), &second).unwrap();
    let refused = pack(folder.path(), 10_000).unwrap_err().to_string();
    assert_says(&refused, &["shard_00002.parquet: not a parquet file"]);
}

#[test]
fn shards_that_cannot_be_used_are_named() {
    let says = |path: &Path, parts: &[&str]| {
        let message = pack(path, 1).unwrap_err().to_string();
        assert_says(&message, parts);
    };
    let folder = shards();
    let first = folder.path().join("shard_00000.parquet");
    let whole = fs::read(&first).unwrap();
    for length in [9, 1000, whole.len() / 2, whole.len() - 1] {
        fs::write(&first, &whole[..length]).unwrap();
        says(folder.path(), &["shard_00000.parquet: its footer cannot be read", "cut off"]);
    }
    fs::write(&first, b"").unwrap();
    says(&first, &["shard_00000.parquet: not a parquet file"]);
    fs::write(&first, [b"\x1f\x8b\x08\x00", &whole[..]].concat()).unwrap();
    says(folder.path(), &["shard_00000.parquet", "compressed", "gunzip"]);
    says(&fixture("odd/no_text.parquet"), &["no_text.parquet: there is no column \"text\"", "content, url"]);
    says(&fixture("odd/numbers.parquet"), &["numbers.parquet", "holds no texts"]);
    says(&fixture("odd/lists.parquet"), &["lists.parquet: there is no column \"text\"", "text.list.element"]);
    says(&fixture("odd/not_utf8.parquet"), &["not_utf8.parquet: not UTF-8", "byte 4"]);
    says(&fixture("odd/no_rows.parquet"), &["no_rows.parquet", "too few for one row of 65 tokens"]);
    let empty = TempDir::new().unwrap();
    says(empty.path(), &["no shards (*.parquet) are in this folder"]);
    says(&empty.path().join("gone"), &["gone", "No such file"]);
    let bytes = Sequences::from_shards(&fixture("shards"), &Tokenizer::Bytes, 64, 1).unwrap_err().to_string();
    assert_says(&bytes, &["--tokenizer", "there is none, for all 256 of them are bytes", "--text"]);
    // Rows without a text are passed over: 100 times "two", which is longer, and then 100 times "one".
    let two = [&[722][..], &nanochat().encode(b"two").unwrap()].concat();
    assert_eq!(pack(&fixture("odd/gaps.parquet"), 1).unwrap(), [[two.repeat(16), vec![722]].concat()]);
}

/// A pickled `tiktoken.Encoding` of these ranks, as Python writes one.
fn pickled(ranks: &[(Vec<u8>, u32)], pattern: &str) -> Vec<u8> {
    fn text(text: &str) -> Vec<u8> {
        [&b"X"[..], &(text.len() as u32).to_le_bytes(), text.as_bytes()].concat()
    }
    let mut out = b"\x80\x04\x8c\x0dtiktoken.core\x8c\x08Encoding\x93)\x81}(".to_vec();
    out.extend([text("name"), text("mine"), text("pat_str"), text(pattern), text("mergeable_ranks")].concat());
    out.extend(b"}(");
    for (token, rank) in ranks {
        out.extend([&b"C"[..], &[token.len() as u8], token, b"J", &rank.to_le_bytes()].concat());
    }
    out.extend(b"u");
    out.extend([text("special_tokens"), b"}(".to_vec(), text("<|bos|>"), b"J\0\x04\0\0uub.".to_vec()].concat());
    out
}

#[test]
fn tokenizers_that_cannot_be_used_are_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tokenizer.pkl");
    let read = |path: &Path| TokenizerChoice::Path(path.to_owned()).open();
    let says = |contents: &[u8], parts: &[&str]| {
        fs::write(&path, contents).unwrap();
        let message = read(&path).unwrap_err().to_string();
        assert_says(&message, parts);
        assert_says(&message, &["tokenizer.pkl: "]);
    };
    let mut ranks: Vec<(Vec<u8>, u32)> = (0..=255u8).map(|byte| (vec![byte], byte.into())).collect();
    fs::write(&path, pickled(&ranks, r"\S+|\s+")).unwrap();
    let plain = read(&path).unwrap();
    assert_eq!((plain.vocabulary(), plain.beginning()), (1025, Some(1024)));
    assert_eq!(plain.encode(b"a b").unwrap(), [97, 32, 98]);

    ranks.push((b"ab".to_vec(), 300));
    says(&pickled(&ranks, r"\S+"), &["ranks are missing", "no token has rank 256"]);
    says(&pickled(&ranks[1..256], r"\S+"), &["ranks are missing: the byte 0x00 has none"]);
    says(&pickled(&ranks[..256], "("), &["its pattern cannot be used"]);
    let whole = pickled(&ranks[..256], r"\S+");
    says(&whole[..whole.len() / 2], &["byte ", "the file ends"]);
    says(b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R.", &["names os.system", "nothing in it was run"]);
    says(b"\x80\x04\x8c\x0dtiktoken.core\x8c\x08Encoding\x93)\x81\x8c\x0bcl100k_baseb.", &["cl100k_base", "no ranks"]);
    says(b"\x80\x04]\x94.", &["something else"]);
    says(b"\x1f\x8b\x08\x00", &["compressed", "gunzip"]);
    says(b"{}", &["not a pickle"]);
    says(b"", &["not a pickle"]);
    // What tiktoken knows by name, and so do we.
    fs::write(&path, b"\x80\x04\x8c\x0dtiktoken.core\x8c\x08Encoding\x93)\x81\x8c\x04gpt2b.").unwrap();
    assert_eq!(read(&path).unwrap().vocabulary(), 50257);

    let json = folder.path().join("tokenizer.json");
    fs::write(&json, "{\"model\": {}}").unwrap();
    assert_says(&read(&json).unwrap_err().to_string(), &["tokenizer.json: not a tokenizer"]);
    let model = folder.path().join("tokenizer.model");
    fs::write(&model, "").unwrap();
    assert_says(&read(&model).unwrap_err().to_string(), &["tokenizer.model: not a tokenizer by its name"]);
    let empty = TempDir::new().unwrap();
    assert_says(&read(empty.path()).unwrap_err().to_string(), &["neither tokenizer.pkl nor tokenizer.json"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_damaged_tokenizer_or_shard_is_read_or_refused(
        cut in 0.0f64..1.3,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let folder = TempDir::new().unwrap();
        for (name, from) in [
            ("tokenizer.pkl", "nanochat/tokenizer/tokenizer.pkl"),
            ("tokenizer.json", "json/tokenizer.json"),
            ("shard.parquet", "odd/gaps.parquet"),
        ] {
            let mut bytes = fs::read(fixture(from)).unwrap();
            bytes.truncate(((bytes.len() as f64 * cut) as usize).max(1));
            for (at, byte) in &changes {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            if name == "shard.parquet" {
                let _ = Sequences::from_shards(&path, &nanochat(), 16, 4);
            } else if let Ok(tokenizer) = TokenizerChoice::Path(path).open() {
                let _ = tokenizer.encode("a text,  of 12 \n\n words".as_bytes());
            }
        }
    }
}

const SIZES: [&str; 12] =
    ["--steps", "0", "--context", "64", "--layers", "1", "--width", "32", "--heads", "2", "--kv-heads", "1"];

#[test]
fn the_program_measures_packed_shards_and_reads_them_again() {
    let p = Program::new();
    let (tokenizer, data) = (fixture("nanochat/tokenizer"), shards());
    let (tokenizer, shards) = (tokenizer.to_str().unwrap(), data.path().to_str().unwrap());
    fs::write(p.path("text"), "").unwrap();
    let train = |out, more: &[&str]| p.run(&[&["train", "--out", out], &SIZES[..], more].concat());
    train("base/base_checkpoints/d1", &["--text", "text", "--tokenizer", tokenizer]).done();
    let measure = |more: &[&str]| {
        let knobs = ["measure", "--checkpoint", "base/base_checkpoints/d1", "--format", "json"];
        p.run(&[&knobs[..], &["--n", "2", "--k", "1", "--draws", "2", "--sigma", "1e-3"], more].concat())
    };
    // Nothing lies beside the checkpoint yet.
    measure(&["--shards", shards]).refused(1, &["--tokenizer", "731 tokens", "gpt2 or bytes"]);
    let given = measure(&["--shards", shards, "--tokenizer", tokenizer, "--rows", "5", "--session", "packed"]);
    assert!([0, 3].contains(&given.status), "{given:?}");
    let given: Value = serde_json::from_str(&given.out).unwrap();
    let losses = given["losses"].as_array().unwrap();
    assert_eq!(losses.len(), 5);
    // Untrained, it knows nothing about any of its tokens.
    assert!(losses.iter().all(|loss| (loss.as_f64().unwrap() - 731f64.ln()).abs() < 0.05), "{losses:?}");

    fs::create_dir_all(p.path("base/tokenizer")).unwrap();
    fs::copy(fixture("nanochat/tokenizer/tokenizer.pkl"), p.path("base/tokenizer/tokenizer.pkl")).unwrap();
    let found = measure(&["--shards", shards, "--rows", "5"]);
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert_eq!((&found["losses"], &found["fingerprints"]), (&given["losses"], &given["fingerprints"]));
    measure(&["--shards", shards, "--rows", "9999"]).refused(1, &["--rows", "9999", "450 rows of 64 tokens"]);

    let session = Metadata::read(&p.sessions().join("packed")).unwrap();
    let source = session.source().unwrap();
    let read = |session: &Metadata| source.reopen(session.knobs.n, &session.subject);
    assert_eq!(read(&session).unwrap().sequences.rows(), 5);
    fs::remove_file(data.path().join("shard_00000.parquet")).unwrap();
    assert_says(&read(&session).unwrap_err().to_string(), &["this is not the data of the session"]);

    train("small", &["--vocab", "512"]).done();
    p.run(&["measure", "--checkpoint", "small", "--shards", shards, "--tokenizer", tokenizer])
        .refused(1, &["tokenizer", "731 tokens", "only 512"]);
    p.run(&["measure", "--checkpoint", "small", "--text", "text", "--tokenizer", "gpt2"])
        .refused(1, &["--tokenizer: gpt2", "50257", "512"]);
    let doctor = p.command(&["doctor"]).env("NANOCHAT_BASE_DIR", p.path("base")).output().unwrap();
    assert_says(&String::from_utf8_lossy(&doctor.stdout), &["tokenizers", "gpt2", "tokenizer.pkl (731 tokens)"]);
}
