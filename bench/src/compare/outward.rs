//! Where the dependencies of a checkout lie that are beside it. A commit is checked out elsewhere,
//! and from there a relative path would lead somewhere else: in that copy it is made absolute.

use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::git;

/// In the copy of a commit that is checked out in `tree`: lets every path of a manifest that leads
/// out of the checkout `root` lead where it leads there.
///
/// # Errors
/// A manifest cannot be read or written, or a path cannot stand in it.
pub fn keep(root: &Path, tree: &Path) -> Result<(), String> {
    let listed = git::text(tree, &["ls-files", "-z", "--", ":(glob)**/Cargo.toml"])?;
    for manifest in listed.split_terminator('\0') {
        let (file, folder) = (tree.join(manifest), Path::new(manifest).parent());
        let failed = |error| format!("{} cannot be changed: {error}", file.display());
        let text = fs::read_to_string(&file).map_err(failed)?;
        let changed = changed(&text, &root.join(folder.unwrap_or(Path::new(""))), root)
            .map_err(|why| format!("{}: {why}", file.display()))?;
        if changed != text {
            fs::write(&file, changed).map_err(failed)?;
        }
    }
    Ok(())
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

/// Every `path` that stands in it, with its place.
fn paths<'a>(table: &'a DeTable<'_>) -> Vec<(Range<usize>, &'a str)> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value.get_ref() {
            DeValue::String(path) if key.get_ref() == "path" => found.push((value.span(), &**path)),
            DeValue::Table(table) => found.extend(paths(table)),
            _ => {}
        }
    }
    found
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

    #[test]
    fn in_the_copy_of_a_commit_only_what_leads_out_of_its_checkout_is_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (root, tree) = (folder.path().join("root"), folder.path().join("tree"));
        let outward = "[dependencies]\nb = { path = \"../../b\" }\n";
        let inside = "[dependencies]\nmine = { path = \"mine\" }\n";
        fs::create_dir_all(tree.join("mine")).expect("made");
        fs::write(tree.join("mine/Cargo.toml"), outward).expect("written");
        fs::write(tree.join("Cargo.toml"), inside).expect("written");
        git::text(&tree, &["init", "--quiet"]).expect("git");
        git::text(&tree, &["add", "."]).expect("git");
        // git knows nothing of it: it is none of the commit's.
        fs::write(tree.join("mine/Cargo.toml.orig"), outward).expect("written");
        keep(&root, &tree).expect("changed");
        let read = |file: &str| fs::read_to_string(tree.join(file)).expect("readable");
        let absolute =
            format!("[dependencies]\nb = {{ path = '{}/b' }}\n", folder.path().display());
        assert_eq!(read("mine/Cargo.toml"), absolute);
        assert_eq!(
            (read("Cargo.toml"), read("mine/Cargo.toml.orig")),
            (inside.into(), outward.into())
        );
        fs::remove_file(tree.join("Cargo.toml")).expect("removed");
        assert!(keep(&root, &tree).unwrap_err().contains("Cargo.toml cannot be changed: "));
    }
}
