//! `source.rs` for gVisor: whether the cited lines of its files take the locks they are cited for,
//! and whether any other line there does. The files say no revision of themselves, so they are
//! found by their names, in a folder `transport`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::expected::{BY_NUMBER, BY_NUMBER_DGRAM, Step, blocks};
use super::source::{SOURCE, makes};

/// The files that are cited.
const FILES: [(&str, &str); 4] = [
    ("ep", "transport/unix.go"),
    ("conn", "transport/connectioned.go"),
    ("less", "transport/connectionless.go"),
    ("queue", "transport/queue.go"),
];

/// What takes an endpoint's lock.
const ENDPOINT: &[&str] =
    &["e.Lock(", "ce.Lock(", "n.Lock(", "ne.Lock(", "e.NestedLock(", "ce.NestedLock("];

/// What takes a queue's, or, in `unix.go`, a receiver's.
const QUEUE: &[&str] = &["q.mu.Lock("];

/// What takes that of an endpoint's pending error.
const ERROR: &[&str] = &["lastErrorMu.Lock("];

/// Lines that take a lock and are in no row, each with why.
const UNCITED: &[(&str, usize, &str)] = &[
    ("ep", 576, "poll(2), which is not modelled"),
    ("ep", 962, "a call that waits"),
    ("ep", 976, "as 962"),
    ("ep", 991, "credentials, which are not modelled"),
    ("ep", 1074, "ioctl(2) with FIONREAD, which is not modelled"),
    ("ep", 1087, "the same with SIOCOUTQ"),
    ("conn", 225, "SO_ACCEPTCONN, which is not modelled"),
    ("conn", 323, "as 327, where the listener has the lower number"),
    ("conn", 324, "as 326"),
    ("conn", 598, "poll(2)"),
    ("conn", 606, "poll(2)"),
    ("conn", 645, "the state as procfs has it"),
    ("conn", 669, "sockets of the machine below"),
    ("conn", 698, "a call that waits"),
    ("conn", 711, "as 698"),
    ("conn", 724, "SO_PEERCRED, which is not modelled"),
    ("less", 208, "poll(2)"),
    ("less", 241, "the state as procfs has it"),
    ("queue", 91, "poll(2)"),
    ("queue", 109, "poll(2)"),
    ("queue", 265, "ioctl(2), and sockets of the machine below"),
];

/// Where a step's lock is taken, of this file.
fn calls_of(lock: &str) -> &'static [&'static str] {
    match lock.split_once('.') {
        None => ENDPOINT,
        Some((_, "error")) => ERROR,
        Some(_) => QUEUE,
    }
}

/// Every step of the model's or the kernel's, in the lines of that kernel.
fn steps() -> Vec<Step> {
    let blocks = blocks();
    let of_it = blocks.iter().flat_map(|block| &block.steps[BY_NUMBER..=BY_NUMBER_DGRAM]);
    of_it.flatten().flatten().cloned().collect()
}

fn takes(line: &str, calls: &[&str]) -> bool {
    !line.trim_start().starts_with("//") && makes(line, calls)
}

/// What is wrong with what is cited of a file.
fn differences(key: &str, text: &str, steps: &[Step]) -> Vec<String> {
    let line_at = |at: usize| text.lines().nth(at - 1).unwrap_or("");
    let cited = steps.iter().filter_map(|step| Some((step, step.at.as_ref()?)));
    let cited: Vec<_> = cited.filter(|(_, (file, _))| file == key).collect();
    let mut wrong = BTreeSet::new();
    for (step, (_, at)) in &cited {
        if !takes(line_at(*at), calls_of(&step.lock)) {
            wrong.insert(format!("{key}:{at} takes no {}: {}", step.lock, line_at(*at)));
        }
    }
    for (at, line) in (1..).zip(text.lines()) {
        let is_cited = cited.iter().any(|(_, (_, line))| *line == at);
        let is_excused = UNCITED.iter().any(|(file, line, _)| (*file, *line) == (key, at));
        match [ENDPOINT, QUEUE, ERROR].iter().any(|calls| takes(line, calls)) {
            true if !is_cited && !is_excused => wrong.insert(format!("{key}:{at} is in no row")),
            true if is_cited && is_excused => {
                wrong.insert(format!("{key}:{at} is in a row, and excused"))
            }
            false if is_excused => {
                wrong.insert(format!("{key}:{at} is excused, and takes nothing"))
            }
            _ => false,
        };
    }
    wrong.into_iter().collect()
}

#[test]
#[ignore = "wants the kernels' sources: SOLOCK_KERNEL_SOURCE=DIR"]
fn the_cited_lines_take_the_locks() {
    let folder = PathBuf::from(std::env::var_os(SOURCE).expect(SOURCE));
    let steps = steps();
    let of_file = |(key, path): (&str, &str)| {
        let file = find(&folder, Path::new(path)).expect(path);
        differences(key, &std::fs::read_to_string(file).unwrap(), &steps)
    };
    let wrong: Vec<String> = FILES.into_iter().flat_map(of_file).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The file whose name ends so, in a folder or a folder of it.
fn find(folder: &Path, end: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder of sources");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let here = files.into_iter().find(|path| path.ends_with(end));
    here.or_else(|| folders.iter().find_map(|folder| find(folder, end)))
}

#[test]
fn every_cited_file_is_known() {
    let steps = steps();
    for (file, _) in steps.iter().filter_map(|step| step.at.as_ref()) {
        assert!(FILES.iter().any(|(key, _)| key == file), "{file}: no such file");
    }
}

#[test]
fn a_line_that_takes_another_lock_is_found() {
    let step = |text| Step::parse(text).unwrap();
    let steps = ["so queue:2", "peer.queue queue:4", "-so.error queue:6", "+so"].map(step);
    let good = "{\n\te.Lock()\n\te.Unlock()\n\tq.mu.Lock()\n\t// e.Lock()\n\
                \te.lastErrorMu.Lock()\n}\n";
    let found = |text: &str| differences("queue", text, &steps).join("; ");
    // Those that are excused are not there.
    assert_eq!(found(good).matches("takes nothing").count(), found(good).matches("queue:").count());
    for (from, to, words) in [
        ("\te.Lock()", "\te.Unlock()", "queue:2 takes no so"),
        ("\tq.mu.Lock()", "\te.Lock()", "queue:4 takes no peer.queue"),
        ("\te.Unlock()", "\tce.NestedLock(a)", "queue:3 is in no row"),
        ("\t// e.Lock()", "\te.Lock()", "queue:5 is in no row"),
        ("\t// e.Lock()", "\te.lastErrorMu.Lock()", "queue:5 is in no row"),
        ("\te.lastErrorMu.Lock()", "\te.Lock()", "queue:6 takes no so.error"),
    ] {
        let report = found(&good.replacen(from, to, 1));
        assert!(report.contains(words), "{to}: {report}");
    }
}
