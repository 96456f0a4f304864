//! What a broken twin does instead of a request's own way, where leaving out a line does not make
//! the bug. A request comes here only where its [`Fault`] omits the step; so the real backends have
//! none of it.

use super::{Fault, Window};
use crate::errno::Errno;
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::Fill;
use crate::objects::socket::{Side, State};
use crate::policy::{Held, Policy, So};
use crate::primitives::Ordering;
use crate::uipc::Locked;

use Ordering::Relaxed;

/// A token that no verb has lent: the twins' way to what is not locked, or not theirs to unlock.
fn unlent<P: Policy>(so: &So<P>) -> Held<P> {
    Held::<P>::of(so)
}

impl<P: Policy> Locked<P> {
    /// `Step::MirrorLocked`: the peer is woken and unlocked, then its buffer is read.
    #[cold]
    pub(crate) fn mirror_later(&self, so: &mut Held<P>, mut so2: Held<P>) -> Result<(), Errno> {
        self.wake_reader(&mut so2);
        let peer = so2.socket();
        self.policy.peer_unpin(so, so2);
        let so2 = unlent::<P>(&peer);
        let fill = so2.rcv_fill(so2.so_rcv());
        so.so_snd().fill.set(fill);
        Ok(())
    }

    /// `Step::HoldForAppend`: the peer's lock is dropped between reading the tail and writing
    /// it. The peer may be another one afterwards.
    #[cold]
    pub(crate) fn let_another_in(&self, so: &mut Held<P>, so2: &mut Held<P>) {
        self.policy.sounlock_peer(so, unlent::<P>(so2));
        P::Fault::window(Window::Append);
        if let Some(now) = self.policy.solock_peer(so) {
            *so2 = now;
        }
    }

    /// `Step::HoldToAccount`: the receiving socket is unlocked before the sender is told how full
    /// it is.
    #[cold]
    pub(crate) fn account_unheld(&self, so: &mut Held<P>, so2: Held<P>, fill: Fill) {
        self.policy.sounlock(so2);
        P::Fault::window(Window::Appended);
        self.policy.side_enter(so, Side::Snd);
        so.so_snd().fill.set(fill);
        self.policy.side_leave(so, Side::Snd);
    }

    /// `Step::LookLocked`: what is left in the buffer is looked at before the socket is locked.
    #[cold]
    pub(crate) fn account_looks_first(&self, so: &mut Held<P>) {
        let fill = so.rcv_fill(so.so_rcv());
        self.policy.side_leave(so, Side::Rcv);
        P::Fault::window(Window::Accounting);
        self.policy.data_to_so(so);
        if let Some(mut so2) = self.policy.peer_pin(so) {
            self.policy.side_enter(&so2, Side::Snd);
            so2.so_snd().fill.set(fill);
            self.side_leave_waking(&mut so2, Side::Snd);
        }
        self.so_to_sb(so, Side::Rcv);
    }

    /// `Step::EndWhileParting`: the peer is not connected any more, and its directions have
    /// not ended yet.
    #[cold]
    pub(crate) fn end_later(&self, so: &So<P>, so2: &mut Held<P>) {
        so2.st().clear(State::ISCONNECTED);
        self.policy.sounlock_peer(so, unlent::<P>(so2));
        P::Fault::window(Window::Parted);
        self.policy.so_enter(so2);
    }

    /// `Step::SideOrder`: the sender's own side is locked before the receiving one.
    #[cold]
    pub(crate) fn sides_reversed(&self, so: &Held<P>, so2: &Held<P>) {
        self.policy.side_enter(so, Side::Snd);
        self.policy.side_enter(so2, Side::Rcv);
    }

    /// `Step::AccountLocked`: what is left in the buffer is accounted when that is unlocked, and
    /// the writer woken as ever.
    #[cold]
    pub(crate) fn account_later(&self, so: &mut Held<P>, so2: &So<P>, fill: Fill) {
        self.policy.side_leave(so, Side::Rcv);
        P::Fault::window(Window::Account);
        so2.account_word(fill);
        self.policy.side_enter(so, Side::Rcv);
        self.wake_writer(so, so2);
    }

    /// `Step::ReaderKept`: whom to wake is read off the socket when that is unlocked.
    #[cold]
    pub(crate) fn wake_by_link(&self, so: &Held<P>) {
        if let Some(reader) = so.peer() {
            self.wake_unlocked(&reader, Side::Rcv);
        }
    }

    /// `Step::PeerToPart`: the peer to part from, which is not locked.
    #[cold]
    pub(crate) fn peer_to_part(&self, so: &mut Held<P>) -> Option<Held<P>> {
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
    pub(crate) fn flush_anyway(&self, so: &mut Held<P>) {
        self.socantrcvmore(so);
        self.flush(so);
    }
}
