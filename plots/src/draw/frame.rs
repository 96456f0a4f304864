//! The axes of a panel, and where values lie between them.

use plotters::chart::ChartBuilder;
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::DrawingBackend;

use super::shapes::{self, FAINT, MIDDLE, WHITE, font, stroke};
use super::{Area, Drawn, SCALE};
use crate::axis::{Axis, Scale};
use crate::figure::{Content, Panel};

/// Longer names of ticks are cut.
const NAME_MAX: usize = 58;
/// About how wide a character of a tick is.
const CHARACTER: f64 = 6.1;
/// The size of ticks and of the names of axes.
const TICK: i32 = 11;

/// The room of the title, and that with a marker and a value above the highest bar.
const TOP: i32 = 26;
const BARS_TOP: i32 = 38;

/// The inner rectangle of a panel.
pub(super) struct Plot<'a, DB: DrawingBackend> {
    /// The rectangle, in pixels from its own corner.
    pub(super) area: Area<DB>,
    /// The panel.
    pub(super) panel: &'a Panel,
}

impl<DB: DrawingBackend> Plot<'_, DB> {
    /// Where a value lies.
    pub(super) fn at(&self, x: f64, y: f64) -> (i32, i32) {
        let (width, height) = self.size();
        let (right, up) = (share(&self.panel.x, x), share(&self.panel.y, y));
        ((right * f64::from(width)) as i32, ((1.0 - up) * f64::from(height)) as i32)
    }

    /// The width and the height.
    pub(super) fn size(&self) -> (i32, i32) {
        let (width, height) = self.area.dim_in_pixel();
        (width as i32, height as i32)
    }
}

/// Draws the title, the axes, the ticks and the grid.
pub(super) fn frame<'a, DB: DrawingBackend>(
    area: &Area<DB>,
    panel: &'a Panel,
) -> Result<Plot<'a, DB>, plotters::drawing::DrawingAreaErrorKind<DB::ErrorType>> {
    shapes::text(area, &cut(&panel.title, 62), (4, 2), 13)?;
    let is_bars = matches!(panel.content, Content::Bars { .. } | Content::Stacks { .. });
    let mut chart = ChartBuilder::on(area)
        .margin_top(if is_bars { BARS_TOP } else { TOP } * SCALE)
        .margin_right(14 * SCALE)
        .x_label_area_size(if panel.x.label.is_empty() { 24 } else { 36 } * SCALE)
        .y_label_area_size(left_room(&panel.y) * SCALE)
        .build_cartesian_2d(places(&panel.x), places(&panel.y))?;
    let is_matrix = matches!(panel.content, Content::Matrix { .. });
    let mut mesh = chart.configure_mesh();
    mesh.bold_line_style(stroke(FAINT, 1))
        .light_line_style(stroke(FAINT, 0))
        .axis_style(stroke(MIDDLE, 1))
        .set_all_tick_mark_size(4 * SCALE)
        .label_style(font(TICK))
        .axis_desc_style(font(TICK))
        .x_desc(panel.x.label.clone())
        .y_desc(panel.y.label.clone());
    if is_matrix {
        mesh.disable_mesh().axis_style(stroke(WHITE, 0));
    }
    if is_bars {
        mesh.disable_x_mesh();
    }
    mesh.draw()?;
    Ok(Plot { area: chart.plotting_area().strip_coord_spec(), panel })
}

/// How far along an axis a value lies: 0 is its lower end, 1 its upper.
fn share(axis: &Axis, value: f64) -> f64 {
    let range = axis.range();
    let (low, high) = (axis.place(range.low), axis.place(range.high));
    (axis.place(value) - low) / (high - low)
}

/// An axis as the library wants it: places from one end to the other, and ticks with their texts.
struct Places {
    low: f64,
    high: f64,
    ticks: Vec<(f64, String)>,
}

impl Ranged for Places {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (place - self.low) / (self.high - self.low);
        from + (share * f64::from(to - from)) as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|(place, _)| *place).collect()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Places {
    fn format(place: &f64) -> String {
        place.to_string()
    }

    fn format_ext(&self, place: &f64) -> String {
        let near = |(tick, _): &&(f64, String)| (tick - place).abs() < 1e-9;
        self.ticks.iter().find(near).map_or(String::new(), |(_, text)| text.clone())
    }
}

fn places(axis: &Axis) -> Places {
    let range = axis.range();
    let tick = |(value, text): (f64, String)| (axis.place(value), cut(&text, NAME_MAX));
    Places {
        low: axis.place(range.low),
        high: axis.place(range.high),
        ticks: range.ticks.into_iter().map(tick).collect(),
    }
}

fn left_room(axis: &Axis) -> i32 {
    let ticks = axis.range().ticks;
    let longest = ticks.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    let label = if axis.label.is_empty() { 0 } else { 18 };
    (longest.min(NAME_MAX) as f64 * CHARACTER) as i32 + 14 + label
}

/// The beginning and the end of a long name: both tell something.
pub(super) fn cut(text: &str, most: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = (most * 2 / 3, most - most * 2 / 3 - 1);
    let end: String = characters[characters.len() - tail..].iter().collect();
    characters[..head].iter().collect::<String>() + "…" + &end
}

/// A vertical or horizontal line across the panel.
pub(super) fn across<DB: DrawingBackend>(
    plot: &Plot<DB>,
    x: Option<f64>,
    y: Option<f64>,
) -> Drawn<DB> {
    let (width, height) = plot.size();
    let style = stroke(MIDDLE, 1);
    if let Some(x) = x {
        let (x, _) = plot.at(x, middle(&plot.panel.y));
        shapes::rule(&plot.area, [(x, 0), (x, height)], style)?;
    }
    if let Some(y) = y {
        let (_, y) = plot.at(middle(&plot.panel.x), y);
        shapes::rule(&plot.area, [(0, y), (width, y)], style)?;
    }
    Ok(())
}

/// Any value inside the axis.
fn middle(axis: &Axis) -> f64 {
    let range = axis.range();
    match axis.scale {
        Scale::Linear => (range.low + range.high) / 2.0,
        Scale::Log => (range.low * range.high).sqrt(),
    }
}
