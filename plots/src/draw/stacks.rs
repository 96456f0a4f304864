//! Bars of parts, one upon the other, with the sum above each bar.

use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::SCALE;
use super::canvas::Shape;
use super::frame::Plot;
use super::shapes::{self, anchored, colour};
use crate::figure::Bars;

/// The share of the room of a name that its bar takes.
const FILLED: f64 = 0.56;
/// A lower part has no room for its marker.
const MARKED_MIN: i32 = 12;

/// Draws a bar at each name, from the first of the series up.
pub(super) fn draw(plot: &mut Plot, bars: &[Bars]) {
    let names = bars.iter().map(|series| series.values.len()).max().unwrap_or(0);
    for name in 0..names {
        let (left, right) = (name as f64 - FILLED / 2.0, name as f64 + FILLED / 2.0);
        let mut foot = 0.0;
        for series in bars {
            let Some(value) = series.values.get(name).copied().flatten() else { continue };
            let ends = [plot.at(left, foot), plot.at(right, foot + value)];
            foot += value;
            plot.area.draw(Shape::Rectangle(ends), colour(series.style.colour).mix(0.75).filled());
            // So no reader needs the colour.
            if ends[0].1 - ends[1].1 >= MARKED_MIN * SCALE {
                let middle = (ends[0].0.midpoint(ends[1].0), ends[0].1.midpoint(ends[1].1));
                shapes::marker(&mut plot.area, middle, series.style, true);
            }
        }
        let font = anchored(10, HPos::Center, VPos::Bottom);
        let (x, y) = plot.at(name as f64, foot);
        plot.area.write(&plot.panel.y.unit.short(foot), (x, y - 3 * SCALE), font);
    }
}
