//! The table of what the cases cover, generated from them, and the rows that no case covers.

use std::collections::BTreeMap;
use std::fmt::Write;

use lockimpls::SockType;
use programs::cases::{Case, Profile};
use programs::runner::{Answer, Outcome};

/// The variable that has the table written anew.
const WRITE: &str = "SOLOCK_WRITE_TABLE";

/// By request, type and answer: the names of the cases that are about it.
type Answers<'a> = BTreeMap<(String, SockType, String), Vec<&'a str>>;
/// By request and answer: lists of names, and the types that have them.
type Lists = BTreeMap<(String, String), Vec<(String, Vec<SockType>)>>;

/// One expected row, for each of its types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    section: String,
    pub(super) request: String,
    kinds: Vec<SockType>,
    pub(super) answer: String,
    case: String,
    /// Why no case shows it, in `without.txt`.
    reason: String,
}

impl Row {
    /// What a row of the two files must agree in.
    pub(super) fn key(&self) -> (&str, &[SockType], &str, &str) {
        (&self.request, &self.kinds, &self.answer, &self.case)
    }

    /// Whether a case shows it for this type.
    fn is_shown(&self, kind: SockType, cases: &[Case]) -> bool {
        cases.iter().any(|case| {
            let mut answers = case.answers(Profile::Openbsd2022);
            case.name == self.case
                && case.kind == kind
                && answers.any(|(call, answer)| {
                    request_of(&call.to_string()) == self.request && word_of(answer) == self.answer
                })
        })
    }

    pub(super) fn shown(&self) -> String {
        format!("{} {} {} {}", self.request, kinds_of(&self.kinds), self.answer, self.case)
    }
}

/// The name of a printed call.
pub(super) fn request_of(call: &str) -> &str {
    let call = call.split_once(" = ").map_or(call, |(_, call)| call);
    call.split('(').next().unwrap_or(call)
}

/// The error, or `success`.
pub(super) fn word_of(answer: &Answer) -> String {
    match answer.outcome {
        Outcome::Failed(errno) => errno.to_string(),
        Outcome::Done(_) | Outcome::Skipped => "success".to_owned(),
    }
}

/// `stream, dgram`, or `any`.
fn kinds_of(kinds: &[SockType]) -> String {
    if kinds == SockType::ALL {
        return "any".to_owned();
    }
    kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
}

/// Reads `rows.txt` or `without.txt`: sections, rows, and behind a colon their reasons.
pub(super) fn rows(text: &str) -> Vec<Row> {
    let (mut rows, mut section) = (Vec::new(), String::new());
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix("= ") {
            name.clone_into(&mut section);
            continue;
        }
        let (row, reason) = line.split_once(": ").unwrap_or((line, ""));
        let words: Vec<&str> = row.split_whitespace().collect();
        let [request, kinds, answer, case] = words[..] else {
            panic!("{line:?} is no row: REQUEST TYPES ANSWER CASE, in without.txt with `: REASON`");
        };
        let known = |word| SockType::ALL.into_iter().find(|kind| kind.name() == word);
        let kind = |word| known(word).unwrap_or_else(|| panic!("{line:?}: {word} is no type"));
        rows.push(Row {
            section: section.clone(),
            request: request.to_owned(),
            kinds: match kinds {
                "any" => SockType::ALL.to_vec(),
                list => list.split(',').map(kind).collect(),
            },
            answer: answer.to_owned(),
            case: case.to_owned(),
            reason: reason.to_owned(),
        });
    }
    rows
}

/// What does not fit together: rows without a case or a reason, with both, and reasons for nothing.
fn misfits(rows: &[Row], without: &[Row], cases: &[Case]) -> Vec<String> {
    let mut misfits = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        if rows[..at].iter().any(|other| other.key() == row.key()) {
            misfits.push(format!("{}: stands in rows.txt twice", row.shown()));
        }
        let has_reason = without.iter().any(|other| other.key() == row.key());
        for kind in &row.kinds {
            let what = match (row.is_shown(*kind, cases), has_reason) {
                (false, false) => "no case shows it, and without.txt has no reason",
                (true, true) => "a case shows it; without.txt must not list it",
                _ => continue,
            };
            misfits.push(format!("{} ({}): {what}", row.shown(), kind.name()));
        }
    }
    for (at, row) in without.iter().enumerate() {
        if row.reason.len() < 10 {
            misfits.push(format!("{}: without.txt gives no reason", row.shown()));
        }
        if without[..at].iter().any(|other| other.key() == row.key()) {
            misfits.push(format!("{}: stands in without.txt twice", row.shown()));
        }
        if !rows.iter().any(|other| other.key() == row.key()) {
            misfits.push(format!("{}: is in without.txt, but not in rows.txt", row.shown()));
        }
    }
    misfits
}

/// The table: every answer that a case is about, then the expected rows.
fn table(rows: &[Row], without: &[Row], cases: &[Case]) -> String {
    let of = |rows: &[Row]| rows.iter().map(|row| row.kinds.len()).sum::<usize>();
    let answers = answers(cases);
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut text = format!(
        "# What the cases cover\n\n\
         Generated from the cases; `{WRITE}=1 cargo test -p programs --test cases` writes it \
         anew.\n\n\
         * {} cases of {} names.\n\
         * {} requests with a type and an answer ({} of them errors).\n\
         * {} expected rows, of which {} have a case and {} have none.\n",
        cases.len(),
        names.len(),
        answers.len(),
        answers.keys().filter(|(_, _, answer)| answer != "success").count(),
        of(rows),
        of(rows) - of(without),
        of(without),
    );
    text += "\n## Answers\n\n| request | answer | types | cases |\n|---|---|---|---|\n";
    for ((request, answer), lists) in by_list(&answers) {
        for (names, kinds) in lists {
            let _ = writeln!(text, "| {request} | {answer} | {} | {names} |", kinds_of(&kinds));
        }
    }
    text += "\n## Expected rows\n";
    let mut section = "";
    for row in rows {
        if row.section != section {
            section = &row.section;
            let _ =
                write!(text, "\n### {section}\n\n| request | types | answer | case | source |\n");
            text += "|---|---|---|---|---|\n";
        }
        let reason = without.iter().find(|other| other.key() == row.key());
        let case =
            reason.map_or_else(|| row.case.clone(), |other| format!("none: {}", other.reason));
        let (request, kinds) = (&row.request, kinds_of(&row.kinds));
        let source = super::returns::source_of(row);
        let _ = writeln!(text, "| {request} | {kinds} | {} | {case} | {source} |", row.answer);
    }
    text
}

/// The names of the cases that are about a request, a type and an answer.
pub(super) fn answers(cases: &[Case]) -> Answers<'_> {
    let mut answers = Answers::new();
    for case in cases {
        for (call, answer) in case.answers(Profile::Openbsd2022) {
            let request = request_of(&call.to_string()).to_owned();
            let names = answers.entry((request, case.kind, word_of(answer))).or_default();
            if !names.contains(&case.name.as_str()) {
                names.push(&case.name);
            }
        }
    }
    answers
}

/// The same by request and answer: types with the same cases stand together.
fn by_list(answers: &Answers<'_>) -> Lists {
    let mut lists = Lists::new();
    for ((request, kind, answer), names) in answers {
        let of = lists.entry((request.clone(), answer.clone())).or_default();
        let names = names.join(", ");
        match of.iter_mut().find(|(known, _)| *known == names) {
            Some((_, kinds)) => kinds.push(*kind),
            None => of.push((names, vec![*kind])),
        }
    }
    lists
}

#[test]
fn every_row_has_a_case_or_a_reason() {
    let (expected, without) =
        (rows(&super::text_of("rows.txt")), rows(&super::text_of("without.txt")));
    let misfits = misfits(&expected, &without, &super::cases());
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
}

#[test]
fn the_table_is_what_the_cases_say() {
    let (expected, without) =
        (rows(&super::text_of("rows.txt")), rows(&super::text_of("without.txt")));
    let table = table(&expected, &without, &super::cases());
    let file = super::folder().join("TABLE.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == table, "{} is out of date: run this test with {WRITE}=1", file.display());
}

#[test]
fn a_row_that_does_not_fit_is_found() {
    let text = "case a (stream):\n  r0 = socket(type)\n  send(r0, \"x\") = ENOTCONN\n";
    let cases = programs::cases::parse_cases(text).unwrap();
    let found =
        |expected: &str, without: &str| misfits(&rows(expected), &rows(without), &cases).join("; ");
    assert_eq!(found("send stream ENOTCONN a", ""), "");
    assert_eq!(found("send dgram ENOTCONN a", "send dgram ENOTCONN a: there is a reason"), "");
    // Another request, answer, type or name; a call that only prepares; no reason; one too many.
    for row in ["recv stream ENOTCONN a", "send stream EPIPE a", "send dgram ENOTCONN a"] {
        assert!(found(row, "").contains("no case shows it"), "{row}");
    }
    assert!(found("send stream ENOTCONN b", "").contains("no case shows it"));
    assert!(found("socket stream success a", "").contains("no case shows it"));
    assert!(found("send any ENOTCONN a", "").contains("(dgram): no case shows it"));
    let row = "send stream ENOTCONN a";
    assert!(found(row, &format!("{row}: there is a reason")).contains("must not list it"));
    assert!(found(row, "send dgram EPIPE a: there is a reason").contains("not in rows.txt"));
    assert!(found("send dgram EPIPE a", "send dgram EPIPE a: why").contains("gives no reason"));
    assert!(found(&format!("{row}\n{row}"), "").contains("twice"));
    assert!(table(&rows(row), &[], &cases).contains("| send | ENOTCONN | stream | a |"));
}
