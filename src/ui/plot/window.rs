//! The part of a plot that is looked at: zoom and pan, as parts of the whole axes, so that a zoomed plot follows its
//! data as they grow and no sequence of steps can leave the axes.

/// A part of an axis, in [0, 1] of its length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    low: f64,
    high: f64,
}

/// The shortest part that can be looked at.
const SHORTEST: f64 = 1e-3;

impl Default for Span {
    fn default() -> Span {
        Span { low: 0.0, high: 1.0 }
    }
}

impl Span {
    /// Where it begins, 0 ≤ low < high.
    pub fn low(self) -> f64 {
        self.low
    }

    /// Where it ends, low < high ≤ 1.
    pub fn high(self) -> f64 {
        self.high
    }

    /// Its length, in (0, 1].
    pub fn length(self) -> f64 {
        self.high - self.low
    }

    /// The span of `factor` times this length that keeps the place `about`, in [0, 1] of this span, where it is, as far
    /// as the axis reaches.
    pub fn zoomed(self, about: f64, factor: f64) -> Span {
        let about = if about.is_finite() { about.clamp(0.0, 1.0) } else { 0.5 };
        let length = self.length() * factor;
        let length = if length.is_finite() { length.clamp(SHORTEST, 1.0) } else { self.length() };
        Span::from(self.low + about * (self.length() - length), length)
    }

    /// The span moved by `by` times its own length, as far as the axis reaches.
    pub fn moved(self, by: f64) -> Span {
        let by = if by.is_finite() { by } else { 0.0 };
        Span::from(self.low + by * self.length(), self.length())
    }

    fn from(low: f64, length: f64) -> Span {
        let low = low.clamp(0.0, 1.0 - length);
        Span { low, high: low + length }
    }
}

/// The part of a plot that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Window {
    /// Along x.
    pub x: Span,
    /// Along y.
    pub y: Span,
}

impl Window {
    /// Whether the whole plot is looked at.
    pub fn is_whole(self) -> bool {
        self == Window::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn zooming_keeps_the_place_pointed_at() {
        let half = Span::default().zoomed(0.25, 0.5);
        assert_eq!((half.low(), half.high()), (0.125, 0.625));
        assert_eq!(half.zoomed(0.25, 2.0), Span::default());
        // At the edge it stays inside.
        assert_eq!(half.zoomed(0.9, 1.8).high(), 1.0 - (1.0 - half.zoomed(0.9, 1.8).high()));
        assert_eq!(half.moved(5.0), Span { low: 0.5, high: 1.0 });
        assert_eq!(half.moved(-5.0).low(), 0.0);
    }

    proptest! {
        #[test]
        fn no_steps_leave_the_axis(steps in prop::collection::vec((any::<bool>(), any::<f64>(), any::<f64>()), 1..60)) {
            let mut span = Span::default();
            for (zoom, a, b) in steps {
                span = if zoom { span.zoomed(a, b) } else { span.moved(a) };
                prop_assert!(span.low() >= 0.0 && span.high() <= 1.0 + 1e-12);
                prop_assert!(span.length() >= SHORTEST * 0.999 && span.length().is_finite());
            }
        }
    }
}
