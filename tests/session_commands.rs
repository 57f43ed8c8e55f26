//! Sessions through the real program: listed, shown, reported again, removed; torn, damaged and newer ones.

mod program;
mod synthetic;

use std::fs;
use std::path::PathBuf;

use eigentop::engine::event::Stamped;
use eigentop::session::{Naming, Recorder, Store};
use program::Program;

/// Record events as a session of the program.
fn record(p: &Program, name: &str, events: &[Stamped]) -> PathBuf {
    let naming = Naming::Given(name.into());
    let recorder = Recorder::new(Store::at(p.sessions()), naming, synthetic::knobs(), None).unwrap();
    events.iter().for_each(|event| recorder.record(event).unwrap());
    p.sessions().join(name)
}

/// A run without its warning, so that nothing is in doubt.
fn calm() -> Vec<Stamped> {
    use eigentop::engine::event::Event;
    synthetic::run().into_iter().filter(|e| !matches!(e.event, Event::Warning { .. })).collect()
}

#[test]
fn sessions_are_listed_shown_and_removed() {
    let p = Program::new();
    assert!(p.run(&["sessions", "list"]).done().contains("no sessions"));
    record(&p, "one", &calm());
    record(&p, "two", &synthetic::run());
    let list = p.run(&["sessions", "list"]).done();
    let line = list.lines().find(|line| line.trim_start().starts_with("one")).unwrap();
    let events = calm().len().to_string();
    for word in ["quadratic", " 8 ", " 3 ", &events, "KiB"] {
        assert!(line.contains(word), "{word} is not in {line}");
    }
    let show = p.run(&["sessions", "show", "two"]).done();
    for word in ["a paraboloid", "c0ffee", "da7a", "n 8, k [1, 3]", "lanczos", "idle", "‖g‖ is 0.1"] {
        assert!(show.contains(word), "{word} is not in {show}");
    }
    assert_eq!(p.run(&["sessions", "path", "one"]).done().trim_end(), p.sessions().join("one").to_str().unwrap());
    assert_eq!(p.run(&["sessions", "path"]).done().trim_end(), p.sessions().to_str().unwrap());

    assert_eq!(p.run(&["sessions", "remove", "one"]).done(), "");
    assert!(!p.sessions().join("one").exists() && p.sessions().join("two").exists());
    for command in [&["sessions", "remove", "one"][..], &["sessions", "show", "one"], &["sessions", "path", "one"]] {
        p.run(command).refused(1, &["one", "no session of this name"]);
    }
    p.run(&["sessions", "remove", "../data/sessions/two"]).refused(2, &["../data/sessions/two"]);
    assert!(p.sessions().join("two").exists());
}

#[test]
fn a_replay_reports_what_the_run_knew() {
    let p = Program::new();
    let folder = record(&p, "calm", &calm());
    let json = p.run(&["replay", "calm", "--headless", "--format", "json"]).done();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["subspace"].as_array().unwrap().len(), 2);
    assert_eq!(document["warnings"].as_array().unwrap().len(), 0);
    // By path, into a file, from anywhere.
    let path = folder.to_str().unwrap();
    p.run(&["replay", path, "--headless", "--format", "json", "--out", "again.json"]).done();
    assert_eq!(fs::read_to_string(p.path("again.json")).unwrap(), json);
    for format in ["table", "csv", "md"] {
        assert!(p.run(&["replay", "calm", "--headless", "--format", format]).done().len() > 500);
    }
    p.run(&["replay", "nowhere", "--headless"]).refused(1, &["nowhere", "no session"]);
    p.run(&["replay", "./nowhere", "--headless"]).refused(1, &["./nowhere", "no session here"]);
}

#[test]
fn a_replay_shows_every_exhibit() {
    let p = Program::new();
    record(&p, "beside", &synthetic::exhibits::with_exhibits());
    let report = |format: &str| p.run(&["replay", "beside", "--headless", "--format", format]).done();
    let document: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    for (name, exhibit) in document["exhibits"].as_object().unwrap() {
        assert!(exhibit.is_object() || exhibit.as_array().is_some_and(|all| !all.is_empty()), "{name}");
    }
    let csv = report("csv");
    for quantity in ["traces_trace_a", "overlap", "density_curve", "law_share", "share_pick_freeze", "theory_slack"] {
        assert!(csv.contains(&format!("\n{quantity},")), "{quantity}");
    }
    for (format, heading) in [("table", ""), ("md", "## ")] {
        let text = report(format);
        for title in ["Probing laws side by side", "Theorem 2", "Proposition 3", "S-curve", "Slopes of log J"] {
            assert!(text.contains(&format!("\n{heading}{title}")), "{title} in {format}");
        }
    }
}

#[test]
fn doubt_is_status_3_and_a_stated_condition_is_not() {
    use eigentop::engine::event::{Event, Stamped, WarningName};
    let p = Program::new();
    let mut events = synthetic::run();
    record(&p, "conditional", &events);
    let json = p.run(&["replay", "conditional", "--headless", "--format", "json"]).done();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["warnings"][0]["name"], "far-from-minimiser");
    let event = Event::Warning { name: WarningName::NotConverged, message: "2 of 16 eigenpairs".into() };
    events.push(Stamped { t: 99.0, event });
    record(&p, "doubtful", &events);
    assert_eq!(p.run(&["replay", "doubtful", "--headless", "--format", "json"]).status, 3);
}

#[test]
fn a_torn_last_line_is_dropped_with_a_named_warning() {
    let p = Program::new();
    let events = record(&p, "torn", &calm()).join("events.jsonl");
    let bytes = fs::read(&events).unwrap();
    fs::write(&events, &bytes[..bytes.len() - 5]).unwrap();
    let json = p.run(&["replay", "torn", "--headless", "--format", "json"]).done();
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["warnings"][0]["name"], "torn-session");
    assert!(document["warnings"][0]["message"].as_str().unwrap().contains("events.jsonl"));
    assert!(p.run(&["sessions", "show", "torn"]).done().contains("torn and dropped"));
}

#[test]
fn damaged_newer_and_empty_sessions_are_refused_with_the_reason() {
    let p = Program::new();
    let folder = record(&p, "s", &calm());
    let events = folder.join("events.jsonl");
    let whole = fs::read_to_string(&events).unwrap();
    let replay = |contents: &str| {
        fs::write(&events, contents).unwrap();
        p.run(&["replay", "s", "--headless"])
    };
    replay(&whole.replacen("\"losses\"", "\"lasses\"", 1)).refused(1, &["events.jsonl", "line 4 is damaged"]);
    let newer = whole.replacen("\"format\":1", "\"format\":2", 1).replacen(env!("CARGO_PKG_VERSION"), "9.9.9", 1);
    replay(&newer).refused(1, &["eigentop 9.9.9", "format 2"]);
    replay("").refused(1, &["events.jsonl", "nothing was recorded"]);
    replay("hello\nworld\n").refused(1, &["events.jsonl", "line 1"]);
    let header = whole.split_inclusive('\n').next().unwrap();
    replay(header).refused(1, &["before a checkpoint was opened"]);

    // A session whose description is gone is still listed and replayed.
    fs::write(&events, &whole).unwrap();
    fs::write(folder.join("session.toml"), "not toml").unwrap();
    assert!(p.run(&["sessions", "list"]).done().contains("session.toml"));
    assert!(!p.run(&["replay", "s", "--headless"]).done().is_empty());
    p.run(&["sessions", "show", "s"]).refused(1, &["session.toml"]);
}

#[test]
fn a_session_being_recorded_is_not_removed() {
    let p = Program::new();
    let naming = Naming::Given("busy".into());
    let recorder = Recorder::new(Store::at(p.sessions()), naming, synthetic::knobs(), None).unwrap();
    calm().iter().take(5).for_each(|event| recorder.record(event).unwrap());
    p.run(&["sessions", "remove", "busy"]).refused(1, &["busy", "being recorded"]);
    drop(recorder);
    p.run(&["sessions", "remove", "busy"]).done();
}

#[test]
fn the_session_that_ships_replays_and_says_where_it_goes_on() {
    use eigentop::engine::source::Source;
    use eigentop::session::Metadata;
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions/demo");
    let p = Program::new();
    let said = p.run(&["replay", demo, "--headless", "--format", "json"]);
    assert!(matches!(said.status, 0 | 3) && said.err.is_empty(), "{said:?}");
    // n was turned from 7 to 8 on the way, σ up and back, and every exhibit was asked for.
    let metadata = Metadata::read(std::path::Path::new(demo)).unwrap();
    assert_eq!((metadata.note.as_str(), metadata.tags.len(), &metadata.branched_from), ("", 0, &None));
    assert_eq!(metadata.source().unwrap(), Source::demo());
    let problem = Source::demo().reopen(metadata.knobs.n, &metadata.subject);
    assert!(problem.is_ok(), "{:?}", problem.err());
}

#[test]
fn a_session_of_an_early_version_without_its_source_says_so() {
    let p = Program::new();
    let folder = record(&p, "early", &calm());
    let metadata = eigentop::session::Metadata::read(&folder).unwrap();
    let why = metadata.source().unwrap_err().to_string();
    assert!(why.contains("does not say where") && why.contains("--checkpoint"), "{why}");
}

#[test]
fn a_comparison_is_drawn_into_the_picture() {
    let p = Program::new();
    record(&p, "one", &calm());
    record(&p, "two", &calm());
    p.run(&["replay", "one", "--compare", "two", "--picture", "both.svg"]).done();
    let svg = fs::read_to_string(p.path("both.svg")).unwrap();
    // Words stand alone in a picture.
    assert!(svg.contains(">B:</text>") && svg.contains(">◆</text>"), "{svg}");
    p.run(&["replay", "one", "--compare", "nowhere", "--picture", "x.svg"]).refused(1, &["nowhere", "no session"]);
    p.run(&["replay", "one", "--compare", "two", "--headless"]).refused(2, &["--compare"]);
}
