//! Somebody who has the example in a checkout of their own, and what they start there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use solock::compare::programs::COMMITS;
use tempfile::TempDir;

use crate::common::{git, text};

/// The example, from its folder.
const FILES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "build.rs",
    "src/main.rs",
    "src/sharded.rs",
    "src/tas.rs",
    "src/volley.rs",
];

/// A stranger, far from this workspace.
pub(crate) struct Stranger {
    /// The checkout.
    mine: TempDir,
    /// What is built, in a folder that is used again.
    built: PathBuf,
}

impl Stranger {
    pub(crate) fn new() -> Stranger {
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("byo");
        for of_another in ["tree", "programs"] {
            let _ = fs::remove_dir_all(built.join("solock-compare").join(of_another));
        }
        let stranger = Stranger { mine: TempDir::new().expect("a folder"), built };
        fs::create_dir(stranger.mine().join("src")).expect("made");
        for file in FILES {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("byo").join(file);
            stranger.write(file, &fs::read_to_string(from).expect(file));
        }
        stranger.change(
            "Cargo.toml",
            "path = \"..\"",
            &format!("path = \"{}\"", stranger.solock()),
        );
        stranger.write(".gitignore", "solock-runs\n");
        git(&stranger.mine(), &["init", "--quiet", "--initial-branch", "main"]);
        stranger.commit("first");
        stranger
    }

    pub(crate) fn mine(&self) -> PathBuf {
        self.mine.path().canonicalize().expect("it is there")
    }

    /// The path of this package as it leads there from the checkout.
    fn solock(&self) -> String {
        let up = "../".repeat(self.mine().ancestors().count() - 1);
        up + env!("CARGO_MANIFEST_DIR").trim_start_matches('/')
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.mine().join(file), text).expect("written");
    }

    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.mine().join(file)).expect(file);
        assert!(text.contains(from), "{file} has no {from:?}");
        self.write(file, &text.replace(from, to));
    }

    pub(crate) fn commit(&self, message: &str) {
        git(&self.mine(), &["add", "--all", "."]);
        let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
        git(&self.mine(), &[&who[..], &["commit", "--quiet", "--message", message]].concat());
    }

    /// A command in the checkout. What is built is built fast, and as `compare` builds it.
    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        solock::git::forget_checkout(&mut command);
        command.args(arguments).current_dir(self.mine());
        command.env("CARGO_TARGET_DIR", &self.built).env("CARGO_NET_OFFLINE", "true");
        command.env_remove("STUCK");
        for (name, value) in [("OPT_LEVEL", "0"), ("CODEGEN_UNITS", "64")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{name}"), value);
        }
        command
    }

    /// Builds it where `compare` builds, and keeps the program: its commits will be there.
    pub(crate) fn build(&self) {
        let folder = self.built.join("solock-compare").join(COMMITS);
        let told = ["build", "--release", "--locked", "--target-dir"];
        let mut cargo = self.command(Path::new(env!("CARGO")), &told);
        let output = cargo.arg(&folder).output().expect("it starts");
        assert!(output.status.success(), "{}", text(&output.stderr));
        fs::copy(folder.join("release/byo"), self.program()).expect("a program was built");
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.built.join("byo")
    }

    /// What its program says, and its exit code.
    pub(crate) fn byo(&self, arguments: &[&str]) -> (Option<i32>, String) {
        said(&mut self.command(&self.program(), arguments))
    }

    /// The same, with a wrong lock that is never free again.
    pub(crate) fn stuck(&self, arguments: &[&str]) -> (Option<i32>, String) {
        said(self.command(&self.program(), arguments).env("STUCK", "1"))
    }
}

fn said(command: &mut Command) -> (Option<i32>, String) {
    // What another test starts just then has the program open for writing until it runs its own.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {
                thread::sleep(Duration::from_millis(5));
            }
            output => break output.expect("it starts"),
        }
    };
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}
