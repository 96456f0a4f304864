//! The layer: its descriptors, and the calls that may wait in the machine.

use std::ffi::c_int;

use crossbeam_utils::CachePadded;
use libc::socklen_t;

use super::answer::{check, check_int, is_nonblocking};
use super::names::{Address, Names};
use crate::domain::{Fd, MsgFlags, SockAddr, WaitStrategy};
use crate::errno::Errno;
use crate::primitives::own::AtomicU64;
use crate::primitives::{AtomicU32, Ordering, spin_loop, yield_now};
use crate::witness::{self, WaitsFor};

use Ordering::Relaxed;

/// One above the largest descriptor number the layer accepts from the machine.
pub(super) const FD_MAX: usize = 1 << 16;
/// How often `adaptive` repeats a nonblocking call: about as long as a wake-up takes.
const ADAPTIVE_TURNS: u32 = 32;
/// How many turns `spin` makes between giving up the processor.
const SPIN_TURNS: u32 = 64;

/// The machine's sockets behind [`Domain`].
pub(crate) struct Host {
    /// By descriptor number: how often it was opened and closed here; odd while it is open.
    pub(super) generations: Box<[AtomicU32]>,
    pub(super) wait: WaitStrategy,
    pub(super) names: Names,
    pub(super) counts: CachePadded<Counts>,
}

#[derive(Default)]
pub(super) struct Counts {
    pub(super) requests: AtomicU64,
    pub(super) releases: AtomicU64,
}

impl Host {
    /// The number of an open descriptor: the check that every call begins with.
    #[inline]
    pub(super) fn fd(&self, s: Fd) -> Result<c_int, Errno> {
        // Relaxed: a thread that was given the descriptor was given its generation with it.
        match self.generations.get(s.number as usize) {
            Some(now) if now.load(Relaxed) == s.generation => Ok(s.number as c_int),
            _ => Err(Errno::Ebadf),
        }
    }

    /// Takes a descriptor that the machine has just opened.
    pub(super) fn register(&self, fd: c_int) -> Result<Fd, Errno> {
        let Some(generation) = self.generations.get(fd as usize) else {
            // SAFETY: the descriptor was opened by this layer just now and nobody else has it.
            unsafe { libc::close(fd) };
            return Err(Errno::Emfile);
        };
        self.counts.requests.fetch_add(1, Relaxed);
        let generation = generation.fetch_add(1, Relaxed).wrapping_add(1);
        Ok(Fd { number: fd as u32, generation })
    }

    /// What a report calls the thing that is waited for: never 0, one per descriptor.
    pub(super) fn channel(&self, fd: c_int) -> usize {
        (&raw const self.generations[fd as usize]) as usize
    }

    /// A call that may wait in the machine, begun again after a signal.
    pub(super) fn blocking(
        &self,
        fd: c_int,
        mut call: impl FnMut() -> isize,
    ) -> Result<usize, Errno> {
        witness::sleep(self.channel(fd), WaitsFor::Wakeup, 0);
        let result = loop {
            match check(call()) {
                Err(Errno::Eintr) => {}
                result => break result,
            }
        };
        witness::awake();
        result
    }

    /// A send or receive, given the flags to add, waiting as the strategy says.
    #[inline]
    pub(super) fn waiting(
        &self,
        fd: c_int,
        flags: MsgFlags,
        mut call: impl FnMut(c_int) -> isize,
    ) -> Result<usize, Errno> {
        let may_wait = !flags.contains(MsgFlags::DONTWAIT);
        if may_wait && self.wait == WaitStrategy::Park {
            return self.blocking(fd, || call(0));
        }
        match check(call(libc::MSG_DONTWAIT)) {
            Err(Errno::Ewouldblock) if may_wait => self.waiting_slow(fd, call),
            result => result,
        }
    }

    #[cold]
    pub(super) fn waiting_slow(
        &self,
        fd: c_int,
        mut call: impl FnMut(c_int) -> isize,
    ) -> Result<usize, Errno> {
        if is_nonblocking(fd)? {
            return Err(Errno::Ewouldblock);
        }
        witness::sleep(self.channel(fd), WaitsFor::Wakeup, 0);
        let mut turns = 0u32;
        let result = loop {
            match check(call(libc::MSG_DONTWAIT)) {
                Err(Errno::Ewouldblock | Errno::Eintr) => turns += 1,
                result => break result,
            }
            if self.wait == WaitStrategy::Adaptive && turns >= ADAPTIVE_TURNS {
                break self.blocking(fd, || call(0));
            }
            if turns.is_multiple_of(SPIN_TURNS) { yield_now() } else { spin_loop() }
        };
        witness::awake();
        result
    }

    /// getsockname(2) and getpeername(2), which differ in nothing else.
    pub(super) fn ask_name(
        &self,
        s: Fd,
        call: unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut socklen_t) -> c_int,
    ) -> Result<SockAddr, Errno> {
        let fd = self.fd(s)?;
        let mut address = Address::room();
        let len = &raw mut address.len;
        // SAFETY: the call writes at most `len` bytes of address, which is the size of the room.
        check_int(unsafe { call(fd, address.as_mut_ptr(), len) })?;
        Ok(self.names.name(&address))
    }
}
