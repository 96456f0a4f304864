use tempfile::TempDir;

use super::*;

/// A folder with a list, with what was built, and with checkouts, each new.
struct Target(TempDir);

/// Three packages, one of which lies in another, and files that are in none.
const FILES: [(&str, &str); 8] = [
    ("Cargo.toml", "[workspace]"),
    ("text", "of nobody"),
    ("a/Cargo.toml", "[package]\nname = \"a\""),
    ("a/src/lib.rs", "a"),
    ("a/in/Cargo.toml", "[package]\nname = \"in\""),
    ("a/in/lib.rs", "in"),
    ("b/Cargo.toml", "[package]\nname = \"b\""),
    ("b/lib.rs", "b"),
];

impl Target {
    fn new() -> Target {
        let target = Target(TempDir::new().expect("a folder"));
        fs::create_dir_all(target.built().parent().expect("a folder")).expect("made");
        target
    }

    fn list(&self) -> PathBuf {
        self.0.path().join("list")
    }

    fn tree(&self) -> PathBuf {
        self.0.path().join("tree")
    }

    /// What was built last, as cargo notes it: a file as old as what it was built of may be.
    fn built(&self) -> PathBuf {
        self.0.path().join("target/release/notes/note")
    }

    /// Gives the files of the checkout their ages.
    fn give(&self, with: &str) -> Ages {
        let target = self.0.path().join("target");
        let place = Place { list: &self.list(), target: &target };
        let tree = Tree { folder: &self.tree(), program: "p/Cargo.toml" };
        let ages = Ages::give(place, with, tree).expect("given");
        assert!(!self.list().exists(), "there is none while cargo runs");
        ages
    }

    /// A new checkout of these files, to be built with that; how old cargo will find them.
    fn checkout(&self, files: &[(&str, &str)], with: &str) -> (Ages, BTreeMap<String, SystemTime>) {
        let tree = self.tree();
        let _ = fs::remove_dir_all(&tree);
        for (path, text) in files {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let ages = self.give(with);
        let of = |(path, _): &(&str, &str)| ((*path).to_owned(), modified(&tree.join(path)));
        (ages, files.iter().map(of).collect())
    }

    /// The same, built: the files that cargo will take for changed since the build before, which
    /// ended an hour from now: its clock was ahead.
    fn build(&self, files: &[(&str, &str)], with: &str) -> Vec<String> {
        let (ages, modified) = self.checkout(files, with);
        let before = modified_if_there(&self.built()).unwrap_or(SystemTime::UNIX_EPOCH);
        ages.keep();
        let youngest = modified.values().copied().max().expect("there are some");
        let now = youngest.max(SystemTime::now() + Duration::from_secs(3600));
        fs::write(self.built(), "").expect("written");
        File::open(self.built()).and_then(|it| it.set_modified(now)).expect("set");
        let young = modified.into_iter().filter(|(_, modified)| *modified > before);
        young.map(|(path, _)| path).collect()
    }
}

fn modified_if_there(path: &Path) -> Option<SystemTime> {
    path.metadata().and_then(|it| it.modified()).ok()
}

fn modified(path: &Path) -> SystemTime {
    modified_if_there(path).expect("an age")
}

/// All files, those of these packages with another text.
fn changed(paths: &[&'static str]) -> Vec<(&'static str, &'static str)> {
    let text = |(path, text)| (path, if paths.contains(&path) { "changed" } else { text });
    FILES.into_iter().map(text).collect()
}

#[test]
fn files_of_a_package_of_which_none_changed_are_as_old_as_they_were() {
    let target = Target::new();
    assert_eq!(target.build(&FILES, "x").len(), FILES.len(), "nothing was built before");
    assert_eq!(target.build(&FILES, "x"), [""; 0]);
    let of_a = ["a/Cargo.toml", "a/src/lib.rs"];
    assert_eq!(target.build(&changed(&["a/src/lib.rs"]), "x"), of_a);
    assert_eq!(target.build(&changed(&["a/src/lib.rs"]), "x"), [""; 0]);
    // Back again: what is there was built of the other text.
    assert_eq!(target.build(&FILES, "x"), of_a);
    assert_eq!(target.build(&changed(&["a/in/lib.rs"]), "x"), ["a/in/Cargo.toml", "a/in/lib.rs"]);
}

#[test]
fn a_file_that_came_or_went_is_a_change_of_its_package() {
    let target = Target::new();
    target.build(&FILES, "x");
    let more = [&FILES[..], &[("b/data", "")]].concat();
    assert_eq!(target.build(&more, "x"), ["b/Cargo.toml", "b/data", "b/lib.rs"]);
    assert_eq!(target.build(&FILES, "x"), ["b/Cargo.toml", "b/lib.rs"]);
    let moved =
        FILES.map(|(path, text)| (if path == "b/lib.rs" { "b/main.rs" } else { path }, text));
    assert_eq!(target.build(&moved, "x"), ["b/Cargo.toml", "b/main.rs"]);
    // Where its bytes end and another's begin is part of it.
    let cut = moved.map(|(path, text)| (path, if path == "b/main.rs" { "" } else { text }));
    assert_eq!(target.build(&cut, "x"), ["b/Cargo.toml", "b/main.rs"]);
}

#[test]
fn a_file_in_no_package_is_one_by_itself() {
    let target = Target::new();
    target.build(&FILES, "x");
    assert_eq!(target.build(&changed(&["text"]), "x"), ["text"]);
    assert_eq!(target.build(&changed(&["text"]), "x"), [""; 0]);
}

#[test]
fn a_package_with_a_build_script_is_always_young() {
    for script in [("b/build.rs", "fn main() {}"), ("b/Cargo.toml", "[package]\nbuild = \"b.rs\"")]
    {
        let target = Target::new();
        let mut files: Vec<_> = FILES.into_iter().filter(|(path, _)| *path != script.0).collect();
        files.push(script);
        target.build(&files, "x");
        let young = target.build(&files, "x");
        assert!(young.contains(&"b/lib.rs".to_owned()), "{young:?}");
        assert!(young.iter().all(|path| path.starts_with("b/")), "{young:?}");
    }
}

#[test]
fn the_program_is_linked_for_every_commit() {
    let target = Target::new();
    let files =
        [&FILES[..], &[("p/Cargo.toml", "[package]"), ("p/src/main.rs", "fn main() {}")]].concat();
    target.build(&files, "x");
    assert_eq!(target.build(&files, "x"), ["p/Cargo.toml", "p/src/main.rs"]);
}

#[test]
fn what_was_built_otherwise_or_by_a_driver_that_was_killed_is_built_again() {
    let target = Target::new();
    target.build(&FILES, "x");
    assert_eq!(target.build(&FILES, "y").len(), FILES.len(), "another compiler");
    // Killed while cargo ran.
    drop(target.checkout(&changed(&["b/lib.rs"]), "y"));
    assert_eq!(target.build(&FILES, "y").len(), FILES.len());
    fs::write(target.list(), "{\"cut").expect("written");
    assert_eq!(target.build(&FILES, "y").len(), FILES.len());
    target.build(&FILES, "y");
    forget(&target.list()).expect("forgotten");
    forget(&target.list()).expect("forgotten already");
    assert_eq!(target.build(&FILES, "y").len(), FILES.len());
}

#[test]
fn a_clock_that_was_set_back_makes_no_changed_file_old() {
    let target = Target::new();
    target.build(&FILES, "x");
    let ahead = modified(&target.built());
    assert!(ahead > SystemTime::now(), "whatever is written now is older");
    let (ages, given) = target.checkout(&changed(&["b/lib.rs"]), "x");
    assert!(given["b/lib.rs"] > ahead && given["b/Cargo.toml"] > ahead);
    assert!(given["a/src/lib.rs"] < ahead, "this one is the same");
    ages.keep();
    // Without a list, too.
    forget(&target.list()).expect("forgotten");
    let (_, given) = target.checkout(&FILES, "x");
    assert!(given.values().all(|age| *age > ahead), "{given:?}");
}

#[test]
fn what_was_built_last_is_the_youngest_file_of_the_target_folder() {
    let target = Target::new();
    let latest = |path: &str| youngest(&target.0.path().join(path)).expect("readable");
    assert_eq!(latest("nowhere"), SystemTime::UNIX_EPOCH);
    target.build(&FILES, "x");
    assert_eq!(latest("target"), modified(&target.built()));
    assert_eq!(latest("target/release"), modified(&target.built()));
}

#[test]
fn a_manifest_says_whether_its_folder_is_a_package() {
    let target = Target::new();
    let is_one = |manifest: &[u8]| {
        fs::write(target.0.path().join(MANIFEST), manifest).expect("written");
        is_package(target.0.path())
    };
    let ones: [&[u8]; 5] =
        [b"[ package ]", b"package.name = 'a'", b"[project]", b"[package", b"# \xff\n[package]"];
    assert!(ones.into_iter().all(is_one));
    assert!(!is_one(b"[workspace]") && !is_one(b"# [package]") && !is_package(&target.tree()));
    // A package with a script is one, however it says so.
    let spaced = [("b/Cargo.toml", "package.name = 'b'"), ("b/build.rs", ""), ("b/lib.rs", "b")];
    target.build(&spaced, "x");
    assert_eq!(target.build(&spaced, "x").len(), spaced.len());
}

#[test]
fn files_have_any_names() {
    use std::os::unix::ffi::OsStrExt as _;

    let target = Target::new();
    fs::create_dir(target.tree()).expect("made");
    for name in [&b"\xe9"[..], b"\xff", b"\\xFF"] {
        let path = target.tree().join(std::ffi::OsStr::from_bytes(name));
        fs::write(path, name).expect("written");
    }
    let ages = target.give("x");
    assert_eq!(ages.list.packages.len(), 3, "each is one by itself");
    let list = ages.list.clone();
    ages.keep();
    assert_eq!(List::read(&target.list()), Some(list));
}

#[test]
fn a_link_is_where_it_leads() {
    let target = Target::new();
    let tree = target.tree();
    let with_link = |to: &str| {
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(&tree).expect("made");
        for name in ["Cargo.toml", "one", "two"] {
            fs::write(tree.join(name), "[package]").expect("written");
        }
        std::os::unix::fs::symlink(to, tree.join("link")).expect("made");
        target.give("x")
    };
    let modified = |ages: &Ages| ages.list.packages["\"\""].modified;
    let one = with_link("one");
    let first = modified(&one);
    one.keep();
    let same = with_link("one");
    assert_eq!(modified(&same), first);
    same.keep();
    // Young is younger than what was built.
    fs::write(target.built(), "").expect("written");
    assert!(modified(&with_link("two")) > first);
    // It may lead nowhere.
    with_link("nowhere");
}
