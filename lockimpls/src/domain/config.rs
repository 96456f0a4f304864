//! The sizes of a layer, how its threads wait, and what is around it.

use super::algorithm::Algorithm;

/// How a thread waits for another: the `--wait` setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WaitStrategy {
    /// Never park: spin, and give up the processor now and then.
    Spin,
    /// Spin for about as long as a wake-up takes, then park.
    Adaptive,
    /// Park at once.
    Park,
}

impl WaitStrategy {
    /// Every strategy, in the order they are listed to users.
    pub const ALL: [WaitStrategy; 3] =
        [WaitStrategy::Spin, WaitStrategy::Adaptive, WaitStrategy::Park];

    /// The name used on the command line and in records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            WaitStrategy::Spin => "spin",
            WaitStrategy::Adaptive => "adaptive",
            WaitStrategy::Park => "park",
        }
    }
}

/// The sizes of a layer. [`Config::default`] has OpenBSD's of 2022 (`uipc_usrreq.c` 1.166).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// PIPSIZ: the buffer, in bytes, of each direction of a stream or seqpacket socket. 8192.
    pub pipsiz_bytes: usize,
    /// The longest datagram, in bytes. 2048.
    pub dgram_send_bytes: usize,
    /// The receive buffer of a datagram socket, in bytes, addresses included. 16384.
    pub dgram_recv_bytes: usize,
    /// SB_MAX: the largest buffer that setsockopt can ask for, in bytes. 2 MiB.
    pub sb_max_bytes: usize,
    /// sominconn: the least backlog of a listener, in connections. 80.
    pub sominconn: usize,
    /// somaxconn: the largest backlog of a listener, in connections. 128.
    pub somaxconn: usize,
    /// maxfiles: how many files may be open; a tenth of it may be in flight. 7030.
    pub maxfiles: usize,
    /// How many sockets the layer has room for, and how many names its file system. 4096.
    pub sockets_max: usize,
    /// `lock-free`: after how many plain calls in a row by one thread a direction's fast path is
    /// tried to be opened again. 128.
    pub reopen_after_calls: u32,
    /// How a blocked call waits.
    pub wait: WaitStrategy,
    /// The algorithm of the layer's locks. `parking_lot`'s.
    pub lock: Algorithm,
    /// Which locks of the kernel around the layer are taken. None.
    pub ambient: Ambient,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            pipsiz_bytes: 8192,
            dgram_send_bytes: 2048,
            dgram_recv_bytes: 16384,
            sb_max_bytes: 2 << 20,
            sominconn: 80,
            somaxconn: 128,
            maxfiles: 7030,
            sockets_max: 4096,
            reopen_after_calls: 128,
            wait: WaitStrategy::Adaptive,
            lock: Algorithm::ParkingLot,
            ambient: Ambient::empty(),
        }
    }
}

bitflags::bitflags! {
    /// Which locks of the kernel around the layer are taken: the `--ambient` setting. None is the
    /// default.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct Ambient: u8 {
        /// The kernel lock.
        const KERNEL_LOCK = 1;
        /// The mutex of the process's table of descriptors.
        const FD_FPLOCK = 2;
        /// The mutex of each file.
        const F_MTX = 4;
        /// The scheduler's lock.
        const SCHED_LOCK = 8;
    }
}

impl Ambient {
    /// Every lock with its name and a line about it, in the order they are listed to users.
    pub const LOCKS: [(Ambient, &'static str, &'static str); 4] = [
        (
            Ambient::KERNEL_LOCK,
            "kernel-lock",
            "the kernel lock, in every wake-up of a socket and round names, options, descriptors",
        ),
        (Ambient::FD_FPLOCK, "fd-fplock", "the mutex of the descriptor table, once in every call"),
        (Ambient::F_MTX, "f-mtx", "the mutex of a file, after every send and receive"),
        (Ambient::SCHED_LOCK, "sched-lock", "the scheduler's lock, in sleep and wakeup"),
    ];

    /// The name of all of them together, and a line about it.
    pub const ALL: (&'static str, &'static str) =
        ("2022-07-01", "all of them: the day the per-socket locks came");

    /// The locks of one name, which may be that of all.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Ambient> {
        if name == Ambient::ALL.0 {
            return Some(Ambient::all());
        }
        Ambient::LOCKS.iter().find(|(_, known, _)| *known == name).map(|(lock, ..)| *lock)
    }

    /// The names of the locks in the set, one by one.
    #[must_use]
    pub fn names(self) -> Vec<&'static str> {
        let taken = Ambient::LOCKS.iter().filter(|(lock, ..)| self.contains(*lock));
        taken.map(|(_, name, _)| *name).collect()
    }
}
