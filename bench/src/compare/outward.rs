//! Where the dependencies of a checkout lie that are beside it. A commit is checked out elsewhere,
//! and from there a relative path would lead somewhere else: in that copy it is made absolute.

use std::fs;
use std::path::{Component, Path, PathBuf};

use toml::{Table, Value};

use crate::git;

/// In the copy of a commit that is checked out in `tree`: lets every path of a manifest that leads
/// out of the checkout `root` lead where it leads there.
///
/// # Errors
/// A manifest cannot be read or written.
pub fn keep(root: &Path, tree: &Path) -> Result<(), String> {
    let listed = git::text(tree, &["ls-files", "-z", "--", ":(glob)**/Cargo.toml"])?;
    for manifest in listed.split_terminator('\0') {
        let (file, folder) = (tree.join(manifest), Path::new(manifest).parent());
        let failed = |error| format!("{} cannot be changed: {error}", file.display());
        let text = fs::read_to_string(&file).map_err(failed)?;
        let changed = changed(&text, &root.join(folder.unwrap_or(Path::new(""))), root);
        if changed != text {
            fs::write(&file, changed).map_err(failed)?;
        }
    }
    Ok(())
}

/// The text of a manifest whose outward paths are absolute; `folder` is where it lies in the
/// checkout. What is no manifest is left to cargo.
fn changed(text: &str, folder: &Path, root: &Path) -> String {
    let mut changed = text.to_owned();
    let manifest: Table = toml::from_str(text).unwrap_or_default();
    for path in paths(&Value::Table(manifest)) {
        let absolute = plain(&folder.join(path));
        if Path::new(path).is_relative() && !absolute.starts_with(root) {
            let absolute = absolute.to_string_lossy();
            for quote in ['"', '\''] {
                let (from, to) = (format!("{quote}{path}{quote}"), format!("'{absolute}'"));
                changed = changed.replace(&from, &to);
            }
        }
    }
    changed
}

/// Every `path` that stands in it.
fn paths(value: &Value) -> Vec<&str> {
    let Some(table) = value.as_table() else { return Vec::new() };
    let own = table.get("path").and_then(Value::as_str);
    own.into_iter().chain(table.values().flat_map(paths)).collect()
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
        let at_the_top = changed(manifest, folder, folder);
        assert!(at_the_top.contains("solock = { path = '/home/solock/bench' }"), "{at_the_top}");
        assert!(at_the_top.contains("mine = { path = '/home/me/b' }"), "{at_the_top}");
        assert!(at_the_top.contains("path = \"/libc\"") && at_the_top.contains("\"src/x.rs\""));
        // Of a larger checkout `b` is a part.
        let inside = changed(manifest, folder, Path::new("/home/me"));
        assert!(inside.contains("mine = { path = '../b' }"), "{inside}");
        assert_eq!(changed("no manifest", folder, folder), "no manifest");
    }
}
