//! `byo/build.rs`, which crates elsewhere copy: what it says of a program's source.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const RECIPE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/byo/build.rs");

/// A crate, and the program that cargo would run before it builds it.
struct Crate(TempDir);

impl Crate {
    fn new() -> Crate {
        let folder = TempDir::new().expect("a folder");
        let mut rustc = Command::new("rustc");
        rustc.args(["--edition", "2024", RECIPE, "-o"]).arg(folder.path().join("recipe"));
        let output = rustc.output().expect("a compiler");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::create_dir(folder.path().join("mine")).expect("made");
        let own = Crate(folder);
        own.write("a");
        own
    }

    fn write(&self, text: &str) {
        fs::write(self.0.path().join("mine/Cargo.toml"), text).expect("written");
    }

    fn command(&self, program: &Path, folder: &str) -> Command {
        let mut command = Command::new(program);
        solock::git::forget_checkout(&mut command);
        command.current_dir(self.0.path().join(folder));
        for name in ["SOLOCK_OWN_COMMIT", "SOLOCK_OWN_DIRTY"] {
            command.env_remove(name);
        }
        // Of no checkout that may lie around the folder.
        command.env("GIT_CEILING_DIRECTORIES", self.0.path().parent().expect("one"));
        command
    }

    fn git(&self, folder: &str, words: &[&str]) -> String {
        let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
        let mut git = self.command(Path::new("git"), folder);
        let output = git.args(who).args(words).output().expect("git");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn commit(&self, folder: &str) {
        self.git(folder, &["init", "--quiet"]);
        self.git(folder, &["add", "."]);
        self.git(folder, &["commit", "--quiet", "--message", "one"]);
    }

    /// The values of the variables that it sets.
    fn said(&self, environment: &[(&str, &str)]) -> Vec<String> {
        let mut recipe = self.command(&self.0.path().join("recipe"), "mine");
        let output = recipe.envs(environment.iter().copied()).output().expect("it starts");
        assert!(output.status.success());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let set = said.lines().filter(|line| line.contains("rustc-env="));
        set.filter_map(|line| Some(line.rsplit_once('=')?.1.to_owned())).collect()
    }
}

#[test]
fn a_source_that_was_changed_is_not_its_commit() {
    let own = Crate::new();
    assert!(own.said(&[]).is_empty(), "there is no checkout");
    own.commit("mine");
    let head = own.git("mine", &["rev-parse", "HEAD"]);
    assert_eq!(own.said(&[]), [head.as_str(), "false"]);
    fs::create_dir(own.0.path().join("mine/solock-runs")).expect("made");
    fs::write(own.0.path().join("mine/solock-runs/one.jsonl"), "").expect("written");
    assert_eq!(own.said(&[]), [head.as_str(), "false"], "what it measured is no source");
    own.write("b");
    assert_eq!(own.said(&[]), [head.as_str(), "true"]);
    assert!(own.said(&[("SOLOCK_OWN_COMMIT", "abc")]).is_empty(), "it was said already");
}

#[test]
fn a_checkout_around_it_is_of_something_else() {
    let own = Crate::new();
    fs::write(own.0.path().join(".gitignore"), "mine\nrecipe\n").expect("written");
    own.commit(".");
    assert!(own.said(&[]).is_empty());
}
