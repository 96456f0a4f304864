//! The axes of a panel, and where values lie between them.

use plotters::style::ShapeStyle;
use plotters::style::text_anchor::{HPos, VPos};

use super::SCALE;
use super::canvas::{Area, Font, Place, Shape};
use super::shapes::{self, FAINT, MIDDLE, WHITE, anchored, stroke};
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

/// The room to the right of the plot.
const RIGHT: i32 = 14;
/// How long a tick is, and how far its text is from it.
const TICK_LENGTH: i32 = 4 * SCALE;

/// The inner rectangle of a panel.
pub(super) struct Plot<'a> {
    /// The rectangle, in pixels from its own corner.
    pub(super) area: Area<'a>,
    /// The panel.
    pub(super) panel: &'a Panel,
}

impl Plot<'_> {
    /// Where a value lies.
    pub(super) fn at(&self, x: f64, y: f64) -> Place {
        let (width, height) = self.size();
        let (right, up) = (share(&self.panel.x, x), share(&self.panel.y, y));
        ((right * f64::from(width)) as i32, ((1.0 - up) * f64::from(height)) as i32)
    }

    /// The width and the height.
    pub(super) fn size(&self) -> (i32, i32) {
        self.area.size()
    }
}

/// Draws the title, the axes, the ticks and the grid.
pub(super) fn frame<'a>(area: &'a mut Area, panel: &'a Panel) -> Plot<'a> {
    shapes::text(area, &cut(&panel.title, 62), (4, 2), 13);
    let top = if is_bars(panel) { BARS_TOP } else { TOP } * SCALE;
    let left = left_room(&panel.y) * SCALE;
    let bottom = if panel.x.label.is_empty() { 24 } else { 36 } * SCALE;
    let (width, height) = area.size();
    let (width, height) = (width - left - RIGHT * SCALE, height - top - bottom);
    let turned = Font { is_turned: true, ..anchored(TICK, HPos::Center, VPos::Top) };
    area.write(&panel.y.label, (0, top + height / 2), turned);
    let below = (left + width / 2, top + height + bottom);
    area.write(&panel.x.label, below, anchored(TICK, HPos::Center, VPos::Bottom));
    let (x, y) = (ticks(&panel.x, 0, width - 1), ticks(&panel.y, height - 1, 0));
    grid(&mut area.part((left, top), (width, height)), panel, &x, &y);
    let is_matrix = matches!(panel.content, Content::Matrix { .. });
    let style = if is_matrix { stroke(WHITE, 0) } else { stroke(MIDDLE, 1) };
    y_axis(&mut area.part((0, top), (left, height)), &y, style);
    x_axis(&mut area.part((left, top + height), (width, bottom)), &x, style);
    Plot { area: area.part((left, top), (width, height)), panel }
}

fn is_bars(panel: &Panel) -> bool {
    matches!(panel.content, Content::Bars { .. } | Content::Stacks { .. })
}

/// How far along an axis a value lies: 0 is its lower end, 1 its upper.
fn share(axis: &Axis, value: f64) -> f64 {
    let range = axis.range();
    let (low, high) = (axis.place(range.low), axis.place(range.high));
    (axis.place(value) - low) / (high - low)
}

/// The ticks of an axis between two pixels, with their texts.
fn ticks(axis: &Axis, from: i32, to: i32) -> Vec<(i32, String)> {
    let place = |value| from + (share(axis, value) * f64::from(to - from)) as i32;
    let tick = |(value, text): &(f64, String)| (place(*value), cut(text, NAME_MAX));
    axis.range().ticks.iter().map(tick).collect()
}

fn grid(area: &mut Area, panel: &Panel, x: &[(i32, String)], y: &[(i32, String)]) {
    let ((width, height), style) = (area.size(), stroke(FAINT, 1));
    if matches!(panel.content, Content::Matrix { .. }) {
        return;
    }
    if !is_bars(panel) {
        for (x, _) in x {
            area.draw(Shape::Line([(*x, height - 1), (*x, 0)]), style);
        }
    }
    for (y, _) in y {
        area.draw(Shape::Line([(0, *y), (width - 1, *y)]), style);
    }
}

/// The axis at the right edge of its area.
fn y_axis(area: &mut Area, ticks: &[(i32, String)], style: ShapeStyle) {
    let (width, height) = area.size();
    let edge = width - 1;
    shapes::rule(area, [(edge, 0), (edge, height - 1)], style);
    let font = anchored(TICK, HPos::Right, VPos::Center);
    for (y, text) in ticks {
        area.write(text, (width - 2 * TICK_LENGTH, *y), font);
        shapes::rule(area, [(edge - TICK_LENGTH, *y), (edge, *y)], style);
    }
}

/// The axis at the upper edge of its area.
fn x_axis(area: &mut Area, ticks: &[(i32, String)], style: ShapeStyle) {
    let (width, _) = area.size();
    shapes::rule(area, [(0, 0), (width - 1, 0)], style);
    let font = anchored(TICK, HPos::Center, VPos::Top);
    for (x, text) in ticks {
        area.write(text, (*x, 2 * TICK_LENGTH), font);
        shapes::rule(area, [(*x, 0), (*x, TICK_LENGTH)], style);
    }
}

fn left_room(axis: &Axis) -> i32 {
    let longest =
        axis.range().ticks.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
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
pub(super) fn across(plot: &mut Plot, x: Option<f64>, y: Option<f64>) {
    let (width, height) = plot.size();
    let style = stroke(MIDDLE, 1);
    if let Some(x) = x {
        let (x, _) = plot.at(x, middle(&plot.panel.y));
        shapes::rule(&mut plot.area, [(x, 0), (x, height)], style);
    }
    if let Some(y) = y {
        let (_, y) = plot.at(middle(&plot.panel.x), y);
        shapes::rule(&mut plot.area, [(0, y), (width, y)], style);
    }
}

/// Any value inside the axis.
fn middle(axis: &Axis) -> f64 {
    let range = axis.range();
    match axis.scale {
        Scale::Linear => (range.low + range.high) / 2.0,
        Scale::Log => (range.low * range.high).sqrt(),
    }
}
