//! The numbers of sockets, and two that are locked in their order.

use crossbeam_utils::CachePadded;

use super::locks::EndpointLocks;
use crate::ambient::Surroundings;
use crate::backend::per_socket::{Beside, OnTake, SocketPolicy, comes_first};
use crate::domain::Algorithm;
use crate::fault::{Fault, Step};
use crate::objects::socket::Socket;
use crate::policy::{Held, So};
use crate::primitives::{AtomicUsize, Ordering, RawMutex};
use crate::witness::Edge;

use Ordering::Relaxed;

/// The numbers of sockets, one after the other (gVisor: `Kernel.UniqueID`, `kernel.go` 1109).
pub(crate) struct Numbers {
    /// The last. Relaxed throughout: what counts is that no two are the same.
    last: CachePadded<AtomicUsize>,
}

impl Numbers {
    /// The next: higher than that of every socket there is.
    pub(super) fn next(&self) -> usize {
        self.last.fetch_add(1, Relaxed) + 1
    }
}

impl Beside for Numbers {
    fn new(_algorithm: Algorithm) -> Self {
        Self { last: CachePadded::new(AtomicUsize::new(0)) }
    }
}

/// Two sockets in the order of their numbers; else what is done with two is `per-socket`'s.
pub(crate) struct ByNumber;

impl OnTake for ByNumber {
    type Locks<R: RawMutex> = EndpointLocks<R>;
    type Beside<R: RawMutex> = Numbers;

    const NAME: &'static str = "endpoint-queue";
    const BY_NUMBER: bool = true;

    #[inline(always)]
    fn comes_first<F: Fault, R: RawMutex>(
        a: &Socket<EndpointLocks<R>>,
        b: &Socket<EndpointLocks<R>>,
    ) -> bool {
        if F::omits(Step::NumberOrder) {
            return comes_first(a, b);
        }
        a.locks.number() < b.locks.number()
    }

    #[inline(always)]
    fn second<F: Fault, R: RawMutex>(
        first: &Socket<EndpointLocks<R>>,
        second: &Socket<EndpointLocks<R>>,
    ) -> Edge {
        let rises = first.locks.number() < second.locks.number();
        Edge::Numbered { lower: first.locks.endpoint.addr(), rises }
    }
}

impl<F: Fault, A: Surroundings> SocketPolicy<F, ByNumber, A> {
    /// A socket is made: it gets a number.
    pub(super) fn number(&self, so: &So<Self>) {
        so.locks.set_number(self.beside.next());
    }

    /// With `first` locked, which has a lower number, and perhaps a third one, which has, too.
    #[track_caller]
    pub(super) fn take_second(&self, first: &So<Self>, second: &So<Self>) -> Held<Self> {
        let held = Held::<Self>::of(second);
        self.take(&held, ByNumber::second::<F, A::Raw>(first, second));
        held
    }

    /// With nothing held: locks two sockets, which may be the same.
    #[track_caller]
    pub(super) fn take_both(&self, so: &So<Self>, so2: &So<Self>) -> (Held<Self>, Held<Self>) {
        let is_lower = ByNumber::comes_first::<F, A::Raw>(so, so2);
        let (first, second) =
            if is_lower || F::omits(Step::AddressOrder) { (so, so2) } else { (so2, so) };
        self.take(&Held::<Self>::of(first), Edge::None);
        if !std::ptr::eq(first, second) || F::omits(Step::SelfLock) {
            _ = self.take_second(first, second);
        }
        (Held::<Self>::of(so), Held::<Self>::of(so2))
    }
}
