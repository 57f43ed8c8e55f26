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
pub mod raster;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use axis::{Axis, Tick};
use raster::{Marker, Raster, Stroke, decimate};

/// A curve.
#[derive(Debug, Clone, Default)]
pub struct Curve {
    /// (x, y) in data units, ascending in x. A point without a place on the axes splits the curve.
    pub points: Vec<(f64, f64)>,
    /// Colour and weight.
    pub style: Style,
    /// How it is stroked.
    pub stroke: Stroke,
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
    pub x_title: String,
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
}

impl Plot {
    /// A plot without contents.
    pub fn new(x: Axis, x_title: impl Into<String>, y: Axis) -> Plot {
        Plot {
            x,
            x_title: x_title.into(),
            y,
            bands: Vec::new(),
            guides: Vec::new(),
            curves: Vec::new(),
            marks: Vec::new(),
        }
    }

    /// Draw into `area`. Too small an area draws nothing.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, ink: Ink) {
        let area = area.intersection(*buffer.area());
        if area.width < 12 || area.height < 4 {
            return;
        }
        let rows = area.height - 2;
        let y_ticks = self.y.ticks(usize::from(rows.div_ceil(2)).clamp(2, 8));
        let left = y_ticks.iter().map(|t| t.label.chars().count()).max().unwrap_or(0) as u16 + 2;
        let right = self.label_width(area.width.saturating_sub(left));
        let Some(width) = area.width.checked_sub(left + right).filter(|w| *w >= 4) else { return };
        let inner = Rect::new(area.x + left, area.y, width, rows);
        self.draw_bands(inner, buffer, ink);
        self.draw_guides(inner, buffer);
        self.draw_curves(inner, buffer, ink);
        self.draw_marks(inner, buffer);
        self.draw_guide_labels(inner, buffer);
        self.draw_y_axis(inner, &y_ticks, buffer, ink);
        self.draw_x_axis(inner, area, buffer, ink);
        if right > 0 {
            self.draw_labels(Rect::new(inner.right() + 1, inner.y, right - 1, rows), buffer);
        }
    }

    /// Columns to the right of the plot for labels: what the longest needs, if at least half is left for the curves.
    fn label_width(&self, width: u16) -> u16 {
        let longest = self.curves.iter().filter_map(|c| c.label.as_ref()).map(|l| l.chars().count()).max();
        longest.map_or(0, |l| l as u16 + 3).min(width / 2)
    }

    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.position(x)?, self.y.position(y)?))
    }

    fn draw_bands(&self, inner: Rect, buffer: &mut Buffer, ink: Ink) {
        let fill = if ink.marker == Marker::Ascii { ':' } else { '░' };
        for band in &self.bands {
            let mut raster = Raster::new(ink.marker, inner.width, inner.height);
            let places: Vec<_> = band
                .points
                .iter()
                .map(|&(x, low, high)| Some((self.x.position(x)?, self.y.position(low)?, self.y.position(high)?)))
                .collect();
            for run in runs(&places) {
                raster.strip(&run, band.style);
            }
            raster.paint(inner, buffer, Some(fill));
        }
    }

    fn draw_guides(&self, inner: Rect, buffer: &mut Buffer) {
        for guide in &self.guides {
            match self.guide_cell(guide, inner) {
                Some(Line::Row(row)) => {
                    for x in inner.left()..inner.right() {
                        buffer[(x, row)].set_symbol("┄").set_style(guide.style);
                    }
                }
                Some(Line::Column(column)) => {
                    for y in inner.top()..inner.bottom() {
                        buffer[(column, y)].set_symbol("┊").set_style(guide.style);
                    }
                }
                None => {}
            }
        }
    }

    /// The row or column of a guide, if it lies inside.
    fn guide_cell(&self, guide: &Guide, inner: Rect) -> Option<Line> {
        let inside = |p: f64| (0.0..=1.0).contains(&p).then_some(p);
        match guide.at {
            At::Y(y) => Some(Line::Row(cell(1.0 - inside(self.y.position(y)?)?, inner.y, inner.height))),
            At::X(x) => Some(Line::Column(cell(inside(self.x.position(x)?)?, inner.x, inner.width))),
        }
    }

    fn draw_curves(&self, inner: Rect, buffer: &mut Buffer, ink: Ink) {
        let mut raster = Raster::new(ink.marker, inner.width, inner.height);
        let columns = raster.size().0;
        for curve in &self.curves {
            let places: Vec<_> = curve.points.iter().map(|&(x, y)| self.place(x, y)).collect();
            for run in runs(&places) {
                raster.curve(&decimate(&run, columns), curve.stroke, curve.style);
            }
        }
        raster.paint(inner, buffer, None);
    }

    fn draw_marks(&self, inner: Rect, buffer: &mut Buffer) {
        let inside = |p: &(f64, f64)| (0.0..=1.0).contains(&p.0) && (0.0..=1.0).contains(&p.1);
        for mark in &self.marks {
            if let Some((x, y)) = self.place(mark.point.0, mark.point.1).filter(inside) {
                let at = (cell(x, inner.x, inner.width), cell(1.0 - y, inner.y, inner.height));
                buffer[at].set_char(mark.sign).set_style(mark.style);
            }
        }
    }

    fn draw_guide_labels(&self, inner: Rect, buffer: &mut Buffer) {
        let mut row = inner.top();
        for guide in self.guides.iter().filter(|g| !g.label.is_empty()) {
            let width = guide.label.chars().count() as u16;
            match self.guide_cell(guide, inner) {
                Some(Line::Row(y)) if width + 3 <= inner.width => {
                    buffer.set_string(inner.x + 1, y, format!(" {} ", guide.label), guide.style);
                }
                // Labels of vertical guides stand on the side that has room, one below the other.
                Some(Line::Column(x)) if row < inner.bottom() => {
                    if x > inner.x + width {
                        buffer.set_string(x - width - 1, row, format!("{} ", guide.label), guide.style);
                        row += 1;
                    } else if x + width + 2 <= inner.right() {
                        buffer.set_string(x + 1, row, format!(" {}", guide.label), guide.style);
                        row += 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn draw_y_axis(&self, inner: Rect, ticks: &[Tick], buffer: &mut Buffer, ink: Ink) {
        let x = inner.x - 1;
        for y in inner.top()..inner.bottom() {
            buffer[(x, y)].set_symbol("│").set_style(ink.axis);
        }
        for tick in ticks {
            let y = cell(1.0 - tick.position, inner.y, inner.height);
            buffer[(x, y)].set_symbol("┤").set_style(ink.axis);
            let width = tick.label.chars().count() as u16;
            buffer.set_string(x - 1 - width, y, &tick.label, ink.label);
        }
    }

    fn draw_x_axis(&self, inner: Rect, area: Rect, buffer: &mut Buffer, ink: Ink) {
        let y = inner.bottom();
        buffer[(inner.x - 1, y)].set_symbol("└").set_style(ink.axis);
        for x in inner.left()..inner.right() {
            buffer[(x, y)].set_symbol("─").set_style(ink.axis);
        }
        // The title stands right of the axis where labels leave room, else at the end of the tick row.
        let title = self.x_title.chars().count() as u16;
        let beside = area.right() - inner.right() > title;
        let end = if beside || title == 0 { area.right() } else { inner.right().saturating_sub(title + 1) };
        let mut free = area.x;
        for tick in self.x.ticks(usize::from(inner.width / 6).clamp(2, 12)) {
            let x = cell(tick.position, inner.x, inner.width);
            buffer[(x, y)].set_symbol("┬").set_style(ink.axis);
            let width = tick.label.chars().count() as u16;
            let start = (x + 1).saturating_sub(width.div_ceil(2)).min(area.right().saturating_sub(width));
            if start >= free && start + width <= end {
                buffer.set_string(start, y + 1, &tick.label, ink.label);
                free = start + width + 1;
            }
        }
        if beside {
            buffer.set_string(inner.right() + 1, y, &self.x_title, ink.label);
        } else {
            buffer.set_string(end + 1, y + 1, &self.x_title, ink.label);
        }
    }

    /// Labels beside the curves' last points, moved apart where they would overlap.
    fn draw_labels(&self, area: Rect, buffer: &mut Buffer) {
        let mut wanted: Vec<(f64, &Curve, &String)> = self
            .curves
            .iter()
            .filter_map(|curve| {
                let label = curve.label.as_ref()?;
                let (_, y) = curve.points.iter().rev().find_map(|&(x, y)| self.place(x, y))?;
                Some((1.0 - y.clamp(0.0, 1.0), curve, label))
            })
            .collect();
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
        wanted.truncate(usize::from(area.height));
        let rows: Vec<u16> = wanted.iter().map(|(depth, ..)| cell(*depth, 0, area.height)).collect();
        let rows = spread(&rows, area.height);
        for (row, (_, curve, label)) in rows.iter().zip(&wanted) {
            let text = format!("{} {label}", curve.stroke.sample());
            buffer.set_stringn(area.x, area.y + row, text, usize::from(area.width), curve.style);
        }
    }
}

/// A guide's place in cells.
enum Line {
    Row(u16),
    Column(u16),
}

/// The cell of a position in [0, 1] within `length` cells from `start`.
fn cell(position: f64, start: u16, length: u16) -> u16 {
    start + (position * f64::from(length.max(1) - 1)).round() as u16
}

/// The unbroken runs of places.
fn runs<P: Copy>(places: &[Option<P>]) -> Vec<Vec<P>> {
    places.split(Option::is_none).filter(|r| !r.is_empty()).map(|r| r.iter().flatten().copied().collect()).collect()
}

/// Distinct rows near the `wanted` ones (ascending, no more than `height`).
fn spread(wanted: &[u16], height: u16) -> Vec<u16> {
    let mut rows = Vec::with_capacity(wanted.len());
    let mut free = 0;
    for &row in wanted {
        rows.push(row.max(free));
        free = row.max(free) + 1;
    }
    let mut limit = height;
    for row in rows.iter_mut().rev() {
        limit = (*row).min(limit.saturating_sub(1));
        *row = limit;
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::axis::Scale;
    use super::*;

    const INK: Ink = Ink { marker: Marker::Ascii, axis: Style::new(), label: Style::new() };

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
        let mut plot = Plot::new(Axis::new(Scale::Linear, 0.0, 20.0), "products", Axis::new(Scale::Linear, 0.0, 2.0));
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
        let mut plot = Plot::new(Axis::new(Scale::Linear, 0.0, 4.0), "", Axis::new(Scale::Log, 1.0, 100.0));
        let points = vec![(0.0, 10.0), (1.0, 10.0), (2.0, f64::NAN), (2.5, -1.0), (3.0, 10.0), (4.0, 10.0)];
        plot.curves.push(Curve { points, ..Curve::default() });
        let line = drawn(&plot, 30, 7).remove(2);
        assert_eq!(line.matches('*').count(), 14, "{line}");
        assert!(line.contains("*  "), "{line}");
    }

    #[test]
    fn guides_carry_their_labels() {
        let mut plot = Plot::new(Axis::new(Scale::Linear, 0.0, 4.0), "σ", Axis::new(Scale::Linear, 0.0, 4.0));
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
        let mut plot = Plot::new(Axis::new(Scale::Log, 1e-7, 1e-1), "σ", Axis::new(Scale::Log, 1e-8, 1e2));
        plot.curves.push(Curve { points: vec![(1e-6, 1.0)], label: Some("long label".into()), ..Curve::default() });
        plot.guides.push(Guide { at: At::X(1e-3), label: "mark".into(), style: Style::new() });
        for width in 0..50 {
            for height in 0..12 {
                drawn(&plot, width, height);
            }
        }
    }
}
