//! Lines with their spread, curves, and points.

use super::frame::{Plot, across};
use super::shapes::{self, colour, stroke};
use crate::figure::{Lines, Point, Role, Series};
use crate::style::{Dash, Style};

/// Half the width of the bar at the end of a spread.
const CAP: i32 = 12;

/// With more points than this, markers would cover each other: dots are drawn.
const DENSE: usize = 400;

/// Draws the series, the first lowest.
pub(super) fn draw(plot: &mut Plot, lines: &Lines) {
    for mark in &lines.marks {
        across(plot, Some(*mark), None);
    }
    across(plot, None, lines.level);
    for series in &lines.series {
        one(plot, series);
    }
}

fn one(plot: &mut Plot, series: &Series) {
    let shift = (series.shift * f64::from(plot.size().0)) as i32;
    let place = |point: &Point| {
        let (x, y) = plot.at(point.x, point.y);
        (x + shift, y)
    };
    let places: Vec<(i32, i32)> = series.points.iter().map(place).collect();
    match series.role {
        Role::Ideal => {
            let dotted = Style { dash: Dash::Dots, ..series.style };
            return shapes::line(&mut plot.area, &places, dotted, 1);
        }
        Role::Curve | Role::Line => shapes::line(&mut plot.area, &places, series.style, 2),
        Role::Points => {}
    }
    for (point, place) in series.points.iter().zip(&places) {
        spread(plot, point, place.0, series.style);
    }
    // A curve has so many points that one marker, at its end, must do.
    let marked = if series.role == Role::Curve { places.len().saturating_sub(1) } else { 0 };
    let dense = places.len() > DENSE && series.role == Role::Points;
    for (place, point) in places.iter().zip(&series.points).skip(marked) {
        if dense {
            shapes::dot(&mut plot.area, *place, series.style, point.hollow);
            continue;
        }
        shapes::marker(&mut plot.area, *place, series.style, point.hollow);
    }
}

fn spread(plot: &mut Plot, point: &Point, x: i32, style: Style) {
    let (Some(low), Some(high)) = (point.low, point.high) else { return };
    let ((_, bottom), (_, top)) = (plot.at(point.x, low), plot.at(point.x, high));
    let line = stroke(colour(style.colour), 1);
    shapes::rule(&mut plot.area, [(x, bottom), (x, top)], line);
    for y in [bottom, top] {
        shapes::rule(&mut plot.area, [(x - CAP, y), (x + CAP, y)], line);
    }
}
