//! The way back from the screen to the data: what x counts, where a plot stands, and what a cell of it means.

use ratatui::layout::Rect;

use super::axis::Axis;

/// What an x axis counts. Plots of one quantity share a crosshair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Hessian–vector products.
    Products,
    /// Standard deviation of the probe.
    Sigma,
    /// Training sequences.
    N,
    /// Monte Carlo draws.
    Draws,
    /// Place of an eigenvalue, counted from its end of the spectrum.
    Rank,
    /// Training steps.
    Step,
    /// Dimension of the probed subspace.
    Dimension,
    /// Eigenvalues.
    Eigenvalue,
}

impl Quantity {
    /// Its name under the axis.
    pub fn title(self) -> &'static str {
        match self {
            Quantity::Products => "products",
            Quantity::Sigma => "σ",
            Quantity::N => "n",
            Quantity::Draws => "draws",
            Quantity::Rank => "rank",
            Quantity::Step => "step",
            Quantity::Dimension => "k",
            Quantity::Eigenvalue => "λ",
        }
    }

    /// Whether it counts whole things.
    pub fn is_count(self) -> bool {
        !matches!(self, Quantity::Sigma | Quantity::Eigenvalue)
    }

    /// The value it can take that is nearest to `x`.
    pub fn snapped(self, x: f64) -> f64 {
        if self.is_count() { x.round() } else { x }
    }
}

/// Where a plot was drawn: the way back from cells to data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    /// Cells of the curves, axes excluded.
    pub area: Rect,
    /// Horizontal axis as drawn.
    pub x: Axis,
    /// Vertical axis as drawn.
    pub y: Axis,
    /// What x counts.
    pub quantity: Quantity,
}

/// Which part of a plot a cell belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Among the curves.
    Curves,
    /// On the labels of the horizontal axis.
    X,
    /// On the labels of the vertical axis.
    Y,
}

impl Placed {
    /// The part of the plot that a cell belongs to, if any.
    pub fn zone(&self, column: u16, row: u16) -> Option<Zone> {
        /// Columns that labels of the vertical axis take at most.
        const LABELS: u16 = 8;
        let a = self.area;
        let across = (a.left()..a.right()).contains(&column);
        let down = (a.top()..a.bottom()).contains(&row);
        match (across, down) {
            (true, true) => Some(Zone::Curves),
            (true, false) if (a.bottom()..a.bottom() + 2).contains(&row) => Some(Zone::X),
            (false, true) if (a.left().saturating_sub(LABELS)..a.left()).contains(&column) => Some(Zone::Y),
            _ => None,
        }
    }

    /// The middle of a cell, in [0, 1]² of the plot, (0, 0) at the lower left; cells outside count as the nearest inside.
    pub fn position(&self, column: u16, row: u16) -> (f64, f64) {
        let part = |at: u16, start: u16, length: u16| {
            f64::from(at.saturating_sub(start).min(length.max(1) - 1)) / f64::from(length.max(2) - 1)
        };
        (part(column, self.area.x, self.area.width), 1.0 - part(row, self.area.y, self.area.height))
    }

    /// The data at the middle of a cell.
    pub fn data(&self, column: u16, row: u16) -> (f64, f64) {
        let (x, y) = self.position(column, row);
        (self.x.value(x), self.y.value(y))
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Scale;
    use super::super::draw::cell;
    use super::super::raster::Marker;
    use super::super::{Curve, Ink, Plot};
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::style::Style;

    const INK: Ink = Ink { marker: Marker::Ascii, axis: Style::new(), label: Style::new(), crosshair: Style::new() };

    #[test]
    fn cells_and_data_map_to_each_other() {
        let mut plot =
            Plot::new(Axis::new(Scale::Log, 1e-4, 1.0), Quantity::Sigma, Axis::new(Scale::Linear, 0.0, 10.0));
        plot.curves.push(Curve { points: vec![(1e-4, 0.0), (1.0, 10.0)], name: "c".into(), ..Curve::default() });
        let area = Rect::new(3, 2, 40, 14);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 60, 20));
        let placed = plot.render(area, &mut buffer, INK).unwrap();
        for row in placed.area.top()..placed.area.bottom() {
            for column in placed.area.left()..placed.area.right() {
                let (x, y) = placed.data(column, row);
                let back = (plot.x.position(x).unwrap(), plot.y.position(y).unwrap());
                let at = (
                    cell(back.0, placed.area.x, placed.area.width),
                    cell(1.0 - back.1, placed.area.y, placed.area.height),
                );
                assert_eq!(at, (column, row));
                assert_eq!(placed.zone(column, row), Some(Zone::Curves));
            }
        }
        assert_eq!(placed.zone(placed.area.x, placed.area.bottom() + 1), Some(Zone::X));
        assert_eq!(placed.zone(placed.area.x - 2, placed.area.y), Some(Zone::Y));
        assert_eq!(placed.zone(placed.area.right() + 1, placed.area.y), None);
        // The curve is read on its line: half of the way in the logarithm is half of the height.
        let read: Vec<f64> = plot.read(1e-2).map(|(_, y)| y).collect();
        assert!(matches!(read[..], [y] if (y - 5.0).abs() < 1e-9), "{read:?}");
        assert_eq!(plot.read(2.0).count(), 0);
    }
}
