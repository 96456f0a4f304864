//! SCM_RIGHTS: descriptors on their way in messages, and the collector for those that nobody can
//! receive.
//!
//! After `unp_internalize`, `unp_externalize`, `unp_discard` and `unp_gc` of `uipc_usrreq.c` 1.166.
//!
//! A file in a message is kept by the message. Nothing is closed where a message is dropped: that
//! may be deep inside a request, with locks held, and closing a socket may drop more messages.
//! Dropped messages go to a list, and the collector closes what they held with no lock at all.
//!
//! The collector also finds sockets that only messages refer to, in a cycle of sockets that sit in
//! each other's buffers. A socket whose file has exactly as many references as are in flight is a
//! *candidate*; it is dead only if no buffer that can still be read holds it. So: mark the
//! candidates; subtract from each the references that lie in candidates' buffers; whoever has
//! references left is held by a buffer that can be read, is unmarked, and what its own buffer holds
//! is reachable too; repeat until nothing changes. What is still marked then is dropped. (Taking
//! the candidates for dead at once destroys sockets that are merely in flight: OpenBSD e82b5ebc.)
//!
//! The buffers of connections that wait in a listener's queues count as the listener's own: nobody
//! can read them but by accepting there. The kernel of that revision does not look into them, so
//! that a listener passed into its own queue is never found; FreeBSD and Linux do look.
//!
//! The kernel runs the collector as a task; here the thread whose request made it necessary runs
//! it, when that request has returned and was checked.

use crate::descriptors::Fd;
use crate::domain::PoolUse;
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::policy::{Collector, Policy};
use crate::pool::{Count, MbufRef, RIGHTS_MAX};
use crate::primitives::{AtomicU32, AtomicUsize, Cell, Mutex, Ordering};
use crate::sockbuf::Fill;
use crate::socket::{SockRef, Socket};
use crate::sync::RwLock;
use crate::uipc::{Locked, is_awaited};
use crate::witness::Class;

use Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

/// What is in flight in one layer.
pub(crate) struct InFlight {
    unp_rights_mtx: RwLock,
    /// `unp_rights`: descriptors in flight. Written under `unp_rights_mtx`; read by anyone as a
    /// hint.
    unp_rights: AtomicUsize,
    /// Dropped messages, under the lock of the deferred closes; the mutex is never contended and
    /// keeps this file free of unsafe code.
    deferred: Mutex<Option<MbufRef>>,
    /// 1 when there is something to collect.
    wanted: AtomicU32,
    /// 1 while a thread collects. Under the collector's lock.
    pub(crate) unp_gcing: AtomicU32,
    count: Count,
}

impl InFlight {
    pub(crate) fn new() -> Self {
        Self {
            unp_rights_mtx: RwLock::new(Class::UnpRightsMtx),
            unp_rights: AtomicUsize::new(0),
            deferred: Mutex::new(None),
            wanted: AtomicU32::new(0),
            unp_gcing: AtomicU32::new(0),
            count: Count::new(),
        }
    }

    fn deferred(&self) -> std::sync::MutexGuard<'_, Option<MbufRef>> {
        self.deferred.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn row(&self) -> PoolUse {
        self.count.row("in_flight")
    }
}

impl<P: Policy> Locked<P> {
    fn rights_exit(&self, step: Step) {
        if !P::Fault::omits(step) {
            self.in_flight.unp_rights_mtx.exit();
        }
    }

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
            self.rights_exit(Step::RightsRefuse);
            return Err(Errno::Emfile);
        }
        self.in_flight.unp_rights.store(now + n, Relaxed);
        self.rights_exit(Step::RightsReserve);
        (0..n).for_each(|_| self.in_flight.count.get());
        Ok(())
    }

    /// A broken twin: the count is raised first and tested after.
    #[cold]
    fn add_then_test(&self, n: usize) -> Result<(), Errno> {
        self.in_flight.unp_rights_mtx.enter();
        let now = self.in_flight.unp_rights.fetch_add(n, Relaxed);
        self.rights_exit(Step::RightsReserve);
        (0..n).for_each(|_| self.in_flight.count.get());
        P::Fault::window(Window::Reserve);
        if now + n > self.config.maxfiles / 10 {
            self.release_rights(n);
            return Err(Errno::Emfile);
        }
        Ok(())
    }

    fn release_rights(&self, n: usize) {
        self.in_flight.unp_rights_mtx.enter();
        let now = self.in_flight.unp_rights.load(Relaxed);
        self.in_flight.unp_rights.store(now - n, Relaxed);
        self.rights_exit(Step::RightsRelease);
        (0..n).for_each(|_| self.in_flight.count.put());
    }

    /// `unp_internalize`: turns descriptors into a control message that keeps their files. No
    /// socket is locked.
    ///
    /// # Errors
    /// In the order they are looked for: `EMFILE`: too many in flight. `E2BIG`: more than fit in a
    /// cluster. `EBADF`: one is not open.
    pub(crate) fn unp_internalize(&self, fds: &[Fd]) -> Result<MbufRef, Errno> {
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
        self.fds.exit(Step::FdInternalize);
        match result {
            Ok(()) => Ok(control),
            Err(errno) => {
                self.unwind(control, fds.len());
                Err(errno)
            }
        }
    }

    /// Adds one file to a control message. `fdplock` is held: the descriptor stays open meanwhile.
    fn hold_file(&self, fd: Fd, control: MbufRef) -> Result<(), Errno> {
        self.fd_fplock(1);
        if !self.fds.is_open(fd) {
            return Err(Errno::Ebadf);
        }
        let so = self.fds.find(fd)?;
        so.f_count.fetch_add(1, AcqRel);
        self.policy.collector().flight_enter();
        // Release; pairs with the Acquire in `mark_candidates`, which finds this file then.
        so.unp_msgcount.fetch_add(1, Release);
        self.policy.collector().flight_exit(Step::GcInternalize);
        control.rights().push(so);
        Ok(())
    }

    /// Takes back what a failed internalize has done, in reverse.
    fn unwind(&self, control: MbufRef, reserved: usize) {
        while let Some(so) = control.rights().pop() {
            self.end_flight(&so, Step::GcUnwind);
            self.closef(so);
            if P::Fault::omits(Step::UnwindOnce) {
                self.closef(so);
            }
        }
        self.release_rights(reserved);
        self.mbufs.put(control);
    }

    /// One reference to a file is in flight no more. The reference itself stays the caller's.
    fn end_flight(&self, so: &Socket, step: Step) {
        self.policy.collector().flight_enter(); // control: leaving flight
        so.unp_msgcount.fetch_sub(1, Release);
        self.policy.collector().flight_exit(step);
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
        control: MbufRef,
        out: &mut [Option<Fd>],
    ) -> Result<usize, Errno> {
        let n = control.rights().len();
        if n > out.len() {
            self.unp_discard(control);
            return Err(Errno::Emsgsize);
        }
        // The receiver must be able to see what it gets, which is looked up under the kernel lock.
        self.kernel_lock();
        self.kernel_unlock(Step::KernelExternalize);
        self.fds.enter();
        if self.fds.room() < n {
            self.fds.exit(Step::FdExternalizeFull);
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
    fn land(&self, received: &[SockRef]) {
        let is_early = P::Fault::omits(Step::LandUnderFdplock);
        if is_early {
            self.fds.exit(Step::FdExternalize);
        }
        for so in received {
            self.fds.assert_locked(); // control: the descriptors
            self.end_flight(so, Step::GcExternalize);
        }
        if !is_early {
            self.fds.exit(Step::FdExternalize);
        }
    }

    /// A broken twin: a control message is disposed of where it found no room, locks and all.
    #[cold]
    pub(crate) fn discard_now(&self, control: Option<MbufRef>) {
        for so in control.iter().flat_map(|control| control.rights().iter()) {
            self.end_flight(so, Step::GcDiscard);
        }
    }

    /// `unp_discard`: a control message that nobody will receive goes to the list; the collector
    /// closes what it held.
    pub(crate) fn unp_discard(&self, control: MbufRef) {
        let taken = self.policy.collector().deferred_enter();
        {
            let mut deferred = self.in_flight.deferred();
            control.next.set(*deferred);
            *deferred = Some(control);
        }
        self.policy.collector().deferred_exit(taken, Step::DeferredPush);
        self.in_flight.wanted.store(1, SeqCst);
    }

    /// A socket went while descriptors are in flight: some of them may now be out of reach.
    pub(crate) fn want_gc_if_in_flight(&self) {
        if self.in_flight.unp_rights.load(Relaxed) != 0 {
            self.in_flight.wanted.store(1, SeqCst);
        }
    }

    /// Whether there is something to collect.
    #[inline(always)]
    pub(crate) fn wants_gc(&self) -> bool {
        self.in_flight.wanted.load(Relaxed) != 0
    }

    /// `unp_gc`: closes what dropped messages held, then finds what only dead sockets can reach,
    /// until there is nothing more. One thread at a time; another one's wish is seen by the
    /// collecting thread: whoever finds `unp_gcing` set has stored `wanted` before it took the
    /// collector's lock, and the collecting thread looks at `wanted` after it has held that lock to
    /// clear `unp_gcing`.
    #[cold]
    pub(crate) fn unp_gc(&self) {
        loop {
            self.policy.collector().gc_enter();
            if self.in_flight.unp_gcing.load(Relaxed) != 0 {
                self.policy.collector().gc_exit(Step::GcBusy);
                return;
            }
            self.in_flight.unp_gcing.store(1, Relaxed);
            self.in_flight.wanted.store(0, SeqCst);
            self.policy.collector().gc_to_deferred(Step::GcToDeferred);
            self.close_deferred();
            self.policy.collector().deferred_to_gc(Step::DeferredToGc);
            self.collect_dead();
            self.in_flight.unp_gcing.store(0, Relaxed);
            self.policy.collector().gc_exit(Step::GcScan);
            if self.in_flight.wanted.load(SeqCst) == 0 {
                return;
            }
        }
    }

    /// Phase 0: closes what dropped messages held. Their list is locked before and after, and
    /// unlocked between.
    fn close_deferred(&self) {
        while let Some(control) = self.pop_deferred() {
            self.policy.collector().deferred_leave(Step::DeferredPop);
            for so in control.rights().iter() {
                self.end_flight(so, Step::GcDiscard);
                self.release_rights(1);
                self.closef(*so);
            }
            self.mbufs.put(control);
            self.policy.collector().deferred_return();
        }
    }

    fn pop_deferred(&self) -> Option<MbufRef> {
        let mut deferred = self.in_flight.deferred();
        let first = *deferred;
        *deferred = first.and_then(|m| m.next.take());
        first
    }

    /// Phases 1 to 4, under the collector's lock.
    fn collect_dead(&self) {
        // Without descriptors in flight there is no candidate.
        if self.in_flight.unp_rights.load(Relaxed) == 0 {
            return;
        }
        self.mark_candidates();
        for so in self.sockets.all().filter(|so| self.is_dead(so)) {
            self.scan(&so, |gcrefs| gcrefs - 1);
        }
        while self.revive_reachable() {}
        for so in self.sockets.all().filter(|so| self.is_dead(so)) {
            self.drop_rights(&so);
        }
    }

    fn is_dead(&self, so: &Socket) -> bool {
        so.gc(self.policy.collector().gc_guard()).dead.get()
    }

    /// Phase 1: whoever has no reference but those in flight.
    fn mark_candidates(&self) {
        for so in self.sockets.all() {
            let gc = so.gc(self.policy.collector().gc_guard());
            // Acquire; pairs with the Release in `hold_file`. Before `f_count`: whoever makes this
            // larger has made that larger before, and whoever makes that smaller has made this
            // smaller before. So what has a descriptor looks like a candidate only while a message
            // that held it is in no buffer, and the count that starts from here stays above 0.
            let msgcount = so.unp_msgcount.load(Acquire);
            let only_in_flight = msgcount > 0 && so.f_count.load(Acquire) == msgcount;
            gc.dead.set(gc.linked.get() && only_in_flight && !self.is_used(&so));
            if !P::Fault::omits(Step::GcrefsInit) {
                gc.gcrefs.set(msgcount);
            }
        }
    }

    /// Whether a call is under way on a socket: it can still receive what lies in the buffer. A
    /// kernel's call holds a reference on the file. Without a descriptor no new call can begin.
    fn is_used(&self, so: &Socket) -> bool {
        self.policy.scan_enter(so);
        let is_used = so.st().users.get() > 0 || is_awaited(so); // control: the candidate
        self.policy.scan_exit(so, Step::GcUsed);
        is_used
    }

    /// Changes the count of every dead socket that this one's buffer holds, once for each time. A
    /// listener's embryos go where it goes, so that their buffers count as its own.
    fn scan(&self, so: &Socket, change: impl Fn(u32) -> u32) {
        self.policy.scan_enter(so);
        self.scan_buffer(so, &change);
        if !P::Fault::omits(Step::GcEmbryos) {
            self.each_embryo(so, Step::GcScanEmbryo, |so3| self.scan_buffer(so3, &change));
        }
        self.policy.scan_exit(so, Step::GcScanSocket);
    }

    /// Every embryo of a locked listener, locked in turn.
    fn each_embryo(&self, head: &Socket, step: Step, visit: impl Fn(&Socket)) {
        let st = head.st();
        for so3 in st.so_q0.iter().chain(st.so_q.iter()) {
            self.policy.embryo_enter(head, &so3);
            visit(&so3);
            self.policy.embryo_leave(&so3, step);
        }
    }

    /// One buffer, of a locked socket.
    fn scan_buffer(&self, so: &Socket, change: impl Fn(u32) -> u32) {
        let guard = self.policy.collector().gc_guard();
        let mut control = so.st().control.get();
        while let Some(m) = control {
            for held in m.rights().iter() {
                let gc = held.gc(guard);
                if gc.dead.get() {
                    gc.gcrefs.set(change(gc.gcrefs.get()));
                }
            }
            control = m.next.get();
        }
    }

    /// Phase 3: whatever something other than the dead refers to lives, and so does what its buffer
    /// holds. Says whether that may have brought back a socket that was passed over already.
    fn revive_reachable(&self) -> bool {
        if P::Fault::omits(Step::GcReachable) {
            return false;
        }
        let guard = self.policy.collector().gc_guard();
        let unp_defer = Cell::new(false);
        for so in self.sockets.all() {
            if so.gc(guard).dead.get() && so.gc(guard).gcrefs.get() > 0 {
                so.gc(guard).dead.set(false);
                self.scan(&so, |gcrefs| {
                    unp_defer.set(true);
                    gcrefs + 1
                });
            }
        }
        unp_defer.get()
    }

    /// Phase 4: drops what a dead socket's buffer holds, and those of its embryos.
    fn drop_rights(&self, so: &Socket) {
        self.policy.scan_enter(so);
        self.drop_buffer(so);
        self.each_embryo(so, Step::GcDropEmbryo, |so3| self.drop_buffer(so3));
        self.policy.scan_exit(so, Step::GcDropRights);
    }

    /// One buffer, of a locked socket.
    fn drop_buffer(&self, so: &Socket) {
        let st = so.st();
        let mut control = st.control.take();
        st.so_rcv.fill.set(Fill::default());
        while let Some(m) = control {
            control = m.next.take();
            self.unp_discard(m);
        }
    }
}
