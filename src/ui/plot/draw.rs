//! The parts of a plot, drawn one over the other: bands, guides, curves, signs, marks, crosshair, axes, labels.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::axis::Tick;
use super::raster::{Marker, Raster, decimate};
use super::{At, Curve, Guide, Ink, Plot};

impl Plot {
    /// Columns to the right of the plot for labels: what the longest needs, if at least half is left for the curves.
    pub(super) fn label_width(&self, width: u16) -> u16 {
        let longest = self.curves.iter().filter_map(|c| c.label.as_ref()).map(|l| l.chars().count()).max();
        longest.map_or(0, |l| l as u16 + self.sample_width() + 2).min(width / 2)
    }

    /// Columns of a curve's sample beside its label: one for the stroke, one for the sign if any curve has one.
    fn sample_width(&self) -> u16 {
        1 + u16::from(self.curves.iter().any(|c| c.sign.is_some()))
    }

    fn place(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        Some((self.x.position(x)?, self.y.position(y)?))
    }

    pub(super) fn draw_bands(&self, inner: Rect, buffer: &mut Buffer, ink: Ink) {
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

    pub(super) fn draw_guides(&self, inner: Rect, buffer: &mut Buffer) {
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

    pub(super) fn draw_curves(&self, inner: Rect, buffer: &mut Buffer, ink: Ink) {
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

    pub(super) fn draw_marks(&self, inner: Rect, buffer: &mut Buffer) {
        let inside = |p: &(f64, f64)| (0.0..=1.0).contains(&p.0) && (0.0..=1.0).contains(&p.1);
        for mark in &self.marks {
            if let Some((x, y)) = self.place(mark.point.0, mark.point.1).filter(inside) {
                let at = (cell(x, inner.x, inner.width), cell(1.0 - y, inner.y, inner.height));
                buffer[at].set_char(mark.sign).set_style(mark.style);
            }
        }
    }

    /// Signs on the curves that have one, at most one in every few columns; each curve begins at its own.
    pub(super) fn draw_signs(&self, inner: Rect, buffer: &mut Buffer) {
        const APART: u16 = 9;
        for (i, curve) in self.curves.iter().enumerate() {
            let Some(sign) = curve.sign else { continue };
            let mut column = inner.x + (3 * i as u16) % APART;
            while column < inner.right() {
                let x = self.x.value(f64::from(column - inner.x) / f64::from(inner.width.max(2) - 1));
                let y = self.height(curve, x).and_then(|y| self.y.position(y));
                if let Some(y) = y.filter(|y| (0.0..=1.0).contains(y)) {
                    buffer[(column, cell(1.0 - y, inner.y, inner.height))].set_char(sign).set_style(curve.style);
                }
                column += APART;
            }
        }
    }

    /// The crosshair, where nothing else stands.
    pub(super) fn draw_crosshair(&self, inner: Rect, buffer: &mut Buffer, ink: Ink) {
        let inside = |p: &f64| (0.0..=1.0).contains(p);
        let Some(x) = self.crosshair.and_then(|x| self.x.position(x)).filter(inside) else { return };
        let column = cell(x, inner.x, inner.width);
        for y in inner.top()..inner.bottom() {
            let cell = &mut buffer[(column, y)];
            if matches!(cell.symbol(), " " | "┊" | "┄") {
                cell.set_symbol("│").set_style(ink.crosshair);
            }
        }
    }

    pub(super) fn draw_guide_labels(&self, inner: Rect, buffer: &mut Buffer) {
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

    pub(super) fn draw_y_axis(&self, inner: Rect, ticks: &[Tick], buffer: &mut Buffer, ink: Ink) {
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

    pub(super) fn draw_x_axis(&self, inner: Rect, area: Rect, buffer: &mut Buffer, ink: Ink) {
        let y = inner.bottom();
        buffer[(inner.x - 1, y)].set_symbol("└").set_style(ink.axis);
        for x in inner.left()..inner.right() {
            buffer[(x, y)].set_symbol("─").set_style(ink.axis);
        }
        // The title stands right of the axis where labels leave room, else at the end of the tick row.
        let title = self.quantity.title();
        let length = title.chars().count() as u16;
        let beside = area.right() - inner.right() > length;
        let end = if beside { area.right() } else { inner.right().saturating_sub(length + 1) };
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
            buffer.set_string(inner.right() + 1, y, title, ink.label);
        } else {
            buffer.set_string(end + 1, y + 1, title, ink.label);
        }
    }

    /// Labels beside the curves' last points, moved apart where they would overlap.
    pub(super) fn draw_labels(&self, area: Rect, buffer: &mut Buffer) {
        let mut wanted: Vec<(f64, &Curve, &String)> = self
            .curves
            .iter()
            .filter_map(|curve| {
                let label = curve.label.as_ref()?;
                let (_, y) = curve.points.iter().rev().find_map(|&(x, y)| self.place(x, y))?;
                Some((1.0 - y, curve, label))
            })
            .collect();
        wanted.sort_by(|a, b| a.0.total_cmp(&b.0));
        wanted.truncate(usize::from(area.height));
        let rows: Vec<u16> = wanted.iter().map(|(depth, ..)| cell(depth.clamp(0.0, 1.0), 0, area.height)).collect();
        let rows = spread(&rows, area.height);
        for (row, (_, curve, label)) in rows.iter().zip(&wanted) {
            let stroke = curve.stroke.sample();
            let sign = match (self.sample_width(), curve.sign) {
                (1, _) => String::new(),
                (_, sign) => sign.map_or(stroke.to_owned(), String::from),
            };
            let text = format!("{stroke}{sign} {label}");
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
pub(super) fn cell(position: f64, start: u16, length: u16) -> u16 {
    start + (position * f64::from(length.max(1) - 1)).round() as u16
}

/// The unbroken runs of places.
fn runs<P: Copy>(places: &[Option<P>]) -> Vec<Vec<P>> {
    places.split(Option::is_none).filter(|r| !r.is_empty()).map(|r| r.iter().flatten().copied().collect()).collect()
}

/// Distinct rows near the `wanted` ones (ascending, no more than `height`).
pub(super) fn spread(wanted: &[u16], height: u16) -> Vec<u16> {
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
