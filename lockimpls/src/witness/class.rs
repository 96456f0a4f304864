//! What can be held, and its place in the lock order.

/// What kind of thing is held, with its place in the lock order (the discriminant).
///
/// | rank | class | guards | kernel |
/// |---|---|---|---|
/// | 1 | `fdplock` | the descriptor table's free list | `fdplock` |
/// | 2 | `names` | the table of names | namei's directory |
/// | 3 | `vnode` | one name and its socket pointer; one fifo, its counts and sockets | `i_lock` |
/// | 4 | `unp_gc_lock` | the list of control blocks, the collector | `unp_gc_lock` |
/// | 5 | `unp_lock` | everything (`global`), every socket (`global-gc`) | `unp_lock` |
/// | 6 | `solock` | one socket (`per-socket`, `lock-free`) | `so_lock` |
/// | 7 | `unp_df_lock` | the list of deferred closes | `unp_df_lock` |
/// | 8 | `unp_rights_mtx` | the count of descriptors in flight | `unp_rights_mtx` |
/// | 9 | `pool` | one pool's free list | `pl_lock` |
///
/// | 13 | `kernel_lock` | nothing here: the kernel around the layer | `kernel_lock` |
/// | 14 | `fd_fplock` | as above: which file is at a descriptor | `fd_fplock` |
/// | 15 | `f_mtx` | as above: the counts of a file | `f_mtx` |
/// | 16 | `sched_lock` | as above: the queues of sleepers | `sched_lock` |
///
/// The last four are taken with `--ambient` alone (see `ambient.rs`). `kernel_lock` is recursive and
/// is given up by whoever sleeps: it may be taken before and after any lock above `unp_rights_mtx`,
/// and not after that one, `pool`, or one of the last three, which are mutexes. Nothing is taken
/// while one of the last three is held.
///
/// The rest are not locks but are held and let go of like locks: `sblock` (the right to fill or
/// drain a buffer), `in_use` (a thread on the lock-free path), `unp_ref` (a reference on a control
/// block). They have no place in the order; they leak like the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    /// The descriptor table.
    Fdplock = 1,
    /// The table of names.
    Names = 2,
    /// One name, or one fifo.
    Vnode = 3,
    /// The collector and the list of all control blocks.
    UnpGcLock = 4,
    /// The one lock of `global` and `global-gc`.
    UnpLock = 5,
    /// A socket's own lock.
    SoLock = 6,
    /// Deferred closes.
    UnpDfLock = 7,
    /// Descriptors in flight.
    UnpRightsMtx = 8,
    /// A pool's free list.
    Pool = 9,
    /// The right to fill or drain a socket buffer.
    Sblock = 10,
    /// A thread inside the lock-free path.
    InUse = 11,
    /// A reference on a control block that keeps it while its lock is dropped.
    UnpRef = 12,
    /// The kernel lock.
    KernelLock = 13,
    /// Which file is at a descriptor.
    FdFplock = 14,
    /// The counts of a file.
    FMtx = 15,
    /// The scheduler's lock.
    SchedLock = 16,
}

/// How many classes there are, the unused number 0 included.
pub const CLASSES: usize = 17;

impl Class {
    /// Every class, in rank order.
    pub const ALL: [Class; CLASSES - 1] = [
        Class::Fdplock,
        Class::Names,
        Class::Vnode,
        Class::UnpGcLock,
        Class::UnpLock,
        Class::SoLock,
        Class::UnpDfLock,
        Class::UnpRightsMtx,
        Class::Pool,
        Class::Sblock,
        Class::InUse,
        Class::UnpRef,
        Class::KernelLock,
        Class::FdFplock,
        Class::FMtx,
        Class::SchedLock,
    ];

    /// The lock's name in reports, as witness(4) prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Class::Fdplock => "fdplock",
            Class::Names => "names",
            Class::Vnode => "vnode",
            Class::UnpGcLock => "unpgc",
            Class::UnpLock => "unplock",
            Class::SoLock => "solock",
            Class::UnpDfLock => "unpdf",
            Class::UnpRightsMtx => "unp_rights",
            Class::Pool => "pool",
            Class::Sblock => "sblock",
            Class::InUse => "in_use",
            Class::UnpRef => "unp_ref",
            Class::KernelLock => "kernel_lock",
            Class::FdFplock => "fd_fplock",
            Class::FMtx => "f_mtx",
            Class::SchedLock => "sched_lock",
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
        use Class::{FMtx, FdFplock, Pool, SchedLock, UnpRightsMtx};
        matches!(self, UnpRightsMtx | Pool | FdFplock | FMtx | SchedLock)
    }

    /// The kind of thing, the second word of a witness(4) line.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Class::Sblock | Class::InUse => "flag",
            Class::UnpRef => "reference",
            Class::KernelLock => "kernel_lock",
            Class::FdFplock | Class::FMtx => "mutex",
            Class::SchedLock => "sched_lock",
            _ => "rwlock",
        }
    }

    pub(super) const fn from_rank(rank: u8) -> Class {
        assert!(rank >= 1 && (rank as usize) < CLASSES);
        Class::ALL[rank as usize - 1]
    }
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
}
