//! Intervals, one above the other, with the line of no change.

use plotters::style::Color;

use super::SCALE;
use super::canvas::Shape;
use super::frame::{Plot, across};
use super::shapes::{self, FAINT, colour, stroke};
use crate::figure::IntervalRow;

/// Half the height of a row's band and of an interval's ends.
const BAND: i32 = 8;
const CAP: i32 = 5;

/// Draws the rows.
pub(super) fn draw(plot: &mut Plot, rows: &[IntervalRow]) {
    for (place, row) in rows.iter().enumerate() {
        if let Some((low, high)) = row.itself {
            band(plot, place as f64, low, high);
        }
    }
    across(plot, Some(1.0), None);
    for (place, row) in rows.iter().enumerate() {
        one(plot, place as f64, row);
    }
}

fn band(plot: &mut Plot, y: f64, low: f64, high: f64) {
    let ((left, middle), (right, _)) = (plot.at(low, y), plot.at(high, y));
    let corners = [(left, middle - BAND * SCALE), (right, middle + BAND * SCALE)];
    plot.area.draw(Shape::Rectangle(corners), FAINT.filled());
}

fn one(plot: &mut Plot, y: f64, row: &IntervalRow) {
    let style = stroke(colour(row.style.colour), 2);
    if let (Some(low), Some(high)) = (row.low, row.high) {
        let ends = [plot.at(low, y), plot.at(high, y)];
        shapes::rule(&mut plot.area, ends, style);
        for (x, y) in ends {
            shapes::rule(&mut plot.area, [(x, y - CAP * SCALE), (x, y + CAP * SCALE)], style);
        }
    }
    let estimate = plot.at(row.ratio, y);
    shapes::marker(&mut plot.area, estimate, row.style, false);
}
