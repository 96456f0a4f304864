//! A figure as data: what is drawn into SVG and PNG, and what the report draws.

use serde::Serialize;

use crate::axis::Axis;
use crate::style::Style;
use crate::table::Table;

/// A figure: panels of one kind, and the table behind them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Its short name, which is that of its files.
    pub id: &'static str,
    /// What is shown.
    pub title: &'static str,
    /// How to read it.
    pub about: String,
    /// Why there is nothing to draw, if so.
    pub missing: Option<String>,
    /// What a reader must know of these values.
    pub notes: Vec<String>,
    /// What the colours and markers mean.
    pub legend: Vec<Key>,
    /// Panels next to each other.
    pub columns: usize,
    /// The panels.
    pub panels: Vec<Panel>,
    /// How many more panels there would be.
    #[serde(skip)]
    pub undrawn: usize,
    /// The numbers.
    #[serde(skip)]
    pub table: Table,
}

/// One entry of a legend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Key {
    /// The name.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
}

/// One pair of axes and what lies between them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panel {
    /// What is shown.
    pub title: String,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// What is drawn.
    pub content: Content,
}

/// What is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Lines or points.
    Lines(Lines),
    /// Distributions, one above the other.
    Ridges {
        /// From bottom to top.
        ridges: Vec<Ridge>,
    },
    /// Bars side by side, a group for each name of the x axis.
    Bars {
        /// A series for each name of the legend.
        bars: Vec<Bars>,
    },
    /// The same, one upon the other.
    Stacks {
        /// A series for each name of the legend, from bottom to top.
        bars: Vec<Bars>,
    },
    /// Coloured cells.
    Matrix {
        /// The cells that have a value.
        cells: Vec<MatrixCell>,
    },
    /// Intervals, one above the other.
    Intervals {
        /// From bottom to top.
        rows: Vec<IntervalRow>,
    },
}

/// Lines or points.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Lines {
    /// The series.
    pub series: Vec<Series>,
    /// Places of vertical lines across the panel.
    pub marks: Vec<f64>,
    /// A value with a horizontal line, where one means something.
    pub level: Option<f64>,
}

/// One line, or points of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
    /// What it is.
    pub role: Role,
    /// How far it is moved to the right, as a share of the panel's width, so that series do not
    /// hide each other.
    pub shift: f64,
    /// The points, from left to right.
    pub points: Vec<Point>,
}

/// What a series is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Values joined by a line, each with its marker.
    Line,
    /// Many values joined by a line, without markers.
    Curve,
    /// Values that are not joined.
    Points,
    /// What would be ideal: a thin dotted line.
    Ideal,
}

/// One value.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Point {
    /// From left to right.
    pub x: f64,
    /// From bottom to top.
    pub y: f64,
    /// The lower end of its spread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// Drawn hollow: to be read with care.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hollow: bool,
    /// What else there is to say.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A distribution.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ridge {
    /// Its name in the legend.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
    /// The lower edge of the first bin, the upper edge of each bin, and the share in it.
    pub start: f64,
    /// The upper edge of each bin, and the share of all in it.
    pub bins: Vec<(f64, f64)>,
    /// The highest value.
    pub max: f64,
}

/// The bars of one name of the legend.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bars {
    /// Its name in the legend.
    pub name: String,
    /// How it is drawn.
    pub style: Style,
    /// A value for each name of the x axis, where there is one.
    pub values: Vec<Option<f64>>,
}

/// A cell of a matrix.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MatrixCell {
    /// The column.
    pub x: usize,
    /// The row, from the bottom.
    pub y: usize,
    /// The ratio.
    pub ratio: f64,
    /// Its interval, with the level where that is not the usual one.
    pub interval: String,
}

/// A row of intervals.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntervalRow {
    /// Its name in the legend.
    pub name: String,
    /// What the row is of.
    pub label: String,
    /// How it is drawn.
    pub style: Style,
    /// The estimate.
    pub ratio: f64,
    /// The lower end of its interval.
    pub low: Option<f64>,
    /// The upper end.
    pub high: Option<f64>,
    /// The interval of no change at all, measured beside.
    pub itself: Option<(f64, f64)>,
    /// What else there is to say.
    pub note: String,
}

impl Figure {
    /// A figure that cannot be drawn, and why.
    #[must_use]
    pub fn missing(mut self, why: &str) -> Figure {
        self.missing = Some(why.to_owned());
        self.panels.clear();
        self.legend.clear();
        self
    }

    /// Keeps at most so many panels, and says how many there would be.
    #[must_use]
    pub fn at_most(mut self, panels: usize) -> Figure {
        let all = self.panels.len() + self.undrawn;
        if all > panels {
            self.panels.truncate(panels);
            self.undrawn = all - panels;
            self.notes.push(format!(
                "the first {panels} of {all} panels are drawn; the table has all values"
            ));
        }
        self
    }
}
