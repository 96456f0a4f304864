//! For unit tests: layers that are never freed, for another thread may still use them; and what the
//! tests of several backends do with one.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Config, Domain, Fd, MsgFlags, Shutdown, SockAddr, SockOpt, SockType};
use crate::errno::Errno;
use crate::policy::{Policy, SoRef};
use crate::uipc::Locked;
use crate::witness::{Class, LockCounts, counters};

/// Where they are, so that memcheck does not call them lost.
static LAYERS: Mutex<Vec<&(dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

/// A new layer.
pub(super) fn layer<D: Domain>() -> &'static D {
    let layer: &D = Box::leak(Box::new(D::new(&Config::default()).unwrap()));
    LAYERS.lock().unwrap_or_else(PoisonError::into_inner).push(layer);
    layer
}

pub(super) fn name(path: &str) -> SockAddr {
    SockAddr::new(path).unwrap()
}

pub(super) fn bound<P: Policy>(layer: &Locked<P>, kind: SockType, path: &str) -> Fd {
    let s = layer.socket(kind).unwrap();
    layer.bind(s, &name(path)).unwrap();
    s
}

pub(super) fn socket<P: Policy>(layer: &Locked<P>, s: Fd) -> SoRef<P> {
    layer.fds.find(s).unwrap()
}

/// Closes all there are: nothing is left but names.
pub(super) fn close<P: Policy>(layer: &Locked<P>, all: &[Fd]) {
    all.iter().for_each(|s| layer.close(*s).unwrap());
    assert!(layer.pools().iter().filter(|pool| pool.name != "vnode").all(|pool| pool.in_use == 0));
}

/// Runs it: how many receivers' locks, sockets and queues it took, and what of sockets was counted.
pub(super) fn taking<T>(request: impl FnOnce() -> T) -> ([u64; 3], LockCounts) {
    let before = counters();
    request();
    let counts = counters().since(&before);
    let classes = [Class::SbLock, Class::SoLock, Class::SbMtxRcv];
    (classes.map(|class| counts.of(class).acquisitions), counts.of(Class::SoLock))
}

/// What a sender reads of its own socket without its peer is there as soon as it is said.
pub(super) fn limits_and_ends_are_words_at_once<P: Policy>(layer: &Locked<P>) {
    let now = MsgFlags::DONTWAIT;
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    layer.setsockopt(a, SockOpt::SndBuf, 100).unwrap();
    assert_eq!(layer.send(a, &[0; 200], now), Ok(100));
    assert_eq!(layer.send(a, &[0], now), Err(Errno::Ewouldblock));
    layer.setsockopt(a, SockOpt::SndLowat, 60).unwrap();
    assert_eq!(layer.recv(b, &mut [0; 50], MsgFlags::empty()), Ok(50));
    // As much as the mark says is not free.
    assert_eq!(layer.send(a, &[0; 55], now), Err(Errno::Ewouldblock));
    assert_eq!(layer.send(a, &[0; 50], now), Ok(50));
    layer.shutdown(a, Shutdown::Write).unwrap();
    assert_eq!(layer.send(a, &[0], now), Err(Errno::Epipe));
    close(layer, &[a, b]);
    // In their place nothing of that is left.
    let (a, b) = layer.socketpair(SockType::Stream).unwrap();
    assert_eq!(layer.send(a, &[0; 8192], now), Ok(8192));
    close(layer, &[a, b]);
}
