//! The list of returns: where in the kernel's source every errno comes from, and what stands for
//! it. The list says of itself how long each of its parts is.

mod refusals;
mod source;

use std::collections::BTreeSet;

use super::table::{Row, rows};

/// Calls of the interface that are not of sockets: of a name alone, of two descriptors alone.
const ELSEWHERE: &[&str] = &["unlink", "same_file"];

/// The word of a line where calls go well, and their answer in rows.
const OK: &str = "ok";
const SUCCESS: &str = "success";

/// What a function refuses with that has no errno; `fp` is a file that may be NULL.
const REFUSALS: &[&str] = &["NULL", "0", "1", "fp"];

/// A place at which an answer begins.
#[derive(Debug)]
struct Answer {
    line: u32,
    /// What is written there: an errno, `so_error`, a function that is not listed, NULL, 0 or 1; or
    /// `ok`, where calls go well.
    word: String,
    /// What the caller is told: errnos, or `success`.
    errnos: Vec<String>,
    /// The listed functions whose refusals it is made of; and whether of those alone.
    from: Vec<String>,
    is_from_them_alone: bool,
    rows: Vec<Row>,
    reasons: Vec<String>,
}

/// A function, with what its heading says.
#[derive(Debug)]
struct Function {
    name: String,
    first: u32,
    last: u32,
    /// How many answers, and how many lines beneath the heading.
    said: [usize; 2],
    calls: Vec<String>,
    answers: Vec<Answer>,
}

/// A file of the kernel, with what its heading says.
#[derive(Debug)]
struct File {
    name: String,
    /// How many functions and answers.
    said: [usize; 2],
    functions: Vec<Function>,
}

/// The whole list.
#[derive(Debug, Default)]
struct List {
    /// How many files, functions and answers.
    said: [usize; 3],
    files: Vec<File>,
}

/// The numbers of `3 files, 1 answer`.
fn numbers<const N: usize>(text: &str) -> Result<[usize; N], String> {
    let words = text.split(", ").map(|part| part.split(' ').next().unwrap_or(""));
    let numbers: Vec<usize> = words
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|_| format!("{text:?}: no number"))?;
    numbers.try_into().map_err(|_| format!("{text:?}: not {N} numbers"))
}

/// The words between commas; none where there are none.
fn words(text: &str) -> Vec<String> {
    text.split(", ").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl File {
    /// `= FILE REVISION: N functions, N answers`, without the sign.
    fn parse(text: &str) -> Result<Self, String> {
        let (name, said) = text.split_once(": ").ok_or(format!("{text:?}: no file's heading"))?;
        Ok(Self { name: name.to_owned(), said: numbers(said)?, functions: Vec::new() })
    }

    fn answers(&self) -> impl Iterator<Item = &Answer> {
        self.functions.iter().flat_map(|function| &function.answers)
    }

    /// How many returns with an errno there are.
    fn errors(&self) -> usize {
        self.functions.iter().map(Function::errors).sum()
    }
}

impl Function {
    fn errors(&self) -> usize {
        self.answers.iter().filter(|answer| answer.is_error()).count()
    }

    /// `FUNCTION FIRST-LAST: N answers, N lines; calls FUNCTION, ...`
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: no heading of a function");
        let (head, calls) = text.split_once("; calls ").unwrap_or((text, ""));
        let (name, said) = head.split_once(": ").ok_or_else(wrong)?;
        let (name, lines) = name.split_once(' ').ok_or_else(wrong)?;
        let (first, last) = lines.split_once('-').ok_or_else(wrong)?;
        let line = |text: &str| text.parse().map_err(|_| wrong());
        Ok(Self {
            name: name.to_owned(),
            first: line(first)?,
            last: line(last)?,
            said: numbers(said)?,
            calls: words(calls),
            answers: Vec::new(),
        })
    }
}

impl Answer {
    /// `LINE ERRNO`, `LINE WORD: ERRNO, ...`; perhaps `from FUNCTION, ...` or `also from ...`.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?}: no answer");
        let (line, rest) = text.split_once(' ').ok_or_else(wrong)?;
        let (rest, from) = rest.split_once(" from ").unwrap_or((rest, ""));
        let (rest, is_also) = rest.strip_suffix(" also").map_or((rest, false), |rest| (rest, true));
        let said = if rest == OK { SUCCESS } else { rest };
        let (word, errnos) = rest.split_once(": ").unwrap_or((rest, said));
        Ok(Self {
            line: line.parse().map_err(|_| wrong())?,
            word: word.to_owned(),
            errnos: words(errnos),
            from: words(from),
            is_from_them_alone: !from.is_empty() && !is_also,
            rows: Vec::new(),
            reasons: Vec::new(),
        })
    }

    /// Whether it is a return with an errno.
    fn is_error(&self) -> bool {
        self.word != OK
    }

    /// Whether a caller makes an errno of it.
    fn is_refusal(&self) -> bool {
        REFUSALS.contains(&self.word.as_str())
    }

    fn has(&self, row: &Row) -> bool {
        self.rows.iter().any(|other| other.key() == row.key())
    }

    /// A line that stands beneath.
    fn add(&mut self, text: &str) {
        match text.strip_prefix("- ") {
            Some(reason) => self.reasons.push(reason.to_owned()),
            None => self.rows.extend(rows(text)),
        }
    }
}

fn parse(text: &str) -> Result<List, String> {
    let mut list = List::default();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let lost = || format!("{line:?} stands beneath nothing");
        if let Some(file) = line.strip_prefix("= ") {
            list.files.push(File::parse(file)?);
            continue;
        }
        let Some(file) = list.files.last_mut() else {
            list.said = numbers(line)?;
            continue;
        };
        if let Some(line) = line.strip_prefix("    ") {
            let answer = file.functions.last_mut().and_then(|last| last.answers.last_mut());
            answer.ok_or_else(lost)?.add(line);
        } else if line.starts_with(|first: char| first.is_ascii_digit()) {
            let function = file.functions.last_mut().ok_or_else(lost)?;
            function.answers.push(Answer::parse(line)?);
        } else {
            file.functions.push(Function::parse(line)?);
        }
    }
    Ok(list)
}

impl List {
    fn functions(&self) -> impl Iterator<Item = &Function> {
        self.files.iter().flat_map(|file| &file.functions)
    }

    /// The names of all functions.
    fn names(&self) -> BTreeSet<&str> {
        self.functions().map(|function| function.name.as_str()).collect()
    }

    fn answers(&self) -> impl Iterator<Item = (&Function, &Answer)> {
        self.functions().flat_map(|of| of.answers.iter().map(move |answer| (of, answer)))
    }

    /// What its own headings do not bear out.
    fn miscounts(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let errors = self.files.iter().map(File::errors).sum();
        let is = [self.files.len(), self.functions().count(), errors];
        if self.said != is {
            wrong.push(format!("{:?} files, functions, answers; they are {is:?}", self.said));
        }
        for file in &self.files {
            let is = [file.functions.len(), file.errors()];
            if file.said != is {
                wrong.push(format!("{}: {:?} said, they are {is:?}", file.name, file.said));
            }
        }
        for function in self.functions() {
            let beneath = |answer: &Answer| 1 + answer.rows.len() + answer.reasons.len();
            let is = [function.errors(), function.answers.iter().map(beneath).sum()];
            if function.said != is {
                wrong.push(format!("{}: {:?} said, they are {is:?}", function.name, function.said));
            }
        }
        wrong
    }

    /// Calls of functions that are not listed, functions that nothing calls, and lines that cannot
    /// be where they are said to be.
    fn misplaced(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let known = self.names();
        let called: BTreeSet<&str> =
            self.functions().flat_map(|f| &f.calls).map(String::as_str).collect();
        wrong.extend(called.difference(&known).map(|name| format!("{name} is called, not listed")));
        let is_call = |name: &&&str| ["sys_", "fifo_"].iter().any(|of| name.starts_with(of));
        let inner = known.iter().filter(|name| !is_call(name));
        let lost = inner.filter(|name| !called.contains(*name));
        wrong.extend(lost.map(|name| format!("{name} is listed, not called")));
        for function in self.functions() {
            let lines: Vec<u32> = function.answers.iter().map(|answer| answer.line).collect();
            let is_in_order = lines.is_sorted_by(|a, b| a < b)
                && lines.iter().all(|line| (function.first..=function.last).contains(line));
            if !is_in_order {
                wrong.push(format!(
                    "{}: {lines:?} of {}-{}",
                    function.name, function.first, function.last
                ));
            }
        }
        wrong
    }

    /// Answers that nothing stands for, rows that are none or have another answer, and rows that
    /// come from nowhere.
    fn unsettled(&self, expected: &[Row]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut met = BTreeSet::new();
        for (function, answer) in self.answers() {
            let place = format!("{} {} {}", function.name, answer.line, answer.word);
            if answer.is_error() && answer.errnos.iter().any(|errno| !is_errno(errno)) {
                wrong.push(format!("{place}: {:?} are no errnos", answer.errnos));
            }
            if answer.rows.is_empty() && answer.reasons.iter().all(|reason| reason.len() < 10) {
                wrong.push(format!("{place}: no row stands for it, and no reason excuses it"));
            }
            for row in &answer.rows {
                met.insert(row.key());
                if !expected.iter().any(|other| other.key() == row.key()) {
                    wrong.push(format!("{place}: {} is not in rows.txt", row.shown()));
                }
                if !answer.errnos.contains(&row.answer) {
                    wrong.push(format!("{place}: {} is another answer", row.shown()));
                }
            }
        }
        let lost = expected
            .iter()
            .filter(|row| !met.contains(&row.key()) && !ELSEWHERE.contains(&row.request.as_str()));
        wrong.extend(lost.map(|row| format!("{}: from no line of the source", row.shown())));
        wrong
    }

    /// All that is wrong.
    fn misfits(&self, expected: &[Row]) -> Vec<String> {
        let parts = [self.miscounts(), self.misplaced(), self.unsettled(expected), self.adrift()];
        parts.concat()
    }
}

/// Where the answer of a row comes from, as `FILE LINE, LINE; FILE LINE`.
pub(super) fn source_of(row: &Row) -> String {
    let list = parse(&kept()).unwrap_or_else(|error| panic!("returns.txt: {error}"));
    let places = |file: &File| {
        let lines = file.answers().filter(|a| a.rows.iter().any(|other| other.key() == row.key()));
        let lines: Vec<String> = lines.map(|answer| answer.line.to_string()).collect();
        let name = file.name.split(' ').next().unwrap_or("").to_owned();
        (!lines.is_empty()).then(|| format!("{name} {}", lines.join(", ")))
    };
    list.files.iter().filter_map(places).collect::<Vec<_>>().join("; ")
}

fn is_errno(word: &str) -> bool {
    let rest = word.strip_prefix('E').unwrap_or("");
    rest.len() > 1 && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The list as it is kept.
fn kept() -> String {
    super::text_of("returns.txt")
}

fn expected() -> Vec<Row> {
    rows(&super::text_of("rows.txt"))
}

#[test]
fn a_row_or_a_reason_stands_for_every_return() {
    let misfits = parse(&kept()).unwrap().misfits(&expected());
    assert!(misfits.is_empty(), "{}", misfits.join("\n"));
}

#[test]
fn no_line_of_the_list_can_be_left_out() {
    let (text, expected) = (kept(), expected());
    let lines: Vec<&str> = text.lines().collect();
    let counts = |line: &str| !line.is_empty() && !line.starts_with('#');
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| counts(line)) {
        let rest = [&lines[..at], &lines[at + 1..]].concat().join("\n");
        let is_short =
            |list: List| !list.miscounts().is_empty() || !list.misfits(&expected).is_empty();
        let is_missed = parse(&rest).map_or(true, is_short);
        assert!(is_missed, "nobody misses line {}: {line}", at + 1);
    }
}

#[test]
fn a_list_that_does_not_fit_is_found() {
    let expected = rows("bind any EINVAL bind-twice\nbind any success bind\nbind any EBADF closed");
    let good = "1 files, 3 functions, 3 answers\n= a.c 1.1: 3 functions, 3 answers\n\
                sys_bind 10-20: 1 answer, 4 lines; calls getsock\n12 EINVAL\n    \
                bind any EINVAL bind-twice\n14 ok\n    bind any success bind\n\
                getsock 30-40: 1 answer, 2 lines; calls fd_get\n31 EBADF from fd_get\n    \
                bind any EBADF closed\nfd_get 50-60: 1 answer, 2 lines\n51 NULL: EBADF\n    \
                bind any EBADF closed\n";
    let found = |text: &str| match parse(text) {
        Ok(list) => list.misfits(&expected).join("; "),
        Err(error) => error,
    };
    assert_eq!(found(good), "");
    for (from, to, words) in [
        ("4 lines; calls", "3 lines; calls", "sys_bind: [1, 3] said"),
        ("3 functions, 3 answers\ns", "4 functions, 3 answers\ns", "a.c 1.1: [4, 3] said"),
        ("1 files", "2 files", "[2, 3, 3]"),
        ("bind-twice", "bind-thrice", "bind-thrice is not in rows.txt"),
        ("bind any EINVAL bind-twice", "bind any EBADF closed", "another answer"),
        ("51 NULL: EBADF", "51 ok", "another answer"),
        ("14 ok\n", "", "another answer"),
        ("bind any EINVAL bind-twice", "- why", "no row stands for it"),
        ("bind any EINVAL bind-twice", "- no bind is bound twice", "bind-twice: from no line"),
        ("12 EINVAL", "12 EInval", "are no errnos"),
        ("12 EINVAL", "22 EINVAL", "[22, 14] of 10-20"),
        ("calls getsock", "calls getsock, sobind", "sobind is called, not listed"),
        ("; calls getsock", "", "getsock is listed, not called"),
        ("12 EINVAL", "twelve", "no heading of a function"),
        ("1 files, 3", "one files, 3", "no number"),
        ("31 EBADF from fd_get", "31 EBADF", "fd_get 51: nobody makes bind any EBADF closed of it"),
        (
            "51 NULL: EBADF\n    bind any EBADF closed",
            "51 NULL: EBADF\n    - no",
            "refused nowhere",
        ),
        ("; calls fd_get", "", "getsock 31: from fd_get, which is not called"),
    ] {
        assert!(good.contains(from), "{from}");
        let report = found(&good.replacen(from, to, 1));
        assert!(report.contains(words), "{to}: {report}");
    }
}
