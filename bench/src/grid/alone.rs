//! One element at a time on a box, whoever started it: two users, two `grid run`, a scheduler that
//! knows nodes and no boxes, an element that outlived what started it.
//!
//! What says so must be the same for all of them, and for no other box. A file is not: folders for
//! temporary files are a user's own or a job's, what lies in one that all may write can be a link
//! to somebody's file, and nodes without disks share even `/`. So it is a name among the abstract
//! sockets: the kernel's own, without a file, and let go with the process. Containers with networks
//! of their own do not see each other there, and other systems have no such names; `collect` tells
//! elements that were measured at once.

use std::env;
use std::io;

use crate::tell;

/// What the name begins with.
const NAME: &str = "solock-element";
/// For tests, whose grids wait for no other: what it says is a box of its own.
const BOX: &str = "SOLOCK_BOX";

/// Waits for the end of others; from then on this process is alone, until the answer is dropped. A
/// signal ends it while it waits, and there is nothing to undo.
#[must_use]
pub fn alone() -> Alone {
    let name = NAME.to_owned() + &env::var(BOX).unwrap_or_default();
    let owned = system::own(&name);
    Alone(owned.map_err(|error| tell!("warning: other elements here are not known: {error}")).ok())
}

/// While it is there no other element is measured here.
#[derive(Debug)]
pub struct Alone(#[expect(dead_code, reason = "held, not read")] Option<system::Owned>);

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) type Owned = ();

    pub(super) fn own(_: &str) -> std::io::Result<Owned> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io::{ErrorKind, Read as _};
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
    use std::thread;
    use std::time::Duration;

    use super::{io, tell};

    pub(super) type Owned = UnixListener;

    /// How soon it is asked again where the name's owner has just begun, or ended.
    const MOMENT: Duration = Duration::from_millis(50);

    pub(super) fn own(name: &str) -> io::Result<Owned> {
        let name = SocketAddr::from_abstract_name(name)?;
        let mut is_told = false;
        loop {
            match UnixListener::bind_addr(&name) {
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                bound => return bound,
            }
            if !is_told {
                tell!("another element is being measured on this machine; waiting for its end");
                is_told = true;
            }
            wait(&name);
        }
    }

    /// Waits for the end of the name's owner. It answers nobody, and a line to it ends with it.
    fn wait(name: &SocketAddr) {
        match UnixStream::connect_addr(name) {
            Ok(mut owner) => _ = owner.read(&mut [0]),
            // It has just ended, or does not listen yet.
            Err(_) => thread::sleep(MOMENT),
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn the_next_waits_for_the_end_of_the_first_and_no_longer() {
        let name = &format!("{NAME} test {}", std::process::id());
        let first = system::own(name).expect("nobody has it");
        let (sender, events) = channel();
        thread::scope(|scope| {
            for _ in 0..2 {
                let sender = sender.clone();
                scope.spawn(move || {
                    let _own = system::own(name).expect("waited for");
                    sender.send("the next").expect("heard");
                });
            }
            // Both have had time to ask, wherever they are.
            thread::sleep(std::time::Duration::from_millis(100));
            sender.send("the first").expect("heard");
            drop(first);
        });
        assert_eq!(events.try_iter().collect::<Vec<_>>(), ["the first", "the next", "the next"]);
    }
}
