//! What of a checkout cargo does not look at when it decides what to build again.
//!
//! * Where a link leads: it asks for the age of the file there, and one that was always there is
//!   old when a link comes to lead to it.
//! * The files of vendored packages: it takes them for what their name and version say.
//!
//! Their digits stand in the target folder. Where they are others now, all that was built there is
//! removed. Files that git ignores are not looked at.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::digits::digits;
use crate::git;

/// The file of the digits, in a target folder.
const NOTE: &str = "unseen";
/// What makes a folder a vendored package.
const CHECKSUM: &str = ".cargo-checksum.json";

/// Removes what was built in a target folder of a checkout in which any of this was otherwise.
///
/// # Errors
/// A file cannot be read, or the folder not be written.
pub fn start_anew_if_changed(checkout: &Path, target: &Path) -> Result<(), String> {
    let now = unseen(checkout)?;
    let note = target.join(NOTE);
    if fs::read_to_string(&note).unwrap_or_default() == now {
        return Ok(());
    }
    let removed = match fs::remove_dir_all(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| fs::create_dir_all(target))
        .and_then(|()| fs::write(note, now))
        .map_err(|error| format!("cannot write to {}: {error}", target.display()))
}

/// The digits of all that is of these kinds; nothing where there is none of it.
fn unseen(checkout: &Path) -> Result<String, String> {
    let files = git::files(checkout, &["--cached", "--others", "--exclude-standard"])?;
    let checksums = files.iter().filter(|file| file.ends_with(CHECKSUM));
    let vendored: BTreeSet<&Path> = checksums.filter_map(|file| file.parent()).collect();
    let mut found = BTreeSet::new();
    for file in &files {
        let path = checkout.join(file);
        let failed = |error: io::Error| format!("{} cannot be read: {error}", path.display());
        if path.is_symlink() {
            found.insert((file, digits(&fs::read_link(&path).map_err(failed)?)));
        } else if path.is_file() && file.ancestors().any(|folder| vendored.contains(folder)) {
            found.insert((file, digits(&fs::read(&path).map_err(failed)?)));
        }
    }
    Ok(if found.is_empty() { String::new() } else { digits(&found) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A checkout, and where it is built.
    struct Built(tempfile::TempDir);

    impl Built {
        fn new() -> Built {
            let built = Built(tempfile::tempdir().expect("a folder"));
            fs::create_dir(built.checkout()).expect("made");
            git::text(&built.checkout(), &["init", "--quiet"]).expect("git");
            built
        }

        fn checkout(&self) -> std::path::PathBuf {
            self.0.path().join("checkout")
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.checkout().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }

        fn link(&self, to: &str, link: &str) {
            let link = self.checkout().join(link);
            let _ = fs::remove_file(&link);
            symlink(to, link).expect("made");
        }

        /// Builds; whether what was built before is still there.
        fn is_taken_over(&self) -> bool {
            let target = self.0.path().join("target");
            start_anew_if_changed(&self.checkout(), &target).expect("read");
            let is_there = target.join("built").exists();
            fs::create_dir_all(&target).expect("made");
            fs::write(target.join("built"), "").expect("written");
            is_there
        }
    }

    #[test]
    fn a_link_that_leads_elsewhere_lets_all_be_built_again() {
        let built = Built::new();
        for file in ["a/Cargo.toml", "shared/one.rs", "shared/two.rs"] {
            built.write(file, "the same, and old");
        }
        assert!(!built.is_taken_over(), "nothing was built before");
        assert!(built.is_taken_over());
        // The only source of a package, which lies outside of it.
        built.link("../shared/one.rs", "a/lib.rs");
        assert!(!built.is_taken_over() && built.is_taken_over());
        built.link("../shared/two.rs", "a/lib.rs");
        assert!(!built.is_taken_over() && built.is_taken_over());
        built.write("shared/two.rs", "cargo looks at its age");
        assert!(built.is_taken_over());
        built.link("/nowhere", "b");
        assert!(!built.is_taken_over(), "another link");
        for link in ["a/lib.rs", "b"] {
            fs::remove_file(built.checkout().join(link)).expect("removed");
        }
        assert!(!built.is_taken_over() && built.is_taken_over(), "none is left");
    }

    #[test]
    fn a_vendored_package_that_is_changed_in_place_is_built_again() {
        let built = Built::new();
        built.write("vendor/a/.cargo-checksum.json", "{\"files\":{}}");
        built.write("vendor/a/src/lib.rs", "one");
        built.write("vendor/lib.rs", "of none");
        assert!(!built.is_taken_over() && built.is_taken_over());
        for file in ["vendor/a/src/lib.rs", "vendor/a/more.rs"] {
            built.write(file, "two");
            assert!(!built.is_taken_over() && built.is_taken_over(), "{file}");
        }
        fs::remove_file(built.checkout().join("vendor/a/more.rs")).expect("removed");
        assert!(!built.is_taken_over());
        built.write("vendor/lib.rs", "cargo looks at its age");
        assert!(built.is_taken_over());
    }
}
