//! Bakes in what the program was built from: the compiler, what it was told, the commit, and
//! whether the checkout differed from it.
//!
//! Outside a checkout (a tarball, say) there is no commit, and the records say so.

use std::path::Path;
use std::process::Command;

#[allow(unreachable_pub, reason = "the library has it, too")]
#[path = "src/environment.rs"]
mod environment;

/// The parts of the workspace that end up in the program.
const SOURCES: [&str; 7] =
    ["Cargo.toml", "Cargo.lock", "lockimpls", "workloads", "bench", "results", "plots"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = output(&rustc, &["--version"]).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=SOLOCK_RUSTC={version}");
    // Cargo runs this again where either changes. Between flags it puts 0x1f.
    let told = |name: &str| std::env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=SOLOCK_OPT_LEVEL={}", told("OPT_LEVEL"));
    let flags = told("CARGO_ENCODED_RUSTFLAGS").replace(|c: char| c.is_control(), " ");
    println!("cargo::rustc-env=SOLOCK_RUSTFLAGS={flags}");
    // A checkout of another project around an unpacked tarball of this one is not this one's
    // commit.
    if output("git", &["ls-files", "--error-unmatch", "Cargo.toml"]).is_none() {
        return;
    }
    if let Some(commit) = output("git", &["rev-parse", "HEAD"]) {
        println!("cargo::rustc-env=SOLOCK_COMMIT={commit}");
    }
    if let Some(changes) =
        output("git", &["--no-optional-locks", "status", "--porcelain", "--untracked-files=no"])
    {
        println!("cargo::rustc-env=SOLOCK_DIRTY={}", !changes.is_empty());
    }
    watch();
}

/// Runs again when the commit changes, or a file the program is made of.
fn watch() {
    let mut paths: Vec<String> = SOURCES.iter().map(|source| format!("../../{source}")).collect();
    for name in ["HEAD", "logs/HEAD", "packed-refs"] {
        paths.extend(output("git", &["rev-parse", "--git-path", name]));
    }
    if let Some(branch) = output("git", &["symbolic-ref", "--quiet", "HEAD"]) {
        paths.extend(output("git", &["rev-parse", "--git-path", &branch]));
    }
    // A path that a line cannot hold is one that is not there: then this runs every time.
    let told = |path: &&String| Path::new(path).exists() || path.contains(['\n', '\u{fffd}']);
    for path in paths.iter().filter(told) {
        println!("cargo::rerun-if-changed={}", path.replace('\n', "\u{fffd}"));
    }
}

/// What the command prints, without the newline; nothing if it fails.
fn output(command: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(command);
    // A build that a hook of git's began is still one of this checkout.
    environment::OF_A_CHECKOUT.iter().for_each(|name| _ = command.env_remove(name));
    let output = command.args(arguments).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
