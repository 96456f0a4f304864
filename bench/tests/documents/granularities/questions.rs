//! What is asked of the recorded run beside "which is the fastest": pairs of backends, each in some
//! groups of cells.

/// A part of the text.
pub(crate) struct Question {
    /// The name of its marks.
    pub(crate) name: &'static str,
    pub(crate) asked: &'static [Asked],
}

/// One backend, held against another in each of these groups.
pub(crate) struct Asked {
    pub(crate) backend: &'static str,
    pub(crate) against: &'static str,
    pub(crate) groups: &'static [&'static str],
}

const fn ask(
    backend: &'static str,
    against: &'static str,
    groups: &'static [&'static str],
) -> Asked {
    Asked { backend, against, groups }
}

/// Threads that share no socket.
const PRIVATE: &[&str] = &["pairs/stream/t1", "pairs/stream/t2"];
/// One connection under two threads: both ways, and one way.
const SHARED: &[&str] = &["duplex/stream/t2", "stream/stream/t2"];
/// Datagrams between private pairs.
const APART: &[&str] = &["pairs/dgram/t2"];
/// Datagrams into one socket.
const INTO_ONE: &[&str] = &["fanin/dgram/t2"];
/// All that the run has.
const ALL: &[&str] = &[
    "pairs/stream/t1",
    "pairs/stream/t2",
    "stream/stream/t2",
    "pingpong/stream/t2",
    "duplex/stream/t2",
    "pairs/dgram/t1",
    "pairs/dgram/t2",
    "fanin/dgram/t2",
];

/// The parts. What the run has no cells of is left out.
pub(crate) const QUESTIONS: &[Question] = &[
    Question {
        name: "shared mode",
        asked: &[
            ask("shared-link", "per-buffer", PRIVATE),
            ask("shared-link", "per-buffer", SHARED),
        ],
    },
    Question {
        name: "two directions",
        asked: &[
            ask("per-pair", "per-buffer", SHARED),
            ask("per-pair", "state-queue", SHARED),
            ask("per-pair", "per-socket", SHARED),
            ask("receive-buffer", "per-buffer", PRIVATE),
            ask("receive-buffer", "per-buffer", SHARED),
            ask("endpoint-queue", "state-queue", SHARED),
        ],
    },
    Question {
        name: "datagrams",
        asked: &[
            ask("per-pair", "global", APART),
            ask("per-socket", "global", APART),
            ask("state-queue", "global", APART),
            ask("shared-link", "global", APART),
            ask("per-pair", "global", INTO_ONE),
            ask("per-socket", "global", INTO_ONE),
            ask("state-queue", "global", INTO_ONE),
            ask("per-buffer", "global", INTO_ONE),
            ask("shared-link", "global", INTO_ONE),
            ask("endpoint-queue", "global", INTO_ONE),
        ],
    },
    Question {
        name: "relocks",
        asked: &[
            ask("per-socket-wait", "per-socket", PRIVATE),
            ask("per-socket-wait", "per-socket", SHARED),
            ask("per-socket-try", "per-socket", PRIVATE),
            ask("per-socket-try", "per-socket", SHARED),
        ],
    },
    Question { name: "no difference", asked: &[ask("global-gc", "global", ALL)] },
];
