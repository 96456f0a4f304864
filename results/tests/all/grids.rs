//! Files of elements that several machines sent: which are kept, which are set aside and why.

mod machines;

use std::fs;
use std::path::{Path, PathBuf};

use results::collected::{Collected, Expected, Wanted, Why};
use results::{Cell, Element, Host, Origin, Ratio, Record, sealed};
use tempfile::TempDir;

use crate::fixture::{cell, finding, host, throughput};

/// A folder into which elements are put.
struct Folder(TempDir);

/// An element as it is put there.
#[derive(Clone)]
struct Sent {
    element: &'static str,
    machine: &'static str,
    node: &'static str,
    /// Minutes of the hour in which it was measured.
    from: u32,
    to: u32,
    ratio: [f64; 3],
    host: Host,
    cpus: &'static str,
    program: Option<&'static str>,
    commit: &'static str,
    restarts: u32,
}

fn sent(element: &'static str, machine: &'static str, from: u32) -> Sent {
    Sent {
        element,
        machine,
        node: machine,
        from,
        to: from + 1,
        ratio: [2.0, 1.95, 2.05],
        host: host(),
        cpus: "0-3",
        program: None,
        commit: "0123456789ab",
        restarts: 0,
    }
}

fn minute(minute: u32) -> String {
    format!("2026-11-23T09:{minute:02}:00.000Z")
}

impl Sent {
    fn end(&self) -> Element {
        Element {
            origin: Origin {
                grid: "night".to_owned(),
                element: self.element.to_owned(),
                machine: self.machine.to_owned(),
                node: self.node.to_owned(),
                job: Some(format!("7_{}", self.from)),
                restarts: self.restarts,
            },
            cpus: Some(self.cpus.to_owned()),
            program: self.program.map(str::to_owned),
            boot: Some(format!("box of {}", self.machine)),
            commit: Some(self.commit.to_owned()),
            rustc: "rustc 1.95.0".to_owned(),
            started: minute(self.from),
            ended: minute(self.to),
            host: self.host.clone(),
            ..Element::default()
        }
    }

    /// The cells of an element: one, on two backends.
    fn cell(&self, backend: &str) -> Cell {
        cell("pairs", backend, if self.element == "one" { 1 } else { 2 })
    }

    fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for backend in ["global", "per-socket"] {
            let mut measured = throughput(backend, 0, 1_000_000);
            measured.cell = self.cell(backend);
            measured.cell_id = measured.cell.id();
            measured.host = self.host.clone();
            records.push(Record::from(measured));
        }
        let [ratio, low, high] = self.ratio.map(Some);
        records.push(Record::from(Ratio {
            cell: self.cell("per-socket").id(),
            against: self.cell("global").id(),
            threads: self.cell("").threads,
            metric: "throughput".to_owned(),
            ratio,
            low,
            high,
            level: 0.95,
            pairs: 24,
            host: self.host.clone(),
            ..Ratio::default()
        }));
        records
    }

    fn sealed(&self, records: &[Record]) -> String {
        let line = |record: &Record| record.to_line().expect("a line") + "\n";
        let run: String = records.iter().map(line).collect();
        sealed::sealed(&run, &self.end()).expect("sealed")
    }
}

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a file there; its name is the answer.
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(&path, text).expect("written");
        path
    }

    fn send(&self, sent: &Sent) -> PathBuf {
        let Sent { element, node, from, .. } = sent;
        self.put(&format!("{element}.{node}.{from}.jsonl"), &sent.sealed(&sent.records()))
    }

    fn collected(&self, machines: &[&str]) -> Collected {
        Collected::read(&[self.path().to_owned()], &expected(machines)).expect("readable")
    }
}

/// Two elements of one cell, on two backends.
fn expected(machines: &[&str]) -> Expected {
    let wanted = |id: &'static str| {
        let cells = ["global", "per-socket"].map(|backend| sent(id, "", 0).cell(backend).id());
        Wanted { id: id.to_owned(), cells: cells.to_vec() }
    };
    Expected {
        grid: "night".to_owned(),
        machines: machines.iter().map(|name| (*name).to_owned()).collect(),
        elements: ["one", "two"].map(wanted).to_vec(),
    }
}

/// The names of the kept files, machine by machine.
fn kept(collected: &Collected) -> Vec<String> {
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    collected.sets().map(|set| name(set.path())).collect()
}

/// Why the only file that is set aside is.
#[track_caller]
fn only_fault(collected: &Collected) -> (&Path, &Why) {
    let [fault] = collected.faults.as_slice() else { panic!("{:?}", collected.faults) };
    (&fault.path, &fault.why)
}

#[test]
fn a_whole_grid_is_kept_whole_and_what_is_missing_is_told() {
    let folder = Folder::new();
    for one in [sent("one", "a", 0), sent("two", "a", 1), sent("two", "b", 1)] {
        folder.send(&one);
    }
    let all = folder.collected(&[]);
    assert_eq!(kept(&all), ["one.a.0.jsonl", "two.a.1.jsonl", "two.b.1.jsonl"]);
    assert_eq!(all.faults, []);
    let missing: Vec<&[String]> = all.machines.iter().map(|one| one.missing.as_slice()).collect();
    assert_eq!(missing, [&[][..], &["one".to_owned()]]);
    assert!(!all.is_whole());
    let expected = folder.collected(&["a"]);
    assert!(expected.is_whole(), "b is none of its machines");
    assert!(matches!(only_fault(&expected).1, Why::Foreign(_)));
    assert!(!Folder::new().collected(&[]).is_whole(), "nothing is not whole");
    let absent = Collected::read(&[folder.path().join("absent")], &self::expected(&[]));
    assert!(absent.expect_err("no folder").contains("absent"));
}

#[test]
fn files_of_other_people_are_left_aside_and_say_what_they_are() {
    let folder = Folder::new();
    folder.send(&sent("one", "a", 0));
    folder.send(&sent("two", "a", 1));
    folder.put("picture.jsonl", "\u{0}PNG");
    folder.put("empty.jsonl", "");
    folder.put("sub/deep/list.jsonl", "{\"a\":1}\n[]\n");
    folder.put("thesis.txt", "not looked at");
    let records = sent("one", "a", 5).records();
    let lines = records.iter().map(|one| one.to_line().expect("a line") + "\n");
    let plain: String = lines.collect();
    folder.put("20261123T091500Z-3fa2.jsonl", &plain);
    let mut end = sent("one", "a", 6).end();
    end.origin.grid = "day".to_owned();
    folder.put("day.jsonl", &sealed::sealed(&plain, &end).expect("sealed"));
    folder.send(&sent("three", "a", 7));
    fs::write(folder.path().join("bytes.jsonl"), [0xff, 0xfe, b'\n']).expect("written");
    let all = folder.collected(&[]);
    assert!(all.is_whole());
    assert_eq!(all.faults.len(), 7, "{:?}", all.faults);
    for fault in &all.faults {
        assert!(matches!(fault.why, Why::Foreign(_)), "{fault:?}");
        assert!(fault.why.text().starts_with("not of this grid: "), "{}", fault.why.text());
    }
    let said: Vec<String> = all.faults.iter().map(|fault| fault.why.text()).collect();
    for what in ["it is no text", "it is of no grid", "the grid \"day\"", "no element \"three\""] {
        assert!(said.iter().any(|said| said.contains(what)), "{what}: {said:?}");
    }
}

#[test]
fn what_was_cut_is_no_record_set() {
    let folder = Folder::new();
    folder.send(&sent("two", "a", 1));
    let text = sent("one", "a", 0).sealed(&sent("one", "a", 0).records());
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let fewer = sent("one", "a", 0).sealed(&sent("one", "a", 0).records()[..1]);
    for (cut, what) in [
        (lines[..2].concat(), "its end is missing"),
        (text[..text.len() - 1].to_owned(), "its end is missing"),
        (lines[1..].concat(), "2 lines"),
        (text.replacen("1000000", "1000001", 1), "checksum"),
        (fewer, "it says nothing of pairs/per-socket/"),
    ] {
        folder.put("one.jsonl", &cut);
        let all = folder.collected(&["a"]);
        let (path, why) = only_fault(&all);
        assert!(path.ends_with("one.jsonl") && matches!(why, Why::Cut(_)), "{why:?}");
        assert!(why.text().contains(what), "{what}: {}", why.text());
        assert_eq!(all.machines[0].missing, ["one"], "{what}");
    }
    folder.put("one.jsonl", &text);
    folder.put("work/one/20261123T091500Z-3fa2.partial.jsonl", lines[0]);
    folder.put(".0123456789abcdef.tmp", lines[0]);
    let all = folder.collected(&["a"]);
    assert!(all.is_whole());
    let cut = |fault: &results::collected::Fault| fault.why.text();
    let cuts = all.faults.iter().filter(|fault| matches!(fault.why, Why::Cut(_)));
    let whys: Vec<String> = cuts.map(cut).collect();
    assert_eq!(whys, ["cut: it is being written, or what wrote it was killed"; 2]);
}

#[test]
fn a_set_that_ended_with_a_finding_is_kept_though_it_is_short() {
    let folder = Folder::new();
    let one = sent("one", "a", 0);
    folder.put("one.jsonl", &one.sealed(&[Record::from(finding())]));
    let all = folder.collected(&["a"]);
    assert_eq!((kept(&all), all.faults.len()), (vec!["one.jsonl".to_owned()], 0));
}

#[test]
fn of_doubled_sets_the_last_stays_and_a_copy_counts_once() {
    let folder = Folder::new();
    folder.send(&sent("two", "a", 9));
    let first = folder.send(&Sent { ratio: [9.0, 8.0, 10.0], ..sent("one", "a", 0) });
    let last = folder.send(&Sent { restarts: 1, ..sent("one", "a", 4) });
    let all = folder.collected(&["a"]);
    assert_eq!(kept(&all), ["one.a.4.jsonl", "two.a.9.jsonl"]);
    assert_eq!(only_fault(&all), (first.as_path(), &Why::Doubled(last.clone())));
    let again = folder.path().join("again.jsonl");
    fs::copy(&last, &again).expect("copied");
    fs::remove_file(&first).expect("removed");
    let all = folder.collected(&["a"]);
    assert_eq!(all.sets().count(), 2);
    assert!(matches!(only_fault(&all).1, Why::Copy(_)));
    // A folder that is named twice, and inside of another, is one folder.
    let twice = [folder.path().to_owned(), folder.path().join(".")];
    let all = Collected::read(&twice, &expected(&["a"])).expect("readable");
    assert_eq!((all.sets().count(), all.faults.len()), (2, 1));
}

#[test]
fn a_machine_that_changed_keeps_what_most_of_its_sets_have() {
    let folder = Folder::new();
    let newer = Host { kernel: "Linux 6.19.0".to_owned(), ..host() };
    let old = folder.send(&sent("one", "a", 0));
    folder.send(&Sent { host: newer.clone(), ..sent("two", "a", 1) });
    // Two that are even: the latest.
    let all = folder.collected(&["a"]);
    let (path, why) = only_fault(&all);
    assert_eq!(
        (path, all.machines[0].missing.as_slice()),
        (old.as_path(), &["one".to_owned()][..])
    );
    assert!(why.text().contains("kernel is \"Linux 6.18.0\" here"), "{}", why.text());
    // Measured anew on the new one: whole again.
    folder.send(&Sent { host: newer, ..sent("one", "a", 5) });
    let all = folder.collected(&["a"]);
    assert_eq!(kept(&all), ["one.a.5.jsonl", "two.a.1.jsonl"]);
    // Another machine may be another machine.
    folder.send(&sent("one", "b", 0));
    folder.send(&sent("two", "b", 1));
    assert!(folder.collected(&["a", "b"]).is_whole());
}

#[test]
fn an_element_on_other_cpus_of_its_machine_is_of_another_machine() {
    let folder = Folder::new();
    folder.send(&sent("one", "a", 0));
    folder.send(&sent("one", "a", 1));
    let other = folder.send(&Sent { cpus: "4-7", ..sent("two", "a", 2) });
    let all = folder.collected(&["a"]);
    let found = all.faults.iter().find(|fault| fault.path == other).expect("set aside");
    let what = "the machine changed: cpus used: \"4-7\" here and \"0-3\" in most";
    assert_eq!(found.why.text(), what);
    // What is said of them before, and after.
    folder.send(&Sent { cpus: "4-7", ..sent("two", "b", 2) });
    folder.send(&Sent { cpus: "4-7", ..sent("one", "b", 3) });
    assert!(folder.collected(&["b"]).is_whole(), "another machine may have others");
}

#[test]
fn a_program_that_was_built_again_is_another_one_where_no_commit_says_what_it_is() {
    let folder = Folder::new();
    let old = folder.send(&Sent { program: Some("00000000"), ..sent("one", "a", 0) });
    for one in [sent("one", "a", 1), sent("two", "a", 2)] {
        folder.send(&Sent { program: Some("11111111"), ..one });
    }
    let all = folder.collected(&["a"]);
    let (path, why) = only_fault(&all);
    assert_eq!(path, old);
    let what = "the machine changed: the program: \"00000000\" here and \"11111111\" in most";
    assert_eq!(why.text(), what);
}

#[test]
fn a_nodes_other_program_is_set_aside_wherever_it_ran() {
    let folder = Folder::new();
    for one in [sent("one", "a", 0), sent("two", "a", 1), sent("one", "b", 0)] {
        folder.send(&one);
    }
    let other = folder.send(&Sent { commit: "fedcba9876543", ..sent("two", "b", 1) });
    let all = folder.collected(&["a", "b"]);
    let (path, why) = only_fault(&all);
    assert_eq!(path, other);
    assert!(why.text().contains("the program is fedcba9876 here and 0123456789 in most"));
}

#[test]
fn what_the_grid_does_not_have_has_disturbed_its_box_all_the_same() {
    let folder = Folder::new();
    let own = folder.send(&Sent { from: 0, to: 2, ..sent("one", "a", 0) });
    let other = folder.send(&Sent { from: 1, to: 5, ..sent("other", "a", 1) });
    let all = folder.collected(&["a"]);
    assert_eq!((all.sets().count(), all.faults.len()), (0, 2));
    let why = |path: &Path| all.faults.iter().find(|fault| fault.path == path).map(|f| &f.why);
    assert!(matches!(why(&other), Some(Why::Foreign(_))), "{all:?}");
    assert_eq!(why(&own), Some(&Why::AtOnce(other.clone())));
}

#[test]
fn two_elements_at_once_on_one_box_are_both_set_aside() {
    let folder = Folder::new();
    let beside = Sent { from: 1, to: 5, ..sent("two", "a", 1) };
    folder.send(&Sent { from: 0, to: 2, ..sent("one", "a", 0) });
    folder.send(&beside);
    let all = folder.collected(&["a"]);
    assert_eq!((all.sets().count(), all.faults.len()), (0, 2));
    assert!(all.faults.iter().all(|fault| matches!(fault.why, Why::AtOnce(_))), "{all:?}");
    // One that is put aside has disturbed the other all the same.
    let put = folder.path().join("one.a.0.0123456789abcdef.aside");
    fs::rename(folder.path().join("one.a.0.jsonl"), &put).expect("renamed");
    let all = folder.collected(&["a"]);
    assert_eq!((all.sets().count(), all.faults.len()), (0, 2));
    let whys: Vec<&Why> = all.faults.iter().map(|fault| &fault.why).collect();
    assert_eq!(whys, [&Why::PutAside, &Why::AtOnce(put.clone())]);
    let again = folder.send(&Sent { from: 6, to: 7, ..sent("two", "a", 6) });
    fs::remove_file(folder.path().join("two.a.1.jsonl")).expect("removed");
    assert_eq!(only_fault(&folder.collected(&["a"])), (put.as_path(), &Why::PutAside));
    fs::remove_file(&put).expect("removed");
    fs::remove_file(&again).expect("removed");
    // One after the other, and at once on another box.
    folder.send(&beside);
    folder.send(&Sent { from: 0, to: 1, ..sent("one", "a", 0) });
    folder.send(&Sent { from: 0, to: 9, ..sent("one", "b", 0) });
    assert_eq!(folder.collected(&["a", "b"]).faults, []);
}
