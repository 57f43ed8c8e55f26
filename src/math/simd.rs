//! Loops compiled for the processor at hand: portable code, built for SSE2 and for AVX2 with FMA, chosen at run time.
//! (Measured on a processor that has AVX-512: its build of these loops gains nothing over AVX2's.)
//!
//! A loop is only sure to be compiled for the wider instructions if all of it is inlined into one entry point. So loops
//! are written as [`Kernel`]s, through [`crate::kernel!`] or [`map`], out of the `#[inline(always)]` pieces [`sum`],
//! [`dot_row`] and [`put`]; closures are used for single elements alone, which the optimiser always inlines.

use super::array::Real;

/// A loop with its operands; [`run`] compiles it for the processor at hand. Written through [`crate::kernel!`].
pub trait Kernel {
    /// What the loop computes.
    type Output;

    /// The loop itself; must be `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Run a kernel compiled with the widest vector instructions of this processor.
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

/// The vector instructions in use, such as `AVX2 with FMA`; `none` without any.
pub fn level() -> &'static str {
    struct Name;
    impl pulp::WithSimd for Name {
        type Output = &'static str;

        fn with_simd<S: pulp::Simd>(self, _: S) -> &'static str {
            std::any::type_name::<S>()
        }
    }
    let name = pulp::Arch::new().dispatch(Name);
    match name.rsplit("::").next().unwrap_or(name) {
        "V3" => "AVX2 with FMA",
        "V4" => "AVX-512",
        "Scalar" => "none",
        other => other,
    }
}

/// Define a function whose body is a [`Kernel`]: `kernel! { fn name[T](x: &'a [T]) -> f64 { … } }`, with type parameters
/// bound by [`Real`] in the brackets and the lifetime `'a` for every reference.
#[macro_export]
macro_rules! kernel {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident[$($T:ident),*]($($arg:ident: $type:ty),* $(,)?) -> $out:ty $body:block)*) => {$(
        $(#[$meta])*
        #[inline]
        $vis fn $name<'a, $($T: $crate::math::array::Real),*>($($arg: $type),*) -> $out {
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

/// Whether a result replaces what its slot holds or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// The slot holds nothing yet: every element must be written.
    Set,
    /// Add to what the slot holds.
    Add,
}

/// Independent partial sums of a reduction. Eight fill a vector register; the processor overlaps neighbouring rows.
const LANES: usize = 8;

/// Σ term(x₁ᵢ, x₂ᵢ, …) in the precision of the terms, with a fixed order of summation. Rows must have one length.
#[inline(always)]
pub fn sum<const N: usize, T: Real, S: Real>(rows: [&[T]; N], term: impl Fn([T; N]) -> S) -> S {
    let len = rows[0].len();
    let parts = rows.map(|row| row[..len].as_chunks::<LANES>());
    let mut lanes = [S::zero(); LANES];
    for c in 0..len / LANES {
        let chunk = parts.map(|(whole, _)| &whole[c]);
        for (j, lane) in lanes.iter_mut().enumerate() {
            *lane += term(chunk.map(|x| x[j]));
        }
    }
    let rest = parts.map(|(_, rest)| &rest[..len % LANES]);
    for j in 0..len % LANES {
        lanes[j] += term(rest.map(|x| x[j]));
    }
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        let (low, high) = lanes.split_at_mut(width);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    lanes[0]
}

/// Σ xᵢ yᵢ in the operands' own precision, for rows inside a kernel. Both must have one length.
#[inline(always)]
pub fn dot_row<T: Real>(x: &[T], y: &[T]) -> T {
    sum([x, y], |[x, y]| x * y)
}

/// The largest element of a row inside a kernel; −∞ for none, and NaNs do not count.
#[inline(always)]
pub fn largest<T: Real>(row: &[T]) -> T {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut lanes = [T::neg_infinity(); LANES];
    for chunk in whole {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(T::neg_infinity(), |top, x| if *x > top { *x } else { top })
}

/// Set or add f(x₁ᵢ, x₂ᵢ, …) at every position i, for rows inside a kernel. Rows must be as long as `to`.
#[inline(always)]
pub fn put<const N: usize, T: Real>(write: Write, to: &mut [T], rows: [&[T]; N], f: impl Fn([T; N]) -> T) {
    let rows = rows.map(|row| &row[..to.len()]);
    match write {
        Write::Set => to.iter_mut().enumerate().for_each(|(i, o)| *o = f(rows.map(|x| x[i]))),
        Write::Add => to.iter_mut().enumerate().for_each(|(i, o)| *o += f(rows.map(|x| x[i]))),
    }
}

/// [`put`] as a kernel of its own, for whole arrays.
#[inline]
pub fn map<const N: usize, T: Real>(write: Write, to: &mut [T], rows: [&[T]; N], f: impl Fn([T; N]) -> T) {
    struct Map<'a, const N: usize, T, F> {
        write: Write,
        to: &'a mut [T],
        rows: [&'a [T]; N],
        f: F,
    }
    impl<const N: usize, T: Real, F: Fn([T; N]) -> T> Kernel for Map<'_, N, T, F> {
        type Output = ();

        #[inline(always)]
        fn run(self) {
            put(self.write, self.to, self.rows, self.f);
        }
    }
    run(Map { write, to, rows, f });
}

crate::kernel! {
    /// Σ xᵢ yᵢ accumulated in f64 with a fixed order of summation.
    pub fn dot[T](x: &'a [T], y: &'a [T]) -> f64 {
        sum([x, y], |[x, y]| x.wide() * y.wide())
    }

    /// Σ (xᵢ − yᵢ)² accumulated in f64 with a fixed order of summation.
    pub fn square_distance[T](x: &'a [T], y: &'a [T]) -> f64 {
        sum([x, y], |[x, y]| {
            let difference = x.wide() - y.wide();
            difference * difference
        })
    }

    /// sum += x.
    pub fn add_wide[T](x: &'a [T], sum: &'a mut [f64]) -> () {
        for (sum, x) in sum.iter_mut().zip(x) {
            *sum += x.wide();
        }
    }

    /// x = scale · wide, rounded once.
    pub fn narrow[T](scale: f64, wide: &'a [f64], x: &'a mut [T]) -> () {
        for (x, wide) in x.iter_mut().zip(wide) {
            *x = T::of(scale * *wide);
        }
    }
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
            assert_eq!(largest(&x), x.last().copied().unwrap_or(f32::NEG_INFINITY));
            assert_eq!(square_distance(&x, &vec![0.0; len]), expected);
        }
    }

    #[test]
    fn maps_set_or_add_every_element() {
        let (x, mut to) = ([1.0f32, 2.0, 3.0], [f32::NAN; 3]);
        map(Write::Set, &mut to, [&x, &x], |[x, y]| x * y);
        map(Write::Add, &mut to, [&x], |[x]| -x);
        assert_eq!(to, [0.0, 2.0, 6.0]);
    }
}
