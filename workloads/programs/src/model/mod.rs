//! The sequential model: what a unix(4) layer answers when one call is made after another.
//!
//! It is the kernel's source of 2022-07-01 read once more, in the order of its layers, and written
//! down without what only concurrency needs: there are no locks, no waiting (what would wait
//! answers `EWOULDBLOCK`), no wake-ups and no reference counts. It shares no code with the layers
//! it judges.
//! Where it and the layer differed: `READING.md`, beside this file.
//!
//! Each step names its line. The revisions: `uipc_syscalls.c` 1.196, `uipc_socket.c` 1.279,
//! `uipc_socket2.c` 1.125, `socketvar.h` 1.105, `uipc_usrreq.c` 1.167, `unpcb.h` 1.26,
//! `kern_descrip.c` 1.205, `uipc_mbuf.c` 1.283, `mbuf.h` 1.254. A line number alone is of the file
//! that the function's comment names first.

mod connect;
mod domain;
mod mbuf;
mod options;
mod position;
mod receive;
mod rights;
mod send;
mod sockbuf;
mod socket;

pub(super) use position::Position;
use std::collections::{BTreeMap, VecDeque};

use std::sync::{Mutex, MutexGuard, PoisonError};

use lockimpls::{Config, Errno, Fd, SockAddr, SockType};
use sockbuf::Sockbuf;

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

/// A socket, its control block and its file; numbers are used once.
type Id = u32;

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    limits: Limits,
    next: u32,
    fds: BTreeMap<Fd, Id>,
    socks: BTreeMap<Id, Sock>,
    /// Files that were sent and will not be received: the collector closes them.
    deferred: Vec<Id>,
    /// Whether the collector's task was added.
    wants_gc: bool,
    /// Every name there is, and the socket bound to it while that lives (`v_socket`).
    names: BTreeMap<Vec<u8>, Option<Id>>,
}

/// The sizes, from the [`Config`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Limits {
    connected: usize,
    dgram_send: usize,
    dgram_recv: usize,
    sb_max: usize,
    sominconn: usize,
    somaxconn: usize,
    /// `maxfiles`: of files, and of descriptors, for all belong to one process.
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
            sominconn: config.sominconn,
            somaxconn: config.somaxconn,
            files: config.maxfiles,
            sockets: config.sockets_max,
        }
    }
}

/// A socket: what of `struct socket`, `struct unpcb` and `struct file` answers depend on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sock {
    kind: SockType,
    /// SS_ISCONNECTED
    is_connected: bool,
    /// SS_CANTSENDMORE
    cant_send: bool,
    /// SS_CANTRCVMORE
    cant_recv: bool,
    /// `so_error`
    error: Option<Errno>,
    /// SO_ACCEPTCONN
    is_listener: bool,
    /// `so_qlimit`
    qlimit: usize,
    /// `so_q`
    queue: VecDeque<Id>,
    snd: Sockbuf,
    rcv: Sockbuf,
    /// `unp_conn`
    conn: Option<Id>,
    /// `unp_addr`
    addr: Option<SockAddr>,
    /// `unp_vnode`
    vnode: Option<Vec<u8>>,
    /// Not SS_NOFDREF: it was not made for a connection that nobody accepted yet.
    has_file: bool,
    /// FNONBLOCK, of the file.
    nonblock: bool,
}

impl Sock {
    /// PR_CONNREQUIRED and PR_WANTRCVD, which unixsw gives to the same types.
    fn needs_connection(&self) -> bool {
        self.kind != SockType::Dgram
    }

    /// PR_ATOMIC
    fn is_atomic(&self) -> bool {
        self.kind != SockType::Stream
    }
}

impl State {
    fn new(config: &Config) -> State {
        State {
            limits: Limits::of(config),
            next: 0,
            fds: BTreeMap::new(),
            socks: BTreeMap::new(),
            deferred: Vec::new(),
            wants_gc: false,
            names: BTreeMap::new(),
        }
    }

    /// `getsock` (uipc_syscalls.c:1175).
    fn getsock(&self, fd: Fd) -> Result<Id, Errno> {
        self.fds.get(&fd).copied().ok_or(Errno::Ebadf)
    }

    /// A socket that is known to live: one that a descriptor, a peer, a name or a queue leads to.
    fn sock(&mut self, id: Id) -> &mut Sock {
        self.socks.get_mut(&id).unwrap_or_else(|| panic!("the model has lost socket {id}"))
    }

    fn fresh(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// `fdinsert`: a descriptor of a file (kern_descrip.c:705).
    fn fdinsert(&mut self, id: Id) -> Fd {
        // Numbers are used once.
        let fd = Fd { number: self.fresh(), generation: 0 };
        self.fds.insert(fd, id);
        fd
    }
}
