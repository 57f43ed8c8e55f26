//! Where a benchmark runs: the machine in words, how busy it is, and how fast it multiplies matrices.

use std::time::Instant;

use serde::Serialize;

use crate::diff::primitive::Write;
use crate::diff::product::{product, rows, rows_mut};
use crate::math::array::Real;

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor, as the system names it.
    pub processor: String,
    /// Threads of the run.
    pub threads: usize,
    /// Operating system and architecture.
    pub system: String,
}

impl Machine {
    /// This one, with the threads of the pool in force.
    pub fn here() -> Machine {
        let named =
            |text: String| text.lines().find(|l| l.starts_with("model name"))?.split(": ").nth(1).map(str::to_owned);
        Machine {
            processor: std::fs::read_to_string("/proc/cpuinfo").ok().and_then(named).unwrap_or("unknown".into()),
            threads: rayon::current_num_threads(),
            system: format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH),
        }
    }
}

/// The system's load averages over 1, 5 and 15 minutes; NaN where it does not say.
pub(super) fn load() -> [f64; 3] {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split_whitespace().map(|x| x.parse().unwrap_or(f64::NAN));
    std::array::from_fn(|_| numbers.next().unwrap_or(f64::NAN))
}

/// 10⁹ operations a second of large matrix products on all threads of the pool in force: the fastest of `runs`.
pub fn matmul_gflops<T: Real>(runs: usize) -> f64 {
    const SIZE: usize = 768;
    const TOGETHER: usize = 4;
    let operations = (2 * SIZE * SIZE * SIZE * TOGETHER * rayon::current_num_threads()) as f64;
    let a = vec![T::of(0.5); SIZE * SIZE];
    let (a, mut best) = (rows(&a, SIZE), 0.0f64);
    for _ in 0..=runs {
        let began = Instant::now();
        rayon::broadcast(|_| {
            let mut c = vec![T::zero(); SIZE * SIZE];
            for _ in 0..TOGETHER {
                product(rows_mut(&mut c, SIZE), Write::Set, 1.0, a, a.transpose());
            }
        });
        best = best.max(operations / began.elapsed().as_secs_f64() * 1e-9);
    }
    best
}
