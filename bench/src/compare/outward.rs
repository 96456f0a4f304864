//! What lies beside a checkout and is built into its program. A commit is checked out elsewhere,
//! and from there a relative path would lead somewhere else: in that copy it is made absolute. And
//! a program that is built of more than its commit is not kept for that commit: what lies beside it
//! may be another thing the next time.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::git;

/// In the copy of a commit that is checked out in `tree`: lets every path of a manifest that leads
/// out of the checkout `root` lead where it leads there.
///
/// # Errors
/// A manifest cannot be read or written, or a path cannot stand in it.
pub fn keep(root: &Path, tree: &Path) -> Result<(), String> {
    for manifest in git::files(tree, &[])? {
        if !manifest.ends_with("Cargo.toml") {
            continue;
        }
        let (file, folder) = (tree.join(&manifest), manifest.parent());
        let failed = |error| format!("{} cannot be changed: {error}", file.display());
        let Some(text) = text(&file).map_err(failed)? else { continue };
        let changed = changed(&text, &root.join(folder.unwrap_or(Path::new(""))), root)
            .map_err(|why| format!("{}: {why}", file.display()))?;
        if changed != text {
            // A link may lead to a file of the user's: it makes place, and that is let alone.
            fs::remove_file(&file).and_then(|()| fs::write(&file, changed)).map_err(failed)?;
        }
    }
    Ok(())
}

/// Whether anything that a commit is built of, checked out in `tree`, lies outside of it: by a path
/// in a manifest or in cargo's settings, which are the commit's and these files, or by a link.
///
/// # Errors
/// A file cannot be read.
pub fn leads_out(tree: &Path, settings: &[(PathBuf, Vec<u8>)]) -> Result<bool, String> {
    let tree = &plain(tree);
    let of_settings = |(file, text): &(PathBuf, Vec<u8>)| {
        let folder = file.parent().and_then(Path::parent).unwrap_or(file);
        names_outside(&String::from_utf8_lossy(text), folder, tree)
    };
    if settings.iter().any(of_settings) {
        return Ok(true);
    }
    let own = [".cargo/config.toml", ".cargo/config"].map(Path::new);
    for file in git::files(tree, &[])? {
        let path = tree.join(&file);
        if is_outward(&path, tree) {
            return Ok(true);
        }
        let of_manifest = path.parent().filter(|_| path.ends_with("Cargo.toml"));
        let of_own = Some(tree.as_path()).filter(|_| own.contains(&file.as_path()));
        let Some(folder) = of_own.or(of_manifest) else { continue };
        let text =
            text(&path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if text.is_some_and(|text| names_outside(&text, folder, tree)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What stands in a file, if that is text. A link may lead nowhere.
fn text(file: &Path) -> io::Result<Option<String>> {
    match fs::read(file) {
        Err(_) if file.is_symlink() => Ok(None),
        bytes => Ok(String::from_utf8(bytes?).ok()),
    }
}

/// Whether a manifest, or settings of cargo's, in that folder names a path outside of `tree`.
fn names_outside(text: &str, folder: &Path, tree: &Path) -> bool {
    let Ok(table) = DeTable::parse(text) else { return false };
    let paths = paths(table.get_ref());
    paths.into_iter().any(|(_, path)| !plain(&folder.join(path)).starts_with(tree))
}

/// Whether it is a link to something outside of `tree`.
fn is_outward(path: &Path, tree: &Path) -> bool {
    let leads = |to: PathBuf| tree.canonicalize().is_ok_and(|tree| !to.starts_with(tree));
    path.is_symlink() && path.canonicalize().is_ok_and(leads)
}

/// The text of a manifest whose outward paths are absolute; `folder` is where it lies in the
/// checkout. What is no manifest is left to cargo.
fn changed(text: &str, folder: &Path, root: &Path) -> Result<String, String> {
    let Ok(manifest) = DeTable::parse(text) else { return Ok(text.to_owned()) };
    let mut found = paths(manifest.get_ref());
    // From the last one on, so that the places of the others stay.
    found.sort_by_key(|(place, _)| place.start);
    let mut changed = text.to_owned();
    for (place, path) in found.into_iter().rev() {
        let absolute = plain(&folder.join(path));
        if Path::new(path).is_relative() && !absolute.starts_with(root) {
            changed.replace_range(place, &quoted(&absolute)?);
        }
    }
    Ok(changed)
}

/// A path as it stands in a manifest: in quotes within which nothing has another meaning.
fn quoted(path: &Path) -> Result<String, String> {
    let text =
        path.to_str().filter(|text| !text.contains(|it: char| it == '\'' || it.is_control()));
    let text = text.ok_or_else(|| format!("{path:?} cannot stand in it; move what lies there"))?;
    Ok(format!("'{text}'"))
}

/// Every `path` that stands in it, with its place, and every one of `paths`.
fn paths<'a>(table: &'a DeTable<'_>) -> Vec<(Range<usize>, &'a str)> {
    let mut found = Vec::new();
    table.iter().for_each(|(key, value)| collect(key.get_ref(), value, &mut found));
    found
}

fn collect<'a>(
    key: &str,
    value: &'a Spanned<DeValue<'_>>,
    found: &mut Vec<(Range<usize>, &'a str)>,
) {
    match value.get_ref() {
        DeValue::String(path) if ["path", "paths"].contains(&key) => {
            found.push((value.span(), &**path));
        }
        DeValue::Table(table) => {
            table.iter().for_each(|(key, value)| collect(key.get_ref(), value, found));
        }
        DeValue::Array(values) => values.iter().for_each(|value| collect(key, value, found)),
        _ => {}
    }
}

/// The path without `.` and `..`, as cargo reads it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_the_checkout_is_found_from_elsewhere() {
        let manifest = "[lib]\npath = \"src/x.rs\"\n[dependencies]\n\
                        solock = { path = \"../../solock/bench\" }\nmine = { path = '../b' }\n\
                        [patch.crates-io]\nlibc = { path = \"/libc\" }\n";
        let folder = Path::new("/home/me/a");
        let changed = |folder, root| super::changed(manifest, folder, root).expect("a manifest");
        let at_the_top = changed(folder, folder);
        assert!(at_the_top.contains("solock = { path = '/home/solock/bench' }"), "{at_the_top}");
        assert!(at_the_top.contains("mine = { path = '/home/me/b' }"), "{at_the_top}");
        assert!(at_the_top.contains("path = \"/libc\"") && at_the_top.contains("\"src/x.rs\""));
        // Of a larger checkout `b` is a part.
        let inside = changed(folder, Path::new("/home/me"));
        assert!(inside.contains("mine = { path = '../b' }"), "{inside}");
        assert_eq!(super::changed("no manifest", folder, folder), Ok("no manifest".to_owned()));
    }

    #[test]
    fn only_the_path_itself_is_changed() {
        let manifest = "[package]\ndescription = \"../b\"\n[dependencies]\n\
                        b = { path = \"..\\u002Fb\", features = ['../b'] }\n\
                        c = { path = '../c' }\n";
        let folder = Path::new("/home/me/a");
        let expected = "[package]\ndescription = \"../b\"\n[dependencies]\n\
                        b = { path = '/home/me/b', features = ['../b'] }\n\
                        c = { path = '/home/me/c' }\n";
        assert_eq!(changed(manifest, folder, folder).as_deref(), Ok(expected));
        let at = Path::new("/home/it's me/a");
        assert!(changed(manifest, at, at).unwrap_err().contains("cannot stand in it"));
    }

    /// A folder with a checkout that has no commit yet.
    struct Copy(tempfile::TempDir);

    impl Copy {
        fn new() -> Copy {
            let copy = Copy(tempfile::tempdir().expect("a folder"));
            fs::create_dir_all(copy.tree().join("mine")).expect("made");
            git::text(&copy.tree(), &["init", "--quiet"]).expect("git");
            copy
        }

        fn tree(&self) -> PathBuf {
            self.0.path().join("tree")
        }

        /// Writes a file that git knows.
        fn write(&self, file: &str, text: &str) {
            let path = self.tree().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
            self.add();
        }

        fn add(&self) {
            git::text(&self.tree(), &["add", "."]).expect("git");
        }

        fn read(&self, file: &str) -> String {
            fs::read_to_string(self.tree().join(file)).expect("readable")
        }

        /// Keeps what lies beside it, as of a checkout beside this one.
        fn keep(&self) -> Result<(), String> {
            keep(&self.0.path().join("root"), &self.tree())
        }

        fn leads_out(&self, settings: &[(PathBuf, Vec<u8>)]) -> bool {
            leads_out(&self.tree(), settings).expect("readable")
        }
    }

    const OUTWARD: &str = "[dependencies]\nb = { path = \"../../b\" }\n";
    const INSIDE: &str = "[dependencies]\nmine = { path = \"mine\" }\n";

    #[test]
    fn in_the_copy_of_a_commit_only_what_leads_out_of_its_checkout_is_changed() {
        let copy = Copy::new();
        copy.write("mine/Cargo.toml", OUTWARD);
        copy.write("Cargo.toml", INSIDE);
        // git knows nothing of it: it is none of the commit's.
        fs::write(copy.tree().join("mine/Cargo.toml.orig"), OUTWARD).expect("written");
        copy.keep().expect("changed");
        let absolute =
            format!("[dependencies]\nb = {{ path = '{}/b' }}\n", copy.0.path().display());
        assert_eq!(copy.read("mine/Cargo.toml"), absolute);
        assert_eq!(copy.read("Cargo.toml"), INSIDE);
        assert_eq!(copy.read("mine/Cargo.toml.orig"), OUTWARD);
        fs::remove_file(copy.tree().join("Cargo.toml")).expect("removed");
        assert!(copy.keep().unwrap_err().contains("Cargo.toml cannot be changed: "));
    }

    #[test]
    fn what_a_link_leads_to_is_not_written() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt as _;
        use std::os::unix::fs::symlink;

        let copy = Copy::new();
        let of_the_user = copy.0.path().join("Cargo.toml");
        fs::write(&of_the_user, OUTWARD).expect("written");
        symlink(&of_the_user, copy.tree().join("mine/Cargo.toml")).expect("made");
        fs::create_dir(copy.tree().join("nowhere")).expect("made");
        symlink("/nowhere/at/all", copy.tree().join("nowhere/Cargo.toml")).expect("made");
        // Any name, and what is no text at all.
        let odd = copy.tree().join(OsStr::from_bytes(b"\xe9\n"));
        fs::create_dir(&odd).expect("made");
        fs::write(odd.join("Cargo.toml"), OUTWARD.replace("../../b", "../../../b")).expect("made");
        copy.write("binary/Cargo.toml", "");
        fs::write(copy.tree().join("binary/Cargo.toml"), b"\xff").expect("written");
        copy.add();
        copy.keep().expect("changed");
        assert_eq!(fs::read_to_string(&of_the_user).expect("readable"), OUTWARD);
        assert!(copy.read("mine/Cargo.toml").contains("path = '/"));
        assert!(!copy.tree().join("mine/Cargo.toml").is_symlink());
        let odd = fs::read_to_string(odd.join("Cargo.toml")).expect("readable");
        assert!(odd.contains("path = '/"), "{odd}");
    }

    #[test]
    fn a_commit_is_built_of_itself_alone_where_no_path_leads_out_of_it() {
        use std::os::unix::fs::symlink;

        let copy = Copy::new();
        copy.write("Cargo.toml", INSIDE);
        copy.write("mine/Cargo.toml", "[[bin]]\npath = '../x.rs'\n[dependencies]\npath = '1'");
        copy.write(".cargo/config.toml", "paths = ['mine']\n[env]\nX = '/home'");
        symlink("Cargo.toml", copy.tree().join("link")).expect("made");
        copy.add();
        let home = |text: &str| [(PathBuf::from("/home/me/.cargo/config.toml"), text.into())];
        assert!(!copy.leads_out(&home("[build]\njobs = 1")));
        assert!(copy.leads_out(&home("[patch.crates-io]\nlibc = { path = 'libc' }")));
        assert!(copy.leads_out(&home("paths = ['/libc']")));
        for (file, text) in [
            ("mine/Cargo.toml", OUTWARD),
            ("mine/Cargo.toml", "[patch.crates-io]\nlibc = { path = '/libc' }"),
            ("mine/Cargo.toml", "[[bin]]\npath = '../../x.rs'"),
            (".cargo/config.toml", "paths = ['..']"),
        ] {
            let before = copy.read(file);
            copy.write(file, text);
            assert!(copy.leads_out(&[]), "{file}: {text}");
            copy.write(file, &before);
            assert!(!copy.leads_out(&[]));
        }
        symlink(copy.0.path(), copy.tree().join("outward")).expect("made");
        assert!(!copy.leads_out(&[]), "it is none of the commit's");
        copy.add();
        assert!(copy.leads_out(&[]));
    }
}
