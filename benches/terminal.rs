//! What a user waits for, in the real program in a pseudo-terminal: `cargo bench --bench terminal`. Prints the time from
//! start to the first eigenvalue on the screen, and from a key to its answer while the engine computes.
#![cfg(unix)]

use std::time::Instant;

#[path = "../tests/program/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod program;
#[path = "../tests/terminal/pty.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod pty;

use program::Program;
use pty::{Terminal, key};

const KEYS: usize = 40;

fn main() {
    let p = Program::new();
    let began = Instant::now();
    // So many draws that the engine is busy for as long as keys are timed.
    let mut terminal = Terminal::start(&p.command(&["--draws", "100000"]), (120, 40));
    terminal.wait_for("eigentop  demo");
    let frame = began.elapsed().as_secs_f64();
    terminal.wait_for("λ₁");
    println!("first frame after {frame:.2} s, first eigenvalue after {:.2} s", began.elapsed().as_secs_f64());
    terminal.wait_for("J_full at σ = 1e-3");
    let mut seconds: Vec<f64> = (0..KEYS)
        .map(|i| {
            let (key, answer) =
                if i % 2 == 0 { (key::RIGHT, "σ ◂ 1.25e-3 ▸") } else { (key::LEFT, "σ ◂ 1e-3 ▸") };
            let pressed = Instant::now();
            terminal.send(key);
            terminal.wait_for(answer);
            pressed.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let [median, slowest] = [KEYS / 2, KEYS - 1].map(|i| 1e3 * seconds[i]);
    println!("a key is answered after {median:.0} ms (median of {KEYS}), {slowest:.0} ms at worst, while computing");
    terminal.send("q");
    terminal.wait_for("Leave?");
    terminal.send("s");
    terminal.wait_end().gave_back();
}
