//! Loops compiled for the processor at hand: portable code, chosen at run time among SSE2, AVX2 and AVX-512 builds.

use super::array::Real;

/// Run `body` compiled with the widest vector instructions of this processor. Everything `body` calls should be
/// `#[inline(always)]`, or it runs with the baseline instructions.
#[inline(always)]
pub fn vectorised<R>(body: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(body)
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
