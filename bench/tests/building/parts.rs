//! Programs of several packages, of which some differ from commit to commit.

use crate::{Checkout, Compares, SERVER};

/// A program of several packages: what it says of itself is each part's.
const PARTS: &str = r#"
struct Parts;
impl std::fmt::Display for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (all, written) = (cfg!(feature = "variants"), env!("WRITTEN"));
        let (changed, version) = (changed::word(), versioned::VERSION);
        write!(f, "{changed} {} {version} {} {written} {all}", same::word(), changed::NOTE)
    }
}
const SIDE: Parts = Parts;
include!("../../server.rs");
"#;

/// Writes what cargo is not told that it reads.
const SCRIPT: &str = r#"
fn main() {
    let words = std::fs::read_to_string("../../words").unwrap();
    let git = std::process::Command::new("git").args(["rev-parse", "HEAD"]).output().unwrap();
    let commit = String::from_utf8(git.stdout).unwrap();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=WRITTEN={} {}", words.trim(), commit.trim());
}
"#;

/// What differs from commit to commit.
struct Parts<'a> {
    word: &'a str,
    note: &'a str,
    words: &'a str,
    version: &'a str,
}

impl Checkout {
    /// Commits a program of these parts.
    fn commit_parts(&self, name: &str, parts: &Parts<'_>) {
        let library = |name: &str, version: &str, text: &str| {
            let manifest = format!(
                "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n"
            );
            self.write(&format!("{name}/Cargo.toml"), &manifest);
            self.write(&format!("{name}/src/lib.rs"), text);
        };
        let word =
            |it: &str| format!("#[inline(never)]\npub fn word() -> &'static str {{ {it:?} }}\n");
        let note = "pub const NOTE: &str = include_str!(\"../../note\");\n";
        library("changed", "0.1.0", &(word(parts.word) + note));
        library("same", "0.1.0", &word("same"));
        let version = "pub const VERSION: &str = env!(\"CARGO_PKG_VERSION\");\n";
        library("versioned", parts.version, version);
        let uses = ["changed", "same", "versioned"];
        let paths = uses.map(|name| format!("{name} = {{ path = \"../../{name}\" }}\n")).concat();
        let manifest = "[package]\nname = \"serve\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                        [[bin]]\nname = \"solock-serve\"\npath = \"main.rs\"\n\
                        [features]\ndefault = [\"variants\"]\nvariants = []\n[dependencies]\n";
        self.write("bench/serve/Cargo.toml", &(manifest.to_owned() + &paths));
        self.write("bench/serve/build.rs", SCRIPT);
        self.write("bench/serve/main.rs", PARTS);
        let folders = ["bench/serve", "changed", "same", "versioned"];
        self.write(
            "Cargo.toml",
            &format!("[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n"),
        );
        let locked = |name: &str, version: &str| {
            format!("\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
        };
        let used = uses.map(|name| format!(" {name:?},\n")).concat();
        let lock = "version = 4\n".to_owned()
            + &locked("changed", "0.1.0")
            + &locked("same", "0.1.0")
            + &locked("serve", "0.1.0")
            + &format!("dependencies = [\n{used}]\n")
            + &locked("versioned", parts.version);
        self.write("Cargo.lock", &lock);
        self.write("server.rs", SERVER);
        self.write("note", parts.note);
        self.write("words", parts.words);
        self.commit_all(name);
    }
}

#[test]
fn variants_of_layers_are_built_where_a_cell_asks_for_them() {
    let checkout = Checkout::new();
    for (name, words) in [("one", "w"), ("two", "x")] {
        let parts = Parts { word: "a", note: "n", words, version: "0.1.0" };
        checkout.commit_parts(name, &parts);
    }
    let all_say = |it: &Compares, what: &str| {
        it.seen.iter().all(|line| line.contains(&format!("{what} solock-serve ")))
    };
    let plain = checkout.compare(["one", "two"]);
    assert!(all_say(&plain, " false"), "{:?}", plain.seen);
    let other = checkout.compare_with(["one", "two"], &["--lock", "ticket"]);
    assert!(all_say(&other, " true"), "{:?}", other.seen);
    assert_eq!(other.said.matches("\nbuilding ").count(), 2, "one is not taken for the other");
    let again = checkout.compare(["one", "two"]);
    assert!(all_say(&again, " false") && !again.said.contains("\nbuilding "), "{}", again.said);
    // A commit in which they cannot be left out: both have them.
    let older = checkout.compare(["new", "two"]);
    let is_of = |side: &str| older.seen.iter().any(|line| line.starts_with(side));
    assert!(is_of("new ") && is_of("a same "), "{:?}", older.seen);
    let two = older.seen.iter().filter(|line| line.starts_with("a same "));
    assert!(two.into_iter().all(|line| line.contains(" true solock-serve ")), "{:?}", older.seen);
}
