//! `solock list`: what there is to measure.

use lockimpls::Ambient;
use serde::Serialize;

use super::{EXIT_OK, print};
use crate::cli::ListArgs;
use crate::{locks, matrix};

/// One line of `solock list --json`.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Entry {
    Backend { name: &'static str, about: &'static str, modelled: bool },
    Workload { name: &'static str, about: &'static str, operation: &'static str },
    Lock { name: &'static str, about: &'static str, spins: bool },
    Ambient { name: &'static str, about: &'static str },
}

/// Lists the backends, the workloads, the algorithms of the layer's locks, and the locks around it.
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
    let locks = locks::all().into_iter().map(|lock| Entry::Lock {
        name: lock.name(),
        about: lock.about(),
        spins: lock.spins(),
    });
    let ambient = ambient().map(|(name, about)| Entry::Ambient { name, about });
    for entry in backends.chain(workloads).chain(locks).chain(ambient) {
        lines += &serde_json::to_string(&entry).map_err(|error| error.to_string())?;
        lines.push('\n');
    }
    Ok(lines)
}

/// The locks around the layer, and the name of all of them.
fn ambient() -> impl Iterator<Item = (&'static str, &'static str)> {
    Ambient::LOCKS.into_iter().map(|(_, name, about)| (name, about)).chain([Ambient::ALL])
}

fn text() -> String {
    let mut text = String::from("backends (--backend NAME)\n");
    let backends = matrix::backends();
    let width = backends.iter().map(|backend| backend.name.len()).max().unwrap_or(0);
    for backend in backends {
        text += &format!("  {:<width$} {}\n", backend.name, backend.about);
    }
    text += "\nworkloads (--workload NAME)\n";
    for workload in matrix::workloads() {
        text += &format!("  {:<12} {}\n", workload.name, workload.about);
        text += &format!("  {:<12} one operation: {}\n", "", workload.operation);
    }
    text += "\nalgorithms of the layer's locks (--lock NAME)\n";
    for lock in locks::all() {
        text += &format!("  {:<12} {}\n", lock.name(), lock.about());
    }
    text += "\nlocks of the kernel around the layer (--ambient NAME,NAME)\n";
    for (name, about) in ambient() {
        text += &format!("  {name:<12} {about}\n");
    }
    text
}
