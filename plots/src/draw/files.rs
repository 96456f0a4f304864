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

/// Each pixel is the mean of [`SMOOTH`] by [`SMOOTH`] drawn ones.
fn smoothed(pixels: &[u8], width: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(pixels.len() / SMOOTH / SMOOTH);
    for rows in pixels.chunks_exact(width * RGB * SMOOTH) {
        for column in 0..width / SMOOTH {
            for channel in 0..RGB {
                let mut sum = 0;
                for (dx, dy) in (0..SMOOTH).flat_map(|dx| (0..SMOOTH).map(move |dy| (dx, dy))) {
                    let place = dy * width + column * SMOOTH + dx;
                    sum += u32::from(rows[place * RGB + channel]);
                }
                small.push((sum / (SMOOTH * SMOOTH) as u32) as u8);
            }
        }
    }
    small
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
