//! A grid of dots finer than the cells: braille where the terminal's font has it, quadrants, dots or plain ASCII
//! elsewhere.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What a curve's dots are drawn with; each needs less of the terminal's font than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Marker {
    /// 2 × 4 dots a cell.
    #[default]
    Braille,
    /// 2 × 2 blocks a cell.
    Quadrant,
    /// One bullet a cell.
    Dot,
    /// One ASCII sign a cell; the rest of the screen is ASCII too.
    Ascii,
}

impl Marker {
    /// What the environment is known to have signs for: where the locale names another encoding than UTF-8, ASCII; on
    /// the Linux console, whose font has no braille and no quadrants, dots; elsewhere braille.
    pub fn of_terminal() -> Marker {
        let text = |name| std::env::var(name).ok().filter(|v| !v.is_empty());
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(text);
        Marker::fitting(text("TERM").as_deref(), locale.as_deref())
    }

    fn fitting(term: Option<&str>, locale: Option<&str>) -> Marker {
        // A locale without an encoding, such as C, says nothing of the terminal.
        let encoding = locale.and_then(|l| l.split_once('.')).map(|(_, e)| e.to_ascii_lowercase().replace('-', ""));
        match (term, encoding) {
            (_, Some(encoding)) if !encoding.starts_with("utf8") => Marker::Ascii,
            (Some("dumb"), _) => Marker::Ascii,
            (Some("linux"), _) => Marker::Dot,
            _ => Marker::Braille,
        }
    }

    /// Dots per cell, across and down.
    pub fn dots(self) -> (usize, usize) {
        match self {
            Marker::Braille => (2, 4),
            Marker::Quadrant => (2, 2),
            Marker::Dot | Marker::Ascii => (1, 1),
        }
    }
}

/// How a curve is stroked, so that it is known without colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stroke {
    /// Unbroken.
    #[default]
    Solid,
    /// Long dashes.
    Dashed,
    /// Dots apart.
    Dotted,
}

impl Stroke {
    /// Stroke number `i` of curves that lie side by side; they repeat after three.
    pub fn nth(i: usize) -> Stroke {
        [Stroke::Solid, Stroke::Dashed, Stroke::Dotted][i % 3]
    }

    /// The sign that tells curve number `i` from the ones with its stroke: none for the first three.
    pub fn sign(i: usize) -> Option<char> {
        const SIGNS: [char; 5] = ['◇', '○', '△', '□', '+'];
        (i >= 3).then(|| SIGNS[(i / 3 - 1) % SIGNS.len()])
    }

    /// A sample for a legend.
    pub fn sample(self) -> &'static str {
        match self {
            Stroke::Solid => "━",
            Stroke::Dashed => "╍",
            Stroke::Dotted => "┈",
        }
    }

    /// Whether dot number `i` along the curve is drawn, on a grid of `marker`.
    fn draws(self, i: usize, marker: Marker) -> bool {
        let (on, off) = match (self, marker) {
            (Stroke::Solid, _) => return true,
            (Stroke::Dashed, Marker::Braille | Marker::Quadrant) => (6, 6),
            (Stroke::Dashed, Marker::Dot | Marker::Ascii) => (2, 1),
            (Stroke::Dotted, Marker::Braille | Marker::Quadrant) => (1, 3),
            (Stroke::Dotted, Marker::Dot | Marker::Ascii) => (1, 1),
        };
        i % (on + off) < on
    }
}

/// Dots not yet on the screen. A cell has one style: that of the last curve through it.
pub struct Raster {
    marker: Marker,
    width: usize,
    height: usize,
    cells: Vec<(u8, Style)>,
}

impl Raster {
    /// An empty raster of `width` × `height` cells.
    pub fn new(marker: Marker, width: u16, height: u16) -> Raster {
        let (width, height) = (usize::from(width), usize::from(height));
        Raster { marker, width, height, cells: vec![(0, Style::new()); width * height] }
    }

    /// Dots across and down.
    pub fn size(&self) -> (usize, usize) {
        let (across, down) = self.marker.dots();
        (self.width * across, self.height * down)
    }

    /// The dot nearest to a place in [0, 1]², (0, 0) at the lower left. It may lie outside the grid.
    fn dot(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (across, down) = self.size();
        (x * (across.max(1) - 1) as f64, (1.0 - y) * (down.max(1) - 1) as f64)
    }

    /// Light one dot; outside the grid nothing happens.
    fn light(&mut self, x: i64, y: i64, style: Style) {
        let (across, down) = self.size();
        let inside = |v: i64, len: usize| usize::try_from(v).ok().filter(|v| *v < len);
        let (Some(x), Some(y)) = (inside(x, across), inside(y, down)) else { return };
        let (dots_x, dots_y) = self.marker.dots();
        let (bit_x, bit_y) = (x % dots_x, y % dots_y);
        let bit = match self.marker {
            // Braille numbers its dots down the columns, with the fourth row added later.
            Marker::Braille => [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]][bit_y][bit_x],
            _ => 1 << (bit_y * dots_x + bit_x),
        };
        let cell = &mut self.cells[y / dots_y * self.width + x / dots_x];
        *cell = (cell.0 | bit, style);
    }

    /// Draw a connected curve through places in [0, 1]²; what lies outside is cut off.
    pub fn curve(&mut self, places: &[(f64, f64)], stroke: Stroke, style: Style) {
        let marker = self.marker;
        if let [only] = places {
            let (x, y) = self.dot(*only);
            self.light(x.round() as i64, y.round() as i64, style);
        }
        let mut step = 0;
        for pair in places.windows(2) {
            let Some((from, to)) = clip(pair[0], pair[1]) else { continue };
            let ((x0, y0), (x1, y1)) = (self.dot(from), self.dot(to));
            let steps = (x1 - x0).abs().max((y1 - y0).abs()).round().max(1.0);
            for i in 0..=steps as usize {
                let t = i as f64 / steps;
                if stroke.draws(step, marker) {
                    let (x, y) = (x0 + t * (x1 - x0), y0 + t * (y1 - y0));
                    self.light(x.round() as i64, y.round() as i64, style);
                }
                // The last dot of a segment is the first of the next.
                step += usize::from(i < steps as usize);
            }
        }
    }

    /// Stipple the strip between two heights at each place (x, low, high), joined linearly.
    pub fn strip(&mut self, places: &[(f64, f64, f64)], style: Style) {
        let whole_cells = self.marker.dots() == (1, 1);
        let (across, down) = self.size();
        for pair in places.windows(2) {
            let (x0, _) = self.dot((pair[0].0, 0.0));
            let (x1, _) = self.dot((pair[1].0, 0.0));
            let last = across as i64 - 1;
            let (first, end) = (x0.round().max(0.0) as i64, (x1.round() as i64).min(last));
            for x in first..=end {
                let t = if x1 > x0 { ((x as f64 - x0) / (x1 - x0)).clamp(0.0, 1.0) } else { 0.0 };
                let height = |a: f64, b: f64| self.dot((0.0, a + t * (b - a))).1;
                let top = height(pair[0].2, pair[1].2).max(0.0).round() as i64;
                let bottom = height(pair[0].1, pair[1].1).min((down.max(1) - 1) as f64).round() as i64;
                for y in (top..=bottom).filter(|y| whole_cells || (x + y) % 2 == 0) {
                    self.light(x, y, style);
                }
            }
        }
    }

    /// Put every lit cell on the screen, over what is there. `fill` draws the cells of bands where dots are whole cells.
    pub fn paint(&self, area: Rect, buffer: &mut Buffer, fill: Option<char>) {
        const QUADRANTS: [char; 16] = [' ', '▘', '▝', '▀', '▖', '▌', '▞', '▛', '▗', '▚', '▐', '▜', '▄', '▙', '▟', '█'];
        for (i, (bits, style)) in self.cells.iter().enumerate().filter(|(_, (bits, _))| *bits != 0) {
            let sign = match self.marker {
                Marker::Braille => char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('•'),
                Marker::Quadrant => QUADRANTS[usize::from(*bits & 0xf)],
                Marker::Dot => fill.unwrap_or('•'),
                Marker::Ascii => fill.unwrap_or('*'),
            };
            let at = (area.x + (i % self.width) as u16, area.y + (i / self.width) as u16);
            if let Some(cell) = buffer.cell_mut(at) {
                cell.set_char(sign).set_style(*style);
            }
        }
    }
}

/// The part of a segment inside the unit square (Liang and Barsky), with a little to spare for rounding.
fn clip(from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
    const SLACK: f64 = 1e-9;
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0f64, 1.0f64);
    for (p, q) in [(-dx, from.0 + SLACK), (dx, 1.0 + SLACK - from.0), (-dy, from.1 + SLACK), (dy, 1.0 + SLACK - from.1)]
    {
        if p == 0.0 {
            if q < 0.0 {
                return None;
            }
        } else if p < 0.0 {
            enter = enter.max(q / p);
        } else {
            leave = leave.min(q / p);
        }
    }
    let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// Keep of each of `columns` columns the first, lowest, highest and last place (M4), so that no extreme is lost.
/// `places` must ascend in x.
pub fn decimate(places: &[(f64, f64)], columns: usize) -> Vec<(f64, f64)> {
    if places.len() <= 4 * columns {
        return places.to_vec();
    }
    let column = |p: &(f64, f64)| (p.0 * columns as f64).floor() as i64;
    let mut kept = Vec::with_capacity(4 * columns);
    for group in places.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &&(f64, f64), b: &&(f64, f64)| a.1.total_cmp(&b.1);
        let extremes = [group.first(), group.iter().min_by(by_height), group.iter().max_by(by_height), group.last()];
        let mut four: Vec<_> = extremes.into_iter().flatten().copied().collect();
        four.sort_by(|a, b| a.0.total_cmp(&b.0));
        four.dedup();
        kept.extend(four);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(raster: &Raster) -> Vec<String> {
        let area = Rect::new(0, 0, raster.width as u16, raster.height as u16);
        let mut buffer = Buffer::empty(area);
        raster.paint(area, &mut buffer, None);
        (0..area.height).map(|y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect()).collect()
    }

    #[test]
    fn a_diagonal_in_every_marker() {
        for (marker, expected) in [
            (Marker::Braille, ["  ⡠⠊", "⡠⠊  "].map(str::to_owned)),
            (Marker::Dot, ["  ••", "••  "].map(str::to_owned)),
            (Marker::Ascii, ["  **", "**  "].map(str::to_owned)),
        ] {
            let mut raster = Raster::new(marker, 4, 2);
            raster.curve(&[(0.0, 0.0), (1.0, 1.0)], Stroke::Solid, Style::new());
            assert_eq!(text(&raster), expected, "{marker:?}");
        }
    }

    #[test]
    fn markers_fall_back_as_the_terminal_tells() {
        assert_eq!(Marker::fitting(Some("xterm-256color"), Some("en_GB.UTF-8")), Marker::Braille);
        assert_eq!(Marker::fitting(None, None), Marker::Braille);
        assert_eq!(Marker::fitting(Some("xterm"), Some("C")), Marker::Braille);
        assert_eq!(Marker::fitting(Some("linux"), Some("de_DE.utf8")), Marker::Dot);
        assert_eq!(Marker::fitting(Some("xterm"), Some("de_DE.ISO-8859-1")), Marker::Ascii);
        assert_eq!(Marker::fitting(Some("dumb"), None), Marker::Ascii);
    }

    #[test]
    fn strokes_differ_without_colour() {
        let drawn = |stroke| {
            let mut raster = Raster::new(Marker::Ascii, 12, 1);
            raster.curve(&[(0.0, 0.5), (1.0, 0.5)], stroke, Style::new());
            text(&raster).remove(0)
        };
        assert_eq!(drawn(Stroke::Solid), "************");
        assert_eq!(drawn(Stroke::Dashed), "** ** ** ** ");
        assert_eq!(drawn(Stroke::Dotted), "* * * * * * ");
    }

    #[test]
    fn what_lies_outside_is_cut_off_not_wrapped() {
        let mut raster = Raster::new(Marker::Ascii, 3, 3);
        raster.curve(&[(-10.0, 0.5), (10.0, 0.5)], Stroke::Solid, Style::new());
        raster.curve(&[(0.2, 2.0), (0.8, 2.0)], Stroke::Solid, Style::new());
        assert_eq!(text(&raster), ["   ", "***", "   "]);
    }

    #[test]
    fn a_strip_fills_between_its_edges() {
        let mut raster = Raster::new(Marker::Dot, 3, 5);
        raster.strip(&[(0.0, 0.5, 0.5), (1.0, 0.0, 1.0)], Style::new());
        assert_eq!(text(&raster), ["  •", " ••", "•••", " ••", "  •"]);
    }

    #[test]
    fn an_empty_raster_takes_anything() {
        let mut raster = Raster::new(Marker::Braille, 0, 0);
        raster.curve(&[(0.0, 0.0), (1.0, 1.0)], Stroke::Solid, Style::new());
        raster.strip(&[(0.0, 0.0, 1.0), (1.0, 0.0, 1.0)], Style::new());
        assert_eq!(raster.size(), (0, 0));
    }

    #[test]
    fn decimation_keeps_every_extreme() {
        let mut places: Vec<_> = (0..10_000).map(|i| (f64::from(i) / 1e4, 0.5)).collect();
        places[1234].1 = 0.9;
        places[7777].1 = 0.1;
        let kept = decimate(&places, 50);
        assert!(kept.len() <= 200 && kept.is_sorted_by(|a, b| a.0 <= b.0));
        assert!(kept.contains(&places[1234]) && kept.contains(&places[7777]));
        assert_eq!((kept.first(), kept.last()), (places.first(), places.last()));
    }

    proptest! {
        /// M4 draws the same cells as all points would: of each column the first, lowest, highest and last are kept.
        #[test]
        fn decimation_keeps_first_lowest_highest_and_last(
            heights in prop::collection::vec(0.0..1.0f64, 100..2000), columns in 1usize..20
        ) {
            let count = heights.len() as f64;
            let places: Vec<_> = heights.iter().enumerate().map(|(i, y)| (i as f64 / count, *y)).collect();
            let kept = decimate(&places, columns);
            prop_assert!(kept.is_sorted_by(|a, b| a.0 < b.0) && kept.iter().all(|p| places.contains(p)));
            for column in 0..columns {
                let inside = |p: &&(f64, f64)| (p.0 * columns as f64).floor() as usize == column;
                let facts = |ps: &[(f64, f64)]| {
                    let ys = || ps.iter().filter(inside).map(|p| p.1);
                    (ys().next(), ys().next_back(), ys().reduce(f64::min), ys().reduce(f64::max))
                };
                prop_assert_eq!(facts(&places), facts(&kept));
            }
        }
    }
}
