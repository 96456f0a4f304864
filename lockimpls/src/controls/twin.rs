//! What the twins share: how a fault is declared, and the words of their programs.

use super::stage;
use crate::backend::lock_free::LockFreeLayer;
use crate::backend::per_socket::SocketPolicy;
use crate::checked::Checked;
use crate::domain::{Config, Domain, MsgFlags, RecvMsg, SendMsg, SockAddr, SockType};
use crate::errno::Errno;
use crate::uipc::Locked;
use crate::witness::{self, Check};

/// The backend that most twins are broken versions of.
pub(super) type PerSocket<F> = Locked<SocketPolicy<F>>;
/// The backend without locks on the way of data.
pub(super) type LockFree<F> = LockFreeLayer<F>;

/// Declares a fault: its type (`BROKEN` or not), the twin's name, the step that is left out, and
/// the window at which both let another thread in, if there is one.
macro_rules! fault {
    ($(#[$about:meta])* $type:ident, $name:literal, $step:ident $(, $window:ident)?) => {
        $(#[$about])*
        struct $type<const BROKEN: bool>;

        impl<const BROKEN: bool> crate::fault::Fault for $type<BROKEN> {
            const TWIN: Option<&'static str> = if BROKEN { Some($name) } else { None };

            #[inline(always)]
            fn omits(step: crate::fault::Step) -> bool {
                BROKEN && matches!(step, crate::fault::Step::$step)
            }

            $(fn window(window: crate::fault::Window) {
                if window == crate::fault::Window::$window {
                    crate::controls::stage::let_in();
                }
            })?
        }
    };
}

/// A marked line of this crate's source.
macro_rules! at {
    ($file:literal, $mark:literal) => {
        crate::controls::At::Line(
            concat!("lockimpls/src/", $file),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/", $file)),
            $mark,
        )
    };
}

pub(super) use {at, fault};

/// A new layer.
pub(super) fn layer<D: Domain>() -> Checked<D> {
    layer_of(&Config::default())
}

/// A new layer of these sizes.
pub(super) fn layer_of<D: Domain>(config: &Config) -> Checked<D> {
    Checked::new(config).unwrap_or_else(|errno| panic!("no layer: {errno}"))
}

/// A socket bound to a name.
pub(super) fn bound<D: Domain>(layer: &Checked<D>, kind: SockType, path: &str) -> D::Sock {
    let s = layer.socket(kind).expect("socket");
    layer.bind(s, &name(path)).expect("bind");
    s
}

/// A name.
pub(super) fn name(path: &str) -> SockAddr {
    SockAddr::new(path).expect("name")
}

/// Sends one byte.
pub(super) fn send_byte<D: Domain>(layer: &Checked<D>, s: D::Sock) -> Result<usize, Errno> {
    layer.send(s, b"x", MsgFlags::empty())
}

/// Sends one byte and descriptors.
pub(super) fn send_rights<D: Domain>(
    layer: &Checked<D>,
    s: D::Sock,
    rights: &[D::Sock],
) -> Result<usize, Errno> {
    layer.sendmsg(s, &SendMsg { to: None, data: b"x", rights, flags: MsgFlags::empty() })
}

/// What can be received at once: how many bytes.
pub(super) fn receive<D: Domain>(layer: &Checked<D>, s: D::Sock) -> Result<usize, Errno> {
    layer.recv(s, &mut [0; 16], MsgFlags::DONTWAIT)
}

/// Receives a message and the descriptor in it, if there is one.
pub(super) fn receive_right<D: Domain>(layer: &Checked<D>, s: D::Sock) -> Option<D::Sock> {
    let (mut data, mut rights) = ([0; 16], [None]);
    let mut msg = RecvMsg::with_rights(&mut data, &mut rights, MsgFlags::DONTWAIT);
    layer.recvmsg(s, &mut msg).ok()?;
    rights[0]
}

/// Closes all of them, and looks whether anything is left.
pub(super) fn close_all<D: Domain>(layer: &Checked<D>, sockets: &[D::Sock]) {
    stage::end();
    for s in sockets {
        layer.close(*s).expect("close");
    }
    layer.check_end();
}

/// Reports what a program found wrong; the report points to the caller.
#[track_caller]
pub(super) fn verify<D: Domain>(check: Check, is_right: bool, what: &str) {
    if !is_right {
        witness::report_data(check, 1, D::NAME, what);
    }
}
