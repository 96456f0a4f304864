//! Slurm on this box, with nothing of the system's own: its configuration, its key, its ports.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::text;

/// The nodes.
const NODES: [&str; 2] = ["n1", "n2"];
/// How long anything may take that does not measure.
const PATIENCE: Duration = Duration::from_secs(600);

/// The daemons; they end with it.
pub(super) struct Cluster {
    folder: TempDir,
    munged: Child,
    controller: Child,
    nodes: [Child; 2],
}

impl Cluster {
    pub(super) fn start() -> Cluster {
        let folder = tempfile::Builder::new().prefix("slurm").tempdir().expect("a folder");
        let path = folder.path();
        // munge trusts no folder that others may write.
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("set");
        fs::write(path.join("slurm.conf"), configuration(path)).expect("written");
        fs::write(path.join("cgroup.conf"), "CgroupPlugin=cgroup/v1\n").expect("written");
        let key = path.join("munge.key");
        let bytes: String = std::iter::repeat_n("not a secret: this box alone. ", 40).collect();
        fs::write(&key, &bytes[..1024]).expect("written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).expect("set");
        let munged = munged(path);
        let controller = daemon(path, "slurmctld", &["-D", "-c"]);
        let nodes = NODES.map(|node| daemon(path, "slurmd", &["-D", "-N", node]));
        let cluster = Cluster { folder, munged, controller, nodes };
        cluster.wait_for("both nodes idle", || {
            let states = cluster.said("sinfo", &["--noheader", "--Node", "--format=%N %T"]);
            NODES.iter().all(|node| states.contains(&format!("{node} idle")))
        });
        cluster
    }

    /// A command that means this Slurm.
    pub(super) fn within<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("SLURM_CONF", self.folder.path().join("slurm.conf"))
    }

    fn said(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = self.within(command.args(arguments)).output().expect(program);
        text(&output.stdout) + &text(&output.stderr)
    }

    #[track_caller]
    pub(super) fn wait_for(&self, what: &str, is_there: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < until, "{what}: not after {PATIENCE:?}: {}", self.state());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits for the end of all jobs, of which one runs at a time, and does not let one wait that
    /// Slurm holds back for minutes after its node died.
    #[track_caller]
    pub(super) fn wait_for_end(&self, patience: Duration, is_whole: impl Fn() -> bool) {
        let until = Instant::now() + patience;
        loop {
            let queue = self.said("squeue", &["--noheader", "--array", "--format=%i %t %r"]);
            if queue.trim().is_empty() {
                break;
            }
            let running = queue.lines().filter(|line| line.contains(" R ")).count();
            assert!(running <= 1, "one licence, and yet: {queue}");
            for job in queue.lines().filter(|line| line.contains("BeginTime")) {
                let job = job.split(' ').next().unwrap_or_default();
                self.said("scontrol", &["update", &format!("JobId={job}"), "StartTime=now"]);
            }
            assert!(Instant::now() < until, "not after {patience:?}: {}", self.state());
            thread::sleep(Duration::from_millis(200));
        }
        assert!(is_whole(), "the queue is empty: {}", self.state());
    }

    /// Kills a node that has begun to measure, and everything it runs: a daemon's jobs outlive it.
    /// Says which.
    pub(super) fn kill_node_that_measures(&mut self, has_begun: impl Fn() -> bool) -> usize {
        let until = Instant::now() + PATIENCE;
        loop {
            for (at, node) in NODES.into_iter().enumerate() {
                let own = self.processes(node);
                // The script, what it became, and the processes that measure.
                if own.len() > 2 && has_begun() {
                    self.kill_daemon(at);
                    let all = own.into_iter().chain(self.processes(node));
                    all.for_each(kill);
                    let down = format!("NodeName={node}");
                    let reason = ["State=DOWN", "Reason=killed"];
                    self.said("scontrol", &["update", &down, reason[0], reason[1]]);
                    return at;
                }
            }
            assert!(Instant::now() < until, "nothing is measured: {}", self.state());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The processes of a node's jobs, and those above them that are Slurm's.
    fn processes(&self, node: &str) -> Vec<u32> {
        let conf = format!("SLURM_CONF={}", self.folder.path().join("slurm.conf").display());
        let node = format!("SLURMD_NODENAME={node}");
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").expect("readable").flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            let environment = text(&environment);
            let has = |what: &str| environment.split('\0').any(|one| one == what);
            if has(&conf) && has(&node) {
                found.push(id);
                found.extend(parent(id).filter(|parent| is_step(*parent)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Kills a node's daemon alone.
    pub(super) fn kill_daemon(&mut self, at: usize) {
        self.nodes[at].kill().expect("killed");
        self.nodes[at].wait().expect("ended");
    }

    /// Brings a node back.
    pub(super) fn start_again(&mut self, at: usize) {
        self.nodes[at] = daemon(self.folder.path(), "slurmd", &["-D", "-N", NODES[at]]);
        let node = format!("NodeName={}", NODES[at]);
        self.wait_for("the node is back", || {
            self.said("scontrol", &["update", &node, "State=RESUME"]);
            let states = self.said("sinfo", &["--noheader", "--Node", "--format=%N %T"]);
            let is_back = |state: &str| states.contains(&format!("{} {state}\n", NODES[at]));
            is_back("idle") || is_back("allocated") || is_back("mixed")
        });
    }

    fn state(&self) -> String {
        let logs = ["slurmctld.log", "n1.log", "n2.log", "munged.log"].map(|name| {
            let log = fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().rev().take(15).collect();
            format!("{name}: {}", lines.into_iter().rev().collect::<Vec<_>>().join("\n"))
        });
        let queue = self.said("squeue", &["--array"]);
        format!("{queue}\n{}\n{}", self.said("sinfo", &["--Node"]), logs.join("\n"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.said("scancel", &["--user=root"]);
        let [one, other] = &mut self.nodes;
        for child in [one, other, &mut self.controller, &mut self.munged] {
            let _ = child.kill();
            let _ = child.wait();
        }
        NODES.iter().flat_map(|node| self.processes(node)).for_each(kill);
    }
}

fn munged(folder: &Path) -> Child {
    let at = |name: &str| folder.join(name).display().to_string();
    let files = [
        format!("--key-file={}", at("munge.key")),
        format!("--socket={}", at("munge.socket")),
        format!("--pid-file={}", at("munged.pid")),
        format!("--log-file={}", at("munged.log")),
        format!("--seed-file={}", at("munged.seed")),
    ];
    let mut command = Command::new("/usr/sbin/munged");
    command.args(["--foreground", "--force"]).args(files);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("munged starts")
}

fn daemon(folder: &Path, program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(PathBuf::from("/usr/sbin").join(program));
    command.args(arguments).env("SLURM_CONF", folder.join("slurm.conf"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect(program)
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    // Free a moment ago.
    let ports: Vec<u16> = (0..3)
        .map(|_| TcpListener::bind("127.0.0.1:0").expect("a port"))
        .collect::<Vec<_>>()
        .iter()
        .map(|listener| listener.local_addr().expect("an address").port())
        .collect();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("readable");
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "ClusterName=emulated\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={control}\n\
         SlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\n\
         AuthInfo=socket={folder}/munge.socket\nCredType=cred/munge\n\
         StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool.%n\n\
         SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/%n.pid\n\
         SlurmctldLogFile={folder}/slurmctld.log\nSlurmdLogFile={folder}/%n.log\n\
         ProctrackType=proctrack/linuxproc\nTaskPlugin=task/affinity\nMpiDefault=none\n\
         SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\nSwitchType=switch/none\n\
         JobAcctGatherType=jobacct_gather/none\nAccountingStorageType=accounting_storage/none\n\
         ReturnToService=2\nLicenses=box:1\nSlurmdTimeout=300\nKillWait=5\n\
         SchedulerParameters=sched_interval=1,bf_interval=1\n\
         NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={one} CPUs={cpus}\n\
         NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={two} CPUs={cpus}\n\
         PartitionName=bench Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP \
         OverSubscribe=EXCLUSIVE\n",
        host = host.trim(),
        control = ports[0],
        one = ports[1],
        two = ports[2],
    )
}

fn kill(process: u32) {
    let _ =
        Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status();
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn is_step(process: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    name.trim() == "slurmstepd"
}
