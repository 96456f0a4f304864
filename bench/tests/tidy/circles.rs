//! Files of lockimpls that import each other in a circle.
//!
//! A path leads to the file of the longest module that it names: what a file hands on from another
//! is imported from the one that hands it on.

use std::collections::BTreeSet;

use super::House;
use super::source::File;

const ROOT: &str = "lockimpls/src";

/// The line before the one circle that there is a reason for: its files, from `lockimpls/src`.
const BUT: &str =
    "* **Invariant:** the files of `lockimpls` import each other in no circle but this one:";

pub(crate) fn circles(house: &House) -> Vec<String> {
    let Some(listed) = listed(&house.architecture) else {
        return vec![format!("ARCHITECTURE.md: the line {BUT:?} is gone")];
    };
    let modules = Modules::of(house);
    let (known, others): (Vec<_>, Vec<_>) =
        modules.circles().into_iter().partition(|circle| modules.paths(circle) == listed);
    let mut found = Vec::new();
    if known.is_empty() {
        found.push(format!("ARCHITECTURE.md: no circle: {}", Vec::from_iter(listed).join(", ")));
    }
    for circle in others {
        let is_inside = |(from, to): &&(usize, usize)| circle.contains(from) && circle.contains(to);
        let path = |at: usize| &modules.files[at].path;
        let told = |(from, to): &(usize, usize)| format!("{} imports {}", path(*from), path(*to));
        found.extend(modules.edges.iter().filter(is_inside).map(told));
    }
    found
}

fn listed(architecture: &str) -> Option<BTreeSet<String>> {
    let mut lines = architecture.lines().skip_while(|line| *line != BUT);
    lines.next()?;
    let text = lines.collect::<Vec<_>>().join(" ");
    let paths = text.split(". ").next()?.split('`').skip(1).step_by(2);
    Some(paths.map(|path| format!("{ROOT}/{path}")).collect())
}

/// The modules that have a file each, and which of them import which, by their places.
struct Modules<'a> {
    /// `objects::socket` as `["objects", "socket"]`; of `lib.rs` nothing.
    names: Vec<Vec<&'a str>>,
    files: Vec<&'a File>,
    edges: BTreeSet<(usize, usize)>,
}

impl<'a> Modules<'a> {
    fn of(house: &'a House) -> Self {
        let is_program = |file: &&File| file.in_programs().next().is_some();
        let files: Vec<&File> = house.within(ROOT).filter(is_program).collect();
        let names = files.iter().map(|file| module(&file.path)).collect();
        let mut modules = Self { names, files, edges: BTreeSet::new() };
        for from in 0..modules.files.len() {
            let named = named(modules.files[from]);
            let to = named.iter().filter_map(|path| modules.target(from, path));
            let edges: Vec<_> = to.filter(|to| *to != from).map(|to| (from, to)).collect();
            modules.edges.extend(edges);
        }
        modules
    }

    fn paths(&self, circle: &BTreeSet<usize>) -> BTreeSet<String> {
        circle.iter().map(|at| self.files[*at].path.clone()).collect()
    }

    /// The file to which a path in another leads; none where it leads out of this crate, or to its
    /// root.
    fn target(&self, from: usize, path: &str) -> Option<usize> {
        let own = &self.names[from];
        let mut words = path.split("::").peekable();
        let first = *words.peek()?;
        let child = [&own[..], &[first]].concat();
        let mut module = match first {
            "crate" => Vec::new(),
            "self" | "super" => own.clone(),
            _ => self.names.iter().find(|name| **name == child).map(|_| own.clone())?,
        };
        words.next_if(|word| ["crate", "self"].contains(word));
        while words.next_if(|word| *word == "super").is_some() {
            module.pop();
        }
        module.extend(words);
        let file = |length: usize| self.names.iter().position(|name| *name == module[..length]);
        (1..=module.len()).rev().find_map(file)
    }

    /// The sets of files of which each leads to each.
    fn circles(&self) -> BTreeSet<BTreeSet<usize>> {
        let all = 0..self.files.len();
        let reached: Vec<BTreeSet<usize>> = all.clone().map(|from| self.reached(from)).collect();
        let circle = |at: usize| -> BTreeSet<usize> {
            reached[at].iter().copied().filter(|other| reached[*other].contains(&at)).collect()
        };
        all.map(circle).filter(|circle| !circle.is_empty()).collect()
    }

    /// The files to which one leads, over others or not.
    fn reached(&self, from: usize) -> BTreeSet<usize> {
        let (mut reached, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(at) = next.pop() {
            let ends = self.edges.iter().filter(|(begin, _)| *begin == at).map(|(_, end)| *end);
            let new: Vec<usize> = ends.filter(|end| reached.insert(*end)).collect();
            next.extend(new);
        }
        reached
    }
}

/// The module of a file.
fn module(path: &str) -> Vec<&str> {
    let inside = path.strip_prefix(ROOT).and_then(|path| path.strip_suffix(".rs"));
    let mut words: Vec<&str> = inside.unwrap_or_default().split('/').skip(1).collect();
    words.pop_if(|last| ["mod", "lib"].contains(last));
    words
}

/// The paths that a file's program names, those of imports whole. What a macro names with `$crate`
/// is named where the macro is used.
fn named(file: &File) -> Vec<String> {
    let code: Vec<&str> = file.in_programs().map(|line| line.code.trim()).collect();
    let code = code.join(" ");
    let mut found = Vec::new();
    for part in code.split(';') {
        let (rest, import) = match part.rsplit_once("use ") {
            Some((rest, import)) if rest.is_empty() || rest.ends_with(' ') => (rest, import),
            _ => (part, ""),
        };
        let words = rest.split(|c: char| !(c.is_alphanumeric() || "_:$".contains(c)));
        let is_ours = |word: &&str| word.contains("::") && !word.starts_with(['$', ':']);
        found.extend(words.filter(is_ours).map(str::to_owned));
        found.extend(imported(import));
    }
    found
}

/// The paths of an import: of `a::{b, c::{d, e}}` three.
fn imported(import: &str) -> Vec<String> {
    let Some((before, list)) = import.split_once('{') else {
        return vec![import.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let list = list.trim_end().strip_suffix('}').unwrap_or(list);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in list.chars() {
        depth += i32::from(character == '{') - i32::from(character == '}');
        match parts.last_mut() {
            Some(part) if character != ',' || depth > 0 => part.push(character),
            _ => parts.push(String::new()),
        }
    }
    let each = parts.iter().flat_map(|part| imported(part));
    let each = each.filter(|path| !path.is_empty());
    each.map(|path| format!("{}{path}", before.trim())).collect()
}
