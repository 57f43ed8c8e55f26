//! Colours: none where the environment asks for none.

use std::collections::BTreeSet;

use crate::program::Program;
use crate::pty::{Ground, Terminal, key};
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
fn watched(ground: Ground, args: &[&str], environment: &[(&str, &str)]) -> String {
    let p = Program::new();
    let mut command = small(&p, &[&["--record", "off"], args].concat());
    command.envs(environment.iter().copied());
    let mut t = Terminal::start_on(ground, &command, (120, 40));
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

const TRUE: (&str, &str) = ("COLORTERM", "truecolor");

#[test]
fn no_color_means_no_colour_unless_a_flag_says_otherwise() {
    let none = BTreeSet::new();
    assert_eq!(colours(&watched(Ground::Dark, &[], &[("NO_COLOR", "1"), TRUE])), none);
    assert_eq!(colours(&watched(Ground::Dark, &["--colour", "none"], &[TRUE])), none);
    // Empty, it asks for nothing.
    assert!(watched(Ground::Dark, &[], &[("NO_COLOR", ""), TRUE]).contains("\x1b[38;2;"));
    assert!(watched(Ground::Dark, &["--colour", "true"], &[("NO_COLOR", "1")]).contains("\x1b[38;2;"));
}

#[test]
fn colours_are_those_the_terminal_has() {
    // 24 bits where the terminal promises them.
    assert!(watched(Ground::Dark, &[], &[TRUE]).contains("\x1b[38;2;"));
    let indexed = watched(Ground::Dark, &[], &[]);
    assert!(indexed.contains("\x1b[38;5;") && !indexed.contains("38;2;"));
    // crossterm writes the sixteen as the first of the 256.
    let sixteen = watched(Ground::Dark, &["--colour", "16"], &[TRUE]);
    assert!(!sixteen.contains("8;2;"));
    let numbers = sixteen.split("8;5;").skip(1).filter_map(|rest| rest.split(['m', ';']).next()?.parse::<u16>().ok());
    let numbers: BTreeSet<u16> = numbers.collect();
    assert!(numbers.len() > 3 && numbers.iter().all(|n| *n < 16), "{numbers:?}");
}

/// The ground of the theme `dark`, and of `light`, as they are written.
const GROUNDS: [&str; 2] = ["48;2;16;19;26", "48;2;251;250;247"];

#[test]
fn the_theme_is_as_light_as_the_ground_unless_one_is_asked_for() {
    let grounds = |ground, args: &[&str]| {
        let p = Program::new();
        let mut command = small(&p, &[&["--record", "off"], args].concat());
        command.envs([TRUE]);
        let mut t = Terminal::start_on(ground, &command, (120, 40));
        t.wait_for("✓ complete");
        t.send("q");
        let stream = t.wait_end().stream;
        GROUNDS.map(|ground| stream.contains(ground))
    };
    assert_eq!(grounds(Ground::Light, &[]), [false, true]);
    assert_eq!(grounds(Ground::Dark, &[]), [true, false]);
    assert_eq!(grounds(Ground::Light, &["--theme", "dark"]), [true, false]);
    // A terminal that answers nothing holds nobody up.
    assert_eq!(grounds(Ground::Silent, &[]), [true, false]);
}
