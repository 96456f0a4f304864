//! What the README shows of a real run is what the file of that run says: its answer, its table,
//! its figures. With `SOLOCK_WRITE_README=1` they are written anew from the file.

use std::fs;
use std::path::{Path, PathBuf};

use crate::shown::{origin, replaced};
use results::{Kept, Run, RunFile};
use solock::cmd::plot;
use solock::cmd::show::{answer_text, table_text};

/// The width of a text in a README.
const COLUMNS: usize = 80;
/// The figures that are shown.
const FIGURES: [&str; 2] = ["throughput.svg", "percentiles.svg"];
/// Whether to write, and not to compare.
const WRITE: &str = "SOLOCK_WRITE_README";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> PathBuf {
    root().join("results/recorded")
}

fn recorded() -> Run {
    let path = folder().join("run.jsonl");
    let file = RunFile { id: "run".to_owned(), path, partial: false };
    Run::read(&file).expect("the recorded run is whole")
}

fn fenced(text: &str) -> String {
    format!("```\n{}\n```", text.trim_end())
}

/// Each file of the repository that shows the run, as it should be.
fn expected(run: &Run) -> Vec<(PathBuf, String)> {
    let runs = std::slice::from_ref(run);
    let read = |path: &Path| fs::read_to_string(path).expect("a text");
    let (readme, own) = (root().join("README.md"), folder().join("README.md"));
    let (mut text, kept) = (read(&readme), Kept::default());
    for (name, part) in [
        ("answer", fenced(&answer_text(runs, &kept, COLUMNS).expect("an answer"))),
        ("origin", origin(run)),
        ("table", fenced(&table_text(runs, &kept, COLUMNS).expect("a table"))),
    ] {
        text = replaced(&text, name, &part);
    }
    let mut files = vec![(own.clone(), replaced(&read(&own), "origin", &origin(run)))];
    files.push((readme, text));
    let drawn = tempfile::tempdir().expect("a folder");
    let around = plot::Around { kept, ..plot::Around::default() };
    plot::write(runs, around, drawn.path()).expect("figures");
    files.extend(FIGURES.map(|name| (folder().join(name), read(&drawn.path().join(name)))));
    files
}

#[test]
fn the_readme_shows_the_recorded_run() {
    for (path, expected) in expected(&recorded()) {
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, expected).expect("written");
            continue;
        }
        let found = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            found == expected,
            "{} does not show results/recorded/run.jsonl as this program would: look at what\n\
             {WRITE}=1 cargo test -p solock --test documents readme\nmakes of it",
            path.display()
        );
    }
}

#[test]
fn the_readme_names_files_that_are_there() {
    let readme = fs::read_to_string(root().join("README.md")).expect("a text");
    for name in FIGURES {
        assert!(readme.contains(&format!("results/recorded/{name}")), "{name} is not shown");
    }
}
