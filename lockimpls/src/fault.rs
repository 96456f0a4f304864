//! Deliberate faults: how a broken twin of a backend differs from the real one.
//!
//! A backend is generic over a [`Fault`]; the real one has [`NoFault`], whose hooks are constants
//! that the compiler removes. A twin leaves out one [`Step`], or lets another thread in at one
//! [`Window`]. Everything else, the whole of `uipc` included, is the same source.

#[cfg(test)]
pub(crate) mod met;

/// A step of a request that a twin can leave out. Each unlock names its own, so that each can be
/// left out alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub(crate) enum Step {
    // Unlocks of the socket a request was made on, by request and exit.
    /// A descriptor that was closed meanwhile.
    LookupStale,
    SocketpairFirst,
    SocketpairSecond,
    SocketpairPair,
    SocketDone,
    Bind,
    BindResolve,
    BindTaken,
    BindDone,
    ListenDone,
    ConnectDone,
    ConnectResolve,
    ConnectName,
    ConnectPair,
    ConnectStreamPair,
    ConnectHeadRefused,
    ConnectHeadToPair,
    NewconnHead,
    NewconnAttach,
    NewconnEmbryo,
    NewconnRefused,
    ConnectedEmbryo,
    ConnectedHead,
    AcceptError,
    AcceptHead,
    AcceptEmbryo,
    AcceptPeer,
    SendDone,
    SendInternalize,
    SendCopy,
    SendPeer,
    /// The historical one: the peer, on the exit where the message may not go to it: ENOBUFS, and EPIPE
    /// where the stream ended during the relock.
    SendNobufsPeer,
    DgramPeer,
    DgramNobufsPeer,
    ReceiveDone,
    ReceiveCopy,
    ReceiveRights,
    ReceivePeer,
    ShutdownDone,
    ShutdownPeer,
    DisconnectPeer,
    CloseDeferred,
    CloseEmbryo,
    CloseHead,
    CloseDone,
    DetachList,
    DetachName,
    DetachPeer,
    DetachFinalize,
    SofreeFinal,
    AbortFinal,
    AttachList,
    NameDone,
    PeernameDone,
    PeernamePeer,
    OptionDone,
    OptionRead,
    NonblockDone,
    Sleep,
    // Of a fifo's sockets and its vnode.
    FifoCreated,
    FifoCleared,
    FifoOpened,
    FifoReceive,
    FifoReceived,
    FifoRead,
    FifoSend,
    FifoSent,
    FifoWritten,
    FifoLastReader,
    FifoLastWriter,
    FifoClosed,
    FifoSleep,
    // The two-lock dances.
    /// The own lock, dropped so that the lower address comes first.
    RelockOwn,
    /// The peer, when it turned out to be another one.
    RelockChanged,
    RelockReferrerOwn,
    ReferrerChanged,
    // Other classes of lock.
    NamesLookup,
    NamesRelease,
    NamesTaken,
    NamesCreate,
    NamesUnlink,
    VnodeBind,
    VnodeConnect,
    VnodeDetach,
    FdAllocate,
    FdSocket,
    FdSocketpair,
    FdAccept,
    FdDup,
    FdRelease,
    FdReleaseStale,
    FdExternalize,
    FdExternalizeFull,
    FdInternalize,
    GcInternalize,
    GcExternalize,
    GcAttach,
    GcDetach,
    GcBusy,
    GcToDeferred,
    GcScan,
    GcScanSocket,
    GcScanEmbryo,
    GcDropEmbryo,
    GcUsed,
    GcUnwind,
    GcDropRights,
    GcDiscard,
    DeferredPush,
    DeferredPop,
    DeferredToGc,
    RightsReserve,
    RightsRefuse,
    RightsRelease,
    PoolSocketGet,
    PoolSocketPut,
    PoolMbufGet,
    PoolMbufPut,
    // The locks of the kernel around the layer.
    KernelBind,
    KernelUnlink,
    KernelListen,
    KernelShutdown,
    KernelSetsockopt,
    KernelGetsockopt,
    KernelConnect,
    KernelDetach,
    KernelExternalize,
    KernelSigpipe,
    KernelSelwakeup,
    // Flags and references that are held like locks.
    SblockSend,
    SblockSendWait,
    SblockSendError,
    SblockReceive,
    SblockReceiveWait,
    SblockReceiveEnd,
    SblockReceiveError,
    SblockFlush,
    UnpRefRelock,
    UnpRefChanged,
    UnpRefReferrer,
    UnpRefReferrerChanged,
    /// Leaving the lock-free path.
    InUse,
    /// Leaving the locked path to wait.
    AwaitUnlock,
    ReopenPeer,
    ReopenOwn,
    ReopenRefused,
    ReopenRefusedPeer,
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
    /// Giving the count of external references its first value.
    GcrefsInit,
    /// Scanning the buffers of a listener's embryos.
    GcEmbryos,
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

    /// Called inside a window.
    #[inline(always)]
    fn window(window: Window) {
        let _ = window;
    }
}

/// The real backends leave out nothing.
#[derive(Debug)]
pub(crate) struct NoFault;

impl Fault for NoFault {}
