//! A Hessian–vector product allocates no arrays once its buffers exist.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use eigentop::data::sequences::Sequences;
use eigentop::diff::primitive::Batch;
use eigentop::diff::risk::Risk;
use eigentop::model::checkpoint::Checkpoint;

/// Lists of references and the thread pool's jobs are smaller; any array of activations or parameters is larger.
const SMALL: usize = 8 << 10;

/// The system's allocator, counting what is not small.
struct Counting;

static LARGE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed on unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGE.fetch_add(usize::from(layout.size() > SMALL), Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn products_allocate_nothing_large() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/B");
    let checkpoint = Checkpoint::open(&folder, None).unwrap();
    let rows = Sequences::from_tokens(&folder.join("tokens.json"), &checkpoint.config).unwrap();
    let batch = |i: usize| Batch::new(rows.inputs[i].clone(), rows.targets[i].clone(), rows.row_len());
    let w: Vec<f32> = checkpoint.parameters.iter().map(|x| *x as f32).collect();
    let graph = checkpoint.config.graph(rows.row_len());
    // One thread: how many buffers several threads need at once is a matter of chance.
    rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| {
        let mut risk = Risk::new(graph, (0..4).map(batch).collect(), w, Arc::new(|| Ok(())));
        // Two sequences keep their linearisation, two are linearised for every product.
        risk.keep(2);
        risk.linearise(0..4).unwrap();
        let v = vec![1.0; risk.parameters()];
        let mut out = v.clone();
        let mut large = || {
            let before = LARGE.load(Relaxed);
            risk.hvp(0..4, &v, &mut out).unwrap();
            LARGE.load(Relaxed) - before
        };
        assert!(large() > 0, "the first product makes the buffers");
        assert_eq!(large(), 0);
    });
}
