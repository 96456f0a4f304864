//! Layers of the modelled backends on locks that keep a profile: what `solock profile` opens.
//!
//! It is the source of `lockimpls`, instantiated once more ([`Variants::OnListener`]) with a lock
//! that listens ([`Listener`](lockimpls::raw::Listener)). So what `lockimpls` compiles of a backend
//! does not know of it, and a run that measures operations pays nothing.
//!
//! Each thread keeps its own profile, from [`begin`] to [`take`]: per place of acquisition what
//! lock_stat has per class (how often a lock was taken, waited for, taken after another thread; how
//! long was waited, how long it was held), histograms of both per class, and what the time was
//! spent on. No cache line is shared for it but the lock's own.
//!
//! # What it costs
//!
//! A reading of the clock where a lock is wanted and not free, where it is taken and before it is
//! released; two around each copy; and the sums, after the release. So every hold contains about
//! one reading of the clock, every lock pair costs more than it does in a run, and locks that many
//! want are wanted by more. [`lock_pairs`] is for measuring that. No throughput is read off such a
//! layer.

mod lock;
mod profile;
mod recorder;

use std::marker::PhantomData;

use lockimpls::raw::{AnyLock, RawMutex};
use lockimpls::{
    Algorithm, Backend, Checked, Config, Domain, Errno, Fd, Layer, Variants, Visitor, calibrate,
    visit_all,
};

pub use self::lock::Profiled;
pub use self::profile::{Histograms, Part, Place, Profile, Spent, Times};
pub use self::recorder::{begin, finish, restart, take};

/// Makes a layer.
type Open = fn(&Config) -> Result<Box<dyn Layer>, Errno>;

/// A layer with no sockets of this backend, with locks of the algorithm that the configuration
/// names, which keep a profile.
///
/// # Errors
/// As [`Domain::new`]. `EOPNOTSUPP`: the backend is none of the modelled ones; or there are to be
/// locks of the kernel around it, which keep none.
pub fn open(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    open_on::<AnyLock>(backend, config)
}

/// The same on raw locks of this type, which can make every algorithm that is asked for.
///
/// # Errors
/// As [`open`].
pub fn open_on<R: RawMutex>(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if !config.ambient.is_empty() {
        return Err(Errno::Eopnotsupp);
    }
    let mut find = Find { name: backend.name, found: None, on: PhantomData::<R> };
    visit_all(&mut find);
    find.found.ok_or(Errno::Eopnotsupp)?(config)
}

/// Looks for the modelled backend of this name.
struct Find<R> {
    name: &'static str,
    found: Option<Open>,
    on: PhantomData<R>,
}

impl<R: RawMutex> Visitor for Find<R> {
    fn visit<D: Variants<Sock = Fd>>(&mut self) {
        if D::MODELLED && D::NAME == self.name {
            self.found = Some(make::<D::OnListener<Profiled<R>>>);
        }
    }
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}

/// Takes and releases a lock nobody wants, as such a layer does it; with a profile where the thread
/// has begun one. The caller takes the time.
pub fn lock_pairs(algorithm: Algorithm, pairs: u64) {
    lock_pairs_on::<AnyLock>(algorithm, pairs);
}

/// The same on raw locks of this type, as [`open_on`] has them.
pub fn lock_pairs_on<R: RawMutex>(algorithm: Algorithm, pairs: u64) {
    calibrate::lock_pairs_made_of::<Profiled<R>>(algorithm, pairs);
}
