//! The checkout the user stands in: read, never changed. What is built of a commit is built in a
//! worktree of its own, which is gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
        let root = git(&current, &["rev-parse", "--show-toplevel"])?;
        Ok(Repository { root: PathBuf::from(root) })
    }

    /// The full hash of the commit of that name, if there is one.
    #[must_use]
    pub fn commit(&self, name: &str) -> Option<String> {
        let name = format!("{name}^{{commit}}");
        git(&self.root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name]).ok()
    }

    /// The commit that is checked out, if there is one.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        self.commit("HEAD")
    }

    /// Some names of commits, the newest first.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let newest = ["for-each-ref", "--sort=-creatordate", "--format=%(refname:short)"];
        let refs = [&newest[..], &[LISTED_MAX, "refs/heads", "refs/tags"]].concat();
        let names = git(&self.root, &refs).unwrap_or_default();
        names.lines().map(str::to_owned).collect()
    }

    /// Checks a commit out into a folder, which is removed when the answer is dropped.
    ///
    /// # Errors
    /// git says no.
    pub fn worktree(&self, commit: &str, folder: &Path) -> Result<Worktree, String> {
        let worktree = Worktree { root: self.root.clone(), folder: folder.to_owned() };
        // What a driver that was killed left here.
        worktree.remove();
        let path = folder.to_string_lossy();
        // Hooks are the user's, and not meant for this.
        let hooks = "core.hooksPath=/dev/null";
        let add = ["-c", hooks, "worktree", "add", "--quiet", "--detach", "--force", &path, commit];
        git(&self.root, &add)?;
        Ok(worktree)
    }
}

/// A commit, checked out.
#[derive(Debug)]
pub struct Worktree {
    root: PathBuf,
    /// Where.
    pub folder: PathBuf,
}

impl Worktree {
    fn remove(&self) {
        if let Some(path) = self.folder.to_str() {
            let _ = git(&self.root, &["worktree", "remove", "--force", "--force", path]);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Worktree {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes the worktree in that folder, if there is one.
pub fn remove_left_over(repository: &Repository, folder: &Path) {
    if folder.exists() {
        drop(Worktree { root: repository.root.clone(), folder: folder.to_owned() });
    }
}

/// What git prints, without the newline.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder);
    // Set where git runs this program as a hook; they would send it to another checkout.
    for name in ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"] {
        command.env_remove(name);
    }
    let output = command.output().map_err(|error| format!("git cannot be run: {error}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(said(&output.stdout));
    }
    let what = arguments.iter().find(|word| !word.starts_with('-') && !word.contains('='));
    Err(format!("git {} failed: {}", what.unwrap_or(&""), said(&output.stderr)))
}
