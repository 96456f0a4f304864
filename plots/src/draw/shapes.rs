//! Lines, markers and text, in pixels.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::SCALE;
use super::canvas::{Area, Font, Place, Shape};
use crate::style::{Colour, Dash, Marker, Style};

/// Paper.
pub(super) const WHITE: RGBColor = RGBColor(255, 255, 255);
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

/// Text of a size, from its upper left corner.
pub(super) fn font(size: i32) -> Font {
    Font { size, anchor: Pos::default(), is_turned: false }
}

/// Text of a size, of which another point is at its place.
pub(super) fn anchored(size: i32, horizontal: HPos, vertical: VPos) -> Font {
    Font { anchor: Pos::new(horizontal, vertical), ..font(size) }
}

/// Text with its upper left corner at a place in pixels meant.
pub(super) fn text(area: &mut Area, text: &str, at: (i32, i32), size: i32) {
    area.write(text, (at.0 * SCALE, at.1 * SCALE), font(size));
}

/// A line through places, solid or broken.
pub(super) fn line(area: &mut Area, places: &[Place], style: Style, width: i32) {
    let places = places.to_vec();
    let dashes = |dash, gap| Shape::Dashes(places.clone(), [dash * SCALE, gap * SCALE]);
    let shape = match style.dash {
        Dash::Solid => Shape::Path(places),
        Dash::Long => dashes(9, 4),
        Dash::Short => dashes(4, 3),
        Dash::Dots => dashes(2, 3),
    };
    area.draw(shape, stroke(colour(style.colour), width));
}

/// A straight line of one colour.
pub(super) fn rule(area: &mut Area, ends: [Place; 2], style: ShapeStyle) {
    area.draw(Shape::Path(ends.to_vec()), style);
}

/// A marker; hollow means: to be read with care.
pub(super) fn marker(area: &mut Area, at: Place, style: Style, hollow: bool) {
    let (fill, edge) = (colour(style.colour), stroke(colour(style.colour), 1));
    let inside = if hollow { WHITE } else { fill };
    let size = MARKER * SCALE;
    if style.marker == Marker::Circle {
        area.draw(Shape::Circle(at, size), inside.filled());
        return area.draw(Shape::Circle(at, size), edge);
    }
    if style.marker == Marker::Cross {
        let wide = stroke(fill, if hollow { 1 } else { 2 });
        rule(area, [(at.0 - size, at.1 - size), (at.0 + size, at.1 + size)], wide);
        return rule(area, [(at.0 - size, at.1 + size), (at.0 + size, at.1 - size)], wide);
    }
    let corner = |(x, y): &(i32, i32)| (at.0 + x * size / 10, at.1 + y * size / 10);
    let mut corners: Vec<Place> = corners(style.marker).iter().map(corner).collect();
    area.draw(Shape::Polygon(corners.clone()), inside.filled());
    corners.push(corners[0]);
    area.draw(Shape::Path(corners), edge);
}

/// A small dot, for places where there are many; hollow means the same as for markers.
pub(super) fn dot(area: &mut Area, at: Place, style: Style, hollow: bool) {
    let fill = colour(style.colour);
    let style = if hollow { stroke(fill, 1) } else { fill.mix(0.6).filled() };
    area.draw(Shape::Circle(at, 2 * SCALE), style);
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
