//! The sides' programs: built once per commit and compiler, and kept.
//!
//! All of it lies in `solock-compare` in the checkout's target folder, so that `cargo clean` takes
//! it away. One driver builds at a time (it holds a lock), always in the same folders: the programs
//! of two commits then differ in nothing but their code. Every checkout there is new, so no file is
//! as old as what was built before it, and cargo builds again whatever could differ; libraries that
//! did not change are shared. The working tree has a target folder of its own, as its files can be
//! older than what was built of a commit.

use std::env;
use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::cargo;
use super::progress::Watch;
use super::repository::{Repository, remove_left_over};
use super::side::{Side, Source};
use crate::interrupt::Interrupt;

/// As many programs are kept.
const KEPT_MAX: usize = 24;
/// How often a lock is tried that somebody else holds.
const NAP: Duration = Duration::from_millis(200);
/// Variables that change what cargo builds, beside those that begin with `CARGO_PROFILE_` and
/// `CARGO_BUILD_`.
const FLAGS: [&str; 5] =
    ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_INCREMENTAL", "RUSTC_WRAPPER", "RUSTC"];

/// The same program under two paths of the same length.
pub type Paths = [PathBuf; 2];

/// Builds, or finds what was built.
#[derive(Debug)]
pub struct Programs<'a> {
    folder: PathBuf,
    repository: &'a Repository,
    interrupt: &'a Interrupt,
    watch: &'a Watch,
    compiler: String,
    /// Held until this is dropped.
    _lock: File,
}

impl<'a> Programs<'a> {
    /// Takes the lock, and removes what a driver that was killed left behind.
    ///
    /// # Errors
    /// The folder cannot be written, there is no compiler, or somebody asked for the end.
    pub fn open(
        repository: &'a Repository,
        interrupt: &'a Interrupt,
        watch: &'a Watch,
    ) -> Result<Programs<'a>, String> {
        let target = env::var_os("CARGO_TARGET_DIR").map(|folder| repository.root.join(folder));
        let target = target.unwrap_or_else(|| repository.root.join("target"));
        let folder = target.join("solock-compare");
        let failed = |error| format!("cannot write to {}: {error}", folder.display());
        fs::create_dir_all(folder.join("programs")).map_err(failed)?;
        let lock = File::create(folder.join("lock")).map_err(failed)?;
        wait_for(&lock, interrupt, watch)?;
        let compiler = compiler()?;
        remove_left_over(repository, &folder.join("tree"));
        Ok(Programs { folder, repository, interrupt, watch, compiler, _lock: lock })
    }

    /// The program of a side that has one.
    ///
    /// # Errors
    /// It does not build.
    pub fn of(&self, side: &Side) -> Result<Paths, String> {
        match &side.source {
            Source::Commit(commit) => self.of_commit(&side.name, commit),
            Source::Tree => self.of_tree(),
            Source::Program(path) => Ok([path.clone(), path.clone()]),
            Source::Run(_) => Err("a stored run has no program".to_owned()),
        }
    }

    fn of_commit(&self, name: &str, commit: &str) -> Result<Paths, String> {
        let short = &commit[..commit.len().min(16)];
        let key = format!("{short}-{}", hex(&(commit, &self.compiler)));
        if let Some(paths) = self.kept(&key) {
            return Ok(paths);
        }
        let worktree = self.repository.worktree(commit, &self.folder.join("tree"))?;
        let target = self.folder.join("target");
        let program = self.build(&format!("{name} ({short})"), &worktree.folder, &target)?;
        self.keep(&program, &key)
    }

    fn of_tree(&self) -> Result<Paths, String> {
        let root = &self.repository.root;
        let target = self.folder.join(format!("working-tree-{}", hex(root)));
        let program = self.build("the working tree", root, &target)?;
        let bytes = fs::read(&program).map_err(|error| error.to_string())?;
        let key = format!("{}-{}", hex(&bytes), hex(&self.compiler));
        self.kept(&key).map_or_else(|| self.keep(&program, &key), Ok)
    }

    fn build(&self, name: &str, source: &Path, target: &Path) -> Result<PathBuf, String> {
        cargo::build(&cargo::Build { name, source, target }, self.interrupt, self.watch)
    }

    fn paths(&self, key: &str) -> Paths {
        let folder = self.folder.join("programs").join(key);
        ["1", "2"].map(|copy| folder.join(copy).join("solock"))
    }

    /// A program that was built before.
    fn kept(&self, key: &str) -> Option<Paths> {
        let paths = self.paths(key);
        if !paths.iter().all(|path| path.is_file()) {
            return None;
        }
        // Its age is the time since it was last used.
        let now = File::open(paths[0].parent()?.parent()?).ok()?;
        let _ = now.set_modified(std::time::SystemTime::now());
        Some(paths)
    }

    /// Copies a program to where it stays: both copies, or none.
    fn keep(&self, program: &Path, key: &str) -> Result<Paths, String> {
        let failed = |error| format!("the program of a side cannot be kept: {error}");
        let new = self.folder.join("programs").join(".new");
        let _ = fs::remove_dir_all(&new);
        for copy in ["1", "2"] {
            fs::create_dir_all(new.join(copy)).map_err(failed)?;
            fs::copy(program, new.join(copy).join("solock")).map_err(failed)?;
        }
        let folder = self.folder.join("programs").join(key);
        let _ = fs::remove_dir_all(&folder);
        fs::rename(&new, &folder).map_err(failed)?;
        self.forget_oldest();
        Ok(self.paths(key))
    }

    /// Removes the programs that were not used for longest.
    fn forget_oldest(&self) {
        let entries = fs::read_dir(self.folder.join("programs")).into_iter().flatten().flatten();
        let mut by_age: Vec<(std::time::SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        by_age.sort();
        let many = by_age.len().saturating_sub(KEPT_MAX);
        for (_, folder) in by_age.into_iter().take(many) {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn wait_for(lock: &File, interrupt: &Interrupt, watch: &Watch) -> Result<(), String> {
    let mut told = false;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(format!("no lock: {error}")),
            Err(TryLockError::WouldBlock) if interrupt.is_set() => return Err("interrupted".into()),
            Err(TryLockError::WouldBlock) => {
                if !told {
                    watch.say("another solock compare is building; waiting for it");
                    told = true;
                }
                thread::sleep(NAP);
            }
        }
    }
}

/// What decides, beside the source, what is built.
fn compiler() -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg("-vV").output().map_err(|error| {
        let rustc = rustc.to_string_lossy();
        format!("{rustc} cannot be run: {error}; commits are built from source, with cargo")
    })?;
    let mut all = String::from_utf8_lossy(&output.stdout).into_owned();
    let decides = |name: &str| {
        FLAGS.contains(&name)
            || name.starts_with("CARGO_PROFILE_")
            || name.starts_with("CARGO_BUILD_")
    };
    let mut flags: Vec<(String, String)> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .filter(|(name, _)| decides(name))
        .map(|(name, value)| (name, value.to_string_lossy().into_owned()))
        .collect();
    flags.sort();
    flags.iter().for_each(|(name, value)| all += &format!("{name}={value}\n"));
    Ok(all)
}

/// Sixteen digits for a value. They name files in a folder that `cargo clean` may take away, so it
/// does not matter that another version of Rust may give others.
fn hex(value: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
