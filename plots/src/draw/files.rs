//! A figure as the text of an SVG file, and as the bytes of a PNG file.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::style::{FontStyle, register_font as register};

use super::{SCALE, WIDTH, draw, height};
use crate::error::PlotError;
use crate::figure::Figure;

/// The font of every text, so that none is asked of the system.
const FONT: &[u8] = include_bytes!("../../assets/NotoSans-subset.ttf");
/// Pixels drawn for each pixel of a PNG, in both directions: it smooths edges.
const SMOOTH: usize = 2;
/// Bytes of a pixel.
const RGB: usize = 3;
/// Drawn pixels next to each other on which there is nothing.
const BLANK: [u8; 40 * RGB] = [u8::MAX; 40 * RGB];

/// Makes the font known to the plotting library, under the name that everybody asks for. Whoever
/// else draws with the library in this program (criterion does) needs it, too.
///
/// # Errors
/// The font in this program is damaged.
pub fn register_font() -> Result<(), PlotError> {
    let damaged = |_| PlotError::Draw { figure: "font", what: "the font is damaged".to_owned() };
    register("sans-serif", FontStyle::Normal, FONT).map_err(damaged)
}

/// The text of an SVG file.
///
/// # Errors
/// The plotting library refuses the figure.
pub fn svg(figure: &Figure) -> Result<String, PlotError> {
    let (width, height) = (WIDTH, height(figure));
    let drawn = ((width * SCALE) as u32, (height * SCALE) as u32);
    let mut text = String::new();
    onto(SVGBackend::with_string(&mut text, drawn), figure)?;
    // Drawn large, shown as it is meant: the view box stays.
    let large = format!("width=\"{}\" height=\"{}\"", drawn.0, drawn.1);
    let meant = format!("role=\"img\" width=\"{width}\" height=\"{height}\"");
    Ok(text.replacen(&large, &meant, 1))
}

/// The bytes of a PNG file.
///
/// # Errors
/// The plotting library refuses the figure.
pub fn png(figure: &Figure) -> Result<Vec<u8>, PlotError> {
    let (width, height) = ((WIDTH * SCALE) as usize, (height(figure) * SCALE) as usize);
    let mut pixels = vec![0; width * height * RGB];
    onto(BitMapBackend::with_buffer(&mut pixels, (width as u32, height as u32)), figure)?;
    let small = smoothed(&pixels, width);
    drop(pixels);
    encode(&small, width / SMOOTH, height / SMOOTH).map_err(|error| failed(figure, &error))
}

fn onto(mut backend: impl DrawingBackend, figure: &Figure) -> Result<(), PlotError> {
    register_font()?;
    draw(figure).onto(&mut backend).map_err(|error| failed(figure, &error))
}

fn failed(figure: &Figure, error: &impl ToString) -> PlotError {
    PlotError::Draw { figure: figure.id, what: error.to_string() }
}

/// Each pixel is the mean of two by two drawn ones. Every byte of a figure comes through here, so
/// blank paper is passed over, and the rest is a loop of indices, which needs no optimiser.
fn smoothed(pixels: &[u8], width: usize) -> Vec<u8> {
    const { assert!(SMOOTH == 2) };
    let row = width * RGB;
    let mut small = vec![BLANK[0]; pixels.len() / (SMOOTH * SMOOTH)];
    for (rows, means) in pixels.chunks(SMOOTH * row).zip(small.chunks_mut(row / SMOOTH)) {
        let (upper, lower) = rows.split_at(row);
        let blocks = upper.chunks(BLANK.len()).zip(lower.chunks(BLANK.len()));
        for ((upper, lower), means) in blocks.zip(means.chunks_mut(BLANK.len() / SMOOTH)) {
            if *upper != BLANK || *lower != BLANK {
                smooth(upper, lower, means);
            }
        }
    }
    small
}

fn smooth(upper: &[u8], lower: &[u8], means: &mut [u8]) {
    let mean = |at: usize| {
        let sum = upper[at] as u32 + upper[at + RGB] as u32;
        ((sum + lower[at] as u32 + lower[at + RGB] as u32) / 4) as u8
    };
    let (mut from, mut to) = (0, 0);
    while to < means.len() {
        means[to] = mean(from);
        means[to + 1] = mean(from + 1);
        means[to + 2] = mean(from + 2);
        (from, to) = (from + SMOOTH * RGB, to + RGB);
    }
}

fn encode(pixels: &[u8], width: usize, height: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
