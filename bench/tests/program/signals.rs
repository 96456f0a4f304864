//! What `solock compare` leaves behind when it is told to end while it builds: nothing.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::checkout::Checkout;
use super::common::text;
use results::{Run, Store};

/// A build script that says that it runs, and takes long.
const SLOW: &str = r#"
fn main() {
    std::fs::write(std::env::var_os("MARK").unwrap(), "").unwrap();
    std::thread::sleep(std::time::Duration::from_secs(60));
}
"#;

/// A comparison that builds.
struct Building {
    checkout: Checkout,
    child: Child,
    mark: PathBuf,
}

impl Building {
    /// Started by the shell, after this.
    fn after(shell: &str, change: impl FnOnce(&mut Command, &Checkout)) -> Building {
        let checkout = Checkout::named(SLOW, b"checkout");
        let mark = checkout.around.path().join("mark");
        let solock = checkout.command(&["compare", "HEAD~1", "HEAD", "--out", "runs"]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} exec \"$0\" \"$@\"")]);
        command.arg(solock.get_program()).args(solock.get_args());
        for (name, value) in solock.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(checkout.root()).env("MARK", &mark).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command, &checkout);
        let child = command.spawn().expect("starts");
        let building = Building { checkout, child, mark };
        building.wait_until("it builds", |it| it.mark.exists());
        building
    }

    fn plain() -> Building {
        Building::after("", |_, _| ())
    }

    #[track_caller]
    fn wait_until(&self, what: &str, is_so: impl Fn(&Building) -> bool) {
        let until = Instant::now() + Duration::from_secs(60);
        while !is_so(self) {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill").success());
    }

    /// The processes that belong to it: they have its environment.
    fn processes(&self) -> Vec<u32> {
        let mark = format!("MARK={}", self.mark.display());
        let all = fs::read_dir("/proc").expect("readable").flatten();
        let ids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let is_one = |id: &u32| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
        };
        ids.filter(is_one).collect()
    }

    #[track_caller]
    fn leaves_nothing(self) -> Checkout {
        let Building { checkout, child, mark } = self;
        let output = child.wait_with_output().expect("ended");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(!checkout.root().join("target/solock-compare/tree").exists(), "{said}");
        assert_eq!(checkout.git(&["worktree", "list"]).lines().count(), 1, "{said}");
        assert_eq!(checkout.git(&["status", "--porcelain", "--untracked-files=no"]), "");
        let child = Command::new("true").spawn().expect("starts");
        // What was killed is gone a moment later.
        let ended = Building { checkout, child, mark };
        ended.wait_until("no compiler runs", |it| it.processes().is_empty());
        ended.checkout
    }
}

#[test]
fn each_signal_that_asks_for_the_end_ends_the_compilers_too() {
    for signal in ["-INT", "-HUP", "-TERM"] {
        let building = Building::plain();
        building.signal(signal);
        let checkout = building.leaves_nothing();
        let run = &Store::at(checkout.root().join("runs")).list().expect("readable")[0];
        assert!(Run::read(run).expect("the run can be read").interrupted(), "{signal}");
    }
}

#[test]
fn a_second_signal_ends_compilers_that_do_not_listen() {
    // cargo, and all that it starts, ignores what asks it to end.
    let building = Building::after("", |command, checkout| {
        let cargo = checkout.around.path().join("cargo");
        fs::write(&cargo, "#!/bin/sh\ntrap '' INT TERM HUP\nexec cargo \"$@\"\n").expect("written");
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("executable");
        command.env("CARGO", cargo);
    });
    building.signal("-TERM");
    thread::sleep(Duration::from_millis(200));
    building.signal("-TERM");
    building.leaves_nothing();
}

#[test]
fn a_second_signal_ends_a_checkout_that_goes_on() {
    // git, which does not listen, and puts file after file into the checkout.
    let building = Building::after("", |command, checkout| {
        let folder = checkout.around.path().join("bin");
        fs::create_dir(&folder).expect("made");
        let tree = checkout.root().join("target/solock-compare/tree");
        let script = format!(
            "#!/bin/sh\ncase \"$*\" in *\"worktree add\"*)\ntrap '' INT TERM HUP; : > \"$MARK\"\n\
             while :; do mkdir -p {tree}; : > {tree}/late; sleep 0.01; done\nesac\n\
             PATH=${{PATH#*:}} exec git \"$@\"\n",
            tree = tree.display()
        );
        fs::write(folder.join("git"), script).expect("written");
        fs::set_permissions(folder.join("git"), fs::Permissions::from_mode(0o755))
            .expect("executable");
        let path = std::env::var("PATH").expect("there is one");
        command.env("PATH", format!("{}:{path}", folder.display()));
    });
    building.signal("-TERM");
    thread::sleep(Duration::from_millis(200));
    building.signal("-TERM");
    building.leaves_nothing();
}

#[test]
fn what_nohup_ignores_stays_ignored() {
    let mut building = Building::after("trap '' HUP;", |_, _| ());
    building.signal("-HUP");
    thread::sleep(Duration::from_millis(500));
    assert!(building.child.try_wait().expect("known").is_none(), "it goes on");
    building.signal("-TERM");
    building.leaves_nothing();
}

#[test]
fn what_a_killed_one_left_running_is_ended_by_the_next() {
    let mut building = Building::plain();
    building.signal("-KILL");
    building.child.wait().expect("ended");
    assert!(!building.processes().is_empty(), "the compilers go on");
    let tree = building.checkout.root().join("target/solock-compare/tree");
    assert!(tree.exists(), "nobody was left to remove it");
    // Nothing to build: it takes the lock, and cleans up.
    building.checkout.write("bench/Cargo.toml", "broken");
    building.checkout.commit("broken");
    building.checkout.write("Cargo.toml", "broken too");
    let output = building.checkout.solock(&["compare", "HEAD", "."], |_| ());
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains(".: it does not build") && !tree.exists(), "{said}");
    building.wait_until("the compilers are ended", |it| it.processes().is_empty());
    assert_eq!(building.checkout.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn one_that_waits_until_another_has_built_says_so_once_and_can_be_ended() {
    let checkout = Checkout::named(SLOW, b"checkout");
    let folder = checkout.root().join("target/solock-compare");
    fs::create_dir_all(&folder).expect("made");
    let lock = fs::File::create(folder.join("lock")).expect("made");
    lock.lock().expect("nobody has it");
    let said = checkout.around.path().join("said");
    let mut command = checkout.command(&["compare", "HEAD~1", "HEAD", "--out", "runs"]);
    let stderr = fs::File::create(&said).expect("made");
    let mut child = command.stdout(Stdio::null()).stderr(stderr).spawn().expect("starts");
    let told = || {
        let said = fs::read_to_string(&said).expect("readable");
        said.matches("another solock compare is building").count()
    };
    let until = |what: &str, is_so: &mut dyn FnMut() -> bool| {
        let until = Instant::now() + Duration::from_secs(20);
        while !is_so() {
            assert!(Instant::now() < until, "{what}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    until("it says that it waits", &mut || told() > 0);
    // It looks again some times.
    thread::sleep(Duration::from_millis(700));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    let mut status = None;
    until("it ends", &mut || {
        status = child.try_wait().expect("known");
        status.is_some()
    });
    assert_eq!((status.and_then(|status| status.code()), told()), (Some(130), 1));
    drop(lock);
}
