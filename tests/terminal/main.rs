//! The real program in a pseudo-terminal, as a user sees it and as it leaves the terminal behind.
#![cfg(unix)]

mod colour;
mod ending;
mod jobs;
mod newcomer;
#[path = "../program/mod.rs"]
mod program;
mod pty;
mod refusals;
mod sessions;
mod settings;
mod sizes;
mod traffic;

use std::process::Command;

use program::Program;

/// The dashboard on a tiny checkpoint with few draws: complete in a second.
fn small(p: &Program, args: &[&str]) -> Command {
    on_fixture(p, &["--n", "2", "--draws", "4"], args)
}

/// The same with so many draws that it computes for as long as a test watches.
fn lasting(p: &Program, args: &[&str]) -> Command {
    on_fixture(p, &["--n", "2", "--draws", "100000"], args)
}

/// The dashboard on a tiny checkpoint.
fn on_fixture(p: &Program, knobs: &[&str], args: &[&str]) -> Command {
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/A");
    let tokens = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/A/tokens.json");
    let source = ["--checkpoint", fixture, "--tokens", tokens, "--k", "2", "--threads", "1"];
    p.command(&[&source, knobs, args].concat())
}
