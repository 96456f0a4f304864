//! `solock compare` in checkouts as people have them: in a hook of git's, with settings of cargo's
//! around them, under names that are no text.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::checkout::Checkout;
use super::common::{git, text};

/// A build script that says what reaches it, and lets nothing be built.
const TELLS: &str = r#"
fn main() {
    let var = |name: &str| std::env::var(name).unwrap_or_default().replace('\u{1f}', " ");
    let git = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    let commit = String::from_utf8(git.stdout).unwrap();
    panic!(
        "it sees: commit={} optimised={} flags={} package={}",
        commit.trim(),
        var("OPT_LEVEL"),
        var("CARGO_ENCODED_RUSTFLAGS"),
        var("CARGO_PKG_VERSION"),
    );
}
"#;

/// What the builds of a comparison saw, in the order of its sides.
#[track_caller]
fn seen(said: &str) -> Vec<&str> {
    let seen: Vec<&str> =
        said.lines().filter_map(|line| line.trim().strip_prefix("it sees: ")).collect();
    assert_eq!(seen.len(), 2, "{said}");
    seen
}

#[test]
fn a_hook_of_a_linked_worktree_compares_the_commits_that_it_names() {
    let checkout = Checkout::named(TELLS, b"checkout");
    let linked = checkout.around.path().join("linked");
    let path = linked.to_str().expect("UTF-8");
    checkout.git(&["worktree", "add", "--quiet", "--detach", path]);
    let said = checkout.around.path().join("said");
    // git sets GIT_DIR, GIT_INDEX_FILE and more for it.
    let hook = format!(
        "#!/bin/sh\nenv | grep -q ^GIT_DIR= || echo no hook\nCARGO_TARGET_DIR={path}/target \
         {} compare HEAD~3 HEAD~1 --backend global --threads 1 --out {path}/runs > {} 2>&1\n",
        env!("CARGO_BIN_EXE_solock"),
        said.display(),
    );
    let file = checkout.root().join(".git/hooks/post-commit");
    fs::write(&file, hook).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
    git(&linked, &["commit", "--quiet", "--allow-empty", "--message", "in the linked one"]);
    let said = fs::read_to_string(said).expect("the hook ran");
    for (name, seen) in ["HEAD~3", "HEAD~1"].into_iter().zip(seen(&said)) {
        let commit = git(&linked, &["rev-parse", name]);
        assert!(seen.contains(&format!("commit={} ", commit.trim())), "{name}: {said}");
    }
    assert_eq!(checkout.git(&["worktree", "list"]).lines().count(), 2, "the two that were there");
}

#[test]
fn a_commit_is_built_with_its_own_settings_and_not_with_those_of_the_checkout() {
    let checkout = Checkout::named(TELLS, b"checkout");
    let own = "[build]\nrustflags = [\"--cfg\", \"own\"]\n[profile.release]\nopt-level = 1\n";
    checkout.write(".cargo/config.toml", own);
    checkout.commit("settings");
    checkout.git(&["rm", "--quiet", "-r", ".cargo"]);
    checkout.commit("no settings");
    checkout.write(".cargo/config.toml", "[build]\nrustflags = [\"--cfg\", \"untracked\"]\n");
    let with = |change: &dyn Fn(&mut Command)| {
        let output = checkout.solock(&["compare", "HEAD~1", "HEAD"], change);
        assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
        text(&output.stderr)
    };
    let said = with(&|command| _ = command.env_remove("CARGO_PROFILE_RELEASE_OPT_LEVEL"));
    assert!(seen(&said)[0].contains("optimised=1 flags=--cfg own "), "{said}");
    assert!(seen(&said)[1].contains("optimised=3 flags= "), "{said}");
    assert!(!said.contains("untracked"), "{said}");
    // What is set for this very call is meant, and is the same for both.
    let said = with(&|command| {
        command.env("RUSTFLAGS", "--cfg wished").env("CARGO_PKG_VERSION", "9.9.9");
        command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2");
    });
    let same = |seen: &&str| seen.ends_with("optimised=2 flags=--cfg wished package=0.1.0");
    assert_eq!(seen(&said).into_iter().filter(same).count(), 2, "{said}");
}

#[test]
fn a_checkout_may_have_any_name() {
    for name in
        [&b"a space at its end "[..], b"a newline at its end\n", b"new\nlines\n\n", b"\"'$x"]
    {
        let checkout = Checkout::named(TELLS, name);
        let output = checkout.solock(&["compare", "HEAD~1", "HEAD"], |_| {});
        assert_eq!(output.status.code(), Some(4), "{name:?}: {}", text(&output.stderr));
        let said = text(&output.stderr);
        for (name, seen) in ["HEAD~1", "HEAD"].into_iter().zip(seen(&said)) {
            let commit = checkout.git(&["rev-parse", name]);
            assert!(seen.contains(&format!("commit={} ", commit.trim())), "{name}: {said}");
        }
        let listed = checkout.git(&["worktree", "list", "--porcelain", "-z"]);
        let worktrees = listed.split('\0').filter(|line| line.starts_with("worktree "));
        assert_eq!(worktrees.count(), 1, "{name:?}: {listed}");
    }
}

#[test]
fn where_the_compiler_takes_no_path_that_is_no_text_the_user_is_told_what_to_do() {
    let checkout = Checkout::named(TELLS, b"not UTF-8: \xe9");
    let output = checkout.solock(&["compare", "HEAD~1", "HEAD"], |_| {});
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("UTF-8") && said.contains("CARGO_TARGET_DIR"), "{said}");
    let elsewhere = tempfile::tempdir().expect("a folder");
    let output = checkout.solock(&["compare", "HEAD~1", "HEAD"], |command| {
        command.env("CARGO_TARGET_DIR", elsewhere.path());
    });
    let said = text(&output.stderr);
    for (name, seen) in ["HEAD~1", "HEAD"].into_iter().zip(seen(&said)) {
        let commit = checkout.git(&["rev-parse", name]);
        assert!(seen.contains(&format!("commit={} ", commit.trim())), "{name}: {said}");
    }
    assert_eq!(checkout.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_worktree_that_is_registered_and_gone_is_in_nobodys_way() {
    let checkout = Checkout::named(TELLS, b"checkout");
    let tree = checkout.root().join("target/solock-compare/tree");
    let path = tree.to_str().expect("UTF-8");
    // As after `kill -9` and `cargo clean`.
    checkout.git(&["worktree", "add", "--quiet", "--detach", path]);
    checkout.git(&["worktree", "lock", path]);
    fs::remove_dir_all(&tree).expect("removed");
    let output = checkout.solock(&["compare", "HEAD~1", "HEAD"], |_| {});
    seen(&text(&output.stderr));
    assert_eq!(checkout.git(&["worktree", "list"]).lines().count(), 1);
}
