//! A grid's file: what it says, and everything that can be wrong with it, refused before anything
//! is measured.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use results::checksum::digits;
use results::collected::Expected;
use serde::Deserialize;
use toml::{Table, Value};

use super::elements::{Element, Entry};
use super::flags::Flags;
use super::machine::{Machine, NAME, is_name};

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// The seed of a grid that names none: all machines must have the same.
const SEED: u32 = 1;

/// What stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    name: Option<String>,
    out: Option<PathBuf>,
    seed: Option<u32>,
    budget: Option<Value>,
    sides: Option<Vec<String>>,
    #[serde(default)]
    cells: Vec<Table>,
    #[serde(default)]
    machine: Vec<Machine>,
}

/// A grid, all valid.
#[derive(Clone, Debug)]
pub struct Grid {
    /// The file.
    pub path: PathBuf,
    /// Its name, in records and in those of files.
    pub name: String,
    /// The folder of its records.
    pub out: PathBuf,
    /// Its machines; none: whatever measures.
    pub machines: Vec<Machine>,
    /// What each of them measures, in an order that was drawn from the seed.
    pub elements: Vec<Element>,
    /// What cannot run as asked, and why.
    pub skipped: Vec<String>,
}

impl Grid {
    /// Reads a grid.
    ///
    /// # Errors
    /// The file, the place in it, and what is wrong there.
    pub fn read(path: &Path) -> Result<Grid, String> {
        let failed = |what: String| format!("{}: {what}", path.display());
        let bytes = results::files::read(path, FILE_BYTES_MAX)
            .map_err(|error| failed(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
        let whole = std::path::absolute(path).map_err(|error| failed(error.to_string()))?;
        Grid::parse(&text, whole).map_err(failed)
    }

    fn parse(text: &str, path: PathBuf) -> Result<Grid, String> {
        let said: Text = toml::from_str(text).map_err(|error| error.to_string())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = said.name.clone().unwrap_or(stem);
        if !is_name(&name) {
            return Err(format!(
                "the grid's name is {name:?}: {NAME}; name = \"...\" gives another"
            ));
        }
        let beside = path.parent().unwrap_or(Path::new("."));
        let out = said.out.clone().unwrap_or_else(|| PathBuf::from(format!("{name}.grid")));
        let mut grid = Grid {
            out: beside.join(out),
            machines: machines(&said.machine)?,
            elements: Vec::new(),
            skipped: Vec::new(),
            path,
            name,
        };
        grid.fill(&said)?;
        Ok(grid)
    }

    fn fill(&mut self, said: &Text) -> Result<(), String> {
        let seed = said.seed.unwrap_or(SEED);
        for (at, table) in said.cells.iter().enumerate() {
            let failed = |what: String| format!("[[cells]] {}: {what}", at + 1);
            let entry = entry(said, table, seed).map_err(failed)?;
            let found = entry.elements().map_err(failed)?;
            self.elements.extend(found.elements);
            self.skipped.extend(found.skipped);
        }
        if self.elements.is_empty() {
            return Err("it has no cells: [[cells]] names some (see GRID.md)".to_owned());
        }
        self.check_twice()?;
        self.count_family();
        self.elements.iter_mut().enumerate().for_each(|(at, element)| element.place = at);
        // No kind of cell has the whole of the evening or of the morning.
        fastrand::Rng::with_seed(u64::from(seed)).shuffle(&mut self.elements);
        Ok(())
    }

    /// A cell has one record set.
    fn check_twice(&self) -> Result<(), String> {
        let mut seen: HashSet<(String, Vec<&String>)> = HashSet::new();
        for element in &self.elements {
            let plain = |word: &&String| !word.starts_with("--");
            let command: Vec<&String> = element.words.iter().filter(plain).collect();
            for cell in &element.cells {
                if !seen.insert((cell.id(), command.clone())) {
                    return Err(format!("the cell {} is there twice; remove one", cell.id()));
                }
            }
        }
        Ok(())
    }

    /// Verdicts of all elements and machines are read together, and so each is judged as one of
    /// them.
    fn count_family(&mut self) {
        let comparisons: usize = self.elements.iter().map(|element| element.comparisons).sum();
        let family = comparisons * self.machines.len().max(1);
        for element in self.elements.iter_mut().filter(|element| element.comparisons > 0) {
            element.words.push(format!("--family={family}"));
            *element = element.clone().named();
        }
    }

    /// The digits of the plan: another plan has others.
    #[must_use]
    pub fn digits(&self) -> String {
        let elements = self.elements.iter().map(|element| element.id.clone());
        // On other CPUs of a machine the same element is another measurement.
        let machines = self.machines.iter().map(|machine| match &machine.cpus {
            Some(cpus) => format!("{} {cpus}", machine.name),
            None => machine.name.clone(),
        });
        let all: Vec<String> =
            [self.name.clone()].into_iter().chain(elements).chain(machines).collect();
        digits(all.join("\n").as_bytes())
    }

    /// What a collection of it expects, in the order of the file.
    #[must_use]
    pub fn expected(&self) -> Expected {
        let mut elements: Vec<&Element> = self.elements.iter().collect();
        elements.sort_by_key(|element| element.place);
        Expected {
            grid: self.name.clone(),
            machines: self.machines.iter().map(|machine| machine.name.clone()).collect(),
            elements: elements.into_iter().map(Element::wanted).collect(),
        }
    }

    /// The machine that a node is, by the name that was asked for, or else by the node's own, or
    /// the only one if it can be anywhere; of a grid that names none, that node.
    ///
    /// # Errors
    /// The grid has none that could be meant.
    pub fn machine(&self, asked: Option<&str>, node: &str) -> Result<Machine, String> {
        let known: Vec<&str> = self.machines.iter().map(|machine| machine.name.as_str()).collect();
        let named = |name: &str| self.machines.iter().find(|machine| machine.name == name).cloned();
        let there_are = || format!("the grid {:?} has {}", self.name, known.join(", "));
        if self.machines.is_empty() {
            let name = asked.unwrap_or(node).to_owned();
            let machine = Machine { name, ..Machine::default() };
            return machine.check().map(|()| machine);
        }
        if let Some(name) = asked {
            return named(name).ok_or_else(|| format!("no machine {name:?}: {}", there_are()));
        }
        let has_node = |machine: &&Machine| machine.node.as_deref() == Some(node);
        let here = self.machines.iter().find(has_node).cloned().or_else(|| named(node));
        let only = || {
            let [only] = self.machines.as_slice() else { return None };
            only.is_anywhere().then(|| only.clone())
        };
        here.or_else(only).ok_or_else(|| {
            format!("which machine is this node, {node:?}? Say --machine NAME: {}", there_are())
        })
    }
}

fn machines(said: &[Machine]) -> Result<Vec<Machine>, String> {
    for (at, machine) in said.iter().enumerate() {
        machine.check()?;
        if said[..at].iter().any(|other| other.name == machine.name) {
            return Err(format!("two machines are called {:?}", machine.name));
        }
    }
    Ok(said.to_vec())
}

/// One `[[cells]]`, with what is said for all of them.
fn entry(said: &Text, table: &Table, seed: u32) -> Result<Entry, String> {
    let mut table = table.clone();
    if let Some(budget) = said.budget.clone()
        && !table.contains_key("rounds")
    {
        table.entry("budget").or_insert(budget);
    }
    let own = table.remove("sides").map(|sides| sides.try_into().map_err(|_| NO_SIDES.to_owned()));
    let sides = own.transpose()?.or_else(|| said.sides.clone()).unwrap_or_default();
    Ok(Entry { flags: Flags::of(&table)?, sides, seed })
}

const NO_SIDES: &str = "sides is a list of commits, such as [\"v1\", \"v2\"]";

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn parsed(text: &str) -> Result<Grid, String> {
        Grid::parse(text, PathBuf::from("/somewhere/night.toml"))
    }

    #[track_caller]
    fn refused(text: &str, what: &str) {
        let error = parsed(text).map(|grid| grid.elements.len()).expect_err(text);
        assert!(error.contains(what), "{error}");
    }

    const TWO: &str = "[[cells]]\nworkload = ['pairs', 'ring']\n\
                       backend = ['global', 'per-socket']\nthreads = '1,2'\nsize = [64, 512]\n";

    #[test]
    fn cells_that_differ_in_the_backend_alone_are_an_element() {
        let grid = parsed(TWO).expect("a grid");
        assert_eq!(
            (grid.name.as_str(), grid.out.as_path()),
            ("night", Path::new("/somewhere/night.grid"))
        );
        assert_eq!((grid.elements.len(), grid.skipped.len()), (6, 1), "a ring of one is none");
        for element in &grid.elements {
            let backends: Vec<&str> =
                element.cells.iter().map(|cell| cell.backend.as_str()).collect();
            assert_eq!(backends, ["global", "per-socket"]);
            assert!(element.words.contains(&"--seed=1".to_owned()), "{:?}", element.words);
            assert!(is_name(&element.id.replace(['=', '+'], "-")), "{}", element.id);
        }
        let mut ids: Vec<&str> = grid.elements.iter().map(|element| element.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }

    #[test]
    fn a_plan_is_the_same_each_time_and_another_has_other_digits() {
        let digits = |text: &str| parsed(text).expect("a grid").digits();
        assert_eq!(digits(TWO), digits(TWO));
        let others = [
            format!("seed = 2\n{TWO}"),
            format!("budget = '5s'\n{TWO}"),
            format!("name = 'x'\n{TWO}"),
            format!("{TWO}[[machine]]\nname = 'a'\n"),
            TWO.replace("512", "256"),
        ];
        for other in others {
            assert_ne!(digits(&other), digits(TWO), "{other}");
        }
    }

    #[test]
    fn a_budget_is_one_cells_and_what_a_workload_has_of_its_own_is_kept() {
        let text = "budget = '10s'\n[[cells]]\nworkload = 'paced'\nbackend = ['global', 'host']\n\
                    threads = 2\nrate = [1000, 2.5]\nambient = ['none', 'f-mtx,kernel-lock']\n";
        let grid = parsed(text).expect("a grid");
        let of = |what: &str| {
            grid.elements.iter().filter(|e| e.words.contains(&what.to_owned())).count()
        };
        assert_eq!((grid.elements.len(), of("--rate=2.5")), (4, 2));
        assert_eq!((of("--budget=20000ms"), of("--budget=10000ms")), (2, 2));
        assert_eq!(of("--ambient=kernel-lock,f-mtx"), 2);
        assert_eq!(grid.skipped.len(), 1, "host has no locks around it: {:?}", grid.skipped);
    }

    #[test]
    fn sides_make_comparisons_that_are_judged_as_one_family() {
        let text = format!(
            "sides = ['v1', 'v2', 'v3']\n{TWO}[[machine]]\nname = 'a'\n\
                            [[machine]]\nname = 'b'\n"
        );
        let grid = parsed(&text).expect("a grid");
        let first = &grid.elements[0];
        assert_eq!(first.words[..4], ["compare", "v1", "v2", "v3"].map(str::to_owned));
        assert_eq!(first.comparisons, 4);
        assert!(first.words.contains(&"--family=48".to_owned()), "{:?}", first.words);
        assert_eq!(first.longest.as_secs(), 240);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place() {
        refused("", "it has no cells");
        refused("[[cells]]\nthreads = 1\nbackend = 'gobal'\n", "[[cells]] 1: there is no backend");
        refused("[[cells]]\nthreads = 1\nbakend = 'global'\n", "--backend");
        refused("[[cells]]\nworkload = 'pairs'\n", "`threads` is missing");
        refused("[[cells]]\nthreads = 1\ncpus = '0'\n", "\"cpus\" is not said of cells");
        refused("[[cells]]\nthreads = 0\n", "--threads 0: ");
        refused("cells = 3\n", "cells");
        refused("sise = 3\n", "sise");
        refused("x = [", "line 1");
        refused(&(TWO.to_owned() + TWO), "is there twice");
        refused("name = 'a/b'\n", "the grid's name is");
        refused("[[machine]]\nname = 'a'\n[[machine]]\nname = 'a'\n", "two machines are called");
        refused("[[machine]]\nname = 'a'\npartition = '$(id)'\n", "machine a: partition");
        for (side, what) in
            [("'.'", "is a commit"), ("'-x'", "is a commit"), ("3", "sides is a list")]
        {
            refused(&format!("[[cells]]\nthreads = 1\nsides = ['v1', {side}]\n"), what);
        }
        refused("[[cells]]\nthreads = 1\nsides = ['v1']\n", "alone cannot be compared");
        refused("[[cells]]\nthreads = 1\nmetric = 'throughput'\n", "--metric");
    }

    #[test]
    fn a_node_is_a_machine_by_its_name_or_by_what_was_said() {
        let machines = "[[machine]]\nname = 'amd'\nnode = 'n1'\n[[machine]]\nname = 'arm'\n";
        let grid = parsed(&format!("{TWO}{machines}")).expect("a grid");
        let name = |asked, node| grid.machine(asked, node).map(|machine| machine.name);
        assert_eq!(name(None, "n1"), Ok("amd".to_owned()));
        assert_eq!(name(None, "arm"), Ok("arm".to_owned()));
        assert_eq!(name(Some("arm"), "n1"), Ok("arm".to_owned()));
        assert!(name(None, "n9").expect_err("none").contains("--machine NAME: "));
        assert!(name(Some("x"), "n1").expect_err("none").contains("has amd, arm"));
        // The only machine is this one, unless it is said to be elsewhere.
        let only = |more: &str| {
            let grid = parsed(&format!("{TWO}[[machine]]\nname = 'amd'\n{more}")).expect("a grid");
            grid.machine(None, "n9").map(|machine| machine.name)
        };
        assert_eq!(only("cpus = '0'\nlicenses = 'box:1'\n"), Ok("amd".to_owned()));
        for elsewhere in ["node = 'n1'\n", "partition = 'p'\n", "ssh = 'amd.lab'\n"] {
            assert!(only(elsewhere).expect_err(elsewhere).contains("has amd"), "{elsewhere}");
        }
        let any = super::Grid::parse(TWO, PathBuf::from("/x.toml")).expect("a grid");
        assert_eq!(any.machine(None, "n9").expect("itself").name, "n9");
    }
}
