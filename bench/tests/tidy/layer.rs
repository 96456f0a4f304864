//! What the layer is made of, and what it may not know.

use super::search::{dependencies, naming, words};
use super::source::{File, Line};
use super::{House, PACKAGES};

/// The files and folders that the invariant's line lists; those of the layer from `lockimpls/src`.
fn listed(architecture: &str) -> Vec<String> {
    let begin = "* **Invariant:** `unsafe` is in ";
    let lines = architecture.lines().skip_while(|line| !line.starts_with(begin));
    let is_end = |line: &str| line.is_empty() || line.starts_with("* ");
    let rest = lines.clone().skip(1).take_while(|line| !is_end(line));
    let line: String = lines.take(1).chain(rest).collect();
    let line = line.strip_prefix(begin).unwrap_or_default();
    let paths = line.split('`').skip(1).step_by(2);
    let is_from_root =
        |path: &str| PACKAGES.iter().any(|name| path.starts_with(&format!("{name}/")));
    let whole = |path: &str| match is_from_root(path) {
        true => path.to_owned(),
        false => format!("lockimpls/src/{path}"),
    };
    paths.map(whole).collect()
}

pub(crate) fn unsafe_code(house: &House) -> Vec<String> {
    let listed = listed(&house.architecture);
    if listed.is_empty() {
        return vec!["ARCHITECTURE.md: the line `unsafe` is in ... is gone".to_owned()];
    }
    let is_unsafe = |line: &&Line| words(&line.code).any(|word| word == "unsafe");
    let is_listed = |file: &File, path: &str| match path.ends_with('/') {
        true => file.path.starts_with(path),
        false => file.path == path,
    };
    let mut found = Vec::new();
    for file in &house.files {
        if !listed.iter().any(|path| is_listed(file, path)) {
            found.extend(file.lines.iter().find(is_unsafe).map(|line| file.at(line)));
        }
    }
    for path in &listed {
        let files = || house.files.iter().filter(|file| is_listed(file, path));
        if !files().any(|file| file.lines.iter().any(|line| is_unsafe(&line))) {
            found.push(format!("ARCHITECTURE.md lists {path}, where there is none"));
        }
    }
    found
}

/// What only `primitives` may take from elsewhere.
const MADE_OF: [&str; 13] = [
    "std::sync::atomic",
    "core::sync::atomic",
    "std::cell",
    "core::cell",
    "thread::park",
    "hint::spin_loop",
    "std::sync::Mutex",
    "std::sync::RwLock",
    "std::sync::Condvar",
    "std::thread_local",
    "std::thread::",
    "parking_lot::",
    "parking_lot_core::",
];

/// Where the layer is not: the machine's own sockets, and what runs the broken twins.
const BESIDE_THE_LAYER: [&str; 3] =
    ["lockimpls/src/backend/host", "lockimpls/src/controls", "lockimpls/src/child"];

pub(crate) fn primitives(house: &House) -> Vec<String> {
    let is_free = |file: &File| {
        file.is_in("lockimpls/src/primitives")
            || BESIDE_THE_LAYER.iter().any(|folder| file.is_in(folder))
    };
    let files = house.within("lockimpls/src").filter(|file| !is_free(file));
    naming(files, &MADE_OF)
}

pub(crate) fn models(house: &House) -> Vec<String> {
    let files =
        house.within("lockimpls/src").filter(|file| !file.is_in("lockimpls/src/primitives"));
    let mut found = naming(files, &["loom::", "shuttle::"]);
    for (package, manifest) in house.manifests.iter().filter(|(name, _)| name == "lockimpls") {
        let checkers = dependencies(manifest).filter(|name| ["loom", "shuttle"].contains(name));
        found.extend(checkers.map(|name| format!("{package}/Cargo.toml: it depends on {name}")));
    }
    found
}

pub(crate) fn layer(house: &House) -> Vec<String> {
    let is_free = |file: &File| BESIDE_THE_LAYER.iter().any(|folder| file.is_in(folder));
    let files = house.within("lockimpls/src").filter(|file| !is_free(file));
    let mut found = naming(files, &["std::fs", "Instant", "SystemTime", "core_affinity"]);
    let measuring = ["core_affinity", "quanta", "hdrhistogram", "serde", "serde_json"];
    for (package, manifest) in house.manifests.iter().filter(|(name, _)| name == "lockimpls") {
        let wrong = dependencies(manifest).filter(|name| measuring.contains(name));
        found.extend(wrong.map(|name| format!("{package}/Cargo.toml: it depends on {name}")));
    }
    found
}

pub(crate) fn witness(house: &House) -> Vec<String> {
    let files = ["lockimpls/src/witness", "lockimpls/src/sync"];
    let of_witness = files.iter().flat_map(|folder| house.within(folder));
    let mut found = naming(of_witness, &["cfg(", "cfg!(", "feature =", "env::var"]);
    // Its unchecked twin is reachable from there alone.
    let others = house.within("lockimpls/src");
    for file in others.filter(|file| !file.is_in("lockimpls/src/calibrate")) {
        let is_twin = |line: &&Line| line.code.contains("Lock<") && line.code.contains(", false>");
        found.extend(file.in_programs().filter(is_twin).map(|line| file.at(line)));
    }
    found
}

/// Where a verb makes the token of what it locks, and where a twin makes one of what it has not.
const LENDERS: [&str; 3] =
    ["lockimpls/src/policy", "lockimpls/src/backend", "lockimpls/src/fault/instead"];

/// Whose `of` makes something else: a token could be made by any other path that leads to its own.
const OTHER_MAKERS: [&str; 5] = ["Backend", "Injection", "Limits", "R", "RwLock"];

pub(crate) fn tokens(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for file in house.within("lockimpls/src") {
        let is_own = file.is_in("lockimpls/src/objects/socket/held");
        if is_own || LENDERS.iter().any(|lender| file.is_in(lender)) {
            continue;
        }
        let is_other = |maker: &str| {
            let is_raw = ["B", "Self"].contains(&maker) && file.is_in("lockimpls/src/raw");
            OTHER_MAKERS.contains(&maker) || is_raw
        };
        let makes_one = |line: &&Line| makers(&line.code).any(|maker| !is_other(maker));
        found.extend(file.in_programs().filter(makes_one).map(|line| file.at(line)));
    }
    found
}

/// What stands right before each `::of`; nothing where that is no name.
fn makers(code: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let whole = code
        .match_indices("::of")
        .filter(move |(at, it)| !code[at + it.len()..].starts_with(is_part));
    whole.map(move |(at, _)| code[..at].rsplit(|c: char| !is_part(c)).next().unwrap_or_default())
}

pub(crate) fn covariates(house: &House) -> Vec<String> {
    let measured = ["operations", "latency", "latencies", "acquisitions", "bytes"];
    naming(house.within("bench/src/turns/disturbed"), &measured)
}
