//! The crate in `byo/`, built and run as a stranger would: in a checkout of its own, with the
//! dependency by path and a `Cargo.lock` of its own; then one with faults, each of which is told.
//!
//! What it is built of is built once, for the program and for the commits that it compares, and
//! stays in the target folder: only the first time is long.

mod stranger;

use std::fs;
use std::path::Path;

use crate::common::git;
use stranger::Stranger;

/// A layer and a lock with faults, over those of the example.
const BROKEN: &str = r#"
//! What is wrong on purpose.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::AcqRel, Ordering::Release};

use solock::seam::*;

use crate::sharded::Sharded;

const LEAKS: u8 = 0;
const PANICS: u8 = 1;
const LEAKS_WHERE_IT_FAILS: u8 = 3;
const IS_NEVER_MADE: u8 = 4;

pub struct Broken<const HOW: u8>(Sharded, RwLock);

impl<const HOW: u8> Domain for Broken<HOW> {
    type Sock = Fd;
    const NAME: &'static str =
        ["leaking", "panicking", "disordered", "hasty", "endless"][HOW as usize];
    const ABOUT: &'static str = "sharded, with a fault";
    fn new(config: &Config) -> Result<Self, Errno> {
        while HOW == IS_NEVER_MADE {
            std::thread::park();
        }
        Ok(Broken(Sharded::new(config)?, RwLock::new(Class::Own2)))
    }
    fn socketpair(&self, kind: SockType) -> Result<(Fd, Fd), Errno> {
        self.0.socketpair(kind)
    }
    fn sendmsg(&self, s: Fd, msg: &SendMsg<'_, Fd>) -> Result<usize, Errno> {
        assert!(HOW != PANICS, "a fault of the layer's own"); // PANIC
        if HOW == LEAKS_WHERE_IT_FAILS {
            return self.0.sendmsg(s, msg).inspect_err(|_| self.1.enter()); // FAILED
        }
        if HOW == LEAKS {
            let sent = self.0.sendmsg(s, msg);
            self.1.enter(); // LEAK
            return sent;
        }
        self.1.enter(); // DISORDER
        let sent = self.0.sendmsg(s, msg);
        self.1.exit();
        sent
    }
    fn recvmsg(&self, s: Fd, msg: &mut RecvMsg<'_, Fd>) -> Result<usize, Errno> {
        self.0.recvmsg(s, msg)
    }
    fn close(&self, s: Fd) -> Result<(), Errno> {
        self.0.close(s)
    }
    fn pools(&self) -> Vec<PoolUse> {
        self.0.pools()
    }
}

/// One lock for both faults: every backend is compiled once more for each lock.
pub struct Wrong {
    is_held: AtomicBool,
    tries: AtomicU64,
    is_stuck: bool,
}

// SAFETY: none, on purpose: it lets in a thread that should wait, or nobody a second time.
unsafe impl RawMutex for Wrong {
    const ALGORITHM: Option<Algorithm> =
        Some(Algorithm::Own(&OwnLock { name: "wrong", about: "on purpose", spins: true }));
    type Held = ();
    type Turn = ();
    type Beside = DefaultRaw;
    type Shared = Exclusively<Self>;
    fn new() -> Self {
        let is_stuck = std::env::var_os("STUCK").is_some();
        Wrong { is_held: false.into(), tries: 0.into(), is_stuck }
    }
    fn enter(&self) -> Result<(), ()> {
        // Once in a while it is open.
        let is_open = !self.is_stuck && self.tries.fetch_add(1, AcqRel) % 1000 == 999;
        if self.is_held.swap(true, AcqRel) && !is_open { Err(()) } else { Ok(()) }
    }
    fn try_enter(&self) -> Option<()> {
        self.enter().ok()
    }
    fn wait(&self, (): (), _: bool) {
        while self.enter().is_err() {
            std::thread::yield_now();
        }
    }
    unsafe fn exit(&self, (): ()) {
        if !self.is_stuck {
            self.is_held.store(false, Release);
        }
    }
}
"#;

/// Arguments for the wrong lock; the workloads come after them.
const WRONG: [&str; 5] = ["--backend", "global", "--lock", "wrong", "--workload"];

/// Where the layer with faults has this text: file and line.
fn place_of(stranger: &Stranger, what: &str) -> String {
    let source = fs::read_to_string(stranger.mine().join("src/broken.rs")).expect("written");
    let line = source.lines().position(|line| line.contains(what)).expect(what) + 1;
    format!("src/broken.rs:{line}")
}

#[test]
fn a_crate_of_ones_own_is_a_program_with_all_the_commands() {
    let stranger = Stranger::new();
    stranger.write("src/broken.rs", BROKEN.trim_start());
    stranger.change("src/main.rs", "mod sharded;", "mod broken;\nmod sharded;");
    let added = ".backend::<broken::Broken<0>>()\n.backend::<broken::Broken<1>>()\n\
                 .backend::<broken::Broken<2>>()\n.backend::<broken::Broken<3>>()\n\
                 .backend::<broken::Broken<4>>()\n.lock::<broken::Wrong>()\n.main()";
    stranger.change("src/main.rs", ".main()", added);
    stranger.commit("faults");
    stranger.build();
    std::thread::scope(|threads| {
        // Each ends by a hang of ten seconds.
        threads.spawn(|| faults_of_layers_are_found(&stranger));
        threads.spawn(|| a_lock_that_is_never_free_is_found(&stranger));
        is_measured_beside_what_is_built_in(&stranger);
        is_checked(&stranger);
        faults_of_a_layer_are_told(&stranger);
        faults_of_a_lock_are_told(&stranger);
    });
    a_grid_measures_a_changed_program_again(&stranger);
    its_commits_are_compared(&stranger);
}

/// Lines of code: comments and empty lines are not counted.
#[test]
fn it_is_as_short_as_is_said() {
    for (file, lines_max) in [("src/sharded.rs", 60), ("src/tas.rs", 30)] {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("byo").join(file);
        let text = fs::read_to_string(from).expect(file);
        let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
        let lines = text.lines().filter(is_code).count();
        assert!(lines <= lines_max, "{file}: {lines} lines");
    }
}

fn is_measured_beside_what_is_built_in(stranger: &Stranger) {
    let (code, said) = stranger.byo(&["list"]);
    for word in ["sharded", "volley", "tas", "per-socket", "pairs"] {
        assert!(said.contains(&format!("\n  {word} ")), "{code:?} {word}: {said}");
    }
    let short = ["--seconds", "0.02", "--rounds", "2", "--threads", "1", "--wide"];
    let run = ["run", "--backend", "global,sharded", "--workload", "pairs,volley,accept"];
    let (code, said) = stranger.byo(&[&run[..], &short].concat());
    assert_eq!(code, Some(0), "{said}");
    let skipped = "accept needs what sharded does not have: socket for stream, bind, listen, \
                   connect, accept, unlink";
    let in_one = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_one.contains(skipped), "{said}");
    let is_long = |line: &&str| line.contains("sharded does not have") && line.len() > 80;
    assert_eq!(said.lines().find(is_long), None);
    let (_, lines) = stranger.byo(&["show", "last", "--json"]);
    let head = git(&stranger.mine(), &["rev-parse", "HEAD"]);
    let commit = format!("\"commit\":\"{}\",\"dirty\":false", head.trim());
    assert!(lines.contains(&commit), "{lines}");
    let (wrong, error) = stranger.byo(&["show", "nothing"]);
    assert!(wrong == Some(1) && error.starts_with("byo: "), "{wrong:?} {error}");
    for word in ["sharded", "volley", "accept", "shard"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    let locked = ["run", "--backend", "global", "--workload", "pairs", "--lock", "tas,ticket"];
    let (code, said) = stranger.byo(&[&locked[..], &short].concat());
    assert!(code == Some(0) && said.contains("tas"), "{said}");
    let (code, said) = stranger.byo(&["run", "--backend", "sharded", "--lock", "tas"]);
    assert!(
        code == Some(1) && said.contains("sharded is a layer, with locks of its own"),
        "{said}"
    );
    let (code, said) = stranger.byo(&["run", "--backend", "sharded", "--wait", "park"]);
    assert!(code == Some(1) && said.contains("EINVAL"), "{code:?} {said}");
}

fn is_checked(stranger: &Stranger) {
    let (code, said) = stranger.byo(&["check", "--backend", "sharded"]);
    assert_eq!(code, Some(0), "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let line =
        |name: &str| said.split("sharded, ").find(|line| line.starts_with(name)).expect(name);
    // A send and a receive, each one lock.
    assert!(line("pairs").contains("clean") && line("pairs").contains("2 shard"), "{said}");
    assert!(line("pairs").contains("socketpair for dgram"), "{said}");
    assert!(line("duplex").contains("clean") && line("volley").contains("clean"), "{said}");
    assert!(line("stream").contains("skipped") && line("stream").contains("shutdown"), "{said}");
    let (code, said) = stranger.byo(&["check", "--backend", "sharded", "--workload", "accept"]);
    assert!(code == Some(4) && said.contains("nothing was checked"), "{code:?} {said}");
    let (code, said) = stranger.byo(&["check", "--backend", "sharded,global", "--lock", "tas"]);
    assert!(code == Some(1) && said.contains("ask for it without --lock"), "{code:?} {said}");
    let few = ["--workload", "pairs,duplex"];
    let (code, said) =
        stranger.byo(&[&["check", "--backend", "per-socket", "--lock", "tas"][..], &few].concat());
    assert_eq!((code, said.matches("clean").count()), (Some(0), 2), "{said}");
}

fn faults_of_a_layer_are_told(stranger: &Stranger) {
    let leak = place_of(stranger, "// LEAK");
    let run = ["run", "--workload", "pairs", "--threads", "1", "--rounds", "1", "--backend"];
    let (code, said) = stranger.byo(&[&run[..], &["leaking"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains(&leak) && said.contains("returning with the following locks"), "{said}");
    let (code, said) = stranger.byo(&["show", "last"]);
    assert!(said.contains(&leak) && said.contains("FOUND: leaked_locks"), "{code:?} {said}");
    let (code, said) = stranger.byo(&["show", "last", "--json"]);
    assert!(code == Some(0) && said.contains(r#""check":"leaked_locks""#), "{code:?} {said}");
    let (code, said) = stranger.byo(&[&run[..], &["panicking"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("a fault of the layer's own") && said.contains("panic"), "{said}");
}

fn faults_of_layers_are_found(stranger: &Stranger) {
    let check = [
        "check",
        "--workload",
        "pairs",
        "--backend",
        "leaking,panicking,disordered,hasty,endless,sharded",
    ];
    let (code, said) = stranger.byo(&check);
    assert_eq!(code, Some(2), "{said}");
    let leak = place_of(stranger, "// LEAK");
    assert!(said.contains("FOUND    leaked_locks in sys_sendto at"), "{said}");
    assert!(said.contains(&leak), "{said}");
    let panic = format!("panic in sys_sendto at {}", place_of(stranger, "// PANIC"));
    assert!(said.contains(&panic) && said.contains("a fault of the layer's own"), "{said}");
    let failed = format!("leaked_locks in sys_sendto at {}", place_of(stranger, "// FAILED"));
    assert!(said.contains(&failed), "no workload goes that way: {said}");
    assert!(said.contains("endless, pairs") && said.contains("FOUND    hang"), "{said}");
    let disorder = place_of(stranger, "// DISORDER");
    assert!(said.contains("FOUND    order_violations in sys_sendto at"), "{said}");
    assert!(said.contains(&disorder) && said.contains("src/sharded.rs:"), "{said}");
    assert!(said.contains("sharded, pairs") && said.contains("clean"), "{said}");
}

fn a_grid_measures_a_changed_program_again(stranger: &Stranger) {
    let cell = "backend = 'sharded'\nworkload = 'pairs'\nthreads = 1\nseconds = 0.02\nrounds = 1\n";
    stranger.write("night.toml", &format!("[[cells]]\n{cell}"));
    let run = || {
        let (code, said) = stranger.byo(&["grid", "run", "night.toml"]);
        assert_eq!(code, Some(0), "{said}");
        let files = fs::read_dir(stranger.mine().join("night.grid")).expect("written").flatten();
        files.filter(|file| file.path().extension().is_some_and(|end| end == "jsonl")).count()
    };
    assert_eq!([run(), run()], [1, 1]);
    let there = "[[machine]]\nname = 'there'\nssh = 'me@there'\n";
    stranger.write("there.toml", &format!("[[cells]]\n{cell}{there}"));
    let (code, said) = stranger.byo(&["grid", "parallel", "there.toml"]);
    assert!(code == Some(0) && said.contains(" byo grid element "), "{code:?} {said}");
    // Whatever was changed: its commit is the same.
    let mut program = fs::read(stranger.program()).expect("built");
    program.push(0);
    fs::write(stranger.program(), program).expect("written");
    assert_eq!(run(), 2);
}

fn a_lock_that_is_never_free_is_found(stranger: &Stranger) {
    let (code, said) = stranger.stuck(&[&["check"], &WRONG[..], &["pairs,duplex"]].concat());
    assert!(code == Some(2) && said.matches("FOUND    hang").count() == 1, "{code:?} {said}");
    assert!(said.contains("the lock wrong is wrong by itself"), "once is enough: {said}");
}

fn faults_of_a_lock_are_told(stranger: &Stranger) {
    let (code, said) = stranger.byo(&[&["check"], &WRONG[..], &["pairs"]].concat());
    assert!(code == Some(2) && said.contains("FOUND    exclusion"), "{said}");
    let short = ["--hang-limit", "1", "--rounds", "1", "--threads", "1"];
    let (code, said) = stranger.stuck(&[&["run"], &WRONG[..], &["pairs"], &short[..]].concat());
    assert!(code == Some(2) && said.contains("no call returned for 1s"), "{code:?} {said}");
    let (code, said) = stranger.byo(&["show", "last"]);
    assert!(said.contains("FOUND: hang"), "{code:?} {said}");
}

fn its_commits_are_compared(stranger: &Stranger) {
    // For locks of its own every backend is compiled anew: without them two builds take little.
    let program = fs::read_to_string(stranger.mine().join("src/main.rs")).expect("written");
    let is_kept = |line: &&str| !line.contains(".lock::<");
    let kept: Vec<&str> = program.lines().filter(is_kept).collect();
    assert!(kept.len() < program.lines().count(), "{program}");
    stranger.write("src/main.rs", &kept.join("\n"));
    stranger.commit("no locks");
    stranger.write("README", "sharded, by pair\n");
    stranger.commit("a word");
    let cells = ["--backend", "sharded", "--workload", "pairs", "--threads", "1"];
    let compare = ["compare", "HEAD~1", "HEAD", "--metric", "throughput", "--budget", "1s"];
    let (code, said) = stranger.byo(&[&compare[..], &cells].concat());
    // Whether a second is enough for a verdict is not what is asked here.
    assert!([0, 3, 4].map(Some).contains(&code), "{code:?} {said}");
    assert!(said.contains("pairs/sharded/stream/64B/t1/adaptive"), "{said}");
    let locks = said.lines().find(|line| line.trim_start().starts_with("acquisitions"));
    // Where the machine had no quiet moment no pair is kept, and nothing is counted.
    let is_same = |line: &str| line.contains("2.000") && line.contains("SAME");
    assert!(locks.map_or(said.contains("UNCLEAR host busy"), is_same), "{said}");
    let head = git(&stranger.mine(), &["rev-parse", "--short=10", "HEAD"]);
    assert!(said.contains(head.trim()), "{said}");
}
