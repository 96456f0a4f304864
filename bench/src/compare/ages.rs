//! How old the files of a commit's checkout are, by which cargo tells what to build again.
//!
//! cargo takes a package for built where none of its files is younger than what was built of it. In
//! a new checkout every file is, so that all packages would be built for every commit. Here a
//! package whose files are, to the byte, those that it was last built of gets the age back that
//! they had then; the files of every other are younger than anything that was built. So a package
//! is taken over from another commit's build only where every file of it is the same, as far as
//! cargo asks for its age (what it asks for of no file is in `unseen`).
//!
//! * What a build script reads, cargo need not be told: a package that has one is always young. So
//!   is that of the program, which is linked for every commit.
//! * Whatever else decides what is built (the compiler, the flags) is part of the list: with others
//!   all packages are young.
//! * The list is gone while cargo runs. Where there is none (a driver was killed, or what is built
//!   is more than its commit) all are young.
//! * All times are those of the file system, and young files are made younger than whatever lies in
//!   the target folder where they are not: a clock that was set back makes nothing old.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use toml::de::DeTable;

/// The file that makes a folder a package, if it says so.
const MANIFEST: &str = "Cargo.toml";
/// By how much young files are made younger than what was built, at least: where a file system
/// keeps parts of a second, and where it keeps every other second.
const STEPS: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(2)];

/// What was last built in a target folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct List {
    /// What decides beside the files.
    with: String,
    /// By folder, as it is [spelled]; a file that is in none is one by itself.
    packages: BTreeMap<String, Package>,
}

/// A package, as it was when it was built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Package {
    /// The digits of its files' names and bytes.
    digits: u64,
    /// None of them was younger.
    modified: SystemTime,
}

/// A commit, checked out anew.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// Where.
    pub folder: &'a Path,
    /// The manifest of the program's package, from there.
    pub program: &'a str,
}

/// Where it is built.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where the list is, if there is one.
    pub list: &'a Path,
    /// The target folder.
    pub target: &'a Path,
}

/// The ages that were given to a checkout: of a build that is under way.
#[derive(Debug)]
pub struct Ages {
    path: PathBuf,
    list: List,
}

/// Forgets what was built in a target folder: before anything is built there of which no list is
/// made.
///
/// # Errors
/// The list cannot be removed.
pub fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

impl Ages {
    /// Gives the files of a checkout their ages, by the list, which is removed; `with` is what
    /// decides beside them what is built.
    ///
    /// # Errors
    /// A file cannot be read, or its age not be set.
    pub fn give(place: Place<'_>, with: &str, tree: Tree<'_>) -> io::Result<Ages> {
        let before = List::read(place.list).filter(|last| last.with == with);
        let before = before.map(|last| last.packages).unwrap_or_default();
        forget(place.list)?;
        let latest = youngest(place.target)?;
        let mut packages = BTreeMap::new();
        for (folder, files) in packages_of(tree.folder)? {
            let digits = digits(tree.folder, &files)?;
            let may_be_old = !tree.is_always_young(&folder);
            let name = spelled(&folder);
            let same = before.get(&name).filter(|it| may_be_old && it.digits == digits);
            // A link has the age of the file it leads to.
            let files: Vec<PathBuf> = files.iter().map(|file| tree.folder.join(file)).collect();
            let files: Vec<&PathBuf> = files.iter().filter(|file| !file.is_symlink()).collect();
            let modified = match same {
                Some(package) => set(&files, package.modified)?,
                None => young(&files, latest)?,
            };
            packages.insert(name, Package { digits, modified });
        }
        let list = List { with: with.to_owned(), packages };
        Ok(Ages { path: place.list.to_owned(), list })
    }

    /// The build has ended, well or not: nothing more is built of these files.
    pub fn keep(self) {
        // Without a list all is built again.
        if let Ok(text) = serde_json::to_vec(&self.list) {
            let _ = fs::write(&self.path, text);
        }
    }
}

impl List {
    fn read(path: &Path) -> Option<List> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }
}

/// When the youngest file below a folder was written, if there is any.
fn youngest(folder: &Path) -> io::Result<SystemTime> {
    let mut latest = SystemTime::UNIX_EPOCH;
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let file = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                file => file?,
            };
            latest = latest.max(file.modified()?);
            if file.is_dir() {
                left.push(entry.path());
            }
        }
    }
    Ok(latest)
}

/// A path as text, whatever its bytes are.
fn spelled(path: &Path) -> String {
    format!("{path:?}")
}

/// The files of each package, by its folder: the nearest above them that has a manifest.
fn packages_of(tree: &Path) -> io::Result<BTreeMap<PathBuf, Vec<PathBuf>>> {
    let mut packages: BTreeMap<PathBuf, Vec<PathBuf>> = BTreeMap::new();
    let mut left = vec![(PathBuf::new(), None)];
    while let Some((folder, package)) = left.pop() {
        let package = if is_package(&tree.join(&folder)) { Some(folder.clone()) } else { package };
        for entry in fs::read_dir(tree.join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                left.push((path, package.clone()));
            } else if entry.file_name() != ".git" {
                packages.entry(package.clone().unwrap_or(path.clone())).or_default().push(path);
            }
        }
    }
    packages.values_mut().for_each(|files| files.sort());
    Ok(packages)
}

/// Whether a folder is that of a package: its manifest says so, or what is not understood.
fn is_package(folder: &Path) -> bool {
    let Ok(text) = fs::read(folder.join(MANIFEST)) else { return false };
    let text = String::from_utf8_lossy(&text);
    let Ok(manifest) = DeTable::parse(&text) else { return true };
    ["package", "project"].iter().any(|table| manifest.get_ref().contains_key(*table))
}

/// The digits of the names and bytes of these files, in this order; of a link, of where it leads.
fn digits(tree: &Path, files: &[PathBuf]) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let path = tree.join(file);
        let is_link = path.is_symlink();
        let bytes = if is_link {
            fs::read_link(&path)?.as_os_str().as_encoded_bytes().to_vec()
        } else {
            fs::read(&path)?
        };
        hasher.write_u8(u8::from(is_link));
        for part in [file.as_os_str().as_encoded_bytes(), &bytes] {
            hasher.write_usize(part.len());
            hasher.write(part);
        }
    }
    Ok(hasher.finish())
}

impl Tree<'_> {
    /// Whether the package in that folder is the program's, or may have a build script.
    fn is_always_young(&self, package: &Path) -> bool {
        let folder = self.folder.join(package);
        let manifest = fs::read_to_string(folder.join(MANIFEST)).unwrap_or_default();
        let has_script = folder.join("build.rs").exists() || manifest.contains("build");
        has_script || Path::new(self.program).parent() == Some(package)
    }
}

/// Sees to it that these files are younger than what was built by then; the youngest's time.
fn young(files: &[&PathBuf], latest: SystemTime) -> io::Result<SystemTime> {
    for step in STEPS {
        let ages: io::Result<Vec<SystemTime>> =
            files.iter().map(|file| file.metadata()?.modified()).collect();
        let ages = ages?;
        if ages.iter().all(|age| *age > latest) {
            return Ok(ages.into_iter().max().unwrap_or(latest));
        }
        set(files, latest + step)?;
    }
    Ok(latest + STEPS[1])
}

fn set(files: &[&PathBuf], modified: SystemTime) -> io::Result<SystemTime> {
    files.iter().try_for_each(|file| File::open(file)?.set_modified(modified))?;
    Ok(modified)
}

#[cfg(test)]
mod tests;
