//! The checkout the user stands in: read, never changed. A commit is built in a separate worktree,
//! which is removed afterwards.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::git;
use crate::interrupt::{UnderWay, undo};

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

    /// Checks a commit out into a folder, which is removed when the answer is dropped.
    ///
    /// # Errors
    /// git says no.
    pub fn worktree(&self, commit: &str, folder: &Path) -> Result<Worktree, String> {
        // What a driver that was killed left here.
        remove(&self.root, folder);
        let (root, at) = (self.root.clone(), folder.to_owned());
        let worktree = Worktree {
            root: self.root.clone(),
            folder: folder.to_owned(),
            _under_way: undo(move || remove(&root, &at)),
        };
        // Hooks are the user's, and not meant for this.
        let hooks = "core.hooksPath=/dev/null";
        let add = ["-c", hooks, "worktree", "add", "--quiet", "--detach", "--force"];
        let mut add = add.map(OsStr::new).to_vec();
        add.extend([folder.as_os_str(), OsStr::new(commit)]);
        git::git(&self.root, &add)?;
        Ok(worktree)
    }
}

/// A commit, checked out.
#[derive(Debug)]
pub struct Worktree {
    root: PathBuf,
    /// Where.
    pub folder: PathBuf,
    _under_way: UnderWay,
}

impl Drop for Worktree {
    fn drop(&mut self) {
        remove(&self.root, &self.folder);
    }
}

/// Removes the worktree in that folder, if there is one.
pub fn remove_left_over(repository: &Repository, folder: &Path) {
    remove(&repository.root, folder);
}

fn remove(root: &Path, folder: &Path) {
    let mut remove = ["worktree", "remove", "--force", "--force"].map(OsStr::new).to_vec();
    remove.push(folder.as_os_str());
    // Where there is none git says so. It may be registered although its folder is gone.
    let _ = git::git(root, &remove);
    let _ = fs::remove_dir_all(folder);
}
