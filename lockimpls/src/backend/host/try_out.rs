//! Whether the surroundings let the machine's sockets work: a folder for their names, and enough
//! descriptors for what programs open. Where they do not, what calls answer is no statement about
//! the machine's layer.

use super::layer::Host;
use super::names::base;
use crate::domain::{Config, Domain, SockAddr, SockType};
use crate::errno::Errno;

/// How many descriptors must be free: more than any program, or workload of the usual size, has
/// open.
const DESCRIPTORS: usize = 400;

/// Makes what layers need, and takes it away again.
///
/// # Errors
/// What is refused, why, and what to do.
pub(super) fn try_out() -> Result<(), String> {
    let few = |errno| {
        format!(
            "host needs {DESCRIPTORS} free descriptors, and this process may not open them: {}; \
             raise `ulimit -n`",
            said(errno)
        )
    };
    let layer = Host::new(&Config::default()).map_err(few)?;
    let socket = layer.socket(SockType::Stream).map_err(few)?;
    let name = SockAddr::new(b"try-out").map_err(few)?;
    layer.bind(socket, &name).map_err(|errno| {
        format!(
            "host gives its sockets names in {}, and cannot: {}; name another folder in TMPDIR",
            base().display(),
            said(errno)
        )
    })?;
    (0..DESCRIPTORS).try_for_each(|_| layer.dup(socket).map(drop)).map_err(few)
}

/// An error in the machine's own words.
fn said(errno: Errno) -> String {
    std::io::Error::from_raw_os_error(errno.code()).to_string()
}
