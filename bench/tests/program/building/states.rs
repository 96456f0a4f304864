//! The working tree in one state after another, and a driver that was killed between them.

use std::fs;
use std::path::PathBuf;

use super::{Checkout, Compares, SERVER};

impl Checkout {
    /// Lets the working tree call itself so.
    fn name_tree(&self, name: &str) {
        self.write("server.rs", &(format!("const SIDE: &str = \"{name}\";\n") + SERVER));
    }

    /// What its program is linked from.
    fn object(&self) -> PathBuf {
        let is_it =
            |folder: &PathBuf| folder.join("object").is_dir() && !folder.ends_with("commits");
        let all = fs::read_dir(self.kept()).expect("readable").flatten().map(|entry| entry.path());
        all.into_iter().find(is_it).expect("it was built").join("object")
    }
}

/// All processes of the second side called themselves so, and all of the first by its commit.
#[track_caller]
fn tree_said(it: &Compares, name: &str) {
    let is_of = |line: &&String, side: &str| line.starts_with(&format!("{side} "));
    let [commit, tree] =
        ["new", name].map(|side| it.seen.iter().filter(|l| is_of(l, side)).count());
    assert!(commit >= 11 && tree >= 11, "{:?}", it.seen);
    assert_eq!(commit + tree, it.seen.len(), "{:?}", it.seen);
}

#[test]
fn the_working_tree_is_measured_in_the_state_that_it_is_in() {
    let checkout = Checkout::new();
    checkout.name_tree("first");
    tree_said(&checkout.compare(["HEAD", "."]), "first");
    let before = checkout.path().join("before");
    fs::create_dir(&before).expect("made");
    let files = || fs::read_dir(checkout.object()).expect("readable").flatten();
    files().for_each(|file| _ = fs::copy(file.path(), before.join(file.file_name())));
    checkout.name_tree("second");
    tree_said(&checkout.compare(["HEAD", "."]), "second");
    // As after a driver that was killed when cargo had linked the second: what is there to link
    // from is the first's, and cargo finds nothing to do.
    let object = checkout.object();
    fs::remove_dir_all(&object).and_then(|()| fs::rename(&before, &object)).expect("put back");
    fs::remove_dir_all(checkout.kept().join("programs")).expect("removed");
    let it = checkout.compare(["HEAD", "."]);
    tree_said(&it, "second");
    assert_eq!(it.compared().second.layouts, Some(it.compared().pairs), "{}", it.said);
}
