//! Layers of the modelled backends on locks of any algorithm, and with the locks of the kernel
//! around them: what `--lock` and `--ambient` open.
//!
//! It is the source of `lockimpls`, instantiated twice more ([`Variants::OnLock`], and that
//! [`Variants::UnderAmbient`]), and here: so what `lockimpls` compiles of a backend does not know
//! whether there is another instantiation, its machine code is the same with this crate and
//! without, and whoever asks for neither waits for none of it. With the locks of the kernel around
//! it, it is one instantiation for all algorithms, the default too. The twins have none. A program
//! with locks of its own instantiates it again, on those and these ([`open_on`]).

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
    if !config.ambient.is_empty() {
        return find::<UnderAmbient<AnyLock>>(backend)?(config);
    }
    if config.lock == Algorithm::default() {
        return (backend.open)(config);
    }
    find::<Alone<AnyLock>>(backend)?(config)
}

/// The same on raw locks of this type, which can make every algorithm that is asked for.
///
/// # Errors
/// As [`open`].
pub fn open_on<R: RawMutex>(backend: &Backend, config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.lock == Algorithm::default() {
        return open(backend, config);
    }
    let open = if config.ambient.is_empty() {
        find::<Alone<R>>(backend)?
    } else {
        find::<UnderAmbient<R>>(backend)?
    };
    open(config)
}

/// How a modelled backend is instantiated.
trait Instantiation {
    /// The backend's own type is only named in it, not compiled again.
    fn open<D: Variants<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno>;
}

/// On raw locks of this type.
struct Alone<R>(PhantomData<R>);

impl<R: RawMutex> Instantiation for Alone<R> {
    fn open<D: Variants<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
        make::<D::OnLock<R>>(config)
    }
}

/// The same with the locks of the kernel around it.
struct UnderAmbient<R>(PhantomData<R>);

impl<R: RawMutex> Instantiation for UnderAmbient<R> {
    fn open<D: Variants<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
        make::<<D::OnLock<R> as Variants>::UnderAmbient>(config)
    }
}

fn find<I: Instantiation>(backend: &Backend) -> Result<Open, Errno> {
    let mut find = Find { name: backend.name, found: None, by: PhantomData::<I> };
    visit_all(&mut find);
    find.found.ok_or(Errno::Eopnotsupp)
}

/// Looks for the modelled backend of this name.
struct Find<I> {
    name: &'static str,
    found: Option<Open>,
    by: PhantomData<I>,
}

impl<I: Instantiation> Visitor for Find<I> {
    fn visit<D: Variants<Sock = Fd>>(&mut self) {
        if D::MODELLED && D::NAME == self.name {
            self.found = Some(I::open::<D>);
        }
    }
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}
