//! The algorithms under the layer's lock: exclusive locks that know neither classes nor owners.
//!
//! | name | waits by | after |
//! |---|---|---|
//! | `parking-lot` | spinning, then sleep | `parking_lot`'s `RawRwLock`, exclusively: the default |
//!
//! rwlock(9) is taken exclusively alone, as unix(4) does: no lock here has readers.

pub use crate::primitives::RawMutex;
