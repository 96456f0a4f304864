//! Bars side by side, each with its marker and its value above it.

use plotters::element::Rectangle;
use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::frame::Plot;
use super::shapes::{self, colour, font};
use super::{Drawn, SCALE};
use crate::figure::Bars;

/// The share of the room of a name that its bars take.
const FILLED: f64 = 0.84;
/// How far a marker's middle is above the end of its bar.
const RAISED: i32 = 8;
/// With more bars than this there is no room for their values.
const VALUES_MAX: usize = 36;

/// Draws a group of bars at each name.
pub(super) fn draw<DB: DrawingBackend>(plot: &Plot<DB>, bars: &[Bars]) -> Drawn<DB> {
    let count: usize = bars.iter().map(|bars| bars.values.len()).sum();
    let width = FILLED / bars.len().max(1) as f64;
    for (place, series) in bars.iter().enumerate() {
        for (name, value) in series.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let left = name as f64 - FILLED / 2.0 + place as f64 * width;
            let ends = [plot.at(left, 0.0), plot.at(left + width * 0.92, *value)];
            let fill = colour(series.style.colour).filled();
            plot.area.draw(&Rectangle::new(ends, fill))?;
            // So no reader needs the colour, and 0 differs from no count.
            let middle = (ends[0].0.midpoint(ends[1].0), ends[1].1 - RAISED * SCALE);
            shapes::marker(&plot.area, middle, series.style, false)?;
            if count <= VALUES_MAX {
                label(plot, ends, *value)?;
            }
        }
    }
    Ok(())
}

fn label<DB: DrawingBackend>(plot: &Plot<DB>, ends: [(i32, i32); 2], value: f64) -> Drawn<DB> {
    let text = plot.panel.y.unit.short(value);
    let middle = ends[0].0.midpoint(ends[1].0);
    let style = font(9).pos(Pos::new(HPos::Center, VPos::Bottom));
    plot.area.draw_text(&text, &style, (middle, ends[1].1 - 2 * RAISED * SCALE))?;
    shapes::rule(&plot.area, [ends[0], (ends[1].0, ends[0].1)], shapes::stroke(shapes::MIDDLE, 1))
}
