//! From files of several machines to one whole record set for each element of a grid and each node.
//!
//! No measured value is looked at: which of several sets is kept hangs on when and where it was
//! measured alone. What is set aside is told, with the file and the reason.

mod files;
mod sieve;

use std::path::{Path, PathBuf};

use crate::element::Element;
use crate::run::Run;

/// An element that is to be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub id: String,
    /// [`crate::Cell::id`] of each of its cells.
    pub cells: Vec<String>,
}

/// What a grid expects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The grid, by name.
    pub grid: String,
    /// Its machines, by name; none: those that there are.
    pub machines: Vec<String>,
    /// What each of them measures.
    pub elements: Vec<Wanted>,
}

/// A whole record set: one element, measured on one node.
#[derive(Clone, Debug)]
pub struct Set {
    /// Its last line.
    pub element: Element,
    /// All of them.
    pub run: Run,
}

/// Why a file is not among those that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is nothing of this grid.
    Foreign(String),
    /// It is not whole.
    Cut(String),
    /// It was put aside, to be measured again ([`PUT_ASIDE`]).
    PutAside,
    /// It is another set's copy, byte by byte.
    Copy(PathBuf),
    /// The node measured this element again, and later.
    Doubled(PathBuf),
    /// Another element was measured at the same time on the same box.
    AtOnce(PathBuf),
    /// The machine, or the program's build, is not that of most sets of this machine.
    Changed(String),
    /// What was measured is of another commit than most sets of this grid.
    OtherCommit(String),
}

/// How the name of a file ends that could not be kept, and was put aside to be measured again. It
/// is kept no more, but still tells when its box was not idle.
pub const PUT_ASIDE: &str = ".aside";

/// A file that is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub why: Why,
}

/// What there is of a machine.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Its name in the grid.
    pub name: String,
    /// A set for each element and node, in the grid's order, then by node.
    pub sets: Vec<Set>,
    /// The elements of which there is none, in the grid's order.
    pub missing: Vec<String>,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// In the grid's order, else by name.
    pub machines: Vec<Machine>,
    /// By file.
    pub faults: Vec<Fault>,
}

impl Collected {
    /// Reads all files of these folders, and of theirs.
    ///
    /// # Errors
    /// A folder cannot be read.
    pub fn read(folders: &[PathBuf], expected: &Expected) -> Result<Collected, String> {
        let (mut sets, mut beside, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for path in files::all(folders)? {
            let is_aside = path.to_string_lossy().ends_with(PUT_ASIDE);
            match files::read(&path, expected) {
                Ok(set) if !is_aside => sets.push(set),
                read => {
                    // Of whatever grid it is, its box was not idle meanwhile.
                    beside.extend(files::element(&path).map(|element| (path.clone(), element)));
                    let why = read.err().filter(|_| !is_aside).unwrap_or(Why::PutAside);
                    faults.push(Fault { path, why });
                }
            }
        }
        let mut names: Vec<String> =
            sets.iter().map(|set| set.element.origin.machine.clone()).collect();
        names.sort();
        names.dedup();
        let names = if expected.machines.is_empty() { names } else { expected.machines.clone() };
        let kept = sieve::sifted(sets, &beside, &mut faults);
        let machine = |name: &String| of_machine(name, &kept, expected);
        faults.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Collected { machines: names.iter().map(machine).collect(), faults })
    }

    /// Whether each machine has a set of each element.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.machines.is_empty() && self.machines.iter().all(Machine::is_whole)
    }

    /// Every set that is kept.
    pub fn sets(&self) -> impl Iterator<Item = &Set> {
        self.machines.iter().flat_map(|machine| &machine.sets)
    }
}

fn of_machine(name: &str, kept: &[Set], expected: &Expected) -> Machine {
    let own = |id: &str| {
        let is_it = move |set: &&Set| set.id() == id && set.element.origin.machine == name;
        kept.iter().filter(is_it).cloned().collect::<Vec<Set>>()
    };
    let mut machine = Machine { name: name.to_owned(), ..Machine::default() };
    for Wanted { id, .. } in &expected.elements {
        let sets = own(id);
        if sets.is_empty() {
            machine.missing.push(id.clone());
        }
        machine.sets.extend(sets);
    }
    machine
}

impl Machine {
    /// Whether there is a set of each element.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// A set for each element: where several nodes have one, that of the first by name.
    #[must_use]
    pub fn runs(&self) -> Vec<Run> {
        let first = |(at, set): &(usize, &Set)| *at == 0 || self.sets[at - 1].id() != set.id();
        let sets = self.sets.iter().enumerate().filter(first);
        sets.map(|(_, set)| set.run.clone()).collect()
    }

    /// Its nodes, by name.
    #[must_use]
    pub fn nodes(&self) -> Vec<&str> {
        let mut nodes: Vec<&str> =
            self.sets.iter().map(|set| set.element.origin.node.as_str()).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

impl Set {
    /// The element's name.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.element.origin.element
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.run.path
    }
}

impl Why {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        let file = |path: &Path| path.display().to_string();
        match self {
            Why::Foreign(why) => format!("not of this grid: {why}"),
            Why::Cut(why) => format!("cut: {why}"),
            Why::PutAside => "put aside, to be measured again".to_owned(),
            Why::Copy(other) => format!("the same file as {}", file(other)),
            Why::Doubled(other) => {
                format!("doubled: the node measured it again later, in {}", file(other))
            }
            Why::AtOnce(other) => {
                format!("measured while the same box measured {}", file(other))
            }
            Why::Changed(what) => format!("the machine changed: {what}"),
            Why::OtherCommit(what) => format!("another commit: {what}"),
        }
    }
}
