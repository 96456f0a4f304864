//! What each workload times: which latencies, how many of each, stamped when, on a made-up clock.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::sync::Mutex;

use lockimpls::{
    Backend, Config, Errno, Fd, Layer, MsgFlags, PoolUse, RecvMsg, SendMsg, Shutdown, SockAddr,
    SockOpt, SockType,
};
use workloads::{Event, Kind, Meter, Plan, Workload};

/// How long a call takes, and a reading of the clock.
const CALL_NS: u64 = 1000;
const READING_NS: u64 = 1;

thread_local! {
    /// What this lane did, a letter each: `r` goes on, `.` may not, `k` a stamp that ends nothing; the
    /// calls as [`Logged`] has them; the events in capitals, as in [`letter`].
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
        fn unlink(name: &SockAddr) -> Result<(), Errno>;
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
        fn same_file(a: Fd, b: Fd) -> Result<bool, Errno>;
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
        rate_per_second: 100_000.0,
        groups: 1,
        fan: 1,
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
    }
}

#[test]
fn rights_stamps_each_send_and_each_receive() {
    for kind in SockType::ALL {
        let done = three("rights", &plan(1, kind));
        assert_eq!(done, ["krsSvxRrsSvxRrsSvxR.svx"]);
    }
}

#[test]
fn accept_and_churn_stamp_whole_cycles() {
    for kind in [SockType::Stream, SockType::Seqpacket] {
        let done = three("accept", &plan(2, kind));
        for lane in &done {
            assert_eq!(lane.matches(['S', 'H', 'R', 'T', 'P']).count(), 0, "{lane}");
        }
        let cycles: usize = done.iter().map(|lane| lane.matches('V').count()).sum();
        assert!((3..=8).contains(&cycles), "{done:?}");
    }
    for kind in SockType::ALL {
        let done = three("churn", &plan(2, kind));
        let [sender, churner] = &done[..] else { panic!("{done:?}") };
        assert_eq!(sender.matches(['H', 'R', 'T', 'P', 'V']).count(), 0, "{sender}");
        assert!(sender.matches('S').count() <= 3, "{sender}");
        assert_eq!(churner.matches(['S', 'H', 'R', 'T', 'P']).count(), 0, "{churner}");
        // A life begins with the socket and ends when it is closed.
        assert_eq!(churner.matches("xV").count(), 3, "{churner}");
        assert_eq!(churner.matches("ro").count(), 3, "{churner}");
    }
}

/// What `paced` records of operations that take two calls, one of which stalls.
fn paced(stall: (u64, u64)) -> (Vec<(u64, u64)>, String) {
    struct Find((u64, u64), Vec<(u64, u64)>, String);
    impl workloads::Visitor for Find {
        fn visit<K: Kind>(&mut self) {
            if K::NAME != "paced" {
                return;
            }
            let (done, latencies) = run::<K>(&plan(1, SockType::Stream), 20, self.0).remove(0);
            let of =
                |event| latencies.iter().filter(move |(of, _)| *of == event).map(|(_, ns)| *ns);
            self.1 = of(Event::Response).zip(of(Event::Service)).collect();
            self.2 = done;
        }
    }
    let mut find = Find(stall, Vec::new(), String::new());
    workloads::visit_all(&mut find);
    (find.1, find.2)
}

/// More than the readings of an operation take.
const SLACK_NS: u64 = 10;

#[track_caller]
fn is_about(is: u64, must_be: u64) {
    assert!(is >= must_be && is <= must_be + SLACK_NS, "{is} for {must_be}");
}

#[test]
fn paced_measures_responses_from_the_plan_and_services_from_the_start() {
    const PERIOD_NS: u64 = 10_000;
    const STALL_NS: u64 = 45_000;
    let (latencies, done) = paced((0, 0));
    assert_eq!(done, format!("{}.vsv", "rsvPV".repeat(20)));
    assert_eq!(latencies.len(), 20);
    for (response, service) in latencies {
        is_about(response, 2 * CALL_NS);
        is_about(service, 2 * CALL_NS);
    }
    // The send of the sixth operation, the eleventh call, stalls: those planned meanwhile are late.
    let (latencies, _) = paced((11, STALL_NS));
    let mut late_ns = 0;
    for (index, (response, service)) in latencies.into_iter().enumerate() {
        let takes = if index == 5 { STALL_NS + CALL_NS } else { 2 * CALL_NS };
        is_about(service, takes);
        // Each late operation adds its own readings.
        let slack = SLACK_NS * index as u64;
        let planned = late_ns + takes;
        assert!(
            response >= planned && response <= planned + slack + SLACK_NS,
            "{index}: {response}"
        );
        late_ns = planned.saturating_sub(PERIOD_NS);
    }
}

#[test]
fn paced_ends_when_the_next_operation_is_due() {
    for operations in [1, 2, 20] {
        struct Find(u64, u64);
        impl workloads::Visitor for Find {
            fn visit<K: Kind>(&mut self) {
                if K::NAME == "paced" {
                    let plan = plan(1, SockType::Stream);
                    let layer = lockimpls::backends()[0];
                    let layer = (layer.open)(&Config::default()).unwrap();
                    let on = K::On::new(&*layer, &plan).unwrap();
                    NOW_NS.set(0);
                    let mut meter = Ending { left: self.0, ended_ns: 0 };
                    let sums = on.lane(&*layer, 0, &mut meter);
                    on.finish(&*layer, &[sums]);
                    self.1 = meter.ended_ns;
                }
            }
        }
        let mut find = Find(operations, 0);
        workloads::visit_all(&mut find);
        is_about(find.1, operations * 10_000);
    }
}

/// Says when it was asked for an operation that it refused.
struct Ending {
    left: u64,
    ended_ns: u64,
}

impl Meter for Ending {
    fn running(&mut self) -> bool {
        if self.left == 0 {
            self.ended_ns = NOW_NS.get();
            return false;
        }
        self.left -= 1;
        true
    }

    fn lap(&mut self, _: Event) {}

    fn skip(&mut self) {}

    fn now_ns(&self) -> u64 {
        pass(READING_NS);
        NOW_NS.get()
    }

    fn stopping(&self) -> bool {
        self.left == 0
    }

    fn record(&mut self, _: Event, _: u64) {}
}
