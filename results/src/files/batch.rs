//! Files that belong together, written beside their places and named when all are on the disk.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use thiserror::Error;

use super::random;

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
    pub(super) staged: Vec<(PathBuf, PathBuf)>,
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
        let mut file = {
            let mut begun = begun();
            self.make(folder, &mut begun)
                .map_err(|source| Unwritten { path: folder.to_owned(), source })?;
            let staged = folder.join(format!(".{:016x}.tmp", random()));
            let new = OpenOptions::new().write(true).create_new(true).open(&staged);
            let file = new.map_err(failed)?;
            begun.push(staged.clone());
            self.staged.push((staged, path.to_owned()));
            file
        };
        // What is only in memory yet may still be refused, by a quota or a server.
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// Gives all of them their names, which nothing may have.
    ///
    /// # Errors
    /// A name is taken (`AlreadyExists`), or cannot be given: then none is.
    pub fn place_new(mut self) -> Result<Vec<PathBuf>, Unwritten> {
        // Held until all have their names: whoever ends this process meanwhile waits for them.
        let mut begun = begun();
        for at in 0..self.staged.len() {
            let (staged, path) = self.staged[at].clone();
            rename_to_new(&staged, &path)
                .map_err(|source| Unwritten { path: path.clone(), source })?;
            begun.push(path.clone());
            self.placed.push(path);
        }
        Ok(self.keep(&mut begun))
    }

    /// Gives all of them their names, in place of files that have them.
    ///
    /// # Errors
    /// A name cannot be given; it stays with the file that has it, and so do those behind it. Those
    /// before it have their new files: what was there is gone.
    pub fn replace(mut self) -> Result<Vec<PathBuf>, Unwritten> {
        let mut begun = begun();
        for (staged, path) in &self.staged {
            fs::rename(staged, path).map_err(|source| Unwritten { path: path.clone(), source })?;
        }
        self.placed.extend(self.staged.iter().map(|(_, path)| path.clone()));
        Ok(self.keep(&mut begun))
    }

    fn keep(&mut self, begun: &mut Vec<PathBuf>) -> Vec<PathBuf> {
        self.forget(begun);
        self.folders.clear();
        self.staged.clear();
        std::mem::take(&mut self.placed)
    }

    /// Nothing of this batch is under way any more.
    fn forget(&self, begun: &mut Vec<PathBuf>) {
        let staged = self.staged.iter().map(|(staged, _)| staged);
        let own: HashSet<&PathBuf> = staged.chain(&self.placed).chain(&self.folders).collect();
        begun.retain(|path| !own.contains(path));
    }

    fn make(&mut self, folder: &Path, begun: &mut Vec<PathBuf>) -> io::Result<()> {
        let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let missing: Vec<PathBuf> =
            folder.ancestors().take_while(is_missing).map(Path::to_owned).collect();
        fs::create_dir_all(folder).inspect_err(|_| remove(missing.iter()))?;
        let made = missing.into_iter().rev();
        begun.extend(made.clone());
        self.folders.extend(made);
        Ok(())
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let mut begun = begun();
        self.forget(&mut begun);
        let staged = self.staged.iter().map(|(staged, _)| staged);
        staged.chain(&self.placed).for_each(|file| _ = fs::remove_file(file));
        remove(self.folders.iter().rev());
    }
}

/// The folders and files of all batches that have not ended, in the order in which they were made.
static BEGUN: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn begun() -> MutexGuard<'static, Vec<PathBuf>> {
    BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes what batches have begun, and does what ends this process: until that has happened no
/// batch begins, gets its names, or ends.
pub fn abandon(end: impl FnOnce()) {
    let mut begun = begun();
    for path in begun.drain(..).rev() {
        let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir(&path));
    }
    end();
}

/// Removes folders, inner ones first; one in which there is something else by now stays.
fn remove<'a>(folders: impl Iterator<Item = &'a PathBuf>) {
    folders.for_each(|folder| _ = fs::remove_dir(folder));
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The names in a folder.
    pub(in super::super) fn names(folder: &Path) -> Vec<String> {
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
    fn where_one_of_several_cannot_be_replaced_each_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let mut batch = Batch::default();
        for name in ["a", "b", "c"] {
            fs::write(path(name), "old").expect("written");
            batch.add(&path(name), b"new").expect("written");
        }
        fs::remove_file(path("b")).expect("removed");
        fs::create_dir(path("b")).expect("a folder in its place");
        assert_eq!(batch.replace().expect_err("a folder").path, path("b"));
        assert_eq!(fs::read(path("a")).expect("read"), b"new");
        assert_eq!(fs::read(path("c")).expect("read"), b"old");
        assert_eq!(names(folder.path()), ["a", "b", "c"], "and nothing else is left");
    }

    #[test]
    fn what_has_ended_is_not_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let here = || {
            let is_here = |path: &&PathBuf| path.starts_with(folder.path());
            begun().iter().filter(is_here).count()
        };
        let path = |name: &str| folder.path().join("new").join(name);
        let batch = |name: &str| {
            let mut batch = Batch::default();
            batch.add(&path(name), b"1").expect("written");
            batch
        };
        let (one, two) = (batch("one"), batch("two"));
        assert_eq!(here(), 3, "a folder and two files");
        one.place_new().expect("placed");
        assert_eq!(here(), 1);
        assert!(batch("one").place_new().is_err(), "taken");
        assert_eq!(here(), 1);
        two.replace().expect("placed");
        assert_eq!(
            (here(), names(&folder.path().join("new"))),
            (0, vec!["one".into(), "two".into()])
        );
    }
}
