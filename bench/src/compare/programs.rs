//! The sides' programs: built once per commit and compiler, and kept.
//!
//! All of it lies in `solock-compare` in the checkout's target folder, so that `cargo clean` takes
//! it away. One driver builds at a time ([`Lock`]). All commits are built in one target folder,
//! from checkouts at one path: their programs differ in nothing but their code. Libraries are built
//! once, and packages of which no file changed ([`ages`]). The working tree has a target folder of
//! its own, as its files can be older than what was built of a commit: its program has other paths,
//! too. Beside a program lies what its other [layouts] are linked from.
//!
//! All sides are programs of one [kind](Kind): one that is larger has its functions further apart,
//! and that would be measured, too.

use std::env;
use std::fs::{self, File};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use toml::de::DeTable;

use super::Around;
use super::ages::{self, Ages, Place, Tree};
use super::cargo::{self, Build, Built, Kind};
use super::digits::digits;
use super::group;
use super::layouts::{self, Folder, Layouts, PROGRAM};
use super::lock::Lock;
use super::outward;
use super::progress::Watch;
use super::repository::{Repository, Worktree, remove_left_over};
use super::request::Request;
use super::side::{Side, Source};
use super::surroundings::Surroundings;
use super::unseen;
use crate::added::{BuiltFrom, OWN_COMMIT, OWN_DIRTY, added};
use crate::git;
use crate::interrupt::Interrupt;

/// How many programs are kept, beside those that are measured.
const KEPT_MAX: usize = 8;
/// The target folder of all commits.
pub const COMMITS: &str = "commits";
/// That of drivers that kept no list of it.
const BEFORE: &str = "target";
/// What the target folders of working trees begin with; each has the checkout's digits behind it,
/// and in it a file of this name with its path.
const TREE: &str = "working-tree-";
const CHECKOUT: &str = "checkout";
/// Digits of a commit's hash.
const SHORT: usize = 10;

/// Builds, or finds what was built.
#[derive(Debug)]
pub struct Programs<'a> {
    folder: PathBuf,
    repository: &'a Repository,
    interrupt: &'a Interrupt,
    watch: &'a Watch,
    surroundings: Surroundings,
    kind: Kind,
    /// Where layouts are linked.
    scratch: Arc<Folder>,
    lock: Arc<Lock>,
}

impl<'a> Programs<'a> {
    /// Takes the lock, and removes what a driver that was killed left behind; then these sides can
    /// be built.
    ///
    /// # Errors
    /// The folder cannot be written, there is no compiler, or somebody asked for the end.
    pub fn open(
        repository: &'a Repository,
        request: &Request,
        around: Around<'a>,
    ) -> Result<Programs<'a>, String> {
        let target = env::var_os("CARGO_TARGET_DIR").map(|folder| repository.root.join(folder));
        let target = target.unwrap_or_else(|| repository.root.join("target"));
        let folder = target.join("solock-compare");
        if folder.to_str().is_none() {
            return Err(format!(
                "nothing can be built in {folder:?}: the compiler takes only paths that are UTF-8; \
                 name another folder in CARGO_TARGET_DIR"
            ));
        }
        let failed = |error| format!("cannot write to {}: {error}", folder.display());
        let lock = Arc::new(Lock::take(&folder.join("lock"), around)?);
        fs::create_dir_all(folder.join("programs")).map_err(failed)?;
        let Around { interrupt, watch } = around;
        let surroundings = Surroundings::of(&repository.root)?;
        group::end_left_over(&cargo::note(&folder.join(COMMITS)));
        remove_left_over(repository, &folder.join("tree"));
        remove_unused(&folder);
        let scratch = Arc::new(Folder::of_this_process(&folder.join("linked")));
        let kind = match &added().built_from {
            Some(own) => own_kind(own, repository)?,
            None => kind(request, repository, watch),
        };
        Ok(Programs { folder, repository, interrupt, watch, surroundings, kind, scratch, lock })
    }

    /// The program of a side that has one.
    ///
    /// # Errors
    /// It does not build.
    pub fn of(&self, side: &Side) -> Result<Layouts, String> {
        let layouts = match &side.source {
            Source::Commit(commit) => self.of_commit(&side.name, commit),
            Source::Tree => self.of_tree(),
            Source::Program(path) => Ok(Layouts::one(path.clone())),
            Source::Run(_) => Err("a stored run has no program".to_owned()),
        }?;
        if let Some(why) = layouts.why_one() {
            self.watch.say(&one_layout(&side.name, why));
        }
        Ok(layouts)
    }

    fn of_commit(&self, name: &str, commit: &str) -> Result<Layouts, String> {
        let short = &commit[..commit.len().min(SHORT)];
        let key = format!("{short}-{}", self.built_with(&commit));
        if let Some(kept) = self.kept(&key) {
            return Ok(kept);
        }
        let tree = self.folder.join("tree");
        let worktree = self.repository.worktree(commit, &tree, &self.lock, self.interrupt)?;
        let target = self.folder.join(COMMITS);
        unseen::start_anew_if_changed(&worktree.folder, &target)?;
        let ages = self.ages(&worktree, &target)?;
        let (name, is_alone) = (format!("{name} ({short})"), ages.is_some());
        let cargo = |manifest: &str| {
            let mut cargo = self.surroundings.for_commit(&worktree.folder, manifest);
            // For its records; what is built of this suite finds out by itself.
            cargo.env(OWN_COMMIT, commit).env(OWN_DIRTY, "false");
            cargo
        };
        let build = Build { name: &name, cargo: &cargo, target: &target, kind: self.kind };
        let built = self.compile(build);
        self.lock.check()?;
        ages.into_iter().for_each(Ages::keep);
        let built = built?;
        if is_alone { self.keep(&built, &key) } else { self.keep_such(&built, &commit) }
    }

    /// Gets a checkout ready: what of it cargo is to take for built, if it is built of its commit
    /// alone. A program of another crate is built of what lies beside its checkout, as it is now,
    /// and so is one whose checkout a path leads out of: only cargo sees whether that has changed.
    /// All of it is built again, and kept by what comes out.
    fn ages(&self, worktree: &Worktree, target: &Path) -> Result<Option<Ages>, String> {
        let (list, folder) = (self.folder.join("built.json"), &worktree.folder);
        let failed = |error| format!("the checkout {} cannot be read: {error}", folder.display());
        let is_alone = !matches!(self.kind, Kind::Own { .. })
            && !outward::leads_out(folder, self.surroundings.settings())?;
        if !is_alone {
            outward::keep(&self.repository.root, folder)?;
            ages::forget(&list).map_err(failed)?;
        }
        // The commit's own settings, from which the build of every package may have something.
        let settings = ["config.toml", "config"].map(|name| folder.join(".cargo").join(name));
        let with = self.built_with(&settings.map(|path| fs::read(path).ok()));
        let tree = Tree { folder, program: self.kind.manifest() };
        let ages = Ages::give(Place { list: &list, target }, &with, tree).map_err(failed)?;
        Ok(is_alone.then_some(ages))
    }

    fn of_tree(&self) -> Result<Layouts, String> {
        let root = &self.repository.root;
        let target = self.folder.join(format!("{TREE}{}", digits(root)));
        let cargo = |manifest: &str| self.surroundings.for_tree(root, manifest);
        self.lock.check()?;
        unseen::start_anew_if_changed(root, &target)?;
        fs::create_dir_all(&target)
            .and_then(|()| fs::write(target.join(CHECKOUT), root.as_os_str().as_encoded_bytes()))
            .map_err(|error| format!("cannot write to {}: {error}", target.display()))?;
        let name = "the working tree";
        let build = Build { name, cargo: &cargo, target: &target, kind: self.kind };
        let built = self.compile(build)?;
        self.keep_such(&built, &root)
    }

    /// Puts a program where it stays, unless the very same is there.
    fn keep_such(&self, built: &Built, what: &impl Hash) -> Result<Layouts, String> {
        let bytes = fs::read(&built.program).map_err(|error| error.to_string())?;
        let key = format!("{}-{}", digits(&bytes), self.built_with(what));
        self.kept(&key).map_or_else(|| self.keep(built, &key), Ok)
    }

    /// The digits of all that decides, beside what is built, what comes out.
    fn built_with(&self, what: &impl Hash) -> String {
        digits(&(what, self.surroundings.key(), self.kind.flags()))
    }

    fn compile(&self, build: Build<'_>) -> Result<Built, String> {
        self.lock.check()?;
        self.watch.say(&format!("building {}", build.name));
        let began = Instant::now();
        let built = cargo::build(&build, self.interrupt, self.watch)?;
        self.watch.say(&format!("built {} in {:.0} s", build.name, began.elapsed().as_secs_f64()));
        Ok(built)
    }

    /// Puts a program where it stays. One of which something failed, for now, is not found again.
    fn keep(&self, built: &Built, key: &str) -> Result<Layouts, String> {
        let failed = |error| format!("the program of a side cannot be kept: {error}");
        self.lock.check()?;
        let new = self.folder.join("programs").join(".new");
        let _ = fs::remove_dir_all(&new);
        fs::create_dir_all(&new).map_err(failed)?;
        fs::copy(&built.program, new.join(PROGRAM)).map_err(failed)?;
        if let Ok(object) = &built.object {
            layouts::share(object, &new).map_err(failed)?;
        }
        let mut folder = self.folder.join("programs").join(key);
        if folder.exists() && !layouts::remove_unless_held(&folder) {
            // A comparison has the same program, of which something failed.
            folder.set_file_name(format!("{key}-{}", process::id()));
            let _ = fs::remove_dir_all(&folder);
        }
        fs::rename(&new, &folder).map_err(failed)?;
        let layouts = match &built.object {
            Ok(_) => Layouts::kept(&folder, &self.scratch).ok_or("a program that was kept is gone"),
            Err(why) => Ok(Layouts::without_others(&folder, why.clone())),
        };
        self.forget_oldest();
        layouts.map_err(str::to_owned)
    }

    /// A program that was built before.
    fn kept(&self, key: &str) -> Option<Layouts> {
        let folder = self.folder.join("programs").join(key);
        let layouts = Layouts::kept(&folder, &self.scratch)?;
        // Its age is the time since it was last used.
        let _ = File::open(folder).ok()?.set_modified(SystemTime::now());
        Some(layouts)
    }

    /// Removes the programs that were not used for longest, but none that a comparison has.
    fn forget_oldest(&self) {
        let entries = fs::read_dir(self.folder.join("programs")).into_iter().flatten().flatten();
        let mut by_age: Vec<(SystemTime, PathBuf)> = entries
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        by_age.sort();
        let mut many = by_age.len().saturating_sub(KEPT_MAX);
        for (_, folder) in by_age {
            if many > 0 && layouts::remove_unless_held(&folder) {
                many -= 1;
            }
        }
    }
}

/// Removes target folders that nobody builds in any more: another driver's, and those of working
/// trees that are gone, or do not say which they are of.
fn remove_unused(folder: &Path) {
    let _ = fs::remove_dir_all(folder.join(BEFORE));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let checkout = fs::read(entry.path().join(CHECKOUT)).ok().map(git::path);
        let is_of_a_tree = entry.file_name().to_string_lossy().starts_with(TREE);
        if is_of_a_tree && !checkout.is_some_and(|checkout| checkout.exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The kind that every side has.
fn kind(request: &Request, repository: &Repository, watch: &Watch) -> Kind {
    let path = Kind::Serving.manifest();
    let manifest = |side: &Side| match &side.source {
        Source::Commit(commit) => repository.text(commit, path),
        _ => fs::read_to_string(repository.root.join(path)).ok(),
    };
    let built = request.sides.iter().filter(|side| side.is_built());
    let manifests: Vec<_> = built.map(|side| (side, manifest(side))).collect();
    if let Some((old, _)) = manifests.iter().find(|(_, manifest)| manifest.is_none()) {
        watch.say(&format!(
            "{} has no program that serves slices and does nothing else, so that the whole solock \
             is built of every side: that takes longer",
            old.name
        ));
        return Kind::Whole;
    }
    let can_be_plain = |manifest: &Option<String>| manifest.as_deref().is_some_and(has_variants);
    let is_plain = manifests.iter().all(|(_, manifest)| can_be_plain(manifest));
    if is_plain && !request.has_variants() { Kind::Plain } else { Kind::Serving }
}

/// Whether the variants of layers are a feature of the package with this manifest.
fn has_variants(manifest: &str) -> bool {
    let Ok(manifest) = DeTable::parse(manifest) else { return false };
    let features = manifest.get_ref().get("features");
    let features = features.and_then(|features| features.get_ref().as_table());
    features.is_some_and(|features| features.contains_key("variants"))
}

/// The kind of a program of another crate.
fn own_kind(own: &BuiltFrom, repository: &Repository) -> Result<Kind, String> {
    let manifest = Path::new(own.manifest).canonicalize().ok();
    let inside = manifest.as_deref().and_then(|path| path.strip_prefix(&repository.root).ok());
    let inside = inside.and_then(Path::to_str).ok_or_else(|| {
        format!(
            "this program was built from {}, which is not in the checkout {}; run it where its \
             source is",
            own.manifest,
            repository.root.display()
        )
    })?;
    // Once per process.
    Ok(Kind::Own { manifest: inside.to_owned().leak(), program: own.program })
}

fn one_layout(name: &str, why: &str) -> String {
    format!(
        "{name} could not be linked with its functions in other orders (the linker LLD can), so \
         it has one layout: a change of some percent can be the place where the code lies ({why})"
    )
}

#[cfg(test)]
mod tests;
