//! Charts for papers: what is drawn, as data. How it is drawn is `draw`'s matter, where its ranges come from `range`'s.

mod draw;
mod range;

pub use draw::{Picture, draw};

use crate::math::stats::Interval;

/// A chart of one or more panels.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Panels, row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row.
    pub columns: usize,
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its title, such as `σ = 1e-3`.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// What is in it.
    pub content: Content,
}

/// What a panel holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Curves and signs, with lines across at noted places.
    Series(Vec<Series>, Vec<Mark>),
    /// A map with a value in each cell.
    Map(Map),
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its label, with the unit.
    pub label: String,
    /// How values are placed along it.
    pub scale: Scale,
}

/// How values are placed along an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Scale {
    /// Evenly.
    Linear,
    /// By their logarithm.
    Log,
    /// Names at 1, 2, 3 …
    Names(Vec<String>),
}

impl Axis {
    /// An axis with a linear scale.
    pub fn linear(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), scale: Scale::Linear }
    }

    /// An axis with a logarithmic scale.
    pub fn log(label: impl Into<String>) -> Axis {
        Axis { label: label.into(), scale: Scale::Log }
    }

    /// An axis of names.
    pub fn names(label: impl Into<String>, names: Vec<String>) -> Axis {
        Axis { label: label.into(), scale: Scale::Names(names) }
    }
}

/// One curve or row of signs.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend; unnamed series are not in it.
    pub label: Option<String>,
    /// Its points by x.
    pub points: Vec<Point>,
    /// How it is drawn.
    pub style: Style,
    /// Its colour and sign: series of one number look alike in every panel.
    pub ink: usize,
}

/// A point with its interval; both ends are the value where that is exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Place.
    pub x: f64,
    /// Value.
    pub y: Interval,
}

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// A line with signs and, where an interval is known, a band.
    Curve,
    /// A line alone.
    Line,
    /// A dashed line alone.
    Dashed,
    /// A thin dotted line in grey: a guide to the eye.
    Guide,
    /// Signs with error bars.
    Signs,
}

impl Point {
    /// A value without an interval.
    pub fn exact(x: f64, y: f64) -> Point {
        Point { x, y: Interval { value: y, low: y, high: y } }
    }
}

impl Series {
    /// A series without a name.
    pub fn new(style: Style, ink: usize, points: Vec<Point>) -> Series {
        Series { label: None, points, style, ink }
    }

    /// The same with a name.
    pub fn named(self, label: impl Into<String>) -> Series {
        Series { label: Some(label.into()), ..self }
    }
}

/// A line across a panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub at: At,
    /// What it says.
    pub label: String,
}

/// Where a line stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// Upright at this x.
    X(f64),
    /// Level at this y.
    Y(f64),
}

/// A map.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Heads of the columns, left to right.
    pub columns: Vec<String>,
    /// Heads of the rows, from the bottom up.
    pub rows: Vec<String>,
    /// Cells by row; `None` where nothing is known.
    pub cells: Vec<Vec<Option<MapCell>>>,
}

/// A cell of a map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapCell {
    /// What its colour shows.
    pub value: f64,
    /// What is printed in it.
    pub lines: Vec<String>,
}
