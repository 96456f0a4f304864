//! What builds and checks out: cargo and its compilers, git and its filters. Each is one group of
//! processes, which is ended as a whole.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::children::{is_group_there, signal_group};
use crate::interrupt::{Interrupt, UnderWay, undo};

/// How long it may take to end when it is told to.
const END_PATIENCE: Duration = Duration::from_secs(3);
/// How long it may take to be gone when it is killed.
const KILL_PATIENCE: Duration = Duration::from_secs(1);
/// How often it is looked at meanwhile.
const NAP: Duration = Duration::from_millis(50);

/// The group, while it runs.
#[derive(Debug)]
pub struct Group {
    child: Child,
    /// Which group runs, for whoever comes after a driver that was killed.
    note: PathBuf,
    _under_way: UnderWay,
}

impl Group {
    /// Starts it, whatever signals the driver's own group gets; what it writes is piped.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, note: &Path) -> io::Result<Group> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        let child = command.spawn()?;
        let id = child.id();
        // Without the note a later driver could not find the group; this one goes on.
        let _ = fs::write(note, format!("{id} {}\n", begun(id).unwrap_or_default()));
        // What it wrote is removed after that.
        let _under_way = undo(move || kill(id));
        Ok(Group { child, note: note.to_owned(), _under_way })
    }

    /// What it writes; each once.
    pub fn pipes(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits until its first process has ended, and does this meanwhile; when somebody asks for the
    /// end, tells it to.
    ///
    /// # Errors
    /// Somebody asked for the end, or the system does not say.
    pub fn wait(
        &mut self,
        interrupt: &Interrupt,
        mut meanwhile: impl FnMut(),
    ) -> Result<ExitStatus, String> {
        loop {
            meanwhile();
            if interrupt.is_set() {
                self.end();
                return Err("interrupted".to_owned());
            }
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => return Ok(status),
                None => thread::sleep(NAP),
            }
        }
    }

    /// Tells it to end, and waits for a while.
    fn end(&mut self) {
        signal_group(self.child.id(), Signal::INT);
        let until = Instant::now() + END_PATIENCE;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(NAP);
        }
    }
}

impl Drop for Group {
    /// Nothing of it outlives this. A group keeps its number while any process of it is there.
    fn drop(&mut self) {
        signal_group(self.child.id(), Signal::KILL);
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.note);
    }
}

/// Ends a group, and waits until nothing of it is there.
fn kill(id: u32) {
    signal_group(id, Signal::KILL);
    let until = Instant::now() + KILL_PATIENCE;
    while Instant::now() < until && is_group_there(id) {
        thread::sleep(NAP);
    }
}

/// Ends the group that a driver which was killed left running, if it still does.
pub fn end_left_over(note: &Path) {
    let text = fs::read_to_string(note).unwrap_or_default();
    if let Some((id, when)) = text.trim().split_once(' ')
        && let Ok(id) = id.parse()
        // Another process may have the number by now; it would have begun at another time.
        && begun(id).is_some_and(|begun| begun == when)
    {
        signal_group(id, Signal::KILL);
    }
    let _ = fs::remove_file(note);
}

/// When a process began, in ticks since the machine did; none where the system does not tell.
fn begun(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows are fields 3 and on.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(22 - 3).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_process_has_one_beginning() {
        if !Path::new("/proc/self/stat").exists() {
            let _ = writeln!(std::io::stderr(), "SKIPPED: this system has no /proc");
            return;
        }
        let own = begun(std::process::id());
        assert!(own.as_deref().is_some_and(|ticks| ticks.parse::<u64>().is_ok()), "{own:?}");
        assert_eq!(begun(std::process::id()), own);
        assert_eq!(begun(u32::MAX), None);
        // It lies between the machine's own beginning and now, in hundredths of a second.
        let uptime = fs::read_to_string("/proc/uptime").expect("readable");
        let (seconds, _) = uptime.split_once(' ').expect("two numbers");
        let now = seconds.parse::<f64>().expect("a number") * 100.0;
        let ticks: f64 = own.expect("just seen").parse().expect("a number");
        assert!(ticks > 0.0 && ticks <= now + 1.0, "{ticks} of {now}");
    }

    fn sleep(seconds: &str) -> Command {
        let mut command = Command::new("sleep");
        command.arg(seconds);
        command
    }

    #[test]
    fn a_group_is_noted_while_it_runs_and_waited_for_until_it_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let note = folder.path().join("building");
        // It may have been started to ignore what asks it to end.
        let mut group = Group::start(&mut sleep("1"), &note).expect("started");
        let id = group.child.id();
        let when = begun(id).expect("it runs");
        assert_eq!(fs::read_to_string(&note).expect("noted"), format!("{id} {when}\n"));
        assert!(group.child.try_wait().expect("known").is_none());
        let before = Instant::now();
        group.end();
        assert!(before.elapsed() < END_PATIENCE, "no longer than it takes");
        assert!(group.child.try_wait().expect("known").is_some());
        drop(group);
        assert!(!note.exists());
        let mut ended = Group::start(&mut Command::new("true"), &note).expect("started");
        let mut looked = 0;
        let status = ended.wait(&Interrupt::default(), || looked += 1).expect("ended");
        assert!(status.success() && looked > 0);
        drop(ended);
        let group = Group::start(&mut sleep("60"), &note).expect("started");
        let id = group.child.id();
        drop(group);
        assert_eq!(begun(id), None, "nothing of it outlives it");
    }

    #[test]
    fn of_what_was_left_running_the_very_process_that_was_noted_is_ended() {
        use std::os::unix::process::{CommandExt, ExitStatusExt};

        let folder = tempfile::tempdir().expect("a folder");
        let note = folder.path().join("building");
        let mut left = sleep("60").process_group(0).spawn().expect("started");
        // Another process that has the number of one that was noted.
        fs::write(&note, format!("{} 1\n", left.id())).expect("written");
        end_left_over(&note);
        // A signal may take a moment.
        thread::sleep(2 * NAP);
        assert!(!note.exists() && left.try_wait().expect("known").is_none());
        let when = begun(left.id()).expect("it runs");
        fs::write(&note, format!("{} {when}\n", left.id())).expect("written");
        end_left_over(&note);
        let status = left.wait().expect("ended");
        assert_eq!((status.signal(), note.exists()), (Some(Signal::KILL.as_raw()), false));
    }
}
