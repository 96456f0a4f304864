//! Each rule, broken: a house in which one thing is wrong, and what is told of it.

use super::rules::RULES;
use super::source::File;
use super::{House, told};

/// A house of these files that is otherwise in order.
fn house(files: &[(&str, &str)], manifests: &[(&str, &str)]) -> House {
    let architecture = [
        "The floors, from the ground up; a file imports down:",
        "```",
        "primitives  uipc    what is locked",
        "witness   the checker",
        "```",
        "* **Invariant:** `unsafe` is in `primitives/`,",
        "  and nowhere else.",
        "* **Invariant:** the files of `lockimpls` import each other in no circle but this one:",
        "  `primitives/own.rs`, `primitives/round.rs`. They have a reason.",
        "* `a.rs`, `lib.rs`, `witness/`, `witness.rs`, `uipc/send.rs`, `disturbed.rs`",
    ];
    let own = ("lockimpls/src/primitives/own.rs", "use super::round;\nunsafe impl Sync for A {}");
    let round = ("lockimpls/src/primitives/round.rs", "use crate::primitives::own::A;");
    let (registry, witness) = (("workloads/src/lib.rs", ""), ("lockimpls/src/witness.rs", ""));
    let named = |name: &str| files.iter().any(|(path, _)| *path == name);
    let files = files.iter().copied();
    let others = [own, round, registry, witness].into_iter().filter(|(path, _)| !named(path));
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    House {
        files: files.chain(others).map(|(path, text)| File::new(path, text)).collect(),
        manifests: manifests.iter().map(owned).collect(),
        architecture: architecture.join("\n"),
    }
}

/// What is told of a rule's breaches in that house; nothing of any other rule.
#[track_caller]
fn broken(rule: &str, house: &House) -> String {
    assert!(RULES.iter().any(|one| one.name == rule), "there is no rule {rule}");
    let others = RULES.iter().filter(|one| one.name != rule);
    let others: String = others.filter_map(|one| told(one, house)).collect();
    assert!(others.is_empty(), "{others}");
    let told = RULES.iter().find(|one| one.name == rule).and_then(|one| told(one, house));
    told.unwrap_or_else(|| panic!("{rule} does not see it"))
}

/// A file that breaks a rule, and where.
#[track_caller]
fn file(rule: &str, path: &str, text: &str, place: &str) {
    let told = broken(rule, &house(&[(path, text)], &[]));
    assert!(told.contains(&format!("\n  {place}")), "{told}");
}

#[test]
fn nothing_is_wrong_with_a_house_in_order() {
    let tests = [("bench/tests/a/main.rs", "mod b;\n"), ("bench/tests/a/b.rs", "fn a() {}\n")];
    let files = [&[("results/src/a.rs", "fn a() {}\n")], &tests[..]].concat();
    let house = house(&files, &[("bench", "")]);
    assert!(RULES.iter().all(|rule| told(rule, &house).is_none()));
}

#[test]
fn packages_that_import_the_wrong_way_are_seen() {
    for (package, manifest, wrong) in [
        ("lockimpls", "[dev-dependencies]\nresults.workspace = true\n", "results"),
        ("lockimpls", "[dev-dependencies]\nanylock.workspace = true\n", "anylock"),
        ("workloads", "[dependencies]\nserve = { workspace = true }\n", "serve"),
        ("results", "[dependencies]\nlockimpls.workspace = true\n", "lockimpls"),
        ("plots", "[dependencies]\nresults.workspace = true\nsolock.workspace = true\n", "solock"),
    ] {
        let told = broken("crates", &house(&[], &[(package, manifest)]));
        assert!(told.contains(&format!("{package} uses {wrong}\n  =>")), "{told}");
    }
}

#[test]
fn what_lockimpls_may_not_stand_on_is_seen() {
    let with = |text: &'static str| house(&[], &[("lockimpls", text)]);
    let told = broken("models", &with("[dependencies]\nloom = \"0.7\"\n"));
    assert!(told.contains("it depends on loom"), "{told}");
    let told = broken("layer", &with("[dependencies]\nquanta = \"0.1\"\n"));
    assert!(told.contains("it depends on quanta"), "{told}");
}

#[test]
fn each_rule_about_files_sees_what_breaks_it() {
    let path = "lockimpls/src/uipc/send.rs";
    file(
        "floors",
        "lockimpls/src/primitives/a.rs",
        "\nuse crate::{copy::a, witness::B};\n",
        "lockimpls/src/primitives/a.rs:2: primitives uses witness",
    );
    file("unsafe", path, "fn a() {\n    unsafe { b() }\n}\n", "lockimpls/src/uipc/send.rs:2");
    file("modules", "bench/tests/a/b.rs", "fn a() {}\n", "bench/tests/a/b.rs");
    file("unsafe", "bench/tests/a.rs", "unsafe impl Sync for A {}\n", "bench/tests/a.rs:1");
    file(
        "primitives",
        path,
        "use std::sync::atomic::AtomicU32;\n",
        "lockimpls/src/uipc/send.rs:1: std::sync::atomic",
    );
    file(
        "primitives",
        path,
        "fn a() {\n    std::hint::spin_loop();\n}\n",
        "lockimpls/src/uipc/send.rs:2: hint::spin_loop",
    );
    file(
        "primitives",
        path,
        "use std::sync::Mutex;\n",
        "lockimpls/src/uipc/send.rs:1: std::sync::Mutex",
    );
    file("models", path, "use loom::thread;\n", "lockimpls/src/uipc/send.rs:1: loom::");
    file("layer", path, "use std::time::Instant;\n", "lockimpls/src/uipc/send.rs:1: Instant");
    file(
        "witness",
        "lockimpls/src/witness/a.rs",
        "#[cfg(feature = \"fast\")]\nfn a() {}\n",
        "lockimpls/src/witness/a.rs:1: cfg(",
    );
    file("witness", path, "type A = RwLock<DefaultRaw, false>;\n", "lockimpls/src/uipc/send.rs:1");
    file(
        "primitives",
        path,
        "use std::sync::{Arc, Condvar};\n",
        "lockimpls/src/uipc/send.rs:1: std::sync::Condvar",
    );
    file(
        "tokens",
        path,
        "fn a() {\n    let so = Held::<P>::of(so);\n}\n",
        "lockimpls/src/uipc/send.rs:2",
    );
    file(
        "covariates",
        "bench/src/turns/disturbed.rs",
        "fn a(done: &SliceDone) -> u64 {\n    done.operations\n}\n",
        "bench/src/turns/disturbed.rs:2: operations",
    );
}

#[test]
fn names_of_the_registry_and_things_too_large_are_seen() {
    file(
        "backends",
        "workloads/src/a.rs",
        "const A: &str = \"per-socket\";\n",
        "workloads/src/a.rs:1: \"per-socket\"",
    );
    file(
        "backends",
        "workloads/programs/src/a.rs",
        "const A: &str = \"per-socket\";\n",
        "workloads/programs/src/a.rs:1: \"per-socket\"",
    );
    file(
        "locks",
        "results/src/a.rs",
        "const A: &str = \"solock\";\n",
        "results/src/a.rs:1: \"solock\"",
    );
    file(
        "locks",
        "plots/src/a.rs",
        "const A: &str = \"global\";\n",
        "plots/src/a.rs:1: \"global\"",
    );
    let long = format!("const A: &str = \"{}\";\n", "x".repeat(100));
    file("columns", "results/src/a.rs", &long, "results/src/a.rs:1");
    let long = format!("//! | {} |\n//! {}\n", "x".repeat(100), "x".repeat(100));
    file("columns", "results/src/a.rs", &long, "results/src/a.rs:2: 104 columns");
    file("file size", "results/src/a.rs", &"\n".repeat(401), "results/src/a.rs: 401 lines");
    let long = |lines: usize| format!("fn a() {{\n{}}}\n", "    b();\n".repeat(lines - 2));
    file("function size", "results/src/a.rs", &long(61), "results/src/a.rs:1: a, 61 lines");
    file("function size", "results/tests/a.rs", &long(81), "results/tests/a.rs:1: a, 81 lines");
}

#[test]
fn a_workload_that_does_not_say_its_limits_is_seen() {
    let registry = ("workloads/src/lib.rs", "    visitor.visit::<a::A>();\n");
    let told = broken("limits of workloads", &house(&[registry], &[]));
    assert!(told.contains("workloads/src/a.rs\n"), "{told}");
    let says = ("workloads/src/a.rs", "//! A.\n//!\n//! # What this does not show\n");
    let house = house(&[registry, says], &[]);
    assert!(RULES.iter().all(|rule| super::told(rule, &house).is_none()));
}

#[test]
fn modules_on_no_floor_and_lists_over_lines_are_seen() {
    let list = "use crate::{\n    copy::a,\n    witness::B,\n};\n";
    let place = "lockimpls/src/primitives/a.rs:3: primitives uses witness";
    file("floors", "lockimpls/src/primitives/a.rs", list, place);
    file(
        "floors",
        "lockimpls/src/a.rs",
        "fn a() {}\n",
        "lockimpls/src/a.rs: it stands on no floor",
    );
}

#[test]
fn files_in_a_circle_are_seen() {
    let folder = "lockimpls/src/witness";
    let [door, one, other] = ["", "/a", "/b/c"].map(|name| format!("{folder}{name}.rs"));
    let told = |texts: [&str; 3]| {
        let files = [(&*door, texts[0]), (&*one, texts[1]), (&*other, texts[2])];
        let house = house(&files, &[]);
        let is_wrong = RULES.iter().any(|rule| super::told(rule, &house).is_some());
        if is_wrong { broken("circles", &house) } else { String::new() }
    };
    let imports = |text: &str, from: &str, to: &str| {
        assert!(text.contains(&format!("\n  {from} imports {to}\n")), "{text}");
    };
    let import = "pub use crate::{copy::Copy, witness::{b::c::{Second, Third as Fourth}}};\n";
    let two = told(["", import, "fn f() {\n    super::super::a::first();\n}\n"]);
    imports(&two, &one, &other);
    imports(&two, &other, &one);
    // What a file hands on is imported from it. A path that leads to a child is no import, and
    // leads there.
    let at_the_door = told(["fn f() {\n    a::f();\n}\n", "use super::Seen;\n", ""]);
    imports(&at_the_door, &door, &one);
    imports(&at_the_door, &one, &door);
    let over_a_third =
        told(["use self::b::c::D;\n", "use crate::witness::F;\n", "use crate::witness::a;\n"]);
    assert_eq!(over_a_third.matches(" imports ").count(), 3, "{over_a_third}");
    // Declared, for tests, named in a macro, another's.
    let none = [
        "mod a;\n#[cfg(test)]\nuse self::a::B;\n\
         macro_rules! a {\n    () => { $crate::witness::a::b() };\n}\n",
        "use crate::witness::F;\nuse std::witness::b::c;\n",
        "use crate::witness::a;\n",
    ];
    assert_eq!(told(none), "");
}

#[test]
fn a_file_that_is_not_on_the_map_is_seen() {
    let files = [("results/src/b.rs", "fn a() {}\n"), ("results/src/a/c.rs", "fn a() {}\n")];
    let told = broken("map", &house(&files, &[]));
    assert!(told.contains("\n  results/src/b.rs\n  =>"), "{told}");
}

#[test]
fn a_list_that_is_not_true_is_seen() {
    let mut empty = house(&[], &[]);
    empty.architecture = empty.architecture.replace("`primitives/`", "`primitives/`, `sync.rs`");
    let told = broken("unsafe", &empty);
    assert!(
        told.contains("ARCHITECTURE.md lists lockimpls/src/sync.rs, where there is none"),
        "{told}"
    );
    let without = |text: &str| {
        let mut house = house(&[], &[]);
        house.architecture = house.architecture.replace(text, "");
        house
    };
    assert!(broken("unsafe", &without("`unsafe` is in ")).contains("is gone"));
    assert!(broken("floors", &without("The floors")).contains("is gone"));
    assert!(broken("circles", &without(" but this one:")).contains("is gone"));
    assert!(broken("circles", &without(", `primitives/round.rs`")).contains("no circle: "));
}

#[test]
fn comments_strings_and_tests_break_nothing() {
    let text = "// std::sync::Mutex, unsafe\nfn a() {\n    b(\"unsafe std::cell\");\n}\n\
                #[cfg(test)]\nmod tests {\n    use std::sync::Mutex;\n}\n";
    let house = house(&[("lockimpls/src/uipc/send.rs", text)], &[]);
    assert!(RULES.iter().all(|rule| told(rule, &house).is_none()));
}

#[test]
fn a_token_is_seen_by_whatever_path_it_is_made() {
    let path = "lockimpls/src/uipc/send.rs";
    let text = |way: &str| format!("fn a() {{\n    let so = {way};\n}}\n");
    for way in ["Token::of(so)", "<Held<P>>::of(so)", "so.map(Held::of)", "Self::of(&so)"] {
        file("tokens", path, &text(way), "lockimpls/src/uipc/send.rs:2");
    }
    for other in ["RwLock::of(class, algorithm)", "Held::of_nobody(so)"] {
        let house = house(&[(path, &text(other))], &[]);
        assert!(RULES.iter().all(|rule| told(rule, &house).is_none()), "{other}");
    }
}
