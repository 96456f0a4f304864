//! What may not be known by its name, and what each workload says.

use lockimpls::witness::Class;
use solock::matrix;

use super::House;
use super::search::saying;
use super::source::File;

pub(crate) fn limits(house: &House) -> Vec<String> {
    let mut found = Vec::new();
    for path in workloads(house) {
        let file = house.files.iter().find(|file| file.path == path);
        let says = |file: &File| {
            file.lines.iter().any(|line| line.text == "//! # What this does not show")
        };
        if !file.is_some_and(says) {
            found.push(path);
        }
    }
    if !house.files.iter().any(|file| file.path == REGISTRY) {
        found.push(format!("{REGISTRY} is gone"));
    }
    found
}

/// The file of each workload, by the registry.
fn workloads(house: &House) -> impl Iterator<Item = String> {
    let lines =
        house.files.iter().filter(|file| file.path == REGISTRY).flat_map(|file| &file.lines);
    let visited = lines.filter_map(|line| line.code.trim().strip_prefix("visitor.visit::<"));
    let modules = visited.filter_map(|rest| rest.split("::").next());
    modules.map(|module| format!("workloads/src/{module}.rs"))
}

const REGISTRY: &str = "workloads/src/lib.rs";

/// Each file by its name, or with the file or the folder that it is a part of; workloads are what
/// their registry has.
pub(crate) fn map(house: &House) -> Vec<String> {
    let named: Vec<&str> = house.architecture.split('`').skip(1).step_by(2).collect();
    let is_named =
        |part: &str| named.iter().any(|name| *name == part || name.ends_with(&format!("/{part}")));
    let is_there = |file: &File| {
        let (_, inside) = file.path.split_once("/src/").unwrap_or_default();
        let parts: Vec<&str> = inside.split('/').collect();
        let (name, folders) = parts.split_last().expect("a name");
        let is_part =
            |folder: &&str| is_named(&format!("{folder}/")) || is_named(&format!("{folder}.rs"));
        is_named(name) || folders.iter().any(is_part)
    };
    let files = house.files.iter().filter(|file| file.in_programs().next().is_some());
    let in_source = files.filter(|file| file.path.contains("/src/"));
    let workloads: Vec<String> = workloads(house).collect();
    let is_wrong = |file: &&File| !is_there(file) && !workloads.contains(&file.path);
    in_source.filter(is_wrong).map(|file| file.path.clone()).collect()
}

pub(crate) fn backends(house: &House) -> Vec<String> {
    let names: Vec<&str> = matrix::backends().iter().map(|backend| backend.name).collect();
    let folders = ["workloads/src", "workloads/programs/src"];
    saying(folders.iter().flat_map(|folder| house.within(folder)), &names)
}

pub(crate) fn locks(house: &House) -> Vec<String> {
    let backends = matrix::backends().into_iter().map(|backend| backend.name);
    let names: Vec<&str> = Class::ALL.into_iter().map(Class::name).chain(backends).collect();
    let folders = ["results/src", "plots/src"];
    saying(folders.iter().flat_map(|folder| house.within(folder)), &names)
}
