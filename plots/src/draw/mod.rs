//! A figure onto any of plotters' backends: title, legend, and panels in a grid.
//!
//! Everything is drawn four times as large as it is meant, because the library counts in whole
//! pixels; the files are scaled back.

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters::prelude::DrawingBackend;

use crate::figure::{Content, Figure, Panel};

mod bars;
mod files;
mod frame;
mod intervals;
mod lines;
mod matrix;
mod ridges;
mod shapes;
mod stacks;

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

/// What drawing on a backend gives.
type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;
/// Where there is room to draw, in pixels.
type Area<DB> = DrawingArea<DB, Shift>;

/// The height of a figure, in pixels meant.
pub(crate) fn height(figure: &Figure) -> i32 {
    let rows = figure.panels.chunks(figure.columns.max(1)).map(row_height);
    head_height(figure) + rows.sum::<i32>() + NOTE_HEIGHT * figure.notes.len() as i32 + MARGIN
}

/// Draws a figure into an area of [`WIDTH`] by [`height`].
fn draw<DB: DrawingBackend>(area: &Area<DB>, figure: &Figure) -> Drawn<DB> {
    area.fill(&shapes::WHITE)?;
    shapes::text(area, figure.title, (MARGIN, MARGIN - 4), 20)?;
    legend(area, figure)?;
    let columns = figure.columns.max(1) as i32;
    let width = (WIDTH - 2 * MARGIN) / columns;
    let mut top = head_height(figure);
    for row in figure.panels.chunks(columns as usize) {
        for (column, one) in row.iter().enumerate() {
            let left = MARGIN + column as i32 * width;
            panel(&part(area, (left, top), (width - 8, panel_height(one))), one)?;
        }
        top += row_height(row);
    }
    for note in &figure.notes {
        shapes::text(area, &frame::cut(note, NOTE_MAX), (MARGIN, top), 11)?;
        top += NOTE_HEIGHT;
    }
    Ok(())
}

/// A rectangle of an area, in pixels meant.
fn part<DB: DrawingBackend>(area: &Area<DB>, at: (i32, i32), size: (i32, i32)) -> Area<DB> {
    let (x, y) = (at.0 * SCALE, at.1 * SCALE);
    let (right, bottom) = (x + size.0 * SCALE, y + size.1 * SCALE);
    area.clone().shrink((x, y), ((right - x) as u32, (bottom - y) as u32))
}

fn panel<DB: DrawingBackend>(area: &Area<DB>, panel: &Panel) -> Drawn<DB> {
    let plot = frame::frame(area, panel)?;
    match &panel.content {
        Content::Lines(content) => lines::draw(&plot, content),
        Content::Ridges { ridges } => ridges::draw(&plot, ridges),
        Content::Bars { bars } => bars::draw(&plot, bars),
        Content::Stacks { bars } => stacks::draw(&plot, bars),
        Content::Matrix { cells } => matrix::draw(&plot, cells),
        Content::Intervals { rows } => intervals::draw(&plot, rows),
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

fn legend<DB: DrawingBackend>(area: &Area<DB>, figure: &Figure) -> Drawn<DB> {
    for (key, (x, line)) in figure.legend.iter().zip(legend_places(figure).0) {
        let y = MARGIN + TITLE_HEIGHT + line * LEGEND_HEIGHT;
        let ends = [(x, y), (x + 34, y)].map(|(x, y)| (x * SCALE, y * SCALE));
        shapes::line(area, &ends, key.style, 2)?;
        shapes::marker(area, ((x + 17) * SCALE, y * SCALE), key.style, false)?;
        shapes::text(area, &key.name, (x + 42, y - 6), 13)?;
    }
    Ok(())
}
