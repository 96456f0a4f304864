//! The page of a grid: machines side by side.

use results::collected::{Collected, Fault, Machine, Set, Why};
use results::{Element, Origin, Record, machines};

use crate::common::{HOSTILE, full_run};

fn set(machine: &str) -> Set {
    let run = full_run("a");
    let host = run.records.first().and_then(Record::host).cloned().unwrap_or_default();
    let origin = Origin {
        element: "one".to_owned(),
        machine: machine.to_owned(),
        node: HOSTILE.to_owned(),
        ..Origin::default()
    };
    Set { element: Element { origin, host, ..Element::default() }, run }
}

#[test]
fn a_page_has_each_machine_beside_the_others_and_no_name_becomes_markup() {
    let names = ["amd", HOSTILE];
    let machine = |name: &str| Machine {
        name: name.to_owned(),
        sets: vec![set(name)],
        missing: vec![HOSTILE.to_owned()],
    };
    let fault = Fault { path: HOSTILE.into(), why: Why::Cut(HOSTILE.to_owned()) };
    let collected = Collected { machines: names.map(machine).to_vec(), faults: vec![fault] };
    let lines = machines::lines(&collected, "global").expect("lines");
    assert!(!lines.is_empty());
    let notes = [format!("set aside: {HOSTILE}")];
    let page = plots::report::page(HOSTILE, &collected, &lines, &[None, None], &notes);
    assert!(!page.contains(HOSTILE) && !page.contains("<script"), "{page}");
    assert!(page.contains("<th scope=\"col\">amd</th>"));
    assert!(page.contains("machines differ on 0 of "), "one run is what it is");
    assert!(page.contains("agree</td></tr>") && page.contains("1 of 2 elements"));
    assert!(!page.contains("<!--"), "every part has its place");
}
