//! Requests that use what a lock guards after the lock was dropped, and tokens that are used after
//! they were taken. Each would be right without its statement under `cfg`. What the compiler must
//! say stands behind `//~`, where it must say it; `tokens.rs` compares.

#![allow(unused)]

use crate::domain::RecvMsg;
use crate::objects::descriptors::Fd;
use crate::objects::socket::Side;
use crate::policy::{Held, Policy, So};
use crate::uipc::Locked;

impl<P: Policy> Locked<P> {
    fn kept_over_sounlock(&self, so: &So<P>) {
        let so = self.policy.solock(so);
        let st = so.st();
        self.policy.sounlock(so); //~ E0505
        #[cfg(not(solock_mended))]
        st.users.set(0);
    }

    fn kept_while_it_is_unlocked(&self, so: &mut Held<P>) {
        let st = so.st();
        self.policy.so_leave(so); //~ E0502
        self.policy.so_enter(so); //~ E0502
        #[cfg(not(solock_mended))]
        st.users.set(0);
    }

    fn kept_over_uiomove(&self, so: &mut Held<P>, msg: &mut RecvMsg<'_, Fd>) {
        let so_rcv = so.so_rcv();
        self.uiomove(so, 0, msg, 1); //~ E0502
        #[cfg(not(solock_mended))]
        so_rcv.control.set(None);
    }

    fn kept_over_solock_peer(&self, so: &mut Held<P>) -> Option<Held<P>> {
        let st = so.st();
        let so2 = self.policy.solock_peer(so); //~ E0502
        #[cfg(not(solock_mended))]
        st.unp_addr.set(None);
        so2
    }

    fn kept_over_a_sleep(&self, so: &mut Held<P>) {
        let so_snd = so.so_snd();
        self.sbwait(so, Side::Snd); //~ E0502
        #[cfg(not(solock_mended))]
        so_snd.lowat.set(0);
    }

    fn kept_over_the_way_to_the_socket(&self, so: &mut Held<P>) {
        let so_snd = so.so_snd();
        self.sb_to_so(so, Side::Snd); //~ E0502
        #[cfg(not(solock_mended))]
        so_snd.lowat.set(0);
    }

    fn used_after_its_unlock(&self, so: &So<P>) {
        let so = self.policy.solock(so);
        self.policy.sounlock(so);
        #[cfg(not(solock_mended))]
        so.st().users.set(0); //~ E0382
    }

    fn unlocked_twice(&self, so: &So<P>) {
        let so = self.policy.solock(so);
        self.policy.sounlock(so);
        #[cfg(not(solock_mended))]
        self.policy.sounlock(so); //~ E0382
    }

    fn peer_used_after_its_unlock(&self, so: &mut Held<P>) {
        if let Some(so2) = self.policy.peer_pin(so) {
            self.policy.peer_unpin(so, so2);
            #[cfg(not(solock_mended))]
            so2.so_rcv().control.set(None); //~ E0382
        }
    }

    fn unlocked_by_a_borrower(&self, so: &mut Held<P>) {
        #[cfg(not(solock_mended))]
        self.policy.sounlock(*so); //~ E0507
    }

    fn without_a_token(&self, so: &So<P>) {
        #[cfg(not(solock_mended))]
        so.st(); //~ E0599
    }

    fn in_another_thread(&self, so: &Held<P>) {
        fn send<T: Send>(_: T) {}
        #[cfg(not(solock_mended))]
        send(so); //~ E0277
    }
}
