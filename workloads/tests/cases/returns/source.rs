//! Whether the list says of the kernel's source what stands there. The source is not part of this
//! repository: whoever has it in a folder can ask.

use std::path::PathBuf;

use super::{File, Function, kept, parse};

/// The variable with the folder of the kernel's files, of the revisions in the list.
const SOURCE: &str = "SOLOCK_KERNEL_SOURCE";

/// What an errno stands behind where it begins.
const BEFORE: &[&str] = &["return (", "return ", " = ", "snderr("];

/// Whether a line of C has an errno where an answer begins.
fn names_an_errno(line: &str) -> bool {
    BEFORE.iter().flat_map(|before| line.split(before).skip(1)).any(|rest| {
        let word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
        super::is_errno(&rest[..end])
    })
}

/// What a function has in its lines of the file and the list has not, or the other way round.
fn differences(function: &Function, lines: &[&str]) -> Vec<String> {
    let mut wrong = Vec::new();
    let line = |at: u32| *lines.get(at as usize - 1).unwrap_or(&"");
    if !line(function.first).starts_with(&format!("{}(", function.name)) {
        wrong.push(format!("{} does not begin at {}", function.name, function.first));
    }
    if line(function.last) != "}" {
        wrong.push(format!("{} does not end at {}", function.name, function.last));
    }
    for answer in function.answers.iter().filter(|answer| answer.is_error()) {
        if !line(answer.line).contains(&answer.word) {
            wrong.push(format!("{} {}: no {}", function.name, answer.line, answer.word));
        }
    }
    let is_listed = |at: u32| function.answers.iter().any(|answer| answer.line == at);
    let lost = (function.first..=function.last)
        .filter(|at| names_an_errno(line(*at)) && !is_listed(*at))
        .map(|at| format!("{} {at} is not listed: {}", function.name, line(at).trim()));
    wrong.extend(lost);
    wrong
}

/// The same of a whole file.
fn differences_of(file: &File, text: &str) -> Vec<String> {
    let (name, revision) = file.name.split_once(' ').unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let head = format!("{name},v {revision} ");
    if !lines.first().is_some_and(|line| line.contains(&head)) {
        return vec![format!("{name} is not {revision}")];
    }
    file.functions.iter().flat_map(|function| differences(function, &lines)).collect()
}

#[test]
#[ignore = "wants the kernel's source: SOLOCK_KERNEL_SOURCE=DIR"]
fn the_list_says_what_the_source_says() {
    let folder = PathBuf::from(std::env::var_os(SOURCE).expect(SOURCE));
    let mut wrong = Vec::new();
    for file in &parse(&kept()).unwrap().files {
        let name = file.name.split(' ').next().unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        wrong.extend(differences_of(file, &String::from_utf8_lossy(&bytes)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_source_is_found() {
    let list = parse(
        "1 files, 1 functions, 2 answers\n= a.c 1.1: 1 functions, 2 answers\n\
         f 3-9: 2 answers, 4 lines\n5 EINVAL\n    - a reason\n7 g: EPERM\n    - a reason\n",
    );
    let file = &list.unwrap().files[0];
    let good = "/* $OpenBSD: a.c,v 1.1 2022 */\nint\nf(int a)\n{\n\tif (a) return (EINVAL);\n\
                \tif (a == EAGAIN)\n\t\ta = g();\n\treturn (0);\n}\n";
    let found = |text: &str| differences_of(file, text).join("; ");
    assert_eq!(found(good), "");
    for (from, to, words) in [
        ("v 1.1 ", "v 1.2 ", "a.c is not 1.1"),
        ("f(int", "h(int", "f does not begin at 3"),
        ("return (0);\n", "", "f does not end at 9"),
        ("EINVAL", "EPERM", "f 5: no EINVAL"),
        ("g()", "0", "f 7: no g"),
        ("return (0)", "return (EIO)", "f 8 is not listed: return (EIO);"),
        ("return (0)", "error = EIO", "f 8 is not listed"),
        ("return (0)", "snderr(EIO)", "f 8 is not listed"),
    ] {
        let report = found(&good.replacen(from, to, 1));
        assert!(report.contains(words), "{to}: {report}");
    }
}
