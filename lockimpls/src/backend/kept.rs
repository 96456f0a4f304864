//! For unit tests: layers that are never freed, for another thread may still use them.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use crate::domain::{Config, Domain};

/// Where they are, so that memcheck does not call them lost.
static LAYERS: Mutex<Vec<&(dyn Any + Send + Sync)>> = Mutex::new(Vec::new());

/// A new layer.
pub(super) fn layer<D: Domain>() -> &'static D {
    let layer: &D = Box::leak(Box::new(D::new(&Config::default()).unwrap()));
    LAYERS.lock().unwrap_or_else(PoisonError::into_inner).push(layer);
    layer
}
