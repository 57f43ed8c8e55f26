//! What a user waits for, in the real program in a pseudo-terminal: `cargo bench --bench terminal`. Prints the time from
//! start to the first eigenvalue on the screen, from a key to its answer while the engine computes, the bytes a second
//! written to a terminal of 120×40 from start to end of a run on the demo, and what the dashboard costs at rest.
#![cfg(unix)]

use std::process::Command;
use std::time::{Duration, Instant};

#[path = "../tests/program/mod.rs"]
mod program;
#[path = "../tests/terminal/pty.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod pty;

use program::Program;
use pty::{Terminal, key};

const KEYS: usize = 40;

/// Seconds that the dashboard is watched at rest.
const REST: u64 = 10;

fn main() {
    let p = Program::new();
    answers(&p);
    traffic(&p);
}

/// How long a user waits.
fn answers(p: &Program) {
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

/// What goes over a slow link, and what is spent while nothing happens.
fn traffic(p: &Program) {
    let mut terminal = Terminal::start(&p.command(&["--record", "off"]), (120, 40));
    terminal.wait_for("λ₁");
    let began = Instant::now();
    let (mut seconds, mut before) = (Vec::new(), terminal.written());
    while !terminal.screen().contains("✓ complete") {
        std::thread::sleep(Duration::from_secs(1));
        let written = terminal.written();
        seconds.push((written - before) as f64 / 1e3);
        before = written;
    }
    let mean = seconds.iter().sum::<f64>() / began.elapsed().as_secs_f64();
    let worst = seconds.iter().fold(0.0, |most: f64, second| most.max(*second));
    println!(
        "written while computing at 120×40: {mean:.1} kB/s, {worst:.1} kB in the worst of {} seconds",
        seconds.len()
    );
    // The hint of the first start would go by itself meanwhile.
    (0..6).for_each(|_| terminal.send("\t"));
    std::thread::sleep(Duration::from_secs(1));
    let (before, spent) = (terminal.written(), processor_seconds(terminal.pid()));
    std::thread::sleep(Duration::from_secs(REST));
    let (written, spent) = (terminal.written() - before, processor_seconds(terminal.pid()) - spent);
    println!("at rest for {REST} s: {written} bytes written, {spent} s of processor time");
    terminal.send("q");
    terminal.wait_end().gave_back();
}

/// Whole seconds of processor time that a process took so far.
fn processor_seconds(pid: u32) -> u64 {
    let said = Command::new("ps").args(["-o", "cputimes=", "-p", &pid.to_string()]).output().expect("ps runs");
    String::from_utf8_lossy(&said.stdout).trim().parse().expect("seconds")
}
