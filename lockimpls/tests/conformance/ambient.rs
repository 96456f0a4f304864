//! The locks of the kernel around the layer: how often each request takes them, with the lines of
//! OpenBSD's source of 2022-07-01 (see `ambient.rs`), on every modelled backend.
//!
//! A lock that is not given back is found by the boundary, as any other.

use std::sync::mpsc::channel;
use std::thread::yield_now;

use lockimpls::raw::AnyLock;
use lockimpls::witness::{Class, Counters, awaits_wakeup, counters, thread_number};
use lockimpls::{
    Ambient, Backend, Checked, Config, Domain, Errno, Fd, Layer, MsgFlags, RecvMsg, SendMsg,
    Shutdown, SockOpt, SockType, Variants, Visitor, WaitStrategy, backends, visit_all,
};

use crate::battery::{NONE, name, watch};

const CLASSES: [Class; 4] = [Class::KernelLock, Class::FdFplock, Class::FMtx, Class::SchedLock];

fn config(ambient: Ambient) -> Config {
    Config { ambient, ..Config::default() }
}

/// A layer of this backend under these locks: another instantiation of its source.
fn under(config: &Config, backend: &Backend) -> Box<dyn Layer> {
    struct Find<'a> {
        name: &'static str,
        config: &'a Config,
        found: Option<Result<Box<dyn Layer>, Errno>>,
    }

    impl Visitor for Find<'_> {
        fn visit<D: Variants<Sock = Fd>>(&mut self) {
            if D::NAME == self.name {
                self.found =
                    Some(make::<<D::OnLock<AnyLock> as Variants>::UnderAmbient>(self.config));
            }
        }
    }

    let mut find = Find { name: backend.name, config, found: None };
    visit_all(&mut find);
    find.found.expect("it is in the registry").expect("a layer")
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}

/// Runs it on every modelled backend under these locks; the layer must be empty afterwards.
fn on_each(ambient: Ambient, run: impl Fn(&Backend, &Counted<'_>)) {
    watch();
    for backend in backends().iter().filter(|backend| backend.modelled) {
        let layer = under(&config(ambient), backend);
        run(backend, &Counted { layer: &*layer, ambient });
        layer.check_end();
    }
}

/// A layer, and which locks are around it.
struct Counted<'a> {
    layer: &'a dyn Layer,
    ambient: Ambient,
}

impl Counted<'_> {
    /// Makes a request, which must take the kernel lock, `fd_fplock`, `f_mtx` and the scheduler's
    /// lock so often.
    #[track_caller]
    fn costs<T>(&self, expected: [u64; 4], request: impl FnOnce(&dyn Layer) -> T) -> T {
        let before = counters();
        let result = request(self.layer);
        let counts = counters().since(&before);
        let taken = CLASSES.map(|class| counts.of(class).acquisitions);
        let flags = Ambient::LOCKS.map(|(lock, ..)| u64::from(self.ambient.contains(lock)));
        let expected: Vec<u64> =
            expected.iter().zip(flags).map(|(n, is_there)| n * is_there).collect();
        assert_eq!(taken[..], expected[..], "on {} under {:?}", self.layer.name(), self.ambient);
        result
    }

    /// A message there and back, all of which is free of other costs.
    fn pair(&self, kind: SockType) -> (Fd, Fd) {
        // Inserted: 2 (`kern_descrip.c`, 722). Each end is connected: `wakeup`, `sorwakeup`,
        // `sowwakeup` (`uipc_socket2.c` 1.125, 134 to 136).
        self.costs([4, 2, 0, 2], |layer| layer.socketpair(kind).unwrap())
    }

    /// The first end of a connection goes, then the other, which is not connected any more.
    fn close_pair(&self, (a, b): (Fd, Fd)) {
        // Found and removed (`kern_descrip.c`, 240 and 739). Both ends part, and the own one once
        // more in detach: `wakeup`, `sowwakeup`, `sorwakeup` (`uipc_socket2.c` 1.125, 157 to 159);
        // then `sorflush` (346).
        self.costs([6 + self.flushes(), 2, 0, 3], |layer| layer.close(a).unwrap());
        self.costs([2 + self.flushes(), 2, 0, 1], |layer| layer.close(b).unwrap());
    }

    /// The wake-ups of `sorflush` in a close: none where the kernel empties the buffer with the
    /// last reference.
    fn flushes(&self) -> u64 {
        u64::from(
            !["per-buffer", "state-queue", "shared-link", "receive-buffer", "endpoint-queue"]
                .contains(&self.layer.name()),
        )
    }
}

/// Everything a program may ask for.
fn program(backend: &Backend, it: &Counted<'_>) {
    data(backend, it);
    datagrams(it);
    connections(it);
    rights(it);
    the_rest(it);
}

fn data(backend: &Backend, it: &Counted<'_>) {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let (a, b) = it.pair(kind);
        // Found (240), `sorwakeup` of the peer (`uipc_usrreq.c` 1.167, 376), counted
        // (`uipc_syscalls.c` 1.196, 695).
        it.costs([1, 1, 1, 0], |layer| layer.send(a, b"x", NONE).unwrap());
        // The same with `sowwakeup` (285), counted (921).
        it.costs([1, 1, 1, 0], |layer| layer.recv(b, &mut [0], NONE).unwrap());
        // An error is not counted.
        let nothing = |layer: &dyn Layer| layer.recv(b, &mut [0], MsgFlags::DONTWAIT);
        assert_eq!(it.costs([0, 1, 0, 0], nothing), Err(Errno::Ewouldblock));
        // The whole call (`syscalls.master` 1.226, 134): what is inside takes it again.
        it.costs([1, 1, 0, 0], |layer| layer.shutdown(a, Shutdown::Write).unwrap());
        // SIGPIPE (688).
        let ended = |layer: &dyn Layer| layer.send(a, b"x", NONE);
        assert_eq!(it.costs([1, 1, 0, 0], ended), Err(Errno::Epipe));
        it.close_pair((a, b));
    }
    if backend.name == "lock-free" {
        lock_free_path(it);
    }
}

/// A message that takes none of the layer's locks: there is no `sowakeup`, and what is around the
/// layer is left.
fn lock_free_path(it: &Counted<'_>) {
    let (a, b) = it.pair(SockType::Stream);
    for _ in 0..1000 {
        it.layer.send(a, b"x", NONE).unwrap();
        it.layer.recv(b, &mut [0], NONE).unwrap();
    }
    let before = counters();
    it.costs([0, 1, 1, 0], |layer| layer.send(a, b"x", NONE).unwrap());
    it.costs([0, 1, 1, 0], |layer| layer.recv(b, &mut [0], NONE).unwrap());
    let counts = counters().since(&before);
    assert_eq!((counts.fast_sends, counts.fast_receives), (1, 1));
    it.close_pair((a, b));
}

fn datagrams(it: &Counted<'_>) {
    let (a, b) = it.pair(SockType::Dgram);
    // `sorwakeup` (`uipc_usrreq.c` 1.167, 330); its receiver wakes nobody.
    it.costs([1, 1, 1, 0], |layer| layer.send(a, b"x", NONE).unwrap());
    it.costs([0, 1, 1, 0], |layer| layer.recv(b, &mut [0], NONE).unwrap());
    let there = it.costs([0, 1, 0, 0], |layer| layer.socket(SockType::Dgram).unwrap());
    it.costs([1, 1, 0, 0], |layer| layer.bind(there, &name("there")).unwrap());
    let s = it.layer.socket(SockType::Dgram).unwrap();
    // Looked up and connected under one hold (768; `uipc_socket2.c` 1.125, 134), then `sorwakeup`.
    it.costs([2, 1, 1, 1], |layer| layer.sendto(s, b"x", &name("there"), NONE).unwrap());
    // Not there: looked up all the same.
    let to_nobody = |layer: &dyn Layer| layer.sendto(s, b"x", &name("nobody"), NONE);
    assert_eq!(it.costs([1, 1, 0, 0], to_nobody), Err(Errno::Enoent));
    it.costs([1, 0, 0, 0], |layer| layer.unlink(&name("there")).unwrap());
    // Detach, of an end that was not connected, `vput` of its name (592), and `sorflush`.
    it.costs([3 + it.flushes(), 2, 0, 1], |layer| layer.close(there).unwrap());
    it.costs([2 + it.flushes(), 2, 0, 1], |layer| layer.close(s).unwrap());
    for end in [a, b] {
        it.layer.close(end).unwrap();
    }
}

fn connections(it: &Counted<'_>) {
    let listener = it.layer.socket(SockType::Stream).unwrap();
    it.layer.bind(listener, &name("listener")).unwrap();
    it.costs([1, 1, 0, 0], |layer| layer.listen(listener, 5).unwrap());
    it.costs([0, 1, 0, 0], |layer| layer.set_nonblocking(listener, true).unwrap());
    // Found, and the new descriptor removed again (`uipc_syscalls.c` 1.196, 359).
    let nobody = |layer: &dyn Layer| layer.accept(listener).unwrap_err();
    assert_eq!(it.costs([0, 2, 0, 0], nobody), Errno::Ewouldblock);
    let client = it.layer.socket(SockType::Stream).unwrap();
    // One hold from the lookup to the connection (`uipc_usrreq.c` 1.167, 768 to 848); the client
    // and whoever accepts are woken (`uipc_socket2.c` 1.125, 134 and 129).
    it.costs([1, 1, 0, 2], |layer| layer.connect(client, &name("listener")).unwrap());
    // Found, and inserted (`uipc_syscalls.c` 1.196, 345).
    let (server, _) = it.costs([0, 2, 0, 0], |layer| layer.accept(listener).unwrap());
    it.close_pair((client, server));
    it.layer.close(listener).unwrap();
    it.layer.unlink(&name("listener")).unwrap();
}

fn rights(it: &Counted<'_>) {
    let (a, b) = it.pair(SockType::Stream);
    let fds = [a, b, a];
    let message = SendMsg { to: None, data: b"x", rights: &fds, flags: NONE };
    // Each is found (`uipc_usrreq.c` 1.167, 1211).
    it.costs([1, 1 + 3, 1, 0], |layer| layer.sendmsg(a, &message).unwrap());
    let (mut data, mut room) = ([0], [None; 3]);
    // They are looked at (1004), and each is put in its place (1073).
    it.costs([2, 1 + 3, 1, 0], |layer| {
        layer.recvmsg(b, &mut RecvMsg::with_rights(&mut data, &mut room, NONE)).unwrap()
    });
    for fd in room {
        // Its file lives on.
        it.costs([0, 2, 0, 0], |layer| layer.close(fd.unwrap()).unwrap());
    }
    it.close_pair((a, b));
}

fn the_rest(it: &Counted<'_>) {
    let (a, b) = it.pair(SockType::Stream);
    // Found, its new place looked at, and put there (`kern_descrip.c`, 666 and 679).
    let again = it.costs([0, 3, 0, 0], |layer| layer.dup(a).unwrap());
    it.layer.close(again).unwrap();
    let stale = |layer: &dyn Layer| layer.send(again, b"x", NONE);
    assert_eq!(it.costs([0, 1, 0, 0], stale), Err(Errno::Ebadf));
    it.costs([1, 1, 0, 0], |layer| layer.setsockopt(a, SockOpt::SndBuf, 4096).unwrap());
    it.costs([1, 1, 0, 0], |layer| layer.getsockopt(a, SockOpt::SndBuf).unwrap());
    it.costs([0, 1, 0, 0], |layer| layer.getsockname(a).unwrap());
    it.costs([0, 1, 0, 0], |layer| layer.getpeername(a).unwrap());
    it.close_pair((a, b));
}

#[test]
fn every_request_takes_them_as_the_kernel_does() {
    on_each(Ambient::all(), program);
}

#[test]
fn each_lock_can_be_asked_for_alone() {
    for (lock, ..) in Ambient::LOCKS {
        on_each(lock, program);
    }
}

#[test]
fn whoever_sleeps_goes_through_the_queue_and_so_does_whoever_wakes() {
    watch();
    for backend in backends().iter().filter(|backend| backend.modelled) {
        let config = Config { wait: WaitStrategy::Park, ..config(Ambient::all()) };
        let layer = under(&config, backend);
        // On `lock-free` nothing keeps the message away while the reader makes itself known: then
        // it does not sleep, or is not seen to.
        let tries = if backend.name == "lock-free" { 100 } else { 1 };
        // Going to sleep and coming back; waking.
        let mut slept = sleep_and_wake(&*layer);
        for _ in 1..tries {
            if slept == (2, 1) {
                break;
            }
            slept = sleep_and_wake(&*layer);
        }
        assert_eq!(slept, (2, 1), "on {}", backend.name);
        layer.check_end();
    }
}

/// The reader of a new pair sleeps, and the first message wakes it, with locks on every backend:
/// how often the two threads took the scheduler's lock.
fn sleep_and_wake(layer: &dyn Layer) -> (u64, u64) {
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    let taken = |before: &Counters| counters().since(before).of(Class::SchedLock).acquisitions;
    let slept = std::thread::scope(|threads| {
        let (tell, told) = channel();
        let reader = threads.spawn(move || {
            tell.send(thread_number()).unwrap();
            let before = counters();
            assert_eq!(layer.recv(b, &mut [0], NONE), Ok(1));
            taken(&before)
        });
        let number = told.recv().unwrap();
        while !awaits_wakeup(number) {
            yield_now();
        }
        let before = counters();
        layer.send(a, b"x", NONE).unwrap();
        let woke = taken(&before);
        (reader.join().unwrap(), woke)
    });
    layer.close(a).unwrap();
    layer.close(b).unwrap();
    slept
}

#[test]
fn a_connect_and_sends_to_its_listeners_do_not_wait_for_each_other() {
    // The connect has the kernel lock and wants sockets; a send and a close have sockets and want
    // it.
    on_each(Ambient::all(), |_, it| {
        let layer = it.layer;
        let listener = layer.socket(SockType::Stream).unwrap();
        layer.bind(listener, &name("busy")).unwrap();
        layer.listen(listener, 5).unwrap();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for _ in 0..300 {
                    let client = layer.socket(SockType::Stream).unwrap();
                    layer.connect(client, &name("busy")).unwrap();
                    layer.send(client, b"x", NONE).unwrap();
                    layer.shutdown(client, Shutdown::Write).unwrap();
                    // The server has closed: the queue is not filled faster than it is emptied.
                    assert_eq!(layer.recv(client, &mut [0], NONE), Ok(0));
                    layer.close(client).unwrap();
                }
            });
            for _ in 0..300 {
                let (server, _) = layer.accept(listener).unwrap();
                while layer.recv(server, &mut [0; 8], NONE) != Ok(0) {}
                layer.close(server).unwrap();
            }
        });
        layer.close(listener).unwrap();
        layer.unlink(&name("busy")).unwrap();
    });
}

#[test]
fn a_layer_without_them_refuses_them() {
    for backend in backends() {
        let refused = (backend.open)(&config(Ambient::F_MTX)).err();
        let expected = if backend.modelled { Errno::Einval } else { Errno::Eopnotsupp };
        assert_eq!(refused, Some(expected), "{}", backend.name);
    }
}
