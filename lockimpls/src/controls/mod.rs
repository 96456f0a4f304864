//! The controls: backends broken on purpose, each with a program that reaches the bug.
//!
//! A checker that was never seen to fire proves nothing. A twin is a backend that leaves out one
//! step; it runs the same `uipc` code as the real one. Its program runs twice, in a process of its
//! own each time: on the twin, where the right check must find the bug at the right call and line,
//! and on the same backend without the fault, where nothing may be found. Where the bug needs
//! another thread at a certain moment, both have the same window opened,
//! so that they differ in the fault alone.
//!
//! Those whose names begin with B and a number are bugs that kernels had; `KERNEL_BUGS.md` says
//! which, and where.
//!
//! A whole layer is compiled for each kind of twin. Whoever asks for controls compiles them: what
//! names a twin is a constant of [`Control`] or inlined, and so no part of this crate's own machine
//! code, of which it would be two fifths.
//!
//! Adding one: an entry with its fault, a program, and a line in [`all`], or in [`twins`].

mod buffer;
mod collector;
mod connect;
mod control;
mod data;
mod endpoint;
mod fifo;
mod gate;
mod links;
mod locks;
mod pairs;
mod parting;
mod pinned;
mod queue;
mod relock;
mod rights;
mod sides;
mod stage;
mod tries;
mod twin;
mod waiting;

use std::sync::Once;

use crate::backend::Visitor;
use crate::domain::{Domain, Fd};
use crate::fault::{Step, Window};
use crate::layer::Backend;
use crate::witness::Check;

pub use self::control::Control;
pub use self::twin::TWIN;

/// Every control.
#[inline]
#[must_use]
pub fn all() -> Vec<Control> {
    let mut all = twins();
    all.extend([
        Control::LEAK_KERNEL_LOCK,
        Control::GATE_SHUT,
        Control::SHUTDOWN_UNSEEN,
        Control::READ_LOCKED,
        Control::WRITER_UNTOLD,
        Control::NO_PEER,
        Control::MISDELIVERY,
        Control::LISTEN_ANYWAY,
        Control::COUNTED_EARLY,
        Control::NO_REACHABILITY,
        Control::LAND_LATE,
        Control::NO_REVERSE_LOOK,
        Control::SELF_UNLOCKED,
        Control::NAME_UNLOCKED,
        Control::ADD_THEN_TEST,
        Control::SCAN_UNLOCKED,
        Control::UNWIND_TWICE,
        Control::END_LATE,
        Control::END_UNSEEN,
        Control::FINALIZE_LOCKED,
        Control::NOBUFS_HIDDEN,
        Control::LIST_LOCKED,
        Control::CONNECT_TWICE,
        Control::DISCARD_LOCKED,
        Control::FLUSH_ANYWAY,
        Control::LEAK_HEAD_REF,
        Control::STALE_MIRROR,
        Control::BIND_LOCKED,
        Control::NO_FIRST_VALUE,
        Control::NO_RETEST,
        Control::SELF_LOCKED,
        Control::PART_ALONE,
        Control::NO_EMBRYOS,
        Control::READ_UNLOCKED,
        Control::REFUSED_LOCKED,
        Control::NO_SECOND_LOOK,
        Control::SIDES_REVERSED,
        Control::END_UNGUARDED,
        Control::PART_UNLOCKED,
        Control::HALF_SWITCHED,
        Control::SWITCHED_WITHOUT_OLD,
        Control::SWITCHED_WITHOUT_NEW,
        Control::SHARED_TAKEN_ALONG,
        Control::NOT_WAITED,
        Control::NOT_COUNTED,
        Control::NOT_WOKEN,
        Control::SLEEPS_LATE,
        Control::TWO_PARTINGS,
    ]);
    all.extend(Control::OF_QUEUES);
    all.extend(Control::OF_LINKS);
    all.extend(Control::OF_TRIES);
    all.extend(Control::OF_PINS);
    all.extend(Control::OF_ENDPOINTS);
    all
}

/// One control for each check, the first that is no bug of a kernel: what is tried before a run, to
/// see that the checks work in this program. A lost wake-up is not among them: it takes the
/// watchdog's limit.
#[inline]
#[must_use]
pub fn quick() -> Vec<Control> {
    let mut quick: Vec<Control> = Vec::new();
    for control in all() {
        let is_new = quick.iter().all(|earlier| earlier.check != control.check);
        if is_new && control.check != Check::Hang && !control.is_numbered() {
            quick.push(control);
        }
    }
    quick
}

/// The controls whose twins are wrong in any program that gets there, not in their control's alone.
#[inline]
#[must_use]
pub fn twins() -> Vec<Control> {
    vec![
        Control::LEAK_NOBUFS,
        Control::ORDER,
        Control::NO_RECHECK,
        Control::LEAK_REF,
        Control::NO_LOCK,
        Control::LEAK_MESSAGE,
        Control::LOST_WAKEUP,
        Control::LEAK_GATE,
        Control::NOT_LOOKED_AGAIN,
    ]
}

/// Calls the visitor for one of the [`twins`], by its control's name, which this process then has:
/// there can be no other.
pub fn visit_twin(name: &str, visitor: &mut impl Visitor) {
    if let Some(control) = twins().into_iter().find(|control| control.name == name) {
        control.fault.choose(true);
        if name == Control::LEAK_GATE.name {
            visitor.visit::<twin::LockFree>();
        } else if name == Control::NOT_LOOKED_AGAIN.name {
            visitor.visit::<twin::PerPair>();
        } else {
            visitor.visit::<twin::PerSocket>();
        }
    }
}

/// One of the [`twins`], as [`visit_twin`] has it, without its type.
#[inline]
#[must_use]
pub fn twin(name: &str) -> Option<Backend> {
    struct Found(Option<Backend>);

    impl Visitor for Found {
        fn visit<D: Domain<Sock = Fd>>(&mut self) {
            self.0 = Some(Backend::of::<D>());
        }
    }

    let mut found = Found(None);
    visit_twin(name, &mut found);
    found.0
}

/// Calls the visitor for the three backends that have a lock for each socket, and look again after
/// a relock. They are not broken; but [`in_next`] lets another thread in, for cases that depend on
/// a moment. A process that has them can have no twin.
pub fn visit_staged(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::PerSocket>();
    visitor.visit::<twin::LockFree>();
    visitor.visit::<twin::PerSocketTry>();
}

/// The same for the backend that tries its peer first, and where a connect waits for a relock.
pub fn visit_trying(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::PerSocketTry>();
}

/// The same for the backend on which a parting waits for a relock.
pub fn visit_waiting(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::PerSocketWait>();
}

/// The same for the one where the lock of a socket can be another one.
pub fn visit_switching(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::PerPair>();
}

/// The same for the one where a send holds nothing of its own socket.
pub fn visit_sending_unlocked(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::StateQueue>();
}

/// The same for one with a lock for each socket, with the locks of the kernel around the layer.
pub fn visit_under_kernel(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::UnderKernel>();
}

/// The same for the one where a parting waits, with those locks around the layer.
pub fn visit_waiting_under_kernel(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::WaitUnderKernel>();
}

/// The same for the one with a lock of all links, with those locks around the layer.
pub fn visit_linked_under_kernel(visitor: &mut impl Visitor) {
    begin_staged();
    visitor.visit::<twin::LinkUnderKernel>();
}

fn begin_staged() {
    static ONCE: Once = Once::new();
    // Nothing is left out: which step is named does not matter.
    ONCE.call_once(|| twin::Injection::of(Step::EndRecheck).choose(false));
    stage::disarm();
}

/// When another thread is let in.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// A request has dropped its socket's lock to take its peer's first.
    Relock,
    /// A bind is announced by its flag, and nothing is locked.
    Binding,
    /// A connect, or an addressed send, is announced by its flag, and nothing is locked.
    Connecting,
    /// The same, when it has its peer or has failed.
    Connected,
    /// A receive has copied, and not locked its socket again: it has the right to drain the buffer.
    CopiedOut,
    /// A receive is about to account what it has left to its sender, where the two sides are apart:
    /// it has its own socket locked, and no side.
    Accounting,
    /// A call has read which lock its socket has, and not taken it.
    LockRead,
    /// A send has read which socket its peer is, and not locked that.
    PeerRead,
}

/// What another thread does when a request on such a backend next comes to this moment. The request
/// goes on when that is done, or has to wait for something.
pub fn in_next(moment: Moment, action: impl FnOnce() + Send + 'static) {
    let window = match moment {
        Moment::Relock => Window::Relock,
        Moment::Binding => Window::Binding,
        Moment::Connecting => Window::Connecting,
        Moment::Connected => Window::Connected,
        Moment::CopiedOut => Window::CopiedOut,
        Moment::Accounting => Window::Accounting,
        Moment::LockRead => Window::LockRead,
        Moment::PeerRead => Window::PeerRead,
    };
    stage::arm_for(window, action);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::control::line_at;
    use super::*;
    use crate::child;
    use crate::witness::{Check, EXIT_FINDING, report_panic, set_finding_hook};

    /// The child's side: a control's name, after `twin` or `clean`.
    const ASKED: &str = "SOLOCK_TEST_CONTROL";

    #[test]
    fn one_side() {
        let Ok(asked) = std::env::var(ASKED) else { return };
        let (side, name) = asked.split_once(' ').unwrap();
        let control = all().into_iter().find(|control| control.name == name).unwrap();
        child::begin();
        set_finding_hook(|found| {
            eprintln!("found {:?} {} at {}", found.check, found.operation, found.at);
        });
        let run = || if side == "twin" { control.run_twin() } else { control.run_clean() };
        if std::panic::catch_unwind(run).is_err() {
            report_panic("the program; its message is above");
        }
    }

    /// Runs one side of a control in a process of its own.
    fn run(side: &str, name: &str) -> (Option<i32>, String) {
        child::run("controls::tests::one_side", ASKED, &format!("{side} {name}"))
    }

    #[test]
    fn a_way_leads_to_a_line() {
        let text = [
            "at: \"fn b(\", \"x()\"",
            "fn a() {",
            "    x();",
            "}",
            "fn b() {",
            "    y();",
            "    x();",
            "}",
        ]
        .join("\n");
        let line_at = |way: &[&str]| line_at(&text, way);
        assert_eq!(line_at(&["fn a(", "x()"]), Some(3));
        assert_eq!(line_at(&["fn b(", "x()"]), Some(7));
        assert_eq!(line_at(&["fn a(", "y()", "x()"]), Some(7));
        assert_eq!(line_at(&["fn b(", "z()"]), None);
    }

    #[test]
    fn every_way_leads_to_a_line() {
        for control in all() {
            assert!(!control.expected_at().ends_with(":0:"), "{}", control.name);
        }
    }

    #[test]
    fn every_bug_of_a_kernel_has_its_row() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
        let names: Vec<_> = all().iter().map(|control| control.name).collect();
        // The one without a number in its name is B01.
        let is_bug = |name: &&&str| name.starts_with('B') || **name == Control::LEAK_NOBUFS.name;
        let bugs: BTreeSet<_> =
            names.iter().filter(is_bug).map(|name| (*name).to_owned()).collect();
        let told = read("KERNEL_BUGS.md");
        let rows = told.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        assert_eq!(rows.map(|(name, _)| name.to_owned()).collect::<BTreeSet<_>>(), bugs);
        let fifos = names.iter().filter(|name| name.starts_with("fifo-")).count();
        let (all, bugs) = (names.len(), bugs.len());
        let counts =
            format!("| {all} controls, {bugs} of them bugs of kernels, {fifos} of fifos |");
        assert!(read("CHECKED.md").contains(&counts), "CHECKED.md: {counts}");
    }

    #[test]
    fn each_twin_is_caught_and_its_backend_is_clean() {
        // A lost wake-up is found by a watchdog, which is not here.
        for control in all().into_iter().filter(|control| control.check != Check::Hang) {
            let (code, said) = run("twin", control.name);
            let (operation, at) = (control.operation, control.expected_at());
            let found = format!("found {:?} {operation} at {at}", control.check);
            assert_eq!(code, Some(EXIT_FINDING), "{}: {said}", control.name);
            assert!(said.contains(&found), "{}: {said}", control.name);
            let (code, said) = run("clean", control.name);
            assert_eq!(code, Some(0), "{}: {said}", control.name);
        }
    }
}
