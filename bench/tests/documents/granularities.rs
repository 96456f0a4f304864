//! What `lockimpls/GRANULARITIES.md` says of the backends is what the recorded run of all of them
//! says: its tables and its sentences stand between marks, and are made here, by rule. With
//! `SOLOCK_WRITE_GRANULARITIES=1` they are written anew from the files of that run.
//!
//! Between the marks no number is typed; outside of them there is none of the run's.

mod made_up;
mod questions;
mod recorded;
mod sentences;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};

use results::{Run, RunFile};
use solock::matrix;

use crate::shown::{origin, replaced};
use questions::{QUESTIONS, Question};
use recorded::{Group, Recorded};
use sentences::{agreement, compared, fastest, item};

/// Whether to write, and not to compare.
const WRITE: &str = "SOLOCK_WRITE_GRANULARITIES";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> PathBuf {
    root().join("results/recorded/granularities")
}

/// Every run of a folder, by name.
fn runs(folder: &Path) -> Vec<Run> {
    let entries = fs::read_dir(folder).expect("the folder of the recorded run");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).collect();
    // Streams before datagrams, and what was measured before its profile.
    paths.sort_by_key(|path| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        (name.contains("profile"), name.contains("dgram"), name)
    });
    let read = |path: &PathBuf| {
        let file = RunFile::at(path).expect("a path with a name");
        Run::read(&file).expect("a recorded run is whole")
    };
    paths.iter().map(read).collect()
}

/// The parts of the text that are made of the run, by the names of their marks.
fn parts(recorded: &Recorded) -> Vec<(&'static str, String)> {
    let groups = recorded.groups();
    let fastest: String = groups.iter().map(|group| item(&fastest(recorded, group))).collect();
    let agreement = groups.iter().filter_map(|group| agreement(recorded, group));
    let agreement: String = agreement.map(|sentence| item(&sentence)).collect();
    let mut parts = vec![
        ("origin", origin(&recorded.measured[0])),
        ("ratios", tables::ratios(recorded)),
        ("fastest", fastest.trim_end().to_owned()),
        ("agreement", agreement.trim_end().to_owned()),
        ("second thread", tables::scaling(recorded)),
        ("counts", tables::counts(recorded)),
        ("circumstances", tables::circumstances(recorded)),
    ];
    parts.extend(QUESTIONS.iter().map(|question| (question.name, answer(recorded, question))));
    parts
}

/// A sentence for each pair of backends that is asked about, in each group that was measured.
fn answer(recorded: &Recorded, question: &Question) -> String {
    let mut text = String::new();
    for asked in question.asked {
        let was_measured = |name: &str| recorded.backends.contains(&name);
        if !was_measured(asked.backend) || !was_measured(asked.against) {
            continue;
        }
        for name in asked.groups {
            let group = Group::parse(name).expect(name);
            if recorded.row(&group, asked.backend).is_some() {
                text += &item(&compared(recorded, &group, asked.backend, asked.against));
            }
        }
    }
    text.trim_end().to_owned()
}

/// The text as it should be with these parts.
fn expected(text: &str, parts: &[(&str, String)]) -> String {
    let put = |text: String, (name, part): &(&str, String)| replaced(&text, name, part);
    parts.iter().fold(text.to_owned(), put)
}

#[test]
fn the_text_says_what_the_recorded_run_does() {
    let recorded = Recorded::new(runs(&folder())).expect("runs that may be used together");
    let own = folder().join("README.md");
    let text = root().join("lockimpls/GRANULARITIES.md");
    let read = |path: &Path| fs::read_to_string(path).expect("a text");
    let origin = origin(&recorded.measured[0]);
    for (path, expected) in [
        (&text, expected(&read(&text), &parts(&recorded))),
        (&own, replaced(&read(&own), "origin", &origin)),
    ] {
        if std::env::var_os(WRITE).is_some() {
            fs::write(path, expected).expect("written");
            continue;
        }
        assert!(
            read(path) == expected,
            "{} does not say what results/recorded/granularities does: look at what\n\
             {WRITE}=1 cargo test -p solock --test documents granularities\nmakes of it",
            path.display()
        );
    }
}

/// What is written by hand has no figure that a run could change: none with a point, no share but
/// that of an interval.
#[test]
fn outside_of_the_marks_there_is_no_number_of_a_run() {
    let text = fs::read_to_string(root().join("lockimpls/GRANULARITIES.md")).expect("a text");
    let parts = text.split("<!-- recorded: ").enumerate();
    let by_hand = parts.map(|(place, part)| match part.split_once("<!-- end -->") {
        Some((_, by_hand)) if place > 0 => by_hand,
        _ => part,
    });
    for line in by_hand.flat_map(str::lines).filter(|line| !line.starts_with('|')) {
        let words: Vec<&str> = line.split_whitespace().collect();
        for pair in words.windows(2) {
            let is_share = pair[1].starts_with('%') && !["95", "3"].contains(&pair[0]);
            let is_ratio = pair[1] == "x" && pair[0].starts_with(|it: char| it.is_ascii_digit());
            assert!(!is_share && !is_ratio, "{line}");
        }
    }
}

#[test]
fn what_is_asked_about_can_be_measured() {
    let backends: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
    let workloads: Vec<&str> = matrix::workloads().iter().map(|one| one.name).collect();
    for asked in QUESTIONS.iter().flat_map(|question| question.asked) {
        for name in [asked.backend, asked.against] {
            assert!(backends.contains(&name), "{name} is no backend");
        }
        for name in asked.groups {
            let group = Group::parse(name).unwrap_or_else(|| panic!("{name} is no group"));
            assert!(workloads.contains(&group.workload.as_str()), "{name} has no workload");
        }
    }
}
