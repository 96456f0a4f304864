//! The checkout the user stands in: its files and branches are read, never changed. A commit is
//! built in a separate worktree, which is removed afterwards.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use super::cargo::{note, rest};
use super::group::Group;
use super::lock::Lock;
use crate::children::lines;
use crate::git;
use crate::interrupt::{Interrupt, UnderWay, undo};

/// How many names an error lists.
const LISTED_MAX: &str = "--count=6";

/// A checkout of git's.
#[derive(Clone, Debug)]
pub struct Repository {
    /// Its topmost folder.
    pub root: PathBuf,
}

impl Repository {
    /// The checkout that the current folder is in.
    ///
    /// # Errors
    /// There is none, or no git.
    pub fn here() -> Result<Repository, String> {
        let current = std::env::current_dir().map_err(|error| error.to_string())?;
        let arguments = ["rev-parse", "--show-toplevel"].map(OsStr::new);
        Ok(Repository { root: git::path(git::git(&current, &arguments)?) })
    }

    /// The full hash of the commit of that name, if there is one.
    #[must_use]
    pub fn commit(&self, name: &str) -> Option<String> {
        let name = format!("{name}^{{commit}}");
        let verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", &name];
        git::text(&self.root, &verify).ok()
    }

    /// What stands in the file at that path in a commit, if there is one.
    #[must_use]
    pub fn text(&self, commit: &str, path: &str) -> Option<String> {
        git::text(&self.root, &["cat-file", "blob", &format!("{commit}:{path}")]).ok()
    }

    /// Some names of commits, the newest first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let newest = ["for-each-ref", "--sort=-creatordate", "--format=%(refname:short)"];
        let refs = [&newest[..], &[LISTED_MAX, "refs/heads", "refs/tags"]].concat();
        let names = git::text(&self.root, &refs).unwrap_or_default();
        names.lines().map(str::to_owned).collect()
    }

    /// Checks a commit out into a folder, which is removed when the answer is dropped; while the
    /// lock is lost, nothing there is touched.
    ///
    /// # Errors
    /// git says no, the lock is lost, or somebody asked for the end.
    pub fn worktree(
        &self,
        commit: &str,
        folder: &Path,
        lock: &Arc<Lock>,
        interrupt: &Interrupt,
    ) -> Result<Worktree, String> {
        lock.check()?;
        // What a driver that was killed left here.
        remove(&self.root, folder);
        let (root, at, held) = (self.root.clone(), folder.to_owned(), Arc::clone(lock));
        let worktree = Worktree {
            root: self.root.clone(),
            folder: folder.to_owned(),
            lock: Arc::clone(lock),
            _under_way: undo(move || remove_own(&root, &at, &held)),
        };
        // Hooks are the user's, and not meant for this; and all of the commit is.
        let settings = ["core.hooksPath=/dev/null", "core.sparseCheckout=false"];
        let add = ["worktree", "add", "--quiet", "--detach", "--force"];
        let settings = settings.iter().flat_map(|it| ["-c", it]).chain(add).map(OsStr::new);
        let add: Vec<&OsStr> = settings.chain([folder.as_os_str(), OsStr::new(commit)]).collect();
        check_out(git::command(&self.root, &add), &add, folder, interrupt)?;
        Ok(worktree)
    }
}

/// Runs git, which fills that folder: nothing of it goes on after the folder was removed.
fn check_out(
    mut git: Command,
    add: &[&OsStr],
    folder: &Path,
    interrupt: &Interrupt,
) -> Result<(), String> {
    let mut group = Group::start(&mut git, &note(folder)).map_err(|error| git::not_run(&error))?;
    let (_, said) = group.pipes();
    let (said, mut last) = (lines(said), Vec::new());
    let status = group.wait(interrupt, || last.extend(said.try_iter().flatten()))?;
    last.extend(rest(&said));
    if status.success() { Ok(()) } else { Err(git::failed(add, &last.join("\n"))) }
}

/// A commit, checked out.
#[derive(Debug)]
pub struct Worktree {
    root: PathBuf,
    /// Where.
    pub folder: PathBuf,
    lock: Arc<Lock>,
    _under_way: UnderWay,
}

impl Drop for Worktree {
    fn drop(&mut self) {
        remove_own(&self.root, &self.folder, &self.lock);
    }
}

/// Removes the worktree in that folder, unless another driver may be at work there.
fn remove_own(root: &Path, folder: &Path, lock: &Lock) {
    if lock.is_held() {
        remove(root, folder);
    }
}

/// Removes the worktree in that folder, if there is one.
pub fn remove_left_over(repository: &Repository, folder: &Path) {
    remove(&repository.root, folder);
}

fn remove(root: &Path, folder: &Path) {
    // At a second signal two threads may come here, and the process ends when one has done it.
    static ONE_BY_ONE: Mutex<()> = Mutex::new(());
    let _alone = ONE_BY_ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut remove = ["worktree", "remove", "--force", "--force"].map(OsStr::new).to_vec();
    remove.push(folder.as_os_str());
    // Where there is none git says so. It may be registered although its folder is gone.
    let _ = git::git(root, &remove);
    let _ = fs::remove_dir_all(folder);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Around;
    use crate::compare::progress::Watch;

    #[test]
    fn a_worktree_of_a_driver_that_lost_its_lock_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let repository = Repository { root: root.clone() };
        let git = |arguments: &[&str]| git::text(&root, arguments).expect("git");
        git(&["init", "--quiet"]);
        let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
        git(&[&who[..], &["commit", "--quiet", "--allow-empty", "--message", "one"]].concat());
        let (interrupt, watch) = (Interrupt::default(), Watch::new());
        let around = Around { interrupt: &interrupt, watch: &watch };
        let (tree, path) = (root.join("target/tree"), root.join("target/lock"));
        let lock = Arc::new(Lock::take(&path, around).expect("taken"));
        let worktree = |lock| repository.worktree("HEAD", &tree, lock, &interrupt);
        drop(worktree(&lock).expect("checked out"));
        assert!(!tree.exists(), "gone with the answer");
        let left = worktree(&lock).expect("checked out");
        fs::remove_file(&path).expect("removed");
        drop(left);
        assert!(tree.exists(), "another driver may have it by now");
        let why = worktree(&lock).expect_err("the lock is lost");
        assert!(why.contains("was removed") && tree.exists(), "{why}");
        let lock = Arc::new(Lock::take(&path, around).expect("taken"));
        drop(worktree(&lock).expect("checked out"));
        assert!(!tree.exists() && git(&["worktree", "list"]).lines().count() == 1);
    }

    #[test]
    fn all_of_a_commit_is_checked_out_of_a_sparse_checkout_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("there");
        let git = |arguments: &[&str]| git::text(&root, arguments).expect("git");
        git(&["init", "--quiet"]);
        for file in ["a/x", "b/y"].map(|file| root.join(file)) {
            fs::create_dir(file.parent().expect("a folder")).expect("made");
            fs::write(file, "text").expect("written");
        }
        git(&["add", "."]);
        let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
        git(&[&who[..], &["commit", "--quiet", "--message", "one"]].concat());
        git(&["sparse-checkout", "set", "a"]);
        assert!(!root.join("b").exists());
        let (interrupt, watch) = (Interrupt::default(), Watch::new());
        let around = Around { interrupt: &interrupt, watch: &watch };
        let lock = Arc::new(Lock::take(&root.join("target/lock"), around).expect("taken"));
        let repository = Repository { root: root.clone() };
        let tree = root.join("target/tree");
        let worktree = repository.worktree("HEAD", &tree, &lock, &interrupt).expect("there");
        assert!(tree.join("a/x").exists() && tree.join("b/y").exists());
        assert_eq!(git::text(&tree, &["status", "--porcelain"]), Ok(String::new()));
        drop(worktree);
        let why = repository.worktree("nothing", &tree, &lock, &interrupt).expect_err("no commit");
        assert!(why.starts_with("git worktree failed: ") && why.contains("nothing"), "{why}");
    }
}
