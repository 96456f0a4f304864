//! The figures, one file each, and their registry.

use crate::error::PlotError;
use crate::figure::{Figure, Key};
use crate::input::Input;

mod anatomy;
mod distribution;
mod history;
mod order;
mod percentiles;
mod ratios;
mod throughput;
mod verdicts;

/// Makes one figure.
type Make = fn(&Input) -> Result<Figure, PlotError>;

/// Every figure, in the order of the report.
const FIGURES: [Make; 8] = [
    throughput::figure,
    percentiles::figure,
    distribution::figure,
    anatomy::figure,
    ratios::figure,
    verdicts::figure,
    history::figure,
    order::figure,
];

/// The most panels of a figure that are drawn.
const PANELS_MAX: usize = 16;

/// Makes every figure.
///
/// # Errors
/// A histogram is damaged.
pub fn all(input: &Input) -> Result<Vec<Figure>, PlotError> {
    FIGURES.iter().map(|make| make(input).map(|figure| figure.at_most(PANELS_MAX))).collect()
}

/// A legend of backends.
fn legend(input: &Input, names: Vec<String>) -> Vec<Key> {
    names.into_iter().map(|name| Key { style: input.style(&name), name }).collect()
}
