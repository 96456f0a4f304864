//! What a waiting call does when something happens that does not wake it, or does not end its wait:
//! each thread is known to sleep before.

use std::sync::mpsc::channel;
use std::thread::{Scope, ScopedJoinHandle, sleep, yield_now};
use std::time::Duration;

use crate::domain::{Config, Domain, MsgFlags, RecvMsg, SendMsg, SockOpt, SockType, WaitStrategy};
use crate::errno::Errno;
use crate::witness::{is_waiting, thread_number};
use crate::{Checked, Visitor, visit_all};

const NONE: MsgFlags = MsgFlags::empty();
const DONTWAIT: MsgFlags = MsgFlags::DONTWAIT;

/// A test, with every backend and every way to wait.
trait Case {
    fn run<D: Domain>(layer: &Checked<D>);
}

fn everywhere<C: Case>() {
    struct OnEach<C>(WaitStrategy, std::marker::PhantomData<C>);
    impl<C: Case> Visitor for OnEach<C> {
        fn visit<D: Domain>(&mut self) {
            for reopen_after_calls in [1, 128].into_iter().filter(|_| D::MODELLED) {
                let config = Config { wait: self.0, reopen_after_calls, ..Config::default() };
                let layer = Checked::<D>::new(&config).unwrap();
                C::run(&layer);
                layer.check_end();
            }
        }
    }
    for wait in WaitStrategy::ALL {
        visit_all(&mut OnEach::<C>(wait, std::marker::PhantomData));
    }
}

/// Begins a call in another thread, and returns when it sleeps.
fn asleep<'scope, T: Send + 'scope>(
    threads: &'scope Scope<'scope, '_>,
    call: impl FnOnce() -> T + Send + 'scope,
) -> ScopedJoinHandle<'scope, T> {
    let (tell, told) = channel();
    let sleeper = threads.spawn(move || {
        tell.send(thread_number()).unwrap();
        call()
    });
    let number = told.recv().unwrap();
    while !is_waiting(number) {
        assert!(!sleeper.is_finished(), "the call did not wait");
        yield_now();
    }
    sleeper
}

/// Lets a thread that was woken get as far as it can. What the test says holds however far.
fn settle() {
    sleep(Duration::from_millis(5));
}

#[test]
fn a_receive_that_waits_goes_on_when_its_file_becomes_nonblocking() {
    struct This;
    impl Case for This {
        fn run<D: Domain>(layer: &Checked<D>) {
            for kind in SockType::ALL {
                let (a, b) = layer.socketpair(kind).unwrap();
                std::thread::scope(|threads| {
                    let receive = || layer.recv(b, &mut [0; 9], NONE);
                    let readers = [asleep(threads, receive), asleep(threads, receive)];
                    layer.set_nonblocking(b, true).unwrap();
                    // Both are woken, and one finds nothing.
                    assert_eq!(layer.send(a, b"one", NONE), Ok(3));
                    while !readers.iter().any(ScopedJoinHandle::is_finished) {
                        yield_now();
                    }
                    assert_eq!(layer.send(a, b"two", NONE), Ok(3));
                    for reader in readers {
                        assert_eq!(reader.join().unwrap(), Ok(3));
                    }
                });
                layer.close(a).unwrap();
                layer.close(b).unwrap();
            }
        }
    }
    everywhere::<This>();
}

#[test]
fn a_send_that_waits_goes_on_when_its_file_becomes_nonblocking() {
    struct This;
    impl Case for This {
        fn run<D: Domain>(layer: &Checked<D>) {
            for kind in [SockType::Stream, SockType::Seqpacket] {
                let (a, b) = layer.socketpair(kind).unwrap();
                assert_eq!(layer.send(a, &[0; 100], DONTWAIT), Ok(100));
                assert_eq!(layer.send(a, &[0; 8092], DONTWAIT), Ok(8092));
                std::thread::scope(|threads| {
                    let sender = asleep(threads, || layer.send(a, &[0; 200], NONE));
                    layer.set_nonblocking(a, true).unwrap();
                    // It is woken, and there is too little room.
                    assert_eq!(layer.recv(b, &mut [0; 100], NONE), Ok(100));
                    settle();
                    assert_eq!(layer.recv(b, &mut [0; 8092], NONE), Ok(8092));
                    assert_eq!(sender.join().unwrap(), Ok(200));
                });
                layer.close(a).unwrap();
                layer.close(b).unwrap();
            }
        }
    }
    everywhere::<This>();
}

/// `sosetopt` wakes nobody, and a look does not account (`uipc_socket.c` 1.279, lines 1790 to 1964,
/// and 1156): what a call waits for is there, and it sleeps until something happens in the buffer.
#[test]
fn neither_an_option_nor_a_look_wakes_anybody() {
    struct This;
    impl Case for This {
        fn run<D: Domain>(layer: &Checked<D>) {
            let (a, b) = layer.socketpair(SockType::Stream).unwrap();
            layer.setsockopt(b, SockOpt::RcvLowat, 6).unwrap();
            assert_eq!(layer.send(a, b"abc", NONE), Ok(3));
            std::thread::scope(|threads| {
                let reader = asleep(threads, || layer.recv(b, &mut [0; 9], NONE));
                layer.setsockopt(b, SockOpt::RcvLowat, 1).unwrap();
                settle();
                assert!(!reader.is_finished());
                assert_eq!(layer.send(a, b"d", NONE), Ok(1));
                assert_eq!(reader.join().unwrap(), Ok(4));
            });
            assert_eq!(layer.send(a, &[0; 8192], DONTWAIT), Ok(8192));
            std::thread::scope(|threads| {
                let writer = asleep(threads, || layer.send(a, &[1; 100], NONE));
                layer.setsockopt(a, SockOpt::SndBuf, 20_000).unwrap();
                assert_eq!(layer.recv(b, &mut [0; 9], MsgFlags::PEEK), Ok(9));
                settle();
                assert!(!writer.is_finished());
                assert_eq!(layer.recv(b, &mut [0; 1], NONE), Ok(1));
                assert_eq!(writer.join().unwrap(), Ok(100));
            });
            layer.close(a).unwrap();
            layer.close(b).unwrap();
        }
    }
    everywhere::<This>();
}

/// Where there is a second record there is nothing to wait for in the first (`uipc_socket.c` 1.279,
/// line 866): a receive below its low-water mark takes the empty mbuf that was left, and waits
/// behind it.
#[test]
fn a_receive_that_waits_has_taken_the_empty_mbuf_before() {
    struct This;
    impl Case for This {
        fn run<D: Domain>(layer: &Checked<D>) {
            let (a, b) = layer.socketpair(SockType::Stream).unwrap();
            let pass = |data: &[u8]| {
                layer.sendmsg(a, &SendMsg { to: None, data, rights: &[a], flags: NONE })
            };
            layer.setsockopt(b, SockOpt::RcvLowat, 100).unwrap();
            assert_eq!(pass(b""), Ok(0));
            let (mut data, mut fds) = ([], [None]);
            let mut msg = RecvMsg::with_rights(&mut data, &mut fds, NONE);
            assert_eq!(layer.recvmsg(b, &mut msg), Ok(0));
            layer.close(fds[0].unwrap()).unwrap();
            assert_eq!(pass(b"x"), Ok(1));
            std::thread::scope(|threads| {
                let reader = asleep(threads, || layer.recv(b, &mut [0; 200], NONE));
                let peek = DONTWAIT | MsgFlags::PEEK;
                let seen = layer.recv(b, &mut [0; 9], peek);
                assert_eq!(layer.send(a, &[0; 99], NONE), Ok(99));
                assert_eq!((seen, reader.join().unwrap()), (Ok(1), Ok(100)));
            });
            layer.close(a).unwrap();
            layer.close(b).unwrap();
        }
    }
    everywhere::<This>();
}

/// `uipc_usrreq.c` 1.167, line 375: a reader is woken when there are bytes.
#[test]
fn a_record_of_no_bytes_wakes_no_reader() {
    struct This;
    impl Case for This {
        fn run<D: Domain>(layer: &Checked<D>) {
            let (a, b) = layer.socketpair(SockType::Seqpacket).unwrap();
            std::thread::scope(|threads| {
                let mut data = [0; 9];
                // A look would see it.
                let reader = asleep(threads, move || {
                    let bytes = layer.recv(b, &mut data, MsgFlags::PEEK);
                    (bytes, data[0])
                });
                assert_eq!(layer.send(a, b"", NONE), Ok(0));
                settle();
                assert_eq!(layer.recv(b, &mut [0; 9], DONTWAIT), Err(Errno::Ewouldblock));
                assert_eq!(layer.send(a, b"x", NONE), Ok(1));
                assert_eq!(reader.join().unwrap(), (Ok(1), b'x'));
            });
            assert_eq!(layer.recv(b, &mut [0; 9], NONE), Ok(1));
            std::thread::scope(|threads| {
                // A receive passes over it when it is woken for another.
                let reader = asleep(threads, || layer.recv(b, &mut [0; 9], NONE));
                assert_eq!(layer.send(a, b"", NONE), Ok(0));
                settle();
                assert_eq!(layer.send(a, b"xy", NONE), Ok(2));
                assert_eq!(reader.join().unwrap(), Ok(2));
            });
            std::thread::scope(|threads| {
                // One that asks for descriptors alone is answered by any record.
                let reader = asleep(threads, || {
                    let (mut data, mut fds) = ([], [None]);
                    let mut msg = RecvMsg::with_rights(&mut data, &mut fds, NONE);
                    layer.recvmsg(b, &mut msg).map(|bytes| (bytes, msg.flags))
                });
                assert_eq!(layer.send(a, b"", NONE), Ok(0));
                settle();
                assert!(!reader.is_finished(), "it was woken");
                assert_eq!(layer.send(a, b"x", NONE), Ok(1));
                assert_eq!(reader.join().unwrap(), Ok((0, MsgFlags::TRUNC)));
                assert_eq!(layer.recv(b, &mut [0; 9], NONE), Ok(1));
            });
            layer.close(a).unwrap();
            layer.close(b).unwrap();
        }
    }
    everywhere::<This>();
}
