//! The `eigentop` binary: hands the command line to [`eigentop::cli`].

// Large temporaries come and go with every product; an allocator that keeps their pages spares a page fault each.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    // Empty, it asks for nothing (no-color.org), but not every library that looks at it knows.
    if std::env::var_os("NO_COLOR").is_some_and(|value| value.is_empty()) {
        // SAFETY: no other thread is there yet that could look at the environment.
        unsafe { std::env::remove_var("NO_COLOR") };
    }
    eigentop::cli::main()
}
