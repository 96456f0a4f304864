//! What a broken twin does instead of a request's own way, where leaving out a line does not make
//! the bug. A request comes here only where its [`Fault`] omits the step; so the real backends have
//! none of it.

use super::{Fault, Window};
use crate::errno::Errno;
use crate::objects::mbuf::MbufRef;
use crate::objects::socket::{Side, State};
use crate::policy::{Policy, So, SoRef};
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::Relaxed;

impl<P: Policy> Locked<P> {
    /// `Step::MirrorLocked`: the peer is woken and unlocked, then its buffer is read.
    #[cold]
    pub(crate) fn mirror_later(&self, so: &So<P>, so2: &So<P>) -> Result<(), Errno> {
        self.wake_reader(so2);
        self.policy.peer_unpin(so, so2);
        let fill = so2.rcv_fill(so2.so_rcv());
        so.so_snd().fill.set(fill);
        Ok(())
    }

    /// `Step::HoldForAppend`: the peer's lock is dropped between reading the tail and writing
    /// it. The peer that there is afterwards.
    #[cold]
    pub(crate) fn let_another_in(&self, so: &So<P>, so2: SoRef<P>) -> SoRef<P> {
        self.policy.sounlock_peer(so, &so2);
        P::Fault::window(Window::Append);
        self.policy.solock_peer(so).unwrap_or(so2)
    }

    /// `Step::EndWhileParting`: the peer is not connected any more, and its directions have
    /// not ended yet.
    #[cold]
    pub(crate) fn end_later(&self, so: &So<P>, so2: &So<P>) {
        so2.st().clear(State::ISCONNECTED);
        self.policy.sounlock_peer(so, so2);
        P::Fault::window(Window::Parted);
        self.policy.solock(so2);
    }

    /// `Step::SideOrder`: the sender's own side is locked before the receiving one.
    #[cold]
    pub(crate) fn sides_reversed(&self, so: &So<P>, so2: &So<P>) {
        self.policy.side_enter(so, Side::Snd);
        self.policy.side_enter(so2, Side::Rcv);
    }

    /// `Step::PeerToPart`: the peer to part from, which is not locked.
    #[cold]
    pub(crate) fn peer_to_part(&self, so: &So<P>) -> Option<SoRef<P>> {
        self.policy.peer_pin(so)
    }

    /// `Step::TestThenAdd`: the count is raised first and tested after.
    #[cold]
    pub(crate) fn add_then_test(&self, n: usize) -> Result<(), Errno> {
        self.in_flight.unp_rights_mtx.enter();
        let now = self.in_flight.unp_rights.fetch_add(n, Relaxed);
        self.in_flight.unp_rights_mtx.exit();
        (0..n).for_each(|_| self.in_flight.count.get());
        P::Fault::window(Window::Reserve);
        if now + n > self.config.maxfiles / 10 {
            self.release_rights(n);
            return Err(Errno::Emfile);
        }
        Ok(())
    }

    /// `Step::DiscardLater`: a control message is disposed of where it found no room, locks
    /// and all.
    #[cold]
    pub(crate) fn discard_now(&self, control: Option<MbufRef<P::Locks>>) {
        for so in control.iter().flat_map(|control| control.rights().iter()) {
            self.end_flight(so);
        }
    }

    /// `Step::FlushSblock`: a reader may have the right to drain the buffer.
    #[cold]
    pub(crate) fn flush_anyway(&self, so: &So<P>) {
        self.socantrcvmore(so);
        self.flush(so);
    }
}
