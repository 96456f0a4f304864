//! The folder of run files: where it is, what is in it, which file a name means.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::StoreError;
use crate::files::random;
use crate::run::Run;
use crate::time::run_stamp;
use crate::writer::RunWriter;

/// How the name of a finished run ends.
pub const FINISHED: &str = ".jsonl";
/// How the name of a run that has not ended, or was killed, ends.
pub const PARTIAL: &str = ".partial.jsonl";
/// How many ids an error lists.
const LISTED_MAX: usize = 5;
/// How many names are tried for a new run; each has 16 random bits.
const NAMES_TRIED_MAX: usize = 64;
/// What a run's id looks like: digits at `0`, hexadecimal digits at `f`, the rest as it is.
const ID_SHAPE: &str = "00000000T000000Z-ffff";

/// A folder of run files.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// A run file, not read yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFile {
    /// The run's id: the file's name without its ending.
    pub id: String,
    /// The file.
    pub path: PathBuf,
    /// Whether it was never renamed: still running, or killed.
    pub partial: bool,
}

impl RunFile {
    /// The run file at a path, whatever its name; `None` when it has none.
    #[must_use]
    pub fn at(path: &Path) -> Option<RunFile> {
        let name = path.file_name()?.to_str()?;
        let partial = name.ends_with(PARTIAL);
        let id = name.strip_suffix(if partial { PARTIAL } else { FINISHED }).unwrap_or(name);
        Some(RunFile { id: id.to_owned(), path: path.to_owned(), partial })
    }
}

impl Store {
    /// Where run files go when nobody says: `results/runs` of the checkout that `current` is in,
    /// else `solock-runs` in `current`.
    #[must_use]
    pub fn default_folder(current: &Path) -> PathBuf {
        let is_checkout = |folder: &&Path| {
            folder.join("Cargo.toml").is_file()
                && folder.join("results").is_dir()
                && folder.join("lockimpls").is_dir()
        };
        match current.ancestors().find(is_checkout) {
            Some(root) => root.join("results").join("runs"),
            None => current.join("solock-runs"),
        }
    }

    /// A folder to read from; it need not exist.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Store {
        Store { folder: folder.into() }
    }

    /// A folder to write to: made if it is not there, and tried out.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Store, StoreError> {
        let store = Store::at(folder);
        let failed = |source| StoreError::Folder { folder: store.folder.clone(), source };
        fs::create_dir_all(&store.folder).map_err(failed)?;
        let trial = store.folder.join(format!(".write-test-{:08x}", random() as u32));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&trial)
            .and_then(|mut file| file.write_all(b"test\n"));
        let removed = fs::remove_file(&trial);
        written.and(removed).map_err(failed)?;
        Ok(store)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a run: a new file, under a name that no run has.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn start(&self, now: SystemTime) -> Result<RunWriter, StoreError> {
        let mut error = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..NAMES_TRIED_MAX {
            let id = format!("{}-{:04x}", run_stamp(now), random() as u16);
            if self.folder.join(format!("{id}{FINISHED}")).exists() {
                continue;
            }
            match RunWriter::create(&self.folder, &id) {
                Ok(writer) => return Ok(writer),
                Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => {}
                Err(other) => {
                    error = other;
                    break;
                }
            }
        }
        Err(StoreError::Folder { folder: self.folder.clone(), source: error })
    }

    /// Every run in the folder, oldest first. A run that has both files (it was killed while it was
    /// being renamed) is listed once, as finished. No folder, no runs.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<RunFile>, StoreError> {
        let failed = |source| StoreError::Read { path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            if let Some(file) = RunFile::at(&entry.path()).filter(|file| is_id(&file.id)) {
                let modified = entry.metadata().and_then(|data| data.modified()).ok();
                found.push((file.id[..ID_SHAPE.len() - 5].to_owned(), modified, file));
            }
        }
        // By second, then by the clock of the file system; a finished file before its partial twin.
        found.sort_by(|left, right| {
            let key = |(stamp, modified, file): &(String, Option<SystemTime>, RunFile)| {
                (stamp.clone(), *modified, file.id.clone(), file.partial)
            };
            key(left).cmp(&key(right))
        });
        let mut files: Vec<RunFile> = found.into_iter().map(|(_, _, file)| file).collect();
        files.dedup_by(|later, earlier| later.id == earlier.id);
        Ok(files)
    }

    /// The file that a name means: a path, an id, the unique beginning of an id, or `last`.
    ///
    /// # Errors
    /// There is no such run, or there are several.
    pub fn resolve(&self, run: &str) -> Result<RunFile, StoreError> {
        let looks_like_path = run.ends_with(FINISHED) || run.contains(std::path::is_separator);
        if looks_like_path {
            return RunFile::at(Path::new(run)).ok_or_else(|| self.unknown(run, &[]));
        }
        let files = self.list()?;
        if run == "last" {
            return files.last().cloned().ok_or_else(|| self.unknown(run, &files));
        }
        if let Some(file) = files.iter().find(|file| file.id == run) {
            return Ok(file.clone());
        }
        let matches: Vec<&RunFile> =
            files.iter().filter(|file| !run.is_empty() && file.id.starts_with(run)).collect();
        match matches.as_slice() {
            [only] => Ok((*only).clone()),
            [] if !run.is_empty() && Path::new(run).is_file() => {
                RunFile::at(Path::new(run)).ok_or_else(|| self.unknown(run, &files))
            }
            [] => Err(self.unknown(run, &files)),
            several => Err(StoreError::Ambiguous {
                run: run.to_owned(),
                folder: self.folder.clone(),
                known: newest(several.iter().map(|file| file.id.as_str())),
            }),
        }
    }

    /// Finds a run and reads it.
    ///
    /// # Errors
    /// There is no such run, or its file is damaged.
    pub fn read(&self, run: &str) -> Result<Run, StoreError> {
        Run::read(&self.resolve(run)?)
    }

    /// The same for whatever needs measured lines: `last` is the newest run that has some.
    ///
    /// # Errors
    /// There is no such run, or its file is damaged.
    pub fn read_measured(&self, run: &str) -> Result<Run, StoreError> {
        self.read_that(run, |read| read.measured().next().is_some())
    }

    /// The same for whatever draws: `last` is the newest run that has measured lines, or is a
    /// profile.
    ///
    /// # Errors
    /// There is no such run, or its file is damaged.
    pub fn read_drawable(&self, run: &str) -> Result<Run, StoreError> {
        self.read_that(run, |read| read.measured().next().is_some() || read.is_profile())
    }

    fn read_that(&self, run: &str, is_it: fn(&Run) -> bool) -> Result<Run, StoreError> {
        let newest = if run == "last" { self.list()? } else { Vec::new() };
        let mut runs = newest.iter().rev().filter_map(|file| Run::read(file).ok());
        runs.find(is_it).map_or_else(|| self.read(run), Ok)
    }

    fn unknown(&self, run: &str, files: &[RunFile]) -> StoreError {
        let known = if files.is_empty() {
            "there are no runs yet: the command `run` makes one".to_owned()
        } else {
            format!("the newest are {}", newest(files.iter().map(|file| file.id.as_str())))
        };
        StoreError::Unknown { run: run.to_owned(), folder: self.folder.clone(), known }
    }
}

/// The last few of the ids, newest first.
fn newest<'a>(ids: impl DoubleEndedIterator<Item = &'a str>) -> String {
    ids.rev().take(LISTED_MAX).collect::<Vec<_>>().join(", ")
}

/// Whether a name is a run's id, such as `20261123T091500Z-3fa2`.
fn is_id(name: &str) -> bool {
    let fits = |(shape, character): (u8, u8)| match shape {
        b'0' => character.is_ascii_digit(),
        b'f' => character.is_ascii_hexdigit(),
        _ => character == shape,
    };
    name.len() == ID_SHAPE.len() && ID_SHAPE.bytes().zip(name.bytes()).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_shape() {
        assert!(is_id("20261123T091500Z-3fa2"));
        for other in
            ["", "last", "20261123T091500Z", "20261123T091500Z-3fag", "20261123T091500Z-3fa21"]
        {
            assert!(!is_id(other), "{other}");
        }
    }
}
