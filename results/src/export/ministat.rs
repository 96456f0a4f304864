//! Numbers for ministat(1): a file per cell, a line per throughput round, operations per second.
//!
//! A side is a backend: the cells of a group, which differ in the backend alone, are files of one
//! folder, each called after its backend, for ministat prints the files' names beside its box. The
//! one that the ratios are to is the first. ministat knows nothing of pairs and takes the rounds
//! for independent, so its interval is not that of the tables.

use std::fmt::Write as _;

use super::names::{distinct, one_line, plain};
use super::sample::sample;
use super::{Chosen, Content, ExportError, Format};
use crate::cell::Cell;

pub(super) const FORMAT: Format = Format {
    name: "ministat",
    about: "a number per round, one file per cell, for ministat(1)",
    needs: "throughput round",
    contents,
};

fn contents(chosen: &Chosen) -> Result<Vec<Content>, ExportError> {
    let cells = chosen.by_cell();
    let mut files = Vec::new();
    for (cell, rounds) in &cells {
        let rounds = sample(rounds);
        if rounds.is_empty() {
            continue;
        }
        // What begins with this sign is left aside.
        let mut text = format!("# {}: operations per second\n", one_line(&cell.id()));
        for round in rounds {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}", round.operations_per_second);
        }
        let folder = distinct(cell, cells.iter().map(|(other, _)| *other), short);
        files.push((format!("{folder}/{}", plain(&cell.backend)).into(), text.into_bytes()));
    }
    Ok(files)
}

/// Of all cells of a group.
fn short(cell: &Cell) -> String {
    format!("{}-t{}", plain(&cell.workload), cell.threads)
}
