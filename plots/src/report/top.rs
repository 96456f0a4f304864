//! What stands above the figures: the answer, the facts, what became of the slices, the numbers of
//! others.

use results::answer::{Answers, SILENCE, tied};
use results::foreign_table::{BESIDE, COLUMNS, cells};
use results::table::INTERVALS;
use results::{Foreign, Slices};

use super::html::escape;
use crate::facts::Facts;

/// The sentences, section by section.
pub(super) fn answer(answers: &Answers) -> String {
    let mut text = String::from("<section class=\"answer\" aria-label=\"The answer\">\n");
    if answers.sections.is_empty() {
        text.push_str(&format!("<p>{}</p>\n", escape(SILENCE)));
    }
    for section in &answers.sections {
        text.push_str(&format!(
            "<p>{}</p>\n<dl class=\"facts\">\n",
            escape(&answers.head(section))
        ));
        let mut before = "";
        for answer in &section.answers {
            if answer.question != before {
                text.push_str(&format!("<dt>{}</dt>", escape(&answer.question)));
            }
            before = &answer.question;
            text.push_str(&format!("<dd>{}</dd>\n", escape(&tied(&answer.sentence))));
        }
        text.push_str("</dl>\n");
    }
    if !answers.sections.is_empty() {
        text.push_str(&format!("<p class=\"note\">{}</p>\n", escape(INTERVALS)));
    }
    text + "</section>\n"
}

/// Warnings, facts, and the ledger of the slices.
pub(super) fn facts(facts: &Facts) -> String {
    let mut text = String::new();
    if !facts.warnings.is_empty() {
        let items: String =
            facts.warnings.iter().map(|one| format!("<li>{}</li>", escape(one))).collect();
        text.push_str(&format!(
            "<ul class=\"warnings\" aria-label=\"To be read with care\">{items}</ul>\n"
        ));
    }
    text.push_str("<dl class=\"facts\">\n");
    for fact in &facts.facts {
        text.push_str(&format!("<dt>{}</dt><dd>{}</dd>\n", fact.name, escape(&fact.text)));
    }
    text + "</dl>\n" + &ledger(&facts.ledger)
}

/// What became of the slices, cell by cell.
fn ledger(ledger: &[(String, Slices)]) -> String {
    if ledger.is_empty() {
        return String::new();
    }
    let heads = [
        "cell",
        "kept",
        "repeated",
        "given up",
        "kept off its CPU",
        "switched too often",
        "time stolen",
    ];
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |(cell, slices): &(String, Slices)| {
        let Slices { kept, repeated, off_cpu, switched, stolen, given_up } = slices;
        let numbers = [kept, repeated, given_up, off_cpu, switched, stolen];
        let numbers: String = numbers.iter().map(|number| format!("<td>{number}</td>")).collect();
        format!("<tr><th scope=\"row\">{}</th>{numbers}</tr>\n", escape(cell))
    };
    let rows: String = ledger.iter().map(row).collect();
    format!(
        "<details class=\"ledger\"><summary>What became of the slices of each cell</summary>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Slices by cell\"><table>\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div></details>\n"
    )
}

/// Numbers of others, source by source; nothing without any.
pub(super) fn foreign(numbers: &[Foreign]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let heads: String =
        COLUMNS.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    let row = |number: &Foreign| {
        let [name, tasks, value, unit] = cells(number).map(|cell| escape(&cell));
        format!(
            "<tr><th scope=\"row\">{name}</th><td>{tasks}</td>\
             <td data-value=\"{}\">{value}</td><td class=\"text\">{unit}</td></tr>\n",
            number.value
        )
    };
    let of_source = |numbers: &[Foreign]| {
        let source = escape(&numbers[0].source);
        let rows: String = numbers.iter().map(row).collect();
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{source}\"><table>\
             <caption>{source}</caption><thead><tr>{heads}</tr></thead>\n\
             <tbody>\n{rows}</tbody></table></div>\n"
        )
    };
    let tables = numbers.chunk_by(|one, other| one.source == other.source).map(of_source);
    format!(
        "<details class=\"ledger\"><summary>Numbers of others</summary>\n\
         <p class=\"note\">{}</p>\n{}</details>\n",
        escape(BESIDE),
        tables.collect::<String>()
    )
}
