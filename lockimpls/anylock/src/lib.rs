//! Layers of the modelled backends on locks of any algorithm: what `--lock` opens.
//!
//! It is the source of `lockimpls`, instantiated once more ([`Variants::OnLock`]), and here: so what
//! `lockimpls` compiles of a backend does not know whether there is another instantiation, and its
//! machine code is the same with this crate and without. The twins have none. A program with locks
//! of its own instantiates it again, on those and these ([`open_on`]).

use std::marker::PhantomData;

use lockimpls::raw::{AnyLock, RawMutex};
use lockimpls::{
    Algorithm, Backend, Checked, Config, Domain, Errno, Fd, Layer, Variants, Visitor, visit_all,
};

/// Makes a layer.
type Open = fn(&Config) -> Result<Box<dyn Layer>, Errno>;

/// A layer with no sockets of this backend, whose locks are of the algorithm that the configuration
/// names: the backend's own where that is the default.
///
/// # Errors
/// As [`Domain::new`]; `EOPNOTSUPP` for another algorithm where the backend is none of the modelled
/// ones.
pub fn open(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    open_on::<AnyLock>(backend, config)
}

/// The same on raw locks of this type, which can make every algorithm that is asked for.
///
/// # Errors
/// As [`open`].
pub fn open_on<R: RawMutex>(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.lock == Algorithm::default() {
        return (backend.open)(config);
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
            self.found = Some(on_lock::<D, R>);
        }
    }
}

/// The backend's own type is only named here, not compiled again.
fn on_lock<D: Variants<Sock = Fd>, R: RawMutex>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.ambient.is_empty() {
        make::<D::OnLock<R>>(config)
    } else {
        make::<<D::OnLock<R> as Variants>::UnderAmbient>(config)
    }
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}
