//! Seconds of each sweep on fixture B, n = 8: `cargo bench --bench hvp [-- f64]`. Prints the median and the fastest of
//! several runs, and the ratio of each to the forward pass.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use eigentop::data::sequences::Sequences;
use eigentop::diff::primitive::Batch;
use eigentop::diff::risk::Risk;
use eigentop::math::array::Real;
use eigentop::model::checkpoint::Checkpoint;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const N: usize = 8;
const RUNS: usize = 15;

fn time(mut run: impl FnMut()) -> (f64, f64) {
    run();
    let mut seconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    (seconds[RUNS / 2], seconds[0])
}

fn bench<T: Real>(precision: &str) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/B");
    let checkpoint = Checkpoint::open(&folder, None).expect("fixture B");
    let rows = Sequences::from_tokens(&folder.join("tokens.json"), &checkpoint.config).expect("fixture B");
    let batches: Vec<Batch> =
        (0..N).map(|i| Batch::new(rows.inputs[i].clone(), rows.targets[i].clone(), rows.row_len())).collect();
    let w: Vec<T> = checkpoint.parameters.iter().map(|x| T::of(*x)).collect();
    let risk = || Risk::new(checkpoint.config.graph(rows.row_len()), batches.clone(), w.clone(), Arc::new(|| Ok(())));
    let mut at = risk();
    at.linearise(0..N).expect("finite");
    let v: Vec<T> = (0..w.len()).map(|i| T::of((i as f64).sin())).collect();
    let mut out = vec![T::zero(); w.len()];
    let forward = time(|| drop(at.losses(&[&w], 0..N)));
    let gradient = time(|| drop(risk().linearise(0..N)));
    let hvp = time(|| at.hvp(0..N, &v, &mut out).expect("not interrupted"));
    let jet = time(|| drop(at.jet(0..N, &v)));
    println!("fixture B, n = {N}, {precision}, {} threads: seconds, median (fastest)", rayon::current_num_threads());
    for (what, t) in [("forward", forward), ("linearise (gradient)", gradient), ("hvp", hvp), ("jet", jet)] {
        println!("  {what:<22} {:.4} ({:.4})   {:.2} × forward", t.0, t.1, t.1 / forward.1);
    }
}

fn main() {
    bench::<f32>("f32");
    if std::env::args().any(|a| a == "f64") {
        bench::<f64>("f64");
    }
}
