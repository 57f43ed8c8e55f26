//! Ranges, ticks and their labels.

use super::{Scale, Series};
use crate::math::format::{exact, superscript};

/// How far beyond the values intervals may stretch a range: by this factor on a logarithmic axis, by this multiple of
/// the values' span on a linear one. The interval of two draws is as wide as the sky.
const STRETCH: (f64, f64) = (10.0, 1.0);
/// Air at the ends of a range, in parts of it.
const AIR: f64 = 0.05;

/// The range of an axis as it is drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    /// Its lower end.
    pub low: f64,
    /// Its upper end, above the lower.
    pub high: f64,
    /// What values are divided by before they are drawn: a power of ten on a logarithmic axis, which the plotting
    /// library takes from 1e-10 up only.
    pub unit: f64,
}

impl Range {
    /// Of the x of all series.
    pub fn of_x(scale: &Scale, series: &[Series], marks: &[f64]) -> Range {
        let points = series.iter().flat_map(|s| &s.points).map(|p| p.x);
        let all: Vec<f64> = points.chain(marks.iter().copied()).filter(|x| drawable(scale, *x)).collect();
        match scale {
            Scale::Names(names) => Range { low: 0.5, high: names.len() as f64 + 0.5, unit: 1.0 },
            _ => Range::around(scale, &all, &all),
        }
    }

    /// Of the y of all series: their values, and of their intervals what is not too far away.
    pub fn of_y(scale: &Scale, series: &[Series], marks: &[f64]) -> Range {
        let points = || series.iter().flat_map(|s| &s.points).map(|p| p.y);
        let values: Vec<f64> =
            points().map(|y| y.value).chain(marks.iter().copied()).filter(|y| drawable(scale, *y)).collect();
        let ends: Vec<f64> = points().flat_map(|y| [y.low, y.high]).filter(|y| drawable(scale, *y)).collect();
        Range::around(scale, &values, &ends)
    }

    fn around(scale: &Scale, values: &[f64], ends: &[f64]) -> Range {
        let least = |all: &[f64]| all.iter().copied().min_by(f64::total_cmp);
        let most = |all: &[f64]| all.iter().copied().max_by(f64::total_cmp);
        let (Some(low), Some(high)) = (least(values), most(values)) else {
            return Range { low: 1.0, high: 10.0, unit: 1.0 };
        };
        match scale {
            Scale::Log => {
                let low = least(ends).map_or(low, |end| end.clamp(low / STRETCH.0, low));
                let high = most(ends).map_or(high, |end| end.clamp(high, high * STRETCH.0));
                // At least half a decade, with a little air.
                let lack = (10f64.sqrt() / (high / low)).max(1.0).sqrt() * (high / low).powf(AIR).max(1.1);
                let (low, high) = (low / lack, high * lack);
                Range { low, high, unit: 10f64.powi(low.log10().floor() as i32) }
            }
            Scale::Linear | Scale::Names(_) => {
                let span = if high > low { high - low } else { 0.1 * high.abs().max(1e-300) };
                let low = least(ends).map_or(low, |end| end.clamp(low - STRETCH.1 * span, low));
                let high = most(ends).map_or(high, |end| end.clamp(high, high + STRETCH.1 * span));
                let air = AIR * (high - low).max(span);
                Range { low: low - air, high: high + air, unit: 1.0 }
            }
        }
    }

    /// A value as it is drawn, brought into the range.
    pub fn place(&self, value: f64) -> f64 {
        value.clamp(self.low, self.high) / self.unit
    }

    /// Both ends as they are drawn.
    pub fn ends(&self) -> (f64, f64) {
        (self.low / self.unit, self.high / self.unit)
    }
}

/// The step of the ticks on a linear axis that counts something: whole, and no more than about eight of them. `None`
/// where a value is not whole.
pub fn whole_step(values: &[f64]) -> Option<f64> {
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(*x), h.max(*x)));
    let whole = values.iter().all(|x| x.fract() == 0.0) && high > low;
    let steps = (0..).flat_map(|i| [1.0, 2.0, 5.0].map(|step| step * 10f64.powi(i)));
    whole.then(|| steps.into_iter().find(|step| (high - low) / step <= 8.0)).flatten()
}

/// Whether a scale has a place for a value.
pub fn drawable(scale: &Scale, value: f64) -> bool {
    value.is_finite() && (value > 0.0 || *scale != Scale::Log)
}

/// The label of a tick.
pub fn tick(scale: &Scale, value: f64) -> String {
    match scale {
        Scale::Linear => linear(value),
        Scale::Log => power(value),
        Scale::Names(names) => {
            let at = value.round();
            let name = names.get((at - 1.0).max(0.0) as usize).filter(|_| (value - at).abs() < 1e-6 && at >= 1.0);
            name.cloned().unwrap_or_default()
        }
    }
}

/// A number on a linear axis: few digits, without the rounding of a sum of steps.
fn linear(value: f64) -> String {
    let rounded: f64 = format!("{value:.9e}").parse().unwrap_or(value);
    match rounded.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e5 => {
            let text = format!("{rounded:.6}");
            text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
        }
        _ => exact(format!("{value:.4e}").parse().unwrap_or(value)).replace('-', "−"),
    }
}

/// A number on a logarithmic axis: plain between 1/100 and 1000, else as a power of ten.
fn power(value: f64) -> String {
    let exponent = (value.log10() + 1e-9).floor() as i32;
    let leading = (value / 10f64.powi(exponent)).round();
    match exponent {
        -2..3 => linear(value),
        _ if leading == 1.0 => format!("10{}", superscript(exponent)),
        _ => format!("{leading}·10{}", superscript(exponent)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Point, Style};
    use super::*;
    use crate::math::stats::Interval;

    fn series(points: &[(f64, f64, f64, f64)]) -> Vec<Series> {
        let point = |&(x, value, low, high): &(f64, f64, f64, f64)| Point { x, y: Interval { value, low, high } };
        vec![Series::new(Style::Curve, 0, points.iter().map(point).collect())]
    }

    #[test]
    fn a_range_holds_all_values_and_not_every_interval() {
        let log =
            Range::of_y(&Scale::Log, &series(&[(1.0, 1e-15, 1e-300, 1e-14), (2.0, 1e-9, 1e-10, f64::INFINITY)]), &[]);
        assert!(log.low < 1e-15 && log.low > 1e-17 && log.high > 1e-9 && log.high < 1e-7, "{log:?}");
        // The library's floor is out of reach.
        assert!(log.ends().0 >= 1.0);
        let linear = Range::of_y(&Scale::Linear, &series(&[(1.0, 1.0, -1e9, 1e9), (2.0, 2.0, 2.0, 2.0)]), &[]);
        assert!(linear.low < 1.0 && linear.high > 2.0 && linear.high - linear.low < 4.0, "{linear:?}");
        let one = Range::of_y(&Scale::Linear, &series(&[(1.0, 3.0, 3.0, 3.0)]), &[]);
        assert!(one.low < 3.0 && one.high > 3.0);
        let none = Range::of_y(&Scale::Log, &series(&[(1.0, -1.0, -1.0, -1.0)]), &[]);
        assert!(none.low < none.high);
    }

    #[test]
    fn counts_have_whole_ticks() {
        assert_eq!(whole_step(&[1.0, 4.0, 16.0]), Some(2.0));
        assert_eq!(whole_step(&[0.0, 3000.0]), Some(500.0));
        assert_eq!((whole_step(&[0.5, 2.0]), whole_step(&[3.0]), whole_step(&[])), (None, None, None));
    }

    #[test]
    fn ticks_read_as_in_a_paper() {
        let log = |value| tick(&Scale::Log, value);
        assert_eq!([log(1e-12), log(2e-12), log(1e4)], ["10⁻¹²", "2·10⁻¹²", "10⁴"]);
        assert_eq!([log(0.05), log(1.0), log(500.0)], ["0.05", "1", "500"]);
        let linear = |value| tick(&Scale::Linear, value);
        assert_eq!([linear(0.30000000000000004), linear(-2.0), linear(0.0), linear(2e-6)], ["0.3", "−2", "0", "2e−6"]);
        let names = Scale::Names(vec!["top".into(), "random".into()]);
        assert_eq!([tick(&names, 2.0), tick(&names, 1.5), tick(&names, 3.0)], ["random", "", ""]);
    }
}
