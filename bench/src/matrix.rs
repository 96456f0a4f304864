//! Every backend crossed with every workload: names outside, one function pointer each, no
//! indirection inside.

use std::marker::PhantomData;

use lockimpls::Domain;
use workloads::{Kind, Plan};

use crate::slice::{self, Outcome, Slice};

/// One backend under one workload.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The backend.
    pub backend: Backend,
    /// The workload.
    pub workload: Workload,
    /// Runs it for a slice: the one indirect call.
    pub run: fn(&Slice<'_>) -> Result<Outcome, String>,
    /// [`slice::code`].
    pub code: fn() -> [usize; 2],
}

/// What is known of a backend without its type.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    /// [`Domain::NAME`].
    pub name: &'static str,
    /// [`Domain::ABOUT`].
    pub about: &'static str,
    /// [`Domain::MODELLED`].
    pub modelled: bool,
}

/// What is known of a workload without its type.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// [`Kind::NAME`].
    pub name: &'static str,
    /// [`Kind::ABOUT`].
    pub about: &'static str,
    /// [`Kind::OPERATION`].
    pub operation: &'static str,
    /// [`Kind::threads`].
    pub threads: fn(&Plan) -> Option<usize>,
    /// [`Kind::fits`].
    pub fits: fn(&Plan) -> Result<(), String>,
}

impl Workload {
    /// Whether the plan's rate is part of what this workload does.
    #[must_use]
    pub fn uses_rate(&self) -> bool {
        self.name == "paced"
    }

    /// Whether the plan's groups and fan are.
    #[must_use]
    pub fn uses_groups(&self) -> bool {
        self.name == "groups"
    }
}

/// Every case, backend by backend.
#[must_use]
pub fn cases() -> Vec<Case> {
    let mut cases = Cases(Vec::new());
    lockimpls::visit_all(&mut cases);
    cases.0
}

struct Cases(Vec<Case>);

impl lockimpls::Visitor for Cases {
    fn visit<D: Domain>(&mut self) {
        workloads::visit_all(&mut On::<D> { cases: &mut self.0, backend: PhantomData });
    }
}

/// The workloads on one backend.
struct On<'a, D> {
    cases: &'a mut Vec<Case>,
    backend: PhantomData<D>,
}

impl<D: Domain> workloads::Visitor for On<'_, D> {
    fn visit<K: Kind>(&mut self) {
        self.cases.push(Case {
            backend: Backend { name: D::NAME, about: D::ABOUT, modelled: D::MODELLED },
            workload: Workload {
                name: K::NAME,
                about: K::ABOUT,
                operation: K::OPERATION,
                threads: K::threads,
                fits: K::fits,
            },
            run: slice::run::<D, K>,
            code: slice::code::<D, K>,
        });
    }
}

/// Every backend, in the order they are shown.
#[must_use]
pub fn backends() -> Vec<Backend> {
    let mut backends: Vec<Backend> = Vec::new();
    for case in cases() {
        if backends.last().is_none_or(|last| last.name != case.backend.name) {
            backends.push(case.backend);
        }
    }
    backends
}

/// Every workload, in the order they are shown.
#[must_use]
pub fn workloads() -> Vec<Workload> {
    let cases = cases();
    let first = cases.first().map(|case| case.backend.name);
    cases.iter().filter(|c| Some(c.backend.name) == first).map(|c| c.workload).collect()
}

/// Checks a name that a user gave.
///
/// # Errors
/// It is none of the valid ones: the message lists them, and the nearest.
pub fn check_name(what: &str, asked: &str, valid: &[&str]) -> Result<(), String> {
    if valid.contains(&asked) {
        return Ok(());
    }
    let nearest = valid
        .iter()
        .map(|name| (strsim::damerau_levenshtein(asked, name), name))
        .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
        .min();
    let hint = nearest.map_or_else(String::new, |(_, name)| format!("; did you mean {name:?}?"));
    Err(format!("there is no {what} {asked:?}; there are {}{hint}", valid.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_meets_every_workload_once() {
        let mut pairs: Vec<_> =
            cases().iter().map(|case| (case.backend.name, case.workload.name)).collect();
        assert_eq!(pairs.len(), backends().len() * workloads().len());
        pairs.sort_unstable();
        pairs.dedup();
        assert_eq!(pairs.len(), backends().len() * workloads().len());
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_valid_ones_and_the_nearest() {
        let valid = ["global", "per-socket", "lock-free"];
        assert_eq!(check_name("backend", "global", &valid), Ok(()));
        let error = check_name("backend", "per_socket", &valid).unwrap_err();
        assert!(error.contains("global, per-socket, lock-free"), "{error}");
        assert!(error.ends_with("did you mean \"per-socket\"?"), "{error}");
        let error = check_name("backend", "zzzzzzzzzzzz", &valid).unwrap_err();
        assert!(!error.contains("did you mean"), "{error}");
    }
}
