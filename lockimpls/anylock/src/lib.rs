//! Layers of the modelled backends on locks of any algorithm: what `--lock` opens.
//!
//! It is the source of `lockimpls`, instantiated once more ([`Variants::OnLock`]), and here: so
//! what `lockimpls` compiles of a backend does not know whether there is another instantiation, and
//! its machine code is the same with this crate and without. The twins have none.

use lockimpls::raw::AnyLock;
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
    if config.lock == Algorithm::default() {
        return (backend.open)(config);
    }
    let mut find = Find { name: backend.name, found: None };
    visit_all(&mut find);
    find.found.ok_or(Errno::Eopnotsupp)?(config)
}

/// Looks for the modelled backend of this name.
struct Find {
    name: &'static str,
    found: Option<Open>,
}

impl Visitor for Find {
    fn visit<D: Variants<Sock = Fd>>(&mut self) {
        if D::MODELLED && D::NAME == self.name {
            self.found = Some(on_any_lock::<D>);
        }
    }
}

/// The backend's own type is only named here, not compiled again.
fn on_any_lock<D: Variants<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    if config.ambient.is_empty() {
        make::<D::OnLock<AnyLock>>(config)
    } else {
        make::<<D::OnLock<AnyLock> as Variants>::UnderAmbient>(config)
    }
}

fn make<D: Domain<Sock = Fd>>(config: &Config) -> Result<Box<dyn Layer>, Errno> {
    Ok(Box::new(Checked::<D>::new(config)?))
}
