//! The `eigentop` binary: hands the command line to [`eigentop::cli`].

// Large temporaries come and go with every product; an allocator that keeps their pages spares a page fault each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    eigentop::cli::main()
}
