//! Which locks each request takes, in order, at each of its exits: on every backend that locks, and
//! as OpenBSD's source has it.
//!
//! `expected.txt` was written from the kernels' source: a block for each exit, a line for each
//! kernel, in it the locks in the order they are taken, each with file and line. `rows/` has the
//! program that comes to each exit. The test runs every program on every backend and compares; it
//! fails where a program has no block, a block no program, or an acquisition in `uipc/` or
//! `rights.rs` no program that comes there. `ACQUISITIONS.md` is the same for readers.

mod expected;
mod rows;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::expected::{Block, blocks, markdown, write_block};
use self::rows::{Row, rows};
use self::world::World;
use crate::backend::global::GlobalPolicy;
use crate::backend::global_gc::GlobalGcPolicy;
use crate::backend::per_socket::SocketPolicy;
use crate::fault::NoFault;
use crate::policy::Policy;
use crate::witness::trace::Taken;

type Global = GlobalPolicy<NoFault>;
type GlobalGc = GlobalGcPolicy<NoFault>;
type PerSocket = SocketPolicy<NoFault>;
/// The locked path of `lock-free`: what it does where the gate is shut.
type SlowPath = SocketPolicy<NoFault, true>;

/// The variable that has the table written anew.
const WRITE: &str = "SOLOCK_WRITE_ACQUISITIONS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// What one program did on one backend.
struct Done {
    answer: String,
    /// The locks' names, in order.
    steps: Vec<&'static str>,
    taken: Vec<Taken>,
}

/// Runs a row for one of its types and ways.
fn run<P: Policy>(row: &Row<P>, kind: usize, way: &'static str) -> Done {
    let mut world = World::<P>::new(row.kinds[kind], way);
    (row.run)(&mut world);
    world.done()
}

/// The blocks of all rows as this backend does them, each with the places that took a lock.
fn observed<P: Policy>() -> Vec<(Block, BTreeSet<String>)> {
    let mut all = Vec::new();
    for row in rows::<P>() {
        for way in row.ways {
            let runs: Vec<Done> = (0..row.kinds.len()).map(|kind| run(&row, kind, way)).collect();
            let first = &runs[0];
            for other in &runs[1..] {
                assert_eq!(
                    (&other.answer, &other.steps),
                    (&first.answer, &first.steps),
                    "{}: {} {way}: its types differ on {}",
                    row.request,
                    row.exit,
                    P::NAME
                );
            }
            let sites = runs.iter().flat_map(|run| &run.taken);
            let sites = sites.map(|taken| format!("{}:{}", taken.site.file(), taken.site.line()));
            all.push((
                Block::observed(&row, way, &first.answer, P::NAME, &first.steps),
                sites.collect(),
            ));
        }
    }
    all
}

/// Compares one backend with one kernel's lines.
fn compare(backend: &str, kernel: usize, seen: &[(Block, BTreeSet<String>)]) -> Vec<String> {
    let expected = blocks();
    let mut wrong = Vec::new();
    for (block, sites) in seen {
        match expected.iter().find(|it| it.key() == block.key()) {
            None => {
                wrong.push(format!("{backend}: no block for\n{}{sites:?}\n", write_block(block)))
            }
            Some(it) if !it.agrees(kernel, block) => wrong.push(format!(
                "{backend} takes other locks:\n{}where the block has\n{}{sites:?}\n",
                write_block(block),
                write_block(it)
            )),
            Some(_) => {}
        }
    }
    for it in &expected {
        if !seen.iter().any(|(block, _)| block.key() == it.key()) {
            wrong.push(format!("no program for the block\n{}", write_block(it)));
        }
    }
    wrong
}

fn nothing_wrong(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} differences\n\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn per_socket_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare("per-socket", 0, &observed::<PerSocket>()));
}

#[test]
fn lock_free_takes_them_too_where_its_gate_is_shut() {
    nothing_wrong(&compare("lock-free", 0, &observed::<SlowPath>()));
}

#[test]
fn global_gc_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare("global-gc", 1, &observed::<GlobalGc>()));
}

#[test]
fn global_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare("global", 2, &observed::<Global>()));
}

#[test]
fn every_place_that_locks_is_reached() {
    let mut reached = BTreeSet::new();
    observed::<PerSocket>().into_iter().for_each(|(_, sites)| reached.extend(sites));
    let missing: Vec<String> = places().filter(|place| !reached.contains(place)).collect();
    assert!(missing.is_empty(), "no program comes to {missing:#?}");
}

/// Every line of the requests that takes a lock.
fn places() -> impl Iterator<Item = String> {
    const TAKES: [&str; 16] = [
        ".solock(",
        ".solock_fd(",
        ".solock_peer(",
        ".solock_pair(",
        ".solock_referrer(",
        ".head_to_pair(",
        ".embryo_enter(",
        ".embryo_to_head(",
        ".head_return(",
        ".list_enter(",
        ".list_exit(",
        ".gc_enter(",
        ".scan_enter(",
        ".flight_enter(",
        ".gc_to_deferred(",
        ".deferred_return(",
    ];
    /// Only in a broken twin; and no code.
    const NOT: [&str; 3] =
        ["self.policy.solock(so2);", "self.policy.solock_peer(so).unwrap_or(so2)", "//"];
    let uipc = std::fs::read_dir(folder().join("uipc")).unwrap();
    let mut files: Vec<PathBuf> = uipc.map(|entry| entry.unwrap().path()).collect();
    // Folders hold tests.
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    files.push(folder().join("rights.rs"));
    files.sort();
    // `mod.rs` locks for its callers, `wait.rs` after a sleep.
    let files = files.into_iter().filter(|file| !file.ends_with("wait.rs"));
    files.filter(|file| !file.ends_with("mod.rs")).flat_map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(folder()).unwrap().display().to_string();
        let lines = text.lines().enumerate();
        let lines = lines.filter(|(_, line)| {
            TAKES.iter().any(|take| line.contains(take))
                && !NOT.iter().any(|not| line.trim_start().starts_with(not))
        });
        let lines = lines.map(|(at, _)| format!("lockimpls/src/{name}:{}", at + 1));
        lines.collect::<Vec<_>>()
    })
}

#[test]
fn the_table_is_of_today() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ACQUISITIONS.md");
    let table = markdown(&blocks());
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == table, "{}: out of date; {WRITE}=1 writes it anew", path.display());
}
