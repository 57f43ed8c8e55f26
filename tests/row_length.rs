//! `--length`: rows of that many tokens from texts and shards, in sessions and what goes on from them, and what is
//! refused.

mod program;

use std::fs;
use std::path::{Path, PathBuf};

use eigentop::data::documents::Documents;
use eigentop::data::sequences::Sequences;
use eigentop::data::tokenizer::{Tokenizer, TokenizerChoice};
use eigentop::engine::source::{Data, Source};
use eigentop::session::Metadata;
use program::Program;
use serde_json::Value;

/// Flags of a run that takes a fraction of a second.
const QUICK: [&str; 10] = ["--n", "2", "--k", "1", "--sigma", "1e-3", "--draws", "2", "--format", "json"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn nanochat() -> Tokenizer {
    TokenizerChoice::Path(fixture("text/nanochat/tokenizer")).open().unwrap()
}

/// Fixture A, whose context is 64 bytes, with rows of a text of 1000 bytes.
fn source(text: &Path, length: Option<usize>) -> Source {
    Source { checkpoint: Some(fixture("A")), length, data: Data::Text(text.to_owned()), ..Source::demo() }
}

fn text(p: &Program) -> PathBuf {
    let path = p.path("text");
    fs::write(&path, (0..1000u32).map(|i| (i * i % 251) as u8).collect::<Vec<_>>()).unwrap();
    path
}

#[test]
fn a_text_is_cut_into_rows_of_the_length() {
    let p = Program::new();
    let path = text(&p);
    let bytes: Vec<u32> = fs::read(&path).unwrap().into_iter().map(u32::from).collect();
    for length in [2, 20, 63, 64] {
        let rows = source(&path, Some(length)).open(2).unwrap().sequences;
        assert_eq!((rows.row_len(), rows.rows()), (length, 32.min(999 / length)));
        for (i, (inputs, targets)) in rows.inputs.iter().zip(&rows.targets).enumerate() {
            assert_eq!(inputs, &bytes[i * length..][..length]);
            assert_eq!(targets, &bytes[i * length + 1..][..length]);
        }
    }
    assert_eq!(source(&path, None).open(2).unwrap().sequences.row_len(), 64);
    // The demo's rows come from a text too.
    let demo = Source { length: Some(7), ..Source::demo() }.open(40).unwrap().sequences;
    assert_eq!((demo.rows(), demo.row_len()), (41, 7));
}

/// The longest document that fits is next, the first of several, else the shortest; of them at least a thousand are at
/// hand while there are more.
fn packed(batches: &[Vec<Vec<u32>>], length: usize) -> Vec<Vec<u32>> {
    let (mut documents, mut batches, mut rows) = (Vec::<Vec<u32>>::new(), batches.iter(), Vec::new());
    loop {
        let mut row = Vec::new();
        while row.len() < length {
            while documents.len() < 1000
                && let Some(batch) = batches.next()
            {
                documents.extend(batch.iter().cloned());
            }
            let room = length - row.len();
            let mut best: Option<usize> = None;
            for (i, document) in documents.iter().enumerate().filter(|(_, document)| document.len() <= room) {
                best = best.filter(|best| documents[*best].len() >= document.len()).or(Some(i));
            }
            if best.is_none() {
                for (i, document) in documents.iter().enumerate() {
                    best = best.filter(|best| documents[*best].len() <= document.len()).or(Some(i));
                }
            }
            let Some(best) = best else { return rows };
            let document = documents.remove(best);
            row.extend(document.into_iter().take(room));
        }
        rows.push(row);
    }
}

#[test]
fn shards_are_packed_into_rows_of_the_length() {
    let (shards, tokenizer) = (fixture("text/shards"), nanochat());
    let (mut batches, mut reader) = (Vec::new(), Documents::open(&shards).unwrap());
    while let Some(batch) = reader.next_batch().unwrap() {
        let document = |text: &[u8]| [vec![tokenizer.beginning().unwrap()], tokenizer.encode(text).unwrap()].concat();
        batches.push(batch.texts.iter().map(|text| document(text.data())).collect::<Vec<_>>());
    }
    for length in [2, 17, 48, 400] {
        let rows = Sequences::from_shards(&shards, &tokenizer, length, usize::MAX).unwrap();
        let expected = packed(&batches, length + 1);
        assert!(expected.len() > 10);
        assert!(rows.inputs.iter().zip(&rows.targets).zip(&expected).all(|((inputs, targets), row)| {
            inputs == &row[..length] && targets == &row[1..] && Some(row[0]) == tokenizer.beginning()
        }));
        assert_eq!(rows.rows(), expected.len());
    }
}

#[test]
fn a_session_keeps_the_length_and_goes_on_with_it() {
    let p = Program::new();
    let (checkpoint, text) = (fixture("A"), text(&p));
    let of = ["--checkpoint", checkpoint.to_str().unwrap(), "--text", text.to_str().unwrap()];
    let run = |args: &[&str]| {
        let said = p.run(args);
        assert!([0, 3].contains(&said.status), "{said:?}");
        serde_json::from_str::<Value>(&said.out).unwrap()
    };
    let length = ["--length", "20", "--rows", "9"];
    let measured = run(&[&["measure"], &QUICK[..], &of, &length, &["--session", "short"]].concat());
    assert_eq!(measured["losses"].as_array().unwrap().len(), 9);
    let rows = Source { rows: 9.try_into().ok(), ..source(&text, Some(20)) };
    assert_eq!(measured["fingerprints"]["data"], rows.open(2).unwrap().sequences.fingerprint());

    let session = Metadata::read(&p.sessions().join("short")).unwrap();
    assert_eq!((session.source().unwrap().length, session.subject.tokens), (Some(20), 20));
    let again = session.source().unwrap().reopen(session.knobs.n, &session.subject).unwrap();
    assert_eq!((again.sequences.rows(), again.sequences.row_len()), (9, 20));
    // Sessions of before know no length.
    let file = p.sessions().join("short/session.toml");
    let before = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = before.lines().filter(|line| *line != "length = 20").collect();
    assert_eq!(lines.len() + 1, before.lines().count(), "{before}");
    fs::write(&file, lines.join("\n")).unwrap();
    let old = Metadata::read(&p.sessions().join("short")).unwrap();
    assert_eq!(old.source().unwrap(), Source { length: None, ..session.source().unwrap() });

    let growth = |more: &[&str]| run(&[&["growth", "--format", "json"], more].concat());
    let settings = ["--n", "3", "--points", "2", "--k", "1", "--sigma", "1e-3", "--probes", "2", "--session", "grown"];
    let first = growth(&[&settings[..], &of, &["--length", "20"]].concat());
    let resumed = growth(&["--resume", "grown", "--session", "resumed"]);
    assert_eq!(first["points"], resumed["points"]);
    let resumed = Metadata::read(&p.sessions().join("resumed")).unwrap();
    assert_eq!((resumed.source().unwrap().length, resumed.subject.tokens), (Some(20), 20));
    p.run(&["growth", "--resume", "grown", "--length", "20"]).refused(2, &["--resume", "--length"]);
}

#[test]
fn a_length_that_cannot_be_is_refused() {
    let p = Program::new();
    let text = text(&p);
    let (folder, text) = (fixture("A"), text.to_str().unwrap());
    let of = ["--checkpoint", folder.to_str().unwrap(), "--text", text, "--length"];
    for command in ["measure", "growth", "bench"] {
        p.run(&[&[command], &of[..], &["65"]].concat())
            .refused(if command == "bench" { 2 } else { 1 }, &["--length: rows of 65 tokens", "2 to 64"]);
    }
    for few in ["0", "1", "1.5", "many"] {
        p.run(&[&["measure"], &of[..], &[few]].concat()).refused(2, &["--length"]);
    }
    p.run(&["measure", "--checkpoint", "x", "--tokens", "y", "--length", "4"]).refused(2, &["--tokens", "--length"]);
    let train = ["train", "--out", "out", "--context", "16", "--text", text, "--length"];
    p.run(&[&train[..], &["17"]].concat()).refused(2, &["--length: rows of 17 tokens", "2 to 16"]);
    p.run(&["train", "--out", "out", "--tokens", "y", "--length", "4"]).refused(2, &["--tokens", "--length"]);
    // Every kind of model has a context of its own.
    for (kind, context) in [("A", 64), ("gpt2", 40), ("llama", 64)] {
        let source = |length| Source { checkpoint: Some(fixture(kind)), ..source(Path::new(text), Some(length)) };
        let refused = |length| source(length).open(2).unwrap_err().to_string();
        assert!(refused(context + 1).starts_with(&format!("--length: rows of {} tokens; this model", context + 1)));
        assert!(refused(1).contains(&format!("2 to {context}")), "{}", refused(1));
        let tokens = Source { data: Data::Tokens(fixture(kind).join("tokens.json")), ..source(context + 1) };
        assert!(tokens.open(2).unwrap_err().to_string().contains("length of their own"));
    }
}
