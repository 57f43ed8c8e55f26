//! How much is written to the terminal: little while computing, nothing when nothing happens.

use std::time::{Duration, Instant};

use crate::program::Program;
use crate::pty::Terminal;
use crate::{lasting, small};

/// Bytes a second that a dashboard of 120×40 may write.
const BUDGET: f64 = 30_000.0;

/// Assert that the next few seconds take no more than the budget.
#[track_caller]
fn keeps_to_the_budget(t: &Terminal, seconds: u64) {
    let (began, before) = (Instant::now(), t.written());
    std::thread::sleep(Duration::from_secs(seconds));
    let rate = (t.written() - before) as f64 / began.elapsed().as_secs_f64();
    assert!(rate > 0.0 && rate <= BUDGET, "{rate:.0} bytes a second");
}

#[test]
fn computing_and_replaying_keep_to_the_budget() {
    let p = Program::new();
    let mut t = Terminal::start(&lasting(&p, &["--session", "long"]), (120, 40));
    t.wait_for("λ₁");
    keeps_to_the_budget(&t, 4);
    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    t.wait_end().said(0, &["session long"]);

    let mut t = Terminal::start(&p.command(&["replay", "long", "--speed", "4"]), (120, 40));
    t.wait_for("▶ replay 4×");
    keeps_to_the_budget(&t, 2);
    t.send("q");
    t.wait_end().said(0, &[]);
}

#[test]
fn a_dashboard_at_rest_writes_nothing() {
    let p = Program::new();
    let mut t = Terminal::start(&small(&p, &["--record", "off"]), (120, 40));
    t.wait_for("✓ complete");
    // The hint of the first start is put away, so that it does not go by itself meanwhile.
    (0..6).for_each(|_| t.send("\t"));
    t.wait_gone("First look?");
    std::thread::sleep(Duration::from_millis(300));
    let before = t.written();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(t.written(), before);
    // A pointer that moves over no plot changes nothing either.
    t.send("\x1b[<35;1;1M\x1b[<35;2;1M");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(t.written(), before);
    t.send("q");
    t.wait_end().said(0, &[]);
}
