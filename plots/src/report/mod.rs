//! The report: one page that needs nothing but itself.
//!
//! Facts, texts and tables are HTML made here, and there without scripts; the charts are drawn by
//! the page itself, with a library that is part of it, from the figures as JSON.

use serde::Serialize;

use crate::Plots;
use crate::error::PlotError;
use crate::figure::Figure;

mod html;
mod machines;
mod top;

pub use machines::page;

use html::{escape, table};

const PAGE: &str = include_str!("../../assets/report.html");
const STYLE: &str = include_str!("../../assets/report.css");
/// The plotting library, and the page's own scripts in their order.
const LIBRARY: &str = include_str!("../../assets/echarts.min.js");
const SCRIPTS: [&str; 4] = [
    include_str!("../../assets/format.js"),
    include_str!("../../assets/axes.js"),
    include_str!("../../assets/charts.js"),
    include_str!("../../assets/page.js"),
];

/// What the page's scripts read.
#[derive(Serialize)]
struct Data<'a> {
    figures: &'a [Figure],
}

/// The page.
///
/// # Errors
/// A figure cannot be JSON.
pub fn html(plots: &Plots) -> Result<String, PlotError> {
    let data = serde_json::to_string(&Data { figures: &plots.figures })
        .map_err(|error| PlotError::Draw { figure: "report", what: error.to_string() })?;
    let figures: String = plots.figures.iter().map(figure).collect();
    // The parts that hold names from records come last: a name may look like a place of a part.
    let page = fill(PAGE, "style", STYLE);
    let page = fill(&page, "library", LIBRARY);
    let page = fill(&page, "scripts", &SCRIPTS.concat());
    let (head, rest) = split(&page, "answer");
    let (between, rest) = split(rest, "facts");
    let (middle, rest) = split(rest, "figures");
    let (before, after) = split(rest, "data");
    let answer = plots.answers.as_ref().map_or(String::new(), top::answer);
    let facts = top::facts(&plots.facts) + &top::foreign(&plots.foreign);
    Ok([head, &answer, between, &facts, middle, &figures, before, &for_script(&data), after]
        .concat())
}

/// The page with one part in its place.
fn fill(page: &str, place: &str, part: &str) -> String {
    let (before, after) = split(page, place);
    [before, part, after].concat()
}

/// What stands before and behind a part's place.
fn split<'a>(page: &'a str, place: &str) -> (&'a str, &'a str) {
    page.split_once(&format!("<!--{place}-->")).unwrap_or((page, ""))
}

/// JSON that cannot end the script it stands in.
fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

fn figure(figure: &Figure) -> String {
    let id = figure.id;
    let mut text = format!(
        "<section class=\"figure\" id=\"{id}\" aria-labelledby=\"{id}-title\">\n\
         <h2 id=\"{id}-title\">{}</h2>\n<p class=\"about\">{}</p>\n",
        escape(figure.title),
        escape(&figure.about)
    );
    if let Some(why) = &figure.missing {
        text.push_str(&format!("<p class=\"missing\">Not drawn: {}.</p>\n", escape(why)));
    } else {
        text.push_str("<div class=\"controls\"></div>\n<div class=\"panels\"></div>\n");
    }
    for note in &figure.notes {
        text.push_str(&format!("<p class=\"note\">{}.</p>\n", escape(note)));
    }
    if !figure.table.rows.is_empty() {
        text.push_str(&table(figure));
    }
    text + "</section>\n"
}
