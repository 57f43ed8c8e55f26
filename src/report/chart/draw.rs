//! Charts as SVG and PNG, through the plotting library.

use std::sync::Arc;

use kuva::backend::raster::RasterBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::scatter::MarkerShape;
use kuva::plot::{BandPlot, ColorMap, Heatmap, LinePlot, ScatterPlot};
use kuva::render::annotations::{ReferenceLine, TextAnnotation};
use kuva::render::figure::Figure;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::Scene;

use super::range::{Range, drawable, tick, whole_step};
use super::{At, Axis, Chart, Content, Map, Mark, Panel, Scale, Series, Style};
use crate::error::{Error, Result};

/// Colours that people of every colour vision tell apart (Okabe and Ito 2008), without the yellow that white paper
/// swallows.
const INKS: [&str; 7] = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
/// Signs beside them, for print without colour.
const SIGNS: [MarkerShape; 7] = [
    MarkerShape::Circle,
    MarkerShape::Square,
    MarkerShape::Triangle,
    MarkerShape::Diamond,
    MarkerShape::TriangleDown,
    MarkerShape::Pentagon,
    MarkerShape::Cross,
];
/// The colour of guides and marks.
const GREY: &str = "#7a7a7a";
/// Width and height of a panel without its legend, in pixels of the SVG.
const PANEL: (f64, f64) = (560.0, 400.0);
/// Left and right margin of a panel: room for `2·10⁻¹²` beside the label.
const MARGINS: (f64, f64) = (104.0, 24.0);
/// Height of a line of the legend.
const LEGEND_LINE: f64 = 22.0;
/// Pixels of the PNG for one of the SVG: a panel then has 300 dots an inch over the width of a column.
const DENSITY: f32 = 2.0;
/// Distance of lines in the cell of a map, in rows of it.
const MAP_LINE: f64 = 0.3;
/// Font sizes: titles, labels, ticks, legends.
const SIZES: [u32; 4] = [16, 15, 13, 13];
/// Widest name on a horizontal axis of names that is not turned.
const UPRIGHT: usize = 6;

/// A chart as it goes into files.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The SVG.
    pub svg: String,
    /// The PNG.
    pub png: Vec<u8>,
}

/// Draw a chart.
///
/// # Errors
/// If the picture cannot be encoded.
pub fn draw(chart: &Chart) -> Result<Picture> {
    let scene = scene(chart);
    let svg = SvgBackend.render_scene(&scene);
    let png = RasterBackend::new().with_scale(DENSITY).render_scene(&scene);
    Ok(Picture { svg, png: png.map_err(|e| Error::Computation(format!("the picture cannot be encoded: {e}")))? })
}

fn scene(chart: &Chart) -> Scene {
    let columns = chart.columns.clamp(1, chart.panels.len().max(1));
    let rows = chart.panels.len().div_ceil(columns);
    let lines = chart.panels.iter().map(|panel| legend(panel).len()).max().unwrap_or(0);
    let height = PANEL.1 + lines as f64 * LEGEND_LINE;
    let (plots, layouts) = chart.panels.iter().map(|panel| draw_panel(panel, lines)).unzip();
    Figure::new(rows, columns).with_cell_size(PANEL.0, height).with_plots(plots).with_layouts(layouts).render()
}

/// The plots of a panel, and its layout with room for a legend of `lines` lines.
fn draw_panel(panel: &Panel, lines: usize) -> (Vec<Plot>, Layout) {
    match &panel.content {
        Content::Series(series, marks) => draw_series(panel, series, marks, lines),
        Content::Map(map) => draw_map(panel, map),
    }
}

fn draw_series(panel: &Panel, series: &[Series], marks: &[Mark], lines: usize) -> (Vec<Plot>, Layout) {
    let at_x = marks.iter().filter_map(|mark| if let At::X(x) = mark.at { Some(x) } else { None });
    let at_y = marks.iter().filter_map(|mark| if let At::Y(y) = mark.at { Some(y) } else { None });
    let (x, y) = (
        Range::of_x(&panel.x.scale, series, &at_x.collect::<Vec<_>>()),
        Range::of_y(&panel.y.scale, series, &at_y.collect::<Vec<_>>()),
    );
    let placing = Placing { panel, x: &x, y: &y };
    // Guides lie below curves, bands below both.
    let bands = series.iter().filter_map(|one| placing.band(one));
    let guides = series.iter().filter(|one| one.style == Style::Guide).flat_map(|one| placing.line(one));
    let curves = series.iter().filter(|one| one.style != Style::Guide).flat_map(|one| placing.line(one));
    let signs = series.iter().filter_map(|one| placing.signs(one));
    let plots: Vec<Plot> = bands.chain(guides).chain(curves).chain(signs).collect();

    let mut layout = layout(panel, Layout::new(x.ends(), y.ends()));
    let ((x_low, x_high), (y_low, y_high)) = (x.ends(), y.ends());
    layout = layout.with_force_margins(MARGINS.0, MARGINS.1);
    layout = layout.with_x_axis_min(x_low).with_x_axis_max(x_high).with_y_axis_min(y_low).with_y_axis_max(y_high);
    if panel.x.scale == Scale::Log {
        layout = layout.with_log_x();
    }
    if panel.y.scale == Scale::Log {
        layout = layout.with_log_y();
    }
    match &panel.x.scale {
        Scale::Names(names) => {
            layout = layout.with_x_tick_step(1.0);
            if names.iter().any(|name| name.chars().count() > UPRIGHT) {
                layout = layout.with_x_tick_rotate(-30.0);
            }
        }
        Scale::Linear => {
            let places: Vec<f64> = series.iter().flat_map(|one| &one.points).map(|p| p.x).collect();
            if let Some(step) = whole_step(&places) {
                layout = layout.with_x_tick_step(step);
            }
        }
        Scale::Log => (),
    }
    let (unit_x, unit_y) = (x.unit, y.unit);
    layout = layout.with_x_tick_format(ticks(&panel.x, unit_x)).with_y_tick_format(ticks(&panel.y, unit_y));
    for mark in marks {
        let line = match mark.at {
            At::X(at) => ReferenceLine::vertical(x.place(at)),
            At::Y(at) => ReferenceLine::horizontal(y.place(at)),
        };
        layout = layout.with_reference_line(line.with_color(GREY).with_label(mark.label.clone()));
    }
    let entries = legend(panel);
    if !entries.is_empty() {
        layout = layout
            .with_legend_entries(entries)
            .with_legend_position(LegendPosition::OutsideBottomCenter)
            .with_legend_box(false)
            .with_legend_height(lines as f64 * LEGEND_LINE);
    }
    (plots, layout)
}

/// What panels have in common.
fn layout(panel: &Panel, layout: Layout) -> Layout {
    let [title, label, tick, body] = SIZES;
    layout
        .with_title(panel.title.clone())
        .with_x_label(panel.x.label.clone())
        .with_y_label(panel.y.label.clone())
        .with_title_size(title)
        .with_label_size(label)
        .with_tick_size(tick)
        .with_body_size(body)
        .with_grid_line_width(0.5)
}

fn ticks(axis: &Axis, unit: f64) -> TickFormat {
    let scale = axis.scale.clone();
    TickFormat::Custom(Arc::new(move |value| tick(&scale, value * unit)))
}

/// The legend of a panel: its named series in order.
fn legend(panel: &Panel) -> Vec<LegendEntry> {
    let Content::Series(series, _) = &panel.content else { return Vec::new() };
    let entry = |one: &Series| {
        let shape = match one.style {
            Style::Curve | Style::Signs => LegendShape::Marker(sign(one.ink)),
            Style::Line | Style::Dashed | Style::Guide => LegendShape::Line,
        };
        Some(LegendEntry { label: one.label.clone()?, color: ink(one), shape, dasharray: dashes(one.style) })
    };
    series.iter().filter_map(entry).collect()
}

fn sign(ink: usize) -> MarkerShape {
    SIGNS[ink % SIGNS.len()]
}

fn ink(series: &Series) -> String {
    match series.style {
        Style::Guide => GREY.into(),
        _ => INKS[series.ink % INKS.len()].into(),
    }
}

fn dashes(style: Style) -> Option<String> {
    match style {
        Style::Guide => Some("2 4".into()),
        Style::Dashed => Some("8 4".into()),
        Style::Curve | Style::Line | Style::Signs => None,
    }
}

/// Series brought into the ranges of a panel.
struct Placing<'a> {
    panel: &'a Panel,
    x: &'a Range,
    y: &'a Range,
}

/// A point as it is drawn.
struct Placed {
    x: f64,
    y: f64,
    low: f64,
    high: f64,
}

impl Placing<'_> {
    /// The points of a series that its scales have a place for; what lies beyond the ranges stands at their edge.
    fn points(&self, series: &Series) -> Vec<Placed> {
        let fits = |x: f64, y: f64| drawable(&self.panel.x.scale, x) && drawable(&self.panel.y.scale, y);
        let end = |end: f64, value: f64| if end.is_nan() { value } else { end };
        let placed = series.points.iter().filter(|p| fits(p.x, p.y.value)).map(|p| Placed {
            x: self.x.place(p.x),
            y: self.y.place(p.y.value),
            low: self.y.place(end(p.y.low, p.y.value)),
            high: self.y.place(end(p.y.high, p.y.value)),
        });
        placed.collect()
    }

    fn band(&self, series: &Series) -> Option<Plot> {
        let points = self.points(series);
        let wide = points.iter().any(|p| p.low < p.high);
        let banded = matches!(series.style, Style::Curve | Style::Line) && points.len() > 1 && wide;
        banded.then(|| {
            let column = |of: fn(&Placed) -> f64| points.iter().map(of).collect::<Vec<f64>>();
            let band = BandPlot::new(column(|p| p.x), column(|p| p.low), column(|p| p.high));
            Plot::Band(band.with_color(ink(series)).with_opacity(0.14))
        })
    }

    fn line(&self, series: &Series) -> Vec<Plot> {
        if series.style == Style::Signs {
            return Vec::new();
        }
        // A guide that leaves the panel ends at its edge rather than creeping along it.
        let inside = |value: f64, range: &Range| value >= range.low && value <= range.high;
        let kept = series.points.iter().filter(|p| series.style != Style::Guide || inside(p.y.value, self.y)).copied();
        let points = self.points(&Series { points: kept.collect(), ..series.clone() });
        let width = if series.style == Style::Guide { 1.3 } else { 2.0 };
        let mut line = LinePlot::new().with_data(points.iter().map(|p| (p.x, p.y)));
        line = line.with_color(ink(series)).with_stroke_width(width);
        vec![Plot::Line(match series.style {
            Style::Dashed => line.with_dashed(),
            Style::Guide => line.with_dotted(),
            Style::Curve | Style::Line | Style::Signs => line,
        })]
    }

    fn signs(&self, series: &Series) -> Option<Plot> {
        let points = self.points(series);
        let wide = points.iter().any(|p| p.low < p.high);
        let bars = match series.style {
            Style::Signs => wide,
            // A band of one point has no width to be seen by.
            Style::Curve => wide && points.len() == 1,
            Style::Line | Style::Dashed | Style::Guide => return None,
        };
        let mut plot = ScatterPlot::new().with_data(points.iter().map(|p| (p.x, p.y)));
        if bars {
            plot = plot.with_y_err_asymmetric(points.iter().map(|p| (p.y - p.low, p.high - p.y)));
        }
        Some(Plot::Scatter(plot.with_color(ink(series)).with_size(4.0).with_marker(sign(series.ink))))
    }
}

/// A map: colours go with the logarithm, from white so that what is printed in a cell can be read.
fn draw_map(panel: &Panel, map: &Map) -> (Vec<Plot>, Layout) {
    let shade = |cell: &Option<super::MapCell>| match cell {
        Some(cell) if cell.value > 0.0 => cell.value.log10(),
        _ => f64::NAN,
    };
    let data: Vec<Vec<f64>> = map.cells.iter().map(|row| row.iter().map(shade).collect()).collect();
    let heat = Heatmap::new().with_data(data).with_color_map(ColorMap::Custom(Arc::new(colour)));
    let plots = vec![Plot::Heatmap(heat)];
    let mut layout = layout(panel, Layout::auto_from_plots(&plots))
        .with_x_categories(map.columns.clone())
        .with_y_categories(map.rows.clone())
        .with_colorbar_tick_format(TickFormat::Custom(Arc::new(|value| tick(&Scale::Log, 10f64.powf(value)))));
    for (row, cells) in map.cells.iter().enumerate() {
        for (column, cell) in cells.iter().enumerate() {
            let Some(cell) = cell else { continue };
            let (x, y) = (column as f64 + 1.0, row as f64 + 1.0);
            // Lines below each other around the middle; the library prints a note somewhat above its place.
            let lines = cell.lines.len() as f64;
            for (i, text) in cell.lines.iter().enumerate() {
                let place = y + MAP_LINE * (0.5 * lines - i as f64 - 1.0);
                layout = layout.with_annotation(TextAnnotation::new(text.clone(), x, place).with_font_size(12));
            }
        }
    }
    (plots, layout)
}

/// White to orange; white too where nothing is known.
fn colour(part: f64) -> String {
    let part = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
    let channel = |full: f64| (255.0 + (full - 255.0) * part).round() as u8;
    format!("rgb({},{},{})", channel(230.0), channel(120.0), channel(20.0))
}

#[cfg(test)]
mod tests {
    use super::super::{MapCell, Point};
    use super::*;
    use crate::math::stats::Interval;

    fn chart() -> Chart {
        let wide = |x: f64, value: f64| Point { x, y: Interval { value, low: 0.0, high: f64::INFINITY } };
        let series = vec![
            Series::new(Style::Curve, 0, vec![wide(1.0, 1e-14), wide(10.0, 1e-13)]).named("J_sub < J_full"),
            Series::new(Style::Guide, 0, vec![Point::exact(1.0, 1e-14), Point::exact(10.0, 1e3)]).named("∝ n⁻²"),
            Series::new(Style::Signs, 1, vec![Point::exact(2.0, f64::NAN), Point::exact(2.0, -1.0)]),
        ];
        let marks = vec![Mark { at: At::Y(2e-14), label: "floor".into() }];
        let map = Map {
            columns: vec!["1".into(), "4".into()],
            rows: vec!["1e-3".into()],
            cells: vec![vec![Some(MapCell { value: 1e-6, lines: vec!["1 ppm".into(), "±2 ppm".into()] }), None]],
        };
        let (x, y) = (Axis::log("n + 1"), Axis::log("J, nats²"));
        let panel = |content| Panel { title: "σ = 1e-3".into(), x: x.clone(), y: y.clone(), content };
        Chart { panels: vec![panel(Content::Series(series, marks)), panel(Content::Map(map))], columns: 2 }
    }

    #[test]
    fn a_chart_becomes_an_svg_with_its_words_and_a_png() {
        let picture = draw(&chart()).unwrap();
        for words in ["J_sub &lt; J_full", "∝ n⁻²", "n + 1", "floor", "1 ppm", "±2 ppm", "10⁻¹⁴"] {
            assert!(picture.svg.contains(words), "{words} is not in the picture");
        }
        assert!(!picture.svg.contains("NaN") && !picture.svg.contains("inf"));
        assert_eq!(picture.png[..8], [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a]);
    }
}
