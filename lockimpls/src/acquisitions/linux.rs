//! `source.rs` for Linux: whether the cited lines of its files take the locks they are cited for.
//! The files say no revision of themselves, so they are found by their names, in a folder `linux`.

use std::path::PathBuf;

use super::expected::{BY_QUEUE, BY_QUEUE_DGRAM, Step, blocks};
use super::source::{SOURCE, files_in, makes};

/// The files that are cited.
const FILES: [(&str, &str); 4] = [
    ("unix", "linux/af_unix.c"),
    ("garbage", "linux/garbage.c"),
    ("file", "linux/file.c"),
    ("sock", "linux/sock.c"),
];

/// By lock, or by what stands behind the point: what takes it.
const CALLS: [(&str, &[&str]); 10] = [
    (
        "queue",
        &[
            "skb_queue_tail(",
            "skb_unlink(",
            "skb_dequeue(",
            "skb_recv_datagram(",
            "__skb_try_recv_datagram(",
            "spin_lock(&other->sk_receive_queue.lock",
        ],
    ),
    ("iolock", &["mutex_lock(&u->iolock"]),
    ("bindlock", &["mutex_lock_interruptible(&u->bindlock"]),
    ("callback", &["sock_orphan(", "sock_graft("]),
    ("wait", &["spin_lock(&u_other->peer_wait.lock"]),
    ("cred", &["spin_lock(&sk->sk_peer_lock"]),
    ("gc", &["spin_lock(&unix_gc_lock"]),
    ("sk_lock", &["sockopt_lock_sock("]),
    ("table", &["spin_lock(&net->unx.table.locks["]),
    ("inode-table", &["spin_lock(&bsd_socket_locks["]),
];

/// What takes the lock of this name.
fn calls_of(lock: &str) -> &'static [&'static str] {
    let name = lock.rsplit('.').next().unwrap_or(lock);
    if name == "fdplock" {
        return &["spin_lock(&files->file_lock"];
    }
    let known = CALLS.iter().find(|(it, _)| *it == name);
    known.map_or(&["unix_state_lock("], |(_, calls)| *calls)
}

/// Every step of the model's or the kernel's, in the lines of that kernel.
fn steps() -> Vec<Step> {
    let blocks = blocks();
    let of_it = blocks.iter().flat_map(|block| &block.steps[BY_QUEUE..=BY_QUEUE_DGRAM]);
    of_it.flatten().flatten().cloned().collect()
}

#[test]
#[ignore = "wants the kernels' sources: SOLOCK_KERNEL_SOURCE=DIR"]
fn the_cited_lines_take_the_locks() {
    let folder = PathBuf::from(std::env::var_os(SOURCE).expect(SOURCE));
    let files = files_in(&folder);
    let text = |path: &str| {
        let file = files.iter().find(|file| file.ends_with(path)).expect(path);
        std::fs::read_to_string(file).unwrap()
    };
    let texts = FILES.map(|(key, path)| (key, text(path)));
    let mut wrong = Vec::new();
    for step in steps() {
        let Some((file, at)) = &step.at else { continue };
        let (_, text) = texts.iter().find(|(key, _)| key == file).expect(file);
        let line = text.lines().nth(at - 1).unwrap_or("");
        if !makes(line, calls_of(&step.lock)) {
            wrong.push(format!("{file}:{at} takes no {}: {line}", step.lock));
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_cited_file_is_known() {
    let steps = steps();
    let cited = steps.iter().filter_map(|step| step.at.as_ref());
    for (file, _) in cited {
        assert!(FILES.iter().any(|(key, _)| key == file), "{file}: no such file");
    }
}

#[test]
fn a_lock_is_taken_by_its_calls_alone() {
    assert!(makes("\tunix_state_lock(other);", calls_of("peer")));
    assert!(!makes("\tunix_state_unlock(other);", calls_of("peer")));
    assert!(!makes("\tunix_state_lock(other);", calls_of("peer.queue")));
    assert!(makes("\tskb_queue_tail(&other->sk_receive_queue, skb);", calls_of("peer.queue")));
    assert!(makes("\tspin_lock(&files->file_lock);", calls_of("fdplock")));
}
