//! The rows of the table, for programs that take one number for each cell and metric.

use super::Chosen;
use crate::error::StoreError;
use crate::summary::{Row, reference, summarise};

impl Chosen<'_> {
    /// The rows of the cells, with ratios to what the run's own are to.
    pub(super) fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let runs = std::slice::from_ref(self.run);
        let rows = summarise(runs, &reference(runs, ""))?.rows;
        Ok(rows.into_iter().filter(|row| self.is_of(&row.cell.id())).collect())
    }
}

/// The percentiles of a row's latencies in nanoseconds, by their names; none where they mean
/// nothing.
pub(super) fn percentiles(row: &Row) -> Vec<(&'static str, u64)> {
    let latency = row.latency.as_ref().filter(|_| !row.flags.overloaded);
    let named = latency.map(|latency| {
        let of = &latency.quantiles;
        [("p50", of.p50_ns), ("p90", of.p90_ns), ("p99", of.p99_ns), ("p99.9", of.p999_ns)]
    });
    named.into_iter().flatten().collect()
}
