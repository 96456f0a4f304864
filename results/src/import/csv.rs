//! A table of one's own making: a number per line, with a column `name` and a column `value`, and
//! where they are known `tasks` and `unit`. Other columns are left aside.

use super::{Fault, ImportFormat, Number, Table, number, tasks};

pub(super) const FORMAT: ImportFormat = ImportFormat {
    name: "csv",
    about: "a line per number: the columns name and value, and perhaps tasks and unit",
    numbers,
};

fn numbers(table: &Table) -> Result<Vec<Number>, Fault> {
    let (name, value) = (table.needed("name")?, table.needed("value")?);
    let (of_tasks, unit) = (table.column("tasks")?, table.column("unit")?);
    let number = |(line, row): &(u64, Vec<String>)| {
        let said = of_tasks.map(|column| row[column].as_str()).filter(|field| !field.is_empty());
        Ok(Number {
            name: row[name].clone(),
            tasks: said.map(|field| tasks(*line, field)).transpose()?,
            value: number(*line, &row[value])?,
            unit: unit.map_or(String::new(), |column| row[column].clone()),
        })
    };
    table.rows.iter().map(number).collect()
}
