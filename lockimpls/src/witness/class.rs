//! What can be held, and its place in the lock order.

use std::sync::OnceLock;

/// What kind of thing is held, with its place in the lock order (the discriminant).
///
/// | rank | class | guards | kernel |
/// |---|---|---|---|
/// | 1 | `sbuf` | sending on, or receiving from, one socket (`per-buffer`, `shared-link`, `receive-buffer`; receiving alone: `state-queue`, `endpoint-queue`) | `sb_lock`, `iolock` |
/// | 2 | `fdplock` | the descriptor table's free list | `fdplock` |
/// | 3 | `names` | the table of names | namei's directory |
/// | 4 | `vnode` | one name and its socket pointer; one fifo, its counts and sockets | `i_lock` |
/// | 5 | `unpgc` | the list of control blocks, the collector | `unp_gc_lock` until 2022 |
/// | 6 | `unplock` | all, every socket (`global-gc`), all but pairs (`per-pair`), what is connected to what (`shared-link`) | `unp_lock` |
/// | 7 | `solock` | one socket, or the two of a connection (`per-pair`) | `so_lock`; state; endpoint |
/// | 8 | `unpgc_inner` | as 5 (`per-buffer`, `state-queue`, `shared-link`, `receive-buffer`, `endpoint-queue`) | `unp_gc_lock` of 2025 |
/// | 9 | `unpdf` | the list of deferred closes | `unp_df_lock` |
/// | 10 | `accept_mtx` | every listener's queue (`shared-link`) | `accept_mtx` |
/// | 11 | `sbrcv` | the receive side of one socket (as 8) | `so_rcv.sb_mtx`; queue |
/// | 12 | `sbsnd` | the send side of one socket (`per-buffer`, `shared-link`, `receive-buffer`) | `so_snd.sb_mtx` |
/// | 13 | `unp_rights` | the count of descriptors in flight | `unp_rights_mtx` |
/// | 14 | `pool` | one pool's free list | `pl_lock` |
/// | 18 | `kernel_lock` | nothing here: the kernel around the layer | `kernel_lock` |
/// | 19 | `fd_fplock` | as above: which file is at a descriptor | `fd_fplock` |
/// | 20 | `f_mtx` | as above: the counts of a file | `f_mtx` |
/// | 21 | `sched_lock` | as above: the queues of sleepers | `sched_lock` |
/// | 22 | `unpdisc` | that one parting is under way (`per-socket-wait`) | XNU's `unp_disconnect_lock` |
/// | 23 to 26 | `own1` to `own4` | nothing here: locks of another crate's layer | |
///
/// Ranks 18 to 21 are taken with `--ambient` alone (see `ambient.rs`). `kernel_lock` is recursive
/// and is given up by whoever sleeps: it may be taken before and after any lock of the first ten
/// ranks, and after no other, which are mutexes. Nothing is taken while one of 19 to 22 is held.
///
/// Another crate's layer has four classes, which it takes in the order of their ranks, and names
/// ([`Class::declare`]).
///
/// The rest are not locks but are held and let go of like locks: `sblock` (the right to fill or
/// drain a buffer), `in_use` (a thread on the lock-free path), `unp_ref` (a reference on a control
/// block). They have no place in the order; they leak like the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// Sending on, or receiving from, one socket.
    SbLock = 1,
    /// The descriptor table.
    Fdplock = 2,
    /// The table of names.
    Names = 3,
    /// One name, or one fifo.
    Vnode = 4,
    /// The collector and the list of all control blocks, where they come before sockets.
    UnpGcLock = 5,
    /// The one lock of `global` and `global-gc`, the one of `per-pair` for what is no connection,
    /// and the one of `shared-link` for what is connected to what.
    UnpLock = 6,
    /// A socket's own lock, or a connection's.
    SoLock = 7,
    /// The collector and the list of all control blocks, where they come after sockets.
    UnpGcLockInner = 8,
    /// Deferred closes.
    UnpDfLock = 9,
    /// The queues of all listeners, where they have a lock of their own.
    AcceptMtx = 10,
    /// A socket's receive side.
    SbMtxRcv = 11,
    /// A socket's send side.
    SbMtxSnd = 12,
    /// Descriptors in flight.
    UnpRightsMtx = 13,
    /// A pool's free list.
    Pool = 14,
    /// The right to fill or drain a socket buffer.
    Sblock = 15,
    /// A thread inside the lock-free path.
    InUse = 16,
    /// A reference on a control block that keeps it while its lock is dropped.
    UnpRef = 17,
    /// The kernel lock.
    KernelLock = 18,
    /// Which file is at a descriptor.
    FdFplock = 19,
    /// The counts of a file.
    FMtx = 20,
    /// The scheduler's lock.
    SchedLock = 21,
    /// That one parting is under way.
    UnpDisconnectLock = 22,
    /// Another crate's, the first to be taken.
    Own1 = 23,
    /// Another crate's, taken after `Own1`.
    Own2 = 24,
    /// Another crate's, taken after `Own2`.
    Own3 = 25,
    /// Another crate's, the last to be taken.
    Own4 = 26,
}

/// How many classes there are, the unused number 0 included.
pub const CLASSES: usize = 27;

/// What other crates call their classes, in the order of the ranks.
static OWN: [OnceLock<&'static str>; 4] = [const { OnceLock::new() }; 4];

impl Class {
    /// Every class, in rank order.
    pub const ALL: [Class; CLASSES - 1] = [
        Class::SbLock,
        Class::Fdplock,
        Class::Names,
        Class::Vnode,
        Class::UnpGcLock,
        Class::UnpLock,
        Class::SoLock,
        Class::UnpGcLockInner,
        Class::UnpDfLock,
        Class::AcceptMtx,
        Class::SbMtxRcv,
        Class::SbMtxSnd,
        Class::UnpRightsMtx,
        Class::Pool,
        Class::Sblock,
        Class::InUse,
        Class::UnpRef,
        Class::KernelLock,
        Class::FdFplock,
        Class::FMtx,
        Class::SchedLock,
        Class::UnpDisconnectLock,
        Class::Own1,
        Class::Own2,
        Class::Own3,
        Class::Own4,
    ];

    /// The lock's name in reports, as witness(4) prints it, and in records: no two have one, though
    /// in the kernel both `unp_gc_lock`s are `unpgc`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::SbLock => "sbuf",
            Class::Fdplock => "fdplock",
            Class::Names => "names",
            Class::Vnode => "vnode",
            Class::UnpGcLock => "unpgc",
            Class::UnpLock => "unplock",
            Class::SoLock => "solock",
            Class::UnpGcLockInner => "unpgc_inner",
            Class::UnpDfLock => "unpdf",
            Class::AcceptMtx => "accept_mtx",
            Class::SbMtxRcv => "sbrcv",
            Class::SbMtxSnd => "sbsnd",
            Class::UnpRightsMtx => "unp_rights",
            Class::Pool => "pool",
            Class::Sblock => "sblock",
            Class::InUse => "in_use",
            Class::UnpRef => "unp_ref",
            Class::KernelLock => "kernel_lock",
            Class::FdFplock => "fd_fplock",
            Class::FMtx => "f_mtx",
            Class::SchedLock => "sched_lock",
            Class::UnpDisconnectLock => "unpdisc",
            Class::Own1 => OWN[0].get().unwrap_or(&"own1"),
            Class::Own2 => OWN[1].get().unwrap_or(&"own2"),
            Class::Own3 => OWN[2].get().unwrap_or(&"own3"),
            Class::Own4 => OWN[3].get().unwrap_or(&"own4"),
        }
    }

    /// From now on one of the four classes of other crates is called so, in reports and records.
    ///
    /// # Errors
    /// It is none of the four, it is called otherwise, or another one is called so.
    pub fn declare(self, name: &'static str) -> Result<(), String> {
        let place = (self as usize).checked_sub(Class::Own1 as usize);
        let own = place.map(|place| &OWN[place]).ok_or_else(|| {
            format!("the class {} is the suite's; own ones are Own1 to Own4", self.name())
        })?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(is_word) {
            return Err(format!("no class of locks can be called {name:?}"));
        }
        if let Some(other) = Class::ALL.iter().find(|one| **one != self && one.name() == name) {
            return Err(format!("the class of rank {} is called {name}, too", *other as u8));
        }
        let given = own.get_or_init(|| name);
        if *given == name {
            Ok(())
        } else {
            Err(format!("the class {given} is called {name}, too"))
        }
    }

    /// Whether this is a lock that is waited for (the others are flags and references).
    #[must_use]
    pub const fn is_lock(self) -> bool {
        !matches!(self, Class::Sblock | Class::InUse | Class::UnpRef)
    }

    /// Whether it is a mutex(9) in the kernel, or the scheduler's lock: nothing sleeps while it is
    /// held, and the kernel lock is not taken after it.
    pub(super) const fn is_mutex(self) -> bool {
        use Class::{FMtx, FdFplock, Pool, SbMtxRcv, SbMtxSnd, SchedLock, UnpRightsMtx};
        matches!(self, SbMtxRcv | SbMtxSnd | UnpRightsMtx | Pool | FdFplock | FMtx | SchedLock)
    }

    /// The kind of thing, the second word of a witness(4) line.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Class::Sblock | Class::InUse => "flag",
            Class::UnpRef => "reference",
            Class::KernelLock => "kernel_lock",
            Class::UnpDisconnectLock => "mutex",
            Class::SchedLock => "sched_lock",
            _ if self.is_mutex() => "mutex",
            _ => "rwlock",
        }
    }

    pub(super) const fn from_rank(rank: u8) -> Class {
        assert!(rank >= 1 && (rank as usize) < CLASSES);
        Class::ALL[rank as usize - 1]
    }
}

/// How a lock is held that has two modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By one thread.
    Exclusive,
    /// By any number of them.
    Shared,
}

/// An acquisition that the order table allows although its address does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// No exception: ranks, then addresses.
    None,
    /// A listening socket, taken by a connect that already holds the client.
    Head {
        /// The client's lock: the only socket lock that may be held.
        client: usize,
    },
    /// A socket not yet accepted, taken after its listening socket.
    Embryo {
        /// The listener's lock, which must be held.
        head: usize,
        /// The client's lock, or 0: the only other socket lock that may be held.
        client: usize,
    },
    /// A socket's lock, whatever the addresses, taken with the lock of all connections held
    /// exclusively: nobody else has two then (`shared-link`).
    Linked {
        /// That lock, which must be held, and not in shared mode.
        link: usize,
    },
    /// A socket's lock, taken after those of sockets with lower numbers, whatever the addresses
    /// (`endpoint-queue`).
    Numbered {
        /// The lock of the one that it is compared with, which must be held.
        lower: usize,
        /// Whether that one's number is lower, as it must be.
        rises: bool,
    },
    /// The lock that guards many sockets, taken by whoever holds one's own, which gives it up for
    /// it (`per-pair`).
    Switch {
        /// The socket's own lock, which must be held: the only socket lock that may be.
        from: usize,
    },
}
