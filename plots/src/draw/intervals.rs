//! Intervals, one above the other, with the line of no change.

use plotters::element::Rectangle;
use plotters::prelude::DrawingBackend;
use plotters::style::Color;

use super::frame::{Plot, across};
use super::shapes::{self, FAINT, colour, stroke};
use super::{Drawn, SCALE};
use crate::figure::IntervalRow;

/// Half the height of a row's band and of an interval's ends.
const BAND: i32 = 8;
const CAP: i32 = 5;

/// Draws the rows.
pub(super) fn draw<DB: DrawingBackend>(plot: &Plot<DB>, rows: &[IntervalRow]) -> Drawn<DB> {
    for (place, row) in rows.iter().enumerate() {
        if let Some((low, high)) = row.itself {
            band(plot, place as f64, low, high)?;
        }
    }
    across(plot, Some(1.0), None)?;
    for (place, row) in rows.iter().enumerate() {
        one(plot, place as f64, row)?;
    }
    Ok(())
}

fn band<DB: DrawingBackend>(plot: &Plot<DB>, y: f64, low: f64, high: f64) -> Drawn<DB> {
    let ((left, middle), (right, _)) = (plot.at(low, y), plot.at(high, y));
    let corners = [(left, middle - BAND * SCALE), (right, middle + BAND * SCALE)];
    plot.area.draw(&Rectangle::new(corners, FAINT.filled()))
}

fn one<DB: DrawingBackend>(plot: &Plot<DB>, y: f64, row: &IntervalRow) -> Drawn<DB> {
    let style = stroke(colour(row.style.colour), 2);
    if let (Some(low), Some(high)) = (row.low, row.high) {
        let ends = [plot.at(low, y), plot.at(high, y)];
        shapes::rule(&plot.area, ends, style)?;
        for (x, y) in ends {
            shapes::rule(&plot.area, [(x, y - CAP * SCALE), (x, y + CAP * SCALE)], style)?;
        }
    }
    shapes::marker(&plot.area, plot.at(row.ratio, y), row.style, false)
}
