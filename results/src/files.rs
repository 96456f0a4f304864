//! Files that appear whole or not at all: each is written beside its place under another name, and
//! gets its own when all that belong together are on the disk. New ones appear together or not at
//! all; of those that replace others each is whole, the old one or the new one.

mod batch;

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;

pub(crate) use batch::rename_to_new;
pub use batch::{Batch, Unwritten, abandon};

/// Writes a file in place of what is there. What is no file (a pipe, `/dev/null`) is written to,
/// and a link leads to the file that is replaced.
///
/// # Errors
/// It cannot be written; what was there stays.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), Unwritten> {
    let failed = |source| Unwritten { path: path.to_owned(), source };
    let there = fs::metadata(path).ok();
    let mut batch = Batch::default();
    match there {
        None => batch.add(path, bytes)?,
        Some(there) => {
            // Whoever may not write the file may not replace it either.
            let mut file = OpenOptions::new().write(true).open(path).map_err(failed)?;
            if !there.is_file() {
                return file.write_all(bytes).map_err(failed);
            }
            batch.add(&fs::canonicalize(path).map_err(failed)?, bytes)?;
            let _ = fs::set_permissions(&batch.staged[0].0, there.permissions());
        }
    }
    batch.replace().map(|_| ())
}

/// Reads a file, and nothing else: a pipe may have no end, or not even a beginning.
///
/// # Errors
/// It cannot be read, is no file, or is longer than `limit`, in bytes (`FileTooLarge`).
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let too_long = |length: u64| {
        let what = format!("it has {length} bytes; at most {limit} are read");
        io::Error::new(io::ErrorKind::FileTooLarge, what)
    };
    let length = file.metadata()?.len();
    if length > limit {
        return Err(too_long(length));
    }
    let mut bytes = Vec::new();
    // It may have grown since.
    (&file).take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(too_long(file.metadata()?.len().max(bytes.len() as u64)));
    }
    Ok(bytes)
}

/// Reads a file's first line, without its end, and nothing else.
///
/// # Errors
/// It cannot be read, is no file, or the line is longer than `limit`, in bytes (`FileTooLarge`).
pub fn first_line(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(open(path)?.take(limit.saturating_add(1))).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 > limit {
        let what = format!("its first line has over {limit} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(line)
}

/// Opens what is a file. A pipe would be waited for, and merely to open a device can do something:
/// so it is looked at by name first, and then, as another may have the name by now, opened without
/// waiting and looked at again.
fn open(path: &Path) -> io::Result<File> {
    is_file(&fs::metadata(path)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let file = options.open(path)?;
    is_file(&file.metadata()?)?;
    Ok(file)
}

fn is_file(there: &fs::Metadata) -> io::Result<()> {
    if there.is_file() {
        return Ok(());
    }
    let what = if there.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, and not a file")))
}

/// 64 random bits: the standard library's own seed for hash tables.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::batch::tests::names;
    use super::*;

    #[test]
    #[cfg(unix)]
    fn what_is_replaced_stays_what_it_is() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
        symlink("file", &link).expect("made");
        replace(&link, b"new").expect("replaced");
        assert_eq!(fs::read(&file).expect("read"), b"new");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        assert!(link.is_symlink());
        replace(Path::new("/dev/null"), b"gone").expect("written");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
        assert!(replace(folder.path(), b"x").is_err(), "a folder is none");
        assert_eq!(names(folder.path()), ["file", "link"]);
    }
    #[test]
    fn no_more_is_read_than_was_allowed_and_what_is_longer_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "1234\nabc").expect("written");
        assert_eq!(read(&file, 8).expect("read"), b"1234\nabc");
        assert_eq!(read(&file, 7).expect_err("longer").kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(first_line(&file, 4).expect("read"), b"1234");
        assert_eq!(first_line(&file, 3).expect_err("longer").kind(), io::ErrorKind::FileTooLarge);
        fs::write(&file, "1234").expect("written");
        assert_eq!(first_line(&file, 4).expect("read"), b"1234");
        assert_eq!(first_line(&file, 3).expect_err("longer").kind(), io::ErrorKind::FileTooLarge);
        fs::write(&file, "").expect("written");
        assert_eq!(first_line(&file, 0).expect("read"), b"");
        let error = |result: io::Result<Vec<u8>>| result.expect_err("a folder").kind();
        assert_eq!(error(read(folder.path(), 9)), io::ErrorKind::InvalidInput);
        assert_eq!(error(first_line(folder.path(), 9)), io::ErrorKind::InvalidInput);
    }

    /// A file of /proc says that its length is 0, and has bytes: as if it had grown since it was
    /// asked.
    #[test]
    #[cfg(target_os = "linux")]
    fn what_has_grown_is_not_cut_without_a_word() {
        let grown = Path::new("/proc/self/status");
        assert_eq!(fs::metadata(grown).expect("there").len(), 0);
        assert!(!read(grown, 1 << 20).expect("read").is_empty());
        assert_eq!(read(grown, 10).expect_err("longer").kind(), io::ErrorKind::FileTooLarge);
    }
}
