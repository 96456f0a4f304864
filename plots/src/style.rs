//! Colours, markers and dashes: every backend looks the same everywhere, and two backends differ in
//! more than their colour.

use serde::{Serialize, Serializer};

use results::Verdict;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hex())
    }
}

impl Colour {
    /// `#rrggbb`.
    #[must_use]
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// The shape that stands for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "shapes")]
pub enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Down,
    Cross,
}

/// How a line is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "kinds of lines")]
pub enum Dash {
    Solid,
    Long,
    Short,
    Dots,
}

/// How a backend, or a verdict, is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Style {
    /// Its colour.
    pub colour: Colour,
    /// Its marker.
    pub marker: Marker,
    /// Its line.
    pub dash: Dash,
}

/// Okabe and Ito's colours for all kinds of colour vision, but for yellow, which is faint on white.
const COLOURS: [Colour; 7] = [
    Colour(0x00, 0x72, 0xb2),
    Colour(0xd5, 0x5e, 0x00),
    Colour(0x00, 0x9e, 0x73),
    Colour(0xcc, 0x79, 0xa7),
    Colour(0xe6, 0x9f, 0x00),
    Colour(0x56, 0xb4, 0xe9),
    Colour(0x00, 0x00, 0x00),
];
const MARKERS: [Marker; 6] = [
    Marker::Circle,
    Marker::Square,
    Marker::Triangle,
    Marker::Diamond,
    Marker::Down,
    Marker::Cross,
];
const DASHES: [Dash; 4] = [Dash::Solid, Dash::Long, Dash::Short, Dash::Dots];

/// The colour of what is neither.
pub const GREY: Colour = Colour(0x5f, 0x5f, 0x5f);

/// The style of every backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Palette {
    names: Vec<String>,
}

impl Palette {
    /// Styles in this order; names that are not in it come behind, by name.
    #[must_use]
    pub fn new<'a>(order: &[String], found: impl Iterator<Item = &'a str>) -> Palette {
        let mut others: Vec<String> =
            found.filter(|name| !order.iter().any(|known| known == name)).map(Into::into).collect();
        others.sort();
        others.dedup();
        Palette { names: order.iter().cloned().chain(others).collect() }
    }

    /// The place of a backend among all.
    #[must_use]
    pub fn place(&self, backend: &str) -> usize {
        self.names.iter().position(|name| name == backend).unwrap_or(self.names.len())
    }

    /// The style of a backend. With more than seven, colours come again, with another marker and
    /// another line.
    #[must_use]
    pub fn style(&self, backend: &str) -> Style {
        let place = self.place(backend);
        Style {
            colour: COLOURS[place % COLOURS.len()],
            marker: MARKERS[place % MARKERS.len()],
            dash: DASHES[place % DASHES.len()],
        }
    }
}

/// The style of a part of a whole, by its place.
#[must_use]
pub fn part(place: usize) -> Style {
    let (colour, marker) = (COLOURS[place % COLOURS.len()], MARKERS[place % MARKERS.len()]);
    Style { colour, marker, dash: Dash::Solid }
}

/// The style of a verdict.
#[must_use]
pub fn verdict(verdict: Verdict) -> Style {
    let (colour, marker) = match verdict {
        Verdict::Faster => (COLOURS[2], Marker::Triangle),
        Verdict::Slower => (COLOURS[1], Marker::Down),
        Verdict::Same => (COLOURS[0], Marker::Circle),
        Verdict::Unclear => (GREY, Marker::Cross),
    };
    Style { colour, marker, dash: Dash::Solid }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backend_has_its_style_whatever_else_was_measured() {
        let order = ["a", "b", "c"].map(String::from);
        let few = Palette::new(&order, ["b"].into_iter());
        let many = Palette::new(&order, ["z", "c", "y", "b", "z"].into_iter());
        assert_eq!(few.style("b"), many.style("b"));
        assert_eq!((many.place("y"), many.place("z"), many.place("other")), (3, 4, 5));
    }

    #[test]
    fn fourteen_backends_are_told_apart() {
        let order: Vec<String> = (0..14).map(|number| format!("b{number:02}")).collect();
        let palette = Palette::new(&order, std::iter::empty());
        let styles: Vec<Style> = order.iter().map(|name| palette.style(name)).collect();
        for (index, style) in styles.iter().enumerate() {
            assert!(!styles[..index].contains(style), "{index}");
        }
    }
}
