//! Checkouts in which `solock compare` has something to build.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use super::common::git;

/// A checkout of three commits, in a folder of that name, below one that is nobody's.
pub(crate) struct Checkout {
    pub(crate) around: TempDir,
    name: &'static [u8],
}

impl Checkout {
    pub(crate) fn named(build_script: &str, name: &'static [u8]) -> Checkout {
        let checkout = Checkout { around: tempfile::tempdir().expect("a folder"), name };
        fs::create_dir(checkout.root()).expect("made");
        checkout.write("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"bench\"]\n");
        checkout.write(
            "bench/Cargo.toml",
            "[package]\nname = \"bench\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
             [[bin]]\nname = \"solock\"\npath = \"src/main.rs\"\n",
        );
        checkout.write("bench/src/main.rs", "fn main() {}\n");
        checkout.write("bench/build.rs", build_script);
        checkout.write(
            "Cargo.lock",
            "version = 4\n\n[[package]]\nname = \"bench\"\nversion = \"0.1.0\"\n",
        );
        checkout.git(&["init", "--quiet", "--initial-branch", "main"]);
        checkout.git(&["config", "user.name", "somebody"]);
        checkout.git(&["config", "user.email", "somebody@example.org"]);
        for message in ["first", "second", "third"] {
            checkout.commit(message);
        }
        checkout
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.around.path().join(OsStr::from_bytes(self.name))
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.root(), arguments)
    }

    /// What `solock` says there.
    pub(crate) fn solock(&self, arguments: &[&str], change: impl FnOnce(&mut Command)) -> Output {
        let mut command = self.command(arguments);
        change(&mut command);
        command.output().expect("solock starts")
    }

    /// `solock`, to be started there.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_solock"));
        command.args(arguments).args(["--backend", "global", "--threads", "1"]);
        command.stdin(Stdio::null()).current_dir(self.root());
        command.env("CARGO_TARGET_DIR", self.root().join("target"));
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"] {
            command.env_remove(name);
        }
        command
    }
}
