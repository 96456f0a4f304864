//! The objects of the layer and their tables: what they hold, and which lock guards it. They know
//! no request.

pub(crate) mod descriptors;
pub(crate) mod in_flight;
pub(crate) mod mbuf;
pub(crate) mod names;
pub(crate) mod pool;
pub(crate) mod sockbuf;
pub(crate) mod socket;
