//! A layer in which one request is made, and the names of its sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use super::Done;
use crate::domain::{
    Algorithm, Config, Domain, MsgFlags, RecvMsg, SendMsg, Shutdown, SockAddr, SockType,
};
use crate::errno::Errno;
use crate::fault::Window;
use crate::fault::met::{has_met, meet};
use crate::objects::descriptors::Fd;
use crate::objects::socket::{Part, Parts, Side, SocketLocks};
use crate::policy::{Policy, So, SoRef};
use crate::uipc::Locked;
use crate::witness::trace::{Taken, traced};
use crate::witness::{self, Class};

/// Nothing waits.
pub(super) const NOW: MsgFlags = MsgFlags::DONTWAIT;

/// A layer, the names of its sockets, and what the request did.
pub(super) struct World<P: Policy> {
    pub(super) layer: Arc<Locked<P>>,
    pub(super) kind: SockType,
    pub(super) way: &'static str,
    roles: HashMap<usize, &'static str>,
    /// What a socket is called that the request makes.
    pub(super) made: Vec<&'static str>,
    /// Another thread that holds a lock, and what ends it.
    another: Option<(Sender<()>, JoinHandle<()>)>,
    done: Option<(String, Vec<Taken>)>,
}

/// A name.
pub(super) fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

impl<P: Policy> World<P> {
    pub(super) fn new(kind: SockType, way: &'static str) -> Self {
        let layer = Arc::new(Locked::new(&Config::default()).unwrap());
        let (roles, made) = (HashMap::new(), Vec::new());
        Self { layer, kind, way, roles, made, another: None, done: None }
    }

    /// Another layer, with so many descriptors.
    pub(super) fn with_files(&mut self, maxfiles: usize) {
        self.with(&Config { maxfiles, ..Config::default() });
    }

    /// Another layer, with so many sockets and names.
    pub(super) fn with_sockets(&mut self, sockets_max: usize) {
        self.with(&Config { sockets_max, ..Config::default() });
    }

    fn with(&mut self, config: &Config) {
        self.layer = Arc::new(Locked::new(config).unwrap());
    }

    /// Another layer, where a descriptor is left, and no file: the last is in flight. One of its
    /// sockets.
    pub(super) fn with_no_file(&mut self) -> Fd {
        self.with_files(10);
        let (a, _) = self.layer.socketpair(self.kind).unwrap();
        let others: Vec<Fd> = (2..10).map(|_| self.layer.socket(self.kind).unwrap()).collect();
        self.pass(a, &others[..1]).unwrap();
        self.layer.close(others[0]).unwrap();
        a
    }

    /// The request's two new sockets: the first is the lower or the higher, as the way says.
    pub(super) fn two_are_made(&mut self) {
        let (pool, policy) = (&self.layer.sockets, &self.layer.policy);
        let get = || pool.get(|| policy.socket_locks(Algorithm::default())).unwrap();
        let (a, b) = (get(), get());
        let (first, second) = if self.way == "higher" { (b, a) } else { (a, b) };
        // The last freed is the next.
        pool.put(second);
        pool.put(first);
        self.made = vec!["so", "so2"];
    }

    /// The socket is called this.
    pub(super) fn call(&mut self, fd: Fd, role: &'static str) -> Fd {
        self.roles.insert(self.guard_of(fd), role);
        fd
    }

    fn guard_of(&self, fd: Fd) -> usize {
        self.layer.fds.find(fd).unwrap().guard_addr()
    }

    pub(super) fn socket(&mut self, role: &'static str) -> Fd {
        let fd = self.layer.socket(self.kind).unwrap();
        self.call(fd, role)
    }

    pub(super) fn bound(&mut self, role: &'static str, path: &str) -> Fd {
        let fd = self.socket(role);
        self.layer.bind(fd, &name(path)).unwrap();
        fd
    }

    /// A socket of another type is bound there.
    pub(super) fn another_type_bound(&self, path: &str) {
        let is_stream = self.kind == SockType::Stream;
        let kind = if is_stream { SockType::Dgram } else { SockType::Stream };
        let other = self.layer.socket(kind).unwrap();
        self.layer.bind(other, &name(path)).unwrap();
    }

    pub(super) fn listener(&mut self, role: &'static str, path: &str) -> Fd {
        let fd = self.bound(role, path);
        self.layer.listen(fd, 1).unwrap();
        self.layer.set_nonblocking(fd, true).unwrap();
        fd
    }

    /// A descriptor that is closed.
    pub(super) fn stale(&mut self) -> Fd {
        let fd = self.socket("so");
        self.layer.close(fd).unwrap();
        fd
    }

    /// A pair: `so` is the lower or the higher, as the way says; the other is `peer`. One lock of
    /// both is `pair`.
    pub(super) fn pair(&mut self) -> (Fd, Fd) {
        let (a, b) = self.layer.socketpair(self.kind).unwrap();
        let (so, peer) = if self.way == "higher" { (b, a) } else { (a, b) };
        self.call(so, "so");
        if self.guard_of(so) == self.guard_of(peer) {
            self.call(so, "pair");
        } else {
            self.call(peer, "peer");
        }
        (so, peer)
    }

    /// `so` and a bound socket, in the order the way says.
    pub(super) fn so_and_bound(&mut self, role: &'static str, path: &str) -> (Fd, Fd) {
        if self.way == "higher" {
            let other = self.bound(role, path);
            (self.socket("so"), other)
        } else {
            (self.socket("so"), self.bound(role, path))
        }
    }

    /// A client `so` and a listener `head`; the next embryo is above the client, or, with the way
    /// `higher`, below it.
    pub(super) fn client_and_head(&mut self) -> (Fd, Fd) {
        let place = (self.way == "higher").then(|| self.socket("none"));
        let (so, head) = (self.socket("so"), self.listener("head", "head"));
        if let Some(place) = place {
            self.layer.close(place).unwrap();
            self.roles.retain(|_, role| *role != "none");
        }
        self.made = vec!["embryo"];
        (so, head)
    }

    /// Changes what a socket's locks guard.
    pub(super) fn set(&mut self, fd: Fd, change: impl FnOnce(&Parts<P::Locks>)) {
        let so = self.layer.fds.find(fd).unwrap();
        let mut so = self.layer.policy.solock(&so); // for the caller
        self.layer.sides_enter(&so, &so);
        change(so.parts());
        self.layer.policy.side_leave(&mut so, Side::Snd);
        self.layer.policy.side_leave(&mut so, Side::Rcv);
        self.layer.policy.sounlock(so);
    }

    /// Another thread sends on this socket, or receives from it, until the request is made.
    pub(super) fn another_one_has(&mut self, fd: Fd, side: Side) {
        if !P::SB_LOCK || (P::SENDS_HELD && side == Side::Snd) {
            return self.set(fd, |parts| match side {
                Side::Snd => parts.so_snd.locked.set(true),
                Side::Rcv => parts.so_rcv.locked.set(true),
            });
        }
        let (layer, so) = (Arc::clone(&self.layer), self.layer.fds.find(fd).unwrap());
        let ((tell, told), (end, ended)) = (channel(), channel::<()>());
        self.another = Some((
            end,
            std::thread::spawn(move || {
                assert!(layer.policy.sb_lock(&so, side, false));
                tell.send(()).unwrap();
                let _ = ended.recv();
                layer.policy.sb_unlock(&so, side);
            }),
        ));
        told.recv().unwrap();
    }

    /// A call is under way on this socket.
    pub(super) fn a_call_is_under_way(&mut self, fd: Fd) {
        if P::CALLS_BY_FILE {
            assert!(self.layer.fds.find(fd).unwrap().fref());
        } else {
            self.set(fd, |parts| parts.st.users.set(1));
        }
    }

    /// When the request comes to this window, another thread does something.
    pub(super) fn meanwhile(&self, at: Window, act: impl FnOnce(&Locked<P>) + Send + 'static) {
        let layer = Arc::clone(&self.layer);
        meet(at, move || act(&layer));
    }

    /// In the relock that the request makes, another thread parts this socket from its peer.
    pub(super) fn parts_in_the_relock(&self, fd: Fd) {
        let so = self.layer.fds.find(fd).unwrap();
        self.meanwhile(Window::Relock, move |layer| {
            let mut so = layer.policy.solock(&so);
            layer.unp_disconnect(&mut so);
            layer.policy.sounlock(so);
        });
    }

    /// While a send copies its bytes, another thread shuts this socket down for writing.
    pub(super) fn shut_down_while_it_copies(&self, fd: Fd) {
        self.meanwhile(Window::CopiedIn, move |layer| layer.shutdown(fd, Shutdown::Write).unwrap());
    }

    /// While a send copies its bytes, another thread closes this descriptor.
    pub(super) fn closes_while_it_copies(&self, fd: Fd) {
        self.meanwhile(Window::CopiedIn, move |layer| layer.close(fd).unwrap());
    }

    /// The request itself.
    pub(super) fn ask<T>(&mut self, request: impl FnOnce(&Locked<P>) -> Result<T, Errno>) {
        let (answer, taken) = traced(|| request(&self.layer));
        witness::userret();
        if let Some((end, other)) = self.another.take() {
            drop(end);
            other.join().unwrap();
        }
        assert!(has_met(), "nothing happened meanwhile");
        let answer = answer.map_or_else(|errno| errno.to_string(), |_| "ok".to_owned());
        self.done = Some((answer, taken));
    }

    pub(super) fn send(&mut self, fd: Fd, data: &[u8]) {
        self.ask(|layer| layer.send(fd, data, NOW));
    }

    pub(super) fn receive(&mut self, fd: Fd, flags: MsgFlags) {
        self.ask(|layer| layer.recv(fd, &mut [0; 8], NOW | flags));
    }

    pub(super) fn pass(&self, fd: Fd, rights: &[Fd]) -> Result<usize, Errno> {
        self.layer.sendmsg(fd, &SendMsg { to: None, data: b"x", rights, flags: NOW })
    }

    pub(super) fn ask_pass(&mut self, fd: Fd, rights: &[Fd]) {
        self.ask(|layer| layer.sendmsg(fd, &SendMsg { to: None, data: b"x", rights, flags: NOW }));
    }

    pub(super) fn send_to(&mut self, fd: Fd, path: &str) {
        self.ask_pass_to(fd, path, &[]);
    }

    pub(super) fn ask_pass_to(&mut self, fd: Fd, path: &str, rights: &[Fd]) {
        let to = name(path);
        self.ask(|layer| {
            layer.sendmsg(fd, &SendMsg { to: Some(&to), data: b"x", rights, flags: NOW })
        });
    }

    pub(super) fn ask_take(&mut self, fd: Fd, room: usize) {
        self.ask(|layer| {
            let (mut data, mut rights) = ([0; 8], vec![None; room]);
            layer.recvmsg(fd, &mut RecvMsg::with_rights(&mut data, &mut rights, NOW))
        });
    }

    pub(super) fn collect(&mut self) {
        self.ask(|layer| {
            layer.collect();
            Ok(())
        });
    }

    /// Sends until there is no room.
    pub(super) fn fill(&self, fd: Fd, data: &[u8]) {
        while self.layer.send(fd, data, NOW).is_ok() {}
    }

    /// What the request answered and took, with the sockets' names.
    pub(super) fn done(self) -> Done {
        let (answer, taken) = self.done.expect("a row makes its request");
        let (mut roles, mut made) = (self.roles, self.made.into_iter());
        let mut role =
            |so: usize| *roles.entry(so).or_insert_with(|| made.next().unwrap_or("another"));
        let steps = taken.iter().filter_map(|taken| match taken.class {
            Class::SoLock => Some(role(taken.addr).to_owned()),
            Class::SbLock | Class::SbMtxRcv | Class::SbMtxSnd => {
                let (so, name) = side_lock(&self.layer, taken);
                Some(format!("{}.{name}", role(so)))
            }
            Class::UnpLock if P::Locks::LINKED => {
                Some(if taken.shared { "link.r" } else { "link.w" }.to_owned())
            }
            Class::UnpLock => Some("unp".to_owned()),
            Class::UnpGcLock | Class::UnpGcLockInner => Some("gc".to_owned()),
            Class::UnpDfLock => Some("df".to_owned()),
            Class::AcceptMtx => Some("accept".to_owned()),
            Class::Vnode => Some("vnode".to_owned()),
            Class::Fdplock => Some("fdplock".to_owned()),
            Class::UnpRightsMtx => Some("rights".to_owned()),
            Class::UnpDisconnectLock => Some("disconnect".to_owned()),
            _ => None,
        });
        Done { answer, steps: steps.collect(), taken }
    }
}

/// Whose lock of a side this is, by the lock of the socket itself, and what it is called.
fn side_lock<P: Policy>(layer: &Locked<P>, taken: &Taken) -> (usize, &'static str) {
    let begin = |so: &So<P>| std::ptr::from_ref(so) as usize;
    let is_in = |so: &SoRef<P>| (begin(so)..begin(so) + size_of::<So<P>>()).contains(&taken.addr);
    let so = layer.sockets.all().find(is_in).expect("a socket's lock");
    let distance = |part| taken.addr.abs_diff(so.locks.guard(part).0);
    let name = match taken.class {
        Class::SbMtxRcv if P::SENDS_UNLOCKED || P::SENDS_HELD => "queue",
        Class::SbLock if P::SENDS_HELD => "receiver",
        Class::SbLock if P::SENDS_UNLOCKED => "iolock",
        Class::SbMtxRcv => "rcv.mtx",
        Class::SbMtxSnd => "snd.mtx",
        _ if distance(Part::Rcv) < distance(Part::Snd) => "rcv.lock",
        _ => "snd.lock",
    };
    (so.guard_addr(), name)
}
