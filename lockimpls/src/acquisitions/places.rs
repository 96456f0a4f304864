//! The places in the requests' source that take a lock: a program comes to each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::expected::{
    BY_LINK, BY_LINK_DGRAM, BY_NUMBER, BY_NUMBER_DGRAM, BY_NUMBER_SEQPACKET, BY_PAIR,
    BY_PAIR_DGRAM, BY_PIN, BY_PIN_DGRAM, BY_QUEUE, BY_QUEUE_DGRAM, BY_QUEUE_SEQPACKET,
};
use super::{
    EndpointQueue, Global, PerBuffer, PerPair, PerSocket, ReceiveBuffer, SharedLink, StateQueue,
    folder, observed,
};

/// What takes a lock. `verbs.rs` compares it with the traits.
pub(super) const TAKES: [&str; 65] = [
    ".solock(",
    ".solock_new(",
    ".so_enter(",
    ".solock_fd(",
    ".solock_fd_and_links(",
    ".queue_fd(",
    ".call_enter(",
    ".data_lock(",
    ".data_enter(",
    ".data_to_so(",
    ".side_lock(",
    ".side_enter(",
    ".sides_enter(",
    ".sb_lock(",
    ".sb_to_so(",
    ".so_to_sb(",
    ".sb_to_peer(",
    ".peer_to_sb(",
    ".own_enter(",
    ".sb_enter(",
    ".look_enter(",
    ".look_to_side(",
    ".links_enter(",
    ".append_enter(",
    ".peer_pin(",
    ".peer_look(",
    ".peer_looked(",
    ".solock_peer(",
    ".solock_to_part(",
    ".solock_pair(",
    ".solock_referrer(",
    ".name_enter(",
    ".name_to_head(",
    ".name_to_pair(",
    ".head_to_pair(",
    ".queue_lock(",
    ".queue_enter(",
    ".so_at_queue(",
    ".so_to_queue(",
    ".queue_to_so(",
    ".embryo_enter(",
    ".embryo_take(",
    ".embryo_taken(",
    ".embryo_to_head(",
    ".head_return(",
    ".listen_enter(",
    ".accepted(",
    ".attach_exit(",
    ".list_enter(",
    ".list_exit(",
    ".detach_enter(",
    ".detach_exit(",
    ".gc_enter(",
    ".scan_enter(",
    ".flight_enter(",
    ".gc_to_deferred(",
    ".deferred_enter(",
    ".deferred_return(",
    ".deferred_to_gc(",
    ".finalize(",
    "unp_rights_mtx.enter(",
    "fds.enter(",
    "names.lookup(",
    "names.create(",
    "names.unbind(",
];

/// Every line of the requests that takes a lock.
fn places() -> Vec<String> {
    let uipc = std::fs::read_dir(folder().join("uipc")).unwrap();
    let mut files: Vec<PathBuf> = uipc.map(|entry| entry.unwrap().path()).collect();
    // Folders hold tests; `mod.rs`, `sides.rs`, `queues.rs`, `around.rs` lock for their callers,
    // `wait.rs` after a sleep, and no row is of a fifo.
    files.retain(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let without = ["mod.rs", "sides.rs", "queues.rs", "around.rs", "wait.rs", "fifo.rs"];
    files.retain(|file| !without.iter().any(|name| file.ends_with(name)));
    let mut places = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(folder()).unwrap().display();
        for (at, line) in (1..).zip(text.lines()) {
            let code = line.split("//").next().unwrap_or("");
            if TAKES.iter().any(|take| code.contains(take)) {
                places.push(format!("lockimpls/src/{name}:{at}"));
            }
        }
    }
    places
}

#[test]
fn every_place_that_locks_is_reached() {
    let mut reached = BTreeSet::new();
    let all = [
        observed::<PerSocket>(0),
        observed::<Global>(2),
        observed::<PerBuffer>(3),
        observed::<PerPair>(BY_PAIR),
        observed::<PerPair>(BY_PAIR_DGRAM),
        observed::<StateQueue>(BY_QUEUE),
        observed::<StateQueue>(BY_QUEUE_SEQPACKET),
        observed::<StateQueue>(BY_QUEUE_DGRAM),
        observed::<SharedLink>(BY_LINK),
        observed::<SharedLink>(BY_LINK_DGRAM),
        observed::<ReceiveBuffer>(BY_PIN),
        observed::<ReceiveBuffer>(BY_PIN_DGRAM),
        observed::<EndpointQueue>(BY_NUMBER),
        observed::<EndpointQueue>(BY_NUMBER_SEQPACKET),
        observed::<EndpointQueue>(BY_NUMBER_DGRAM),
    ];
    for (_, sites) in all.into_iter().flatten() {
        reached.extend(sites);
    }
    let missing: Vec<String> =
        places().into_iter().filter(|place| !reached.contains(place)).collect();
    assert!(missing.is_empty(), "no program comes to {missing:#?}");
}

#[test]
fn there_are_many_places() {
    assert!(places().len() > 60, "{} places", places().len());
}
