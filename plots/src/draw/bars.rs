//! Bars side by side, each with its marker and its value above it.

use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::SCALE;
use super::canvas::Shape;
use super::frame::Plot;
use super::shapes::{self, anchored, colour};
use crate::figure::Bars;

/// The share of the room of a name that its bars take.
const FILLED: f64 = 0.84;
/// How far a marker's middle is above the end of its bar.
const RAISED: i32 = 8;
/// With more bars than this there is no room for their values.
const VALUES_MAX: usize = 36;

/// Draws a group of bars at each name.
pub(super) fn draw(plot: &mut Plot, bars: &[Bars]) {
    let count: usize = bars.iter().map(|bars| bars.values.len()).sum();
    let width = FILLED / bars.len().max(1) as f64;
    for (place, series) in bars.iter().enumerate() {
        for (name, value) in series.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let left = name as f64 - FILLED / 2.0 + place as f64 * width;
            let ends = [plot.at(left, 0.0), plot.at(left + width * 0.92, *value)];
            let fill = colour(series.style.colour).filled();
            plot.area.draw(Shape::Rectangle(ends), fill);
            // So no reader needs the colour, and 0 differs from no count.
            let middle = (ends[0].0.midpoint(ends[1].0), ends[1].1 - RAISED * SCALE);
            shapes::marker(&mut plot.area, middle, series.style, false);
            if count <= VALUES_MAX {
                label(plot, ends, *value);
            }
        }
    }
}

fn label(plot: &mut Plot, ends: [(i32, i32); 2], value: f64) {
    let text = plot.panel.y.unit.short(value);
    let middle = ends[0].0.midpoint(ends[1].0);
    let font = anchored(9, HPos::Center, VPos::Bottom);
    plot.area.write(&text, (middle, ends[1].1 - 2 * RAISED * SCALE), font);
    shapes::rule(
        &mut plot.area,
        [ends[0], (ends[1].0, ends[0].1)],
        shapes::stroke(shapes::MIDDLE, 1),
    );
}
