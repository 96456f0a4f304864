//! The table that will-it-scale's `runtest.py` prints: operations per second by tasks, once as
//! processes and once as threads, and how idle the machine was meanwhile.
//!
//! The row of no task is no measurement, nor is a negative number, which is what the script prints
//! where a program said nothing; `linear` is made from the others.

use super::{Fault, ImportFormat, Number, Table, number, tasks};

pub(super) const FORMAT: ImportFormat = ImportFormat {
    name: "will-it-scale",
    about: "will-it-scale's table by tasks, as its runtest.py prints it",
    numbers,
};

/// Its columns that are measured, what they are called here, and their units.
const COLUMNS: [(&str, &str, &str); 4] = [
    ("processes", "processes", "operations per second"),
    ("processes_idle", "processes, machine idle", "%"),
    ("threads", "threads", "operations per second"),
    ("threads_idle", "threads, machine idle", "%"),
];

fn numbers(table: &Table) -> Result<Vec<Number>, Fault> {
    let of_tasks = table.needed("tasks")?;
    let mut numbers = Vec::new();
    for (column, name, unit) in COLUMNS {
        let column = table.needed(column)?;
        for (line, row) in &table.rows {
            let tasks = tasks(*line, &row[of_tasks])?;
            if tasks == 0 || row[column].is_empty() {
                continue;
            }
            let value = number(*line, &row[column])?;
            if value >= 0.0 {
                let (name, unit) = (name.to_owned(), unit.to_owned());
                numbers.push(Number { name, tasks: Some(tasks), value, unit });
            }
        }
    }
    Ok(numbers)
}
