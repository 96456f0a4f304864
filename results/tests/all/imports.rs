//! Numbers of others, by the crate alone.

use std::fs;

use results::{ImportFormat, Run, RunFile, import};

/// A name, tasks, a value and its unit.
type Number = (String, Option<u32>, f64, String);

/// Imports a table of one's own making; what was read, or why not.
fn imported(table: &str) -> Result<Vec<Number>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("others.csv");
    fs::write(&path, table).expect("written");
    let format = ImportFormat::named("csv").expect("a format");
    let path = import(&path, format, None, folder.path()).map_err(|error| error.to_string())?;
    let run = Run::read(&RunFile::at(&path).expect("a name")).expect("a run");
    assert!(run.is_foreign() && run.foreign().all(|one| one.source == "others"));
    let number =
        |one: &results::Foreign| (one.name.clone(), one.tasks, one.value, one.unit.clone());
    Ok(run.foreign().map(number).collect())
}

#[test]
fn a_column_is_found_by_its_name_and_may_be_absent() {
    let send = |tasks, unit: &str| Ok(vec![("send".to_owned(), tasks, 41.5, unit.to_owned())]);
    assert_eq!(imported("name,value\nsend,41.5\n"), send(None, ""));
    assert_eq!(imported("unit,tasks,value,name\nns,7,41.5,send\n"), send(Some(7), "ns"));
    let error = imported("name,number\nsend,41.5\n").expect_err("no value");
    assert!(error.contains("there is no column \"value\"; there are name, number"), "{error}");
}
