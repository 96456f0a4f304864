//! What the processes of a run are started from: copies of the program, of which nothing stays.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use results::{Cell, Measured, Run, Store};
use solock::interrupt::Interrupt;
use solock::protocol::Prepare;
use solock::turns::server::{Launch, Server};
use tempfile::TempDir;

const SOLOCK: &str = env!("CARGO_BIN_EXE_solock");
/// What is said of processes that ran no copy.
const UNCOPIED: &str = "no copy of the program could be run";

/// The folder for temporary files, and that of the runs.
struct Folders(TempDir);

impl Folders {
    fn new() -> Folders {
        let folders = Folders(tempfile::tempdir().expect("a folder"));
        fs::create_dir(folders.temporary()).expect("made");
        folders
    }

    fn temporary(&self) -> PathBuf {
        self.0.path().join("temporary")
    }

    /// A run of two cells, started by the shell after this.
    fn run(&self, shell: &str, rounds: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{shell} exec \"$0\" \"$@\""), SOLOCK, "run"]);
        command.args(["--workload", "pairs", "--threads", "1", "--backend", "global,per-socket"]);
        command.args(["--seconds", "0.02", "--rounds", rounds, "--out"]);
        command.arg(self.0.path().join("runs")).env("TMPDIR", self.temporary());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// What a run says, and its lines.
    #[track_caller]
    fn whole(&self, mut command: Command) -> (String, Vec<Measured>) {
        let output = command.output().expect("starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        let files = Store::at(self.0.path().join("runs")).list().expect("readable");
        let run = Run::read(&files[0]).expect("the run can be read");
        (said, run.measured().cloned().collect())
    }
}

/// The processes that measure for a driver.
fn servers(driver: u32) -> Vec<PathBuf> {
    let children = fs::read_to_string(format!("/proc/{driver}/task/{driver}/children"));
    let children = children.unwrap_or_default();
    children.split_whitespace().map(|id| Path::new("/proc").join(id)).collect()
}

/// Waits for something.
#[track_caller]
fn wait_for<T>(what: &str, found: impl Fn() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Two that run at the same time, by what their names and their programs are.
fn two(driver: &Child) -> Vec<(PathBuf, String)> {
    wait_for("two processes run copies", || {
        let servers = servers(driver.id());
        let described = servers.into_iter().filter_map(|server| {
            let name = fs::read_to_string(server.join("comm")).ok()?;
            let file = fs::read_link(server.join("exe")).ok()?.display().to_string();
            // Before that it is the driver's twin still, or has not got to its own first line.
            (name == "solock\n" && file != SOLOCK).then_some((server, file))
        });
        Some(described.collect::<Vec<_>>()).filter(|found| found.len() == 2)
    })
}

#[test]
fn no_process_that_measures_runs_the_file_itself_and_nothing_is_left() {
    for signal in ["-KILL", "-INT"] {
        let folders = Folders::new();
        let mut driver = folders.run("", "5000").spawn().expect("starts");
        let servers = two(&driver);
        for (server, file) in &servers {
            assert_eq!(file, "/memfd:solock (deleted)");
            let arguments = fs::read(server.join("cmdline")).unwrap_or_default();
            assert!(arguments.is_empty() || arguments.starts_with(SOLOCK.as_bytes()));
            let open = fs::read_dir(server.join("fd")).into_iter().flatten().flatten();
            let mut open = open.filter_map(|file| fs::read_link(file.path()).ok());
            assert!(!open.any(|file| file.starts_with("/memfd:solock")), "the copy is closed");
        }
        let id = driver.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().expect("kill").success());
        driver.wait().expect("ended");
        for (server, file) in servers {
            let is_it =
                || fs::read_link(server.join("exe")).is_ok_and(|exe| exe == Path::new(&file));
            wait_for("it ends with its driver", || (!is_it()).then_some(()));
        }
        assert_eq!(fs::read_dir(folders.temporary()).expect("readable").count(), 0, "{signal}");
    }
}

#[test]
fn a_process_knows_where_its_code_is_in_a_copy_too() {
    let interrupt = Interrupt::default();
    let launch =
        Launch { program: Path::new(SOLOCK), padding: 0, interrupt: &interrupt, hang_limit: None };
    let mut server = Server::start(launch).expect("started");
    let cell = Cell {
        workload: "pairs".to_owned(),
        backend: "global".to_owned(),
        socket_type: "stream".to_owned(),
        message_bytes: 64,
        threads: 1,
        wait: "adaptive".to_owned(),
        ..Cell::default()
    };
    let prepared = server.prepare(&Prepare { cell, ..Prepare::default() }).expect("answered");
    let prepared = prepared.expect("known");
    let bytes = fs::metadata(SOLOCK).expect("there").len();
    let places: Vec<u64> = prepared.code.into_iter().flatten().chain(prepared.calls).collect();
    // A lane, and the layer's calls.
    assert!(
        places.len() > 10 && places.iter().all(|place| (1..bytes).contains(place)),
        "{places:?}"
    );
    server.end().expect("ended");
}

#[test]
fn a_line_says_whether_its_process_had_a_copy() {
    let folders = Folders::new();
    let mut command = folders.run("", "1");
    command.env("TMPDIR", "/nonexistent");
    let (said, lines) = folders.whole(command);
    assert!(!said.contains(UNCOPIED), "{said}");
    assert!(lines.len() == 4 && lines.iter().all(|line| line.own_copy == Some(true)), "{said}");
}

#[test]
fn a_run_whose_system_takes_no_copy_measures_and_says_so_once() {
    let folders = Folders::new();
    // No file gets larger than half a megabyte: no copy either.
    let (said, lines) = folders.whole(folders.run("ulimit -f 1024;", "2"));
    assert_eq!(said.matches(UNCOPIED).count(), 1, "{said}");
    assert!(said.contains("in memory: File too large"), "{said}");
    assert!(lines.len() == 8 && lines.iter().all(|line| line.own_copy == Some(false)), "{said}");
    assert_eq!(fs::read_dir(folders.temporary()).expect("readable").count(), 0);
}

#[test]
fn where_no_program_runs_from_memory_a_file_is_copied() {
    // Among other processes, none of which runs what is in memory: the machine's are let alone.
    let refuse = "echo 2 > /proc/sys/vm/memfd_noexec";
    let among_others = |shell: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]);
        command.args(["sh", "-c", shell]);
        command
    };
    if !among_others(refuse).output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: nobody may make a namespace here, or Linux is before 6.3");
        return;
    }
    let folders = Folders::new();
    let run = folders.run("", "1");
    let mut command = among_others(&format!("{refuse} && exec \"$0\" \"$@\""));
    command.arg(run.get_program()).args(run.get_args()).env("TMPDIR", folders.temporary());
    let (said, lines) = folders.whole(command);
    assert!(!said.contains(UNCOPIED), "{said}");
    assert!(lines.len() == 4 && lines.iter().all(|line| line.own_copy == Some(true)), "{said}");
}
