//! What files and cells are called in other programs.

use crate::cell::Cell;

/// A text as part of a file's name or a tag: letters, digits, `.`, `_` and `-`, the rest as `_`,
/// and no dot at the beginning.
pub(super) fn plain(text: &str) -> String {
    let allowed = |character: char| {
        if character.is_ascii_alphanumeric() || "._-".contains(character) { character } else { '_' }
    };
    let plain: String = text.chars().map(allowed).collect();
    match plain.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None => plain,
    }
}

/// A text that cannot end the line it stands in.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '_' } else { one }).collect()
}

/// A short name of a cell; with the rest of the cell's own behind it where cells that differ in
/// that rest would share the short one.
pub(super) fn distinct<'a>(
    cell: &Cell,
    mut cells: impl Iterator<Item = &'a Cell>,
    short: impl Fn(&Cell) -> String,
) -> String {
    let (name, rest) = (short(cell), rest(cell));
    let is_shared = cells.any(|other| short(other) == name && self::rest(other) != rest);
    if is_shared { format!("{name}-{rest}") } else { name }
}

/// What stands behind workload and backend in a cell's name, without the threads.
fn rest(cell: &Cell) -> String {
    let threads = format!("t{}", cell.threads);
    let id = cell.id();
    let parts = id.split('/').skip(2).filter(|part| *part != threads);
    parts.map(plain).collect::<Vec<_>>().join("-")
}
