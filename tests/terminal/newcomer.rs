//! A newcomer's session, from the first screen to its replay.

use crate::program::Program;
use crate::pty::{Terminal, key};

/// The closed form of J_sub that stands in the estimators' pane.
fn closed_form(screen: &str) -> Option<f64> {
    let line = screen.lines().find(|line| line.contains(" GM ") && line.contains("closed form"))?;
    line.split_once(" GM ")?.1.split_whitespace().next()?.parse().ok()
}

#[test]
fn a_newcomer_looks_around_saves_and_leaves_then_replays() {
    let p = Program::new();
    looks_around(&p);
    let list = p.run(&["sessions", "list"]).done();
    assert!(list.contains("1 in") && list.contains("first-look"), "{list}");
    let show = p.run(&["sessions", "show", "first-look"]).done();
    let end = show.lines().find(|line| line.trim_start().starts_with("ends"));
    assert!(end.is_some_and(|line| line.contains("running")), "{show}");
    replays(&p);
}

/// The embedded demo, with so many draws that there is a question when leaving.
fn looks_around(p: &Program) {
    let mut t = Terminal::start(&p.command(&["--n", "2", "--k", "2", "--draws", "100000"]), (120, 40));
    let screen = t.wait_for("λ₁");
    assert!(screen.lines().next().is_some_and(|line| line.starts_with(" eigentop  demo · ")), "{screen}");

    // σ moves, and with it what is computed from the coefficients, at once.
    let before = t.wait_until("J at σ = 1e-3", |s| closed_form(s).is_some());
    assert!(before.contains("σ ◂ 1e-3 ▸") && before.contains("J_full at σ = 1e-3"), "{before}");
    t.send(key::RIGHT);
    let after = t.wait_for("J_full at σ = 1.25e-3");
    assert!(after.contains("σ ◂ 1.25e-3 ▸"), "{after}");
    assert!(closed_form(&after).is_some() && closed_form(&after) != closed_form(&before), "{before}\n{after}");
    t.send(key::LEFT);
    let back = t.wait_for("J_full at σ = 1e-3");
    assert_eq!(closed_form(&back), closed_form(&before));

    // n moves, and the eigenvalues become those of another Hessian.
    t.send(key::DOWN);
    t.wait_for("n ◂ 2 ▸");
    t.send(key::RIGHT);
    t.wait_for("n ◂ 3 ▸");
    t.wait_for("λ of H^(3)");

    // A closer look at the curves, and back.
    t.send("+");
    t.wait_for("part, = whole");
    t.send("=");
    t.wait_gone("part, = whole");
    t.send("c");
    t.wait_for("←→ crosshair");
    t.send("c");
    t.wait_gone("←→ crosshair");

    t.send("z");
    t.wait_gone("3 Proxy ─");
    t.send("z");
    t.wait_for("3 Proxy ─");
    t.send("?");
    t.wait_for("Leave; asks first while computing");
    t.send(key::ESCAPE);
    t.wait_gone("Leave; asks first while computing");

    t.send("s");
    t.wait_for("save as =");
    t.send("first-look");
    t.wait_for("save as = first-look");
    t.send(key::ENTER);
    t.wait_for("saved to");
    assert!(p.sessions().join("first-look").is_dir());

    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    let left = t.wait_end();
    left.said(
        0,
        &["demo · n 3 · k 2 · stopped in stage", "λ of H^(3): ", "session first-look: eigentop replay first-look"],
    );
    left.gave_back();
}

/// The place in the recording, as it is drawn.
fn place(screen: &str) -> Option<&str> {
    screen.lines().find(|line| line.contains('●') && line.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// The same run from its recording.
fn replays(p: &Program) {
    let mut t = Terminal::start(&p.command(&["replay", "first-look"]), (120, 40));
    t.wait_for("▶ replay 1×");
    t.send(" ");
    t.wait_for("‖ replay 1×");
    t.send(key::END);
    let end = t.wait_for("λ of H^(3)");
    assert!(end.contains("n 3"), "{end}");
    t.send(key::HOME);
    t.wait_gone("λ₁");
    // Event by event, from the very first.
    t.send(",");
    t.wait_for("event 0/");
    t.send("..");
    t.wait_for("event 2/");
    t.send("}");
    t.wait_until("a mark", |s| !s.contains("event 2/"));
    t.send(key::HOME);
    // Nothing is played yet. Without waiting, a step could end at the very place of the mark, and no move would be seen.
    let mut screen = t.wait_until("the start", |s| place(s).is_some_and(|line| !line.contains('━')));
    // Forward by steps: the first eigenvalues come back, still of n = 2.
    for _ in 0..50 {
        if screen.contains("λ₁") {
            break;
        }
        t.send(key::RIGHT);
        screen = t.wait_until("another place", |now| place(now).is_some() && place(now) != place(&screen));
    }
    assert!(screen.contains("λ₁") && screen.contains("λ of H^(2)"), "{screen}");
    t.send(">");
    t.wait_for("‖ replay 2×");
    t.send(" ");
    t.wait_for("▶ replay 2×");
    t.send("q");
    let left = t.wait_end();
    left.said(0, &[]);
    left.gave_back();
}
