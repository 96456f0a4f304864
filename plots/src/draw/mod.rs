//! A figure as shapes: title, legend, and panels in a grid.
//!
//! Everything is drawn four times as large as it is meant, because the library counts in whole
//! pixels; the files are scaled back.

use plotters::style::Color;

use crate::figure::{Content, Figure, Panel};

mod bars;
mod canvas;
mod files;
mod frame;
mod intervals;
mod lines;
mod matrix;
mod ridges;
mod shapes;
mod stacks;

use canvas::{Area, Canvas, Shape};

pub use files::{png, register_font, svg};

/// Pixels drawn for each pixel meant.
pub(crate) const SCALE: i32 = 4;
/// The width of every figure.
pub(crate) const WIDTH: i32 = 1000;
/// White around everything.
const MARGIN: i32 = 16;
/// The height of the title, and of a line of the legend.
const TITLE_HEIGHT: i32 = 34;
const LEGEND_HEIGHT: i32 = 24;

/// The height of a note under the panels, and the most characters of it.
const NOTE_HEIGHT: i32 = 18;
const NOTE_MAX: usize = 165;

/// The height of a figure, in pixels meant.
pub(crate) fn height(figure: &Figure) -> i32 {
    let rows = figure.panels.chunks(figure.columns.max(1)).map(row_height);
    head_height(figure) + rows.sum::<i32>() + NOTE_HEIGHT * figure.notes.len() as i32 + MARGIN
}

/// Draws a figure onto a canvas of [`WIDTH`] by [`height`].
fn draw(figure: &Figure) -> Canvas {
    let mut canvas = Canvas::default();
    let size = (WIDTH * SCALE, height(figure) * SCALE);
    let area = &mut canvas.area(size);
    area.draw(Shape::Rectangle([(0, 0), size]), shapes::WHITE.filled());
    shapes::text(area, figure.title, (MARGIN, MARGIN - 4), 20);
    legend(area, figure);
    let columns = figure.columns.max(1) as i32;
    let width = (WIDTH - 2 * MARGIN) / columns;
    let mut top = head_height(figure);
    for row in figure.panels.chunks(columns as usize) {
        for (column, one) in row.iter().enumerate() {
            let left = MARGIN + column as i32 * width;
            let size = ((width - 8) * SCALE, panel_height(one) * SCALE);
            panel(&mut area.part((left * SCALE, top * SCALE), size), one);
        }
        top += row_height(row);
    }
    for note in &figure.notes {
        shapes::text(area, &frame::cut(note, NOTE_MAX), (MARGIN, top), 11);
        top += NOTE_HEIGHT;
    }
    canvas
}

fn panel(area: &mut Area, panel: &Panel) {
    let mut plot = frame::frame(area, panel);
    match &panel.content {
        Content::Lines(content) => lines::draw(&mut plot, content),
        Content::Ridges { ridges } => ridges::draw(&mut plot, ridges),
        Content::Bars { bars } => bars::draw(&mut plot, bars),
        Content::Stacks { bars } => stacks::draw(&mut plot, bars),
        Content::Matrix { cells } => matrix::draw(&mut plot, cells),
        Content::Intervals { rows } => intervals::draw(&mut plot, rows),
    }
}

fn panel_height(panel: &Panel) -> i32 {
    let rows = panel.y.names.len() as i32;
    match &panel.content {
        Content::Lines(_) => 320,
        Content::Ridges { .. } => 80 + 64 * rows.max(2),
        Content::Bars { .. } => 252,
        Content::Stacks { .. } => 320,
        Content::Matrix { .. } => 70 + 40 * rows,
        Content::Intervals { .. } => 84 + 26 * rows,
    }
}

fn row_height(row: &[Panel]) -> i32 {
    row.iter().map(panel_height).max().unwrap_or(0) + 10
}

fn head_height(figure: &Figure) -> i32 {
    MARGIN + TITLE_HEIGHT + LEGEND_HEIGHT * legend_places(figure).1
}

/// Where each entry of the legend stands (column in pixels, line), and how many lines there are.
fn legend_places(figure: &Figure) -> (Vec<(i32, i32)>, i32) {
    let (mut places, mut x, mut line) = (Vec::new(), MARGIN, 0);
    for key in &figure.legend {
        let width = 60 + 8 * key.name.chars().count() as i32;
        if x > MARGIN && x + width > WIDTH - MARGIN {
            (x, line) = (MARGIN, line + 1);
        }
        places.push((x, line));
        x += width;
    }
    let lines = if places.is_empty() { 0 } else { line + 1 };
    (places, lines)
}

fn legend(area: &mut Area, figure: &Figure) {
    for (key, (x, line)) in figure.legend.iter().zip(legend_places(figure).0) {
        let y = MARGIN + TITLE_HEIGHT + line * LEGEND_HEIGHT;
        let ends = [(x, y), (x + 34, y)].map(|(x, y)| (x * SCALE, y * SCALE));
        shapes::line(area, &ends, key.style, 2);
        shapes::marker(area, ((x + 17) * SCALE, y * SCALE), key.style, false);
        shapes::text(area, &key.name, (x + 42, y - 6), 13);
    }
}
