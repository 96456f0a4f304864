//! The page of a grid: its machines side by side, then the answer of each. It has no script.

use results::answer::Answers;
use results::collected::Collected;
use results::machines::{self, Agreement, Line};

use super::html::escape;
use super::{STYLE, fill, split, top};

const PAGE: &str = include_str!("../../assets/machines.html");

/// The page: what was collected, its lines, and by machine what it answers; `grid` is its name, and
/// `notes` are what is to be read with care.
#[must_use]
pub fn page(
    grid: &str,
    collected: &Collected,
    lines: &[Line],
    answers: &[Option<Answers>],
    notes: &[String],
) -> String {
    let headings: Vec<String> = collected.machines.iter().map(machines::heading).collect();
    let page = fill(PAGE, "style", STYLE);
    let (head, rest) = split(&page, "grid");
    let (between, rest) = split(rest, "machines");
    let (middle, after) = split(rest, "answers");
    let all: Vec<String> =
        machines::notes(collected, lines).into_iter().chain(notes.to_vec()).collect();
    let top = list("warnings", &all) + &list("", &headings) + &table(collected, lines);
    let answers = headings.iter().zip(answers).filter_map(|(heading, answers)| {
        let answers = top::answer(answers.as_ref()?);
        Some(format!("<h2>{}</h2>\n{answers}", escape(heading)))
    });
    [head, &escape(grid), between, &top, middle, &answers.collect::<String>(), after].concat()
}

fn list(class: &str, items: &[String]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
    format!("<ul class=\"{class}\">{items}</ul>\n")
}

fn table(collected: &Collected, lines: &[Line]) -> String {
    let names = collected.machines.iter().map(|machine| machine.name.as_str());
    let heads = ["cell", "metric", "of"].into_iter().chain(names).chain(["machines"]);
    let heads: String =
        heads.map(|head| format!("<th scope=\"col\">{}</th>", escape(head))).collect();
    let rows: String = lines.iter().map(row).collect();
    format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Machines side by side\">\
         <table><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n\
         <p class=\"note\">{}.</p>\n",
        escape(machines::LEGEND)
    )
}

fn row(line: &Line) -> String {
    let subject = &line.subject;
    let cell = |text: &str| format!("<td class=\"text\">{}</td>", escape(text));
    let values: String = line
        .values
        .iter()
        .map(|values| format!("<td>{}</td>", escape(&machines::told(values))))
        .collect();
    let is_one = !matches!(line.agreement, Agreement::Differ(_) | Agreement::Opposite(_));
    let word = escape(&machines::word(line.agreement));
    let word = if is_one { word } else { format!("<strong>{word}</strong>") };
    format!(
        "<tr><th scope=\"row\">{}</th>{}{}{values}<td class=\"text\">{word}</td></tr>\n",
        escape(&subject.cell),
        cell(&subject.metric),
        cell(&subject.against)
    )
}
