//! The floating-point types every kernel is written for.

/// `f32` or `f64`.
pub trait Real:
    num_traits::Float
    + num_traits::NumAssign
    + faer::traits::RealField
    + std::iter::Sum
    + Default
    + std::fmt::Debug
    + Send
    + Sync
    + 'static
{
    /// Machine epsilon: the distance from 1 to the next number.
    const EPSILON: f64;

    /// A constant of this type.
    fn of(x: f64) -> Self;

    /// This number in double precision.
    fn wide(self) -> f64;

    /// eˣ within about one unit in the last place, without branches, so that loops over it vectorise. Arguments are
    /// clamped to the range whose exponentials are normal numbers.
    fn exp_fast(self) -> Self;
}

macro_rules! exp_fast {
    ($float:ty, $magic:expr, $mantissa:expr, $bias:expr, $low:expr, $high:expr, $ln2_hi:expr, $ln2_lo:expr, $poly:expr) => {
        #[inline(always)]
        fn exp_fast(self) -> $float {
            // eˣ = 2ᵏ eʳ with k the nearest integer to x/ln 2. Adding `magic` leaves k in the low bits of the sum.
            let x = if self < $low { $low } else { self };
            let x = if x > $high { $high } else { x };
            let shifted = x * std::f64::consts::LOG2_E as $float + $magic;
            let k = shifted - $magic;
            let r = (x - k * $ln2_hi) - k * $ln2_lo;
            let mut p = 0.0;
            for c in $poly {
                p = p * r + c;
            }
            let scale = <$float>::from_bits((shifted.to_bits() << $mantissa).wrapping_add($bias << $mantissa));
            p * scale
        }
    };
}

/// 1/i! for i = 13 … 0, the Taylor coefficients of eʳ, highest first.
const TAYLOR: [f64; 14] = {
    let mut c = [1.0; 14];
    let mut i = 1;
    let mut factorial = 1.0;
    while i < 14 {
        factorial *= i as f64;
        c[13 - i] = 1.0 / factorial;
        i += 1;
    }
    c
};

/// The last eight of [`TAYLOR`]: |r| ≤ ln 2 / 2 leaves an error of 5e-9.
const TAYLOR_F32: [f32; 8] = {
    let mut c = [0.0; 8];
    let mut i = 0;
    while i < 8 {
        c[i] = TAYLOR[6 + i] as f32;
        i += 1;
    }
    c
};

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;

    #[inline(always)]
    fn of(x: f64) -> f32 {
        x as f32
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        f64::from(self)
    }

    exp_fast!(f32, 12_582_912.0f32, 23, 127u32, -87.0, 88.0, 0.693_359_4_f32, -2.121_944_4e-4_f32, TAYLOR_F32);
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;

    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn wide(self) -> f64 {
        self
    }

    exp_fast!(
        f64,
        6_755_399_441_055_744.0f64,
        52,
        1023u64,
        -708.0,
        709.0,
        0.693_147_180_369_123_8_f64,
        1.908_214_929_270_587_7e-10_f64,
        TAYLOR
    );
}

/// tanh x with absolute error of a few units of roundoff: what a bounded non-linearity needs, and it vectorises.
#[inline(always)]
pub fn tanh_fast<T: Real>(x: T) -> T {
    let two = T::of(2.0);
    T::one() - two / ((two * x).exp_fast() + T::one())
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    T::one() / (T::one() + (-x).exp_fast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_accurate_to_the_last_bits() {
        for i in -8600..=8600 {
            let x = f64::from(i) / 100.0;
            let relative = (x.exp_fast() - x.exp()).abs() / x.exp();
            assert!(relative < 3.0 * f64::EPSILON, "f64 at {x}: {relative:e}");
            let x = x as f32;
            let exact = f64::from(x).exp();
            let relative = (f64::from(x.exp_fast()) - exact).abs() / exact;
            assert!(relative < 2.0 * f64::from(f32::EPSILON), "f32 at {x}: {relative:e}");
        }
        assert!(f32::NEG_INFINITY.exp_fast() < 2e-38 && f64::NEG_INFINITY.exp_fast() < 1e-300);
        assert!(f32::NAN.exp_fast().is_nan() && f64::NAN.exp_fast().is_nan());
    }

    #[test]
    fn bounded_functions() {
        for i in -400..=400 {
            let x = f64::from(i) / 20.0;
            assert!((tanh_fast(x) - x.tanh()).abs() < 4.0 * f64::EPSILON, "{x}");
            assert!((sigmoid(x) - 1.0 / (1.0 + (-x).exp())).abs() < 4.0 * f64::EPSILON, "{x}");
            let x = x as f32;
            assert!((tanh_fast(x) - x.tanh()).abs() < 4.0 * f32::EPSILON, "{x}");
        }
    }
}
