//! Lists of sockets: a listener's queues, the referrers of a datagram socket.

#![allow(unsafe_code)]

use super::SockRef;
use crate::primitives::Cell;

/// A first-in first-out list of sockets, linked through one of their fields.
pub(crate) struct SockList<L> {
    first: Cell<Option<SockRef<L>>>,
    len: Cell<usize>,
}

impl<L> SockList<L> {
    pub(super) fn new() -> Self {
        Self { first: Cell::new(None), len: Cell::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.len.get()
    }

    pub(crate) fn first(&self) -> Option<SockRef<L>> {
        self.first.get()
    }

    /// The sockets, first to last.
    pub(crate) fn iter(&self) -> impl Iterator<Item = SockRef<L>> {
        std::iter::successors(self.first(), |socket| socket.on_list.next.get())
    }

    /// Appends; the link is `so_next` of the sockets on the list.
    pub(crate) fn append(&self, socket: SockRef<L>) {
        socket.on_list.next.set(None);
        match self.last() {
            None => self.first.set(Some(socket)),
            Some(last) => last.on_list.next.set(Some(socket)),
        }
        self.len.set(self.len.get() + 1);
    }

    fn last(&self) -> Option<SockRef<L>> {
        self.iter().last()
    }

    /// Removes; says whether it was there.
    pub(crate) fn remove(&self, socket: SockRef<L>) -> bool {
        let mut link = &self.first;
        let mut at = self.first.get();
        while let Some(here) = at {
            let next = here.on_list.next.get();
            if here == socket {
                link.set(next);
                socket.on_list.next.set(None);
                self.len.set(self.len.get() - 1);
                return true;
            }
            // SAFETY: sockets neither move nor go while the layer lives (see `SockRef`), so that a
            // borrow of one's field may outlive the local `here`.
            link = unsafe { &here.0.as_ref().on_list.next };
            at = next;
        }
        false
    }
}

/// Links of the lists a socket is on, guarded by the lock of the list's owner: a listener's queues,
/// or the referrers of a datagram socket. A socket is on one of them at most.
pub(crate) struct OnList<L> {
    pub(super) next: Cell<Option<SockRef<L>>>,
}
