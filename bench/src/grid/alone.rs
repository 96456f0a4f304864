//! One element at a time on a box, whoever started it: two `grid run`, a scheduler that knows nodes
//! and no boxes, one that outlived what started it.
//!
//! A file in the folder for temporary files is locked, and the system lets it go with the process.
//! Where it cannot be had, by another system or another user, nothing is lost but this: `collect`
//! sees elements that were measured at once, too.

use std::env;
use std::fs::{File, TryLockError};
use std::io;

use rustix::process::getuid;

use crate::tell;

/// Waits for the end of others; from then on this process is alone, until the answer is dropped. A
/// signal ends it while it waits, and there is nothing to undo.
#[must_use]
pub fn alone() -> Alone {
    let name = format!("solock-element-{}.lock", getuid().as_raw());
    let locked = File::create(env::temp_dir().join(name)).and_then(locked);
    Alone(locked.map_err(|error| tell!("warning: other elements here are not known: {error}")).ok())
}

fn locked(file: File) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => {
            tell!("another element is being measured on this machine; waiting for its end");
            file.lock()?;
        }
    }
    Ok(file)
}

/// While it is there no other element is measured here.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held, not read")] Option<File>);
