//! The JSON Schema of a line, held against what is written and what is read.

use std::collections::BTreeSet;

use jsonschema::Validator;
use results::{
    AgainstItself, Cell, Compared, Element, Foreign, Latencies, LockCounts, Measured, Origin, Own,
    Record, Side, TwoCpus, Verdict,
};
use serde_json::{Value, json};

use crate::closed::closed;
use crate::fixture::{host, latency};
use crate::{lines, profiles};

fn schema() -> Value {
    serde_json::from_str(include_str!("../../schema.json")).expect("JSON")
}

fn validator(schema: &Value) -> Validator {
    jsonschema::validator_for(schema).expect("a schema")
}

fn json(record: &Record) -> Value {
    serde_json::from_str(&record.to_line().expect("a line")).expect("JSON")
}

/// A record of each kind, with all fields that there are.
fn all() -> Vec<Record> {
    let mut full = latency("global", 1, &[10, 20, 30]);
    let own = [("rate_asked", 1.5), ("groups", 2.0), ("fan", 8.0), ("depth", 4.0)];
    let ambient = vec!["f-mtx".to_owned()];
    let lock = "ticket".to_owned();
    full.cell = Cell { own: Own::from_iter(own), lock, ambient, ..full.cell };
    full.cell_id = full.cell.id();
    (full.rate_achieved, full.overloaded) = (Some(1.4), true);
    full.two_cpus =
        Some(TwoCpus { cpus: [0, 1], at_once_share: 0.9, line_round_trip_ns: Some(80.0) });
    (full.own_copy, full.pinning.spinning) = (Some(true), true);
    full.instrument.loop_ns_per_operation = Some(-0.5);
    full.locks = vec![LockCounts { saved: 1, ..LockCounts::default() }];
    let mut send = full.latency_ns.send.clone().expect("sends");
    (send.count_all, send.max_all) = (Some(4), Some(40));
    for name in Latencies::NAMES {
        *full.latency_ns.get_mut(name).expect(name) = Some(send.clone());
    }
    let side = |name: &str| Side {
        name: name.to_owned(),
        commit: Some("0123".to_owned()),
        dirty: Some(true),
        value: Some(1.5),
        layouts: Some(4),
    };
    let compared = Compared {
        verdict: Verdict::Faster,
        why: Some("host busy".to_owned()),
        first: side("main"),
        second: side("."),
        ratio: Some(1.1),
        low: Some(1.0),
        high: Some(1.2),
        same_code: Some(false),
        smallest_visible: Some(0.01),
        itself: Some(AgainstItself { ratio: 1.0, low: 0.9, high: 1.1, pairs: 20 }),
        host: host(),
        ..Compared::default()
    };
    let foreign =
        Foreign { tasks: Some(2), unit: "operations per second".to_owned(), ..Foreign::default() };
    let more = [full.into(), compared.into(), foreign.into(), element().into()];
    let profiled = [profiles::profile().into(), profiles::split().into()];
    let bare = [Compared::default().into(), Foreign::default().into(), Element::default().into()];
    lines::all().into_iter().chain(more).chain(profiled).chain(bare).collect()
}

fn element() -> Element {
    Element {
        origin: Origin { job: Some("118_4".to_owned()), ..Origin::default() },
        cpus: Some("0-1".to_owned()),
        boot: Some("3f".to_owned()),
        program: Some("0a1b2c3d".to_owned()),
        code: -1,
        ..Element::default()
    }
}

#[test]
fn what_is_written_is_what_the_schema_says() {
    assert!(jsonschema::meta::is_valid(&schema()), "of the draft that it names");
    let closed = validator(&closed(schema()));
    let mut kinds = BTreeSet::new();
    for record in all() {
        let value = json(&record);
        assert!(closed.is_valid(&value), "{value:#}");
        kinds.insert(value["kind"].as_str().expect("a kind").to_owned());
    }
    let known = schema()["oneOf"].as_array().expect("kinds").len();
    assert_eq!(kinds.len(), known, "{kinds:?}");
    let recorded = include_str!("../../recorded/run.jsonl");
    let of_grid = results::sealed::sealed(recorded, &element()).expect("lines");
    for (index, line) in recorded.lines().chain(of_grid.lines()).enumerate() {
        let value = serde_json::from_str(line).expect("JSON");
        assert!(closed.is_valid(&value), "line {} of the recorded run, or as of a grid", index + 1);
    }
    assert!(closed.is_valid(&lines::documented()), "the example of FORMAT.md");
}

/// All of what the schema names is written somewhere, and is in FORMAT.md.
#[test]
fn the_schema_names_nothing_that_there_is_not() {
    fn named(schema: &Value, into: &mut BTreeSet<String>) {
        if let Some(properties) = schema["properties"].as_object() {
            into.extend(properties.keys().cloned());
        }
        let inner = schema.as_object().map(|all| all.values().collect::<Vec<_>>());
        let items = schema.as_array().map(|all| all.iter().collect::<Vec<_>>());
        inner.into_iter().chain(items).flatten().for_each(|inner| named(inner, into));
    }
    fn written(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::Array(all) => all.iter().for_each(|inner| written(inner, into)),
            Value::Object(all) => all.iter().for_each(|(name, inner)| {
                into.insert(name.clone());
                written(inner, into);
            }),
            _ => {}
        }
    }
    let (mut names, mut found) = (BTreeSet::new(), BTreeSet::new());
    named(&schema(), &mut names);
    all().iter().for_each(|record| written(&json(record), &mut found));
    let text = include_str!("../../FORMAT.md");
    for name in names {
        assert!(found.contains(&name), "{name} is never written");
        assert!(text.contains(&format!("`{name}`")), "{name} is not in FORMAT.md");
    }
}

/// What the schema refuses the reader refuses, too.
#[test]
fn wrong_lines_are_refused_by_both() {
    let schema = validator(&schema());
    let whole = json(&Record::from(latency("global", 1, &[10])));
    let refused = |what: &str, value: &Value| {
        assert!(!schema.is_valid(value), "{what}: the schema takes it");
        assert!(Record::from_line(&value.to_string()).is_err(), "{what}: the reader takes it");
    };
    let changes = [
        ("/schema", json!(2)),
        ("/kind", json!("rumour")),
        ("/threads", json!("2")),
        ("/threads", json!(-1)),
        ("/operations", json!(1.5)),
        ("/operations_per_second", json!(-1.0)),
        ("/fairness_jain", json!(1.1)),
        ("/measure", json!("both")),
        ("/latency_ns/send/p50", json!(null)),
        ("/locks/0/class", json!(7)),
        ("/instrument/clock_ns", json!(1e300)),
        ("/host", json!("a machine")),
        ("/dirty", json!("yes")),
    ];
    for (pointer, change) in changes {
        let mut value = whole.clone();
        *value.pointer_mut(pointer).expect(pointer) = change.clone();
        refused(&format!("{pointer} {change}"), &value);
    }
    for name in ["cell", "backend", "seed", "operations", "locks", "checks", "host", "started"] {
        let mut value = whole.clone();
        value.as_object_mut().expect("an object").remove(name);
        refused(&format!("without {name}"), &value);
    }
    let mut later = whole;
    later["invented_later"] = json!({ "deep": [1, 2] });
    assert!(schema.is_valid(&later), "fields may be added within a schema");
}

/// A default is not the whole of a line: so that no field is forgotten above.
#[test]
fn a_line_without_what_may_be_absent_is_one() {
    let closed = validator(&closed(schema()));
    let cell = Cell::default();
    let bare = Measured { cell_id: cell.id(), cell, ..Measured::default() };
    assert!(closed.is_valid(&json(&Record::from(bare))));
}
