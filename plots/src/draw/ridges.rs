//! Distributions, one above the other.

use plotters::style::Color;

use super::canvas::Shape;
use super::frame::Plot;
use super::shapes::{self, MIDDLE, colour, stroke};
use crate::figure::Ridge;
use crate::style::{Dash, Style};

/// The height of a ridge where all values are in one bin.
const HEIGHT: f64 = 0.88;
/// The share whose height is 0: one in a million.
const SHARE_MIN: f64 = 1e-6;

/// Draws the ridges, the uppermost first.
pub(super) fn draw(plot: &mut Plot, ridges: &[Ridge]) {
    for (row, ridge) in ridges.iter().enumerate().rev() {
        one(plot, row as f64, ridge);
    }
}

/// How high a share stands: nothing for one in a million, [`HEIGHT`] for all.
fn height(share: f64) -> f64 {
    (1.0 - share.max(SHARE_MIN).log10() / SHARE_MIN.log10()) * HEIGHT
}

fn one(plot: &mut Plot, base: f64, ridge: &Ridge) {
    let mut places = vec![plot.at(ridge.start, base)];
    let mut from = ridge.start;
    for (to, share) in &ridge.bins {
        let top = base + height(*share);
        places.extend([plot.at(from, top), plot.at(to.min(ridge.max), top)]);
        from = to.min(ridge.max);
    }
    let end = plot.at(from, base);
    places.push(end);
    let fill = colour(ridge.style.colour).mix(0.3).filled();
    plot.area.draw(Shape::Polygon(places.clone()), fill);
    let solid = Style { dash: Dash::Solid, ..ridge.style };
    let (width, _) = plot.size();
    shapes::rule(&mut plot.area, [(0, end.1), (width, end.1)], stroke(MIDDLE, 1));
    shapes::line(&mut plot.area, &places, solid, 1);
    shapes::marker(&mut plot.area, end, ridge.style, false);
}
