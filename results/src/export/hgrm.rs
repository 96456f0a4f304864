//! HdrHistogram's percentile distribution as text, the input of its plotting page.
//!
//! The page takes the legend from the file's name, so the names are short: backend, workload,
//! threads, and more only where that would name two cells.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use super::names::{distinct, plain};
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;
use crate::merged::{LOWER_ADDRESS, main_event, merged_event};
use crate::record::Latencies;

pub(super) const FORMAT: Format = Format {
    name: "hgrm",
    about: "HdrHistogram's percentile text, one file per cell and event",
    needs: "latency round",
    contents,
};

/// Rows per halving of the distance to 100 %.
const TICKS_PER_HALF_DISTANCE: u32 = 5;
/// Nanoseconds in the unit of the first column, the microsecond.
const UNIT_NS: f64 = 1000.0;

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let runs = std::slice::from_ref(chosen.run);
    let cells = chosen.by_cell();
    let mut files = Vec::new();
    for (cell, rounds) in &cells {
        let name = distinct(cell, cells.iter().map(|(other, _)| *other), short);
        let Some((main, merged)) = main_event(runs, rounds)? else { continue };
        files.push((format!("{name}.hgrm").into(), text(&merged).into_bytes()));
        let others = [LOWER_ADDRESS].into_iter().chain(Latencies::NAMES);
        for event in others.filter(|event| *event != main) {
            if let Some(merged) = merged_event(runs, rounds, event)? {
                files.push((format!("{name}-{event}.hgrm").into(), text(&merged).into_bytes()));
            }
        }
    }
    Ok(files)
}

fn short(cell: &Cell) -> String {
    format!("{}-{}-t{}", plain(&cell.backend), plain(&cell.workload), cell.threads)
}

/// The whole file.
pub(super) fn text(histogram: &Histogram<u64>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut total = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        total += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / UNIT_NS;
        let share = step.quantile_iterated_to();
        let inverse = if share < 1.0 {
            format!("{:14.2}", 1.0 / (1.0 - share))
        } else {
            format!("{:>14}", "inf")
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{value:12.3} {share:2.12} {total:10} {inverse}");
    }
    text + &footer(histogram)
}

fn footer(histogram: &Histogram<u64>) -> String {
    let (mean, deviation) = (histogram.mean() / UNIT_NS, histogram.stdev() / UNIT_NS);
    let (max, count) = (histogram.max() as f64 / UNIT_NS, histogram.len());
    let (buckets, sub_buckets) = (histogram.buckets(), sub_buckets(histogram.sigfig()));
    format!(
        "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]\n\
         #[Max     = {max:12.3}, Total count    = {count:12}]\n\
         #[Buckets = {buckets:12}, SubBuckets     = {sub_buckets:12}]\n"
    )
}

/// How many values each bucket tells apart, as every HdrHistogram counts them.
fn sub_buckets(digits: u8) -> u64 {
    (2 * 10_u64.pow(u32::from(digits))).next_power_of_two()
}
