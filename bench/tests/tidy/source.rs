//! Source files as text: what of each line is code, what stands in its strings, what is a test.

use std::fs;
use std::path::Path;

/// One line of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: usize,
    /// As it stands there.
    pub(crate) text: String,
    /// Without comments, and with nothing between its quotes.
    pub(crate) code: String,
    /// What stands between quotes, string by string.
    pub(crate) strings: Vec<String>,
    /// It is compiled for tests alone.
    pub(crate) is_test: bool,
}

/// A file of Rust.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        let mut lines = read(text);
        let is_apart = ["/tests/", "/benches/", "/models/"].iter().any(|part| path.contains(part));
        if is_apart || path.ends_with("/tests.rs") {
            lines.iter_mut().for_each(|line| line.is_test = true);
        } else {
            mark_tests(&mut lines);
        }
        File { path: path.to_owned(), lines }
    }

    /// Where a line is.
    pub(crate) fn at(&self, line: &Line) -> String {
        format!("{}:{}", self.path, line.number)
    }

    /// The lines that are in programs.
    pub(crate) fn in_programs(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.is_test)
    }

    /// Whether it is in that folder, or is the file beside it: `a/b` has `a/b.rs` and `a/b/c.rs`.
    pub(crate) fn is_in(&self, folder: &str) -> bool {
        let rest = self.path.strip_prefix(folder);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

/// Every file of these folders, and of theirs, but of those with a workspace of their own; what
/// only tests have is marked.
pub(crate) fn all(root: &Path, folders: &[&str]) -> Vec<File> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| walk(root, &root.join(folder), &mut files));
    files.sort_by(|one: &File, other| one.path.cmp(&other.path));
    let modules: Vec<String> = files.iter().flat_map(test_modules).collect();
    for file in &mut files {
        if modules.iter().any(|module| file.is_in(module)) {
            file.lines.iter_mut().for_each(|line| line.is_test = true);
        }
    }
    files
}

fn walk(root: &Path, folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "target" && !path.join("Cargo.lock").exists() {
                walk(root, &path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root).expect("inside").to_str().expect("UTF-8");
            files
                .push(File::new(&name.replace('\\', "/"), &fs::read_to_string(&path).expect(name)));
        }
    }
}

/// The modules that a file declares for tests alone, as `folder/name`.
fn test_modules(file: &File) -> Vec<String> {
    let folder = match file.path.rsplit_once('/') {
        Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
        _ => file.path.strip_suffix(".rs").unwrap_or(&file.path),
    };
    let name = |line: &Line| {
        let (_, rest) = line.code.split_once("mod ")?;
        let name = rest.strip_suffix(';').filter(|_| line.is_test)?;
        Some(format!("{folder}/{name}"))
    };
    file.lines.iter().filter_map(name).collect()
}

/// Marks what stands behind `#[cfg(test)]`: one item, to its end at the same depth.
fn mark_tests(lines: &mut [Line]) {
    let mut at = 0;
    while at < lines.len() {
        let code = lines[at].code.trim_start();
        if !["#[cfg(test)]", "#[cfg(all(test,"].iter().any(|begin| code.starts_with(begin)) {
            at += 1;
            continue;
        }
        let depth = indentation(&lines[at].text);
        let is_end = |line: &Line| {
            let code = line.code.trim_end();
            let is_whole = code.ends_with(';') || code.ends_with('}') || code.ends_with(',');
            !code.is_empty() && indentation(&line.text) == depth && is_whole
        };
        let end = lines[at..].iter().position(is_end).map_or(lines.len() - 1, |end| at + end);
        lines[at..=end].iter_mut().for_each(|line| line.is_test = true);
        at = end + 1;
    }
}

pub(crate) fn indentation(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// Where the reader of a file is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Inside {
    Code,
    Comment {
        depth: usize,
    },
    /// A string; raw ones end with a quote and so many `#`.
    Text {
        raw: Option<usize>,
    },
}

fn read(text: &str) -> Vec<Line> {
    let mut inside = Inside::Code;
    let mut lines = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let mut line = Line { number: index + 1, text: text.to_owned(), ..Line::default() };
        if let Inside::Text { .. } = inside {
            line.strings.push(String::new());
        }
        let characters: Vec<char> = text.chars().collect();
        let mut at = 0;
        while at < characters.len() {
            at += step(&characters[at..], &mut inside, &mut line);
        }
        lines.push(line);
    }
    lines
}

/// Reads a little of a line; says how much.
fn step(rest: &[char], inside: &mut Inside, line: &mut Line) -> usize {
    let begins = |text: &str| text.chars().eq(rest.iter().copied().take(text.chars().count()));
    match *inside {
        Inside::Comment { depth } if begins("*/") => {
            *inside = if depth == 1 { Inside::Code } else { Inside::Comment { depth: depth - 1 } };
            2
        }
        Inside::Comment { depth } if begins("/*") => {
            *inside = Inside::Comment { depth: depth + 1 };
            2
        }
        Inside::Comment { .. } => 1,
        Inside::Text { raw } => {
            let end = raw.map_or("\"".to_owned(), |hashes| format!("\"{}", "#".repeat(hashes)));
            if begins(&end) {
                *inside = Inside::Code;
                line.code.push('"');
                return end.len();
            }
            let taken = if raw.is_none() && rest[0] == '\\' { 2.min(rest.len()) } else { 1 };
            if let Some(string) = line.strings.last_mut() {
                string.extend(&rest[..taken]);
            }
            taken
        }
        Inside::Code if begins("//") => rest.len(),
        Inside::Code if begins("/*") => {
            *inside = Inside::Comment { depth: 1 };
            2
        }
        Inside::Code => code(rest, inside, line),
    }
}

fn code(rest: &[char], inside: &mut Inside, line: &mut Line) -> usize {
    // A character: 'x' or '\n'; a lifetime has no second quote there.
    if rest[0] == '\'' {
        let length = if rest.get(1) == Some(&'\\') { 4 } else { 3 };
        if rest.get(length - 1) == Some(&'\'') {
            line.code.push_str("''");
            return length;
        }
    }
    let hashes = rest.iter().skip(1).take_while(|character| **character == '#').count();
    let is_word =
        line.code.ends_with(|character: char| character.is_alphanumeric() || character == '_')
            && !line.code.ends_with('b');
    let is_raw = rest[0] == 'r' && rest.get(1 + hashes) == Some(&'"') && !is_word;
    if is_raw || rest[0] == '"' {
        *inside = Inside::Text { raw: is_raw.then_some(hashes) };
        line.code.push('"');
        line.strings.push(String::new());
        return if is_raw { hashes + 2 } else { 1 };
    }
    line.code.push(rest[0]);
    1
}

#[test]
fn comments_and_strings_are_no_code() {
    let text = "let a = \"x // y\"; // z\n/* b\n\" */ let c = r#\"d\" // e\"#;\nlet f = '\"'; \
                let g: &'a str = \"h\\\"i\n  j\";\n";
    let lines = read(text);
    let code: Vec<&str> = lines.iter().map(|line| line.code.trim()).collect();
    let expected = ["let a = \"\";", "", "let c = \"\";", "let f = ''; let g: &'a str = \"", "\";"];
    assert_eq!(code, expected);
    let strings: Vec<&String> = lines.iter().flat_map(|line| &line.strings).collect();
    assert_eq!(strings, ["x // y", "d\" // e", "h\\\"i", "  j"]);
}

#[test]
fn what_is_for_tests_is_known() {
    let text = "fn a() {}\n#[cfg(test)]\nmod b;\n\
                fn c() {\n    #[cfg(test)]\n    d();\n    e();\n}\n\
                #[cfg(test)]\nmod tests {\n    fn f() {}\n}\nfn g() {}\n";
    let file = File::new("x/src/y.rs", text);
    let programs: Vec<usize> = file.in_programs().map(|line| line.number).collect();
    assert_eq!(programs, [1, 4, 7, 8, 13]);
    assert_eq!(test_modules(&file), ["x/src/y/b"]);
    assert_eq!(test_modules(&File::new("x/src/lib.rs", text)), ["x/src/b"]);
    assert_eq!(File::new("x/tests/y.rs", "fn a() {}").in_programs().count(), 0);
    assert!(file.is_in("x/src/y") && file.is_in("x/src") && !file.is_in("x/s"));
}
