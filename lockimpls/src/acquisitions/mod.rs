//! Which locks each request takes, in order, at each of its exits: on every backend that locks, and
//! as OpenBSD's source has it.
//!
//! `expected.txt` was written from the kernels' source: a block for each exit, a line for each
//! kernel, in it the locks in the order they are taken, each with file and line. `rows/` has the
//! program that comes to each exit; where another thread must do something meanwhile, it is let in
//! at a window. The test runs every program on every backend and compares; it fails where a program
//! has no block, or a block no program. `places.rs` asks the same of the requests' source,
//! `source.rs` of the kernels'. `ACQUISITIONS.md` is the same for readers; `counts.rs` counts the
//! locks of the main exits, for `GRANULARITIES.md`.

mod counts;
mod expected;
mod functions;
mod gvisor;
mod linux;
mod places;
mod rows;
mod source;
mod verbs;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::expected::{
    BY_LINK, BY_LINK_DGRAM, BY_NUMBER, BY_NUMBER_DGRAM, BY_NUMBER_SEQPACKET, BY_PAIR,
    BY_PAIR_DGRAM, BY_PIN, BY_PIN_DGRAM, BY_QUEUE, BY_QUEUE_DGRAM, BY_QUEUE_SEQPACKET, Block,
    TRIES, WAITS, blocks, markdown, write_block,
};
use self::rows::{Meanwhile, Relock, Row, rows};
use self::world::World;
use crate::backend::endpoint_queue::EndpointPolicy;
use crate::backend::global::GlobalPolicy;
use crate::backend::global_gc::GlobalGcPolicy;
use crate::backend::lock_free::ShutsGate;
use crate::backend::per_buffer::BufferPolicy;
use crate::backend::per_pair::PairPolicy;
use crate::backend::per_socket::SocketPolicy;
use crate::backend::per_socket_try::Tries;
use crate::backend::per_socket_wait::Counted;
use crate::backend::receive_buffer::PinPolicy;
use crate::backend::shared_link::LinkPolicy;
use crate::backend::state_queue::QueuePolicy;
use crate::domain::{Algorithm, SockType};
use crate::fault::met::Met;
use crate::objects::socket::{Part, SocketLocks};
use crate::policy::Policy;
use crate::witness::trace::Taken;

type Global = GlobalPolicy<Met>;
type GlobalGc = GlobalGcPolicy<Met>;
type PerSocket = SocketPolicy<Met>;
type PerBuffer = BufferPolicy<Met>;
type PerPair = PairPolicy<Met>;
type PerSocketTry = SocketPolicy<Met, Tries>;
type PerSocketWait = SocketPolicy<Met, Counted>;
type StateQueue = QueuePolicy<Met>;
type SharedLink = LinkPolicy<Met>;
type ReceiveBuffer = PinPolicy<Met>;
type EndpointQueue = EndpointPolicy<Met>;
/// The locked path of `lock-free`: what it does where the gate is shut.
type SlowPath = SocketPolicy<Met, ShutsGate>;

/// The variable that has the table written anew.
const WRITE: &str = "SOLOCK_WRITE_ACQUISITIONS";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// What one program did on one backend.
struct Done {
    answer: String,
    /// The locks' names, in order.
    steps: Vec<String>,
    taken: Vec<Taken>,
}

/// Runs a row for one of its types and ways.
fn run<P: Policy>(row: &Row<P>, kind: SockType, way: &'static str) -> Done {
    let mut world = World::<P>::new(kind, way);
    (row.run)(&mut world);
    world.done()
}

/// The types of a row that stand in this kernel's lines.
fn kinds_in<P: Policy>(kernel: usize, row: &Row<P>) -> Vec<SockType> {
    let is_there = |kind: &SockType| match kernel {
        BY_PAIR | BY_LINK | BY_PIN => *kind != SockType::Dgram,
        BY_PAIR_DGRAM | BY_LINK_DGRAM | BY_PIN_DGRAM | BY_QUEUE_DGRAM | BY_NUMBER_DGRAM => {
            *kind == SockType::Dgram
        }
        BY_QUEUE | BY_NUMBER => *kind == SockType::Stream,
        BY_QUEUE_SEQPACKET | BY_NUMBER_SEQPACKET => *kind == SockType::Seqpacket,
        _ => true,
    };
    row.kinds.iter().copied().filter(is_there).collect()
}

/// The blocks of all rows as this backend does them, each with the places that took a lock.
fn observed<P: Policy>(kernel: usize) -> Vec<(Block, BTreeSet<String>)> {
    let mut all = Vec::new();
    let policy = P::new(Algorithm::default());
    let [one, another] = [(); 2].map(|()| policy.socket_locks(Algorithm::default()));
    let by_socket = one.guard(Part::Socket) != another.guard(Part::Socket);
    let by_side = one.guard(Part::Socket) != one.guard(Part::Rcv);
    // With all links held there is no order of sockets to keep.
    let relocks = by_socket && !P::Locks::LINKED;
    let waits_to_connect = [TRIES, BY_PIN, BY_PIN_DGRAM].contains(&kernel);
    let has = |row: &Row<P>| match row.relock {
        _ if row.meanwhile >= Meanwhile::Parts && kernel == WAITS => false,
        _ if row.meanwhile == Meanwhile::Connects && waits_to_connect => false,
        Relock::No => true,
        Relock::ForSender => !P::SENDS_UNLOCKED,
        Relock::ForCopy => !P::SENDS_HELD,
        Relock::ForSocket => relocks,
        Relock::ForName => relocks && !P::SENDS_HELD,
        Relock::ForBuffer => relocks && !by_side,
    };
    for row in rows::<P>().into_iter().filter(has) {
        let kinds = kinds_in(kernel, &row);
        for way in row.ways.iter().filter(|_| !kinds.is_empty()) {
            let runs: Vec<Done> = kinds.iter().map(|kind| run(&row, *kind, way)).collect();
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
                Block::observed(&row, way, &first.answer, kernel, &first.steps),
                sites.collect(),
            ));
        }
    }
    all
}

/// Compares one backend with one kernel's lines.
fn compare<P: Policy>(kernel: usize) -> Vec<String> {
    let backend = P::NAME;
    let (expected, seen) = (blocks(), observed::<P>(kernel));
    let mut wrong = Vec::new();
    for (block, sites) in &seen {
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
    for it in expected.iter().filter(|it| it.steps[kernel].is_some()) {
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
    nothing_wrong(&compare::<PerSocket>(0));
}

#[test]
fn per_buffer_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<PerBuffer>(3));
}

#[test]
fn per_socket_wait_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<PerSocketWait>(WAITS));
}

#[test]
fn per_socket_try_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<PerSocketTry>(TRIES));
}

#[test]
fn per_pair_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<PerPair>(BY_PAIR));
    nothing_wrong(&compare::<PerPair>(BY_PAIR_DGRAM));
}

#[test]
fn state_queue_takes_the_locks_of_its_kernel() {
    let kernels = [BY_QUEUE, BY_QUEUE_SEQPACKET, BY_QUEUE_DGRAM];
    nothing_wrong(&kernels.map(compare::<StateQueue>).concat());
}

#[test]
fn shared_link_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<SharedLink>(BY_LINK));
    nothing_wrong(&compare::<SharedLink>(BY_LINK_DGRAM));
}

#[test]
fn receive_buffer_takes_the_locks_of_its_kernel() {
    nothing_wrong(&[BY_PIN, BY_PIN_DGRAM].map(compare::<ReceiveBuffer>).concat());
}

#[test]
fn endpoint_queue_takes_the_locks_of_its_kernel() {
    let kernels = [BY_NUMBER, BY_NUMBER_SEQPACKET, BY_NUMBER_DGRAM];
    nothing_wrong(&kernels.map(compare::<EndpointQueue>).concat());
}

#[test]
fn lock_free_takes_them_too_where_its_gate_is_shut() {
    nothing_wrong(&compare::<SlowPath>(0));
}

#[test]
fn global_gc_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<GlobalGc>(1));
}

#[test]
fn global_takes_the_locks_of_its_kernel() {
    nothing_wrong(&compare::<Global>(2));
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
