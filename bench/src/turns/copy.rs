//! A process that runs from a copy of its program, made for it alone.
//!
//! The pages of a file get their places in memory when they are read for the first time, and keep
//! them for all processes that run it; where they lie is worth some percent of a ratio, the same in
//! every launch, so that no interval would show it. A copy has pages of its own, and so each launch
//! has its own luck.
//!
//! A copy lies in memory or, where the system runs no program from there, in a file that never had
//! a name: its process is all that holds it, so that nothing is left behind, however this process
//! or that one ends. Where a system takes neither, the process runs the program's own file, and
//! that is said. What is loaded is copied; symbols and debug information, most of the file, are
//! not.

use std::env;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use object::Endianness;
use object::elf::{ELFMAG, FileHeader64, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

/// What a program's file begins with: its header, and the list of what is loaded.
const HEAD_BYTES: u64 = 4096;
/// How often a copy is tried that another thread's new process still holds for writing, and how
/// long it is waited for: until that process runs its own program.
const BUSY_TRIES: u32 = 50;
const BUSY_NAP: Duration = Duration::from_millis(2);

/// Where a copy is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In memory.
    Memory,
    /// On the disk of this folder, in a file without a name.
    Folder(PathBuf),
}

impl Place {
    /// The places for copies of a program, the best one first: beside the program a file can be
    /// run, as it can.
    #[must_use]
    pub fn of(program: &Path) -> Vec<Place> {
        let beside = program.parent().map(|folder| Place::Folder(folder.to_owned()));
        let temporary = Place::Folder(env::temp_dir());
        [Some(Place::Memory), beside, Some(temporary)].into_iter().flatten().collect()
    }

    fn name(&self) -> String {
        match self {
            Place::Memory => "in memory".to_owned(),
            Place::Folder(folder) => format!("in {}", folder.display()),
        }
    }
}

/// A process that was started.
#[derive(Debug)]
pub struct Spawned {
    /// The process.
    pub child: Child,
    /// Why it runs the program's own file, if it does.
    pub uncopied: Option<String>,
}

/// What a user is told of processes that ran no copy, and why.
#[must_use]
pub fn told(uncopied: &str) -> String {
    format!(
        "warning: no copy of the program could be run, so that its processes ran one file \
         ({uncopied}): what that file's place in memory is worth, some percent, is in no interval"
    )
}

/// Starts a process from a copy of the program in the first of the places that will do; `command`
/// makes the command from the path of what is run.
///
/// # Errors
/// The program cannot be started, not even itself.
pub fn spawn(
    program: &Path,
    places: &[Place],
    command: &dyn Fn(&Path) -> Command,
) -> io::Result<Spawned> {
    let mut refused = Vec::new();
    match Original::open(program) {
        Err(error) => refused.push(error.to_string()),
        Ok(original) => {
            for place in places {
                match original.copy(place).and_then(|copy| start(&copy, command)) {
                    Ok(child) => return Ok(Spawned { child, uncopied: None }),
                    Err(error) => refused.push(format!("{}: {error}", place.name())),
                }
            }
        }
    }
    Ok(Spawned { child: command(program).spawn()?, uncopied: Some(refused.join("; ")) })
}

/// Starts what a descriptor holds. It is closed in the new process, whose own descriptor the path
/// means, as soon as that runs it.
fn start(copy: &OwnedFd, command: &dyn Fn(&Path) -> Command) -> io::Result<Child> {
    let path = path(copy);
    let mut command = command(&path);
    for _ in 1..BUSY_TRIES {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => thread::sleep(BUSY_NAP),
            started => return started,
        }
    }
    command.spawn()
}

fn path(descriptor: &OwnedFd) -> PathBuf {
    format!("/proc/self/fd/{}", descriptor.as_raw_fd()).into()
}

/// What is copied.
struct Original {
    file: File,
    /// How much of it is loaded when it runs, counted from its beginning.
    bytes: u64,
}

impl Original {
    fn open(program: &Path) -> io::Result<Original> {
        if !program.as_os_str().as_encoded_bytes().contains(&b'/') {
            return Err(io::Error::other("it is looked for in PATH"));
        }
        let file = File::open(program)?;
        let mut head = Vec::new();
        (&file).take(HEAD_BYTES).read_to_end(&mut head)?;
        if !head.starts_with(&ELFMAG) {
            return Err(io::Error::other("it is a script, or no program"));
        }
        let bytes = match loaded_bytes(&head) {
            Some(bytes) => bytes,
            None => file.metadata()?.len(),
        };
        Ok(Original { file, bytes })
    }

    /// A copy that can be run, and is closed when it is.
    fn copy(&self, place: &Place) -> io::Result<OwnedFd> {
        let mut from = &self.file;
        from.rewind()?;
        let mut to = File::from(create(place)?);
        if io::copy(&mut from.take(self.bytes), &mut to)? < self.bytes {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let to = OwnedFd::from(to);
        match place {
            Place::Memory => Ok(to),
            // A file that somebody may write to is not run.
            Place::Folder(_) => Ok(File::open(path(&to))?.into()),
        }
    }
}

#[cfg(target_os = "linux")]
fn create(place: &Place) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create, open};
    let in_memory = |flags| memfd_create(c"solock", flags | MemfdFlags::CLOEXEC);
    let created = match place {
        // Before Linux 6.3 every one could be run, and none could ask for it.
        Place::Memory => in_memory(MemfdFlags::EXEC).or_else(|error| match error {
            rustix::io::Errno::INVAL => in_memory(MemfdFlags::empty()),
            other => Err(other),
        }),
        Place::Folder(folder) => {
            open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RWXU)
        }
    };
    Ok(created?)
}

#[cfg(not(target_os = "linux"))]
fn create(_: &Place) -> io::Result<OwnedFd> {
    Err(ErrorKind::Unsupported.into())
}

/// How much of a program is loaded, by its file's head; none where that does not say it, as on a
/// machine of 32 bits.
fn loaded_bytes(head: &[u8]) -> Option<u64> {
    let header = FileHeader64::<Endianness>::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let loaded = segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD);
    loaded.filter_map(|one| one.p_offset(endian).checked_add(one.p_filesz(endian))).max()
}

#[cfg(test)]
mod tests;
