//! From points to sentences: one for each backend that a question was measured on.

use super::Words;
use super::points::{Point, Weight};
use super::questions;
use super::reasons;
use crate::ratio::Answer;
use crate::summary::Summary;
use crate::units;

/// Every sentence that the points allow, question by question.
pub(super) fn answers(points: &[Point], summary: &Summary, words: &Words) -> Vec<Answer> {
    let mut answers = Vec::new();
    for question in asked(points) {
        let here: Vec<Point> =
            points.iter().filter(|one| one.asks() == question).copied().collect();
        let backends = backends(&here, words);
        for backend in &backends {
            let of_backend = || here.iter().filter(|one| one.row.cell.backend == *backend);
            let said: Vec<Point> = of_backend().filter(|one| !one.is_open()).copied().collect();
            let measured: Vec<Point> =
                points.iter().filter(|one| one.row.cell.backend == *backend).copied().collect();
            let is_of_question =
                |one: &&Point| one.asks() == question || one.question.name == question;
            let sentence = Sentence {
                subject: subject(question, words.of(backend), &backends),
                reference: words.of(&summary.reference),
                measured: &workloads(&measured),
                // Every lock that was measured here is this one.
                is_finer: question != questions::NO_LOCK
                    && backends.len() == 1
                    && words.is_finer(backend),
                is_whole: said.len() == measured.iter().filter(is_of_question).count(),
                summary,
            };
            answers.extend(sentence.of(question, &said));
        }
    }
    answers
}

/// The questions, in the order of the answer; cells without a lock come last.
fn asked<'a>(points: &[Point<'a>]) -> Vec<&'a str> {
    let mut asked: Vec<&str> = Vec::new();
    for point in points {
        if !asked.contains(&point.asks()) {
            asked.push(point.asks());
        }
    }
    asked.sort_by_key(|question| *question == questions::NO_LOCK);
    asked
}

fn backends(points: &[Point], words: &Words) -> Vec<String> {
    let mut names: Vec<String> = points.iter().map(|one| one.row.cell.backend.clone()).collect();
    names.sort_by_key(|name| (words.place(name), name.clone()));
    names.dedup();
    names
}

/// Where the question says already what is meant, the sentence need not.
fn subject<'a>(question: &str, words: &'a str, backends: &[String]) -> &'a str {
    if question == questions::NO_LOCK && backends.len() == 1 { "it" } else { words }
}

/// What one backend's sentence is made with.
struct Sentence<'a> {
    subject: &'a str,
    reference: &'a str,
    /// All that was measured of the backend, whatever it says and asks: each workload, by threads.
    measured: &'a [Vec<Point<'a>>],
    /// It is finer than the reference, and no other lock was measured here.
    is_finer: bool,
    /// Every cell of the backend that was measured for the question says something to it; otherwise
    /// each clause says what it is about, lest it be read as if it were about all.
    is_whole: bool,
    summary: &'a Summary,
}

impl<'a> Sentence<'a> {
    /// The answer of points that all say something; `None` without any.
    fn of(&self, question: &str, said: &[Point<'a>]) -> Option<Answer> {
        let is =
            |kind: fn(Weight) -> bool| self.is_whole && said.iter().all(|one| kind(one.weight));
        let parts = workloads(said);
        let (text, first) = if said.is_empty() {
            return None;
        } else if is(|weight| weight == Weight::Less) {
            let subject = if self.is_finer { "finer" } else { self.subject };
            let text = format!("{subject} is slower: {}", listed(said, None));
            (text + &self.why(said, ": ", ""), said[0])
        } else if is(|weight| weight == Weight::More) && parts.len() > 1 {
            let text = format!("{} pays: {}", self.subject, listed(said, Some(self.reference)));
            (text + &self.why(said, " (", ")"), said[0])
        } else if is(|weight| matches!(weight, Weight::Same(_))) {
            (format!("{} {}", self.subject, no_difference(said)), said[0])
        } else {
            self.by_workload(question, &parts)
        };
        let [ratio, low, high] = first.numbers();
        Some(Answer {
            question: question.to_owned(),
            sentence: text,
            cells: said.iter().map(|point| point.row.cell.id()).collect(),
            ratio,
            low,
            high,
            runs: first.several(),
            ..Answer::default()
        })
    }

    /// Each workload with what it says of its numbers of threads; and the point that is told first.
    fn by_workload(&self, question: &str, parts: &[Vec<Point<'a>>]) -> (String, Point<'a>) {
        let mut texts = Vec::new();
        let mut first = None;
        for part in parts {
            let label = match part[0].question.label.as_str() {
                _ if parts.len() == 1 && self.is_whole => String::new(),
                // The question says it already.
                label if label == question => String::new(),
                label => format!("{label}: "),
            };
            let subject = if texts.is_empty() { self.subject } else { "it" };
            let (text, point) = self.over_threads(subject, part);
            first = first.or(Some(point));
            texts.push(label + &text);
        }
        (texts.join("; "), first.unwrap_or(parts[0][0]))
    }

    /// One workload: where it pays, where it costs, where it makes no difference.
    fn over_threads(&self, subject: &str, points: &[Point<'a>]) -> (String, Point<'a>) {
        let mut stretches = stretches(points, self.over_all_threads(points));
        stretches.sort_by_key(|stretch| match stretch.points[0].weight {
            Weight::More => 0,
            Weight::Less => 1,
            Weight::Same(_) | Weight::Open => 2,
        });
        let first = stretches[0].points[0];
        let clause = |(place, stretch): (usize, &Stretch)| match place {
            0 => format!("{subject} {}", self.first_clause(stretch)),
            _ => format!("with {} it {}", threads(stretch.points), self.verb(stretch)),
        };
        let clauses: Vec<String> = stretches.iter().enumerate().map(clause).collect();
        (clauses.join("; "), first)
    }

    /// All that was measured of the workload of `points`, those that say nothing among it.
    fn over_all_threads<'s>(&'s self, points: &'s [Point<'a>]) -> &'s [Point<'a>] {
        let workload = &points[0].row.cell.workload;
        let found = self.measured.iter().find(|part| part[0].row.cell.workload == *workload);
        found.map_or(points, Vec::as_slice)
    }

    /// What a sentence begins with, its threads included.
    fn first_clause(&self, stretch: &Stretch) -> String {
        if stretch.points[0].weight != Weight::More {
            return format!("{} with {}", self.verb(stretch), threads(stretch.points));
        }
        let where_it_pays = match (stretch.begins, stretch.points) {
            (Some(count), _) => format!(" from {}", counted(count)),
            (None, [one]) => format!(" with {}", counted(one.row.cell.threads)),
            (None, _) => String::new(),
        };
        let ratios = listed(stretch.points, Some(self.reference));
        let why = self.why(stretch.points, " (", ")");
        format!("pays{where_it_pays}: {ratios}{why}")
    }

    fn verb(&self, stretch: &Stretch) -> String {
        let points = stretch.points;
        match points[0].weight {
            Weight::More => {
                let why = self.why(points, " (", ")");
                format!("pays: {}{why}", listed(points, None))
            }
            Weight::Less => {
                let lost: Vec<String> = points.iter().filter_map(lost).collect();
                format!("costs {}{}", lost.join(", "), self.why(points, ": ", ""))
            }
            Weight::Same(_) | Weight::Open => no_difference(points),
        }
    }

    fn why(&self, points: &[Point], before: &str, behind: &str) -> String {
        let why = reasons::of(points, self.summary);
        if why.is_empty() { why } else { [before, &why, behind].concat() }
    }
}

/// Neighbouring numbers of threads that say the same; one that says nothing lies in no stretch.
struct Stretch<'a, 'p> {
    points: &'a [Point<'p>],
    /// The number of threads from which on it is so, if that was seen: what is so goes on to the
    /// last number measured, and with the number before, at least half as many, it was not so.
    begins: Option<u32>,
}

/// The stretches of a workload's points that say something to one question; `measured` are all the
/// workload's points.
fn stretches<'a, 'p>(said: &[Point<'p>], measured: &'a [Point<'p>]) -> Vec<Stretch<'a, 'p>> {
    let kind = |point: &Point| std::mem::discriminant(&point.weight);
    let is_alike =
        |left: &Point, right: &Point| kind(left) == kind(right) && left.asks() == right.asks();
    let mut stretches = Vec::new();
    let mut start = 0;
    for chunk in measured.chunk_by(is_alike) {
        let end = start + chunk.len();
        let begins = chunk[0].row.cell.threads;
        let is_before = |before: &Point| {
            !before.is_open()
                && kind(before) != kind(&chunk[0])
                && before.row.cell.threads * 2 >= begins
        };
        let before = start.checked_sub(1).map(|place| &measured[place]);
        let is_seen = end == measured.len() && before.is_some_and(is_before);
        if !chunk[0].is_open() && chunk[0].asks() == said[0].asks() {
            stretches.push(Stretch { points: chunk, begins: is_seen.then_some(begins) });
        }
        start = end;
    }
    stretches
}

/// The points of each workload, by threads.
fn workloads<'p>(points: &[Point<'p>]) -> Vec<Vec<Point<'p>>> {
    let mut parts: Vec<Vec<Point>> = Vec::new();
    for point in points {
        let same = |part: &&mut Vec<Point>| part[0].row.cell.workload == point.row.cell.workload;
        match parts.iter_mut().find(same) {
            Some(part) => part.push(*point),
            None => parts.push(vec![*point]),
        }
    }
    for part in &mut parts {
        part.sort_by_key(|point| point.row.cell.threads);
    }
    parts
}

/// Ratios with their intervals, with the workload and the threads where these differ; the first is
/// a ratio to `reference`, if that is to be said.
fn listed(points: &[Point], reference: Option<&str>) -> String {
    let parts = workloads(points);
    let many = points.iter().any(|one| one.row.cell.threads != points[0].row.cell.threads);
    let mut texts: Vec<String> = Vec::new();
    for part in &parts {
        for (place, point) in part.iter().enumerate() {
            let Some(printed) = &point.printed else { continue };
            let to =
                reference.filter(|_| texts.is_empty()).map_or(String::new(), |to| format!("{to} "));
            let mut text = match point.several() {
                None => format!("{} x {to}{}", printed.ratio(), printed.interval()),
                Some(runs) => format!("{} x {to}{}", printed.span(), in_runs(runs)),
            };
            if parts.len() > 1 && place == 0 {
                text.push_str(&format!(" {}", point.question.label));
            }
            if many {
                text.push_str(&match texts.len() {
                    0 => format!(" with {}", counted(point.row.cell.threads)),
                    _ => format!(" with {}", point.row.cell.threads),
                });
            }
            texts.push(text);
        }
    }
    texts.join(", ")
}

/// What a point costs.
fn lost(point: &Point) -> Option<String> {
    let printed = point.printed.as_ref()?;
    Some(match point.several() {
        None => printed.loss(),
        Some(runs) => format!("{} {}", printed.loss_span(), in_runs(runs)),
    })
}

/// Behind the ends of the intervals of several runs.
fn in_runs(runs: u32) -> String {
    format!("in {runs} runs kept of this program")
}

/// The widest of what all of them allow.
fn no_difference(points: &[Point]) -> String {
    let percent = |point: &Point| match point.weight {
        Weight::Same(percent) => percent,
        _ => 0,
    };
    let widest = points.iter().map(percent).max().unwrap_or(0);
    format!("makes no difference within {widest} %")
}

fn counted(threads: u32) -> String {
    units::counted(threads as usize, "thread")
}

/// `1 thread`, `1, 2 and 4 threads`.
fn threads(points: &[Point]) -> String {
    let counts: Vec<u32> = points.iter().map(|point| point.row.cell.threads).collect();
    match counts.as_slice() {
        [one] => counted(*one),
        [most @ .., last] => {
            let most: Vec<String> = most.iter().map(u32::to_string).collect();
            format!("{} and {last} threads", most.join(", "))
        }
        [] => String::new(),
    }
}
