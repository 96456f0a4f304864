//! Whether the list says of the kernel's source what stands there. The source is not part of this
//! repository: whoever has it in a folder can ask.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::{File, Function, kept, parse};

/// The variable with the folder of the kernel's files, of the revisions in the list.
const SOURCE: &str = "SOLOCK_KERNEL_SOURCE";

/// Behind which an answer of another function is taken over.
const TAKEN: &[&str] = &["error = ", "return (", "return "];

/// A line of C without its comment. A comment of several lines has a star before each, and a space.
fn code(line: &str) -> &str {
    let text = line.split("/*").next().unwrap_or("").trim();
    let is_comment = text == "*" || text.starts_with("* ") || text.starts_with("*/");
    if is_comment { "" } else { text }
}

/// The words of C, each with what stands before it.
fn words_of(code: &str) -> impl Iterator<Item = (&str, &str)> {
    let is_of_words = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = code;
    std::iter::from_fn(move || {
        let first = rest.find(is_of_words)?;
        let end = rest[first..].find(|c| !is_of_words(c)).map_or(rest.len(), |at| first + at);
        let word = &rest[first..end];
        rest = &rest[end..];
        Some((&code[..code.len() - rest.len() - word.len()], word))
    })
}

/// Whether code has an errno that it does not only compare.
fn names_an_errno(code: &str) -> bool {
    words_of(code).any(|(before, word)| {
        let is_compared = ["==", "!="].iter().any(|sign| before.trim_end().ends_with(sign));
        super::is_errno(word) && !is_compared
    })
}

/// Whether code takes over the answer of a function that is not listed.
fn takes_an_answer(code: &str, listed: &BTreeSet<&str>) -> bool {
    words_of(code).any(|(before, word)| {
        let is_taken = TAKEN.iter().any(|taken| before.ends_with(taken));
        let is_call = code[before.len() + word.len()..].starts_with('(');
        is_taken && is_call && !listed.contains(word)
    })
}

/// What a function has in its lines of the file and the list has not, or the other way round.
fn differences(function: &Function, lines: &[&str], listed: &BTreeSet<&str>) -> Vec<String> {
    let mut wrong = Vec::new();
    let line = |at: u32| *lines.get(at as usize - 1).unwrap_or(&"");
    if !line(function.first).starts_with(&format!("{}(", function.name)) {
        wrong.push(format!("{} does not begin at {}", function.name, function.first));
    }
    if line(function.last) != "}" {
        wrong.push(format!("{} does not end at {}", function.name, function.last));
    }
    for answer in &function.answers {
        let code = code(line(answer.line));
        let is_there = match answer.is_error() {
            true => words_of(code).any(|(_, word)| word == answer.word),
            false => !code.is_empty(),
        };
        if !is_there {
            wrong.push(format!("{} {}: no {}", function.name, answer.line, answer.word));
        }
    }
    let is_listed = |at: u32| function.answers.iter().any(|answer| answer.line == at);
    let answers = |code: &str| names_an_errno(code) || takes_an_answer(code, listed);
    let lost = (function.first..=function.last)
        .filter(|at| answers(code(line(*at))) && !is_listed(*at))
        .map(|at| format!("{} {at} is not listed: {}", function.name, line(at).trim()));
    wrong.extend(lost);
    wrong
}

/// The same of a whole file.
fn differences_of(file: &File, text: &str, listed: &BTreeSet<&str>) -> Vec<String> {
    let (name, revision) = file.name.split_once(' ').unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = format!("{name},v {revision} ");
    if !lines.first().is_some_and(|line| line.contains(&head)) {
        return vec![format!("{name} is not {revision}")];
    }
    file.functions.iter().flat_map(|of| differences(of, &lines, listed)).collect()
}

#[test]
#[ignore = "wants the kernel's source: SOLOCK_KERNEL_SOURCE=DIR"]
fn the_list_says_what_the_source_says() {
    let folder = PathBuf::from(std::env::var_os(SOURCE).expect(SOURCE));
    let mut wrong = Vec::new();
    let list = parse(&kept()).unwrap();
    for file in &list.files {
        let name = file.name.split(' ').next().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        wrong.extend(differences_of(file, &String::from_utf8_lossy(&bytes), &list.names()));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_source_is_found() {
    let list = parse(
        "1 files, 1 functions, 2 answers\n= a.c 1.1: 1 functions, 2 answers\n\
         f 3-9: 2 answers, 4 lines\n5 EINVAL\n    - a reason\n7 g: EPERM\n    - a reason\n\
         8 ok\n    - a reason\n",
    );
    let list = list.unwrap();
    let good = "/* $OpenBSD: a.c,v 1.1 2022 */\nint\nf(int a)\n{\n\tif (a) return (EINVAL);\n\
                \tif (a == EAGAIN)\n\t\ta = g();\n\treturn (0); /* not EIO */\n}\n";
    let found = |text: &str| differences_of(&list.files[0], text, &list.names()).join("; ");
    assert_eq!(found(good), "");
    for (from, to, words) in [
        ("v 1.1 ", "v 1.2 ", "a.c is not 1.1"),
        ("f(int", "h(int", "f does not begin at 3"),
        ("(0); /* not EIO */\n", "", "f does not end at 9"),
        ("EINVAL", "EPERM", "f 5: no EINVAL"),
        ("EINVAL", "EINVALID", "f 5: no EINVAL"),
        ("g()", "0", "f 7: no g"),
        ("return (0);", "", "f 8: no ok"),
        ("== EAGAIN", "= EAGAIN", "f 6 is not listed: if (a = EAGAIN)"),
        ("== EAGAIN", "= b ? EAGAIN : EIO", "f 6 is not listed"),
        ("(a == EAGAIN)", "(error = g())", "f 6 is not listed"),
        ("(a == EAGAIN)", "return (g());", "f 6 is not listed"),
        ("(a == EAGAIN)", "snderr(EIO)", "f 6 is not listed"),
    ] {
        let report = found(&good.replacen(from, to, 1));
        assert!(report.contains(words), "{to}: {report}");
    }
}
