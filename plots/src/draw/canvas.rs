//! What is drawn, as data: shapes and text at their places, for any of plotters' backends.
//!
//! The library's drawing is compiled anew for each backend, each shape and each kind of iterator.
//! So figures become shapes first, which knows no backend, and [`Canvas::onto`] alone does.

use plotters::backend::DrawingBackend;
use plotters::element::{DashedPathElement, Drawable};
use plotters::style::text_anchor::Pos;
use plotters::style::{Color, FontTransform, IntoFont, RGBColor, ShapeStyle, TextStyle};

use super::SCALE;

/// Pixels to the right, and pixels down.
pub(super) type Place = (i32, i32);

/// Text.
const INK: RGBColor = RGBColor(0x1a, 0x1a, 0x1a);

/// A shape, without its style.
pub(super) enum Shape {
    /// A straight line.
    Line([Place; 2]),
    /// A line through places.
    Path(Vec<Place>),
    /// The same, broken: with the lengths of a dash and of a gap.
    Dashes(Vec<Place>, [i32; 2]),
    /// What is inside of a line through places.
    Polygon(Vec<Place>),
    /// A circle of a radius.
    Circle(Place, i32),
    /// A rectangle between two corners.
    Rectangle([Place; 2]),
}

/// How text is written.
#[derive(Clone, Copy)]
pub(super) struct Font {
    /// Its size, in pixels meant.
    pub(super) size: i32,
    /// What of it is at its place.
    pub(super) anchor: Pos,
    /// It is turned, to be read from below.
    pub(super) is_turned: bool,
}

enum Item {
    Shape(Shape, ShapeStyle),
    Text(String, Place, Font),
}

/// All that is drawn, from the lowest.
#[derive(Default)]
pub(super) struct Canvas {
    items: Vec<Item>,
}

/// A rectangle of a canvas. Places are counted from its upper left corner; no shape goes beyond its
/// edges.
pub(super) struct Area<'a> {
    items: &'a mut Vec<Item>,
    from: Place,
    to: Place,
}

impl Canvas {
    /// All of the canvas, as an area of this width and height.
    pub(super) fn area(&mut self, (width, height): (i32, i32)) -> Area<'_> {
        Area { items: &mut self.items, from: (0, 0), to: (width, height) }
    }

    /// Draws it all on a backend.
    pub(super) fn onto(self, backend: &mut impl DrawingBackend) -> Result<(), String> {
        for item in self.items {
            let drawn = match item {
                Item::Shape(shape, style) => match shape {
                    Shape::Line([from, to]) => backend.draw_line(from, to, &style),
                    Shape::Path(places) => backend.draw_path(places, &style),
                    Shape::Dashes(places, [dash, gap]) => {
                        let places = places.into_iter();
                        let path = DashedPathElement::new(places.clone(), dash, gap, style);
                        path.draw(places, backend, (0, 0))
                    }
                    Shape::Polygon(places) => {
                        backend.fill_polygon(places, &style.color.to_backend_color())
                    }
                    Shape::Circle(centre, radius) => {
                        backend.draw_circle(centre, radius as u32, &style, style.filled)
                    }
                    Shape::Rectangle([from, to]) => {
                        backend.draw_rect(from, to, &style, style.filled)
                    }
                },
                Item::Text(text, place, font) => backend.draw_text(&text, &font.style(), place),
            };
            drawn.map_err(|error| error.to_string())?;
        }
        backend.present().map_err(|error| error.to_string())
    }
}

impl Area<'_> {
    /// A rectangle of this one: its upper left corner, its width and height.
    pub(super) fn part(&mut self, at: Place, (width, height): (i32, i32)) -> Area<'_> {
        let from = (self.from.0 + at.0, self.from.1 + at.1);
        Area { items: self.items, from, to: (from.0 + width, from.1 + height) }
    }

    /// The width and the height.
    pub(super) fn size(&self) -> (i32, i32) {
        (self.to.0 - self.from.0, self.to.1 - self.from.1)
    }

    /// Draws a shape.
    pub(super) fn draw(&mut self, mut shape: Shape, style: ShapeStyle) {
        for (x, y) in shape.places_mut() {
            *x = (self.from.0 + *x).min(self.to.0).max(self.from.0);
            *y = (self.from.1 + *y).min(self.to.1).max(self.from.1);
        }
        if let Shape::Rectangle([one, other]) = &mut shape {
            let (left, top) = (one.0.min(other.0), one.1.min(other.1));
            let (right, bottom) = (one.0.max(other.0), one.1.max(other.1));
            (*one, *other) = ((left, top), (right, bottom));
        }
        self.items.push(Item::Shape(shape, style));
    }

    /// Writes text, which may go beyond the edges.
    pub(super) fn write(&mut self, text: &str, at: Place, font: Font) {
        let place = (self.from.0 + at.0, self.from.1 + at.1);
        self.items.push(Item::Text(text.to_owned(), place, font));
    }
}

impl Shape {
    fn places_mut(&mut self) -> &mut [Place] {
        match self {
            Shape::Line(ends) | Shape::Rectangle(ends) => ends,
            Shape::Path(places) | Shape::Dashes(places, _) | Shape::Polygon(places) => places,
            Shape::Circle(centre, _) => std::slice::from_mut(centre),
        }
    }
}

impl Font {
    fn style(self) -> TextStyle<'static> {
        let turn = if self.is_turned { FontTransform::Rotate270 } else { FontTransform::None };
        let font = ("sans-serif", self.size * SCALE).into_font().transform(turn);
        TextStyle::from(font).color(&INK).pos(self.anchor)
    }
}
