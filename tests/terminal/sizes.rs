//! Terminals of every size, and sizes that change.

use crate::program::Program;
use crate::pty::{Terminal, key};
use crate::{lasting, small};

#[test]
fn it_fits_terminals_of_usual_sizes() {
    let p = Program::new();
    for (columns, rows, panes) in [(80, 24, &["▸1 Spectrum"][..]), (200, 60, &["1 Spectrum ─", "4 Estimators ─"])]
    {
        let mut t = Terminal::start(&small(&p, &["--record", "off"]), (columns, rows));
        let screen = t.wait_for("✓ complete");
        let lines: Vec<&str> = screen.lines().collect();
        assert_eq!(lines.len(), usize::from(rows), "{screen}");
        assert!(lines[0].contains("eigentop") && lines[lines.len() - 1].contains("q quit"), "{screen}");
        for pane in panes {
            assert!(screen.contains(pane), "{pane} is not on\n{screen}");
        }
        // Complete, so there is nothing to ask.
        t.send("q");
        let left = t.wait_end();
        left.said(0, &["complete after", "λ of H^(2): "]);
        left.gave_back();
    }
}

#[test]
fn a_terminal_too_small_is_told_so() {
    let p = Program::new();
    let mut t = Terminal::start(&lasting(&p, &["--record", "off"]), (20, 5));
    let screen = t.wait_for("Please enlarge.");
    assert!(screen.contains("here are 20×5."), "{screen}");
    // The question how to leave is asked all the same.
    t.send("q");
    let screen = t.wait_for("Leave?");
    assert!(["f finish", "s stop", "c cancel"].iter().all(|answer| screen.contains(answer)), "{screen}");
    t.send("c");
    t.wait_for("Please enlarge.");
    t.resize_and_wait(12, 1);
    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    t.wait_end().said(0, &[]);
}

/// Whether the dashboard fills 120×40.
fn is_whole(screen: &str) -> bool {
    let lines: Vec<&str> = screen.lines().collect();
    let ends = lines.len() == 40 && lines[0].contains("eigentop") && lines[39].contains("q quit");
    ends && ["▸1 Spectrum", "2 Ratio ─", "3 Proxy ─", "4 Estimators ─", "λ₁"].iter().all(|s| screen.contains(s))
}

#[test]
fn a_size_undone_before_it_was_seen_is_drawn_anew() {
    let p = Program::new();
    let mut t = Terminal::start(&small(&p, &["--record", "off"]), (120, 40));
    t.wait_for("✓ complete");
    t.wait_until("the whole dashboard", is_whole);
    t.signal("STOP");
    t.resize(30, 10);
    t.resize(120, 40);
    assert!(!is_whole(&t.screen()), "the terminal has cut off what stood outside");
    t.signal("CONT");
    t.wait_until("the whole dashboard", is_whole);
    t.send("q");
    t.wait_end().said(0, &["complete"]);
}

#[test]
fn it_outlives_a_storm_of_sizes_while_computing() {
    const STORM: [(u16, u16); 12] = [
        (200, 60),
        (80, 24),
        (40, 12),
        (39, 12),
        (40, 11),
        (100, 30),
        (99, 30),
        (20, 5),
        (2, 1),
        (1, 2),
        (1, 1),
        (300, 90),
    ];
    let p = Program::new();
    let mut t = Terminal::start(&lasting(&p, &["--session", "storm"]), (120, 40));
    t.wait_for("λ₁");
    // First every size is drawn, with the help open too; then they come faster than they can be drawn.
    for keys in ["?", key::ESCAPE] {
        t.send(keys);
        for (columns, rows) in STORM {
            t.resize_and_wait(columns, rows);
        }
    }
    for (columns, rows) in STORM.into_iter().cycle().take(60) {
        t.resize(columns, rows);
    }
    t.resize(120, 40);
    t.wait_until("the whole dashboard", is_whole);
    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    let left = t.wait_end();
    left.said(0, &["session storm"]);
    left.gave_back();
}
