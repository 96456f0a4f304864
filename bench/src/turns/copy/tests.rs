//! Processes that run from copies, as /proc shows them.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use super::*;

const PROGRAM: &str = "/bin/sleep";

/// A process that is ended with this.
struct Running(Spawned);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.child.kill().and_then(|()| self.0.child.wait()).expect("ended");
    }
}

impl Running {
    fn proc(&self, name: &str) -> PathBuf {
        format!("/proc/{}/{name}", self.0.child.id()).into()
    }

    /// What it runs, as a name.
    fn file(&self) -> String {
        fs::read_link(self.proc("exe")).expect("it runs").display().to_string()
    }

    /// The device and the number of the file that it runs.
    fn identity(&self) -> (u64, u64) {
        let file = fs::metadata(self.proc("exe")).expect("it runs");
        (file.dev(), file.ino())
    }

    /// Whether it, or this process, has the file open that it runs.
    fn is_open(&self) -> bool {
        let folders = [self.proc("fd"), "/proc/self/fd".into()];
        let open = folders.into_iter().flat_map(|fd| fs::read_dir(fd).expect("readable").flatten());
        let mut files = open.filter_map(|file| fs::metadata(file.path()).ok());
        files.any(|file| (file.dev(), file.ino()) == self.identity())
    }
}

#[track_caller]
fn running(program: &str, places: &[Place]) -> Running {
    let command = |file: &Path| {
        let mut command = Command::new(file);
        command.arg0(program).arg("60").stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        command
    };
    Running(spawn(Path::new(program), places, &command).expect("started"))
}

#[test]
fn a_copy_in_memory_is_its_processes_own() {
    let both = [(); 2].map(|()| running(PROGRAM, &[Place::Memory]));
    for process in &both {
        assert_eq!(
            (process.file().as_str(), &process.0.uncopied),
            ("/memfd:solock (deleted)", &None)
        );
        assert!(!process.is_open());
        let (copy, original) = (fs::read(process.proc("exe")), fs::read(PROGRAM));
        assert!(original.expect("readable").starts_with(&copy.expect("readable")));
    }
    assert_ne!(both[0].identity(), both[1].identity());
}

#[test]
fn a_copy_in_a_folder_never_had_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let absent = Place::Folder("/nonexistent".into());
    let process = running(PROGRAM, &[absent, Place::Folder(folder.path().to_owned())]);
    let file = process.file();
    assert!(file.starts_with(&*folder.path().to_string_lossy()) && file.ends_with("(deleted)"));
    assert!(process.0.uncopied.is_none() && !process.is_open());
    assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
}

#[test]
fn where_no_copy_can_be_run_the_file_itself_is_and_that_is_said() {
    let process = running(PROGRAM, &[Place::Folder("/nonexistent".into())]);
    let itself = fs::canonicalize(PROGRAM).expect("there");
    assert_eq!(process.file(), itself.display().to_string());
    let why = process.0.uncopied.as_deref().expect("said");
    assert!(why.starts_with("in /nonexistent: No such file"), "{why}");
    assert_eq!(told(why).matches(why).count(), 1);
}

#[test]
fn a_script_and_a_name_to_be_looked_for_are_not_copied() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script");
    let text = format!("#!/bin/sh\nexec {PROGRAM} \"$@\"\n");
    fs::write(&script, text).expect("written");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("executable");
    let script = script.to_str().expect("UTF-8");
    for (program, why) in [(script, "it is a script"), ("sleep", "it is looked for in PATH")] {
        let said = running(program, &[Place::Memory]).0.uncopied.take();
        assert!(said.as_deref().is_some_and(|said| said.starts_with(why)), "{said:?}");
    }
    let absent = spawn(Path::new("/nonexistent"), &[Place::Memory], &|file| Command::new(file));
    assert_eq!(absent.expect_err("there is none").kind(), ErrorKind::NotFound);
}

#[test]
fn a_copy_that_a_new_process_still_holds_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let original = Original::open(Path::new(PROGRAM)).expect("a program");
    let copy = original.copy(&Place::Folder(folder.path().to_owned())).expect("copied");
    let writer = fs::OpenOptions::new().write(true).open(path(&copy)).expect("opened");
    let command = |file: &Path| {
        let mut command = Command::new(file);
        command.arg("60");
        command
    };
    let busy = command(&path(&copy)).spawn().expect_err("somebody may write to it");
    assert_eq!(busy.kind(), ErrorKind::ExecutableFileBusy);
    let holder = thread::spawn(move || {
        thread::sleep(3 * BUSY_NAP);
        drop(writer);
    });
    let child = start(&copy, &command).expect("started");
    holder.join().expect("ended");
    drop(Running(Spawned { child, uncopied: None }));
}

#[test]
fn a_program_that_has_become_shorter_is_not_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut original = Original::open(Path::new(PROGRAM)).expect("a program");
    let whole = original.file.metadata().expect("known").len();
    for (bytes, kind) in [(whole, None), (whole + 1, Some(ErrorKind::UnexpectedEof))] {
        original.bytes = bytes;
        let copy = original.copy(&Place::Folder(folder.path().to_owned()));
        assert_eq!(copy.err().map(|error| error.kind()), kind);
    }
}

#[test]
fn what_is_loaded_ends_where_the_list_of_it_says() {
    let this = env::current_exe().expect("a program");
    let original = Original::open(&this).expect("a program");
    let symbols = fs::metadata(this).expect("known").len() - original.bytes;
    assert!(original.bytes > 1 << 20 && symbols > 0, "{} {symbols}", original.bytes);
    let head = fs::read(PROGRAM).expect("readable");
    assert!(loaded_bytes(&head[..HEAD_BYTES as usize]).is_some());
    assert_eq!(loaded_bytes(&head[..40]), None);
}

#[test]
fn a_place_beside_the_program_comes_before_the_folder_for_temporary_files() {
    let folders = ["/a".into(), env::temp_dir()].map(Place::Folder);
    assert_eq!(Place::of(Path::new("/a/solock")), [&[Place::Memory], &folders[..]].concat());
}
