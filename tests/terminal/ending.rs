//! Ends that are not asked for: Ctrl-C, signals, and death at any moment.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::lasting;
use crate::program::Program;
use crate::pty::{Terminal, key};

/// Assert that a session can be read, whole, and that nothing of it is missing.
#[track_caller]
fn intact(p: &Program, session: &str) {
    let said = p.run(&["replay", session, "--headless", "--format", "json"]);
    assert!(matches!(said.status, 0 | 3) && said.err.is_empty(), "{said:?}");
    assert!(!said.out.contains("torn-session"), "{}", said.out);
    assert!(p.run(&["sessions", "list"]).done().contains(session));
}

/// Wait until a recording has this many lines.
fn wait_for_lines(events: &Path, lines: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while fs::read(events).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count()) < lines {
        assert!(Instant::now() < deadline, "{} does not grow", events.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn ctrl_c_asks_and_ctrl_c_again_leaves() {
    let p = Program::new();
    let mut t = Terminal::start(&lasting(&p, &["--session", "cut"]), (120, 40));
    t.wait_for("λ₁");
    p.run(&["sessions", "remove", "cut"]).refused(1, &["cut", "being recorded"]);
    t.send(key::CTRL_C);
    t.wait_for("Leave?");
    t.send(key::ESCAPE);
    t.wait_gone("Leave?");
    t.send(key::CTRL_C);
    t.wait_for("Leave?");
    t.send(key::CTRL_C);
    let left = t.wait_end();
    left.said(0, &["stopped in stage", "session cut: eigentop replay cut"]);
    left.gave_back();
    intact(&p, "cut");
}

#[test]
fn signals_that_ask_for_an_end_are_obeyed_in_good_order() {
    let p = Program::new();
    for signal in ["TERM", "INT", "HUP"] {
        let session = format!("got-{signal}");
        let t = Terminal::start(&lasting(&p, &["--session", &session]), (120, 40));
        t.wait_for("λ₁");
        t.signal(signal);
        let left = t.wait_end();
        left.said(0, &["stopped in stage", &format!("session {session}")]);
        left.gave_back();
        intact(&p, &session);
    }
}

#[test]
fn a_killed_run_leaves_a_session_that_reads_back() {
    let p = Program::new();
    let events = |session: &str| p.sessions().join(session).join("events.jsonl");
    // Moments of a run, and three at random within its first seconds.
    let moments = [2, 5, 20, 40, 80, 400].map(|lines| (lines, Duration::ZERO));
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    let random = [1, 3, 7].map(|i| (1, Duration::from_micros(u64::from(clock) * i % 2_000_000)));
    println!("random moments: {random:?}");
    for (i, (lines, later)) in moments.into_iter().chain(random).enumerate() {
        let session = format!("killed-{i}");
        let t = Terminal::start(&lasting(&p, &["--session", &session]), (120, 40));
        wait_for_lines(&events(&session), lines);
        std::thread::sleep(later);
        t.signal("KILL");
        assert!(t.wait_end().status.signal().is_some_and(|signal| signal.contains("Killed")));
        intact(&p, &session);
    }

    // Torn in the middle of its last line it is still shown, with a notice.
    let bytes = fs::read(events("killed-5")).unwrap();
    fs::write(events("killed-5"), &bytes[..bytes.len() - 7]).unwrap();
    let mut t = Terminal::start(&p.command(&["replay", "killed-5", "--speed", "1000"]), (160, 40));
    t.wait_for("replay 1000×");
    t.send(key::END);
    t.send("L");
    t.wait_for("was torn and dropped");
    t.send("q");
    t.wait_end().said(0, &[]);
    let said = p.run(&["replay", "killed-5", "--headless", "--format", "json"]);
    assert!(matches!(said.status, 0 | 3) && said.out.contains("torn-session"), "{said:?}");
    assert!(p.run(&["sessions", "list"]).done().contains("killed-5"));
}
