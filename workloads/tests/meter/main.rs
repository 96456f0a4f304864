//! What each workload times: which latencies, how many of each, stamped when, on a made-up clock.

mod paced;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Mutex;

use lockimpls::{
    Backend, Config, Errno, Fd, Layer, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr,
    SockOpt, SockType,
};
use workloads::{Event, Kind, Meter, Own, Plan, Workload};

/// How long a call takes, and a reading of the clock.
const CALL_NS: u64 = 1000;
const READING_NS: u64 = 1;

thread_local! {
    /// What this lane did, a letter each: `r` goes on, `.` may not, `k` a stamp that ends nothing;
    /// the calls as [`Logged`] has them; the events in capitals, as in [`letter`].
    static DONE: RefCell<String> = const { RefCell::new(String::new()) };
    /// The lane's clock: only calls and readings take time.
    static NOW_NS: Cell<u64> = const { Cell::new(0) };
    /// How long one call takes instead: which, counted from 1, and for how long.
    static STALL: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn did(letter: char) {
    DONE.with_borrow_mut(|done| done.push(letter));
}

fn pass(ns: u64) {
    NOW_NS.set(NOW_NS.get() + ns);
}

/// A call that takes its time.
fn call(letter: char) {
    did(letter);
    CALLS.set(CALLS.get() + 1);
    let (at, ns) = STALL.get();
    pass(if CALLS.get() == at { ns } else { CALL_NS });
}

fn letter(event: Event) -> char {
    match event {
        Event::Send => 'S',
        Event::SendHigher => 'H',
        Event::Receive => 'R',
        Event::RoundTrip => 'T',
        Event::Response => 'P',
        Event::Service => 'V',
    }
}

/// So many operations; every latency, and the clock's time of each.
struct Recording {
    left: u64,
    latencies: Vec<(Event, u64)>,
}

impl Meter for Recording {
    fn running(&mut self) -> bool {
        let on = self.left > 0;
        self.left = self.left.saturating_sub(1);
        did(if on { 'r' } else { '.' });
        on
    }

    fn lap(&mut self, event: Event) {
        did(letter(event));
    }

    fn skip(&mut self) {
        did('k');
    }

    fn now_ns(&self) -> u64 {
        pass(READING_NS);
        NOW_NS.get()
    }

    fn stopping(&self) -> bool {
        self.left == 0
    }

    fn record(&mut self, event: Event, latency_ns: u64) {
        did(letter(event));
        self.latencies.push((event, latency_ns));
    }
}

/// A layer that says what it was asked, and which end of a pair, the first or the second, sends.
struct Logged {
    layer: Box<dyn Layer>,
    /// The second ends of all pairs.
    second: Mutex<HashSet<Fd>>,
}

/// The calls of a layer: those with a letter are logged with it.
macro_rules! logged {
    ($(fn $name:ident($($arg:ident: $type:ty),*) -> $result:ty $(= $letter:literal)?;)*) => {
        $(fn $name(&self $(, $arg: $type)*) -> $result {
            $(call($letter);)?
            self.layer.$name($($arg),*)
        })*
    };
}

impl Layer for Logged {
    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        let pair = self.layer.socketpair(kind)?;
        self.second.lock().unwrap().insert(pair.1);
        Ok(pair)
    }

    fn send(&self, s: Fd, data: &[u8], flags: MsgFlags) -> Result<usize, Errno> {
        call(if self.second.lock().unwrap().contains(&s) { 'z' } else { 's' });
        self.layer.send(s, data, flags)
    }

    logged! {
        fn name() -> &'static str;
        fn socket(kind: SockType) -> Result<Fd, Errno> = 'o';
        fn bind(s: Fd, name: &SockAddr) -> Result<(), Errno>;
        fn unlink(name: &SockAddr) -> Result<(), Errno> = 'u';
        fn listen(s: Fd, backlog: i32) -> Result<(), Errno>;
        fn connect(s: Fd, name: &SockAddr) -> Result<(), Errno> = 'c';
        fn accept(s: Fd) -> Result<(Fd, SockAddr), Errno> = 'a';
        fn sendmsg(s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> = 's';
        fn recvmsg(s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> = 'v';
        fn recv(s: Fd, data: &mut [u8], flags: MsgFlags) -> Result<usize, Errno> = 'v';
        fn sendto(s: Fd, data: &[u8], to: &SockAddr, flags: MsgFlags) -> Result<usize, Errno> = 's';
        fn shutdown(s: Fd, how: Shutdown) -> Result<(), Errno>;
        fn close(s: Fd) -> Result<(), Errno> = 'x';
        fn dup(s: Fd) -> Result<Fd, Errno>;
        fn same_file(a: Fd, b: Fd) -> Result<bool, Errno> = 'f';
        fn getsockname(s: Fd) -> Result<SockAddr, Errno>;
        fn getpeername(s: Fd) -> Result<SockAddr, Errno>;
        fn setsockopt(s: Fd, option: SockOpt, value: usize) -> Result<(), Errno>;
        fn getsockopt(s: Fd, option: SockOpt) -> Result<usize, Errno>;
        fn set_nonblocking(s: Fd, on: bool) -> Result<(), Errno>;
        fn collect() -> ();
        fn pools() -> Vec<PoolUse>;
        fn check_end() -> ();
        fn code() -> Vec<usize>;
    }
}

/// What one lane did, and the latencies it recorded itself.
type Lane = (String, Vec<(Event, u64)>);

/// Runs a workload with these operations on each lane; `stall` as in [`STALL`].
fn run<K: Kind>(plan: &Plan, operations: u64, stall: (u64, u64)) -> Vec<Lane> {
    let global = lockimpls::backends().into_iter().find(|backend| backend.name == "global");
    let open = |backend: Backend| (backend.open)(&Config::default()).unwrap();
    let layer = Logged { layer: open(global.unwrap()), second: Mutex::default() };
    let on = K::On::new(&layer, plan).unwrap();
    let lanes: Vec<_> = std::thread::scope(|scope| {
        let lane = |lane| {
            let (on, layer) = (&on, &layer);
            scope.spawn(move || {
                STALL.set(stall);
                let mut meter = Recording { left: operations, latencies: Vec::new() };
                let sums = on.lane(layer, lane, &mut meter);
                (sums, (DONE.take(), meter.latencies))
            })
        };
        let lanes: Vec<_> = (0..plan.threads).map(lane).collect();
        lanes.into_iter().map(|lane| lane.join().unwrap()).collect()
    });
    let (sums, done): (Vec<_>, Vec<_>) = lanes.into_iter().unzip();
    on.finish(&layer, &sums);
    layer.check_end();
    done
}

fn plan(threads: usize, socket_type: SockType) -> Plan {
    Plan {
        threads,
        socket_type,
        message_bytes: 64,
        verify: false,
        own: Own::from_iter([("rate_asked", 100_000.0)]),
        seed: 1,
    }
}

/// The workload of this name, with three operations on each lane.
fn three(name: &'static str, plan: &Plan) -> Vec<String> {
    struct Find<'a>(&'static str, &'a Plan, Vec<String>);
    impl workloads::Visitor for Find<'_> {
        fn visit<K: Kind>(&mut self) {
            if K::NAME == self.0 {
                let lanes = run::<K>(self.1, 3, (0, 0));
                self.2 = lanes.into_iter().map(|(done, _)| done).collect();
            }
        }
    }
    let mut find = Find(name, plan, Vec::new());
    workloads::visit_all(&mut find);
    find.2
}

#[test]
fn pairs_stamps_sends_by_address_and_receives() {
    for kind in SockType::ALL {
        let done = three("pairs", &plan(1, kind));
        assert_eq!(done, ["krsSvRrzHvRrsSvR.vzv"]);
    }
}

#[test]
fn stream_stamps_each_send_and_each_receive() {
    for kind in SockType::ALL {
        let end = if kind == SockType::Dgram { "" } else { "v" };
        let done = three("stream", &plan(2, kind));
        assert_eq!(done, ["krsSrsSrsS.s".to_owned(), format!("krvRrvRrvR.v{end}")]);
    }
}

#[test]
fn pingpong_stamps_the_round_trip_of_the_one_lane() {
    for kind in SockType::ALL {
        let done = three("pingpong", &plan(2, kind));
        assert_eq!(done, ["krsvTrsvTrsvT.s", "rvzrvzrvz.v"]);
    }
}

#[test]
fn duplex_and_ring_stamp_each_send_and_each_receive() {
    for kind in SockType::ALL {
        // 16 messages are ahead; the last one comes after those and the three of the operations.
        let lane = |s: &str| {
            let (ahead, rest) = (s.repeat(16), "v".repeat(17));
            format!("{ahead}kr{s}SvRr{s}SvRr{s}SvR.{s}{rest}")
        };
        assert_eq!(three("duplex", &plan(2, kind)), [lane("s"), lane("z")]);
        assert_eq!(three("ring", &plan(2, kind)), [lane("s"), lane("s")]);
    }
}

#[test]
fn fanin_and_groups_stamp_each_send_and_each_receive() {
    // A lane that serves others stamps what it does after its end too; the meter forgets it.
    let (sender, receiver) = ("krsSrsSrsS.s", "krvRrvRrvR.vR");
    assert_eq!(three("fanin", &plan(2, SockType::Dgram)), [receiver, sender]);
    for kind in SockType::ALL {
        assert_eq!(three("groups", &plan(2, kind)), [sender, receiver]);
        // Two senders, of which each sends to two receivers.
        let (sender, received) = ("krsSsSrsSsSrsSsS.ss", "vR".repeat(8));
        let done = three("groups", &Plan { own: Own::from_iter([("fan", 2.0)]), ..plan(4, kind) });
        assert_eq!(done[..2], [sender, sender]);
        assert!(done[2..].iter().all(|lane| lane.replace(['k', 'r', '.'], "") == received));
    }
}

#[test]
fn rights_stamps_each_send_and_each_receive() {
    for kind in SockType::ALL {
        let done = three("rights", &plan(1, kind));
        // The first and the last descriptor are looked at.
        assert_eq!(done, ["krsSvfxRrsSvxRrsSvxR.svfx"]);
    }
}

#[test]
fn accept_and_churn_stamp_whole_cycles() {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let done = three("accept", &plan(2, kind));
        for lane in &done {
            assert_eq!(lane.matches(['S', 'H', 'R', 'T', 'P']).count(), 0, "{lane}");
        }
        // The client's, which end when it is closed; refused connects come before.
        assert_eq!(done[0].matches("sxV").count(), 4, "{done:?}");
        assert_eq!([done[0].matches('V').count(), done[1].matches('V').count()], [4, 0]);
        let cycle = "ocasvxxV";
        let alone = format!("kr{cycle}r{cycle}r{cycle}.{cycle}");
        assert_eq!(three("accept", &plan(1, kind)), [alone]);
    }
    for kind in SockType::ALL {
        let done = three("churn", &plan(2, kind));
        let [sender, churner] = &done[..] else { panic!("{done:?}") };
        assert_eq!(sender.matches(['H', 'R', 'T', 'P', 'V']).count(), 0, "{sender}");
        assert!(sender.matches('S').count() <= 3, "{sender}");
        assert_eq!(churner.matches(['S', 'H', 'R', 'T', 'P']).count(), 0, "{churner}");
        // A life begins with the socket and ends when it is closed.
        // The name goes before or after it, in turns.
        let ends = ["uxV", "xuV"].map(|end| churner.matches(end).count());
        assert_eq!(ends, [2, 1], "{churner}");
        assert_eq!(churner.matches("ro").count(), 3, "{churner}");
    }
}

/// Which lanes' operations count, of a workload with so many.
fn counted(name: &'static str, threads: usize, fan: u32) -> Vec<bool> {
    struct Find<'a>(&'static str, &'a Plan, Vec<bool>);
    impl workloads::Visitor for Find<'_> {
        fn visit<K: Kind>(&mut self) {
            if K::NAME == self.0 {
                let layer = (lockimpls::backends()[0].open)(&Config::default()).unwrap();
                let on = K::On::new(&*layer, self.1).unwrap();
                self.2 = (0..self.1.threads).map(|lane| on.counts(lane)).collect();
                on.finish(&*layer, &[]);
                layer.check_end();
            }
        }
    }
    let kind = if name == "fanin" { SockType::Dgram } else { SockType::Stream };
    let own = Own::from_iter([("fan", f64::from(fan))]);
    let plan = Plan { own, ..plan(threads, kind) };
    let mut find = Find(name, &plan, Vec::new());
    workloads::visit_all(&mut find);
    find.2
}

#[test]
fn an_operation_counts_where_it_ends() {
    let (yes, no) = (true, false);
    for all in ["pairs", "duplex", "ring", "rights", "paced"] {
        assert_eq!(counted(all, 2, 1), [yes, yes], "{all}");
    }
    assert_eq!(counted("stream", 4, 1), [no, yes, no, yes]);
    assert_eq!(counted("pingpong", 4, 1), [yes, no, yes, no]);
    assert_eq!(counted("fanin", 3, 1), [yes, no, no]);
    assert_eq!(counted("groups", 4, 2), [no, no, yes, yes]);
    assert_eq!(counted("accept", 4, 1), [no, yes, no, yes]);
    assert_eq!(counted("accept", 1, 1), [yes]);
    assert_eq!(counted("churn", 3, 1), [no, yes, yes]);
}
