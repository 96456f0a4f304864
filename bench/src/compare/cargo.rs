//! Building `solock` in a folder, with its progress, and an end when somebody asks for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::group::Group;
use super::layouts;
use super::link;
use super::progress::Watch;
use crate::children::{TooLong, lines};
use crate::interrupt::Interrupt;

/// How long the last lines of cargo may take when it has ended.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// How much of what cargo says stands in an error, in lines.
const LAST_LINES: usize = 20;

/// What cargo says of a package that has no workspace, and finds one in a folder above it.
const IN_A_WORKSPACE: &str = "believes it's in a workspace when it's not";

/// The command that the compiler links with is printed there, in the target folder.
const PRINTED: &str = "link-args";
/// What is linked again, in the target folder.
const OBJECT: &str = "object";
/// Debuggers are not served: what is only for them would fill the disk. It is no part of the code.
const PROFILE: &str = "profile.release.debug=false";

/// Which program is built of every side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one that serves slices and does nothing else, with each layer as it is.
    Plain,
    /// The same with the variants of each layer: on other locks, with the kernel's around it. Of
    /// commits from before these could be left out it is the only one.
    Serving,
    /// The whole `solock`: the only program in commits from before there was a smaller one.
    Whole,
    /// The program of another crate, which has all commands.
    Own {
        /// The manifest of its package, from the topmost folder of its checkout.
        manifest: &'static str,
        /// Its name.
        program: &'static str,
    },
}

impl Kind {
    /// The manifest of its package, in a checkout. The package's name is not the same in every
    /// commit.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Kind::Plain | Kind::Serving => "bench/serve/Cargo.toml",
            Kind::Whole => "bench/Cargo.toml",
            Kind::Own { manifest, .. } => manifest,
        }
    }

    fn program(self) -> &'static str {
        match self {
            Kind::Plain | Kind::Serving => "solock-serve",
            Kind::Whole => "solock",
            Kind::Own { program, .. } => program,
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Kind::Plain => &["--no-default-features"],
            _ => &[],
        }
    }

    /// What decides, beside the source and its surroundings, what is built.
    #[must_use]
    pub fn flags(self) -> String {
        let (manifest, program, features) = (self.manifest(), self.program(), self.features());
        format!("{manifest} {program} {features:?} {PROFILE} {:?}", link::LISTED)
    }
}

/// What to build.
#[derive(Clone, Copy)]
pub struct Build<'a> {
    /// For the user.
    pub name: &'a str,
    /// cargo, as it is to be started for the package of that manifest.
    pub cargo: &'a dyn Fn(&str) -> Command,
    /// The target folder.
    pub target: &'a Path,
    /// Which program.
    pub kind: Kind,
}

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The program.
    pub program: PathBuf,
    /// The folder of what its other [layouts] are linked from, or why that could not be made.
    pub object: Result<PathBuf, String>,
}

/// Builds it; the program.
///
/// # Errors
/// It does not build, or somebody asked for the end.
pub fn build(build: &Build<'_>, interrupt: &Interrupt, watch: &Watch) -> Result<Built, String> {
    let (printed, object) = (build.target.join(PRINTED), build.target.join(OBJECT));
    let mut program = run(build, interrupt, watch)?;
    // Nothing had to be linked, and what lies there is of another program: of another kind, or of
    // another state, after which a driver was killed.
    if !printed.exists() && !layouts::is_of(&object, &program) {
        forget_linked(build.target, &format!("bin-{}", build.kind.program()));
        program = run(build, interrupt, watch)?;
    }
    let kept = match fs::read_to_string(printed) {
        Ok(printed) => layouts::keep(&printed, &object, &program),
        Err(_) if layouts::is_of(&object, &program) => Ok(()),
        Err(_) => Err("cargo did not say how it links it".to_owned()),
    };
    remove_temporary(&program.with_file_name("deps"));
    Ok(Built { program, object: kept.map(|()| object) })
}

/// Lets cargo link a program again: removes the folder in which it notes that it did, by a file of
/// that name.
fn forget_linked(target: &Path, note: &str) {
    let folders = fs::read_dir(target).into_iter().flatten().flatten();
    for folder in folders.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir())) {
        if folder.path().join(note).is_file() {
            let _ = fs::remove_dir_all(folder.path());
        } else {
            forget_linked(&folder.path(), note);
        }
    }
}

/// Runs cargo; the program.
fn run(build: &Build<'_>, interrupt: &Interrupt, watch: &Watch) -> Result<PathBuf, String> {
    let _ = fs::remove_file(build.target.join(PRINTED));
    let mut group = Group::start(&mut command(build), &note(build.target)).map_err(|error| {
        format!("cargo cannot be run: {error}; commits are built from source, with cargo")
    })?;
    let (messages, said) = group.pipes();
    let (messages, said) = (lines(messages), lines(said));
    let (mut last, mut program): (Vec<String>, _) = (Vec::new(), None);
    let of = |line: String| executable(&line, build.kind);
    let status = group.wait(interrupt, || {
        // Whatever is not taken is not written: cargo would wait for that.
        program = messages.try_iter().flatten().filter_map(of).last().or(program.take());
        for line in said.try_iter().flatten() {
            watch.detail(&format!("{}: {}", build.name, line.trim()));
            last.push(line);
        }
    })?;
    // What cargo left running has nothing to say.
    drop(group);
    last.extend(rest(&said));
    let program = rest(&messages).filter_map(of).last().or(program);
    program.filter(|_| status.success()).ok_or_else(|| failed(status, &last))
}

/// Removes what the compiler was told to leave for the linker.
fn remove_temporary(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if name.contains(".rcgu.") {
            let _ = fs::remove_file(path);
        } else if name.starts_with("rustc") && path.is_dir() {
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn command(build: &Build<'_>) -> Command {
    let mut command = (build.cargo)(build.kind.manifest());
    command
        .args(["--release", "--locked", "--bin", build.kind.program()])
        .args(build.kind.features())
        .args(build_dir(build.target).iter().flat_map(|dir| ["--config", dir]))
        .args(["--config", PROFILE, "--message-format", "json-render-diagnostics"])
        .arg("--target-dir")
        .arg(build.target)
        .arg("--")
        .args(link::LISTED.iter().map(|flag| format!("-Clink-arg={flag}")))
        .args(["-Csave-temps", "--print"])
        .arg(format!("link-args={}", build.target.join(PRINTED).display()));
    command
}

/// What cargo makes on the way lies in the target folder, too, whatever the user's settings say: it
/// is looked at and removed there. A brace in a path would mean something else.
fn build_dir(target: &Path) -> Option<String> {
    let path = target.to_str().filter(|path| !path.contains(['{', '}']))?;
    Some(format!("build.build-dir={}", serde_json::Value::from(path)))
}

/// Where it is noted that a target folder beside it is being built in.
#[must_use]
pub fn note(target: &Path) -> PathBuf {
    target.with_file_name("building")
}

/// What has been written until the end, which a process that left the group may put off.
pub(super) fn rest(lines: &Receiver<Result<String, TooLong>>) -> impl Iterator<Item = String> {
    std::iter::from_fn(|| lines.recv_timeout(LAST_PATIENCE).ok()).flatten()
}

/// The program, if this is cargo's message that it was made.
fn executable(message: &str, kind: Kind) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_it = message.get("target")?.get("name")?.as_str()? == kind.program();
    is_it.then(|| message.get("executable")?.as_str().map(PathBuf::from)).flatten()
}

fn failed(status: ExitStatus, said: &[String]) -> String {
    let mut end = said[said.len().saturating_sub(LAST_LINES)..].join("\n");
    if said.iter().any(|line| line.contains(IN_A_WORKSPACE)) {
        end += "\nthe commit is checked out below that workspace; name a folder outside of it in \
                CARGO_TARGET_DIR";
    }
    format!("it does not build ({status}):\n{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_where_the_program_is() {
        let message =
            r#"{"reason":"compiler-artifact","target":{"name":"solock"},"executable":"/x/solock"}"#;
        let of = |message, kind| executable(message, kind);
        assert_eq!(of(message, Kind::Whole), Some(PathBuf::from("/x/solock")));
        assert_eq!(of(message, Kind::Serving), None);
        assert_eq!(of(r#"{"target":{"name":"solock"},"executable":null}"#, Kind::Whole), None);
        assert_eq!(of(r#"{"reason":"build-finished"}"#, Kind::Whole), None);
    }

    #[test]
    fn what_is_built_is_part_of_its_key() {
        let [plain, serving, whole] = [Kind::Plain, Kind::Serving, Kind::Whole].map(Kind::flags);
        assert!(plain != serving && serving != whole && whole != plain);
        assert!(plain.contains("--no-default-features"));
        for flag in link::LISTED.iter().chain([&PROFILE]) {
            assert!([&plain, &serving, &whole].iter().all(|it| it.contains(flag)), "{flag}");
        }
    }

    #[test]
    fn what_the_compiler_left_for_the_linker_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["rustcA1", "other"] {
            fs::create_dir(at(name)).expect("made");
        }
        for name in ["solock-1.2.rcgu.o", "libx.rlib", "rustc-notes", "rustcA1/lib.o", "other/x"] {
            fs::write(at(name), "").expect("written");
        }
        remove_temporary(folder.path());
        let left = fs::read_dir(folder.path()).expect("readable").flatten();
        let mut left: Vec<_> = left.map(|entry| entry.file_name()).collect();
        left.sort();
        assert_eq!(left, ["libx.rlib", "other", "rustc-notes"]);
        assert!(at("other/x").exists());
    }

    #[test]
    fn the_program_alone_is_linked_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let notes = ["release/notes/a-1/bin-a", "release/notes/b-1/lib-b", "x/c/bin-a"];
        for note in notes.map(|note| folder.path().join(note)) {
            fs::create_dir_all(note.parent().expect("a folder")).expect("made");
            fs::write(note, "").expect("written");
        }
        forget_linked(folder.path(), "bin-a");
        let left = notes.map(|note| folder.path().join(note).exists());
        assert_eq!(left, [false, true, false]);
    }

    #[test]
    fn whatever_cargo_writes_is_taken() {
        let folder = tempfile::tempdir().expect("a folder");
        let writes = |end: &str| {
            let message = r#"{"target":{"name":"solock"},"executable":"/solock"}"#;
            let many = format!("yes {} | head -n 1500", "x".repeat(80));
            let script = format!("echo '{message}'; {many}; {many} >&2; {end}");
            let cargo = |_: &str| {
                let mut command = Command::new("sh");
                command.args(["-c", &script]);
                command
            };
            let target = folder.path().join("target");
            let build = Build { name: "x", cargo: &cargo, target: &target, kind: Kind::Whole };
            run(&build, &Interrupt::default(), &Watch::new())
        };
        assert_eq!(writes("true"), Ok(PathBuf::from("/solock")));
        assert!(writes("false").expect_err("it ended so").starts_with("it does not build"));
    }

    #[test]
    fn of_what_cargo_said_the_end_stands_in_the_error() {
        let status = Command::new("false").status().expect("ran");
        let said = |count: usize| (1..=count).map(|line| line.to_string()).collect::<Vec<_>>();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let long = lines(&failed(status, &said(25)));
        assert_eq!(long[0], "it does not build (exit status: 1):");
        assert_eq!(long[1..], said(25)[5..]);
        assert_eq!(lines(&failed(status, &said(3)))[1..], said(3));
        let above = format!("error: current package {IN_A_WORKSPACE}:");
        assert!(failed(status, &[above]).ends_with("in CARGO_TARGET_DIR"));
        assert_eq!(note(Path::new("/a/target")), Path::new("/a/building"));
        let printed = lines_of("one\ntwo\n");
        assert_eq!(rest(&printed).collect::<Vec<_>>(), ["one", "two"]);
    }

    fn lines_of(text: &'static str) -> Receiver<Result<String, TooLong>> {
        crate::children::lines(Some(text.as_bytes()))
    }
}
