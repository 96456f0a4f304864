//! The report in a real browser without a window.
//!
//! Without a browser the test says so and passes; with `SOLOCK_REQUIRE_BROWSER=1` it fails.
//! `SOLOCK_REPORT=FILE` looks at that report instead of one made here (without the numbers of its
//! records), and `SOLOCK_PICTURES=DIR` keeps pictures of it, 1280 and 400 pixels wide and on paper
//! (base64 of PNG and PDF).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use plots::unit::Unit;
use plots::{Figure, Plots};
use serde_json::{Value, json};

use devtools::Browser;

#[path = "../common/mod.rs"]
#[allow(missing_docs, dead_code, unreachable_pub, reason = "shared with the other tests")]
mod common;
#[allow(missing_docs, unreachable_pub, reason = "a part of this test")]
mod devtools;

/// Presses the button that a selector finds, as a mouse would, and says what it is then.
const PRESS: &str = "(selector => { const button = document.querySelector(selector); \
                     button.click(); return button.getAttribute('aria-pressed'); })";

#[test]
fn the_report_works_in_a_browser() {
    let Some(program) = devtools::find() else {
        let required = std::env::var("SOLOCK_REQUIRE_BROWSER").is_ok_and(|value| value == "1");
        assert!(!required, "no browser: install chromium (apt-get install chromium)");
        // The tests' runner keeps to itself what is printed, but not what is written.
        let what = "no browser, so the report was not opened; install chromium";
        let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut browser = Browser::start(&program);
    if let Some(page) = std::env::var_os("SOLOCK_REPORT") {
        browser.open(Path::new(&page));
        keep_pictures(&mut browser);
        assert_eq!(browser.complaints, Vec::<String>::new());
        return;
    }
    let plots = plots();
    let written = plots.write(folder.path()).expect("written");
    browser.open(&written.report);
    opens(&mut browser, &plots);
    tables(&mut browser, &plots.figures);
    legend(&mut browser);
    axes(&mut browser);
    keyboard(&mut browser);
    hover(&mut browser);
    numbers(&mut browser);
    widths(&mut browser);
    paper(&mut browser);
    keep_pictures(&mut browser);
    assert_eq!(browser.complaints, Vec::<String>::new(), "no errors, nothing from the network");
}

fn plots() -> Plots {
    let mut first = common::full_run("a");
    first.records.extend(common::comparison());
    first.records.extend(common::profiled());
    Plots::of(&[first, common::full_run("b")], &common::options()).expect("figures")
}

/// Every panel is drawn, and has a name for a reader that does not see it.
fn opens(browser: &mut Browser, plots: &Plots) {
    assert_eq!(browser.run("document.title"), json!("solock: report"), "no name broke out");
    for figure in &plots.figures {
        let panels = format!("document.querySelectorAll('#{} .chart[role=img] svg')", figure.id);
        let drawn = browser.run(&format!("{panels}.length"));
        assert_eq!(drawn, json!(figure.panels.len()), "{}", figure.id);
        let filled = browser
            .run(&format!("[...{panels}].every(svg => svg.querySelectorAll('path').length > 5)"));
        assert_eq!(filled, json!(true), "{} is empty", figure.id);
        let named =
            format!("document.querySelector('#{} .chart').getAttribute('aria-label')", figure.id);
        assert!(browser.run(&named).as_str().is_some_and(|name| name.contains(figure.title)));
    }
}

/// The numbers in the page's tables are those of the figures, which other tests hold against the
/// records; those of throughput are held against the records here once more.
fn tables(browser: &mut Browser, figures: &[Figure]) {
    for figure in figures {
        let cells = format!("[...document.querySelectorAll('#{} td[data-value]')]", figure.id);
        let shown = browser
            .run(&format!("{cells}.map(cell => [Number(cell.dataset.value), cell.textContent])"));
        let numbers = figure.table.rows.iter().flatten().filter_map(|entry| match entry {
            plots::table::Entry::Number(value, _) => Some(json!([value, entry.text()])),
            _ => None,
        });
        let expected: Vec<Value> = numbers.collect();
        assert_eq!(shown.as_array().expect("rows").len(), expected.len(), "{}", figure.id);
        for (shown, expected) in shown.as_array().into_iter().flatten().zip(&expected) {
            assert_eq!(shown[1], expected[1], "{}", figure.id);
            // The last binary digit may be lost on the way here.
            let ends = [&shown[0], &expected[0]].map(|value| value.as_f64().expect("a number"));
            let far = (ends[0] - ends[1]).abs();
            assert!(far <= ends[1].abs() * 1e-14, "{}: {ends:?}", figure.id);
        }
    }
    let first = browser.run(
        "Number(document.querySelector('#throughput td[data-value]:nth-child(4)').dataset.value)",
    );
    // Two runs of the same rounds, 0 to 5: their median lies between rounds 2 and 3.
    let expected = common::operations("global", 1, 2).midpoint(common::operations("global", 1, 3));
    assert_eq!(first.as_f64(), Some(expected as f64));
}

/// A backend that is switched off is gone from every figure, and comes back.
fn legend(browser: &mut Browser) {
    let count =
        "document.querySelectorAll('#throughput .chart path, #percentiles .chart path').length";
    let before = browser.run(count);
    assert_eq!(
        browser.run(&format!("{PRESS}('#throughput [data-name=per-socket]')")),
        json!("false")
    );
    let without = browser.run(count);
    assert!(without.as_u64() < before.as_u64(), "{without} after {before}");
    let everywhere = "[...document.querySelectorAll('[data-name=per-socket]')]\
                      .map(button => button.getAttribute('aria-pressed'))";
    let pressed = browser.run(everywhere);
    assert!(pressed.as_array().is_some_and(|all| all.len() > 3));
    assert!(pressed.as_array().into_iter().flatten().all(|one| *one == json!("false")));
    assert_eq!(
        browser.run(&format!("{PRESS}('#percentiles [data-name=per-socket]')")),
        json!("true")
    );
    assert_eq!(browser.run(count), before);
}

/// The throughput's axis begins at 0, and does not when it is logarithmic.
fn axes(browser: &mut Browser) {
    let texts =
        "[...document.querySelectorAll('#throughput .chart text')].map(text => text.textContent)";
    let has_zero = |browser: &mut Browser| {
        browser.run(texts).as_array().is_some_and(|all| all.contains(&json!("0")))
    };
    assert!(has_zero(browser));
    let log = "'#throughput [data-axis=y][data-scale=log]'";
    assert_eq!(browser.run(&format!("{PRESS}({log})")), json!("true"));
    assert!(!has_zero(browser));
    assert_eq!(
        browser.run(&format!("{PRESS}('#throughput [data-axis=y][data-scale=linear]')")),
        json!("true")
    );
    assert!(has_zero(browser));
    let heights = "'#distribution [data-axis=heights][data-scale=linear]'";
    let path = "document.querySelector('#distribution .chart svg').innerHTML";
    let before = browser.run(path);
    browser.run(&format!("{PRESS}({heights})"));
    assert_ne!(browser.run(path), before);
}

/// Buttons and tables work without a mouse, and the focus is seen.
fn keyboard(browser: &mut Browser) {
    browser.run("document.querySelector('#order [data-name=global]').focus()");
    browser.press("Tab", 9, "");
    let focused = "document.activeElement.dataset.name";
    assert_eq!(browser.run(focused), json!("per-socket"));
    let outline = "getComputedStyle(document.activeElement).outlineStyle";
    assert_eq!(browser.run(outline), json!("solid"));
    browser.press(" ", 32, " ");
    assert_eq!(browser.run("document.activeElement.getAttribute('aria-pressed')"), json!("false"));
    browser.press(" ", 32, " ");
    browser.run("document.querySelector('#throughput summary').focus()");
    browser.press("Enter", 13, "\r");
    assert_eq!(browser.run("document.querySelector('#throughput details').open"), json!(true));
    browser.press("Enter", 13, "\r");
}

/// A value under the mouse is shown.
fn hover(browser: &mut Browser) {
    // The middle of the first marker that is filled with the colour of `global`.
    let place = browser.run(
        "(() => { document.querySelector('#throughput').scrollIntoView(); \
         const found = '#throughput .chart path[fill=\"#0072b2\"]'; \
         const marks = [...document.querySelectorAll(found)]; \
         const box = marks[0].getBoundingClientRect(); \
         return [box.x + box.width / 2, box.y + box.height / 2]; })()",
    );
    let at = |index: usize| place[index].as_f64().expect("a place");
    browser.point(at(0) - 30.0, at(1));
    browser.point(at(0), at(1));
    std::thread::sleep(std::time::Duration::from_millis(300));
    let tip = browser.run("document.querySelector('#throughput .tip')?.textContent ?? ''");
    assert!(tip.as_str().is_some_and(|text| text.contains("op/s")), "{tip}");
}

/// Nothing is wider than the window, on a wide one and on a narrow one.
fn widths(browser: &mut Browser) {
    for width in [400, 1280] {
        browser.resize(width);
        let wide = browser.run("document.documentElement.scrollWidth");
        assert!(wide.as_u64() <= Some(u64::from(width)), "{wide} at {width}");
        let charts = "[...document.querySelectorAll('.chart')].every(chart => \
                      chart.querySelector('svg').getBoundingClientRect().width \
                      <= chart.clientWidth + 1)";
        assert_eq!(browser.run(charts), json!(true), "at {width}");
        assert_eq!(browser.run(CUT), json!([]), "texts outside of their chart at {width}");
        assert_eq!(browser.run(COVERED), json!([]), "texts on each other at {width}");
    }
}

/// Texts that reach over the edge of their chart.
const CUT: &str = "[...document.querySelectorAll('.chart')].flatMap(chart => { \
    const whole = chart.getBoundingClientRect(); \
    return [...chart.querySelectorAll('svg text')].filter(text => { \
        const box = text.getBoundingClientRect(); \
        return box.left < whole.left - 1 || box.right > whole.right + 1 \
            || box.top < whole.top - 1 || box.bottom > whole.bottom + 1; \
    }).map(text => text.textContent); })";

/// Texts of the matrix that lie on each other.
const COVERED: &str = "[...document.querySelectorAll('#ratios .chart svg')].flatMap(svg => { \
    const texts = [...svg.querySelectorAll('text')].map(text => \
        [text.textContent, text.getBoundingClientRect()]); \
    return texts.filter(([, one], index) => texts.slice(index + 1).some(([, other]) => \
        one.left < other.right - 1 && other.left < one.right - 1 \
        && one.top < other.bottom - 3 && other.top < one.bottom - 3)).map(([text]) => text); })";

/// The page's scripts write numbers as the tables do.
fn numbers(browser: &mut Browser) {
    for (name, unit) in [("share", Unit::Share), ("count", Unit::Count), ("ratio", Unit::Ratio)] {
        for value in [0.0003, 0.0127, 0.25, 0.9996, 1.037, 16.27, 123.4] {
            let shown = browser.run(&format!("FORMATS.{name}({value})"));
            assert_eq!(shown, json!(unit.text(value)), "{name} of {value}");
        }
    }
}

/// On paper there are figures and no controls.
fn paper(browser: &mut Browser) {
    browser.ask("Emulation.setEmulatedMedia", json!({"media": "print"}));
    let shown = |browser: &mut Browser, what: &str| {
        browser.run(&format!("getComputedStyle(document.querySelector('{what}')).display"))
    };
    assert_eq!(shown(browser, ".axes"), json!("none"));
    assert_eq!(shown(browser, "details"), json!("none"));
    assert_ne!(shown(browser, ".chart svg"), json!("none"));
    browser.ask("Emulation.setEmulatedMedia", json!({"media": ""}));
    assert!(browser.picture(true).len() > 20_000, "a PDF");
}

fn keep_pictures(browser: &mut Browser) {
    let Some(folder) = std::env::var_os("SOLOCK_PICTURES").map(PathBuf::from) else { return };
    for width in [1280, 400] {
        browser.resize(width);
        let picture = browser.picture(false);
        std::fs::write(folder.join(format!("{width}.png.base64")), picture).expect("kept");
    }
    browser.resize(1280);
    let paper = browser.picture(true);
    std::fs::write(folder.join("paper.pdf.base64"), paper).expect("kept");
}
