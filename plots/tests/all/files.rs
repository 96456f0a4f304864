//! The files: an SVG and a PNG for each figure, and one page that needs nothing else.

use std::fs;

use plots::{Plots, REPORT};

use crate::common::{HOSTILE, comparison, full_run, options, profiled};

fn plots() -> Plots {
    let mut first = full_run("a");
    first.records.extend(comparison());
    first.records.extend(profiled());
    Plots::of(&[first, full_run("b")], &options()).expect("figures")
}

#[test]
fn every_figure_has_its_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = plots().write(folder.path()).expect("written");
    assert_eq!((written.files.len(), written.missing.len()), (18, 0));
    for path in &written.files {
        let bytes = fs::read(path).expect("there");
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("png") => check_png(&bytes),
            Some("svg") => check_svg(&String::from_utf8(bytes).expect("text")),
            other => panic!("{other:?}"),
        }
    }
    let page = fs::metadata(folder.path().join(REPORT)).expect("there");
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
}

fn check_png(bytes: &[u8]) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a head");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    let info = reader.next_frame(&mut pixels).expect("a picture");
    assert_eq!(info.width, 2000);
    let coloured = pixels.chunks_exact(3).filter(|p| p.iter().max() != p.iter().min()).count();
    assert!(coloured > 1000, "{coloured} coloured pixels");
}

/// Every tag is closed, and nothing but tags holds a `<`.
fn check_svg(text: &str) {
    assert!(text.contains("viewBox") && text.contains("width=\"1000\""));
    let mut open: Vec<&str> = Vec::new();
    for part in text.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag's end");
        let name = tag.split([' ', '\n', '/']).next().expect("a name");
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(closed.trim()));
        } else if !tag.ends_with('/') && !tag.starts_with(['?', '!']) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
    assert!(!text.contains(HOSTILE));
}

#[test]
fn the_page_needs_nothing_else_and_names_cannot_break_out() {
    let page = plots::report::html(&plots()).expect("a page");
    for outside in ["<script src", "<link rel=\"stylesheet\"", "<img src=\"http", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(!page.contains(HOSTILE));
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;"), "in the table");
    assert!(page.contains("\\u003c/script>\\u003cscript>"), "in the data");
    assert_eq!(page.matches("<details>").count(), 9, "a table behind every figure");
}

#[test]
fn a_backend_has_one_colour_everywhere() {
    let plots = plots();
    let mut seen = std::collections::HashMap::new();
    for key in plots.figures.iter().flat_map(|figure| &figure.legend) {
        assert_eq!(*seen.entry(key.name.clone()).or_insert(key.style), key.style);
    }
    assert_eq!(seen.len(), 3 + 4 + 6, "backends, verdicts and parts");
}

/// The names of a matrix's columns stand below its cells, which would cover them.
#[test]
fn no_cell_covers_the_name_of_its_column() {
    let plots = plots();
    let figure = plots.figures.iter().find(|figure| figure.id == "ratios").expect("ratios");
    let text = plots::draw::svg(figure).expect("drawn");
    let number = |tag: &str, name: &str| -> f64 {
        let (_, rest) = tag.split_once(&format!(" {name}=\"")).expect("an attribute");
        rest.split_once('"').expect("its end").0.parse().expect("a number")
    };
    let tags = || text.split('<').skip(1);
    // The first rectangle is the white of the whole picture.
    let bottoms = tags().filter(|tag| tag.starts_with("rect ")).skip(1);
    let lowest = bottoms.map(|tag| number(tag, "y") + number(tag, "height")).fold(0.0, f64::max);
    let names = tags().filter(|tag| tag.starts_with("text ") && tag.contains("lock-free"));
    let names: Vec<f64> = names.map(|tag| number(tag, "y")).collect();
    assert!(!names.is_empty() && names.iter().all(|y| *y >= lowest), "{names:?} over {lowest}");
}
