//! After warm-up no request takes memory from the system, `accept` and `close` included.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use lockimpls::{
    Checked, Config, Domain, MsgFlags, RecvMsg, SendMsg, SockAddr, SockType, Visitor, visit_all,
};

thread_local! {
    /// How often this thread has allocated.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counting;

fn count() {
    // A thread that is ending may have no counter any more.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as the caller promises.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a case repeats.
trait Cycle {
    fn run<D: Domain>(&self, layer: &Checked<D>);
}

/// Repeats a cycle on every modelled backend: after the first rounds it must allocate nothing.
fn allocates_nothing(cycle: &impl Cycle) {
    struct OnEach<'a, C>(&'a C);
    impl<C: Cycle> Visitor for OnEach<'_, C> {
        fn visit<D: Domain>(&mut self) {
            if !D::MODELLED {
                return;
            }
            let layer = Checked::<D>::new(&Config::default()).unwrap();
            (0..20).for_each(|_| self.0.run(&layer));
            let before = ALLOCATIONS.get();
            (0..200).for_each(|_| self.0.run(&layer));
            assert_eq!(ALLOCATIONS.get() - before, 0, "{} allocates", D::NAME);
            layer.check_end();
        }
    }
    visit_all(&mut OnEach(cycle));
}

/// Declares a test of one cycle.
macro_rules! cycle {
    ($test:ident, $layer:ident, $body:block) => {
        #[test]
        fn $test() {
            struct This;
            impl Cycle for This {
                fn run<D: Domain>(&self, $layer: &Checked<D>) $body
            }
            allocates_nothing(&This);
        }
    };
}

const NONE: MsgFlags = MsgFlags::empty();

fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

cycle!(pairs_that_send_receive_and_close, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.socketpair(kind).unwrap();
        for size in [0, 1, 64, 1000, 2048] {
            let (data, mut room) = ([7; 2048], [0; 2048]);
            layer.send(a, &data[..size], NONE).unwrap();
            layer.recv(b, &mut room, MsgFlags::DONTWAIT).ok();
            layer.send(b, &data[..size], NONE).unwrap();
            layer.recv(a, &mut room, MsgFlags::DONTWAIT).ok();
        }
        // A full buffer and refusals.
        while layer.send(a, &[1; 2000], MsgFlags::DONTWAIT).is_ok() {}
        while layer.send(b, &[1; 2000], MsgFlags::DONTWAIT).is_ok() {}
        while layer.recv(b, &mut [0; 1000], MsgFlags::DONTWAIT).is_ok() {}
        layer.close(a).unwrap();
        layer.close(b).unwrap();
    }
});

cycle!(connections, layer, {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let listener = layer.socket(kind).unwrap();
        layer.bind(listener, &name("here")).unwrap();
        layer.listen(listener, 5).unwrap();
        for _ in 0..3 {
            let client = layer.socket(kind).unwrap();
            layer.connect(client, &name("here")).unwrap();
            let (server, _) = layer.accept(listener).unwrap();
            layer.send(client, b"x", NONE).unwrap();
            layer.recv(server, &mut [0], NONE).unwrap();
            layer.close(client).unwrap();
            layer.close(server).unwrap();
        }
        let client = layer.socket(kind).unwrap();
        layer.connect(client, &name("here")).unwrap();
        layer.close(listener).unwrap();
        layer.close(client).unwrap();
        layer.unlink(&name("here")).unwrap();
    }
});

cycle!(datagram_sockets_that_come_and_go, layer, {
    let sender = layer.socket(SockType::Dgram).unwrap();
    for path in ["one", "two"] {
        let there = layer.socket(SockType::Dgram).unwrap();
        layer.bind(there, &name(path)).unwrap();
        layer.sendto(sender, b"addressed", &name(path), NONE).unwrap();
        layer.connect(sender, &name(path)).unwrap();
        layer.send(sender, b"connected", NONE).unwrap();
        layer.recv(there, &mut [0; 9], NONE).unwrap();
        layer.close(there).unwrap();
        layer.unlink(&name(path)).unwrap();
        layer.send(sender, b"x", NONE).unwrap_err();
    }
    layer.close(sender).unwrap();
});

cycle!(descriptors_that_are_passed_and_dropped, layer, {
    for kind in SockType::ALL {
        let (a, b) = layer.socketpair(kind).unwrap();
        let (mut data, mut fds) = ([0], [None, None]);
        let send = SendMsg { to: None, data: b"x", rights: &[a, b], flags: NONE };
        layer.sendmsg(a, &send).unwrap();
        layer.recvmsg(b, &mut RecvMsg::with_rights(&mut data, &mut fds, NONE)).unwrap();
        for fd in fds.into_iter().flatten() {
            layer.close(fd).unwrap();
        }
        // Dropped on the way, and left for the collector.
        layer.sendmsg(a, &send).unwrap();
        layer.recv(b, &mut data, NONE).unwrap();
        layer.sendmsg(a, &send).unwrap();
        layer.close(a).unwrap();
        layer.close(b).unwrap();
        layer.collect();
    }
});

/// The checker has a table for each thread: a thread's first calls allocate no more than its later
/// ones. They send nothing, for a message may be the layer's first at that thread.
#[test]
fn the_first_calls_of_a_thread() {
    struct OnEach;
    impl Visitor for OnEach {
        fn visit<D: Domain>(&mut self) {
            if !D::MODELLED {
                return;
            }
            let layer = Checked::<D>::new(&Config::default()).unwrap();
            let calls = || {
                let before = ALLOCATIONS.get();
                let (a, b) = layer.socketpair(SockType::Stream).unwrap();
                layer.getpeername(b).unwrap();
                layer.recv(a, &mut [0], MsgFlags::DONTWAIT).unwrap_err();
                layer.close(a).unwrap();
                layer.close(b).unwrap();
                ALLOCATIONS.get() - before
            };
            (0..20).for_each(|_| _ = calls());
            let first = std::thread::scope(|scope| scope.spawn(calls).join().unwrap());
            assert_eq!(first, 0, "a thread's first calls on {} allocate", D::NAME);
            layer.check_end();
        }
    }
    visit_all(&mut OnEach);
}
