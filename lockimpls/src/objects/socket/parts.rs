//! What the locks of a socket guard, part by part, and the way to it: by a token, and each accessor
//! asks the witness whether the thread holds the lock of the part.

use super::state::Queues;
use super::{
    Held, Part, RcvState, SbState, Seen, SendLook, Side, SndState, SoState, SockList, SockRef,
    Socket, SocketLocks, State,
};
use crate::objects::sockbuf::Fill;
use crate::witness::{self, Class};

/// What the locks guard.
///
/// Aligned, so that it lies in the same lines whether the socket has a lock of its own before it or
/// not: granularities with one lock differ in that and not in this.
#[repr(C, align(32))]
pub(crate) struct Parts<L> {
    pub(crate) so_snd: SndState,
    pub(crate) so_rcv: RcvState<L>,
    pub(crate) st: SoState<L>,
}

impl<L> Parts<L> {
    pub(super) fn unused() -> Self {
        Self { so_snd: SndState::unused(), so_rcv: RcvState::unused(), st: SoState::unused() }
    }

    pub(super) fn reset(&self) {
        self.so_snd.reset();
        self.so_rcv.reset();
        self.st.reset();
    }
}

impl<L: SocketLocks> Held<L> {
    /// `soassertlocked`, and the socket itself.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn st(&self) -> &SoState<L> {
        self.assert_locked(Part::Socket);
        &self.parts.st
    }

    /// The send side, whose lock is held.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn so_snd(&self) -> &SndState {
        self.assert_locked(Part::Snd);
        &self.parts.so_snd
    }

    /// The receive side, whose lock is held.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn so_rcv(&self) -> &RcvState<L> {
        self.assert_locked(Part::Rcv);
        &self.parts.so_rcv
    }

    /// What both sides have, of one of the two.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn sb(&self, side: Side) -> &SbState {
        match side {
            Side::Snd => self.so_snd(),
            Side::Rcv => self.so_rcv(),
        }
    }

    /// The receive side, for a receive that looks whether there is something (`look_guard`), and
    /// what of the socket itself may be looked at from there.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn so_rcv_to_look(&self) -> (&RcvState<L>, &Seen<L>) {
        let (addr, class) = self.locks.look_guard(self.so_type.get());
        witness::assert_held(addr, &class);
        (&self.parts.so_rcv, &self.parts.st)
    }

    /// The send side, for a send that looks whether there is room, and what of the socket itself
    /// may be looked at from there.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn so_snd_to_look(&self) -> (SendLook<'_, L>, &Seen<L>) {
        let words = self.locks.send_words();
        if words.is_none() {
            self.assert_locked(Part::Snd);
        }
        (SendLook { so_snd: &self.parts.so_snd, words }, &self.parts.st)
    }

    /// Accounts to this socket what lies unread at its peer. Where that is a word, the peer's
    /// receive side is locked; or this socket, where it has parted and sends no more.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn account(&self, fill: Fill) {
        if self.locks.send_words().is_none() {
            self.so_snd().fill.set(fill);
        }
        self.account_word(fill);
    }

    /// The limits of the send side were written: tells others, where they look without its lock.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn publish_limits(&self) {
        if let Some(words) = self.locks.send_words() {
            self.so_snd().publish(words);
        }
    }

    /// The same of a socket that nobody else has.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn publish_unshared(&self) {
        if let Some(words) = self.locks.send_words() {
            self.parts_unshared().so_snd.publish(words);
        }
    }

    /// Writes `unp_conn`, with both ends locked; and the socket itself.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn set_conn(&self, peer: Option<SockRef<L>>) -> &SoState<L> {
        self.assert_links_mine();
        let st = self.st();
        st.unp_conn.set(peer);
        if let Some(words) = self.locks.send_words() {
            words.set_peer(peer);
        }
        st
    }

    /// SS_CANTRCVMORE of a listener, for whoever holds its own lock alone (`uipc_syscalls.c` 1.224,
    /// line 291): it has no peer, and so nobody writes it without that lock.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn has_listener_ended(&self) -> bool {
        debug_assert!(self.st().is(State::ACCEPTCONN));
        self.assert_locked(Part::Socket);
        self.parts.so_rcv.cantrcvmore.get()
    }

    /// The queues of a listener, and on whose queue a socket is.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn queues(&self) -> Queues<'_, L> {
        self.assert_locked(Part::Queue);
        let SoState { so_onq, so_q0, so_q, .. } = &self.parts.st;
        Queues { so_onq, so_q0, so_q, seen: &self.parts.st }
    }

    /// The peer, for whoever holds the lock of the socket or that of all connections.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn peer(&self) -> Option<SockRef<L>> {
        self.assert_linked();
        self.parts.st.peer()
    }

    /// Those that are connected to a datagram socket, to be changed.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn referrers(&self) -> &SockList<L> {
        self.assert_links_mine();
        &self.st().unp_refs
    }

    /// Whoever changes what is connected to what has the lock of all connections exclusively.
    #[inline(always)]
    #[track_caller]
    fn assert_links_mine(&self) {
        if L::LINKED {
            let (addr, class) = self.locks.guard(Part::Link);
            witness::assert_held_alone(addr, &class);
        }
    }

    /// Whoever reads it has that lock, in whichever mode, or the socket's own.
    #[inline(always)]
    #[track_caller]
    fn assert_linked(&self) {
        if !L::LINKED || !witness::is_held(self.locks.guard(Part::Link).0) {
            self.assert_locked(Part::Socket);
        }
    }

    /// All of it, with the locks of all parts held.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn parts(&self) -> &Parts<L> {
        self.assert_locked(Part::Socket);
        self.assert_locked_too(Part::Snd);
        self.assert_locked_too(Part::Rcv);
        &self.parts
    }

    /// SS_CANTSENDMORE, for whoever holds the lock of the socket, that of its send side, or that of
    /// all connections: all are held where it is written. Where it is a word, for anybody.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn cantsendmore(&self) -> bool {
        if let Some(words) = self.locks.send_words() {
            return words.cantsendmore();
        }
        let is_linked = L::LINKED && witness::is_held(self.locks.guard(Part::Link).0);
        let by_one = || self.is_guarded_by_one(Part::Snd);
        if !is_linked && (by_one() || !witness::is_held(self.locks.guard(Part::Snd).0)) {
            self.assert_locked(Part::Socket);
        }
        self.parts.so_snd.cantsendmore()
    }

    /// All of a locked socket that nobody else has: no descriptor, name, peer, queue or list leads
    /// to it, so that nobody else takes the locks of its sides. It is new, or about to go.
    #[inline(always)]
    #[track_caller]
    pub(crate) fn parts_unshared(&self) -> &Parts<L> {
        self.assert_locked(Part::Socket);
        &self.parts
    }

    /// Writes SS_CANTSENDMORE of such a socket.
    #[track_caller]
    pub(crate) fn end_unshared(&self, is_so: bool) {
        self.parts_unshared().so_snd.cantsendmore.set(is_so);
        self.tell_cantsendmore(is_so);
    }

    /// Writes SS_CANTSENDMORE.
    #[track_caller]
    pub(crate) fn set_cantsendmore(&self, is_so: bool) {
        self.assert_links_mine();
        self.assert_locked(Part::Socket);
        self.assert_locked_too(Part::Snd);
        self.parts.so_snd.cantsendmore.set(is_so);
        self.tell_cantsendmore(is_so);
    }

    #[inline(always)]
    fn tell_cantsendmore(&self, is_so: bool) {
        if let Some(words) = self.locks.send_words() {
            words.set_cantsendmore(is_so);
        }
    }
}

/// Without a token: where something else keeps the threads apart.
impl<L: SocketLocks> Socket<L> {
    /// What may be looked at by the collector, whose lock comes after those of sockets; `held` is
    /// that lock. What it asks of a dead socket cannot change: no call is under way there, and none
    /// can begin.
    #[track_caller]
    pub(crate) fn seen_by_collector(&self, held: (usize, Class)) -> &Seen<L> {
        witness::assert_held(held.0, &held.1);
        &self.parts.st
    }

    /// Accounts to this socket what lies unread at its peer, where that is a word. The peer's
    /// receive side is locked.
    #[inline(always)]
    pub(crate) fn account_word(&self, fill: Fill) {
        if let Some(words) = self.locks.send_words() {
            words.set_fill(fill);
        }
    }

    /// All of a socket whose last reference is the caller's, with nothing locked: it is about to
    /// go.
    ///
    /// # Panics
    /// Where somebody else has a reference.
    pub(crate) fn parts_of_last(&self) -> &Parts<L> {
        assert!(self.so_refcnt.is_last(), "nobody else has it");
        &self.parts
    }

    /// What the locks guard, of this socket or of its peer `other`, to be read by a thread that is
    /// `in_use` of this socket (number `me`): nobody can hold one of them meanwhile, so nobody
    /// writes.
    #[inline]
    #[track_caller]
    pub(crate) fn parts_fast<'a>(&self, me: u32, other: &'a Self) -> &'a Parts<L> {
        witness::assert_on_fast_path(me, self.in_use_addr());
        &other.parts
    }

    /// Whether one lock guards both the socket itself and this side.
    #[inline(always)]
    fn is_guarded_by_one(&self, side: Part) -> bool {
        self.locks.guard(side).0 == self.guard_addr()
    }

    #[inline(always)]
    #[track_caller]
    fn assert_locked(&self, part: Part) {
        let (addr, class) = self.locks.guard(part);
        witness::assert_held(addr, &class);
    }

    /// The same, of a side, by whoever has asked for the lock of the socket: what is known is not
    /// asked again.
    #[inline(always)]
    #[track_caller]
    fn assert_locked_too(&self, side: Part) {
        if !self.is_guarded_by_one(side) {
            self.assert_locked(side);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child;
    use crate::sync::RwLock;
    use crate::witness::EXIT_FINDING;

    /// A socket with a lock for each part.
    struct ByPart([RwLock; 3]);

    const PARTS: [Part; 3] = [Part::Socket, Part::Snd, Part::Rcv];
    const CLASSES: [Class; 3] = [Class::SoLock, Class::UnpDfLock, Class::UnpRightsMtx];

    impl SocketLocks for ByPart {
        fn guard(&self, part: Part) -> (usize, Class) {
            let at = PARTS.iter().position(|it| *it == part).unwrap();
            (self.0[at].addr(), CLASSES[at])
        }
    }

    /// A way to what the locks guard, and with which of the three it may be gone.
    type Way = (&'static str, fn(&Held<ByPart>), &'static [&'static str]);

    const WAYS: [Way; 7] = [
        ("st", |so| _ = so.st(), &["s", "s ms", "s mr", "s ms mr"]),
        ("so_snd", |so| _ = so.so_snd(), &["ms", "s ms", "ms mr", "s ms mr"]),
        ("so_rcv", |so| _ = so.so_rcv(), &["mr", "s mr", "ms mr", "s ms mr"]),
        ("sb", |so| _ = so.sb(Side::Rcv), &["mr", "s mr", "ms mr", "s ms mr"]),
        ("parts", |so| _ = so.parts(), &["s ms mr"]),
        (
            "cantsendmore",
            |so| _ = so.cantsendmore(),
            &["s", "ms", "s ms", "s mr", "ms mr", "s ms mr"],
        ),
        ("set_cantsendmore", |so| so.set_cantsendmore(true), &["s ms", "s ms mr"]),
    ];

    /// What may be held.
    const HELD: [&str; 8] = ["", "s", "ms", "mr", "s ms", "s mr", "ms mr", "s ms mr"];

    /// The child's side: a way, and what is held.
    const ASKED: &str = "SOLOCK_TEST_PART";

    #[test]
    fn one_way() {
        let Ok(asked) = std::env::var(ASKED) else { return };
        let (name, held) = asked.split_once(':').unwrap();
        child::begin();
        let so = Socket::unused(ByPart(CLASSES.map(RwLock::new)));
        let tags = ["s", "ms", "mr"];
        let locks = so.locks.0.iter().zip(tags);
        let locks: Vec<_> =
            locks.filter(|(_, tag)| held.split(' ').any(|held| held == *tag)).collect();
        locks.iter().for_each(|(lock, _)| lock.enter());
        let (_, go, _) = WAYS.iter().find(|(way, _, _)| *way == name).unwrap();
        go(&Held::of(&so));
        locks.iter().rev().for_each(|(lock, _)| lock.exit());
    }

    #[test]
    fn each_part_is_reached_with_its_lock_alone() {
        for (name, _, enough) in WAYS {
            for held in HELD {
                let asked = format!("{name}:{held}");
                let (code, said) =
                    child::run("objects::socket::parts::tests::one_way", ASKED, &asked);
                let expected = if enough.contains(&held) { 0 } else { EXIT_FINDING };
                assert_eq!(code, Some(expected), "{asked}: {said}");
                assert!(expected == 0 || said.contains("soassertlocked"), "{asked}: {said}");
            }
        }
    }
}
