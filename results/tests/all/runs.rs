//! Run files: written, killed, renamed, found, read.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use results::{Foreign, Interrupted, Record, Run, RunFile, Store, StoreError, same_machine};
use tempfile::TempDir;

use crate::fixture::{finding, host, noon, run, throughput};

fn store() -> (TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("runs")).expect("writable");
    (folder, store)
}

fn records() -> Vec<Record> {
    (0..3).map(|round| throughput("global", round, 100 + u64::from(round)).into()).collect()
}

fn write_raw(path: &Path, bytes: &[u8]) -> RunFile {
    fs::write(path, bytes).expect("written");
    RunFile::at(path).expect("has a name")
}

fn lines(records: &[Record]) -> String {
    records.iter().map(|record| record.to_line().expect("a line") + "\n").collect()
}

#[test]
fn a_run_is_written_renamed_and_read() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    assert!(writer.id().starts_with("20261123T091500Z-"), "{}", writer.id());
    writer.publish(&records()[..2]).expect("published");
    writer.append(&records()[2]).expect("appended");
    let half = store.read("last").expect("readable meanwhile");
    assert!(half.partial && half.interrupted() && half.torn_line.is_none());
    let path = writer.finish().expect("renamed");
    assert!(!writer.partial_path().exists());
    let whole = store.read(writer.id()).expect("readable");
    assert_eq!((whole.path.as_path(), whole.records.as_slice()), (path.as_path(), &records()[..]));
    assert!(!whole.partial && !whole.interrupted());
    assert_eq!(fs::read_dir(store.folder()).expect("a folder").count(), 1, "nothing else is left");
}

#[test]
fn a_run_is_foreign_where_all_of_it_is() {
    let of = |records: Vec<Record>| Run { records, ..run(Vec::new()) };
    let [ours, theirs] = [records(), vec![Foreign::default().into()]];
    assert!(of(theirs.clone()).is_foreign());
    assert!(!of(ours.clone()).is_foreign() && !of(Vec::new()).is_foreign());
    assert!(!of([ours, theirs].concat()).is_foreign());
}

#[test]
fn a_run_is_a_comparison_where_nothing_was_measured() {
    let of = |records: Vec<Record>| Run { records, ..run(Vec::new()) };
    let [ours, verdicts] = [records(), vec![results::Compared::default().into()]];
    assert!(of(verdicts.clone()).is_comparison());
    assert!(!of(ours.clone()).is_comparison() && !of(Vec::new()).is_comparison());
    assert!(!of([ours, verdicts].concat()).is_comparison());
}

#[test]
fn a_writer_that_wrote_nothing_leaves_nothing() {
    let (_folder, store) = store();
    let left = || fs::read_dir(store.folder()).expect("a folder").count();
    let writer = store.start(noon()).expect("starts");
    assert!(writer.is_empty());
    assert_eq!(left(), 1);
    drop(writer);
    assert_eq!(left(), 0);
    let early = store.start(noon()).expect("starts");
    early.discard_if_empty();
    assert_eq!(left(), 0);
    let writer = store.start(noon()).expect("starts");
    writer.append(&records()[0]).expect("appended");
    assert!(!writer.is_empty());
    writer.discard_if_empty();
    drop(writer);
    assert_eq!(left(), 1, "what there is of a run stays");
}

/// A file that would take too long to read is not read; this one has no blocks.
#[test]
fn a_file_that_is_too_long_is_told_by_its_length() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.jsonl");
    fs::File::create(&path).and_then(|file| file.set_len((1 << 30) + 1)).expect("made");
    let error = Run::read(&RunFile::at(&path).expect("a name")).expect_err("too long");
    assert!(matches!(error, StoreError::TooLong { .. }), "{error}");
}

#[test]
fn a_bad_record_stores_nothing() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    let mut bad = throughput("global", 1, 1);
    bad.seconds = f64::NAN;
    let error = writer.publish(&[records()[0].clone(), bad.into()]).expect_err("NaN");
    assert!(error.to_string().contains("pairs/global/stream/64B/t2/adaptive"), "{error}");
    assert_eq!(fs::metadata(writer.partial_path()).expect("a file").len(), 0);
}

#[test]
fn a_killed_run_stays_readable_wherever_it_was_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = lines(&records()[..2]);
    let first = text.find('\n').expect("two lines") + 1;
    // Without its newline alone a line is whole.
    for cut in (first..text.len() - 1).step_by(7) {
        let path = folder.path().join("20261123T091500Z-3fa2.partial.jsonl");
        let run = Run::read(&write_raw(&path, &text.as_bytes()[..cut])).expect("readable");
        assert!(run.interrupted());
        assert_eq!(run.records, records()[..1], "cut at {cut}");
        assert_eq!(run.torn_line, (cut > first).then_some(2), "cut at {cut}");
    }
}

#[test]
fn a_torn_line_is_an_error_in_a_finished_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = lines(&records());
    let path = folder.path().join("20261123T091500Z-3fa2.jsonl");
    let error = Run::read(&write_raw(&path, &text.as_bytes()[..text.len() - 9])).expect_err("torn");
    assert!(error.to_string().starts_with(&format!("{}:3: ", path.display())), "{error}");
    // Only the newline is missing: an editor did that, nothing is lost.
    let run = Run::read(&write_raw(&path, text.trim_end().as_bytes())).expect("whole");
    assert_eq!(run.records, records());
}

#[test]
fn a_damaged_line_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = lines(&records()[..1]);
    let newer = good.replacen(r#""schema":1"#, r#""schema":7"#, 1);
    for damage in ["{\"schema\":1\n", "\n", "\0\0\0\0\n", newer.as_str(), "\u{feff}{}\n"] {
        for name in ["a.jsonl", "a.partial.jsonl"] {
            let path = folder.path().join(name);
            let text = format!("{good}{damage}{good}");
            let error = Run::read(&write_raw(&path, text.as_bytes())).expect_err("damaged");
            assert!(error.to_string().starts_with(&format!("{}:2: ", path.display())), "{error}");
        }
    }
    let path = folder.path().join("a.jsonl");
    let error = Run::read(&write_raw(&path, b"\xff\xfe\n")).expect_err("not text");
    assert!(error.to_string().contains(":1: ") && error.to_string().contains("UTF-8"), "{error}");
}

#[test]
fn an_unknown_schema_is_no_torn_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let newer = lines(&records()[..1]).replacen(r#""schema":1"#, r#""schema":2"#, 1);
    let path = folder.path().join("a.partial.jsonl");
    let error = Run::read(&write_raw(&path, newer.trim_end().as_bytes())).expect_err("schema 2");
    assert!(error.to_string().contains("schema 2 is unknown"), "{error}");
}

#[test]
fn empty_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = Run::read(&write_raw(&folder.path().join("a.jsonl"), b"")).expect_err("empty");
    assert!(matches!(error, StoreError::Empty { .. }), "{error}");
    let killed = Run::read(&write_raw(&folder.path().join("a.partial.jsonl"), b"")).expect("early");
    assert!(killed.interrupted() && killed.records.is_empty());
    assert!(matches!(
        Run::read(&RunFile::at(&folder.path().join("none.jsonl")).expect("a name")),
        Err(StoreError::Read { .. })
    ));
}

#[test]
fn machines_are_not_mixed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut other = throughput("global", 1, 1);
    other.host.kernel = "Linux 7.0.0".to_owned();
    let mixed = vec![records()[0].clone(), other.clone().into()];
    let path = folder.path().join("mixed.jsonl");
    let error = Run::read(&write_raw(&path, lines(&mixed).as_bytes())).expect_err("two machines");
    let text = error.to_string();
    assert!(text.contains("mixed.jsonl:2: another machine than in"), "{text}");
    assert!(text.contains("kernel is \"Linux 7.0.0\" here and \"Linux 6.18.0\" there"), "{text}");
    let runs = [run(vec![throughput("global", 0, 1)]), run(vec![other])];
    assert!(matches!(same_machine(&runs), Err(StoreError::Machines { line: 1, .. })));
    // The first line that has a machine is not the first line there is.
    let (foreign, late) = (Record::from(Foreign::default()), records());
    let mut ours = run(Vec::new());
    ours.records = vec![foreign, late[0].clone(), late[1].clone(), runs[1].records[0].clone()];
    assert!(matches!(
        same_machine(&[ours]),
        Err(StoreError::Machines { line: 4, first_line: 2, .. })
    ));
    assert!(same_machine(&runs[..1]).is_ok() && same_machine(&[]).is_ok());
}

#[test]
fn nothing_is_overwritten() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    writer.append(&records()[0]).expect("appended");
    fs::write(writer.finished_path(), "someone else's").expect("written");
    let error = writer.finish().expect_err("the name is taken");
    assert!(matches!(error, StoreError::Exists { .. }), "{error}");
    assert_eq!(fs::read(writer.finished_path()).expect("still there"), b"someone else's");
    assert!(writer.partial_path().exists());
}

#[test]
fn interruptions_and_findings_are_marked() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    writer.append(&records()[0]).expect("appended");
    writer.append(&finding().into()).expect("appended");
    let stop = Interrupted { reason: "SIGINT".to_owned(), host: host(), ..Interrupted::default() };
    writer.append(&stop.into()).expect("appended");
    writer.finish().expect("renamed");
    let run = store.read("last").expect("readable");
    assert!(run.interrupted() && !run.partial);
    assert_eq!((run.measured().count(), run.findings().count()), (1, 1));
}

#[test]
fn names_mean_files() {
    let (folder, store) = store();
    let none = store.resolve("last").expect_err("no runs").to_string();
    assert!(none.contains("no runs yet"), "{none}");
    let mut ids = Vec::new();
    for second in 0..3 {
        let writer = store.start(noon() + Duration::from_secs(second)).expect("starts");
        writer.append(&records()[0]).expect("appended");
        ids.push(writer.id().to_owned());
        if second != 2 {
            writer.finish().expect("renamed");
        }
    }
    fs::write(store.folder().join("notes.jsonl"), "not a run").expect("written");
    let list: Vec<String> = store.list().expect("listed").into_iter().map(|file| file.id).collect();
    assert_eq!(list, ids);
    let last = store.resolve("last").expect("the newest");
    assert_eq!((last.id.as_str(), last.partial), (ids[2].as_str(), true));
    assert_eq!(store.resolve(&ids[1]).expect("an id").id, ids[1]);
    assert_eq!(store.resolve("20261123T091501").expect("a beginning").id, ids[1]);
    let several = store.resolve("2026").expect_err("three").to_string();
    assert!(several.contains("several") && several.contains(&ids[0]), "{several}");
    for unknown in ["1999", ""] {
        let error = store.resolve(unknown).expect_err("none").to_string();
        assert!(error.contains("`last`") && error.contains(&ids[2]), "{error}");
    }
    let copy = folder.path().join("copy.jsonl");
    fs::copy(store.resolve(&ids[0]).expect("an id").path, &copy).expect("copied");
    let by_path = store.read(copy.to_str().expect("text")).expect("a path");
    assert_eq!((by_path.id.as_str(), by_path.records.len()), ("copy", 1));
}

/// A path is what has a separator, or ends as the names of runs do; any other file has to be there.
#[test]
fn paths_mean_files_whether_or_not_they_are_there() {
    let (folder, store) = store();
    let path = |name: &str| store.resolve(name).map(|file| file.path);
    for named in ["nowhere.jsonl", "no/where"] {
        assert_eq!(path(named).expect("a path"), Path::new(named));
    }
    // Tests are run in the folder of their package.
    assert_eq!(path("Cargo.toml").expect("a file"), Path::new("Cargo.toml"));
    assert!(matches!(path("nothing.toml"), Err(StoreError::Unknown { .. })));
    assert!(matches!(path(""), Err(StoreError::Unknown { .. })));
    drop(folder);
}

#[test]
fn the_second_in_a_name_goes_before_the_clock_of_the_file_system() {
    let (_folder, store) = store();
    let ids = [2, 1].map(|second| {
        let writer = store.start(noon() + Duration::from_secs(second)).expect("starts");
        writer.append(&records()[0]).expect("appended");
        let path = writer.finish().expect("renamed");
        // The later one by its name was written long before.
        let written = noon() - Duration::from_secs(60 * second);
        fs::File::options()
            .append(true)
            .open(path)
            .expect("opened")
            .set_modified(written)
            .expect("set");
        writer.id().to_owned()
    });
    let listed: Vec<String> = store.list().expect("listed").into_iter().map(|one| one.id).collect();
    assert_eq!(listed, [ids[1].clone(), ids[0].clone()]);
}

#[test]
fn the_last_one_is_of_what_is_asked_for() {
    let (_folder, store) = store();
    let keep = |second: u64, record: Record| {
        let writer = store.start(noon() + Duration::from_secs(second)).expect("starts");
        writer.append(&record).expect("appended");
        writer.finish().expect("renamed");
        writer.id().to_owned()
    };
    let measured = keep(0, records()[0].clone());
    let profile = keep(1, crate::profiles::split().into());
    let verdict =
        keep(2, results::Compared { host: host(), ..results::Compared::default() }.into());
    assert_eq!(store.read("last").expect("a run").id, verdict);
    assert_eq!(store.read_measured("last").expect("a run").id, measured);
    assert_eq!(store.read_drawable("last").expect("a run").id, profile);
    // One that is named is that one.
    assert_eq!(store.read_measured(&verdict).expect("a run").id, verdict);
    assert_eq!(store.read_drawable(&verdict).expect("a run").id, verdict);
}

#[test]
fn a_run_killed_while_being_renamed_is_listed_once() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    writer.append(&records()[0]).expect("appended");
    fs::hard_link(writer.partial_path(), writer.finished_path()).expect("linked");
    let list = store.list().expect("listed");
    assert_eq!(list.len(), 1);
    assert!(!list[0].partial);
}

#[test]
fn many_runs_in_one_second_have_many_names() {
    let (_folder, store) = store();
    let writers: Vec<_> = (0..50).map(|_| store.start(noon()).expect("starts")).collect();
    assert_eq!(store.list().expect("listed").len(), writers.len());
}

#[test]
fn folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    assert_eq!(Store::default_folder(root), root.join("solock-runs"));
    // Any one of the three, or two, is no checkout.
    fs::create_dir_all(root.join("results/src")).expect("made");
    assert_eq!(Store::default_folder(root), root.join("solock-runs"));
    fs::create_dir_all(root.join("lockimpls")).expect("made");
    assert_eq!(Store::default_folder(root), root.join("solock-runs"));
    fs::write(root.join("Cargo.toml"), "").expect("written");
    fs::remove_dir(root.join("lockimpls")).expect("removed");
    assert_eq!(Store::default_folder(root), root.join("solock-runs"));
    fs::create_dir_all(root.join("lockimpls")).expect("made");
    let expected = root.join("results/runs");
    assert_eq!(Store::default_folder(root), expected);
    assert_eq!(Store::default_folder(&root.join("results/src")), expected);
    assert!(!expected.exists(), "asking makes nothing");
    let error = Store::open(root.join("Cargo.toml")).expect_err("a file").to_string();
    assert!(error.contains("Cargo.toml") && error.contains("--out DIR"), "{error}");
    assert!(Store::at(root.join("nowhere")).list().expect("no folder, no runs").is_empty());
    let file = Store::at(root.join("Cargo.toml"));
    assert!(matches!(file.list(), Err(StoreError::Read { .. })), "a file is no folder");
    let gone = Store::at(root.join("nowhere")).start(noon()).expect_err("no folder");
    let StoreError::Folder { source, .. } = gone else { panic!("{gone}") };
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

#[test]
fn lines_appended_by_others_meanwhile_stay_whole() {
    let (_folder, store) = store();
    let writer = store.start(noon()).expect("starts");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for record in records() {
                    writer.append(&record).expect("appended");
                }
            });
        }
    });
    let mut late = OpenOptions::new().append(true).open(writer.partial_path()).expect("opened");
    late.write_all(b"{\"schema\":1,\"ki").expect("written");
    let run = store.read("last").expect("readable");
    assert_eq!((run.records.len(), run.torn_line), (12, Some(13)));
}
