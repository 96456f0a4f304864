//! What a side's name means.

use std::path::PathBuf;

use results::{Run, Store};

use super::repository::Repository;
use crate::added;
use crate::cmd::no_rates;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Side {
    /// As the user named it.
    pub name: String,
    /// What that is.
    pub source: Source,
}

impl Side {
    /// Whether its program is built.
    #[must_use]
    pub fn is_built(&self) -> bool {
        matches!(self.source, Source::Commit(_) | Source::Tree)
    }

    /// The stored run that it is, if it is one.
    fn run(&self) -> Option<&Run> {
        match &self.source {
            Source::Run(run) => Some(run),
            _ => None,
        }
    }
}

/// Where a side comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A commit, by its full hash.
    Commit(String),
    /// The working tree as it is.
    Tree,
    /// A stored run.
    Run(Box<Run>),
    /// A program that is there already.
    Program(PathBuf),
}

/// Where names are looked up.
#[derive(Clone, Debug)]
pub struct Names<'a> {
    /// The checkout, or why there is none.
    pub repository: &'a Result<Repository, String>,
    /// The runs.
    pub store: &'a Store,
    /// `--program`: SIDE=PATH.
    pub programs: &'a [String],
}

impl Names<'_> {
    /// The sides of these names.
    ///
    /// # Errors
    /// A name means nothing, or there are fewer than two.
    pub fn sides(&self, names: &[String]) -> Result<Vec<Side>, String> {
        if names.len() < 2 {
            return Err(format!(
                "{} alone cannot be compared; name two sides or more, such as `{} compare \
                 HEAD~1 HEAD`; {VALID}",
                names.first().map_or("nothing", String::as_str),
                added::name()
            ));
        }
        let sides =
            names.iter().map(|name| self.side(name)).collect::<Result<Vec<Side>, String>>()?;
        only_measured(&sides)?;
        Ok(sides)
    }

    fn side(&self, name: &str) -> Result<Side, String> {
        let source = match self.program(name) {
            Some(path) => Source::Program(path),
            None => self.source(name)?,
        };
        Ok(Side { name: name.to_owned(), source })
    }

    fn program(&self, name: &str) -> Option<PathBuf> {
        let pairs = self.programs.iter().filter_map(|given| given.rsplit_once('='));
        pairs.into_iter().find(|(side, _)| *side == name).map(|(_, path)| PathBuf::from(path))
    }

    fn source(&self, name: &str) -> Result<Source, String> {
        if name == "." {
            return match self.repository {
                Ok(_) => Ok(Source::Tree),
                Err(why) => Err(format!("side \".\": this folder is in no checkout ({why})")),
            };
        }
        let commit = self.repository.as_ref().ok().and_then(|found| found.commit(name));
        if let Some(commit) = commit {
            return Ok(Source::Commit(commit));
        }
        match self.store.read_measured(name) {
            Ok(run) => Ok(Source::Run(Box::new(run))),
            Err(results::StoreError::Unknown { .. }) => Err(self.unknown(name)),
            Err(other) => Err(format!("side {name:?} is no commit, and as a run: {other}")),
        }
    }

    fn unknown(&self, name: &str) -> String {
        let commits = match self.repository {
            Ok(repository) => format!("branches and tags: {}", listed(&repository.names())),
            Err(why) => format!("commits: none here ({why})"),
        };
        let runs = self.store.list().unwrap_or_default();
        let runs: Vec<String> = runs.into_iter().rev().take(3).map(|file| file.id).collect();
        format!("there is no side {name:?}; {VALID}; {commits}; newest runs: {}", listed(&runs))
    }
}

const VALID: &str = "a side is a commit (hash, tag, branch, HEAD~3), `.` for the working tree, or \
                     a stored run (a path, an id, the beginning of one, `last`)";

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// A stored run was measured, by solock, and is named once; or all sides are one comparison, to be
/// shown again.
fn only_measured(sides: &[Side]) -> Result<(), String> {
    let runs: Vec<&Run> = sides.iter().filter_map(Side::run).collect();
    if let Some(run) = runs.iter().find(|run| run.is_comparison()) {
        let is_alone = runs.len() == sides.len() && runs.iter().all(|other| other.id == run.id);
        return if is_alone { Ok(()) } else { Err(no_measure(&run.id)) };
    }
    if let Some(run) = runs.iter().find(|run| run.is_foreign()) {
        return Err(foreign(&run.id));
    }
    if let Some(run) = runs.iter().find(|run| run.is_profile()) {
        return Err(no_rates(&run.id));
    }
    let is_twice = |(place, run): &(usize, &&Run)| runs[..*place].iter().any(|r| r.id == run.id);
    match runs.iter().enumerate().find(is_twice) {
        Some((_, run)) => Err(format!("run {} is named twice; it is its own equal", run.id)),
        None => Ok(()),
    }
}

fn foreign(id: &str) -> String {
    format!(
        "run {id} holds numbers of others: they were not measured in turns with anything, perhaps \
         on another machine, so there is no verdict; `{} show RUN {id}` shows them beside a run",
        added::name()
    )
}

fn no_measure(id: &str) -> String {
    format!(
        "run {id} is a comparison, with nothing measured to compare; `{} compare {id} {id}` \
         shows it again",
        added::name()
    )
}

#[cfg(test)]
mod tests;
