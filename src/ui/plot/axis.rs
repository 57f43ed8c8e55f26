//! Axes: a scale, bounds that are always usable, and ticks at 1, 2 and 5 times powers of ten with right labels.

use super::window::Span;

/// How data becomes distance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// Proportional.
    Linear,
    /// Logarithmic; values ≤ 0 have no place.
    Log,
    /// Logarithmic on both sides of zero and linear within ±`linear`.
    Symlog {
        /// Half-width of the linear part, in data units; positive.
        linear: f64,
    },
}

impl Scale {
    /// The place of `value` on the scale's own ruler; `None` where it has none.
    pub fn project(self, value: f64) -> Option<f64> {
        let place = match self {
            Scale::Linear => value,
            Scale::Log if value > 0.0 => value.log10(),
            Scale::Log => return None,
            Scale::Symlog { linear } => value.signum() * (value.abs() / linear).ln_1p() / std::f64::consts::LN_10,
        };
        place.is_finite().then_some(place)
    }

    /// The value at a place on the scale's own ruler: the inverse of [`Scale::project`].
    pub fn unproject(self, place: f64) -> f64 {
        match self {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
            Scale::Symlog { linear } => place.signum() * linear * (place.abs() * std::f64::consts::LN_10).exp_m1(),
        }
    }
}

/// A labelled place on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Where, in [0, 1] of the axis's length.
    pub position: f64,
    /// What stands there.
    pub label: String,
}

/// An axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    /// An axis over [`low`, `high`] in data units. Bounds that are reversed, equal, not finite or without a place on
    /// the scale are mended, so that every axis can be drawn.
    pub fn new(scale: Scale, low: f64, high: f64) -> Axis {
        let (mut low, mut high) = if low <= high { (low, high) } else { (high, low) };
        if scale.project(low).is_none() || scale.project(high).is_none() {
            (low, high) =
                if scale == Scale::Log && high > 0.0 && high.is_finite() { (high / 10.0, high) } else { (0.1, 1.0) };
        }
        if low == high {
            (low, high) = match scale {
                Scale::Log => (low / 2.0, high * 2.0),
                _ => {
                    let pad = if low == 0.0 { 1.0 } else { 0.1 * low.abs() };
                    (low - pad, high + pad)
                }
            };
        }
        Axis { scale, low, high }
    }

    /// The axis that holds all `values` that have a place on `scale`, with `margin` of its length to spare at each end.
    /// `None` if no value has a place.
    pub fn covering(scale: Scale, values: impl IntoIterator<Item = f64>, margin: f64) -> Option<Axis> {
        let placed = values.into_iter().filter(|v| scale.project(*v).is_some());
        let (low, high) = placed.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return None;
        }
        let tight = Axis::new(scale, low, high);
        let (low, high) = (scale.project(tight.low)?, scale.project(tight.high)?);
        let pad = margin * (high - low);
        Some(Axis::new(scale, scale.unproject(low - pad), scale.unproject(high + pad)))
    }

    /// The part `span` of this axis.
    pub fn part(&self, span: Span) -> Axis {
        if span == Span::default() {
            *self
        } else {
            Axis::new(self.scale, self.value(span.low()), self.value(span.high()))
        }
    }

    /// How data becomes distance on it.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// Its ends in data units, low < high.
    pub fn bounds(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The place of `value` in [0, 1] of the axis's length, outside that range if beyond the bounds; `None` where the
    /// scale has no place for it.
    pub fn position(&self, value: f64) -> Option<f64> {
        let (low, high) = (self.scale.project(self.low)?, self.scale.project(self.high)?);
        let position = (self.scale.project(value)? - low) / (high - low);
        position.is_finite().then_some(position)
    }

    /// The value at `position` in [0, 1] of the axis's length.
    pub fn value(&self, position: f64) -> f64 {
        let (low, high) = (self.scale.project(self.low).unwrap_or(0.0), self.scale.project(self.high).unwrap_or(1.0));
        self.scale.unproject(low + position * (high - low))
    }

    /// At most `most` ticks (at least two where `most` allows), ascending.
    pub fn ticks(&self, most: usize) -> Vec<Tick> {
        if most == 0 {
            return Vec::new();
        }
        let values = match self.scale {
            Scale::Linear => Vec::new(),
            Scale::Log => self.log_ticks(most),
            Scale::Symlog { linear } => self.symlog_ticks(linear, most),
        };
        // A part too short for two of 1, 2, 5 is nearly linear.
        let labelled: Vec<(f64, String)> = match values.len() {
            0 | 1 => self.linear_ticks(most),
            _ => values.into_iter().map(|v| (v, short(v))).collect(),
        };
        let placed = labelled.into_iter().filter_map(|(v, label)| Some(Tick { position: self.position(v)?, label }));
        placed.filter(|t| (-1e-9..=1.0 + 1e-9).contains(&t.position)).collect()
    }

    fn linear_ticks(&self, most: usize) -> Vec<(f64, String)> {
        let inside = |step: f64| {
            let first = (self.low / step - 1e-9).ceil();
            (first, ((self.high / step + 1e-9).floor() - first + 1.0).max(0.0) as usize)
        };
        // The finest step whose ticks fit; how many fall inside depends on where the bounds lie.
        let mut step = nice_step((self.high - self.low) / (2 * most) as f64);
        while inside(step).1 > most {
            step = nice_step(step * 1.5);
        }
        let (first, count) = inside(step);
        let decimals = -step.log10().floor();
        let label = |value: f64| {
            // Labels that need more than five decimals read better in scientific form, with the digits that tell
            // neighbours apart.
            if value == 0.0 && decimals > 5.0 {
                "0".to_owned()
            } else if decimals <= 5.0 && value.abs() < 1e5 {
                format!("{value:.*}", decimals.max(0.0) as usize)
            } else {
                let digits = value.abs().max(step).log10().floor() + decimals;
                format!("{value:.*e}", digits.clamp(0.0, 15.0) as usize)
            }
        };
        (0..count).map(|i| (first + i as f64) * step + 0.0).map(|v| (v, label(v))).collect()
    }

    fn log_ticks(&self, most: usize) -> Vec<f64> {
        let (first, last) = ((self.low.log10() - 1e-9).floor() as i32, (self.high.log10() + 1e-9).floor() as i32);
        let inside = |v: &f64| *v >= self.low * (1.0 - 1e-9) && *v <= self.high * (1.0 + 1e-9);
        let of = |mantissas: &'static [f64]| -> Vec<f64> {
            (first..=last).flat_map(|e| mantissas.iter().map(move |m| m * 10f64.powi(e))).filter(inside).collect()
        };
        for mantissas in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0][..]] {
            let ticks = of(mantissas);
            if (2..=most).contains(&ticks.len()) {
                return ticks;
            }
        }
        let decades = of(&[1.0]);
        if decades.len() < 2 {
            return decades;
        }
        let every = decades.len().div_ceil(most);
        // Multiples of the stride, so that 1e0 stays a tick while bounds move.
        decades.into_iter().filter(|v| (v.log10().round() as i32).rem_euclid(every as i32) == 0).collect()
    }

    fn symlog_ticks(&self, linear: f64, most: usize) -> Vec<f64> {
        let top = self.low.abs().max(self.high.abs());
        let (first, last) = (linear.log10().floor() as i32, top.log10().ceil() as i32);
        let of = |mantissas: &'static [f64]| -> Vec<f64> {
            let outer = (first..=last).flat_map(|e| mantissas.iter().map(move |m| m * 10f64.powi(e)));
            let outer: Vec<f64> = outer.filter(|v| *v >= linear * 0.999).collect();
            let both = outer.iter().rev().map(|v| -v).chain([0.0]).chain(outer.iter().copied());
            both.filter(|v| (self.low..=self.high).contains(v)).collect()
        };
        let fine = of(&[1.0, 2.0, 5.0]);
        if fine.len() <= most {
            return fine;
        }
        let decades = of(&[1.0]);
        let every = decades.len().div_ceil(most.max(1)).max(1);
        let zero = decades.iter().position(|v| *v == 0.0).unwrap_or(0);
        decades.iter().enumerate().filter(|(i, _)| i.abs_diff(zero) % every == 0).map(|(_, v)| *v).collect()
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
    steps.into_iter().find(|s| *s >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// A tick's value as short as it reads: `0.5`, `20`, `1e-4`.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    match rounded.abs() {
        a if a == 0.0 || (1e-2..1e4).contains(&a) => format!("{rounded}"),
        _ => format!("{rounded:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(axis: Axis, most: usize) -> Vec<String> {
        axis.ticks(most).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn linear_ticks_are_one_two_five() {
        assert_eq!(labels(Axis::new(Scale::Linear, 0.0, 90.0), 5), ["0", "20", "40", "60", "80"]);
        assert_eq!(labels(Axis::new(Scale::Linear, -0.42, 1.1), 4), ["0.0", "0.5", "1.0"]);
        assert_eq!(labels(Axis::new(Scale::Linear, 0.0, 3e-6), 4), ["0", "1e-6", "2e-6", "3e-6"]);
        let deep = Axis::new(Scale::Linear, 0.1234560, 0.1234568);
        assert_eq!(labels(deep, 4), ["1.234560e-1", "1.234565e-1"]);
    }

    #[test]
    fn log_ticks_fill_in_when_there_is_room() {
        assert_eq!(labels(Axis::new(Scale::Log, 1.0, 64.0), 8), ["1", "2", "5", "10", "20", "50"]);
        assert_eq!(labels(Axis::new(Scale::Log, 1e-7, 1e-1), 4), ["1e-6", "1e-4", "0.01"]);
        assert_eq!(labels(Axis::new(Scale::Log, 1e-6, 1.0), 3), ["1e-6", "1e-3", "1"]);
        assert_eq!(labels(Axis::new(Scale::Log, 3.1, 4.2), 3), ["3.5", "4.0"]);
        assert_eq!(labels(Axis::new(Scale::Log, 0.99921, 0.99934), 3), ["0.99925", "0.99930"]);
    }

    #[test]
    fn symlog_shows_both_sides() {
        let axis = Axis::new(Scale::Symlog { linear: 0.1 }, -0.5, 10.0);
        assert_eq!(labels(axis, 6), ["-0.1", "0", "0.1", "1", "10"]);
        assert!(axis.position(0.0).unwrap() > axis.position(-0.5).unwrap());
    }

    #[test]
    fn positions_and_values_are_inverse() {
        for scale in [Scale::Linear, Scale::Log, Scale::Symlog { linear: 0.5 }] {
            let axis = Axis::new(scale, 0.25, 40.0);
            assert_eq!((axis.position(0.25), axis.position(40.0)), (Some(0.0), Some(1.0)));
            assert!((axis.value(axis.position(7.0).unwrap()) - 7.0).abs() < 1e-12);
        }
        assert_eq!(Axis::new(Scale::Log, 1.0, 2.0).position(-1.0), None);
        assert_eq!(Axis::new(Scale::Linear, 1.0, 2.0).position(f64::NAN), None);
    }

    #[test]
    fn useless_bounds_are_mended() {
        for (low, high) in [(f64::NAN, 1.0), (1.0, f64::INFINITY), (2.0, 2.0), (5.0, 1.0), (-1.0, 0.0), (0.0, 0.0)] {
            for scale in [Scale::Linear, Scale::Log, Scale::Symlog { linear: 1.0 }] {
                let axis = Axis::new(scale, low, high);
                assert!(axis.low < axis.high && axis.position(axis.high) == Some(1.0), "{scale:?} {low} {high}");
                assert!(axis.ticks(5).len() <= 6);
            }
        }
    }

    #[test]
    fn a_part_of_an_axis_ends_where_it_should() {
        let zoomed = Span::default().zoomed(0.5, 0.5);
        for scale in [Scale::Linear, Scale::Log, Scale::Symlog { linear: 0.5 }] {
            let axis = Axis::new(scale, 0.25, 40.0);
            let part = axis.part(zoomed);
            assert!((axis.position(part.low).unwrap() - 0.25).abs() < 1e-9, "{scale:?}");
            assert!((axis.position(part.high).unwrap() - 0.75).abs() < 1e-9, "{scale:?}");
            assert_eq!(axis.part(Span::default()), axis);
        }
    }

    proptest! {
        /// Whatever the bounds: ticks ascend, lie inside, are no more than asked, and their labels say where they stand.
        #[test]
        fn ticks_are_where_their_labels_say(
            low in -1e6..1e6f64, length in 1e-6..1e6f64, most in 2usize..12, kind in 0..3, linear in 1e-3..1e2f64
        ) {
            let axis = match kind {
                0 => Axis::new(Scale::Linear, low, low + length),
                1 => Axis::new(Scale::Log, length, length * (2.0 + low.abs())),
                _ => Axis::new(Scale::Symlog { linear }, low.min(0.0), low.min(0.0) + length),
            };
            let ticks = axis.ticks(most);
            prop_assert!(ticks.len() <= most.max(2), "{axis:?} {ticks:?}");
            prop_assert!(ticks.windows(2).all(|t| t[0].position < t[1].position), "{axis:?} {ticks:?}");
            for tick in &ticks {
                let said: f64 = tick.label.parse().unwrap();
                let (scale, stands) = (axis.scale, axis.value(tick.position));
                let apart = (scale.project(said).unwrap() - scale.project(stands).unwrap()).abs();
                let ruler = scale.project(axis.high).unwrap() - scale.project(axis.low).unwrap();
                prop_assert!(apart <= 0.03 * ruler.max(1.0), "{axis:?}: {tick:?} stands at {stands}");
            }
        }
    }

    #[test]
    fn covering_skips_what_has_no_place() {
        let axis = Axis::covering(Scale::Log, [0.0, -3.0, f64::NAN, 0.1, 10.0], 0.0).unwrap();
        assert!(axis.position(0.1).unwrap().abs() < 1e-12);
        assert_eq!(Axis::covering(Scale::Log, [0.0, f64::INFINITY], 0.1), None);
    }
}
