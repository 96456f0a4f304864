//! A matrix of ratios: coloured cells with their numbers.

use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::SCALE;
use super::canvas::Shape;
use super::frame::Plot;
use super::shapes::{WHITE, anchored, stroke};
use crate::figure::MatrixCell;
use crate::unit::Unit;

/// The colours of much faster and much slower.
const FAST: [f64; 3] = [77.0, 157.0, 201.0];
const SLOW: [f64; 3] = [238.0, 188.0, 77.0];
/// The ratio, or its inverse, from which on the colour is full.
const RATIO_MAX: f64 = 8.0;

/// Draws the cells.
pub(super) fn draw(plot: &mut Plot, cells: &[MatrixCell]) {
    cells.iter().for_each(|cell| one(plot, cell));
}

fn one(plot: &mut Plot, cell: &MatrixCell) {
    let (x, y) = (cell.x as f64, cell.y as f64);
    let corners = [plot.at(x - 0.5, y + 0.5), plot.at(x + 0.5, y - 0.5)];
    plot.area.draw(Shape::Rectangle(corners), colour(cell.ratio).filled());
    plot.area.draw(Shape::Rectangle(corners), stroke(WHITE, 2));
    let (centre, middle) = plot.at(x, y);
    let font = |size| anchored(size, HPos::Center, VPos::Center);
    let value = Unit::Ratio.text(cell.ratio);
    plot.area.write(&value, (centre, middle - 7 * SCALE), font(14));
    plot.area.write(&cell.interval, (centre, middle + 9 * SCALE), font(10));
}

/// White at 1, blue above, orange below, as strong as the logarithm is far from 0.
fn colour(ratio: f64) -> RGBColor {
    let strength = (ratio.ln() / RATIO_MAX.ln()).clamp(-1.0, 1.0);
    let full = if strength > 0.0 { FAST } else { SLOW };
    let mix = |part: f64| (245.0 + (part - 245.0) * strength.abs()) as u8;
    RGBColor(mix(full[0]), mix(full[1]), mix(full[2]))
}
