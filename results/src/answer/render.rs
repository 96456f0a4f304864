//! The answer as plain text.

use super::Answers;
use crate::text::wrapped;

/// What it all is about.
pub const TITLE: &str = "How fine should the lock be?";
/// What is said where nothing can be.
pub const SILENCE: &str = "This run does not say: no ratio was measured.";
/// How much room a question has.
const QUESTION: usize = 18;

/// The sentences, for so many columns; of runs that allow none, that they do not.
#[must_use]
pub fn text(answers: &Answers, columns: usize) -> String {
    if answers.sections.is_empty() {
        return wrapped(&format!("{TITLE} {SILENCE}"), "", "", columns);
    }
    let mut text = String::new();
    for section in &answers.sections {
        let head = format!("{TITLE} {}", answers.head(section));
        text.push_str(&wrapped(&head, "", "", columns));
        let mut before = "";
        for answer in &section.answers {
            let question = if answer.question == before { "" } else { &answer.question };
            before = &answer.question;
            let first = format!("  {question:<width$}", width = QUESTION - 2);
            let sentence = tied(&answer.sentence);
            let lines = wrapped(&sentence, &first, &" ".repeat(QUESTION), columns);
            text.push_str(&lines.replace(TIE, " "));
        }
    }
    text
}

/// A space at which no line ends.
const TIE: char = '\u{a0}';

/// The sentence with every interval, and every number with its sign, in one piece: no-break spaces.
#[must_use]
pub fn tied(sentence: &str) -> String {
    let mut is_inside = false;
    let mut tied = String::with_capacity(sentence.len());
    let mut rest = sentence.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '[' => is_inside = true,
            ']' => is_inside = false,
            _ => {}
        }
        let is_tied = is_inside || matches!(rest.peek(), Some('%' | 'x' | '['));
        tied.push(if character == ' ' && is_tied { TIE } else { character });
    }
    tied
}
