//! Files that appear whole or not at all: each is written beside its place under another name, and
//! gets its own when all that belong together are on the disk. What fails leaves nothing.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A file that cannot be written.
#[derive(Debug, Error)]
#[error("{path}: {source}")]
pub struct Unwritten {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Files that belong together. Dropped before they have their names they are gone, and so are the
/// folders that were made for them.
#[derive(Debug, Default)]
pub struct Batch {
    /// Folders that were made, outer ones first.
    folders: Vec<PathBuf>,
    /// Where each is, and where it belongs.
    staged: Vec<(PathBuf, PathBuf)>,
    /// Those that have their names, while others have not.
    placed: Vec<PathBuf>,
}

impl Batch {
    /// Writes a file, not under its name yet; its folder is made if it is not there.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, path: &Path, bytes: &[u8]) -> Result<(), Unwritten> {
        let failed = |source| Unwritten { path: path.to_owned(), source };
        let folder = path.parent().unwrap_or(Path::new(""));
        self.make(folder).map_err(|source| Unwritten { path: folder.to_owned(), source })?;
        let staged = folder.join(format!(".{:016x}.tmp", random()));
        let mut file =
            OpenOptions::new().write(true).create_new(true).open(&staged).map_err(failed)?;
        self.staged.push((staged, path.to_owned()));
        // What is only in memory yet may still be refused, by a quota or a server.
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Gives all of them their names, which nothing may have.
    ///
    /// # Errors
    /// A name is taken (`AlreadyExists`), or cannot be given: then none is.
    pub fn place_new(mut self) -> Result<Vec<PathBuf>, Unwritten> {
        for at in 0..self.staged.len() {
            let (staged, path) = self.staged[at].clone();
            rename_to_new(&staged, &path)
                .map_err(|source| Unwritten { path: path.clone(), source })?;
            self.placed.push(path);
        }
        Ok(self.keep())
    }

    /// Gives all of them their names, in place of files that have them.
    ///
    /// # Errors
    /// A name cannot be given; it stays with the file that has it.
    pub fn replace(mut self) -> Result<Vec<PathBuf>, Unwritten> {
        for (staged, path) in &self.staged {
            fs::rename(staged, path).map_err(|source| Unwritten { path: path.clone(), source })?;
        }
        self.placed.extend(self.staged.iter().map(|(_, path)| path.clone()));
        Ok(self.keep())
    }

    fn keep(&mut self) -> Vec<PathBuf> {
        self.folders.clear();
        self.staged.clear();
        std::mem::take(&mut self.placed)
    }

    fn make(&mut self, folder: &Path) -> io::Result<()> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<PathBuf> =
            folder.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        fs::create_dir_all(folder).inspect_err(|_| remove(missing.iter()))?;
        self.folders.extend(missing.into_iter().rev());
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let staged = self.staged.iter().map(|(staged, _)| staged);
        staged.chain(&self.placed).for_each(|file| _ = fs::remove_file(file));
        remove(self.folders.iter().rev());
    }
}

/// Removes folders, inner ones first; one in which there is something else by now stays.
fn remove<'a>(folders: impl Iterator<Item = &'a PathBuf>) {
    folders.for_each(|folder| _ = fs::remove_dir(folder));
}

/// Writes a file in place of what is there. What is no file (a pipe, `/dev/null`) is written to, and
/// a link leads to the file that is replaced.
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
/// It cannot be read, is no file, or is longer than `limit`, in bytes.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let there = fs::metadata(path)?;
    let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    if !there.is_file() {
        let what = if there.is_dir() { "a folder" } else { "a pipe, a socket or a device" };
        return wrong(format!("it is {what}, and not a file"));
    }
    if there.len() > limit {
        return wrong(format!("it has {} bytes; at most {limit} are read", there.len()));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Renames, but never onto another file, which `rename` would replace: a second name is made, which
/// fails if it is taken, then the first is removed. File systems without second names get an empty
/// file under the new name first, which fails likewise.
///
/// # Errors
/// The name is taken (`AlreadyExists`), or cannot be given.
pub(crate) fn rename_to_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => {
            File::create_new(to)?;
            fs::rename(from, to).inspect_err(|_| _ = fs::remove_file(to))
        }
    }
}

/// 64 random bits: the standard library's own seed for hash tables.
pub(crate) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a folder.
    fn names(folder: &Path) -> Vec<String> {
        let all = fs::read_dir(folder).expect("readable").flatten();
        let mut names: Vec<String> =
            all.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_that_belong_together_appear_together() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, two) = (folder.path().join("a/b/one"), folder.path().join("a/two"));
        let batch = || {
            let mut batch = Batch::default();
            batch.add(&one, b"1").expect("written");
            batch.add(&two, b"2").expect("written");
            batch
        };
        drop(batch());
        assert!(names(folder.path()).is_empty(), "nothing is left, no folder either");
        assert_eq!(batch().place_new().expect("placed"), [one.clone(), two.clone()]);
        assert_eq!(names(&folder.path().join("a")), ["b", "two"]);
        fs::remove_file(&one).expect("removed");
        let taken = batch().place_new().expect_err("taken");
        assert_eq!((taken.path, taken.source.kind()), (two, io::ErrorKind::AlreadyExists));
        assert!(!one.exists(), "the other is not there either");
        assert_eq!(names(&folder.path().join("a")), ["b", "two"]);
    }

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
}
