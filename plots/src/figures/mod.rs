//! The figures, one file each, and their registry.

use results::summary::Row;

use crate::error::PlotError;
use crate::figure::{Figure, Key};
use crate::input::{Input, case_label};

mod anatomy;
mod distribution;
mod history;
mod order;
mod percentiles;
mod ratios;
mod split;
mod throughput;
mod verdicts;

/// Makes one figure.
type Make = fn(&Input) -> Result<Figure, PlotError>;

/// Every figure, in the order of the report.
const FIGURES: [Make; 9] = [
    throughput::figure,
    percentiles::figure,
    distribution::figure,
    anatomy::figure,
    ratios::figure,
    verdicts::figure,
    history::figure,
    order::figure,
    split::figure,
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

/// What spoils a row's numbers, in words; empty where nothing does.
fn caveats(row: &Row) -> String {
    let flags = &row.flags;
    let all = [
        (flags.all_flagged, "every round flagged"),
        (flags.unpinned, "unpinned"),
        (flags.oversubscribed, "more threads than CPUs"),
        (flags.spinning, "waiting by spinning"),
        (flags.overloaded, "rate not kept up"),
    ];
    let true_ones: Vec<&str> = all.iter().filter(|(is, _)| *is).map(|(_, text)| *text).collect();
    true_ones.join(", ")
}

/// Whether the threads of a row were not each on their own CPU.
fn is_spoiled(row: &Row) -> bool {
    row.flags.unpinned || row.flags.oversubscribed
}

/// The name of a case, with what spoils the whole of it.
fn case_title(case: &[Row]) -> String {
    let mut title = case_label(&case[0].cell);
    for (is, text) in [
        (case.iter().any(|row| row.flags.unpinned), "unpinned"),
        (case.iter().any(|row| row.flags.oversubscribed), "more threads than CPUs"),
    ] {
        if is {
            title = format!("{title} ({text})");
        }
    }
    title
}
