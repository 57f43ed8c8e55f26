//! The settings and the user's own keys, from the file to the screen and back.

use std::fs;

use crate::lasting;
use crate::program::Program;
use crate::pty::{Terminal, key};

#[test]
fn a_setting_is_changed_at_once_and_kept_in_the_file() {
    let p = Program::new();
    fs::create_dir_all(p.path("config")).unwrap();
    fs::write(p.path("config/config.toml"), "# mine\ndraws = 100000  # many\n").unwrap();
    fs::write(p.path("config/keymap.toml"), "[dashboard]\nsettings = 'ctrl-s'\n").unwrap();
    let mut command = lasting(&p, &["--record", "off"]);
    command.env("EIGENTOP_SEED", "7");
    let mut t = Terminal::start(&command, (120, 40));
    t.wait_for("λ₁");
    t.send("\x13");
    let screen = t.wait_for(" Settings ");
    let origin = |key: &str| {
        let line = screen.lines().find(|line| line.contains(&format!("│ {key} "))).unwrap_or_default().to_owned();
        ["flag", "environment", "file", "default"].into_iter().find(|o| line.contains(&format!(" {o} ")))
    };
    assert_eq!([origin(" k"), origin(" seed"), origin(" tol")], [Some("flag"), Some("environment"), Some("default")]);
    // Draws are set by flag here; the file gets what is kept.
    for _ in 0..3 {
        t.send(key::DOWN);
    }
    t.wait_for("Monte Carlo draws S");
    t.send(key::ENTER);
    t.send("8");
    t.send(key::ENTER);
    t.wait_for("S 8");
    t.send("s");
    t.wait_for("✓ draws = 8 saved to");
    assert_eq!(fs::read_to_string(p.path("config/config.toml")).unwrap(), "# mine\ndraws = 8  # many\n");
    t.send(key::ESCAPE);
    t.wait_gone(" Settings ");
    t.send(key::CTRL_C);
    t.send(key::CTRL_C);
    t.wait_end().said(0, &[]);
}

#[test]
fn a_keymap_that_cannot_be_used_is_named_before_the_terminal_is_touched() {
    let p = Program::new();
    fs::create_dir_all(p.path("config")).unwrap();
    fs::write(p.path("config/keymap.toml"), "[dashboard]\nqiut = 'x'\n").unwrap();
    let left = Terminal::start(&lasting(&p, &["--record", "off"]), (150, 30)).wait_end();
    left.said(1, &["keymap.toml: line 2: dashboard.qiut", "did you mean \"quit\"?"]);
    left.untouched();
}

#[test]
fn the_doctor_sees_the_terminal() {
    let p = Program::new();
    let left = Terminal::start(&p.command(&["doctor"]), (150, 50)).wait_end();
    left.said(0, &["150×50", "256 colours", "dark", "GFLOP/s", "COLORTERM=truecolor"]);
    left.untouched();
}
