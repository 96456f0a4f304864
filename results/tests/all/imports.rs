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
    for nothing in ["", "\n\n"] {
        let error = imported(nothing).expect_err("no column");
        assert!(error.contains("there is no column \"name\", nor any other; nothing"), "{error}");
    }
}

/// Not the first of them, nor the last.
#[test]
fn of_two_columns_of_one_name_neither_is_taken() {
    for (table, columns) in [
        ("name,value,value\nsend,1,2\n", "the columns 2 and 3 are both called \"value\""),
        ("unit,name,value,unit\nns,send,1,ms\n", "the columns 1 and 4 are both called \"unit\""),
    ] {
        let error = imported(table).expect_err(columns);
        assert!(error.contains(&format!("others.csv:1: {columns}; nothing")), "{error}");
    }
    let aside = imported("name,note,value,note\nsend,a,41.5,b\n");
    assert_eq!(aside, Ok(vec![("send".to_owned(), None, 41.5, String::new())]));
}

/// What a terminal obeys is not shown, and a file's text only in part.
#[test]
fn complaints_show_little_of_a_file() {
    let steering = imported("name,\u{1b}[2J\nsend,1\n").expect_err("a control character");
    assert!(steering.contains("others.csv:1: a control character"), "{steering:?}");
    let long = "x".repeat(100_000);
    for table in [format!("{long},value\n{long},1\n"), format!("name,value\nsend,{long}\n")] {
        let error = imported(&table).expect_err("nothing to read");
        assert!(error.contains(&format!("{}...", "x".repeat(200))), "{} bytes", error.len());
        assert!(error.len() < 1000, "{} bytes", error.len());
    }
}

/// Rows of no task and cells without a number are left out; -1 is what the script prints where a
/// program said nothing, and 0 is a number.
#[test]
fn will_it_scales_table_is_read_column_by_column() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("read1.csv");
    let table = [
        "tasks,processes,processes_idle,threads,threads_idle,linear",
        "0,0,100.00,0,100.00,0",
        "1,500,50.25,400,49,500",
        "2,900,0.00,-1,1.5,1000",
        "4,,7,,,2000",
    ];
    fs::write(&path, table.join("\n")).expect("written");
    let format = ImportFormat::named("will-it-scale").expect("a format");
    let path = import(&path, format, None, folder.path()).expect("imported");
    let run = Run::read(&RunFile::at(&path).expect("a name")).expect("a run");
    let number =
        |one: &results::Foreign| (one.name.clone(), one.tasks, one.value, one.unit.clone());
    let found: Vec<Number> = run.foreign().map(number).collect();
    let of = |name: &str, tasks, value, unit: &str| {
        (name.to_owned(), Some(tasks), value, unit.to_owned())
    };
    let rate = "operations per second";
    let expected = [
        of("processes", 1, 500.0, rate),
        of("processes", 2, 900.0, rate),
        of("processes, machine idle", 1, 50.25, "%"),
        of("processes, machine idle", 2, 0.0, "%"),
        of("processes, machine idle", 4, 7.0, "%"),
        of("threads", 1, 400.0, rate),
        of("threads, machine idle", 1, 49.0, "%"),
        of("threads, machine idle", 2, 1.5, "%"),
    ];
    assert_eq!(found, expected);
}
