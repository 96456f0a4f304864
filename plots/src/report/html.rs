//! Pieces of HTML.

use crate::figure::Figure;
use crate::table::Entry;

/// Text that cannot be taken for markup.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(character),
        }
    }
    safe
}

/// The table behind a figure, closed at first. Each number stands there whole, too, as
/// `data-value`.
pub(super) fn table(figure: &Figure) -> String {
    let table = &figure.table;
    let heads: String =
        table.columns.iter().map(|name| format!("<th scope=\"col\">{name}</th>")).collect();
    let mut rows = String::new();
    for row in &table.rows {
        rows.push_str("<tr>");
        rows.extend(row.iter().enumerate().map(|(column, entry)| cell(column, entry)));
        rows.push_str("</tr>\n");
    }
    format!(
        "<details><summary>Table: {title} ({count} rows)</summary>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table: {title}\">\
         <table><caption>{title}</caption>\n\
         <thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></div></details>\n",
        title = escape(figure.title),
        count = table.rows.len()
    )
}

fn cell(column: usize, entry: &Entry) -> String {
    let text = escape(&entry.text());
    match entry {
        Entry::Number(value, _) => format!("<td data-value=\"{value}\">{text}</td>"),
        _ if column == 0 => format!("<th scope=\"row\">{text}</th>"),
        Entry::Text(_) => format!("<td class=\"text\">{text}</td>"),
        Entry::None => "<td>-</td>".to_owned(),
    }
}
