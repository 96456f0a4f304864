//! SCM_RIGHTS: descriptors on their way in messages.
//!
//! After `unp_internalize`, `unp_externalize` and `unp_discard` of `uipc_usrreq.c` 1.166.
//!
//! A file in a message is kept by the message. Nothing is closed where a message is dropped: that
//! may be deep inside a request, with locks held, and closing a socket may drop more messages.
//! Dropped messages go to a list, and the collector (`collect.rs`) closes what they held with no
//! lock at all.

use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::objects::descriptors::Fd;
use crate::objects::mbuf::{MbufRef, RIGHTS_MAX};
use crate::policy::{Collector, Policy, So, SoRef};
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::{AcqRel, Relaxed, Release, SeqCst};

impl<P: Policy> Locked<P> {
    /// Reserves room for descriptors in flight, before any work: EMFILE beyond a tenth of
    /// `maxfiles`. The count is tested and raised under a lock; raising first and testing after
    /// would refuse others' innocent requests meanwhile.
    fn reserve_rights(&self, n: usize) -> Result<(), Errno> {
        if P::Fault::omits(Step::TestThenAdd) {
            return self.add_then_test(n);
        }
        P::Fault::window(Window::Reserve);
        self.in_flight.unp_rights_mtx.enter();
        let now = self.in_flight.unp_rights.load(Relaxed);
        if now + n > self.config.maxfiles / 10 {
            self.in_flight.unp_rights_mtx.exit();
            return Err(Errno::Emfile);
        }
        self.in_flight.unp_rights.store(now + n, Relaxed);
        self.in_flight.unp_rights_mtx.exit();
        (0..n).for_each(|_| self.in_flight.count.get());
        Ok(())
    }

    pub(crate) fn release_rights(&self, n: usize) {
        self.in_flight.unp_rights_mtx.enter();
        let now = self.in_flight.unp_rights.load(Relaxed);
        self.in_flight.unp_rights.store(now - n, Relaxed);
        self.in_flight.unp_rights_mtx.exit();
        (0..n).for_each(|_| self.in_flight.count.put());
    }

    /// `unp_internalize`: turns descriptors into a control message that keeps their files. No
    /// socket is locked.
    ///
    /// # Errors
    /// In the order they are looked for: `EMFILE`: too many in flight. `E2BIG`: more than fit in a
    /// cluster. `EBADF`: one is not open.
    pub(crate) fn unp_internalize(&self, fds: &[Fd]) -> Result<MbufRef<P::Locks>, Errno> {
        self.reserve_rights(fds.len())?;
        if fds.len() > RIGHTS_MAX {
            self.release_rights(fds.len());
            return Err(Errno::E2big);
        }
        let control = self.mbufs.get();
        self.fds.enter();
        // From the last to the first, as the kernel does; the message has them in the caller's
        // order.
        let result = fds.iter().rev().try_for_each(|fd| self.hold_file(*fd, control));
        control.rights().reverse();
        self.fds.exit();
        match result {
            Ok(()) => Ok(control),
            Err(errno) => {
                self.unwind(control, fds.len());
                Err(errno)
            }
        }
    }

    /// Adds one file to a control message. `fdplock` is held: the descriptor stays open meanwhile.
    fn hold_file(&self, fd: Fd, control: MbufRef<P::Locks>) -> Result<(), Errno> {
        self.fd_fplock(1);
        if !self.fds.is_open(fd) {
            return Err(Errno::Ebadf);
        }
        let so = self.fds.find(fd)?;
        so.f_count.fetch_add(1, AcqRel);
        self.policy.collector().flight_enter();
        // Release; pairs with the Acquire in `mark_candidates`, which finds this file then.
        so.unp_msgcount.fetch_add(1, Release);
        self.policy.collector().flight_exit();
        control.rights().push(so);
        Ok(())
    }

    /// Takes back what a failed internalize has done, in reverse.
    fn unwind(&self, control: MbufRef<P::Locks>, reserved: usize) {
        while let Some(so) = control.rights().pop() {
            self.end_flight(&so);
            self.closef(so);
            if P::Fault::omits(Step::UnwindOnce) {
                self.closef(so);
            }
        }
        self.release_rights(reserved);
        self.mbufs.put(control);
    }

    /// One reference to a file is in flight no more. The reference itself stays the caller's.
    pub(crate) fn end_flight(&self, so: &So<P>) {
        self.policy.collector().flight_enter();
        so.unp_msgcount.fetch_sub(1, Release);
        self.policy.collector().flight_exit();
    }

    /// `unp_externalize`: turns a control message into descriptors of the caller's. No socket is
    /// locked.
    ///
    /// The references leave flight while `fdplock` is still held: after it another thread may close
    /// a new descriptor, and with its reference still counted as in flight the collector would take
    /// a live socket for dead.
    ///
    /// # Errors
    /// `EMSGSIZE`: no room for all of them, or the table is full; all are discarded.
    pub(crate) fn unp_externalize(
        &self,
        control: MbufRef<P::Locks>,
        out: &mut [Option<Fd>],
    ) -> Result<usize, Errno> {
        let n = control.rights().len();
        if n > out.len() {
            self.unp_discard(control);
            return Err(Errno::Emsgsize);
        }
        // The receiver must be able to see what it gets, which is looked up under the kernel lock.
        self.kernel_lock();
        self.kernel_unlock();
        self.fds.enter();
        if self.fds.room() < n {
            self.fds.exit();
            self.unp_discard(control);
            return Err(Errno::Emsgsize);
        }
        for (slot, so) in out.iter_mut().zip(control.rights().iter()) {
            let fd = self.fds.allocate_locked().expect("there is room, under fdplock");
            self.fds.install(fd, *so);
            self.fd_fplock(1);
            *slot = Some(fd);
        }
        self.land(control.rights());
        self.release_rights(n);
        self.mbufs.put(control);
        Ok(n)
    }

    /// Received references leave flight; `fdplock` is held until then.
    fn land(&self, received: &[SoRef<P>]) {
        if P::Fault::omits(Step::LandUnderFdplock) {
            self.fds.exit();
        }
        for so in received {
            self.fds.assert_locked();
            self.end_flight(so);
        }
        self.fds.exit();
    }

    /// `unp_discard`: a control message that nobody will receive goes to the list; the collector
    /// closes what it held.
    pub(crate) fn unp_discard(&self, control: MbufRef<P::Locks>) {
        let taken = self.policy.collector().deferred_enter();
        self.policy.collector().deferred().with(|deferred| deferred.push(control));
        self.policy.collector().deferred_exit(taken);
        self.in_flight.wanted.store(1, SeqCst);
    }

    /// A socket went while descriptors are in flight: some of them may now be out of reach.
    pub(crate) fn want_gc_if_in_flight(&self) {
        if self.in_flight.unp_rights.load(Relaxed) != 0 {
            self.in_flight.wanted.store(1, SeqCst);
        }
    }
}
