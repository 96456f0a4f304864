//! Programs of several packages, of which some differ from commit to commit.

use std::collections::BTreeSet;
use std::fs;
use std::time::SystemTime;

use super::{Checkout, Compares, SERVER, git};

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

    /// When a package's library was made.
    fn made(&self, package: &str) -> SystemTime {
        let folder = self.kept().join("commits/release/deps");
        let name = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
        let is_it = |entry: &fs::DirEntry| {
            name(entry).starts_with(&format!("lib{package}-")) && name(entry).ends_with(".rlib")
        };
        let found: Vec<_> = fs::read_dir(folder).expect("readable").flatten().collect();
        let mut found = found.into_iter().filter(is_it);
        let made = found.next().expect(package).metadata().and_then(|it| it.modified());
        assert!(found.next().is_none(), "{package} is there twice");
        made.expect("an age")
    }
}

#[test]
fn a_commit_is_built_of_its_own_files_and_what_is_the_same_is_built_once() {
    let checkout = Checkout::new();
    let all = [
        ("one", Parts { word: "a", note: "n", words: "w", version: "0.1.0" }),
        ("two", Parts { word: "b", note: "o", words: "w", version: "0.2.0" }),
        // The same packages, but for the one with the script, which reads something else.
        ("three", Parts { word: "b", note: "o", words: "x", version: "0.2.0" }),
        // One word is as it was, and one file in no package.
        ("four", Parts { word: "a", note: "o", words: "x", version: "0.1.0" }),
        ("five", Parts { word: "a", note: "n", words: "x", version: "0.1.0" }),
    ];
    all.iter().for_each(|(name, parts)| checkout.commit_parts(name, parts));
    let says = |name: &str| {
        let (_, parts) = all.iter().find(|(commit, _)| *commit == name).expect("one of them");
        let Parts { word, note, words, version } = parts;
        let commit = git(checkout.path(), &["rev-parse", name]);
        format!("{word} same {version} {note} {words} {} false", commit.trim())
    };
    let compare = |sides: [&str; 2]| {
        // Else nothing would be built that was built before.
        let _ = fs::remove_dir_all(checkout.kept().join("programs"));
        let it = checkout.compare(sides);
        let said =
            |line: &String| line.split(" solock-serve ").next().unwrap_or_default().to_owned();
        let said: Vec<String> = it.seen.iter().map(said).collect();
        // Each is asked once what it knows, in their order.
        assert_eq!(said[..2], sides.map(says), "{sides:?}: {}", it.said);
        let all = BTreeSet::from_iter(said);
        assert_eq!(all, BTreeSet::from(sides.map(says)), "{sides:?}: {}", it.said);
        ["changed", "same"].map(|package| checkout.made(package))
    };
    let [changed, same] = compare(["one", "two"]);
    assert!(same < changed, "the first side's was good for the second");
    // Of what the second side was built, nothing is built again.
    assert_eq!(compare(["two", "three"]), [changed, same]);
    // There and back.
    let mut last = changed;
    for sides in [["one", "three"], ["four", "three"], ["four", "five"], ["two", "one"]] {
        let [changed, still] = compare(sides);
        assert!(changed > last && still == same, "{sides:?}");
        last = changed;
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
