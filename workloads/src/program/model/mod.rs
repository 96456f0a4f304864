//! The sequential model: what a unix(4) layer answers when one call is made after another.
//!
//! It is written for one purpose: to be so simple that it is right. There are no locks, no
//! waiting (what would wait answers `EWOULDBLOCK`), no rings and no reference counts: what nobody
//! can reach is found by looking. It shares no code with the layers it judges.
//!
//! It leaves out the memory that messages are charged for (`sb_mbcnt`): that limit is at least
//! 192 KiB and eight times the byte limit, which the short programs here do not reach.

mod domain;
mod position;
mod requests;
mod transfer;

pub(super) use position::Position;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockimpls::{Config, Errno, Fd, SockAddr, SockType};

/// The model as a layer that programs run on.
#[derive(Debug)]
pub struct Model {
    state: Mutex<State>,
}

impl Model {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket; numbers are used once.
type Id = u32;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    limits: Limits,
    next: u32,
    fds: BTreeMap<Fd, Id>,
    socks: BTreeMap<Id, Sock>,
    /// Whether something was let go since the last look at what nobody refers to.
    let_go: bool,
    /// Whether the collector is to run: a message was dropped, or a socket went while descriptors
    /// were on their way.
    wants_collector: bool,
    /// Every name there is, and the socket bound to it while that lives.
    names: BTreeMap<Vec<u8>, Option<Id>>,
}

/// The sizes, from the [`Config`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Limits {
    connected: usize,
    dgram_send: usize,
    dgram_recv: usize,
    sb_max: usize,
    backlog_least: usize,
    backlog_most: usize,
    files: usize,
    sockets: usize,
}

impl Limits {
    fn of(config: &Config) -> Limits {
        Limits {
            connected: config.pipsiz_bytes,
            dgram_send: config.dgram_send_bytes,
            dgram_recv: config.dgram_recv_bytes,
            sb_max: config.sb_max_bytes,
            backlog_least: config.sominconn,
            backlog_most: config.somaxconn,
            files: config.maxfiles,
            sockets: config.sockets_max,
        }
    }
}

/// How much one direction holds, and when it is enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Side {
    hiwat: usize,
    lowat: usize,
}

/// A message, or what of a stream lies between two control messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Record {
    rights: Vec<Id>,
    data: Vec<u8>,
    /// A datagram's sender.
    from: Option<SockAddr>,
    /// Its sender ended it by hand.
    is_eor: bool,
}

/// A socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sock {
    kind: SockType,
    nonblock: bool,
    connected: bool,
    cant_send: bool,
    cant_recv: bool,
    error: Option<Errno>,
    peer: Option<Id>,
    /// What it answers as its own name.
    addr: Option<SockAddr>,
    /// The name that leads to it.
    bound: Option<Vec<u8>>,
    /// The longest queue, of a listener.
    backlog: Option<usize>,
    /// Connections that nobody accepted yet.
    queue: VecDeque<Id>,
    /// Whether it waits to be accepted: it has no file yet.
    is_embryo: bool,
    snd: Side,
    rcv: Side,
    /// What of this socket's bytes lay unread at the peer when either side last moved.
    unread: usize,
    records: VecDeque<Record>,
}

/// What a message with so many descriptors counts in a buffer.
fn control_len(rights: usize) -> usize {
    if rights == 0 { 0 } else { 16 + 16 * rights }
}

impl Record {
    fn len(&self) -> usize {
        let from = self.from.as_ref().map_or(0, address_len);
        from + self.data.len() + control_len(self.rights.len())
    }
}

/// What a datagram's address counts: `sa_len`, 16 where there is no name.
fn address_len(addr: &SockAddr) -> usize {
    if addr.is_unnamed() { 16 } else { 2 + addr.path().len() + 1 }
}

impl Sock {
    fn needs_connection(&self) -> bool {
        self.kind != SockType::Dgram
    }

    fn is_atomic(&self) -> bool {
        self.kind != SockType::Stream
    }

    /// `sb_cc` of the receive buffer.
    fn received(&self) -> usize {
        self.records.iter().map(Record::len).sum()
    }
}

impl State {
    fn new(config: &Config) -> State {
        State {
            limits: Limits::of(config),
            next: 0,
            fds: BTreeMap::new(),
            socks: BTreeMap::new(),
            let_go: false,
            wants_collector: false,
            names: BTreeMap::new(),
        }
    }

    fn id(&self, fd: Fd) -> Result<Id, Errno> {
        self.fds.get(&fd).copied().ok_or(Errno::Ebadf)
    }

    /// A socket that is known to live: one that a descriptor, a peer or a queue leads to.
    fn sock(&mut self, id: Id) -> &mut Sock {
        self.socks.get_mut(&id).unwrap_or_else(|| panic!("the model has lost socket {id}"))
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn room_for_files(&self) -> usize {
        self.limits.files - self.fds.len()
    }

    fn open(&mut self, id: Id) -> Fd {
        // Numbers are used once.
        let fd = Fd { number: self.fresh(), generation: 0 };
        self.fds.insert(fd, id);
        fd
    }

    /// How many descriptors are on their way.
    fn in_flight(&self) -> usize {
        self.socks.values().flat_map(|sock| &sock.records).map(|record| record.rights.len()).sum()
    }

    /// Descriptors that nobody will receive.
    fn discard(&mut self, rights: &[Id]) {
        if !rights.is_empty() {
            (self.let_go, self.wants_collector) = (true, true);
        }
    }

    /// The end of a call: closes what nobody refers to, and runs the collector if it is wanted.
    fn settle(&mut self) {
        while std::mem::take(&mut self.let_go) {
            while let Some(id) = self.unreferenced() {
                self.wants_collector |= self.in_flight() > 0;
                self.close_socket(id);
            }
            if std::mem::take(&mut self.wants_collector) {
                self.collect();
            }
        }
    }

    /// A socket without a descriptor that is not on its way either.
    fn unreferenced(&self) -> Option<Id> {
        let records = self.socks.values().flat_map(|sock| &sock.records);
        let mut held: BTreeSet<Id> = records.flat_map(|record| &record.rights).copied().collect();
        held.extend(self.fds.values());
        let lost =
            |(id, sock): (&Id, &Sock)| (!sock.is_embryo && !held.contains(id)).then_some(*id);
        self.socks.iter().find_map(lost)
    }

    /// Drops what lies in buffers that nobody can read any more.
    fn collect(&mut self) {
        let live = self.reachable();
        let dead: Vec<Id> = self.socks.keys().filter(|id| !live.contains(id)).copied().collect();
        for id in dead {
            for record in std::mem::take(&mut self.sock(id).records) {
                self.discard(&record.rights);
            }
        }
    }

    /// What descriptors lead to, directly or through what can still be received.
    fn reachable(&self) -> BTreeSet<Id> {
        let mut live = BTreeSet::new();
        let mut todo: Vec<Id> = self.fds.values().copied().collect();
        while let Some(id) = todo.pop() {
            if live.insert(id)
                && let Some(sock) = self.socks.get(&id)
            {
                todo.extend(&sock.queue);
                todo.extend(sock.records.iter().flat_map(|record| &record.rights));
            }
        }
        live
    }
}
