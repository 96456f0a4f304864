//! Controls of sleeping and waking.

use std::sync::Arc;

use super::{At, Control, stage};
use crate::backend::per_socket::SocketPolicy;
use crate::checked::Checked;
use crate::domain::{Config, Domain, MsgFlags, SockType, WaitStrategy};
use crate::fault::{Fault, Step, Window};
use crate::uipc::Locked;
use crate::witness::Check;

type PerSocket<F> = Locked<SocketPolicy<F>>;

/// The reader is not woken after an append.
pub(super) struct LostWakeup<const BROKEN: bool>;

/// The backend with that fault.
pub(super) type LostWakeupTwin = PerSocket<LostWakeup<true>>;

impl<const BROKEN: bool> Fault for LostWakeup<BROKEN> {
    const TWIN: Option<&'static str> = if BROKEN { Some("lost-wakeup") } else { None };

    #[inline(always)]
    fn omits(step: Step) -> bool {
        BROKEN && matches!(step, Step::WakeReader)
    }

    fn window(window: Window) {
        if window == Window::BeforePark {
            stage::about_to_park();
        }
    }
}

pub(super) const LOST_WAKEUP: Control = Control {
    name: "lost-wakeup",
    bug: "the reader is not woken after an append",
    check: Check::Hang,
    operation: "sys_recvfrom",
    at: At::Line(
        "lockimpls/src/uipc/receive.rs",
        include_str!("../uipc/receive.rs"),
        "// control: the parked reader",
    ),
    twin: wake_parked_reader::<LostWakeupTwin>,
    clean: wake_parked_reader::<PerSocket<LostWakeup<false>>>,
};

/// A reader parks, then a byte is sent.
fn wake_parked_reader<D: Domain>() {
    let config = Config { wait: WaitStrategy::Park, ..Config::default() };
    let layer: Arc<Checked<D>> = Arc::new(Checked::new(&config).expect("layer"));
    let (a, b) = layer.socketpair(SockType::Stream).expect("socketpair");
    let other = Arc::clone(&layer);
    let reader = std::thread::spawn(move || {
        assert_eq!(other.recv(b, &mut [0; 8], MsgFlags::empty()), Ok(1));
    });
    stage::await_parker();
    assert_eq!(layer.send(a, b"x", MsgFlags::empty()), Ok(1));
    reader.join().expect("the reader");
    layer.close(a).expect("close");
    layer.close(b).expect("close");
    layer.check_end();
}
