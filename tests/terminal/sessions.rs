//! The list of sessions, and going on from a moment of one.

use std::fs;

use crate::program::Program;
use crate::pty::{Terminal, key};
use crate::small;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/A");

/// Record a short run on the fixture with its own file of tokens.
fn record(p: &Program, name: &str) {
    fs::copy(format!("{FIXTURE}/tokens.json"), p.path("tokens.json")).unwrap();
    let knobs = ["--n", "2", "--k", "2", "--draws", "4", "--threads", "1", "--session", name, "--out", "out.json"];
    let said = p.run(&[&["measure", "--checkpoint", FIXTURE, "--tokens", "tokens.json"], &knobs[..]].concat());
    assert!(matches!(said.status, 0 | 3), "{said:?}");
}

#[test]
fn sessions_are_found_described_and_replayed_from_the_list() {
    let p = Program::new();
    record(&p, "one");
    record(&p, "two");
    let mut t = Terminal::start(&p.command(&["sessions"]), (120, 40));
    t.wait_for("Sessions 2");
    t.send("/");
    t.send("two");
    t.wait_for("Sessions 1 of 2");
    t.send(key::ENTER);
    t.send("n");
    t.wait_for("note = ");
    t.send("looks fine");
    t.send(key::ENTER);
    t.wait_for("✓ two is described anew");
    t.wait_for("complete after");
    t.send(key::ENTER);
    t.wait_for("session two");
    t.send(key::END);
    t.wait_for("J_full");
    // Another one beside it.
    t.send("r");
    t.wait_for("Sessions 2");
    t.send("/");
    t.send("one");
    t.send(key::ENTER);
    t.wait_for("complete after");
    t.send("c");
    t.wait_for("B: one");
    t.wait_for("◆ B λ₁");
    t.send("q");
    let left = t.wait_end();
    left.said(0, &[]);
    left.gave_back();
    let show = p.run(&["sessions", "show", "two"]).done();
    assert!(show.contains("looks fine"), "{show}");
    // Elsewhere than on a terminal they are listed.
    assert_eq!(p.run(&["sessions"]).done(), p.run(&["sessions", "list"]).done());
}

#[test]
fn a_branch_goes_on_with_the_same_checkpoint_data_and_knobs() {
    let p = Program::new();
    record(&p, "trunk");
    let trunk = || ["session.toml", "events.jsonl"].map(|f| fs::read(p.sessions().join("trunk").join(f)).unwrap());
    let before = trunk();
    let mut replay = p.command(&["replay", "trunk"]);
    replay.env("COLORTERM", "truecolor");
    let mut t = Terminal::start(&replay, (120, 40));
    t.wait_for("replay 1×");
    t.send(":theme light\r");
    t.wait_for("✓ theme light");
    t.send(key::END);
    t.wait_for("J_full at σ = 1e-3");
    t.send("]");
    t.wait_for("σ ◂ 1.25e-3 ▸");
    t.send("b");
    t.wait_until("a live run", |s| s.contains("✓ complete") && !s.contains("replay 1×"));
    assert!(t.screen().contains("σ ◂ 1.25e-3 ▸") && t.screen().contains("n 2"), "{}", t.screen());
    t.send("q");
    let left = t.wait_end();
    left.said(0, &["complete after", "session "]);
    // What was chosen on the screen went along.
    let branch = left.stream.rsplit("\x1b[?1049h").next().unwrap();
    assert!(branch.contains("48;2;251;250;247") && !branch.contains("48;2;16;19;26"), "the theme is not light");
    let list = p.run(&["sessions", "list"]).done();
    let name = list.lines().find_map(|l| l.split_whitespace().next().filter(|n| n.starts_with("20"))).unwrap();
    let show = p.run(&["sessions", "show", name]).done();
    assert!(show.contains("branched from") && show.contains("trunk at"), "{show}");
    assert_eq!(trunk(), before, "the trunk is as it was");
}

#[test]
fn a_branch_from_files_that_changed_or_went_says_so_and_stays() {
    let p = Program::new();
    record(&p, "trunk");
    let tokens = fs::read_to_string(p.path("tokens.json")).unwrap();
    let refused = |why: &str| {
        let mut t = Terminal::start(&p.command(&["replay", "trunk"]), (160, 40));
        t.wait_for("replay 1×");
        t.send(key::END);
        t.wait_for("J_full at σ = 1e-3");
        t.send("b");
        let screen = t.wait_for(why);
        assert!(screen.contains("tokens.json"), "{screen}");
        t.wait_for("‖ replay 1×");
        t.send("q");
        t.wait_end().said(0, &[]);
    };
    let mut rows: serde_json::Value = serde_json::from_str(&tokens).unwrap();
    let first = rows["inputs"][0][0].as_u64().unwrap();
    rows["inputs"][0][0] = (if first == 1 { 2 } else { 1 }).into();
    fs::write(p.path("tokens.json"), rows.to_string()).unwrap();
    refused("this is not the data of the session");
    fs::remove_file(p.path("tokens.json")).unwrap();
    refused("No such file");
    let list = p.run(&["sessions", "list"]).done();
    assert!(list.contains("1 in"), "nothing was begun: {list}");
}

#[test]
fn panes_and_views_are_remembered_from_one_start_to_the_next() {
    let p = Program::new();
    let state = p.path("data/dashboard.toml");
    let mut t = Terminal::start(&small(&p, &["--record", "off"]), (120, 40));
    t.wait_for("First look?");
    t.wait_for("✓ complete");
    t.send("v");
    t.wait_for("residuals");
    t.send("2d");
    t.wait_gone("2 Ratio");
    assert!(!state.exists(), "it is written on the way out");
    t.send("q");
    t.wait_end().said(0, &[]);

    // Killed, it changes nothing.
    let mut t = Terminal::start(&small(&p, &["--record", "off"]), (120, 40));
    let screen = t.wait_for("✓ complete");
    assert!(screen.contains("1 Spectrum ─ residuals") && !screen.contains("2 Ratio"), "{screen}");
    assert!(!screen.contains("First look?"), "{screen}");
    let before = fs::read_to_string(&state).unwrap();
    t.send("2");
    t.wait_for("2 Ratio");
    t.signal("KILL");
    t.wait_end();
    assert_eq!(fs::read_to_string(&state).unwrap(), before);
}
