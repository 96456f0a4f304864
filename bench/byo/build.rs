//! Says what the program is built from, for its records.

use std::env;
use std::process::Command;

fn main() {
    // `compare` has said it to this build.
    println!("cargo::rerun-if-env-changed=SOLOCK_OWN_COMMIT");
    if env::var_os("SOLOCK_OWN_COMMIT").is_some() {
        return;
    }
    for path in ["build.rs", "Cargo.toml", "Cargo.lock", "src"] {
        println!("cargo::rerun-if-changed={path}");
    }
    // In no checkout nothing is known; one that lies around it may be of something else.
    let Some(_) = git(&["ls-files", "--error-unmatch", "Cargo.toml"]) else { return };
    let changes = git(&["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"]);
    if let (Some(commit), Some(changes)) = (git(&["rev-parse", "HEAD"]), changes) {
        println!("cargo::rustc-env=SOLOCK_OWN_COMMIT={commit}");
        println!("cargo::rustc-env=SOLOCK_OWN_DIRTY={}", !changes.is_empty());
    }
    for path in ["HEAD", "logs/HEAD"].iter().filter_map(|it| git(&["rev-parse", "--git-path", it])) {
        println!("cargo::rerun-if-changed={path}");
    }
}

fn git(words: &[&str]) -> Option<String> {
    let output = Command::new("git").args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
