//! What a layer, a lock or a workload of another crate is written with.
//!
//! * A layer is a [`Domain`]. It takes its locks by hand ([`RwLock`], [`Guarded`]), of a [`Class`],
//!   and the checker sees each of them.
//! * A lock is a [`RawMutex`]; if it has a shared mode, that is a [`RawShared`].
//! * A workload is a [`Kind`].
//!
#![doc = include_str!("../BYO.md")]

pub use lockimpls::raw::{Exclusively, RawMutex, RawShared};
pub use lockimpls::witness::{Check, Class, report_data};
pub use lockimpls::{
    Algorithm, Config, DefaultRaw, Domain, Errno, Fd, Guarded, Layer, MsgFlags, OwnLock, PoolUse,
    RecvMsg, RwLock, SendMsg, Shutdown, SockAddr, SockOpt, SockType, WaitStrategy,
};
pub use workloads::{
    Event, Kind, LaneSums, Meter, Need, Parameter, Plan, Question, Values, Workload,
};

/// What a call of a layer answers.
pub type Answer<T> = Result<T, Errno>;
