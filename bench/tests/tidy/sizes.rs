//! How long things are: what is longer today may not grow.

use super::House;
use super::search::words;
use super::source::{File, Line, indentation};

const COLUMNS: usize = 100;
/// Lines that are longer, by package; the table only ever shrinks.
const LONG_LINES: [(&str, usize); 1] = [("lockimpls", 21)];

pub(crate) fn columns(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for package in ["lockimpls", "workloads", "results", "plots", "bench"] {
        let length = |line: &Line| line.text.chars().count();
        let is_long = |line: &&Line| length(line) > COLUMNS && !is_row(line);
        let of_file = |file: &File| -> Vec<String> {
            let told = |line| format!("{}: {} columns", file.at(line), length(line));
            file.lines.iter().filter(is_long).map(told).collect()
        };
        let all: Vec<String> = house.within(package).flat_map(of_file).collect();
        let allowed = LONG_LINES.iter().find(|(name, _)| *name == package);
        if all.len() > allowed.map_or(0, |(_, count)| *count) {
            found.extend(all);
        }
    }
    found
}

/// Whether it is a row of a table in a comment, which cannot be broken.
fn is_row(line: &Line) -> bool {
    let text = line.text.trim_start();
    text.starts_with("//") && text.trim_start_matches(['/', '!', ' ']).starts_with('|')
}

const FILE_LINES: usize = 400;
/// Files that are longer, with their lines; the table only ever shrinks.
const LONG_FILES: &[(&str, usize)] = &[
    ("lockimpls/src/objects/sockbuf.rs", 616),
    ("lockimpls/tests/conformance/rights.rs", 464),
    ("workloads/programs/tests/judges.rs", 403),
];

pub(crate) fn file_sizes(house: &House) -> Vec<String> {
    let is_wrong = |file: &&File| {
        let known = LONG_FILES.iter().find(|(path, _)| file.path == *path);
        file.lines.len() > known.map_or(FILE_LINES, |(_, lines)| *lines)
    };
    let told = |file: &File| format!("{}: {} lines", file.path, file.lines.len());
    house.files.iter().filter(is_wrong).map(told).collect()
}

/// The longest functions of programs, and of tests.
const FUNCTION_LINES: [usize; 2] = [60, 80];
/// Functions that are longer, with their lines; the table only ever shrinks.
const LONG_FUNCTIONS: &[(&str, usize)] = &[];

pub(crate) fn function_sizes(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for file in &house.files {
        for (at, line) in file.lines.iter().enumerate() {
            let Some(name) = function(line) else { continue };
            let depth = indentation(&line.text);
            let is_end = |line: &Line| {
                indentation(&line.text) == depth && line.code.trim_end() == " ".repeat(depth) + "}"
            };
            let Some(length) = file.lines[at..].iter().position(is_end) else { continue };
            // What ends in its first line, or has no body, ends where the next one does.
            let is_whole = line.code.trim_end().ends_with(['}', ';']) || line.code.contains('$');
            let known = LONG_FUNCTIONS.iter().find(|(known, _)| *known == name);
            let most = known.map_or(FUNCTION_LINES[usize::from(line.is_test)], |(_, lines)| *lines);
            if !is_whole && length + 1 > most {
                found.push(format!("{}: {name}, {} lines", file.at(line), length + 1));
            }
        }
    }
    found
}

/// The name of the function that begins in a line.
fn function(line: &Line) -> Option<&str> {
    let (before, rest) = line.code.split_once("fn ")?;
    let is_head = words(before).all(|word| {
        ["pub", "crate", "super", "in", "const", "async", "unsafe", "extern"].contains(&word)
    });
    let name = words(rest).next()?;
    (is_head && rest.starts_with(name)).then_some(name)
}
