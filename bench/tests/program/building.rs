//! What `solock compare` builds of commits, keeps, and links: in a checkout whose program is small.
#![cfg(target_os = "linux")]

mod parts;
mod states;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use results::{Compared, Run, Store};
use tempfile::TempDir;

use super::common::{git, text};

/// A server that does the same in every slice, and writes down where its functions lie.
const SERVER: &str = r##"
use std::io::{BufRead, Write};

#[inline(never)]
fn first() -> usize { std::hint::black_box(1) }
#[inline(never)]
fn second() -> usize { std::hint::black_box(2) }
#[inline(never)]
fn third() -> usize { std::hint::black_box(3) }

fn main() {
    let [at, one, two] = [first, second, third].map(|f| f as fn() -> usize as usize);
    let log = std::env::var("SEEN").unwrap();
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open(log).unwrap();
    let name = std::env::args().next().unwrap();
    let program = env!("CARGO_BIN_NAME");
    let [one, two] = [one, two].map(|place| place.wrapping_sub(at));
    let line = format!("{SIDE} {program} {name} {one} {two}\n");
    log.write_all(line.as_bytes()).unwrap();
    println!(r#"{{"say":"hello","protocol":1,"clock_step_ns":10.0,"locks":["ticket"]}}"#);
    let mut rate = 10_000_000 + std::process::id() % 1000;
    for line in std::io::stdin().lock().lines().map(Result::unwrap) {
        rate += first() as u32 + second() as u32 + third() as u32;
        if line.contains("prepare") {
            println!(r#"{{"say":"prepared"}}"#);
        } else if line.contains("slice") {
            let noise = r#""on_cpu_share_min":1.0,"run_delay_ns":0,"involuntary_switches":0"#;
            let noise = format!(r#"{{{noise},"steal_ns":0,"flagged":false}}"#);
            print!(r#"{{"say":"slice","seconds":0.02,"operations":10000,"locks":[],"#);
            println!(r#""operations_per_second":{rate},"host_noise":{noise}}}"#);
        } else {
            return;
        }
    }
}
"##;

/// A checkout whose first commit has one program, and two more that have one that only serves, too.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Checkout {
        let checkout = Checkout(tempfile::tempdir().expect("a folder"));
        git(checkout.path(), &["init", "--quiet", "--initial-branch", "main"]);
        checkout.package("bench", "bench", "solock");
        checkout.commit("oldest", &["bench"]);
        checkout.package("bench/serve", "serve", "solock-serve");
        for side in ["old", "new"] {
            checkout.commit(side, &["bench", "bench/serve"]);
        }
        checkout
    }

    fn package(&self, folder: &str, name: &str, program: &str) {
        self.write(
            &format!("{folder}/Cargo.toml"),
            &format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                 [[bin]]\nname = \"{program}\"\npath = \"main.rs\"\n"
            ),
        );
        let up = "../".repeat(folder.split('/').count());
        self.write(&format!("{folder}/main.rs"), &format!("include!(\"{up}server.rs\");\n"));
    }

    /// Commits programs that call themselves so.
    fn commit(&self, name: &str, folders: &[&str]) {
        self.write(
            "Cargo.toml",
            &format!("[workspace]\nresolver = \"3\"\nmembers = {folders:?}\n"),
        );
        let packages = folders.iter().map(|folder| folder.rsplit('/').next().unwrap_or(folder));
        let packages =
            packages.map(|name| format!("\n[[package]]\nname = \"{name}\"\nversion = \"0.1.0\"\n"));
        self.write("Cargo.lock", &("version = 4\n".to_owned() + &packages.collect::<String>()));
        self.write("server.rs", &(format!("const SIDE: &str = \"{name}\";\n") + SERVER));
        self.commit_all(name);
    }

    /// A commit with a tag of that name.
    fn commit_all(&self, name: &str) {
        git(self.path(), &["add", "--all", "."]);
        let who = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"];
        git(self.path(), &[&who[..], &["commit", "--quiet", "--message", name]].concat());
        git(self.path(), &["tag", name]);
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn kept(&self) -> PathBuf {
        self.path().join("target/solock-compare")
    }

    /// Compares two sides; what they wrote down is what they did this time.
    fn compare(&self, sides: [&str; 2]) -> Compares {
        self.compare_with(sides, &[])
    }

    fn compare_with(&self, sides: [&str; 2], more: &[&str]) -> Compares {
        let seen = self.path().join("seen");
        let _ = fs::remove_file(&seen);
        let output = Command::new(env!("CARGO_BIN_EXE_solock"))
            .arg("compare")
            .args(sides)
            .args(["--backend", "global", "--threads", "1", "--metric", "throughput"])
            .args(["--out", "runs"])
            .args(more)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", self.path().join("target"))
            .env("SEEN", &seen)
            .stdin(Stdio::null())
            .output()
            .expect("solock starts");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{said}");
        let run = Store::at(self.path().join("runs")).list().expect("readable");
        let run = Run::read(run.last().expect(&said)).expect("the run can be read");
        let seen = fs::read_to_string(seen).expect("the sides ran");
        Compares { said, run, seen: seen.lines().map(str::to_owned).collect() }
    }
}

/// What a comparison did.
struct Compares {
    said: String,
    run: Run,
    /// A line of each process.
    seen: Vec<String>,
}

impl Compares {
    fn compared(&self) -> &Compared {
        self.run.compared().next().expect("a verdict")
    }
}

/// All files below a folder, and their sizes added up.
fn files(folder: &Path) -> (BTreeSet<String>, u64) {
    let (mut names, mut bytes) = (BTreeSet::new(), 0);
    for entry in fs::read_dir(folder).expect("readable").map(|entry| entry.expect("readable")) {
        if entry.path().is_dir() {
            let (below, size) = files(&entry.path());
            names.extend(below);
            bytes += size;
        } else {
            names.insert(entry.file_name().to_string_lossy().into_owned());
            bytes += entry.metadata().expect("a size").len();
        }
    }
    (names, bytes)
}

#[test]
fn each_process_of_a_pair_is_linked_for_itself_and_a_side_is_built_once() {
    let checkout = Checkout::new();
    let it = checkout.compare(["HEAD~1", "HEAD"]);
    assert_eq!(it.said.matches("\nbuilding ").count(), 2, "{}", it.said);
    // Each program is asked once what it knows; all others are of pairs.
    let of_pairs: Vec<&String> = it.seen.iter().filter(|line| line.contains("/linked/")).collect();
    assert_eq!(of_pairs.len(), it.seen.len() - 2);
    assert!(it.seen.iter().all(|line| line.contains(" solock-serve ")), "{:?}", it.seen);
    let pairs = it.compared().pairs as usize;
    assert!(of_pairs.len() >= 2 * pairs && pairs >= 10, "{of_pairs:?}");
    let layouts: BTreeSet<&str> =
        of_pairs.iter().filter_map(|line| line.rsplit(' ').next()).collect();
    assert!(layouts.len() > of_pairs.len() / 2, "{layouts:?} of {} processes", of_pairs.len());
    let lengths: BTreeSet<usize> =
        of_pairs.iter().map(|line| line.split(' ').nth(2).expect("a path").len()).collect();
    assert_eq!(lengths.len(), 1, "paths of other lengths move the stack");
    for side in [&it.compared().first, &it.compared().second] {
        assert_eq!(side.layouts, Some(it.compared().pairs));
    }
    // What is kept is one program a side, and what it is linked from.
    let names = ["link.json", "program.o", "solock"].map(str::to_owned).into();
    let (kept, _) = files(&checkout.kept().join("programs"));
    assert_eq!(kept, names);
    assert_eq!(fs::read_dir(checkout.kept().join("linked")).expect("readable").count(), 0);
    let (_, bytes) = files(&checkout.kept());
    assert!(bytes < 100_000_000, "{bytes} bytes for two small programs");
    // The second time nothing is built, and everything is linked all the same.
    let again = checkout.compare(["HEAD~1", "HEAD"]);
    assert!(!again.said.contains("\nbuilding "), "{}", again.said);
    assert!(again.seen.iter().any(|line| line.contains("new ") && line.contains("/linked/")));
}

#[test]
fn beside_a_commit_that_has_no_program_that_only_serves_all_are_built_whole() {
    let checkout = Checkout::new();
    let it = checkout.compare(["HEAD~2", "HEAD"]);
    assert!(it.said.contains("HEAD~2 has no program that serves slices"), "{}", it.said);
    assert!(it.seen.iter().all(|line| line.contains(" solock ")), "{:?}", it.seen);
    assert!(["oldest ", "new "].iter().all(|side| it.seen.iter().any(|l| l.starts_with(side))));
    assert_eq!(it.compared().first.layouts, Some(it.compared().pairs));
    // The same commit in both kinds: one is not taken for the other.
    let again = checkout.compare(["HEAD~1", "HEAD"]);
    assert_eq!(again.said.matches("\nbuilding ").count(), 2, "{}", again.said);
    assert!(again.seen.iter().all(|line| line.contains(" solock-serve ")), "{:?}", again.seen);
}

#[test]
fn what_is_said_meanwhile_fits_a_terminal() {
    let checkout = Checkout::new();
    let it = checkout.compare(["HEAD~2", "HEAD"]);
    let paths = checkout.path().display().to_string();
    let long = it.said.lines().find(|line| line.len() > 80 && !line.contains(&paths));
    assert_eq!(long, None);
    for word in ["building HEAD~2 (", "built HEAD~2 (", "pairs in"] {
        assert!(it.said.contains(word), "{word}: {}", it.said);
    }
}

/// The packages that a package is made of, with their features.
fn made_of(package: &[&str]) -> BTreeSet<String> {
    let tree = ["tree", "--offline", "--locked", "--edges", "normal,build", "--prefix", "none"];
    let output = Command::new(env!("CARGO"))
        .args(tree)
        .args(["--format", "{p} {f}", "--package"])
        .args(package)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| line.trim_end_matches(" (*)").to_owned()).collect()
}

#[test]
fn both_programs_are_linked_from_the_very_same_backends_and_workloads() {
    let name = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    let measured: BTreeSet<String> = made_of(&["workloads"]).iter().map(name).collect();
    let of = |package: &[&str]| -> BTreeSet<String> {
        made_of(package).into_iter().filter(|line| measured.contains(&name(line))).collect()
    };
    assert!(measured.contains("lockimpls") && measured.contains("parking_lot"), "{measured:?}");
    let (whole, plain) = (of(&["solock"]), of(&["serve", "--no-default-features"]));
    assert_eq!(plain, whole, "another feature is another crate, with code of its own");
    assert_eq!(of(&["serve"]), whole);
}
