//! Plots: the one place that knows how a curve becomes cells. Panes say what to draw in data units; this draws axes,
//! bands, guides, curves and their labels.
//!
//! ```text
//!  y labels ┤ curves, bands, guides      ━ label of curve
//!           │                            ╍ label of curve
//!           └──┬──────┬──────┬──
//!              x labels          x title
//! ```

pub mod axis;
mod draw;
pub mod heat;
mod placed;
pub mod raster;
pub mod window;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

pub use placed::{Placed, Quantity, Zone};

use axis::Axis;
use raster::{Marker, Stroke};
use window::{Span, Window};

/// A curve.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// (x, y) in data units, ascending in x. A point without a place on the axes splits the curve.
    pub points: Vec<(f64, f64)>,
    /// Colour and weight.
    pub style: Style,
    /// How it is stroked.
    pub stroke: Stroke,
    /// A sign set on it here and there, which tells it apart where strokes repeat.
    pub sign: Option<char>,
    /// What it is called where its value is read; a curve without a name is not read.
    pub name: String,
    /// What stands beside its last point, outside the plot.
    pub label: Option<String>,
}

/// A two-sided band.
#[derive(Debug, Clone, Default)]
pub struct Band {
    /// (x, low, high) in data units, ascending in x. A point without a place splits the band.
    pub points: Vec<(f64, f64, f64)>,
    /// Colour.
    pub style: Style,
}

/// Where a guide runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// A horizontal line at y.
    Y(f64),
    /// A vertical line at x.
    X(f64),
}

/// A threshold or mark.
#[derive(Debug, Clone)]
pub struct Guide {
    /// Where.
    pub at: At,
    /// What stands on it.
    pub label: String,
    /// Colour.
    pub style: Style,
}

/// A point with a sign of its own.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    /// (x, y) in data units.
    pub point: (f64, f64),
    /// The sign.
    pub sign: char,
    /// Colour.
    pub style: Style,
}

/// A plot in data units.
#[derive(Debug, Clone)]
pub struct Plot {
    /// Horizontal axis.
    pub x: Axis,
    /// What x counts, set under the axis at the right.
    pub quantity: Quantity,
    /// Vertical axis.
    pub y: Axis,
    /// Bands, drawn first.
    pub bands: Vec<Band>,
    /// Guides, drawn over bands.
    pub guides: Vec<Guide>,
    /// Curves, drawn in order: the last lies on top.
    pub curves: Vec<Curve>,
    /// Points, drawn over the curves.
    pub marks: Vec<Mark>,
    /// The x at which the curves are read.
    pub crosshair: Option<f64>,
}

/// What plots are drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Ink {
    /// Dots of the curves.
    pub marker: Marker,
    /// Axis lines.
    pub axis: Style,
    /// Tick labels and titles.
    pub label: Style,
    /// The crosshair.
    pub crosshair: Style,
}

impl Plot {
    /// A plot without contents.
    pub fn new(x: Axis, quantity: Quantity, y: Axis) -> Plot {
        Plot {
            x,
            quantity,
            y,
            bands: Vec::new(),
            guides: Vec::new(),
            curves: Vec::new(),
            marks: Vec::new(),
            crosshair: None,
        }
    }

    /// The same plot, looked at through `window`. Where x is cut, y covers what is left, so that no zoom loses the
    /// curves; the window's height is a part of that.
    pub fn through(mut self, window: Window) -> Plot {
        if window.x != Span::default() {
            self.x = self.x.part(window.x);
            let ends = [self.x.value(0.0), self.x.value(1.0)];
            let inside = |p: &&(f64, f64)| self.x.position(p.0).is_some_and(|x| (0.0..=1.0).contains(&x));
            let samples = self.curves.iter().flat_map(|c| c.points.iter().filter(inside).map(|p| p.1));
            let cut = self.curves.iter().flat_map(|c| ends.into_iter().filter_map(|x| self.height(c, x)));
            self.y = Axis::covering(self.y.scale(), samples.chain(cut), 0.04).unwrap_or(self.y);
        }
        self.y = self.y.part(window.y);
        self
    }

    /// The curves that have a name, with their heights at `x`: on the line from sample to sample, as drawn.
    pub fn read(&self, x: f64) -> impl Iterator<Item = (&Curve, f64)> {
        self.curves.iter().filter(|c| !c.name.is_empty()).filter_map(move |c| Some((c, self.height(c, x)?)))
    }

    fn height(&self, curve: &Curve, x: f64) -> Option<f64> {
        let at = self.x.position(x)?;
        let place = |p: &(f64, f64)| Some((self.x.position(p.0)?, self.y.scale().project(p.1)?));
        curve.points.windows(2).find_map(|pair| {
            let ((x0, y0), (x1, y1)) = (place(&pair[0])?, place(&pair[1])?);
            if !(x0..=x1).contains(&at) {
                return None;
            }
            match (at - x0, x1 - at) {
                (0.0, _) => Some(pair[0].1),
                (_, 0.0) => Some(pair[1].1),
                (after, _) => Some(self.y.scale().unproject(y0 + after / (x1 - x0) * (y1 - y0))),
            }
        })
    }

    /// Draw into `area` and say where the curves stand. Too small an area draws nothing.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, ink: Ink) -> Option<Placed> {
        let area = area.intersection(*buffer.area());
        if area.width < 12 || area.height < 4 {
            return None;
        }
        let rows = area.height - 2;
        let y_ticks = self.y.ticks(usize::from(rows.div_ceil(2)).clamp(2, 8));
        let left = y_ticks.iter().map(|t| t.label.chars().count()).max().unwrap_or(0) as u16 + 2;
        let right = self.label_width(area.width.saturating_sub(left));
        let width = area.width.checked_sub(left + right).filter(|w| *w >= 4)?;
        let inner = Rect::new(area.x + left, area.y, width, rows);
        self.draw_bands(inner, buffer, ink);
        self.draw_guides(inner, buffer);
        self.draw_curves(inner, buffer, ink);
        self.draw_signs(inner, buffer);
        self.draw_marks(inner, buffer);
        self.draw_crosshair(inner, buffer, ink);
        self.draw_guide_labels(inner, buffer);
        self.draw_y_axis(inner, &y_ticks, buffer, ink);
        self.draw_x_axis(inner, area, buffer, ink);
        if right > 0 {
            self.draw_labels(Rect::new(inner.right() + 1, inner.y, right - 1, rows), buffer);
        }
        Some(Placed { area: inner, x: self.x, y: self.y, quantity: self.quantity })
    }
}

#[cfg(test)]
mod tests {
    use super::axis::Scale;
    use super::draw::spread;
    use super::*;

    const INK: Ink = Ink { marker: Marker::Ascii, axis: Style::new(), label: Style::new(), crosshair: Style::new() };

    fn drawn(plot: &Plot, width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        plot.render(area, &mut buffer, INK);
        (0..height)
            .map(|y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned())
            .collect()
    }

    #[test]
    fn axes_curve_and_label() {
        let mut plot =
            Plot::new(Axis::new(Scale::Linear, 0.0, 20.0), Quantity::Products, Axis::new(Scale::Linear, 0.0, 2.0));
        let points = vec![(0.0, 0.0), (10.0, 2.0), (20.0, 2.0)];
        plot.curves.push(Curve { points, label: Some("λ1".into()), ..Curve::default() });
        assert_eq!(
            drawn(&plot, 34, 7),
            [
                "2 ┤            ************** ━ λ1",
                "  │         ***",
                "1 ┤     ****",
                "  │  ***",
                "0 ┤**",
                "  └┬────────────┬───────────┬",
                "   0            10   products",
            ]
            .map(str::to_owned)
        );
    }

    #[test]
    fn a_point_without_a_place_splits_the_curve() {
        let mut plot = Plot::new(Axis::new(Scale::Linear, 0.0, 4.0), Quantity::N, Axis::new(Scale::Log, 1.0, 100.0));
        let points = vec![(0.0, 10.0), (1.0, 10.0), (2.0, f64::NAN), (2.5, -1.0), (3.0, 10.0), (4.0, 10.0)];
        plot.curves.push(Curve { points, ..Curve::default() });
        let line = drawn(&plot, 30, 7).remove(2);
        assert_eq!(line.matches('*').count(), 14, "{line}");
        assert!(line.contains("*  "), "{line}");
    }

    #[test]
    fn guides_carry_their_labels() {
        let mut plot =
            Plot::new(Axis::new(Scale::Linear, 0.0, 4.0), Quantity::Sigma, Axis::new(Scale::Linear, 0.0, 4.0));
        plot.guides.push(Guide { at: At::Y(2.0), label: "tolerance".into(), style: Style::new() });
        plot.guides.push(Guide { at: At::X(3.0), label: "valid".into(), style: Style::new() });
        plot.guides.push(Guide { at: At::X(9.0), label: "outside".into(), style: Style::new() });
        let lines = drawn(&plot, 30, 7);
        assert!(lines[2].contains("┤┄ tolerance ┄┄"), "{lines:#?}");
        assert!(lines[0].contains("valid ┊"), "{lines:#?}");
        assert!(!lines.concat().contains("outside"));
    }

    #[test]
    fn labels_keep_apart_and_inside() {
        assert_eq!(spread(&[2, 2, 2], 10), [2, 3, 4]);
        assert_eq!(spread(&[4, 4, 4], 5), [2, 3, 4]);
        assert_eq!(spread(&[0, 0, 9], 10), [0, 1, 9]);
    }

    #[test]
    fn every_size_is_safe() {
        let mut plot = Plot::new(Axis::new(Scale::Log, 1e-7, 1e-1), Quantity::Sigma, Axis::new(Scale::Log, 1e-8, 1e2));
        plot.curves.push(Curve { points: vec![(1e-6, 1.0)], label: Some("long label".into()), ..Curve::default() });
        plot.guides.push(Guide { at: At::X(1e-3), label: "mark".into(), style: Style::new() });
        for width in 0..50 {
            for height in 0..12 {
                drawn(&plot, width, height);
            }
        }
    }
}
