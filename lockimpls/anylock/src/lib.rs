//! Layers of the modelled backends on locks of any algorithm, and with the locks of the kernel
//! around them: what `--lock` and `--ambient` open.
//!
//! It is the source of `lockimpls`, instantiated once more ([`Variants::OnLock`], and that
//! [`Variants::UnderAmbient`]), and here: so what `lockimpls` compiles of a backend does not know
//! whether there is another instantiation, its machine code is the same with this crate and
//! without, and whoever asks for neither waits for none of it. It is one instantiation for all
//! algorithms, with the locks of the kernel around it and without: a layer asks each lock which one
//! it is, and itself which locks of the kernel it takes. The twins have none. A program with locks
//! of its own instantiates it again, on those and these ([`open_on`]).

use std::marker::PhantomData;

use lockimpls::raw::{AnyLock, RawMutex};
use lockimpls::{
    Algorithm, Backend, Checked, Config, Domain, Errno, Fd, Layer, Variants, Visitor, visit_all,
};

/// Makes a layer.
type Open = fn(&Config) -> Result<Box<dyn Layer>, Errno>;

/// A layer with no sockets of this backend, whose locks are of the algorithm that the configuration
/// names, with the locks of the kernel around it that it names: the backend's own where that is the
/// default and none.
///
/// # Errors
/// As [`Domain::new`]; `EOPNOTSUPP` for another algorithm, and for locks around it, where the
/// backend is none of the modelled ones.
pub fn open(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.ambient.is_empty() && config.lock == Algorithm::default() {
        return (backend.open)(config);
    }
    find::<AnyLock>(backend)?(config)
}

/// The same on raw locks of this type, which can make every algorithm that is asked for.
///
/// # Errors
/// As [`open`].
pub fn open_on<R: RawMutex>(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.lock == Algorithm::default() {
        return open(backend, config);
    }
    find::<R>(backend)?(config)
}

fn find<R: RawMutex>(backend: &Backend) -> Result<Open, Errno> {
    let mut find = Find { name: backend.name, found: None, on: PhantomData::<R> };
    visit_all(&mut find);
    find.found.ok_or(Errno::Eopnotsupp)
}

/// Looks for the modelled backend of this name.
struct Find<R> {
    name: &'static str,
    found: Option<Open>,
    on: PhantomData<R>,
}

impl<R: RawMutex> Visitor for Find<R> {
    /// The backend's own type is only named in it, not compiled again.
    fn visit<D: Variants<Sock = Fd>>(&mut self) {
        if D::MODELLED && D::NAME == self.name {
            self.found = Some(make::<<D::OnLock<R> as Variants>::UnderAmbient>);
        }
    }
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}
