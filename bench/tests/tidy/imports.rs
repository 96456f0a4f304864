//! Who imports whom: packages, and inside lockimpls floors.

use super::search::{dependencies, words};
use super::source::Line;
use super::{House, PACKAGES};

/// Which of ours a package may use.
const IMPORTS: [(&str, &[&str]); PACKAGES.len()] = [
    ("lockimpls", &[]),
    ("lockimpls/anylock", &["lockimpls"]),
    ("lockimpls/profiled", &["lockimpls"]),
    ("workloads", &["lockimpls"]),
    ("workloads/programs", &["lockimpls", "workloads"]),
    ("results/histograms", &[]),
    ("results", &["histograms"]),
    ("plots", &["results"]),
    ("bench/serve", &["lockimpls", "anylock", "profiled", "workloads", "results"]),
    ("bench", &["lockimpls", "profiled", "workloads", "programs", "results", "plots", "serve"]),
];

pub(crate) fn crates(house: &House) -> Vec<String> {
    let ours = [
        "lockimpls",
        "anylock",
        "profiled",
        "workloads",
        "programs",
        "histograms",
        "results",
        "plots",
        "serve",
        "solock",
    ];
    let mut found = Vec::new();
    for (package, manifest) in &house.manifests {
        let allowed = IMPORTS.iter().find(|(name, _)| name == package).map(|(_, allowed)| *allowed);
        let used = dependencies(manifest).filter(|name| ours.contains(name));
        let wrong = used.filter(|name| !allowed.unwrap_or_default().contains(name));
        found.extend(wrong.map(|name| format!("{package}/Cargo.toml: {package} uses {name}")));
    }
    found
}

/// The floors of lockimpls as ARCHITECTURE.md draws them, the lowest first: the modules that stand
/// on each; behind them is what they are.
fn drawn(house: &House) -> Vec<Vec<&str>> {
    let is_module = |name: &&str| {
        let folder = format!("lockimpls/src/{name}");
        house.within(&folder).next().is_some()
    };
    let lines = house.architecture.lines().skip_while(|line| !line.starts_with(FLOORS));
    let block = lines.skip_while(|line| *line != "```").skip(1).take_while(|line| *line != "```");
    let names = block.filter_map(|line| line.split("   ").next());
    names.map(|names| names.split_whitespace().filter(is_module).collect()).collect()
}

const FLOORS: &str = "The floors, from the ground up";

pub(crate) fn floors(house: &House) -> Vec<String> {
    let floors = drawn(house);
    let floor = |module: &str| floors.iter().position(|floor| floor.contains(&module));
    let mut found = Vec::new();
    if floors.is_empty() {
        found.push(format!("ARCHITECTURE.md: the drawing behind {FLOORS:?} is gone"));
    }
    for file in house.within("lockimpls/src").filter(|file| file.in_programs().next().is_some()) {
        let module = file.path.split('/').nth(2).and_then(|name| name.split('.').next());
        if module.is_some_and(|module| module != "lib" && floor(module).is_none()) {
            found.push(format!("{}: it stands on no floor of the drawing", file.path));
        }
        // A file of a folder may stand higher than the others: `a/b` beside `a`.
        let names = floors.iter().flatten();
        let own = names.filter(|name| file.is_in(&format!("lockimpls/src/{name}")));
        let own = own.max_by_key(|name| name.len());
        let Some((own, of_file)) = own.and_then(|own| Some((*own, floor(own)?))) else { continue };
        let mut is_in_list = false;
        for line in file.in_programs() {
            let above = |module: &&str| floor(module).is_some_and(|floor| floor > of_file);
            // Of a list over several lines each begins with a module.
            let listed = words(&line.code).next().filter(|_| is_in_list);
            let above = imports(line).into_iter().chain(listed).filter(above);
            found.extend(above.map(|module| format!("{}: {own} uses {module}", file.at(line))));
            let is_end = line.code.starts_with('}');
            is_in_list = line.code.ends_with("crate::{") || (is_in_list && !is_end);
        }
    }
    found
}

/// The modules of this crate that a line names.
fn imports(line: &Line) -> Vec<&str> {
    let behind = line.code.split("crate::").skip(1);
    // Of `crate::{a::b, c}` each; what follows in braces of its own is no module.
    let each = behind.flat_map(|rest| match rest.strip_prefix('{') {
        Some(list) => list.split(", ").collect(),
        None => vec![rest],
    });
    each.filter_map(|rest| words(rest).next()).collect()
}
