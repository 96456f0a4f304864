//! Where a request stands: at a side of a socket, at the socket itself, or at neither.
//!
//! A call that sends or receives goes from one to the other. Where one lock guards all of a socket,
//! it holds that all the way but for the copy and the sleep, and has nothing to do in between;
//! where a side has a lock of its own, it holds what it is at, and no more. Where it goes on, what
//! it has read ends: the way wants the token by `&mut`.

use crate::fault::{Fault, Step};
use crate::objects::socket::Side;
use crate::policy::{Held, Policy};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// Whether a send ends at the append, and whoever waits at a side is woken in the hold in which
    /// that has changed.
    pub(super) const ONE_HOLD: bool = P::SIDES_APART || P::WAITS_AT_PEER;

    /// To a side, with nothing of the socket held: back from a copy or a sleep.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sb_enter(&self, so: &mut Held<P>, side: Side) {
        self.policy.data_enter(so);
        self.policy.side_enter(so, side);
    }

    /// From a side, to copy or to sleep.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sb_leave(&self, so: &mut Held<P>, side: Side) {
        self.policy.side_leave(so, side);
        self.policy.data_leave(so);
    }

    /// From a side to the socket itself.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sb_to_so(&self, so: &mut Held<P>, side: Side) {
        self.policy.side_leave(so, side);
        self.policy.data_to_so(so);
    }

    /// Back from the socket to a side.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn so_to_sb(&self, so: &mut Held<P>, side: Side) {
        self.policy.so_to_data(so);
        self.policy.side_enter(so, side);
    }

    /// A send goes on from its own side to its peer: by the socket itself, or at once where a send
    /// holds nothing of its own.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sb_to_peer(&self, so: &mut Held<P>) {
        if !P::SENDS_UNLOCKED {
            self.sb_to_so(so, Side::Snd);
        }
    }

    /// Back from the peer.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn peer_to_sb(&self, so: &mut Held<P>) {
        if !P::SENDS_UNLOCKED {
            self.so_to_sb(so, Side::Snd);
        }
    }

    /// On the way to its peer a send holds the socket itself, or nothing of it: then it is locked,
    /// for what nothing else guards.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn own_enter(&self, so: &mut Held<P>) {
        if P::SENDS_UNLOCKED {
            self.policy.so_enter(so);
        }
    }

    /// On to the peer.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn own_leave(&self, so: &mut Held<P>) {
        if P::SENDS_UNLOCKED {
            self.policy.so_leave(so);
        }
    }

    /// `unix_peer_get`: the peer of a socket that keeps records is read with the own lock (Linux,
    /// `af_unix.c`, line 308). The word would do, as it does for a stream; the lock is the
    /// kernel's.
    pub(super) fn peer_get(&self, so: &mut Held<P>) {
        self.own_enter(so);
        if !P::Fault::omits(Step::OwnBeforePeer) {
            self.own_leave(so);
        }
    }

    /// The receive side of a socket and the send side of another, or of the same: in this order
    /// everywhere (`uipc_usrreq.c` 1.221, lines 499 and 548; `uipc_socket2.c` 1.186, line 614).
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sides_enter(&self, reader: &Held<P>, writer: &Held<P>) {
        self.policy.side_enter(reader, Side::Rcv);
        self.policy.side_enter(writer, Side::Snd);
    }

    #[inline(always)]
    #[track_caller]
    pub(crate) fn sides_leave(&self, reader: &mut Held<P>, writer: &mut Held<P>) {
        self.policy.side_leave(writer, Side::Snd);
        self.policy.side_leave(reader, Side::Rcv);
    }
}
