//! Whether answers that are made of refusals, and those refusals, have the same rows.

use super::{Answer, List};
use crate::table::Row;

impl List {
    /// Refusals of which nothing is made, and answers that are not made of what they are said to.
    pub(super) fn adrift(&self) -> Vec<String> {
        [self.unmade(), self.made_of_nothing()].concat()
    }

    /// Rows of a refusal that stand at no line which is made of it.
    fn unmade(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (function, refusal) in self.answers().filter(|(_, answer)| answer.is_refusal()) {
            let is_of = |answer: &Answer| answer.from.contains(&function.name);
            let is_made = |row: &Row| self.answers().any(|(_, a)| is_of(a) && a.has(row));
            for row in refusal.rows.iter().filter(|row| !is_made(row)) {
                let place = format!("{} {}", function.name, refusal.line);
                wrong.push(format!("{place}: nobody makes {} of it", row.shown()));
            }
        }
        wrong
    }

    /// Answers made of functions that are not called, or of refusals that have not their rows.
    fn made_of_nothing(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (function, answer) in self.answers() {
            let place = format!("{} {}", function.name, answer.line);
            let lost = answer.from.iter().filter(|name| !function.calls.contains(name));
            wrong.extend(lost.map(|name| format!("{place}: from {name}, which is not called")));
            let is_refused = |row: &Row| {
                let mut refused = self.answers().filter(|(of, _)| answer.from.contains(&of.name));
                refused.any(|(_, refusal)| refusal.is_error() && refusal.has(row))
            };
            let alone = answer.rows.iter().filter(|_| answer.is_from_them_alone);
            let lost = alone.filter(|row| !is_refused(row));
            wrong.extend(lost.map(|row| format!("{place}: {} is refused nowhere", row.shown())));
        }
        wrong
    }
}
