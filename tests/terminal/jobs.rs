//! Stopped and going on again, by key and by signal, as under a shell.

use std::process::Command;

use crate::lasting;
use crate::program::Program;
use crate::pty::{Terminal, key};

/// A shell, in the folder and the environment of `command`, and the line that runs it.
fn shell(flags: &[&str], command: &Command) -> (Command, String) {
    let mut shell = Command::new("bash");
    shell.args(["--norc", "--noprofile"]).args(flags).current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    shell.env("PS1", "shell> ").env("HISTFILE", "");
    (shell, quoted.join(" ") + "\r")
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    let p = Program::new();
    let (shell, line) = shell(&["-i"], &lasting(&p, &["--record", "off"]));
    let mut t = Terminal::start(&shell, (120, 40));
    t.wait_for("shell>");
    t.send(&line);
    t.wait_for("λ₁");
    for round in 1..=2 {
        t.send(key::CTRL_Z);
        t.wait_alternate(false);
        // The shell is there, and what it says stands on the normal screen.
        t.send(&format!("echo $(({round} + 40))-back\r"));
        let screen = t.wait_for(&format!("{}-back", round + 40));
        assert!(screen.contains("Stopped") && !screen.contains("λ₁"), "{screen}");
        t.send("fg\r");
        t.wait_alternate(true);
        t.wait_until("the whole dashboard", |s| s.contains("λ₁") && s.contains("q quit") && !s.contains("shell>"));
        // It listens again.
        t.send("?");
        t.wait_for(" Help ");
        t.send("?");
        t.wait_gone(" Help ");
    }
    t.send(key::CTRL_C);
    t.wait_for("Leave?");
    t.send("s");
    t.wait_for("stopped in stage");
    t.send("exit\r");
    t.wait_end().said(0, &["stopped in stage"]);
}

#[test]
fn a_stop_from_elsewhere_gives_the_terminal_back_too() {
    let p = Program::new();
    // A shell that waits for it, without job control of its own.
    let (mut script, line) = shell(&["-c"], &lasting(&p, &["--record", "off"]));
    script.arg(format!("{}; true", line.trim_end()));
    let mut t = Terminal::start(&script, (120, 40));
    t.wait_for("λ₁");
    t.signal_all("TSTP");
    t.wait_alternate(false);
    t.wait_stopped();
    t.resize(100, 30);
    t.signal_all("CONT");
    t.wait_alternate(true);
    t.wait_until("the dashboard of 100×30", |s| s.lines().count() == 30 && s.contains("λ₁") && s.contains("q quit"));
    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    t.wait_end().said(0, &["stopped in stage"]);
}

#[test]
fn without_a_shell_it_does_not_stop_for_good() {
    let p = Program::new();
    let mut t = Terminal::start(&lasting(&p, &["--record", "off"]), (120, 40));
    t.wait_for("λ₁");
    t.send(key::CTRL_Z);
    t.wait_for("✗ no shell started this");
    t.send("q");
    t.wait_for("Leave?");
    t.send("s");
    t.wait_end().said(0, &["stopped in stage"]);
}
