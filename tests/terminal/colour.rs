//! Colours: none where the environment asks for none.

use std::collections::BTreeSet;

use crate::program::Program;
use crate::pty::{Terminal, key};
use crate::small;

/// The colour codes among the parameters of every "select graphic rendition" (`ESC [ … m`).
fn colours(stream: &str) -> BTreeSet<u16> {
    let sequences = stream.split("\x1b[").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
        rest[end..].starts_with('m').then(|| &rest[..end])
    });
    let parameters = sequences.flat_map(|s| s.split([';', ':'])).filter_map(|p| p.parse().ok());
    parameters.filter(|p| matches!(p, 30..=38 | 40..=48 | 90..=97 | 100..=107)).collect()
}

/// Everything written while a run is watched to its end, through two themes and the help.
fn watched(environment: &[(&str, &str)]) -> String {
    let p = Program::new();
    let mut command = small(&p, &["--record", "off"]);
    command.envs(environment.iter().copied());
    let mut t = Terminal::start(&command, (120, 40));
    t.wait_for("✓ complete");
    t.send("t");
    t.wait_for(" Themes ");
    t.send(key::DOWN);
    t.send(key::ENTER);
    t.wait_for("✓ theme");
    t.send("?");
    t.wait_for(" Help ");
    t.send("?");
    t.wait_gone(" Help ");
    t.send("q");
    let left = t.wait_end();
    left.said(0, &["complete"]);
    left.stream
}

#[test]
fn no_color_means_no_colour() {
    assert_eq!(colours(&watched(&[("NO_COLOR", "1"), ("COLORTERM", "truecolor")])), BTreeSet::new());
    // Without it there are: 24 bits where the terminal promises them.
    assert!(watched(&[("COLORTERM", "truecolor")]).contains("\x1b[38;2;"));
    let indexed = watched(&[]);
    assert!(indexed.contains("\x1b[38;5;") && !indexed.contains("38;2;"));
}
