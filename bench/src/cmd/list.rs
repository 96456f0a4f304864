//! `solock list`: what there is to measure.

use serde::Serialize;

use super::{EXIT_OK, print};
use crate::cli::ListArgs;
use crate::matrix;

/// One line of `solock list --json`.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Entry {
    Backend { name: &'static str, about: &'static str, modelled: bool },
    Workload { name: &'static str, about: &'static str, operation: &'static str },
}

/// Lists the backends and the workloads.
///
/// # Errors
/// Standard output cannot be written.
pub fn list(args: &ListArgs) -> Result<i32, String> {
    print(&if args.json { json()? } else { text() })?;
    Ok(EXIT_OK)
}

fn json() -> Result<String, String> {
    let backends = matrix::backends().into_iter().map(|backend| Entry::Backend {
        name: backend.name,
        about: backend.about,
        modelled: backend.modelled,
    });
    let workloads = matrix::workloads().into_iter().map(|workload| Entry::Workload {
        name: workload.name,
        about: workload.about,
        operation: workload.operation,
    });
    let mut lines = String::new();
    for entry in backends.chain(workloads) {
        lines += &serde_json::to_string(&entry).map_err(|error| error.to_string())?;
        lines.push('\n');
    }
    Ok(lines)
}

fn text() -> String {
    let mut text = String::from("backends (--backend NAME)\n");
    for backend in matrix::backends() {
        text += &format!("  {:<12} {}\n", backend.name, backend.about);
    }
    text += "\nworkloads (--workload NAME)\n";
    for workload in matrix::workloads() {
        text += &format!("  {:<12} {}\n", workload.name, workload.about);
        text += &format!("  {:<12} one operation: {}\n", "", workload.operation);
    }
    text
}
