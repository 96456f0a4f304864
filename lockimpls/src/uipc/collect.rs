//! The collector: `unp_gc` of `uipc_usrreq.c` 1.166.
//!
//! It closes what dropped messages held (see `rights.rs`), and finds sockets that only messages
//! refer to, in a cycle of sockets that sit in each other's buffers. A socket all of whose file's
//! references are in flight is a *candidate*; it is dead only if no buffer that can still be read
//! holds it. So: mark the candidates; subtract from each the references that lie in candidates'
//! buffers; whatever has references left is held by a buffer that can be read, is unmarked, and
//! what its own buffer holds is reachable too; repeat until nothing changes. What is still marked
//! then is dropped. (Taking the candidates for dead at once destroys sockets that are merely in
//! flight: OpenBSD e82b5ebc.)
//!
//! The buffers of connections that wait in a listener's queues count as the listener's own: nobody
//! can read them but by accepting there. The kernel of that revision does not look into them, so
//! that a listener passed into its own queue is never found; FreeBSD and Linux do look.
//!
//! The kernel runs the collector as a task; here the thread whose request made it necessary runs
//! it, when that request has returned and was checked.

use crate::fault::{Fault, Step};
use crate::objects::in_flight::Deferred;
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::Fill;
use crate::objects::socket::State;
use crate::policy::{Collector, Held, Policy, So};
use crate::primitives::{Cell, Ordering};
use crate::uipc::{Locked, is_awaited};

use Ordering::{Acquire, Relaxed, SeqCst};

impl<P: Policy> Locked<P> {
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
                self.policy.collector().gc_exit();
                return;
            }
            self.in_flight.unp_gcing.store(1, Relaxed);
            self.in_flight.wanted.store(0, SeqCst);
            self.policy.collector().gc_to_deferred();
            self.close_deferred();
            self.policy.collector().deferred_to_gc();
            self.collect_dead();
            self.in_flight.unp_gcing.store(0, Relaxed);
            self.policy.collector().gc_exit();
            if self.in_flight.wanted.load(SeqCst) == 0 {
                return;
            }
        }
    }

    /// Phase 0: closes what dropped messages held. Their list is locked before and after, and
    /// unlocked between.
    fn close_deferred(&self) {
        while let Some(control) = self.pop_deferred() {
            self.policy.collector().deferred_leave();
            for so in control.rights().iter() {
                self.end_flight(so);
                self.release_rights(1);
                self.closef(*so);
            }
            self.mbufs.put(control);
            self.policy.collector().deferred_return();
        }
    }

    fn pop_deferred(&self) -> Option<MbufRef<P::Locks>> {
        self.policy.collector().deferred().with(Deferred::pop)
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

    fn is_dead(&self, so: &So<P>) -> bool {
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
    fn is_used(&self, so: &So<P>) -> bool {
        if P::CALLS_BY_FILE {
            // `f_count` has told.
            return false;
        }
        let so = self.policy.scan_enter(so);
        let is_used = so.st().users.get() > 0 || is_awaited(&so);
        self.policy.scan_exit(so);
        is_used
    }

    /// Changes the count of every dead socket that this one's buffer holds, once for each time. A
    /// listener's embryos go where it goes, so that their buffers count as its own.
    fn scan(&self, so: &So<P>, change: impl Fn(u32) -> u32) {
        let with_embryos = !P::Fault::omits(Step::GcEmbryos);
        self.each_buffer(so, with_embryos, |so| {
            self.scan_buffer(so, &change);
            None
        });
    }

    /// The buffer of a socket, and those of its embryos, each locked in turn. What a visit takes
    /// out is disposed of.
    fn each_buffer(
        &self,
        so: &So<P>,
        with_embryos: bool,
        visit: impl Fn(&Held<P>) -> Option<MbufRef<P::Locks>>,
    ) {
        if P::GC_INNER {
            return self.each_buffer_alone(so, with_embryos, visit);
        }
        let so = self.policy.scan_enter(so);
        self.discard_all(visit(&so));
        if with_embryos {
            self.each_embryo(&so, |so3| self.discard_all(visit(so3)));
        }
        self.policy.scan_exit(so);
    }

    /// The same where the collector must lock no socket: a listener's queues are out of reach, and
    /// each socket is asked whether it is on one of them. The listener is dead, so that nobody
    /// accepts from it or closes it; a connect may add an embryo, which then has a client to read
    /// its buffer for.
    fn each_buffer_alone(
        &self,
        so: &So<P>,
        with_embryos: bool,
        visit: impl Fn(&Held<P>) -> Option<MbufRef<P::Locks>>,
    ) {
        let guard = self.policy.collector().gc_guard();
        let one = |so: &So<P>| {
            let so = self.policy.scan_enter(so);
            let control = visit(&so);
            self.policy.scan_exit(so);
            self.discard_all(control);
        };
        one(so);
        if !with_embryos || !so.seen_by_collector(guard).is(State::ACCEPTCONN) {
            return;
        }
        for so3 in self.sockets.all() {
            let head = so3.seen_by_collector(guard).so_head.get();
            if so3.gc(guard).linked.get() && head.is_some_and(|head| std::ptr::eq(&*head, so)) {
                one(&so3);
            }
        }
    }

    /// Every embryo of a locked listener, locked in turn.
    fn each_embryo(&self, head: &Held<P>, visit: impl Fn(&Held<P>)) {
        let queues = head.queues();
        for so3 in queues.so_q0.iter().chain(queues.so_q.iter()) {
            let so3 = self.policy.embryo_enter(head, &so3);
            visit(&so3);
            self.policy.embryo_leave(so3);
        }
    }

    /// One buffer, which is locked.
    fn scan_buffer(&self, so: &Held<P>, change: impl Fn(u32) -> u32) {
        let guard = self.policy.collector().gc_guard();
        let mut control = so.so_rcv().control.get();
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
    fn drop_rights(&self, so: &So<P>) {
        self.each_buffer(so, true, |so| {
            let so_rcv = so.so_rcv();
            so_rcv.fill.set(Fill::default());
            so_rcv.control.take()
        });
    }
}
