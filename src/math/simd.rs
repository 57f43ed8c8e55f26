//! Loops compiled for the processor at hand: portable code, chosen at run time among SSE2, AVX2 and AVX-512 builds.

use super::array::Real;

/// Run `body` compiled with the widest vector instructions of this processor. Everything `body` calls should be
/// `#[inline(always)]`, or it runs with the baseline instructions.
#[inline(always)]
pub fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
}

/// A loop with its operands; [`run`] compiles it for the processor at hand. Written through [`crate::kernel!`].
pub trait Kernel {
    /// What the loop computes.
    type Output;

    /// The loop itself; must be `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Run a kernel compiled with the widest vector instructions of this processor, for certain. A closure given to
/// [`vectorised`] is only inlined if the optimiser finds it short enough (16 unrolled lanes are too long), and otherwise
/// runs with the baseline instructions.
#[inline(always)]
pub fn run<K: Kernel>(kernel: K) -> K::Output {
    struct Dispatched<K>(K);
    impl<K: Kernel> pulp::WithSimd for Dispatched<K> {
        type Output = K::Output;

        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
            self.0.run()
        }
    }
    pulp::Arch::new().dispatch(Dispatched(kernel))
}

/// Define a function whose body is a [`Kernel`]: `kernel! { fn name[T](x: &'a [T]) -> f64 { … } }`, with type parameters
/// bound by [`Real`] in the brackets and the lifetime `'a` for every reference.
#[macro_export]
macro_rules! kernel {
    ($($(#[$meta:meta])* fn $name:ident[$($T:ident),*]($($arg:ident: $type:ty),* $(,)?) -> $out:ty $body:block)*) => {$(
        $(#[$meta])*
        #[inline]
        pub(crate) fn $name<'a, $($T: $crate::math::array::Real),*>($($arg: $type),*) -> $out {
            struct Operands<'a, $($T),*> { $($arg: $type),* }
            impl<'a, $($T: $crate::math::array::Real),*> $crate::math::simd::Kernel for Operands<'a, $($T),*> {
                type Output = $out;

                #[inline(always)]
                fn run(self) -> $out {
                    let Operands { $($arg),* } = self;
                    $body
                }
            }
            $crate::math::simd::run(Operands { $($arg),* })
        }
    )*};
}

/// Independent partial sums of a reduction: enough to fill the vector units.
const LANES: usize = 16;

/// Σ f(i) over `len` terms in the terms' own precision, with a fixed order of summation. For short rows.
#[inline(always)]
pub fn sum<T: Real>(len: usize, f: impl Fn(usize) -> T) -> T {
    let mut lanes = [T::zero(); LANES];
    let whole = len / LANES * LANES;
    let mut i = 0;
    while i < whole {
        for (j, lane) in lanes.iter_mut().enumerate() {
            *lane += f(i + j);
        }
        i += LANES;
    }
    let mut total = lanes.iter().fold(T::zero(), |a, b| a + *b);
    for i in whole..len {
        total += f(i);
    }
    total
}

/// Σ xᵢ yᵢ in the operands' own precision; for short rows inside a [`vectorised`] body.
#[inline(always)]
pub fn dot_row<T: Real>(x: &[T], y: &[T]) -> T {
    let len = x.len().min(y.len());
    let (x, y) = (&x[..len], &y[..len]);
    sum(len, |i| x[i] * y[i])
}

/// Σ xᵢ yᵢ accumulated in f64 with a fixed order of summation.
pub fn dot<T: Real>(x: &[T], y: &[T]) -> f64 {
    let len = x.len().min(y.len());
    let (x, y) = (&x[..len], &y[..len]);
    vectorised(|| sum(len, |i| x[i].wide() * y[i].wide()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_cover_every_term() {
        for len in [0, 1, 15, 16, 17, 100] {
            let x: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let expected: f64 = (0..len).map(|i| (i * i) as f64).sum();
            assert_eq!(dot(&x, &x), expected);
            assert_eq!(f64::from(dot_row(&x, &x)), expected);
        }
    }
}
