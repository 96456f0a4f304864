//! What of the user's surroundings reaches the build of a commit.
//!
//! A commit is built as a clone of it beside the checkout would be. cargo is started in the folder
//! above the checkout, so that neither its `.cargo/config.toml` nor a file that is not even tracked
//! changes what a commit means; the commit's own is handed over, and behind it
//! [what the environment sets](super::wished) of the same. One compiler builds all sides: the one
//! of the checkout.
//!
//! Variables fall in three kinds. What a hook of git's, a `cargo run` or a `make` sets for the
//! programs it starts, and what would move the target folder, is cleared. What can
//! change the code is the user's wish: it reaches all sides alike, and is part of the
//! [key](Surroundings::key) under which programs are kept, as are cargo's files above the checkout
//! and in its home. The rest is left alone.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use results::files;

use super::wished::wished;
use crate::git;

/// Set by cargo and make for what they start, or where cargo puts files.
const CLEARED: [&str; 14] = [
    "CARGO_BIN_EXE_",
    "CARGO_BIN_NAME",
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_CRATE_NAME",
    "CARGO_MAKEFLAGS",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "MAKEFLAGS",
    "OUT_DIR",
    "SOLOCK_",
];
/// Variables that can change what is built begin with one of these.
const DECIDE: [&str; 26] = [
    "AR",
    "ARFLAGS",
    "CARGO_",
    "CC",
    "CFLAGS",
    "COMPILER_PATH",
    "CPATH",
    "CPPFLAGS",
    "CROSS_COMPILE",
    "CXX",
    "CXXFLAGS",
    "GCC_EXEC_PREFIX",
    "HOST_",
    "LD",
    "LDFLAGS",
    "LD_RUN_PATH",
    "LIBRARY_PATH",
    "MACOSX_DEPLOYMENT_TARGET",
    "RUSTC",
    "RUSTC_",
    "RUSTFLAGS",
    "RUST_TARGET_PATH",
    "SDKROOT",
    "SOURCE_DATE_EPOCH",
    "TARGET_",
    "ZERO_AR_DATE",
];
/// cargo's variables that change nothing of what is built.
const HARMLESS: [&str; 9] = [
    "CARGO_BUILD_JOBS",
    "CARGO_HOME",
    "CARGO_HTTP_",
    "CARGO_LOG",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_TERM_",
    "LD_LIBRARY_PATH",
];

/// The longest file of cargo's settings that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Which toolchain rustup's `cargo` and `rustc` are.
const TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// What reaches builds.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Where cargo is started for a commit.
    above: PathBuf,
    toolchain: Option<OsString>,
    settings: Vec<(PathBuf, Vec<u8>)>,
    key: String,
}

impl Surroundings {
    /// Those of a checkout.
    ///
    /// # Errors
    /// There is no compiler.
    pub fn of(root: &Path) -> Result<Surroundings, String> {
        let above = root.parent().unwrap_or(root).to_owned();
        let set = env::var_os(TOOLCHAIN);
        let toolchain = match set {
            Some(_) => set,
            // A toolchain has the name of its folder, and may be named by it.
            None => Some(rustc(root, &["--print", "sysroot"])?.trim_end().into()),
        };
        let mut key = rustc(root, &["-vV"])?;
        for (name, value) in decisive(env::vars_os()) {
            key += &format!("{name}={value:?}\n");
        }
        let settings = configuration(&above);
        for (path, text) in &settings {
            key += &format!("{path:?}: {text:?}\n");
        }
        Ok(Surroundings { above, toolchain, settings, key })
    }

    /// cargo's files above the checkout and in its home, and what stands in them.
    #[must_use]
    pub fn settings(&self) -> &[(PathBuf, Vec<u8>)] {
        &self.settings
    }

    /// What decides, beside the source, what is built of a commit.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// cargo, for a package of the commit that is checked out in that folder.
    #[must_use]
    pub fn for_commit(&self, tree: &Path, manifest: &str) -> Command {
        let mut cargo = self.cargo(&self.above);
        cargo.arg("rustc").arg("--manifest-path").arg(tree.join(manifest));
        let own = ["config.toml", "config"].map(|name| tree.join(".cargo").join(name));
        if let Some(own) = own.iter().find(|path| path.is_file()) {
            let text = fs::read_to_string(own).unwrap_or_default();
            let variable = |name: &str| env::var(name).ok().filter(|_| !is_cleared(name));
            cargo.arg("--config").arg(own);
            for wish in wished(&text, &variable) {
                cargo.arg("--config").arg(wish);
            }
        }
        cargo
    }

    /// cargo, for a package of the working tree as it is, with whatever it finds there.
    #[must_use]
    pub fn for_tree(&self, root: &Path, manifest: &str) -> Command {
        let mut cargo = self.cargo(root);
        cargo.arg("rustc").arg("--manifest-path").arg(root.join(manifest));
        cargo
    }

    fn cargo(&self, folder: &Path) -> Command {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(folder);
        git::forget_checkout(&mut cargo);
        for (name, _) in env::vars_os() {
            if name.to_str().is_some_and(is_cleared) {
                cargo.env_remove(name);
            }
        }
        if let Some(toolchain) = &self.toolchain {
            cargo.env(TOOLCHAIN, toolchain);
        }
        cargo
    }
}

fn rustc(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let failed = |why: &str| {
        let rustc = rustc.to_string_lossy();
        format!("{rustc} cannot be run: {why}; commits are built from source, with cargo")
    };
    let output = Command::new(&rustc).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a variable is kept from builds.
fn is_cleared(name: &str) -> bool {
    begins(name, &CLEARED)
}

/// The variables that can change what is built, in the order of their names.
fn decisive(variables: impl Iterator<Item = (OsString, OsString)>) -> Vec<(String, OsString)> {
    let decides =
        |name: &str| begins(name, &DECIDE) && !begins(name, &CLEARED) && !begins(name, &HARMLESS);
    let named = variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    let mut decisive: Vec<_> = named.filter(|(name, _)| decides(name)).collect();
    decisive.sort();
    decisive
}

/// Whether it is one of these names, one of them and `_`, or begins with one that ends in `_`.
fn begins(name: &str, with: &[&str]) -> bool {
    with.iter().any(|start| {
        let rest = name.strip_prefix(start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') || start.ends_with('_'))
    })
}

/// cargo's files that it reads in that folder, those above and its home, and what stands in them;
/// files beside them can be included.
fn configuration(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut folders: Vec<PathBuf> = folder.ancestors().map(|above| above.join(".cargo")).collect();
    // From there a relative one leads on, as for cargo.
    folders.extend(home().map(|home| folder.join(home)));
    let files = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    let mut read: Vec<(PathBuf, Vec<u8>)> = files
        .map(|file| file.path())
        .filter(|path| path.file_name().is_some_and(is_configuration))
        .filter_map(|path| files::read(&path, FILE_BYTES_MAX).ok().map(|text| (path, text)))
        .collect();
    read.sort();
    read.dedup();
    read
}

fn is_configuration(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_one = name == "config" || name.ends_with(".toml");
    is_one && !name.starts_with('.') && !name.starts_with("credentials")
}

fn home() -> Option<PathBuf> {
    home_of(env::var_os("CARGO_HOME"))
}

/// cargo's home, where the variable has this value; one that is empty says nothing.
fn home_of(named: Option<OsString>) -> Option<PathBuf> {
    let of_user = || env::home_dir().map(|home| home.join(".cargo"));
    named.filter(|home| !home.is_empty()).map(PathBuf::from).or_else(of_user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_can_change_the_code_is_part_of_the_key() {
        let given = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "RUSTC_WRAPPER",
            "RUSTC",
            "CC",
            "CFLAGS",
            "CC_x86_64_unknown_linux_gnu",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "CARGO_INCREMENTAL",
            "HOST_CC",
        ];
        let others = [
            "CARGO_PKG_VERSION",
            "CARGO_MANIFEST_DIR",
            "CARGO_TARGET_DIR",
            "CARGO_HOME",
            "PATH",
            "CARGO_REGISTRY_TOKEN",
            "CARGO",
            "RUST_BACKTRACE",
            "CCACHE_DIR",
            "ARCH",
            "OUT_DIR",
            "CARGO_TERM_COLOR",
            "LD_LIBRARY_PATH",
            "SOLOCK_COMMIT",
            "RUSTC2",
        ];
        let all = given.iter().chain(&others).map(|name| ((*name).into(), "x".into()));
        let mut names: Vec<String> = decisive(all).into_iter().map(|(name, _)| name).collect();
        let mut expected = given.map(str::to_owned);
        names.sort();
        expected.sort();
        assert_eq!(names, expected);
        assert!(["CARGO_PKG_VERSION", "CARGO_TARGET_DIR", "OUT_DIR"].into_iter().all(is_cleared));
        assert!(!given.into_iter().any(is_cleared));
    }

    #[test]
    fn cargos_files_above_are_read_and_secrets_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("a/b");
        fs::create_dir_all(folder.path().join(".cargo")).expect("made");
        fs::create_dir_all(&below).expect("made");
        let before = configuration(&below);
        let write = |name: &str| {
            fs::write(folder.path().join(".cargo").join(name), "[build]").expect("written");
        };
        write("credentials.toml");
        assert_eq!(configuration(&below), before);
        write("notes.txt");
        assert_eq!(configuration(&below), before);
        write("config.toml");
        write("included.toml");
        assert_eq!(configuration(&below).len(), before.len() + 2);
        // As old versions of cargo call it.
        write("config");
        assert_eq!(configuration(&below).len(), before.len() + 3);
    }

    #[test]
    fn cargos_home_is_where_it_says_or_beside_the_users_other_files() {
        let own = env::home_dir().map(|home| home.join(".cargo"));
        assert!(own.is_some());
        assert_eq!([home_of(None), home_of(Some(OsString::new()))], [own.clone(), own]);
        assert_eq!(home_of(Some("/cargo".into())), Some(PathBuf::from("/cargo")));
    }

    #[test]
    fn the_compiler_of_the_checkout_is_part_of_the_key_and_builds_every_side() {
        let folder = tempfile::tempdir().expect("a folder");
        let surroundings = Surroundings::of(folder.path()).expect("a compiler");
        let version = rustc(folder.path(), &["-vV"]).expect("a compiler");
        assert!(version.starts_with("rustc ") && version.contains("\nhost: "), "{version}");
        assert!(surroundings.key().starts_with(&version), "{}", surroundings.key());
        let toolchain = surroundings.toolchain.as_deref().expect("one");
        let cargo = surroundings.for_tree(folder.path(), "Cargo.toml");
        let set = cargo.get_envs().find(|(name, _)| *name == TOOLCHAIN);
        assert_eq!(set, Some((OsStr::new(TOOLCHAIN), Some(toolchain))));
        assert!(rustc(folder.path(), &["--no-such-flag"]).unwrap_err().contains("cannot be run"));
    }
}
