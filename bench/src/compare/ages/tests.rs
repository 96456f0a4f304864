use tempfile::TempDir;

use super::*;

/// A folder with a list and with checkouts, each new.
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
        Target(TempDir::new().expect("a folder"))
    }

    fn list(&self) -> PathBuf {
        self.0.path().join("list")
    }

    /// A new checkout of these files, to be built with that; how old cargo will find them.
    fn checkout(&self, files: &[(&str, &str)], with: &str) -> (Ages, BTreeMap<String, SystemTime>) {
        let tree = self.0.path().join("tree");
        let _ = fs::remove_dir_all(&tree);
        for (path, text) in files {
            let path = tree.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        let of = Tree { folder: &tree, program: "p/Cargo.toml" };
        let ages = Ages::give(&self.list(), with, of).expect("given");
        assert!(!self.list().exists(), "there is none while cargo runs");
        let of = |(path, _): &(&str, &str)| {
            let modified = tree.join(path).metadata().and_then(|it| it.modified());
            ((*path).to_owned(), modified.expect("an age"))
        };
        (ages, files.iter().map(of).collect())
    }

    /// The same, built: the files that cargo will take for changed since the build before.
    fn build(&self, files: &[(&str, &str)], with: &str) -> Vec<String> {
        let before = self.list().metadata().and_then(|it| it.modified());
        let before = before.unwrap_or(SystemTime::UNIX_EPOCH);
        let (ages, modified) = self.checkout(files, with);
        ages.keep();
        let young = modified.into_iter().filter(|(_, modified)| *modified > before);
        young.map(|(path, _)| path).collect()
    }
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
    // What was built then is younger than anything that is written now.
    let ahead = SystemTime::now() + Duration::from_secs(3600);
    File::open(target.list()).and_then(|it| it.set_modified(ahead)).expect("set");
    let (ages, modified) = target.checkout(&changed(&["b/lib.rs"]), "x");
    assert!(modified["b/lib.rs"] > ahead && modified["b/Cargo.toml"] > ahead);
    assert!(modified["a/src/lib.rs"] < ahead, "this one is the same");
    // And still, when the list is of today again.
    ages.keep();
    let (_, modified) = target.checkout(&FILES, "x");
    assert!(modified["b/lib.rs"] > ahead);
}

#[test]
fn a_link_is_where_it_leads() {
    let target = Target::new();
    let tree = target.0.path().join("tree");
    let with_link = |to: &str| {
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(&tree).expect("made");
        for name in ["Cargo.toml", "one", "two"] {
            fs::write(tree.join(name), "[package]").expect("written");
        }
        std::os::unix::fs::symlink(to, tree.join("link")).expect("made");
        let of = Tree { folder: &tree, program: "p/Cargo.toml" };
        Ages::give(&target.list(), "x", of).expect("given")
    };
    let modified = |ages: &Ages| ages.list.packages[Path::new("")].modified;
    let one = with_link("one");
    let first = modified(&one);
    one.keep();
    let same = with_link("one");
    assert_eq!(modified(&same), first);
    same.keep();
    assert!(modified(&with_link("two")) > first);
    // It may lead nowhere.
    with_link("nowhere");
}
