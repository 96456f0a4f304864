//! Looking for words in files and manifests.

use super::source::File;

/// What a manifest depends on, for whatever it is built.
pub(crate) fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut is_there = false;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            is_there = line.contains("dependencies");
            return None;
        }
        let name = line.split(['.', '=', ' ']).next().unwrap_or_default();
        (is_there && !name.is_empty() && !name.starts_with('#')).then_some(name)
    })
}

/// The places at which programs name one of these.
pub(crate) fn naming<'a>(files: impl Iterator<Item = &'a File>, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for line in file.in_programs() {
            let paths = paths(&line.code);
            let is_there = |name: &&&str| paths.iter().any(|path| is_named(path, name));
            let named = names.iter().find(is_there);
            found.extend(named.map(|name| format!("{}: {name}", file.at(line))));
        }
    }
    found
}

/// The code, and each path of an import of several, whole: `a::{b, c}` as `a::b` and `a::c`.
fn paths(code: &str) -> Vec<String> {
    let mut paths = vec![code.to_owned()];
    if let Some((path, rest)) =
        code.trim().strip_prefix("use ").and_then(|rest| rest.split_once('{'))
    {
        let names = rest.split(['{', '}', ',', ';']).map(str::trim);
        paths.extend(names.filter(|name| !name.is_empty()).map(|name| path.to_owned() + name));
    }
    paths
}

/// Whether a name stands in code, and not as the end or the beginning of another one.
fn is_named(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let behind = code[at + name.len()..].chars().next();
        let ends = name.chars().next_back().is_some_and(is_word);
        let is_longer = before.is_some_and(is_word) || (ends && behind.is_some_and(is_word));
        !is_longer
    })
}

/// The places at which a program's string is one of these.
pub(crate) fn saying<'a>(files: impl Iterator<Item = &'a File>, names: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for line in file.in_programs() {
            let said = line.strings.iter().filter(|string| names.contains(&string.as_str()));
            found.extend(said.map(|string| format!("{}: {string:?}", file.at(line))));
        }
    }
    found
}

pub(crate) fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}
