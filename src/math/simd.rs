//! Loops compiled for the processor at hand: portable code, chosen at run time among SSE2, AVX2 and AVX-512 builds.

/// Run `body` compiled with the widest vector instructions of this processor. Everything `body` calls should be
/// `#[inline(always)]`, or it runs with the baseline instructions.
#[inline(always)]
pub fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}
