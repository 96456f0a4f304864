//! Lines, markers and text, in pixels.

use plotters::element::{Circle, DashedPathElement, PathElement, Polygon};
use plotters::prelude::DrawingBackend;
use plotters::style::{Color, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::{Area, Drawn, SCALE};
use crate::style::{Colour, Dash, Marker, Style};

/// Paper.
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
/// Text.
pub(super) const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);
/// Grid lines.
pub(super) const FAINT: RGBColor = RGBColor(0xe2, 0xe2, 0xe2);
/// Axes.
pub(super) const MIDDLE: RGBColor = RGBColor(0x80, 0x80, 0x80);

/// The half width of a marker.
const MARKER: i32 = 4;

/// The library's colour.
pub(super) fn colour(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

/// A stroke of so many pixels.
pub(super) fn stroke(colour: RGBColor, width: i32) -> ShapeStyle {
    colour.stroke_width((width * SCALE) as u32)
}

/// Text of a size.
pub(super) fn font(size: i32) -> TextStyle<'static> {
    TextStyle::from(("sans-serif", size * SCALE).into_font()).color(&INK)
}

/// Text with its upper left corner at a place in pixels meant.
pub(super) fn text<DB: DrawingBackend>(
    area: &Area<DB>,
    text: &str,
    at: (i32, i32),
    size: i32,
) -> Drawn<DB> {
    area.draw_text(text, &font(size), (at.0 * SCALE, at.1 * SCALE))
}

/// A line through places, solid or broken.
pub(super) fn line<DB: DrawingBackend>(
    area: &Area<DB>,
    places: &[(i32, i32)],
    style: Style,
    width: i32,
) -> Drawn<DB> {
    let stroke = stroke(colour(style.colour), width);
    let (dash, gap) = match style.dash {
        Dash::Solid => return area.draw(&PathElement::new(places.to_vec(), stroke)),
        Dash::Long => (9, 4),
        Dash::Short => (4, 3),
        Dash::Dots => (2, 3),
    };
    let places = places.iter().copied();
    area.draw(&DashedPathElement::new(places, dash * SCALE, gap * SCALE, stroke))
}

/// A straight line of one colour.
pub(super) fn rule<DB: DrawingBackend>(
    area: &Area<DB>,
    ends: [(i32, i32); 2],
    style: ShapeStyle,
) -> Drawn<DB> {
    area.draw(&PathElement::new(ends.to_vec(), style))
}

/// A marker; hollow means: to be read with care.
pub(super) fn marker<DB: DrawingBackend>(
    area: &Area<DB>,
    at: (i32, i32),
    style: Style,
    hollow: bool,
) -> Drawn<DB> {
    let (fill, edge) = (colour(style.colour), stroke(colour(style.colour), 1));
    let inside = if hollow { WHITE } else { fill };
    let size = MARKER * SCALE;
    if style.marker == Marker::Circle {
        area.draw(&Circle::new(at, size, inside.filled()))?;
        return area.draw(&Circle::new(at, size, edge));
    }
    if style.marker == Marker::Cross {
        let wide = stroke(fill, if hollow { 1 } else { 2 });
        rule(area, [(at.0 - size, at.1 - size), (at.0 + size, at.1 + size)], wide)?;
        return rule(area, [(at.0 - size, at.1 + size), (at.0 + size, at.1 - size)], wide);
    }
    let corners: Vec<(i32, i32)> = corners(style.marker)
        .iter()
        .map(|(x, y)| (at.0 + x * size / 10, at.1 + y * size / 10))
        .collect();
    area.draw(&Polygon::new(corners.clone(), inside.filled()))?;
    let closed: Vec<(i32, i32)> = corners.iter().chain(corners.first()).copied().collect();
    area.draw(&PathElement::new(closed, edge))
}

/// A small dot, for places where there are many; hollow means the same as for markers.
pub(super) fn dot<DB: DrawingBackend>(
    area: &Area<DB>,
    at: (i32, i32),
    style: Style,
    hollow: bool,
) -> Drawn<DB> {
    let fill = colour(style.colour);
    let style = if hollow { stroke(fill, 1) } else { fill.mix(0.6).filled() };
    area.draw(&Circle::new(at, 2 * SCALE, style))
}

/// Corners in tenths of the marker's half width.
fn corners(marker: Marker) -> &'static [(i32, i32)] {
    match marker {
        Marker::Triangle => &[(0, -11), (11, 9), (-11, 9)],
        Marker::Down => &[(0, 11), (11, -9), (-11, -9)],
        Marker::Diamond => &[(0, -13), (13, 0), (0, 13), (-13, 0)],
        Marker::Square | Marker::Circle | Marker::Cross => &[(-9, -9), (9, -9), (9, 9), (-9, 9)],
    }
}
