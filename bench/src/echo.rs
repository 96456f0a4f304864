//! What the loop around an operation costs, and what the boundary of a call does: the workload
//! `pairs` on a layer that does next to nothing, the same calls without the workload, and what they
//! call without the boundary.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use lockimpls::{
    Algorithm, Backend, Config, Domain, Errno, Fd, Layer, MsgFlags, PoolUse, RecvMsg, SendMsg,
    SockType,
};
use workloads::{Event, Kind, Meter, Own, Pairs, Plan, Workload};

/// Either end.
const END: Fd = Fd { number: 0, generation: 0 };

/// How long a message is.
const BYTES: usize = 64;
/// It is stored and loaded in words, as the workload writes and reads its ends. Wider loads would
/// wait for narrower stores that have not reached the cache: a cost of the copy, not of the loop.
const WORD: usize = 8;

/// A layer that keeps one message until it is received.
///
/// It has no lock: two locks and unlocks take half the time of all that `lock-free` does, and
/// nothing of the loop goes on beside them. One thread uses it, so relaxed words are plain ones.
#[derive(Default)]
struct Echo {
    /// How many bytes of the message are still to be received: all, or none.
    length: AtomicU64,
    message: [AtomicU64; BYTES / WORD],
}

impl Domain for Echo {
    type Sock = Fd;
    const NAME: &'static str = "echo";
    const ABOUT: &'static str = "keeps the last message";

    fn new(config: &Config) -> Result<Self, Errno> {
        if !config.ambient.is_empty() || config.lock != Algorithm::default() {
            return Err(Errno::Eopnotsupp);
        }
        Ok(Self::default())
    }
    fn socketpair(&self, _: SockType) -> Result<(Fd, Fd), Errno> {
        Ok((END, END))
    }
    #[inline]
    fn send(&self, _: Fd, data: &[u8], _: MsgFlags) -> Result<usize, Errno> {
        for (word, bytes) in self.message.iter().zip(data.as_chunks::<WORD>().0) {
            word.store(u64::from_ne_bytes(*bytes), Relaxed);
        }
        self.length.store(data.len() as u64, Relaxed);
        Ok(data.len())
    }
    #[inline]
    fn recv(&self, _: Fd, data: &mut [u8], _: MsgFlags) -> Result<usize, Errno> {
        if self.length.load(Relaxed) != data.len() as u64 {
            return Err(Errno::Ewouldblock);
        }
        for (word, bytes) in self.message.iter().zip(data.as_chunks_mut::<WORD>().0) {
            *bytes = word.load(Relaxed).to_ne_bytes();
        }
        self.length.store(0, Relaxed);
        Ok(data.len())
    }
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        self.send(s, msg.data, msg.flags)
    }
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.recv(s, msg.data, msg.flags)
    }
    fn close(&self, _: Fd) -> Result<(), Errno> {
        Ok(())
    }
    fn pools(&self) -> Vec<PoolUse> {
        Vec::new()
    }
}

/// A meter that runs so many operations: what a throughput round's meter does, without its clock.
struct Count {
    left: u64,
}

impl Meter for Count {
    #[inline]
    fn running(&mut self) -> bool {
        if black_box(self.left) == 0 {
            return false;
        }
        self.left -= 1;
        true
    }
    #[inline]
    fn lap(&mut self, _: Event) {}
    #[inline]
    fn skip(&mut self) {}
    fn now_ns(&self) -> u64 {
        0
    }
    #[inline]
    fn record(&mut self, _: Event, _: u64) {}
}

fn plan() -> Plan {
    Plan {
        threads: 1,
        socket_type: SockType::Stream,
        message_bytes: BYTES,
        verify: false,
        own: Own::default(),
        seed: 0,
    }
}

fn layer() -> Box<dyn Layer> {
    (Backend::of::<Echo>().open)(&Config::default()).expect("a layer")
}

/// The workload's lane: does so many operations.
///
/// # Panics
/// Never: the layer and its sockets are made of nothing.
pub fn lane() -> impl FnMut(u64) + Send {
    let layer = layer();
    move |operations| {
        let workload = <Pairs as Kind>::On::new(&*layer, &plan()).expect("its sockets");
        let sums = workload.lane(&*layer, 0, &mut Count { left: operations });
        workload.finish(&*layer, &[sums]);
    }
}

/// What those calls do behind the boundary, without it.
///
/// # Panics
/// Never: every message is received.
pub fn copies() -> impl FnMut(u64) + Send {
    let layer = Echo::new(&Config::default()).expect("a layer");
    let (mut out, mut data) = ([0_u8; BYTES], [0; BYTES]);
    move |operations| {
        for _ in 0..operations {
            // Lengths that are not known when this is compiled, as behind the boundary.
            assert_eq!(layer.send(END, black_box(&out[..]), MsgFlags::empty()), Ok(BYTES));
            assert_eq!(layer.recv(END, black_box(&mut data[..]), MsgFlags::empty()), Ok(BYTES));
        }
        out[0] = data[0];
    }
}

/// The same calls alone.
///
/// # Panics
/// Never: every message finds room.
pub fn calls() -> impl FnMut(u64) + Send {
    let layer = layer();
    let (mut out, mut data) = ([0_u8; BYTES], [0; BYTES]);
    move |operations| {
        for _ in 0..operations {
            assert_eq!(layer.send(END, black_box(&out), MsgFlags::empty()), Ok(BYTES));
            assert_eq!(layer.recv(END, black_box(&mut data), MsgFlags::empty()), Ok(BYTES));
        }
        out[0] = data[0];
    }
}
