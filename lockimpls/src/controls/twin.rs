//! What the twins share: how a fault is declared, and the words of their programs.

use std::sync::OnceLock;

use super::stage;
use crate::ambient::Kernel;
use crate::backend::endpoint_queue::EndpointPolicy;
use crate::backend::global::GlobalPolicy;
use crate::backend::lock_free::LockFreeLayer;
use crate::backend::per_buffer::BufferPolicy;
use crate::backend::per_pair::PairPolicy;
use crate::backend::per_socket::{LockAlone, SocketPolicy};
use crate::backend::per_socket_try::Tries;
use crate::backend::per_socket_wait::Counted;
use crate::backend::receive_buffer::PinPolicy;
use crate::backend::shared_link::LinkPolicy;
use crate::backend::state_queue::QueuePolicy;
use crate::checked::Checked;
use crate::domain::{Config, Domain, MsgFlags, RecvMsg, SendMsg, SockAddr, SockType};
use crate::errno::Errno;
use crate::fault::{Fault, Step, Window};
use crate::uipc::Locked;
use crate::witness::{self, Check};

/// What [`NAME`](crate::domain::Domain::NAME) is for every twin.
pub const TWIN: &str = "twin";

/// The backend that most twins are broken versions of.
pub(super) type PerSocket = Locked<SocketPolicy<Injected>>;
/// The one that tries its peer first.
pub(super) type PerSocketTry = Locked<SocketPolicy<Injected, Tries>>;
/// The one whose partings wait.
pub(super) type PerSocketWait = Locked<SocketPolicy<Injected, Counted>>;
/// `per-socket` with the locks of the kernel around it.
pub(super) type UnderKernel = Locked<SocketPolicy<Injected, LockAlone, Kernel>>;
/// The one whose partings wait, with the same around it.
pub(super) type WaitUnderKernel = Locked<SocketPolicy<Injected, Counted, Kernel>>;
/// The backend without locks on the way of data.
pub(super) type LockFree = LockFreeLayer<Injected>;
/// The backend with locks for each buffer.
pub(super) type PerBuffer = Locked<BufferPolicy<Injected>>;
/// The backend with a lock for each connection.
pub(super) type PerPair = Locked<PairPolicy<Injected>>;
/// The backend whose senders lock their peer alone.
pub(super) type StateQueue = Locked<QueuePolicy<Injected>>;
/// The backend with a lock for all links.
pub(super) type SharedLink = Locked<LinkPolicy<Injected>>;
/// The same with the locks of the kernel around it.
pub(super) type LinkUnderKernel = Locked<LinkPolicy<Injected, Kernel>>;
/// The backend whose senders hold their peer's receive buffer alone.
pub(super) type ReceiveBuffer = Locked<PinPolicy<Injected>>;
/// The backend whose senders have their own socket and their peer's queue.
pub(super) type EndpointQueue = Locked<EndpointPolicy<Injected>>;
/// The backend with one lock.
pub(super) type Global = Locked<GlobalPolicy<Injected>>;

/// The fault of all twins: which step is left out is chosen when the process begins, so that there
/// is one compiled twin of each backend, however many bugs there are.
#[derive(Debug)]
pub(crate) struct Injected;

/// What was chosen: [`Injected`] reads it at every step.
static CHOSEN: OnceLock<Chosen> = OnceLock::new();

/// The step left out, if any, and the window in which something happens: where none is chosen, the
/// one that the stage is armed for.
struct Chosen {
    step: Option<Step>,
    window: Option<Window>,
    in_window: fn(),
}

impl Fault for Injected {
    const TWIN: Option<&'static str> = Some(TWIN);

    #[inline]
    fn omits(step: Step) -> bool {
        CHOSEN.get().is_some_and(|chosen| chosen.step == Some(step))
    }

    /// Where something is to happen in a relock, there is one.
    #[inline]
    fn finds_taken() -> bool {
        CHOSEN.get().is_some_and(|chosen| {
            chosen
                .window
                .map_or_else(|| stage::is_armed_for(Window::Relock), |it| it == Window::Relock)
        })
    }

    #[inline]
    fn window(window: Window) {
        if let Some(chosen) = CHOSEN.get()
            && chosen.window.map_or_else(|| stage::is_armed_for(window), |it| it == window)
        {
            (chosen.in_window)();
        }
    }
}

/// How a twin differs from its backend.
#[derive(Clone, Copy)]
pub(super) struct Injection {
    /// The step it leaves out.
    pub(super) step: Step,
    /// The window in which something happens, in the twin and (if it is not another one) in the
    /// backend without the fault.
    pub(super) window: Option<Window>,
    pub(super) clean_window: Option<Window>,
    /// What happens there: another thread is let in.
    pub(super) in_window: fn(),
}

impl Injection {
    /// A step that is left out; and another thread is let in where the stage is armed for a window.
    pub(super) const fn of(step: Step) -> Injection {
        Injection { step, window: None, clean_window: None, in_window: stage::let_in }
    }

    /// The same, with another thread let in at a window.
    pub(super) const fn at(step: Step, window: Window) -> Injection {
        Injection { window: Some(window), clean_window: Some(window), ..Injection::of(step) }
    }

    /// Chooses it for this process, or the backend without it.
    pub(super) fn choose(&self, is_broken: bool) {
        let chosen = Chosen {
            step: is_broken.then_some(self.step),
            window: if is_broken { self.window } else { self.clean_window },
            in_window: self.in_window,
        };
        assert!(CHOSEN.set(chosen).is_ok(), "a process has one twin");
    }
}

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
