//! Deliberate faults: how a broken twin of a backend differs from the real one.
//!
//! A backend is generic over a [`Fault`]; the real one has [`NoFault`], whose hooks are constants
//! that the compiler removes. A twin leaves out one [`Step`], or lets another thread in at one
//! [`Window`]. Everything else, the whole of `uipc` included, is the same source; where a bug needs
//! more than a line left out, what the twin does instead is in `instead.rs`. A layer of which a
//! profile is kept leaves out nothing and tells ([`Listens`]).

mod instead;
mod listener;
#[cfg(test)]
pub(crate) mod met;

use std::marker::PhantomData;

pub use self::listener::{Event, Listener};

/// A step of a request that a twin leaves out, each at one place. (That an unlock is missing is
/// seen wherever it is: `lockimpls/tests/deleted-unlocks.py` deletes each in turn.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    // Unlocks, and references given back.
    /// The socket, before bind goes to the table of names.
    BindResolve,
    /// The other socket of a connect that is refused.
    ConnectHeadRefused,
    /// The kernel lock, at the end of a connect.
    KernelConnect,
    /// The historical one: the peer, where the message may not go to it: ENOBUFS, and EPIPE where
    /// the stream ended during the relock.
    SendNobufsPeer,
    /// The socket, before it enters the list of all.
    ListEnter,
    /// A fifo's vnode, before a read waits for data.
    FifoReceive,
    /// The peer, when a relock has found another one.
    RelockChanged,
    /// The reference on the peer, taken for the relock.
    UnpRefRelock,
    /// Leaving the lock-free path.
    InUse,
    // Steps that are not unlocks.
    /// Lower address first.
    AddressOrder,
    /// Looking again after a relock.
    RelockRecheck,
    /// Keeping the lock from reading the tail to writing it.
    HoldForAppend,
    /// Freeing the message that found no room.
    FreeOnNobufs,
    /// Waking the reader after an append.
    WakeReader,
    /// Opening the lock-free path again.
    Reopen,
    /// Going back to that path where it was opened while the thread waited for the lock.
    GoBack,
    /// Looking whether it was open before the thread waited for the lock.
    OpenBefore,
    /// What a backend does when it takes a `so_lock`, where the thread does not go back.
    OnTake,
    // Steps whose absence was a bug of a kernel.
    /// Looking whether the destination is still there after a connect.
    PeerGone,
    /// Keeping CONNECTING for as long as an addressed send lasts.
    KeepConnecting,
    /// listen's look at CONNECTING.
    ListenConnecting,
    /// connect's look at CONNECTING.
    ConnectConnecting,
    /// Comparing the count of users after it was lowered, not before.
    CountAfter,
    /// Looking at the reverse link after detach's relock.
    ReferrerRecheck,
    /// Looking whether the descriptor is still open once its socket is locked.
    LookupRecheck,
    /// Not locking a peer that is the socket itself.
    SelfLock,
    /// Not unlocking a peer that is the socket itself.
    SelfUnlock,
    /// Waiting for references with the socket unlocked.
    FinalizeUnlocked,
    /// Locking the name to take its socket away.
    NameLock,
    /// Giving the listener's reference back when an embryo is ready.
    NewconnRef,
    /// Parting a seqpacket socket as a connection.
    SeqpacketParts,
    /// Ending both directions in the same hold of the lock in which the connection goes.
    EndWhileParting,
    /// Looking at CANTSENDMORE again when a relock has found no peer.
    PartedIsEpipe,
    /// Looking at CANTSENDMORE again when a relock has found the peer.
    EndRecheck,
    /// Ending a fifo's way in when its last reader closes.
    FifoEndWriter,
    /// Taking the right to drain before the buffer is flushed.
    FlushSblock,
    /// Accounting what was received to the sender.
    MirrorReceived,
    /// Reading the peer's buffer before the peer is unlocked.
    MirrorLocked,
    /// Answering ENOBUFS when a control message finds no room.
    ReportNobufs,
    /// Looking again after a waiter has made itself known.
    RetestWaiting,
    /// Testing the limit of descriptors in flight before raising the count.
    TestThenAdd,
    /// Releasing a file once when a control message is taken back.
    UnwindOnce,
    /// A received reference leaves flight under `fdplock`.
    LandUnderFdplock,
    /// Leaving the descriptors of a refused datagram to the collector.
    DiscardLater,
    /// Locking a socket to scan its buffer.
    ScanLock,
    /// Looking from where the candidates for garbage can be reached.
    GcReachable,
    /// A receive side before a send side.
    SideOrder,
    /// Looking whether the stream has ended with one of the locks under which its end is written.
    EndGuarded,
    /// Locking the peer to part from it.
    PeerToPart,
    /// Giving the count of external references its first value.
    GcrefsInit,
    /// Scanning the buffers of a listener's embryos.
    GcEmbryos,
    /// Looking again which lock a socket has, when that lock is taken.
    LockLookAgain,
    /// Keeping the lock that a socket has until it has another one.
    SwitchHoldsOld,
    /// Taking the lock of many before a socket has it.
    SwitchTakesNew,
    /// Taking the lock of a connection before both its ends have it.
    AcceptTakesNew,
    /// Leaving a shared lock to the one who still has it.
    LeaveSpare,
    // Steps of partings that wait (`per-socket-wait`), and of connects that do (`per-socket-try`).
    /// Waiting for those that relock, before two sockets are parted.
    WaitForRelock,
    /// Counting how many relock, and not that somebody does.
    CountRelocks,
    /// Waking whoever waits for them.
    WakeCounted,
    /// Sleeping with the lock of the socket that is counted, and not with the other one's.
    SleepWithCounted,
    /// One parting at a time.
    PartOneAtATime,
    // Steps of a try before the order is kept (`per-socket-try`; those that count are above).
    /// Looking whether a try has the lock.
    TryAnswer,
    /// Taking the reference on the peer, for the relock.
    UnpRefTake,
    /// Holding a connect back while somebody relocks from the socket.
    HoldConnect,
    // Steps of a sender that locks its peer alone (`state-queue`).
    /// Looking again whether it is the peer, when a send has locked what it read to be it.
    PeerLookAgain,
    /// Unlocking the own socket before its peer is locked.
    OwnBeforePeer,
    /// A listener before its client.
    ListenerFirst,
    /// Accounting what was received with the buffer locked that it was in.
    AccountLocked,
    /// One reader at a time.
    ReaderAlone,
    // Steps of a lock of all connections (`shared-link`).
    /// Taking the lock of all connections exclusively, to connect or part two.
    LinksAlone,
    /// The same for an addressed send, which connects for as long as it lasts.
    AddressedAlone,
    /// Sharing the lock of all connections for an append.
    LinkForAppend,
    /// Keeping the receiving socket locked until its sender is told how full it is.
    HoldToAccount,
    /// Looking what is left in a buffer once the socket is locked, not before.
    LookLocked,
    /// Locking the queues of listeners.
    QueueLock,
    /// Letting go of the lock of all connections before detach takes it.
    DetachLeavesLinks,
    // Steps of a sender that pins its peer, and waits at its buffer (`receive-buffer`).
    /// Taking the reference on the peer, by which it is pinned.
    PinTake,
    /// Giving it back.
    PinRele,
    /// One reference on the peer, however often the sender waits.
    PinOnce,
    /// Looking, with the peer's buffer locked, whether it is still the own one's peer.
    PinLookAgain,
    /// Giving up the right to send before a sender sleeps.
    RightToWait,
    /// Waking the sender that waits at the own buffer, when something was taken out.
    WakeWriter,
    // Steps of sockets in the order of their numbers, and of sends with their own locked
    // (`endpoint-queue`).
    /// Comparing the numbers of two sockets, and not their addresses.
    NumberOrder,
    /// Knowing whom to wake before the own socket is unlocked.
    ReaderKept,
    /// Looking whether another send has left its socket, and the right to send with it.
    RightLooked,
    /// Waking whoever waits for the right to send.
    WakeWanted,
    /// Keeping the peer whose name is asked for by a reference.
    NameReference,
}

/// A place where another thread can be let in: empty in the real backends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Window {
    /// The descriptor was looked up, the socket not locked yet.
    Lookup,
    /// The own lock is dropped, the peer's not taken yet.
    Relock,
    /// The reader is about to park.
    BeforePark,
    /// Between reading the ring's tail and writing it, in the twin that drops the lock there.
    Append,
    /// A bind is announced by its flag, and nothing is locked.
    Binding,
    /// A connect is announced by its flag, and nothing is locked.
    Connecting,
    /// A connect has found the socket of the name, and holds the name alone.
    NameFound,
    /// A connect is done but for locking its own socket again.
    Connected,
    /// A connection was parted, and the peer is unlocked.
    Parted,
    /// The bytes are copied in, the socket is still unlocked.
    CopiedIn,
    /// The bytes are copied out, the socket is still unlocked.
    CopiedOut,
    /// A waiter on the lock-free path is about to make itself known.
    BeforeRegister,
    /// Room for descriptors in flight is about to be reserved.
    Reserve,
    /// It was looked up which lock a socket has, and that is not taken yet.
    LockRead,
    /// An accept has a connection, and is about to take the lock that it gets.
    Accepting,
    /// One end of a connection has the lock that the other one gets next.
    HalfSwitched,
    /// A parting, or a connect, is about to sleep, and has one lock left.
    LinkSleeps,
    /// A send has read which socket its peer is, and has not locked it yet.
    PeerRead,
    /// What is left in a buffer was read, and is not accounted yet.
    Account,
    /// A message lies at the peer, and its sender has not been told how full that is.
    Appended,
    /// A receive has taken what it wants, and is about to look what is left.
    Accounting,
    /// A sender has pinned its peer, and nothing is locked.
    Pinned,
    /// The receive side of a socket that is parted has ended, and nothing else has.
    EndedHere,
}

/// What a backend leaves out.
pub(crate) trait Fault: Send + Sync + 'static {
    /// The twin's name; none for the real backends.
    const TWIN: Option<&'static str> = None;

    /// Whether this step is left out.
    #[inline(always)]
    fn omits(step: Step) -> bool {
        let _ = step;
        false
    }

    /// Whether a try finds the lock taken, even if it is free: so that the way behind a try that
    /// fails can be gone at will.
    #[inline(always)]
    fn finds_taken() -> bool {
        false
    }

    /// Called inside a window.
    #[inline(always)]
    fn window(window: Window) {
        let _ = window;
    }

    /// Called where the thread goes over to something else: for a profile.
    #[inline(always)]
    fn note(event: Event) {
        let _ = event;
    }
}

/// The real backends leave out nothing.
#[derive(Debug)]
pub(crate) struct NoFault;

impl Fault for NoFault {}

/// Leaves out nothing and lets nobody in, and tells locks of type `R` what a thread goes over to:
/// only the hooks that are empty in the real backends are not empty here.
pub(crate) struct Listens<R>(PhantomData<R>);

impl<R: Listener> Fault for Listens<R> {
    #[inline(always)]
    fn window(window: Window) {
        if window == Window::Relock {
            R::note(Event::Relock);
        }
    }

    #[inline(always)]
    fn note(event: Event) {
        R::note(event);
    }
}
