//! How a text of the repository shows a recorded run: between marks, with its origin.

use results::Run;

/// The machine, the program, and when.
pub(crate) fn origin(run: &Run) -> String {
    let measured = run.measured().next().expect("a run that measured something");
    let host = &measured.host;
    let by = host.virtualised.as_deref().map_or(String::new(), |by| format!(", virtual ({by})"));
    let commit: String =
        measured.commit.as_deref().unwrap_or("an unknown commit").chars().take(10).collect();
    let changed = if measured.dirty == Some(true) { " with changes" } else { "" };
    let day = measured.started.split('T').next().unwrap_or_default();
    format!(
        "Measured on {day}: {}, {} CPUs{by}, {}; {}; {commit}{changed}; seed {}.",
        host.cpu, host.cpus, host.kernel, measured.rustc, measured.seed
    )
}

/// A text with the part between `<!-- recorded: NAME -->` and `<!-- end -->` replaced.
pub(crate) fn replaced(text: &str, name: &str, part: &str) -> String {
    let begin = format!("<!-- recorded: {name} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no place for {name}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(|| panic!("{name} has no end"));
    format!("{before}{begin}{part}\n<!-- end -->{after}")
}
