//! The other instantiations of a layer of this crate.

use crate::domain::Domain;
use crate::fault::Listener;
use crate::primitives::RawMutex;

/// A layer that is compiled again with something else around it, or on other locks, from the same
/// source. A layer of another crate is what it is.
pub trait Variants: Domain {
    /// The same with the locks of the kernel around it. `Self` where there are none; then
    /// [`Domain::new`] refuses what [`Config::ambient`](crate::Config::ambient) asks for.
    type UnderAmbient: Domain<Sock = Self::Sock>;
    /// The same on raw locks of this type, which must be what
    /// [`Config::lock`](crate::Config::lock) names, or make it. `Self` where the layer has no locks
    /// of its own; then [`Domain::new`] refuses any but the default.
    type OnLock<R: RawMutex>: Variants<Sock = Self::Sock>;
    /// The same with locks made of `R`, and its threads tell `R` what they go over to. `Self` where
    /// the layer has no locks of its own.
    type OnListener<R: Listener>: Domain<Sock = Self::Sock>;
}
