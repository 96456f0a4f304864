//! Files of tests that are in no program.

use super::House;
use super::source::File;

/// Files in a folder of tests that no other file has as a module: nobody compiles them, and what
/// they test is not tested.
pub(crate) fn modules(house: &House) -> Vec<String> {
    let is_left_out = |file: &&File| {
        is_part(&file.path) && !house.files.iter().any(|other| has_module(other, &file.path))
    };
    house.files.iter().filter(is_left_out).map(|file| file.path.clone()).collect()
}

/// Whether it is in a folder of `tests/`, and begins no program.
fn is_part(path: &str) -> bool {
    let within = path.split_once("/tests/").is_some_and(|(_, rest)| rest.contains('/'));
    within && !path.ends_with("/main.rs")
}

/// Whether a file has that one as its module: by its name, or by its path.
fn has_module(file: &File, path: &str) -> bool {
    let own = path.trim_end_matches("/mod.rs").trim_end_matches(".rs");
    let Some((folder, name)) = own.rsplit_once('/') else { return false };
    let is_above = ["/main.rs", "/mod.rs", ".rs"].map(|end| format!("{folder}{end}"));
    let is_above = is_above.contains(&file.path);
    let by_name = format!("mod {name};");
    // The last folder and the file, as in `#[path = "../common/mod.rs"]`.
    let by_path = path.rmatch_indices('/').nth(1).map_or(path, |(at, _)| &path[at + 1..]);
    file.lines.iter().any(|line| {
        let by_path = || line.strings.iter().any(|text| text.ends_with(by_path));
        is_above && line.code.contains(&by_name) || by_path()
    })
}
