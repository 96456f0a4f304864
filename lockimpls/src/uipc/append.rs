//! A send's message, and what it puts into its peer's buffer: `sbappend` and its like
//! (`uipc_socket2.c` 1.125).

use super::send::Outgoing;
use crate::domain::{SockAddr, SockType};
use crate::fault::{Event, Fault, Step};
use crate::objects::mbuf::MbufRef;
use crate::objects::sockbuf::{Fill, Marks};
use crate::objects::socket::RcvState;
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    /// A message of the caller's bytes.
    #[inline(always)]
    pub(super) fn message_of(&self, chunk: &[u8]) -> MbufRef<P::Locks> {
        let m = self.mbufs.get();
        P::Fault::note(Event::Copy);
        m.fill(chunk);
        P::Fault::note(Event::Copied);
        m
    }

    /// `sbappend`, `sbappendrecord`, `sbappendcontrol`, `sbappendaddr`: puts a message into the
    /// peer's buffer. The peer's receive side is locked.
    #[inline(always)]
    pub(super) fn sbappend(
        &self,
        so: &mut Held<P>,
        so2: &mut Held<P>,
        message: Outgoing<'_, P::Locks>,
        from: Option<&SockAddr>,
    ) {
        let Outgoing { data, control, is_eor } = message;
        so2.rcv.ensure_room(data.len());
        let tail = so2.rcv.tail();
        if P::Fault::omits(Step::HoldForAppend) {
            self.let_another_in(so, so2);
        }
        if let Some(control) = control {
            control.position.set(tail);
            Self::append_control(so2.so_rcv(), control);
        }
        P::Fault::note(Event::Copy);
        if so2.so_type.get() == SockType::Stream {
            so2.rcv.put_stream(tail, data);
        } else {
            let marks = Marks { has_control: control.is_some(), is_eor };
            if data.is_empty() && from.is_none() {
                Self::note_quiet(so2, so2.so_rcv());
            }
            so2.rcv.put_record(tail, from, data, marks);
        }
        P::Fault::note(Event::Copied);
    }

    fn append_control(so2_rcv: &RcvState<P::Locks>, control: MbufRef<P::Locks>) {
        control.next.set(None);
        let (fill, more) = (so2_rcv.fill.get(), control.control_fill());
        so2_rcv.fill.set(Fill { cc: fill.cc + more.cc, mbcnt: fill.mbcnt + more.mbcnt });
        let Some(mut last) = so2_rcv.control.get() else {
            so2_rcv.control.set(Some(control));
            return;
        };
        while let Some(next) = last.next.get() {
            last = next;
        }
        last.next.set(Some(control));
    }

    /// Before a record of no bytes is put: in a buffer without bytes it wakes nobody, and a reader
    /// on the lock-free path, which looks at the tail, must know.
    #[cold]
    fn note_quiet(so2: &So<P>, so2_rcv: &RcvState<P::Locks>) {
        if so2.rcv_fill(so2_rcv).cc == 0 {
            so2.rcv.put_quietly();
        }
    }
}
